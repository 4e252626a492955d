// SPDX-License-Identifier: BSD-2-Clause
/*
 * What is written when, and what it costs when it could not be. In the caller's
 * thread: archive_thread.c does it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive.h"
#include "archive_queue.h"
#include "archive_thread.h"
#include "clock.h"
#include "losses.h"
#include "segment.h"

#define SEGMENT_BYTES	  (256ULL << 20)
#define SEGMENT_BYTES_MIN (1ULL << 20)
#define SEGMENT_NS	  (15 * 60 * NS_PER_S)
#define SEGMENT_NS_MIN	  NS_PER_S
#define KEEP_PARTS	  8	   /* segments that what is kept consists of */
#define BLOCK_NS	  NS_PER_S /* a block is handed over after so long */
#define TELL_NS		  (10 * NS_PER_S) /* LOSS and CLOCK come so often */
#define RETRY_NS	  NS_PER_S	  /* a segment that could not begin */
#define CLOCK_STEP_NS	  ((int64_t)NS_PER_MS)
#define PACKER_CPUS	  16
/* A segment, its state, and a block to go on with. */
#define SEGMENT_PARCELS 3

enum segment_status {
	SEGMENT_NONE, /* it takes another one to write anything */
	SEGMENT_ASKED,
	SEGMENT_OPEN,
};

struct archive_writer {
	struct archive_options o;
	struct archive_queue *queue;
	struct archive_thread *thread;
	struct parcel *filling; /* inside options.state: with its records */
	enum segment_status segment;
	uint64_t segment_bytes; /* as far as known */
	bool asked;		/* archive_rotate(); atomic */
	uint64_t begun_ns, told_ns, retry_ns;
	int64_t wall_offset;
	bool in_state;
	int state_error;
	bool state_due;		   /* events were lost: the state must follow */
	struct losses failed;	   /* could not be written */
	struct losses refused;	   /* all parcels were on their way */
	int error;		   /* learnt of, and not yet returned */
	uint64_t settled, written; /* marks */
	struct archive_stats stats;
};

uint64_t archive_segment_bytes(uint64_t keep_bytes)
{
	uint64_t part = keep_bytes / KEEP_PARTS;

	if (!keep_bytes || part > SEGMENT_BYTES)
		return SEGMENT_BYTES;
	return part < SEGMENT_BYTES_MIN ? SEGMENT_BYTES_MIN : part;
}

uint64_t archive_segment_ns(uint64_t keep_ns)
{
	uint64_t part = keep_ns / KEEP_PARTS;

	if (!keep_ns || part > SEGMENT_NS)
		return SEGMENT_NS;
	return part < SEGMENT_NS_MIN ? SEGMENT_NS_MIN : part;
}

unsigned archive_packers(unsigned cpus)
{
	unsigned n = 1 + cpus / PACKER_CPUS;

	return n < ARCHIVE_PACKERS ? n : ARCHIVE_PACKERS;
}

static void note_error(struct archive_writer *w, int err)
{
	if (err && !w->error)
		w->error = err;
}

static int take_error(struct archive_writer *w)
{
	int err = w->error;

	w->error = 0;
	return err;
}

/* A block: counted, and shown to who wants to see each. */
static void lose(struct archive_writer *w, struct losses *l,
		 const struct block *b)
{
	const struct weir_hdr *h;
	size_t at = 0;

	losses_count(l, b);
	w->state_due = true;
	while (w->o.lost && (h = block_next(b, &at)))
		w->o.lost(w->o.arg, h);
}

static void lose_one(void *arg, const struct weir_hdr *h)
{
	struct archive_writer *w = arg;
	const struct block one = {
		.rows = {.data = (char *)(uintptr_t)h,
			 .len = (h->len + 7U) & ~7U},
		.events = 1,
		.first_ns = h->ts,
		.last_ns = h->ts,
	};

	lose(w, &w->refused, &one);
}

/* The block at hand cannot be handed over. */
static void refuse(struct archive_writer *w)
{
	struct block *b = &w->filling->block;

	if (w->o.vital) {
		block_keep(b, w->o.vital, lose_one, w);
		if (b->rows.len < BLOCK_BYTES / 2 &&
		    b->events < BLOCK_EVENTS / 2)
			return;
	}
	lose(w, &w->refused, b);
	block_reset(b);
}

/* ---- what came of it --------------------------------------------------- */

static void learn_segment(struct archive_writer *w, const struct parcel *p)
{
	if (p->job == PARCEL_SEGMENT) {
		w->segment = p->error ? SEGMENT_NONE : SEGMENT_OPEN;
		w->retry_ns = p->error ? clock_now() + RETRY_NS : 0;
	}
	if (w->segment != SEGMENT_OPEN)
		return;
	w->segment_bytes = p->segment_bytes;
	if (p->needs_segment)
		w->segment = SEGMENT_NONE;
}

static void learn(struct archive_writer *w, struct parcel *p)
{
	uint64_t events = w->stats.events;

	if (p->error && p->job == PARCEL_EVENTS)
		lose(w, &w->failed, &p->block);
	if (p->error && p->job == PARCEL_STATE)
		w->state_due = true;
	note_error(w, p->error);
	note_error(w, p->sync_error);
	if (p->mark)
		w->settled = p->mark;
	if (p->mark && !p->error)
		w->written = p->mark;
	learn_segment(w, p);
	w->stats = p->stats;
	w->stats.events = events;
	archive_queue_keep(w->queue, p);
}

static void learn_all(struct archive_writer *w, bool wait)
{
	struct parcel *p;

	while ((p = archive_queue_back(w->queue, wait)))
		learn(w, p);
}

/* ---- handing over ------------------------------------------------------ */

/* Return: 0; -ENOBUFS: then there would be no block to go on with. */
static int hand_over(struct archive_writer *w, enum parcel_job job)
{
	struct parcel *next = archive_queue_spare(w->queue);

	if (!next)
		return -ENOBUFS;
	w->filling->job = job;
	archive_queue_send(w->queue, w->filling);
	w->filling = next;
	return 0;
}

static void fill_account(struct archive_writer *w,
			 const struct account_row *rows, size_t count)
{
	struct parcel *p = w->filling;
	int err;

	err = losses_account(&w->refused, &rows, &count, p->blind);
	if (!err && !p->blind)
		err = losses_account(&w->failed, &rows, &count, false);
	buf_reset(&p->account);
	buf_put(&p->account, rows, count * sizeof(*rows));
	if (err)
		p->account.err = err; /* for who is to write it */
	buf_reset(&p->known);
	losses_sums(&w->failed, &p->known);
}

/* With the account as of now, the block being empty. */
static int hand_account(struct archive_writer *w, enum parcel_job job)
{
	const struct account_row *rows = NULL;
	size_t count = 0;

	w->filling->blind = !w->o.account;
	if (w->o.account)
		count = w->o.account(w->o.arg, &rows);
	fill_account(w, rows, count);
	return hand_over(w, job);
}

/* ---- state ------------------------------------------------------------- */

int archive_state(struct archive_writer *w, const void *record, size_t len)
{
	const struct weir_hdr *h = record;

	if (!w->in_state || len < sizeof(*h) || h->len != len)
		return -EINVAL;
	if (block_is_full(&w->filling->block))
		w->state_error = hand_over(w, PARCEL_STATE);
	if (!w->state_error)
		block_add(&w->filling->block, h);
	return w->state_error;
}

/* Between two events, the block being empty. */
static int put_state(struct archive_writer *w)
{
	int err;

	w->state_due = false;
	if (!w->o.state)
		return 0;
	w->in_state = true;
	w->state_error = 0;
	w->state_due = w->o.state(w->o.arg, w) != 0;
	w->in_state = false;
	err = w->state_error;
	if (!err && w->filling->block.events)
		err = hand_over(w, PARCEL_STATE);
	block_reset(&w->filling->block);
	if (err)
		w->state_due = true;
	return err;
}

/* ---- what is due ------------------------------------------------------- */

void archive_rotate(struct archive_writer *w)
{
	__atomic_store_n(&w->asked, true, __ATOMIC_RELAXED);
}

static bool must_rotate(const struct archive_writer *w, uint64_t now)
{
	return w->segment == SEGMENT_OPEN &&
	       (__atomic_load_n(&w->asked, __ATOMIC_RELAXED) ||
		w->segment_bytes >= w->o.segment_bytes ||
		(int64_t)(now - w->begun_ns) >= (int64_t)w->o.segment_ns);
}

static bool must_begin(const struct archive_writer *w)
{
	return w->segment == SEGMENT_NONE && clock_now() >= w->retry_ns;
}

static bool must_tell(const struct archive_writer *w, uint64_t now)
{
	return w->segment != SEGMENT_NONE &&
	       (int64_t)(now - w->told_ns) >= (int64_t)TELL_NS;
}

static bool clock_stepped(const struct archive_writer *w)
{
	int64_t wall = (int64_t)(clock_read(CLOCK_REALTIME) - clock_now());

	return llabs(wall - w->wall_offset) > CLOCK_STEP_NS;
}

/* Where the thread is far behind, let it come closer first. */
static bool has_room(const struct archive_writer *w)
{
	return archive_queue_spares(w->queue) >= SEGMENT_PARCELS;
}

static int begin_segment(struct archive_writer *w)
{
	int err = hand_account(w, PARCEL_SEGMENT);

	if (err)
		return err;
	w->segment = SEGMENT_ASKED;
	__atomic_store_n(&w->asked, false, __ATOMIC_RELAXED);
	w->begun_ns = w->told_ns = clock_now();
	w->wall_offset = clock_wall_offset();
	return put_state(w);
}

static int put_clock(struct archive_writer *w)
{
	w->wall_offset = clock_wall_offset();
	return hand_over(w, PARCEL_CLOCK);
}

static int tell(struct archive_writer *w)
{
	int err = hand_account(w, PARCEL_TELL);

	if (err)
		return err;
	w->told_ns = clock_now();
	w->wall_offset = clock_wall_offset();
	return w->state_due ? put_state(w) : 0;
}

/* What comes between two events, the block being empty. */
static int keep_up(struct archive_writer *w, uint64_t now)
{
	if (!has_room(w))
		return 0;
	if (must_begin(w) || must_rotate(w, now))
		return begin_segment(w);
	if (w->segment == SEGMENT_NONE)
		return 0;
	if (must_tell(w, now) || w->state_due)
		return tell(w);
	return clock_stepped(w) ? put_clock(w) : 0;
}

/* ---- events ------------------------------------------------------------ */

/* A segment that is due to end must not wait for a flood to end. */
static bool is_overdue(const struct archive_writer *w, uint64_t now)
{
	return w->segment == SEGMENT_OPEN &&
	       (w->segment_bytes / 2 >= w->o.segment_bytes ||
		(int64_t)(now - w->begun_ns) / 2 >= (int64_t)w->o.segment_ns);
}

/* Return: 0, maybe with events left in the block; -ENOBUFS: some are lost. */
static int put_events(struct archive_writer *w, uint64_t now)
{
	const struct block *b = &w->filling->block;

	if (!b->events)
		return 0;
	if ((!is_overdue(w, now) ||
	     archive_queue_spares(w->queue) > SEGMENT_PARCELS) &&
	    !hand_over(w, PARCEL_EVENTS))
		return 0;
	if (!block_is_full(b))
		return 0;
	refuse(w);
	return -ENOBUFS;
}

static void wait_for_room(struct archive_writer *w)
{
	struct parcel *p;

	while (archive_queue_spares(w->queue) <= SEGMENT_PARCELS &&
	       (p = archive_queue_back(w->queue, true)))
		learn(w, p);
}

static int settle(struct archive_writer *w, uint64_t now)
{
	learn_all(w, false);
	if (w->o.patient)
		wait_for_room(w);
	note_error(w, put_events(w, now));
	if (!w->filling->block.events)
		note_error(w, keep_up(w, now));
	return take_error(w);
}

int archive_append(struct archive_writer *w, const struct event *ev)
{
	struct block *b = &w->filling->block;

	block_add(b, ev->h);
	w->stats.events++;
	if (w->o.marked)
		return 0;
	if (!block_is_full(b) && b->last_ns - b->first_ns < BLOCK_NS)
		return 0;
	return settle(w, clock_now());
}

static bool is_due(const struct archive_writer *w, uint64_t now)
{
	const struct block *b = &w->filling->block;

	if (must_begin(w) || must_tell(w, now) || must_rotate(w, now))
		return true;
	if (b->events)
		return (int64_t)(now - b->first_ns) >= (int64_t)BLOCK_NS;
	return w->state_due;
}

int archive_tick(struct archive_writer *w, uint64_t mono_ns)
{
	learn_all(w, false);
	if (w->o.marked)
		return take_error(w);
	return is_due(w, mono_ns) ? settle(w, mono_ns) : take_error(w);
}

int archive_mark(struct archive_writer *w, const struct archive_mark *m)
{
	struct parcel *p;

	learn_all(w, false);
	wait_for_room(w);
	p = w->filling;
	p->blind = false;
	p->mark = m->number;
	buf_reset(&p->marked);
	buf_put(&p->marked, m->data, m->len);
	fill_account(w, m->rows, m->count);
	note_error(w, hand_over(w, PARCEL_EVENTS));
	note_error(w, keep_up(w, clock_now()));
	return take_error(w);
}

void archive_marked(struct archive_writer *w, uint64_t *ret_settled,
		    uint64_t *ret_written)
{
	learn_all(w, false);
	*ret_settled = w->settled;
	*ret_written = w->written;
}

int archive_flush(struct archive_writer *w)
{
	learn_all(w, true);
	note_error(w, put_events(w, clock_now()));
	learn_all(w, true);
	if (must_begin(w))
		note_error(w, keep_up(w, clock_now()));
	learn_all(w, true);
	return take_error(w);
}

void archive_lost(struct archive_writer *w,
		  void (*fn)(void *arg, const char *source, uint32_t cpu,
			     uint64_t count, uint64_t first, uint64_t last),
		  void *arg)
{
	learn_all(w, false);
	losses_tell(&w->failed, fn, arg);
	losses_tell(&w->refused, fn, arg);
}

void archive_writer_stats(const struct archive_writer *w,
			  struct archive_stats *ret)
{
	*ret = w->stats;
	ret->waiting = archive_queue_away(w->queue);
}

int archive_note(struct archive_writer *w, const char *name, const char *value)
{
	int err = archive_flush(w);

	buf_reset(&w->filling->account);
	segment_put_meta(&w->filling->account, name, value);
	note_error(w, hand_over(w, PARCEL_NOTE));
	learn_all(w, true);
	return err ? err : take_error(w);
}

/* ---- beginning and end ------------------------------------------------- */

static void use_defaults(struct archive_options *o)
{
	if (!o->segment_bytes)
		o->segment_bytes = archive_segment_bytes(o->keep_bytes);
	if (!o->segment_ns)
		o->segment_ns = archive_segment_ns(o->keep_ns);
	if (!o->packers)
		o->packers = 1;
}

static int prepare(struct archive_writer *w, const struct schema *schema)
{
	int err;

	use_defaults(&w->o);
	err = losses_init(&w->failed, schema);
	if (!err)
		err = losses_init(&w->refused, schema);
	if (!err)
		err = archive_queue_new(&w->queue, w->o.packers);
	if (!err)
		w->filling = archive_queue_spare(w->queue);
	return err;
}

static int begin(struct archive_writer *w)
{
	note_error(w, begin_segment(w));
	learn_all(w, true);
	return take_error(w);
}

/* The thread ends with what was said last, so there must be room to say it. */
static int end_thread(struct archive_writer *w, enum parcel_job last)
{
	int err;

	if (!w->thread)
		return 0;
	learn_all(w, true);
	note_error(w, hand_account(w, last));
	learn_all(w, true);
	err = archive_thread_end(w->thread);
	note_error(w, err);
	return take_error(w);
}

static void writer_free(struct archive_writer *w)
{
	archive_queue_free(w->queue);
	losses_done(&w->failed);
	losses_done(&w->refused);
	free(w);
}

int archive_create(struct archive_writer **ret, const struct schema *schema,
		   const struct archive_options *opts)
{
	struct archive_writer *w = calloc(1, sizeof(*w));
	int err;

	if (!w)
		return -ENOMEM;
	w->o = *opts;
	err = prepare(w, schema);
	if (!err)
		err = archive_thread_start(&w->thread, w->queue, schema, &w->o);
	if (!err)
		err = begin(w);
	if (err) {
		end_thread(w, PARCEL_GIVE_UP);
		writer_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

int archive_close(struct archive_writer *w)
{
	int err, err2 = 0, err3;

	if (!w)
		return 0;
	err = archive_flush(w);
	w->retry_ns = 0;
	if (must_begin(w))
		err2 = begin(w);
	err3 = end_thread(w, PARCEL_END);
	writer_free(w);
	if (err || err2)
		return err ? err : err2;
	return err3;
}
