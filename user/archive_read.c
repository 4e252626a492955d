// SPDX-License-Identifier: BSD-2-Clause
#include "archive_walk.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Where a pass is: a row of a frame. */
struct archive_iter {
	struct archive_walk walk;
	const struct schema *schema;	/* of what is handed over */
	const struct dialect *dialect;	/* that the codec has learnt */
	bool decoded[SCHEMA_KINDS_MAX]; /* in blocks that overlap the range */
	struct block_codec *codec;
	struct block block;
	const struct frame *rows; /* frame being handed over, or NULL */
	size_t at;		  /* in its rows */
	uint32_t place;		  /* of the last event, in the whole frame */
	uint32_t count;		  /* rows walked, of those decoded */
};

/* ---- rows -------------------------------------------------------------- */

static bool is_wanted(const struct archive_walk *w, const struct weir_hdr *h)
{
	return h->ts >= w->from_ns && h->ts < w->to_ns &&
	       (w->all_kinds ||
		(h->kind < SCHEMA_KINDS_MAX && w->kinds[h->kind]));
}

/* Kept for its state, though not asked for. */
static bool is_context(const struct archive_walk *w, const struct weir_hdr *h)
{
	return !w->bare && h->kind < SCHEMA_KINDS_MAX &&
	       w->dialect->context[h->kind];
}

static void end_rows(struct archive_iter *it)
{
	if (it->at != it->block.rows.len || it->count != it->block.events)
		it->walk.damaged++;
	it->rows = NULL;
}

/* Return: 1 with the next event; 0 the frame has no more. */
static int next_row(struct archive_iter *it, struct event *ret)
{
	bool is_state = it->rows->type == FRAME_STATE, wanted;
	struct weir_hdr *h;

	while ((h = block_next(&it->block, &it->at))) {
		it->count++;
		wanted = !is_state && is_wanted(&it->walk, h);
		if (!wanted && !is_state && !is_context(&it->walk, h))
			continue;
		if (h->kind < SCHEMA_KINDS_MAX)
			h->kind = it->dialect->number[h->kind];
		if (event_init(ret, it->schema, h, h->len)) {
			it->walk.damaged++;
			continue;
		}
		if (!wanted)
			h->flags |= WEIR_F_CONTEXT;
		it->place = block_place(&it->block, it->count - 1);
		return 1;
	}
	end_rows(it);
	return 0;
}

/* -------------------------------------------------------------------------- */

/* Return: 0; -ENOMEM. */
static int learn_dialect(struct archive_iter *it)
{
	const struct archive_walk *w = &it->walk;
	unsigned i;

	it->dialect = w->dialect;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		it->decoded[i] = w->kinds[i] ||
				 (!w->bare && w->dialect->context[i]);
	return block_codec_schema(it->codec, w->dialect->schema);
}

int archive_iter_open(struct archive_iter **ret, struct archive *a,
		      const struct archive_range *range)
{
	struct archive_iter *it = calloc(1, sizeof(*it));
	int err;

	if (!it)
		return -ENOMEM;
	archive_walk_init(&it->walk, a, range);
	it->schema = archive_schema(a);
	err = block_codec_new(&it->codec);
	if (err) {
		archive_iter_close(it);
		return err;
	}
	*ret = it;
	return 0;
}

/* Only blocks that overlap the range have more than context to give. */
static const bool *kinds_of(const struct archive_iter *it,
			    const struct frame *f)
{
	const struct archive_walk *w = &it->walk;

	if (f->type == FRAME_STATE)
		return NULL;
	if (!archive_walk_is_hit(w, f))
		return w->dialect->context;
	return w->all_kinds ? NULL : it->decoded;
}

/* Return: 1 there is a frame of rows, or a damaged one; 0 the end; -errno. */
static int next_frame(struct archive_iter *it)
{
	const struct frame *f;
	int rc = archive_walk_next(&it->walk, &f);

	if (rc <= 0)
		return rc;
	if (it->dialect != it->walk.dialect && learn_dialect(it))
		return -ENOMEM;
	rc = block_decode_kinds(it->codec, f, &it->walk.payload,
				kinds_of(it, f), &it->block);
	if (rc == -EBADMSG)
		archive_walk_refuse(&it->walk, archive_walk_is_torn(&it->walk));
	if (rc)
		return rc == -EBADMSG ? 1 : rc;
	it->rows = f;
	it->at = 0;
	it->count = 0;
	return 1;
}

int archive_iter_next(struct archive_iter *it, struct event *ret)
{
	int rc;

	for (;;) {
		if (it->rows && next_row(it, ret))
			return 1;
		rc = next_frame(it);
		if (rc < 0)
			return rc;
		if (!rc)
			return it->walk.damaged ? -EBADMSG : 0;
	}
}

int64_t archive_iter_wall_offset(const struct archive_iter *it)
{
	return it->walk.wall_offset;
}

unsigned archive_iter_boot(const struct archive_iter *it)
{
	return it->walk.boot;
}

#define POSITION_ROW_BITS 20

uint64_t archive_iter_frame(const struct archive_iter *it)
{
	return archive_walk_frame(&it->walk);
}

uint64_t archive_iter_position(const struct archive_iter *it)
{
	return archive_walk_frame(&it->walk) << POSITION_ROW_BITS | it->place;
}

void archive_iter_close(struct archive_iter *it)
{
	if (!it)
		return;
	archive_walk_done(&it->walk);
	block_codec_free(it->codec);
	block_done(&it->block);
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
		a->wall_offset = it->walk.wall_offset;
		a->boot = it->walk.boot;
		stop = fn(arg, &ev);
	}
	if (it->walk.damaged > a->info.damaged)
		a->info.damaged = (uint32_t)it->walk.damaged;
	archive_iter_close(it);
	return stop ? stop : rc;
}
