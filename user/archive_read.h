/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_read.h - an open archive, as archive_open.c fills it and
 * archive_read.c walks it. Not for others: they have archive.h.
 */
#ifndef WEIR_ARCHIVE_READ_H
#define WEIR_ARCHIVE_READ_H

#include "archive.h"
#include "archive_dialect.h"
#include "archive_list.h"
#include "block.h"

/* What opening learns of a segment; its frames are listed anew for a pass. */
struct summary {
	uint64_t first_ns, last_ns; /* of its events; first > last: none */
	bool open;		    /* not sealed: it may grow */
	uint16_t boot;		    /* of boots; the times are of its clock */
	uint16_t dialect;	    /* of dialects, or DIALECT_NONE */
};

#define DIALECT_NONE UINT16_MAX /* its frame is damaged: while opening only */

/*
 * Thread: passes are of one thread each; several may run at once as long as
 * nothing is followed. They read all of it, and write info.gone (atomic),
 * info.damaged, wall_offset and boot, which are of archive_each().
 */
struct archive {
	struct archive_list list;
	struct summary *summary; /* one for each file of the list */
	struct dialects dialects;
	struct boots boots;
	struct buf meta; /* pairs: the first value of each name counts */
	struct archive_info info;
	struct account_row *rows; /* of all runs together */
	size_t row_count, row_cap;
	struct account_map row_map;
	int64_t wall_offset; /* realtime - monotonic, ns: the last known */
	unsigned boot;	     /* of the event at hand */
	struct archive_follow *follow; /* borrowed, or NULL */
	struct block_codec *codec;     /* for SCHEMA and LOSS; and scratch: */
	struct buf payload;
};

/**
 * archive_more - learn of segments that were begun since
 *
 * They count to the boot and the dialect of the last one, and their events not
 * to archive_info. Return: how many; -ENOMEM; -errno as archive_list_open().
 */
int archive_more(struct archive *a);

/**
 * archive_told_end - does the last LOSS of these frames say that the recorder
 * ended in order?
 * Return: 1; 0 no, or it is damaged; -ENOMEM, -errno of pread(2).
 */
int archive_told_end(struct archive *a, struct segment_reader *r,
		     const struct segment_frames *s);

#endif
