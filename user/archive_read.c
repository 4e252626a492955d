// SPDX-License-Identifier: BSD-2-Clause
#include "archive_read.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a pass is: a row of a frame of a segment of a run of a recorder. */
struct archive_iter {
	struct archive *a;
	uint64_t from_ns, to_ns; /* half-open */
	bool all_kinds, kinds[SCHEMA_KINDS_MAX];
	uint64_t kind_bits;
	bool bare; /* no state, no context */
	uint64_t damaged;
	bool state_due; /* the task table lacks something: take a STATE */
	int64_t wall_offset;
	struct block_codec *codec;
	struct buf payload;
	struct block block;
	size_t next_run;	      /* segments that belong to no run yet */
	size_t segment, run_end;      /* of the run at hand */
	bool in_segment, last_of_run; /* reader and frames are open */
	struct segment_reader reader;
	struct segment_frames frames;
	size_t frame, frame_end;
	bool at_head;
	const struct frame *rows; /* frame being handed over, or NULL */
	size_t at;		  /* in its rows */
	uint32_t count;		  /* rows walked */
};

/* ---- what is wanted ---------------------------------------------------- */

static uint64_t kind_bits(const bool *kinds)
{
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (!kinds || kinds[i])
			bits |= frame_kind_bit(i);
	return bits;
}

static bool overlaps(const struct archive_iter *it, uint64_t first,
		     uint64_t last)
{
	return first <= last && first < it->to_ns && last >= it->from_ns;
}

static bool is_hit(const struct archive_iter *it, const struct frame *f)
{
	return f->type == FRAME_BLOCK && f->events &&
	       f->kinds & it->kind_bits &&
	       overlaps(it, f->first_ns, f->last_ns);
}

static bool may_hit(const struct archive_iter *it, size_t i)
{
	const struct summary *s = &it->a->summary[i];

	return s->open || overlaps(it, s->first_ns, s->last_ns);
}

static bool is_wanted(const struct archive_iter *it, const struct weir_hdr *h)
{
	return h->ts >= it->from_ns && h->ts < it->to_ns &&
	       (it->all_kinds ||
		(h->kind < SCHEMA_KINDS_MAX && it->kinds[h->kind]));
}

/* Kept for its state, though not asked for. */
static bool is_context(const struct archive_iter *it, const struct weir_hdr *h)
{
	return !it->bare && h->kind < SCHEMA_KINDS_MAX &&
	       it->a->context[h->kind];
}

/* ---- rows -------------------------------------------------------------- */

static void end_rows(struct archive_iter *it)
{
	if (it->at != it->block.rows.len || it->count != it->rows->events)
		it->damaged++;
	it->rows = NULL;
}

/* Return: 1 with the next event; 0 the frame has no more. */
static int next_row(struct archive_iter *it, struct event *ret)
{
	bool is_state = it->rows->type == FRAME_STATE, wanted;
	struct weir_hdr *h;

	while ((h = block_next(&it->block, &it->at))) {
		it->count++;
		wanted = !is_state && is_wanted(it, h);
		if (!wanted && !is_state && !is_context(it, h))
			continue;
		if (event_init(ret, it->a->schema, h, h->len)) {
			it->damaged++;
			continue;
		}
		if (!wanted)
			h->flags |= WEIR_F_CONTEXT;
		return 1;
	}
	end_rows(it);
	return 0;
}

/* ---- frames ------------------------------------------------------------ */

static int take_clock(struct archive_iter *it)
{
	struct segment_clock c;
	int err = segment_get_clock(&it->payload, &c);

	if (!err)
		it->wall_offset = (int64_t)(c.realtime - c.monotonic);
	return err;
}

/* Return: 0; -EBADMSG the frame is damaged; other errors. */
static int open_frame(struct archive_iter *it, const struct frame *f)
{
	int err = segment_read(&it->reader, f, &it->payload);

	if (err)
		return err;
	if (f->type == FRAME_CLOCK)
		return take_clock(it);
	err = block_decode(it->codec, f, &it->payload, &it->block);
	if (err)
		return err;
	it->rows = f;
	it->at = 0;
	it->count = 0;
	return 0;
}

/*
 * STATE at the head of a segment is taken when there is a hole before it, or
 * nothing; one after the first BLOCK always: it stands there for a hole.
 */
static bool is_needed(const struct archive_iter *it, const struct frame *f)
{
	switch (f->type) {
	case FRAME_CLOCK:
		return true;
	case FRAME_STATE:
		return !it->bare && (it->state_due || !it->at_head);
	case FRAME_BLOCK:
		return is_hit(it, f) ||
		       (!it->bare && f->kinds & it->a->context_kinds);
	default:
		return false;
	}
}

/* Frames up to the last that has something wanted. */
static size_t count_needed(const struct archive_iter *it)
{
	size_t n = it->frames.count;

	while (n && !is_hit(it, &it->frames.frame[n - 1]))
		n--;
	return n;
}

/* The newest write may have been cut off without leaving a short file. */
static bool is_torn(const struct segment_frames *s, size_t i)
{
	return !s->sealed && i + 1 == s->count;
}

static int next_frame(struct archive_iter *it)
{
	size_t i = it->frame++;
	const struct frame *f = &it->frames.frame[i];
	int rc;

	if (it->at_head && f->type == FRAME_BLOCK) {
		it->at_head = false;
		it->state_due = false;
	}
	if (!is_needed(it, f))
		return 0;
	rc = open_frame(it, f);
	if (rc != -EBADMSG)
		return rc;
	if (!is_torn(&it->frames, i)) {
		it->damaged++;
		it->state_due = true;
	}
	return 0;
}

/* ---- segments ---------------------------------------------------------- */

static void close_segment(struct archive_iter *it)
{
	if (!it->in_segment)
		return;
	segment_frames_done(&it->frames);
	segment_done(&it->reader);
	it->in_segment = false;
	it->rows = NULL;
}

static void begin_segment(struct archive_iter *it)
{
	it->in_segment = true;
	it->damaged += it->frames.damaged;
	it->state_due |= it->frames.damaged != 0;
	it->at_head = true;
	it->frame = 0;
	it->frame_end = it->last_of_run ? count_needed(it) : it->frames.count;
}

static int open_segment(struct archive_iter *it)
{
	size_t i = it->segment++;
	int rc = archive_list_segment(&it->a->list, i, &it->reader);

	if (rc == -ENOENT) {
		it->state_due = true;
		return 0;
	}
	if (rc)
		return rc;
	it->last_of_run = it->segment == it->run_end;
	rc = segment_frames(&it->reader, &it->frames);
	if (rc)
		segment_done(&it->reader);
	else
		begin_segment(it);
	return rc;
}

/* ---- runs -------------------------------------------------------------- */

/* The next run of a recorder, as far as it may have what is wanted. */
static void open_run(struct archive_iter *it)
{
	const struct archive_list *l = &it->a->list;
	size_t first = it->next_run, end = first + 1;

	while (end < l->count && archive_list_same_run(l, end))
		end++;
	it->next_run = end;
	while (first < end && !may_hit(it, first))
		first++;
	while (first < end && !may_hit(it, end - 1))
		end--;
	it->segment = first;
	it->run_end = end;
	it->state_due = true;
}

/* Is a segment of the run missing before the next one? */
static void check_numbers(struct archive_iter *it)
{
	const struct archive_file *f = &it->a->list.file[it->segment];

	if (it->segment && archive_list_same_run(&it->a->list, it->segment) &&
	    f->head.number != f[-1].head.number + 1)
		it->state_due = true;
}

/* One step towards the next row. Return: 0; 1 there is nothing more; -errno */
static int advance(struct archive_iter *it)
{
	if (it->in_segment) {
		if (it->frame < it->frame_end)
			return next_frame(it);
		close_segment(it);
	}
	if (it->segment < it->run_end) {
		check_numbers(it);
		return open_segment(it);
	}
	if (it->next_run >= it->a->list.count)
		return 1;
	open_run(it);
	return 0;
}

/* -------------------------------------------------------------------------- */

int archive_iter_open(struct archive_iter **ret, struct archive *a,
		      const struct archive_range *range)
{
	struct archive_iter *it = calloc(1, sizeof(*it));
	int err;

	if (!it)
		return -ENOMEM;
	it->a = a;
	it->from_ns = range->from_ns;
	it->to_ns = range->to_ns ? range->to_ns : UINT64_MAX;
	it->all_kinds = !range->kinds;
	if (range->kinds)
		memcpy(it->kinds, range->kinds, sizeof(it->kinds));
	it->kind_bits = kind_bits(range->kinds);
	it->bare = range->bare;
	it->wall_offset = a->wall_offset;
	err = block_codec_new(&it->codec);
	if (!err)
		err = block_codec_schema(it->codec, a->schema);
	if (err) {
		block_codec_free(it->codec);
		free(it);
		return err;
	}
	*ret = it;
	return 0;
}

int archive_iter_next(struct archive_iter *it, struct event *ret)
{
	int rc;

	for (;;) {
		if (it->rows && next_row(it, ret))
			return 1;
		rc = advance(it);
		if (rc < 0)
			return rc;
		if (rc)
			return it->damaged ? -EBADMSG : 0;
	}
}

int64_t archive_iter_wall_offset(const struct archive_iter *it)
{
	return it->wall_offset;
}

#define POSITION_ROW_BITS   20
#define POSITION_FRAME_BITS 22

uint64_t archive_iter_position(const struct archive_iter *it)
{
	return ((uint64_t)it->segment << POSITION_FRAME_BITS | it->frame)
		       << POSITION_ROW_BITS |
	       it->count;
}

void archive_iter_close(struct archive_iter *it)
{
	if (!it)
		return;
	close_segment(it);
	block_codec_free(it->codec);
	block_done(&it->block);
	buf_done(&it->payload);
	free(it);
}

int archive_each(struct archive *a, const struct archive_range *range,
		 int (*fn)(void *arg, struct event *ev), void *arg)
{
	struct archive_iter *it;
	struct event ev;
	int rc, stop = 0;

	rc = archive_iter_open(&it, a, range);
	if (rc)
		return rc;
	while (!stop && (rc = archive_iter_next(it, &ev)) > 0) {
		a->wall_offset = it->wall_offset;
		stop = fn(arg, &ev);
	}
	archive_iter_close(it);
	return stop ? stop : rc;
}
