// SPDX-License-Identifier: BSD-2-Clause
#include "archive_blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "archive_walk.h"

struct archive_blocks {
	struct archive_walk walk;
	struct columns *columns; /* that read */
	/* of frames that are rows */
	struct block_codec *codec;
	struct block block;
	struct columns *encoder;
	struct buf packed;
};

int archive_blocks_open(struct archive_blocks **ret, struct archive *a,
			const struct archive_range *range)
{
	struct archive_blocks *b = calloc(1, sizeof(*b));
	int err;

	if (!b)
		return -ENOMEM;
	archive_walk_init(&b->walk, a, range);
	err = columns_new(&b->columns, archive_schema(a));
	if (!err)
		err = block_codec_new(&b->codec);
	if (err)
		archive_blocks_close(b);
	else
		*ret = b;
	return err;
}

void archive_blocks_close(struct archive_blocks *b)
{
	if (!b)
		return;
	archive_walk_done(&b->walk);
	columns_free(b->columns);
	columns_free(b->encoder);
	block_codec_free(b->codec);
	block_done(&b->block);
	buf_done(&b->packed);
	free(b);
}

/* Whole records, and so many as the header says. */
static bool is_whole(const struct block *b)
{
	uint32_t count = 0;
	size_t at = 0;

	while (block_next(b, &at))
		count++;
	return at == b->rows.len && count == b->events;
}

static int open_rows(struct archive_blocks *b, const struct frame *f)
{
	int err = block_decode(b->codec, f, &b->walk.payload, &b->block);

	if (!err && !is_whole(&b->block))
		return -EOPNOTSUPP;
	if (!err && !b->encoder)
		err = columns_new(&b->encoder, archive_schema(b->walk.a));
	buf_reset(&b->packed);
	if (!err)
		err = columns_encode(b->encoder, &b->block.rows, true,
				     &b->packed);
	if (err)
		return err == -E2BIG ? -EOPNOTSUPP : err;
	return columns_open(b->columns, b->packed.data, b->packed.len);
}

static int open_columns(struct archive_blocks *b, const struct frame *f)
{
	int err;

	if (f->encoding != FRAME_COLUMNS)
		return open_rows(b, f);
	err = columns_open(b->columns, b->walk.payload.data,
			   b->walk.payload.len);
	if (!err && columns_rows(b->columns) != f->events)
		err = -EOPNOTSUPP;
	return err;
}

static void tell(const struct archive_blocks *b, const struct frame *f,
		 struct archive_block *ret)
{
	*ret = (struct archive_block){
		.columns = b->columns,
		.first_ns = f->first_ns,
		.last_ns = f->last_ns,
		.kinds = f->kinds,
		.events = f->events,
		.wall_offset = b->walk.wall_offset,
		.hit = archive_walk_is_hit(&b->walk, f),
		.state = f->type == FRAME_STATE,
		.rows = f->encoding != FRAME_COLUMNS,
	};
}

int archive_blocks_next(struct archive_blocks *b, struct archive_block *ret)
{
	const struct frame *f;
	int rc;

	for (;;) {
		rc = archive_walk_next(&b->walk, &f);
		if (rc < 0)
			return rc;
		if (!rc)
			return b->walk.damaged ? -EBADMSG : 0;
		if (!f->events)
			continue;
		rc = open_columns(b, f);
		if (!rc)
			break;
		if (rc != -EBADMSG)
			return rc;
		archive_walk_refuse(&b->walk);
	}
	tell(b, f, ret);
	return 1;
}

uint64_t archive_blocks_frame(const struct archive_blocks *b)
{
	return archive_walk_frame(&b->walk);
}
