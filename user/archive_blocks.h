/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_blocks.h - a pass over an archive block by block, as columns.
 *
 * The frames are those of archive_each() in the same order, and what is wrong
 * with them is told the same way; of a frame only what is asked for is
 * unpacked. Frames of rows are turned into columns first, which costs more
 * than reading the rows: a pass over many of them is better made by rows.
 */
#ifndef WEIR_ARCHIVE_BLOCKS_H
#define WEIR_ARCHIVE_BLOCKS_H

#include "archive.h"
#include "columns.h"

struct archive_blocks;

struct archive_block {
	struct columns *columns;    /* opened */
	uint64_t first_ns, last_ns; /* monotonic, of its rows */
	uint64_t kinds;		    /* frame_kind_bit() of all that it has */
	uint32_t events;
	int64_t wall_offset; /* realtime - monotonic, ns */
	bool hit;	     /* it may have what is asked for; else context */
	bool state;	     /* its rows are state, not events */
	bool rows;	     /* it was not kept as columns */
};

/**
 * archive_blocks_open - begin a pass
 * @a:     of one schema, and one boot; borrowed
 * @range: as of archive_each(); a row need not be in it, only its block
 * Return: 0; -ENOMEM.
 */
int archive_blocks_open(struct archive_blocks **ret, struct archive *a,
			const struct archive_range *range);

/**
 * archive_blocks_next - the next block, valid until the next call
 *
 * Return: 1 with @ret; 0 at the end; -EBADMSG at the end, too, but some parts
 * were damaged and left out; -EOPNOTSUPP a block that has no columns: make the
 * pass by rows; -ENOMEM, -errno of read(2): the pass has failed.
 */
int archive_blocks_next(struct archive_blocks *b, struct archive_block *ret);

/** archive_blocks_frame - of the last block, or of the one that was none: as
 * archive_iter_frame(). */
uint64_t archive_blocks_frame(const struct archive_blocks *b);

void archive_blocks_close(struct archive_blocks *b); /* NULL-safe */

#endif
