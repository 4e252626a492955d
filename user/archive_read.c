// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "archive_batch.h"
#include "progress.h"

/* Where a pass is: a row of a frame. */
struct archive_iter {
	const struct schema *schema; /* of what is handed over */
	bool bare, all_kinds;
	bool asked[SCHEMA_KINDS_MAX];
	struct archive_decoder decoder;
	struct archive_ahead *ahead; /* whose the decoder is then; or NULL */
	struct archive_batch own;    /* without it */
	struct archive_batch *batch; /* being handed over, or the last */
	bool rows;		     /* it has some left */
	size_t at;		     /* in its rows */
	uint32_t place;		     /* of the last event, in the whole frame */
	uint32_t count;		     /* rows walked, of those decoded */
	uint64_t damaged;	     /* records that are none */
};

/* ---- rows -------------------------------------------------------------- */

static bool is_wanted(const struct archive_iter *it, const struct weir_hdr *h)
{
	const struct archive_batch *b = it->batch;

	return h->ts >= b->from_ns && h->ts < b->to_ns &&
	       (it->all_kinds || (h->kind < SCHEMA_KINDS_MAX &&
				  it->asked[b->dialect->number[h->kind]]));
}

/* Kept for its state, though not asked for. */
static bool is_context(const struct archive_iter *it, const struct weir_hdr *h)
{
	return !it->bare && h->kind < SCHEMA_KINDS_MAX &&
	       it->batch->dialect->context[h->kind];
}

static void end_rows(struct archive_iter *it)
{
	const struct block *b = &it->batch->block;

	if (it->at != b->rows.len || it->count != b->events)
		it->damaged++;
	it->rows = false;
}

/* Return: 1 with the next event; 0 the frame has no more. */
static int next_row(struct archive_iter *it, struct event *ret)
{
	const struct archive_batch *b = it->batch;
	bool wanted;
	struct weir_hdr *h;

	while ((h = block_next(&b->block, &it->at))) {
		it->count++;
		wanted = !b->state && is_wanted(it, h);
		if (!wanted && !b->state && !is_context(it, h))
			continue;
		if (h->kind < SCHEMA_KINDS_MAX)
			h->kind = b->dialect->number[h->kind];
		if (event_init(ret, it->schema, h, h->len)) {
			it->damaged++;
			continue;
		}
		if (!wanted)
			h->flags |= WEIR_F_CONTEXT;
		it->place = block_place(&b->block, it->count - 1);
		return 1;
	}
	end_rows(it);
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
	it->schema = archive_schema(a);
	it->batch = &it->own;
	it->bare = range->bare;
	it->all_kinds = !range->kinds;
	if (range->kinds)
		memcpy(it->asked, range->kinds, sizeof(it->asked));
	err = archive_decoder_init(&it->decoder, a, range);
	it->own.wall_offset = it->decoder.walk.wall_offset;
	if (err) {
		archive_iter_close(it);
		return err;
	}
	if (range->ahead && !a->follow && /* without it, it is only slower */
	    archive_ahead_start(&it->ahead, &it->decoder, range->ahead))
		it->ahead = NULL;
	*ret = it;
	return 0;
}

/* Return: 1 there is a frame of rows; 0 the end; -errno. */
static int next_frame(struct archive_iter *it)
{
	if (it->ahead)
		it->batch = archive_ahead_next(it->ahead);
	else
		archive_decoder_next(&it->decoder, it->batch);
	progress_add(it->batch->read);
	it->batch->read = 0;
	it->rows = it->batch->rc == 1;
	it->at = 0;
	it->count = 0;
	return it->batch->rc;
}

static uint64_t damaged(const struct archive_iter *it)
{
	return it->damaged + it->batch->damaged;
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
			return damaged(it) ? -EBADMSG : 0;
	}
}

int64_t archive_iter_wall_offset(const struct archive_iter *it)
{
	return it->batch->wall_offset;
}

unsigned archive_iter_boot(const struct archive_iter *it)
{
	return it->batch->boot;
}

uint64_t archive_iter_frame(const struct archive_iter *it)
{
	return it->batch->frame;
}

uint64_t archive_iter_position(const struct archive_iter *it)
{
	return archive_position(it->batch->frame, it->place);
}

void archive_iter_close(struct archive_iter *it)
{
	if (!it)
		return;
	archive_ahead_stop(it->ahead);
	archive_decoder_done(&it->decoder);
	block_done(&it->own.block);
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
		a->wall_offset = it->batch->wall_offset;
		a->boot = it->batch->boot;
		stop = fn(arg, &ev);
	}
	if (damaged(it) > a->info.damaged)
		a->info.damaged = (uint32_t)damaged(it);
	archive_iter_close(it);
	return stop ? stop : rc;
}
