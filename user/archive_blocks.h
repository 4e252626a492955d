/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_blocks.h - a pass over an archive block by block, as columns.
 *
 * The frames are those of archive_each() in the same order, and what is wrong
 * with them is told the same way; of a frame only what is asked for is
 * unpacked. Frames of rows are turned into columns first, which costs more
 * than reading the rows: a pass over many of them is better made by rows.
 *
 * A pass hands out bytes, one block after the other; what unpacks them is
 * apart, so that several threads can share one pass, each with an unpacker of
 * its own.
 */
#ifndef WEIR_ARCHIVE_BLOCKS_H
#define WEIR_ARCHIVE_BLOCKS_H

#include "archive.h"
#include "columns.h"

struct archive_blocks;

/* The bytes of a block, and what unpacks them. Thread: one. */
struct archive_unpacker;

struct archive_block {
	struct columns *columns;    /* after archive_block_open() */
	uint64_t first_ns, last_ns; /* monotonic, of its rows */
	uint64_t kinds;		    /* frame_kind_bit() of all that it has */
	uint32_t events;
	uint64_t frame;	     /* where it is, as archive_iter_frame() */
	int64_t wall_offset; /* realtime - monotonic, ns */
	bool hit;	     /* it may have what is asked for; else context */
	bool state;	     /* its rows are state, not events */
	bool rows;	     /* it was not kept as columns */
	bool torn;	     /* the last write, which may have been cut off */
};

/**
 * archive_blocks_open - begin a pass
 * @a:     of one schema, and one boot; borrowed
 * @range: as of archive_each(); a row need not be in it, only its block
 * Return: 0; -ENOMEM.
 */
int archive_blocks_open(struct archive_blocks **ret, struct archive *a,
			const struct archive_range *range);

/** archive_blocks_close - the archive's info tells of damage. NULL-safe. */
void archive_blocks_close(struct archive_blocks *b);

/**
 * archive_blocks_next - read the next block
 * @u: gets its bytes; what it had before is gone
 *
 * Blocks without events are passed over. Thread: one at a time. Return: 1 with
 * @ret; 0 at the end; -ENOMEM, -EPROTONOSUPPORT, -errno of pread(2): the pass
 * has failed.
 */
int archive_blocks_next(struct archive_blocks *b, struct archive_unpacker *u,
			struct archive_block *ret);

/**
 * archive_blocks_refuse - a block did not unpack: it is damaged
 *
 * Before the next one is read, unless the range is bare. Thread: as above.
 */
void archive_blocks_refuse(struct archive_blocks *b,
			   const struct archive_block *block);

/** archive_blocks_damaged - were parts left out so far? Thread: as above. */
bool archive_blocks_damaged(const struct archive_blocks *b);

/** archive_unpacker_new - @a is borrowed. Return: 0; -ENOMEM. */
int archive_unpacker_new(struct archive_unpacker **ret,
			 const struct archive *a);
/** archive_unpacker_free - and the columns of its block. NULL-safe. */
void archive_unpacker_free(struct archive_unpacker *u);

/**
 * archive_block_open - unpack what archive_blocks_next() read into @u
 * @block: its, which gets .columns; valid until the next one is read
 *
 * Thread: the one that has @u, beside the pass.
 * Return: 0; -EBADMSG: tell archive_blocks_refuse(); -EOPNOTSUPP it has no
 * columns, or another number of rows than its header says: make the pass by
 * rows; -EPROTONOSUPPORT a newer weir's; -ENOMEM.
 */
int archive_block_open(struct archive_unpacker *u, struct archive_block *block);

#endif
