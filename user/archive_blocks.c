// SPDX-License-Identifier: BSD-2-Clause
#include "archive_blocks.h"

#include <errno.h>
#include <stdlib.h>

#include "archive_walk.h"
#include "progress.h"

struct archive_blocks {
	struct archive_walk walk;
};

struct archive_unpacker {
	const struct archive *archive;
	struct frame frame;
	struct buf payload;
	struct columns *columns; /* that read */
	/* of frames that are rows */
	struct block_codec *codec;
	struct block block;
	struct columns *encoder;
	struct buf packed;
};

/* ---- the pass ------------------------------------------------------------ */

int archive_blocks_open(struct archive_blocks **ret, struct archive *a,
			const struct archive_range *range)
{
	struct archive_blocks *b = calloc(1, sizeof(*b));

	if (!b)
		return -ENOMEM;
	archive_walk_init(&b->walk, a, range);
	*ret = b;
	return 0;
}

void archive_blocks_close(struct archive_blocks *b)
{
	if (!b)
		return;
	if (b->walk.damaged > b->walk.a->info.damaged)
		b->walk.a->info.damaged = (uint32_t)b->walk.damaged;
	archive_walk_done(&b->walk);
	free(b);
}

static void tell(const struct archive_blocks *b, const struct frame *f,
		 struct archive_block *ret)
{
	*ret = (struct archive_block){
		.first_ns = f->first_ns,
		.last_ns = f->last_ns,
		.kinds = f->kinds,
		.events = f->events,
		.frame = archive_walk_frame(&b->walk),
		.wall_offset = b->walk.wall_offset,
		.hit = archive_walk_is_hit(&b->walk, f),
		.state = f->type == FRAME_STATE,
		.rows = f->encoding != FRAME_COLUMNS,
		.torn = archive_walk_is_torn(&b->walk),
	};
}

int archive_blocks_next(struct archive_blocks *b, struct archive_unpacker *u,
			struct archive_block *ret)
{
	const struct frame *f;
	struct buf bytes;
	int rc;

	do {
		rc = archive_walk_next(&b->walk, &f);
	} while (rc == 1 && !f->events);
	progress_add(b->walk.read);
	b->walk.read = 0;
	if (rc != 1)
		return rc;
	bytes = u->payload;
	u->payload = b->walk.payload;
	b->walk.payload = bytes;
	u->frame = *f;
	tell(b, f, ret);
	return 1;
}

void archive_blocks_refuse(struct archive_blocks *b,
			   const struct archive_block *block)
{
	archive_walk_refuse(&b->walk, block->torn);
}

bool archive_blocks_damaged(const struct archive_blocks *b)
{
	return b->walk.damaged != 0;
}

/* ---- a block ------------------------------------------------------------- */

int archive_unpacker_new(struct archive_unpacker **ret, const struct archive *a)
{
	struct archive_unpacker *u = calloc(1, sizeof(*u));
	int err;

	if (!u)
		return -ENOMEM;
	u->archive = a;
	err = columns_new(&u->columns, archive_schema(a));
	if (!err)
		err = block_codec_new(&u->codec);
	if (err)
		archive_unpacker_free(u);
	else
		*ret = u;
	return err;
}

void archive_unpacker_free(struct archive_unpacker *u)
{
	if (!u)
		return;
	columns_free(u->columns);
	columns_free(u->encoder);
	block_codec_free(u->codec);
	block_done(&u->block);
	buf_done(&u->packed);
	buf_done(&u->payload);
	free(u);
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

static int open_rows(struct archive_unpacker *u)
{
	int err = block_decode(u->codec, &u->frame, &u->payload, &u->block);

	if (!err && !is_whole(&u->block))
		return -EOPNOTSUPP;
	if (!err && !u->encoder)
		err = columns_new(&u->encoder, archive_schema(u->archive));
	buf_reset(&u->packed);
	if (!err)
		err = columns_encode(u->encoder, &u->block.rows, true,
				     &u->packed);
	if (err)
		return err == -E2BIG ? -EOPNOTSUPP : err;
	return columns_open(u->columns, u->packed.data, u->packed.len);
}

int archive_block_open(struct archive_unpacker *u, struct archive_block *block)
{
	int err;

	block->columns = u->columns;
	if (u->frame.encoding != FRAME_COLUMNS)
		return open_rows(u);
	err = columns_open(u->columns, u->payload.data, u->payload.len);
	if (!err && columns_rows(u->columns) != u->frame.events)
		err = -EOPNOTSUPP;
	return err;
}
