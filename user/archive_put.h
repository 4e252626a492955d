/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_put.h - the segments of an archive being written: which frames they
 * are made of, when they are given up, what gives way for them.
 *
 * A frame that finds no room makes the oldest segments go, where that is
 * allowed (archive_options.keep_bytes, keep_ns), and is tried again. Thread:
 * one, the writer's; a thread of its own brings what was put to disk.
 */
#ifndef WEIR_ARCHIVE_PUT_H
#define WEIR_ARCHIVE_PUT_H

#include "archive.h"
#include "archive_dir.h"
#include "archive_retain.h"
#include "archive_sync.h"
#include "block.h"
#include "losses.h"
#include "segment.h"

/* The fields are for archive_put.c and archive_thread.c alone. */
struct archive_put {
	char *path; /* owned; for a directory that was removed */
	struct archive_dir dir;
	struct archive_sync *sync;
	struct archive_retain retain;
	struct segment *segment; /* NULL: none could be begun */
	struct segment_head head;
	struct block_codec *codec;
	struct losses losses;	 /* what is not in the account put next */
	struct buf frame, rows;	 /* of the frame, and of an account, put last */
	struct buf meta, schema; /* the same in all segments */
	bool is_full;		 /* RLIMIT_FSIZE: another segment is needed */
	struct archive_stats stats;
	uint64_t ended_bytes; /* of segments done with */
	int64_t wall_offset;  /* realtime - monotonic, ns, as put last */
};

/**
 * archive_put_open - make or enter the directory, start what syncs
 * @schema: used for the call and by @p->losses, so borrowed for its life
 *
 * Return: 0; as archive_create(). archive_put_done() in any case.
 */
int archive_put_open(struct archive_put *p, const struct schema *schema,
		     const struct archive_options *o);

/**
 * archive_put_done - the segment being written stays as it is
 * Return: 0; -errno of bringing to disk what was put, not yet told.
 */
int archive_put_done(struct archive_put *p);

/* An account, to be corrected by @p->losses. */
struct archive_account {
	const struct buf *rows;	 /* struct account_row each */
	const struct buf *known; /* losses_sums() of who made it */
	bool blind;		 /* there is none: all losses are added */
};

/**
 * archive_put_segment - seal the segment there is, begin another
 *
 * Where the directory was removed a new one is made, if that is allowed.
 * Return: 0, also where the old one could not be sealed (stats.error); -errno
 * of archive_dir_create(), segment_create(), segment_put(): then there is none.
 */
int archive_put_segment(struct archive_put *p, const struct archive_account *a);

/** archive_put_seal - end the archive, with a segment there: its last account
 * says that all is settled (LOSS_END). Return: as archive_put_block(). */
int archive_put_seal(struct archive_put *p, const struct archive_account *a);

/**
 * archive_put_block - a BLOCK or STATE frame
 * @packed: by segment_frame() and block_encode(); its error is returned
 *
 * Return: 0; -errno of segment_put(), or of packing it; -EIO there is no
 * segment, and no reason known: it is not there. Then see
 * archive_put_is_over().
 */
int archive_put_block(struct archive_put *p, struct frame *f,
		      struct buf *packed);

/**
 * archive_put_resume - a RESUME frame for the block that is put next
 * @data: archive_mark.data
 *
 * Return: as archive_put_block().
 */
int archive_put_resume(struct archive_put *p, const struct archive_account *a,
		       const struct buf *data, const struct block *b);

/** archive_put_clock - what the clocks say now. Return: as archive_put_block().
 */
int archive_put_clock(struct archive_put *p);

/** archive_put_note - META, now and in segments to come; @pairs by
 * segment_put_meta(). Return: as archive_put_block(). */
int archive_put_note(struct archive_put *p, const struct buf *pairs);

/** archive_put_account - a LOSS frame, and with it how much room is kept for
 * the one that seals. @flags: LOSS_*. Return: as archive_put_block(). */
int archive_put_account(struct archive_put *p, const struct archive_account *a,
			uint32_t flags);

/** archive_put_is_over - Return: only another segment can be written to. */
bool archive_put_is_over(const struct archive_put *p);

/** archive_put_give_up - nothing was recorded: remove the first segment. Only
 * archive_put_done() may follow. */
void archive_put_give_up(struct archive_put *p);

#endif
