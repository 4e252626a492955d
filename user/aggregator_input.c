// SPDX-License-Identifier: BSD-2-Clause
#include "aggregator_input.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "aggregator.h"

/*
 * So many can be pending from the beginning on: of a user-space input all that
 * fit its stash. Of a kernel ring others, where there is no memory for them,
 * stay in the ring as if they were being written: the input stalls, what is
 * pending passes, and there is room again.
 */
#define STASH_BYTES    65536 /* of a user-space input */
#define PENDING_USER   (STASH_BYTES / sizeof(struct weir_hdr) + 1)
#define PENDING_KERNEL 1024

static int pending_init(struct input *in, size_t cap)
{
	in->pending = malloc(cap * sizeof(*in->pending));
	in->cap = in->pending ? cap : 0;
	return in->pending ? 0 : -ENOMEM;
}

static struct pending *pending_add(struct input *in)
{
	struct pending *p;

	if (in->count == in->cap) {
		p = realloc(in->pending, in->cap * 2 * sizeof(*p));
		if (!p)
			return NULL;
		in->pending = p;
		in->cap *= 2;
	}
	return &in->pending[in->count++];
}

static bool is_event(const struct weir_hdr *h, uint32_t len)
{
	return len >= sizeof(*h) && h->len >= sizeof(*h) && h->len <= len &&
	       h->kind < EV_MAX;
}

/* Was the record at the walk's place passed on by who was here before? */
static bool is_skipped(struct input *in)
{
	const struct places *s = &in->skip;

	while (in->skipped < s->count && s->pos[in->skipped] < in->walked)
		in->skipped++;
	return in->skipped < s->count && s->pos[in->skipped] == in->walked;
}

/* Collect records below the target. Return: true when all are. */
static bool walk_kernel(struct input *in)
{
	const struct weir_hdr *h;
	enum kring_state state;
	struct pending *p;
	uint64_t next;
	uint32_t len;

	while (in->walked < in->target) {
		state = kring_at(&in->kernel, in->walked, &len, &next);
		if (state == KRING_BUSY)
			return false;
		h = kring_data(&in->kernel, in->walked);
		if (is_skipped(in)) {
			in->walked = next;
			continue;
		}
		if (state == KRING_READY && is_event(h, len)) {
			p = pending_add(in);
			if (!p)
				return false;
			p->ts = h->ts;
			p->pos = in->walked;
		} else if (state == KRING_READY) {
			in->malformed++;
		}
		in->walked = next;
	}
	return true;
}

/* Copy a user-space producer's records out; what does not fit waits. */
static void walk_user(struct input *in, uint64_t passed)
{
	struct ring_record rec = {0};
	struct weir_hdr *h;
	struct pending *p;

	while (ring_peek(in->user, &rec) == RING_OK) {
		if (in->stash_len + rec.len > STASH_BYTES)
			return;
		h = (struct weir_hdr *)(in->stash + in->stash_len);
		memcpy(h, rec.data, rec.len);
		ring_next(in->user);
		if (!is_event(h, rec.len)) {
			in->malformed++;
			continue;
		}
		p = pending_add(in);
		if (h->ts < passed)
			h->ts = passed;
		p->ts = h->ts;
		p->pos = in->stash_len;
		in->stash_len += (rec.len + 7U) & ~7U;
	}
}

/* Rings are almost in order: each record moves a few places at most. */
static void sort_pending(struct input *in, size_t from)
{
	struct pending *v = in->pending, one;
	size_t i, j;

	for (i = from > in->first ? from : in->first + 1; i < in->count; i++) {
		one = v[i];
		for (j = i; j > in->first && v[j - 1].ts > one.ts; j--)
			v[j] = v[j - 1];
		v[j] = one;
	}
}

bool input_collect(struct input *in, uint64_t t0, uint64_t passed)
{
	size_t from = in->count;
	bool all = true;

	if (in->user) {
		walk_user(in, passed);
		in->target_t0 = t0;
	} else {
		if (in->walked == in->target) {
			in->target_t0 = t0;
			in->target = kring_tail(&in->kernel);
		}
		all = walk_kernel(in);
	}
	sort_pending(in, from);
	if (all) {
		in->seen = in->target_t0 - AGGREGATOR_MARGIN_NS;
		in->stalled = false;
	} else if (!in->stalled && t0 - in->target_t0 > AGGREGATOR_STALL_NS) {
		in->stalled = true;
		return true;
	}
	return false;
}

const void *input_take(struct input *in)
{
	const struct pending *p = &in->pending[in->first++];

	if (in->user)
		return in->stash + p->pos;
	return kring_data(&in->kernel, p->pos);
}

/* Everything below it has been passed on. */
static uint64_t lowest(const struct input *in)
{
	uint64_t pos = in->walked;
	size_t i;

	for (i = in->first; i < in->count; i++) {
		if (in->pending[i].pos < pos)
			pos = in->pending[i].pos;
	}
	return pos;
}

static bool places_add(struct places *p, uint64_t pos)
{
	uint64_t *grown;
	size_t cap;

	if (p->count == p->cap) {
		cap = p->cap ? p->cap * 2 : 64;
		grown = reallocarray(p->pos, cap, sizeof(*grown));
		if (!grown)
			return false;
		p->pos = grown;
		p->cap = cap;
	}
	p->pos[p->count++] = pos;
	return true;
}

/* Bring @above up to date: what was passed on since the last time comes in. */
static uint64_t note_above(struct input *in)
{
	uint64_t low = lowest(in), pos;
	size_t i, to = 0;

	for (i = 0; i < in->above.count; i++) {
		if (in->above.pos[i] > low)
			in->above.pos[to++] = in->above.pos[i];
	}
	in->above.count = to;
	for (i = in->noted; i < in->first; i++) {
		pos = in->pending[i].pos;
		if (pos > low && !places_add(&in->above, pos) &&
		    pos >= in->blind_to)
			in->blind_to = pos + 1;
	}
	in->noted = in->first;
	return low;
}

static void release_kernel(struct input *in)
{
	uint64_t pos = lowest(in);

	if (in->holds && in->free_to < pos)
		pos = in->free_to;
	if (pos != kring_head(&in->kernel))
		kring_release(&in->kernel, pos);
}

/* Move what is left to the front, then free what no record needs. */
void input_release(struct input *in)
{
	if (in->holds)
		note_above(in);
	in->noted = 0;
	in->count -= in->first;
	if (in->count && in->first)
		memmove(in->pending, in->pending + in->first,
			in->count * sizeof(*in->pending));
	in->first = 0;
	if (!in->user)
		release_kernel(in);
	else if (!in->count)
		in->stash_len = 0;
}

/* ---- going on where another one was ------------------------------------- */

static int by_position(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

bool input_mark(struct input *in, struct buf *to, uint64_t *ret_pos)
{
	struct resume_ring r = {.pos = note_above(in)};

	if (r.pos < in->blind_to)
		return false;
	if (in->above.count)
		qsort(in->above.pos, in->above.count, sizeof(*in->above.pos),
		      by_position);
	r.above = in->above.pos;
	r.count = (uint32_t)in->above.count;
	resume_put_ring(to, &r);
	*ret_pos = r.pos;
	return true;
}

/* Walk from the head. Return: true when a record begins at @pos, or will. */
static bool is_place(const struct kring *k, uint64_t *at, uint64_t pos)
{
	uint64_t tail = kring_tail(k);
	uint32_t len;

	while (*at < pos && *at < tail)
		if (kring_at(k, *at, &len, at) == KRING_BUSY)
			return false;
	return *at == pos;
}

int input_resume(struct input *in, const struct resume_ring *at)
{
	uint64_t walk = kring_head(&in->kernel);
	uint32_t i;

	if (!is_place(&in->kernel, &walk, at->pos))
		return -EBADMSG;
	for (i = 0; i < at->count; i++) {
		if (!is_place(&in->kernel, &walk, at->above[i]) ||
		    at->above[i] >= kring_tail(&in->kernel))
			return -EBADMSG;
		if (!places_add(&in->skip, at->above[i]) ||
		    !places_add(&in->above, at->above[i]))
			return -ENOMEM;
	}
	in->walked = in->target = in->free_to = at->pos;
	return 0;
}

bool input_is_urgent(const struct input *in)
{
	const struct kring *k = &in->kernel;

	return in->keep && !in->user &&
	       kring_tail(k) - kring_head(k) > k->bytes / 2;
}

int input_open(struct input **ret, const struct source_ring *ring)
{
	struct input *in = calloc(1, sizeof(*in));
	int err;

	if (!in)
		return -ENOMEM;
	err = kring_open(&in->kernel, &ring->at);
	if (!err)
		err = pending_init(in, PENDING_KERNEL);
	if (err) {
		input_free(in);
		return err;
	}
	in->source = ring->source;
	in->keep = ring->keep;
	in->walked = in->target = in->free_to = kring_head(&in->kernel);
	*ret = in;
	return 0;
}

int input_open_user(struct input **ret, struct ring_consumer *c,
		    unsigned source)
{
	struct input *in = calloc(1, sizeof(*in));

	if (!in)
		return -ENOMEM;
	in->stash = malloc(STASH_BYTES);
	if (!in->stash || pending_init(in, PENDING_USER)) {
		input_free(in);
		return -ENOMEM;
	}
	in->user = c;
	in->source = source;
	in->keep = true;
	*ret = in;
	return 0;
}

void input_free(struct input *in)
{
	if (!in)
		return;
	kring_done(&in->kernel);
	free(in->stash);
	free(in->above.pos);
	free(in->skip.pos);
	free(in->pending);
	free(in);
}
