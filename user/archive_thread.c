// SPDX-License-Identifier: BSD-2-Clause
#include "archive_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

/* One that packs. */
struct packer {
	struct archive_queue *queue;
	unsigned number;
	struct block_codec *codec;
	pthread_t thread;
	bool runs;
};

struct archive_thread {
	struct archive_put put;
	struct archive_queue *queue;
	struct packer packers[ARCHIVE_PACKERS];
	pthread_t thread;
};

/* ---- packing ------------------------------------------------------------ */

static void pack(struct packer *k, struct parcel *p)
{
	bool events = p->job == PARCEL_EVENTS;
	int err;

	p->hurried = events &&
		     archive_queue_waiting(k->queue) > ARCHIVE_QUEUED / 2;
	p->frame = (struct frame){.type = events ? FRAME_BLOCK : FRAME_STATE};
	segment_frame(&p->packed);
	block_codec_hurry(k->codec, p->hurried);
	err = block_encode(k->codec, &p->block, &p->frame, &p->packed);
	if (err)
		p->packed.err = err;
}

static void *run_packer(void *arg)
{
	struct packer *k = arg;
	struct parcel *p;

	pthread_setname_np(pthread_self(), "weir-pack");
	while ((p = archive_queue_unpacked(k->queue, k->number))) {
		if (p->job == PARCEL_EVENTS || p->job == PARCEL_STATE)
			pack(k, p);
		archive_queue_packed(k->queue, k->number, p);
	}
	return NULL;
}

/* ---- jobs --------------------------------------------------------------- */

static struct archive_account account_of(const struct parcel *p)
{
	return (struct archive_account){&p->account, &p->known, p->blind};
}

static int put_events(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);
	int err = 0;

	if (p->mark)
		err = archive_put_resume(&t->put, &a, &p->marked, &p->block);
	if (!err && (p->block.events || !p->mark))
		err = archive_put_block(&t->put, &p->frame, &p->packed);
	if (err)
		losses_count(&t->put.losses, &p->block);
	else if (p->mark) /* what came before it is needed no more */
		t->put.retain.kept = t->put.head.number;
	t->put.stats.hurried += p->hurried;
	return err;
}

static int put_state(struct archive_thread *t, struct parcel *p)
{
	return archive_put_block(&t->put, &p->frame, &p->packed);
}

static int put_clock(struct archive_thread *t, struct parcel *p)
{
	(void)p;
	return archive_put_clock(&t->put);
}

static int tell(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);
	int err = archive_put_clock(&t->put);

	return err ? err : archive_put_account(&t->put, &a, 0);
}

static int note(struct archive_thread *t, struct parcel *p)
{
	return archive_put_note(&t->put, &p->account);
}

static int next_segment(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);

	return archive_put_segment(&t->put, &a);
}

static int seal(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);

	return archive_put_seal(&t->put, &a);
}

static int give_up(struct archive_thread *t, struct parcel *p)
{
	(void)p;
	archive_put_give_up(&t->put);
	return 0;
}

static int (*const jobs[])(struct archive_thread *t, struct parcel *p) = {
	[PARCEL_EVENTS] = put_events, [PARCEL_STATE] = put_state,
	[PARCEL_CLOCK] = put_clock,   [PARCEL_TELL] = tell,
	[PARCEL_NOTE] = note,	      [PARCEL_SEGMENT] = next_segment,
	[PARCEL_END] = seal,	      [PARCEL_GIVE_UP] = give_up,
};

/* ---- the thread --------------------------------------------------------- */

/* What the sender is to know. */
static void report(struct archive_thread *t, struct parcel *p)
{
	struct archive_put *put = &t->put;

	p->sync_error = put->sync ? archive_sync_error(put->sync) : 0;
	p->needs_segment = archive_put_is_over(put);
	p->segment_bytes = put->segment ? put->segment->size : 0;
	put->stats.bytes = put->ended_bytes + p->segment_bytes;
	put->stats.retired = put->retain.removed;
	if (p->sync_error)
		put->stats.error = p->sync_error;
	p->stats = put->stats;
}

static void *run(void *arg)
{
	struct archive_thread *t = arg;
	enum parcel_job job;
	struct parcel *p;

	pthread_setname_np(pthread_self(), "weir-archive");
	do {
		p = archive_queue_take(t->queue);
		job = p->job;
		p->error = jobs[job](t, p);
		report(t, p);
		archive_queue_return(t->queue, p);
	} while (job < PARCEL_END);
	return NULL;
}

/* ---- life --------------------------------------------------------------- */

/* Signals are for the threads that expect them. */
static int start_thread(pthread_t *ret, void *(*fn)(void *), void *arg)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(ret, NULL, fn, arg);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

static int start_packer(struct archive_thread *t, unsigned i,
			const struct schema *schema)
{
	struct packer *k = &t->packers[i];
	int err;

	k->queue = t->queue;
	k->number = i;
	err = block_codec_new(&k->codec);
	if (!err)
		err = block_codec_schema(k->codec, schema);
	if (!err)
		err = start_thread(&k->thread, run_packer, k);
	k->runs = !err;
	return err;
}

static int start_packers(struct archive_thread *t, const struct schema *schema)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < archive_queue_packers(t->queue) && !err; i++)
		err = start_packer(t, i, schema);
	return err;
}

static void end_packers(struct archive_thread *t)
{
	struct packer *k;

	archive_queue_end(t->queue);
	for (k = t->packers; k < t->packers + ARCHIVE_PACKERS; k++) {
		if (k->runs)
			pthread_join(k->thread, NULL);
		block_codec_free(k->codec);
	}
}

int archive_thread_start(struct archive_thread **ret, struct archive_queue *q,
			 const struct schema *schema,
			 const struct archive_options *o)
{
	struct archive_thread *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->queue = q;
	err = archive_put_open(&t->put, schema, o);
	if (!err)
		err = start_packers(t, schema);
	if (!err)
		err = start_thread(&t->thread, run, t);
	if (err) {
		end_packers(t);
		archive_put_done(&t->put);
		free(t);
		return err;
	}
	*ret = t;
	return 0;
}

int archive_thread_end(struct archive_thread *t)
{
	int err;

	if (!t)
		return 0;
	pthread_join(t->thread, NULL);
	end_packers(t);
	err = archive_put_done(&t->put);
	free(t);
	return err;
}
