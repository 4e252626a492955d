// SPDX-License-Identifier: BSD-2-Clause
#include "archive_walk.h"

#include <errno.h>
#include <string.h>

/* ---- what is wanted ---------------------------------------------------- */

/* Kinds, by the numbers that the segments to come have for them. */
static void use_dialect(struct archive_walk *w, const struct dialect *d)
{
	unsigned i;

	if (w->dialect == d)
		return;
	w->dialect = d;
	w->kind_bits = 0;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		w->kinds[i] = w->asked[d->number[i]];
		if (w->kinds[i])
			w->kind_bits |= frame_kind_bit(i);
	}
}

static uint64_t less(uint64_t at, int64_t shift)
{
	int64_t ns;

	if (!at || at > INT64_MAX ||
	    __builtin_sub_overflow((int64_t)at, shift, &ns))
		return at;
	return ns > 0 ? (uint64_t)ns : 0;
}

/* The range, by the clock of the segments to come. */
static void use_boot(struct archive_walk *w, unsigned boot)
{
	int64_t shift = boots_shift(&w->a->boots, boot);

	w->from_ns = less(w->range.from_ns, shift);
	w->to_ns = less(w->range.to_ns, shift);
	if (w->a->boots.count > 1) /* until the first clock record */
		w->wall_offset = w->a->boots.list[boot].wall_offset;
	w->boot = boot;
}

static bool overlaps(const struct archive_walk *w, uint64_t first,
		     uint64_t last)
{
	return first <= last && first < w->to_ns && last >= w->from_ns;
}

bool archive_walk_is_hit(const struct archive_walk *w, const struct frame *f)
{
	return f->type == FRAME_BLOCK && f->events && f->kinds & w->kind_bits &&
	       overlaps(w, f->first_ns, f->last_ns);
}

static bool may_hit(const struct archive_walk *w, size_t i)
{
	const struct summary *s = &w->a->summary[i];

	return s->open || overlaps(w, s->first_ns, s->last_ns);
}

/* ---- frames ------------------------------------------------------------ */

static int take_clock(struct archive_walk *w)
{
	struct segment_clock c;
	int err = segment_get_clock(&w->payload, &c);

	if (!err)
		w->wall_offset = (int64_t)(c.realtime - c.monotonic);
	return err;
}

/* Return: 1; 0 it was a clock; -EBADMSG the frame is damaged; other errors. */
static int open_frame(struct archive_walk *w, const struct frame *f)
{
	int err = segment_read(&w->reader, f, &w->payload);

	if (err)
		return err;
	return f->type == FRAME_CLOCK ? take_clock(w) : 1;
}

/*
 * STATE at the head of a segment is taken when there is a hole before it, or
 * nothing; one after the first BLOCK always: it stands there for a hole.
 */
static bool is_needed(const struct archive_walk *w, const struct frame *f)
{
	switch (f->type) {
	case FRAME_CLOCK:
		return true;
	case FRAME_STATE:
		return !w->bare && (w->state_due || !w->at_head);
	case FRAME_BLOCK:
		return archive_walk_is_hit(w, f) ||
		       (!w->bare && f->kinds & w->dialect->context_kinds);
	default:
		return false;
	}
}

/* Frames up to the last that has something wanted. */
static size_t count_needed(const struct archive_walk *w)
{
	size_t n = w->frames.count;

	while (n && !archive_walk_is_hit(w, &w->frames.frame[n - 1]))
		n--;
	return n;
}

/* The newest write may have been cut off without leaving a short file. */
bool archive_walk_is_torn(const struct archive_walk *w)
{
	return !w->frames.sealed && w->frame == w->frames.count;
}

void archive_walk_refuse(struct archive_walk *w, bool torn)
{
	if (torn)
		return;
	w->damaged++;
	w->state_due = true;
}

/* Return: 1 with a frame that has rows; 0 go on; -errno. */
static int next_frame(struct archive_walk *w, const struct frame **ret)
{
	const struct frame *f = &w->frames.frame[w->frame++];
	int rc;

	w->read += frame_bytes(f);
	if (w->at_head && f->type == FRAME_BLOCK) {
		w->at_head = false;
		w->state_due = false;
	}
	if (!is_needed(w, f))
		return 0;
	*ret = f;
	rc = open_frame(w, f);
	if (rc != -EBADMSG)
		return rc;
	archive_walk_refuse(w, archive_walk_is_torn(w));
	return 0;
}

/* ---- segments ---------------------------------------------------------- */

void archive_walk_leave(struct archive_walk *w)
{
	if (!w->in_segment)
		return;
	segment_frames_done(&w->frames);
	segment_done(&w->reader);
	w->in_segment = false;
}

static void begin_segment(struct archive_walk *w)
{
	w->in_segment = true;
	w->damaged += w->frames.damaged;
	w->state_due |= w->frames.damaged != 0;
	w->at_head = true;
	w->frame = 0;
	w->frame_end = w->last_of_run && !w->follow ? count_needed(w)
						    : w->frames.count;
}

/* Retention was faster. What it may have had is missing from the answer. */
static void note_gone(struct archive_walk *w, size_t i)
{
	uint64_t *told = &w->a->info.gone;

	w->state_due = true;
	if (!may_hit(w, i))
		return;
	if (w->follow)
		w->follow->skipped++;
	else if (++w->gone > __atomic_load_n(told, __ATOMIC_RELAXED))
		__atomic_store_n(told, w->gone, __ATOMIC_RELAXED);
}

static int open_segment(struct archive_walk *w)
{
	size_t i = w->segment++;
	int rc = archive_list_segment(&w->a->list, i, &w->reader);

	use_dialect(w, w->a->dialects.list[w->a->summary[i].dialect]);
	if (rc == -ENOENT) {
		note_gone(w, i);
		return 0;
	}
	if (rc)
		return rc;
	w->last_of_run = w->segment == w->run_end;
	rc = segment_frames(&w->reader, &w->frames);
	if (rc)
		segment_done(&w->reader);
	else
		begin_segment(w);
	return rc;
}

/* ---- runs -------------------------------------------------------------- */

/* The next run of a recorder, as far as it may have what is wanted. */
static void open_run(struct archive_walk *w)
{
	const struct archive_list *l = &w->a->list;
	size_t first = w->next_run, end = first + 1;

	while (end < l->count && archive_list_same_run(l, end))
		end++;
	w->next_run = end;
	use_boot(w, w->a->summary[first].boot);
	while (first < end && !may_hit(w, first))
		first++;
	while (first < end && !may_hit(w, end - 1) && !w->follow)
		end--;
	w->segment = first;
	w->run_end = end;
	w->state_due = true;
}

/* Is a segment of the run missing before the next one? */
static void check_numbers(struct archive_walk *w)
{
	const struct archive_file *f = &w->a->list.file[w->segment];

	if (w->segment && archive_list_same_run(&w->a->list, w->segment) &&
	    f->head.number != f[-1].head.number + 1)
		w->state_due = true;
}

/* Return: 1 with a frame; 0 go on; -ENOENT there is nothing more; -errno. */
static int advance(struct archive_walk *w, const struct frame **ret)
{
	if (w->in_segment) {
		if (w->frame < w->frame_end)
			return next_frame(w, ret);
		if (w->follow && w->segment == w->a->list.count)
			return archive_follow_next(w);
		archive_walk_leave(w);
	}
	if (w->segment < w->run_end) {
		check_numbers(w);
		return open_segment(w);
	}
	if (w->next_run >= w->a->list.count)
		return w->follow ? archive_follow_next(w) : -ENOENT;
	open_run(w);
	return 0;
}

/* -------------------------------------------------------------------------- */

int archive_walk_next(struct archive_walk *w, const struct frame **ret)
{
	int rc;

	do {
		rc = advance(w, ret);
	} while (!rc);
	return rc == -ENOENT ? 0 : rc;
}

void archive_walk_init(struct archive_walk *w, struct archive *a,
		       const struct archive_range *range)
{
	unsigned i;

	memset(w, 0, sizeof(*w));
	w->a = a;
	w->range = *range;
	if (!range->to_ns)
		w->range.to_ns = UINT64_MAX;
	w->all_kinds = !range->kinds;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		w->asked[i] = w->all_kinds || range->kinds[i];
	w->bare = range->bare;
	w->follow = a->follow;
	w->wall_offset = a->wall_offset;
	use_boot(w, 0);
}

void archive_walk_done(struct archive_walk *w)
{
	archive_walk_leave(w);
	buf_done(&w->payload);
}

#define FRAME_BITS 22 /* of the number of a frame in its segment */

uint64_t archive_walk_frame(const struct archive_walk *w)
{
	return (uint64_t)w->segment << FRAME_BITS | w->frame;
}
