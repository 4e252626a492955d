// SPDX-License-Identifier: BSD-2-Clause
#include "archive_read.h"

#include <errno.h>
#include <string.h>

/* One call of archive_each(). */
struct pass {
	struct archive *a;
	uint64_t from_ns, to_ns; /* half-open */
	const bool *kinds;	 /* or NULL */
	uint64_t kind_bits;
	int (*fn)(void *arg, struct event *ev);
	void *arg;
	uint64_t damaged;
	bool state_due; /* the task table lacks something: take a STATE */
	int stop;	/* what @fn returned, when not 0 */
};

/* ---- what is wanted
 * ------------------------------------------------------------ */

static uint64_t kind_bits(const bool *kinds)
{
	uint64_t bits = 0;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (!kinds || kinds[i])
			bits |= frame_kind_bit(i);
	return bits;
}

static bool overlaps(const struct pass *p, uint64_t first, uint64_t last)
{
	return first <= last && first < p->to_ns && last >= p->from_ns;
}

static bool is_hit(const struct pass *p, const struct frame *f)
{
	return f->type == FRAME_BLOCK && f->events && f->kinds & p->kind_bits &&
	       overlaps(p, f->first_ns, f->last_ns);
}

static bool may_hit(const struct pass *p, size_t i)
{
	const struct summary *s = &p->a->summary[i];

	return s->open || overlaps(p, s->first_ns, s->last_ns);
}

static bool is_wanted(const struct pass *p, const struct weir_hdr *h)
{
	return h->ts >= p->from_ns && h->ts < p->to_ns &&
	       (!p->kinds || p->kinds[h->kind]);
}

/* ---- one frame
 * ----------------------------------------------------------------- */

/* Return: 0; 1 stop. */
static int hand_over(struct pass *p, struct weir_hdr *h, bool is_state)
{
	struct event ev;

	if (event_init(&ev, p->a->schema, h, h->len)) {
		p->damaged++;
		return 0;
	}
	if (is_state || !is_wanted(p, h)) {
		if (!is_state && !p->a->context[h->kind])
			return 0;
		h->flags |= WEIR_F_CONTEXT;
	}
	p->stop = p->fn(p->arg, &ev);
	return p->stop != 0;
}

static int hand_over_rows(struct pass *p, const struct frame *f)
{
	struct block *b = &p->a->block;
	struct weir_hdr *h;
	uint32_t count = 0;
	size_t at = 0;

	while ((h = block_next(b, &at))) {
		if (hand_over(p, h, f->type == FRAME_STATE))
			return 1;
		count++;
	}
	if (at != b->rows.len || count != f->events)
		p->damaged++;
	return 0;
}

/* Return: 0; -EBADMSG the frame is damaged; 1 stop; other errors. */
static int pass_frame(struct pass *p, struct segment_reader *r,
		      const struct frame *f)
{
	struct archive *a = p->a;
	int err;

	err = segment_read(r, f, &a->payload);
	if (err)
		return err;
	if (f->type == FRAME_CLOCK)
		return archive_take_clock(a);
	err = block_decode(a->codec, f, &a->payload, &a->block);
	return err ? err : hand_over_rows(p, f);
}

/* ---- one segment
 * ---------------------------------------------------------------- */

/*
 * STATE at the head of a segment is taken when there is a hole before it, or
 * nothing; one after the first BLOCK always: it stands there for a hole.
 */
static bool is_needed(const struct pass *p, const struct frame *f, bool at_head)
{
	switch (f->type) {
	case FRAME_CLOCK:
		return true;
	case FRAME_STATE:
		return p->state_due || !at_head;
	case FRAME_BLOCK:
		return is_hit(p, f) || f->kinds & p->a->context_kinds;
	default:
		return false;
	}
}

/* Frames up to the last that has something wanted. */
static size_t count_needed(const struct pass *p, const struct segment_frames *s)
{
	size_t n = s->count;

	while (n && !is_hit(p, &s->frame[n - 1]))
		n--;
	return n;
}

/* The newest write may have been cut off without leaving a short file. */
static bool is_torn(const struct segment_frames *s, size_t i)
{
	return !s->sealed && i + 1 == s->count;
}

static int pass_frames(struct pass *p, struct segment_reader *r,
		       const struct segment_frames *s, size_t count)
{
	bool at_head = true;
	size_t i;
	int rc;

	for (i = 0; i < count; i++) {
		const struct frame *f = &s->frame[i];

		if (at_head && f->type == FRAME_BLOCK) {
			at_head = false;
			p->state_due = false;
		}
		if (!is_needed(p, f, at_head))
			continue;
		rc = pass_frame(p, r, f);
		if (rc == -EBADMSG && !is_torn(s, i)) {
			p->damaged++;
			p->state_due = true;
		} else if (rc && rc != -EBADMSG) {
			return rc;
		}
	}
	return 0;
}

static int pass_segment(struct pass *p, size_t i, bool last_of_run)
{
	struct segment_frames s;
	struct segment_reader r;
	int rc;

	rc = archive_list_segment(&p->a->list, i, &r);
	if (rc == -ENOENT) {
		p->state_due = true;
		return 0;
	}
	if (rc)
		return rc;
	rc = segment_frames(&r, &s);
	if (!rc) {
		p->damaged += s.damaged;
		p->state_due |= s.damaged != 0;
		rc = pass_frames(p, &r, &s,
				 last_of_run ? count_needed(p, &s) : s.count);
		segment_frames_done(&s);
	}
	segment_done(&r);
	return rc;
}

/* ---- all of them
 * ------------------------------------------------------------------ */

/* Segments [first, end) are one run's. */
static int pass_run(struct pass *p, size_t first, size_t end)
{
	const struct archive_file *file = p->a->list.file;
	size_t i;
	int rc = 0;

	while (first < end && !may_hit(p, first))
		first++;
	while (first < end && !may_hit(p, end - 1))
		end--;
	p->state_due = true;
	for (i = first; i < end && !rc; i++) {
		if (i > first &&
		    file[i].head.number != file[i - 1].head.number + 1)
			p->state_due = true;
		rc = pass_segment(p, i, i + 1 == end);
	}
	return rc;
}

int archive_each(struct archive *a, const struct archive_range *range,
		 int (*fn)(void *arg, struct event *ev), void *arg)
{
	struct pass p = {
		.a = a,
		.from_ns = range->from_ns,
		.to_ns = range->to_ns ? range->to_ns : UINT64_MAX,
		.kinds = range->kinds,
		.kind_bits = kind_bits(range->kinds),
		.fn = fn,
		.arg = arg,
	};
	size_t first = 0, end;
	int rc = 0;

	while (first < a->list.count && !rc) {
		end = first + 1;
		while (end < a->list.count &&
		       archive_list_same_run(&a->list, end))
			end++;
		rc = pass_run(&p, first, end);
		first = end;
	}
	if (rc)
		return p.stop ? p.stop : rc;
	return p.damaged ? -EBADMSG : 0;
}
