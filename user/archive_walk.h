/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_walk.h - which frames a pass over an archive needs, in order. Not
 * for others: rows (archive_read.c) and blocks of columns (archive_blocks.c)
 * stand on it.
 */
#ifndef WEIR_ARCHIVE_WALK_H
#define WEIR_ARCHIVE_WALK_H

#include "archive_read.h"

/* A frame of a segment of a run of a recorder. Thread: one. */
struct archive_walk {
	struct archive *a;	      /* borrowed */
	struct archive_range range;   /* as asked for, but to_ns is not 0 */
	bool asked[SCHEMA_KINDS_MAX]; /* its kinds */
	/* of the boot at hand */
	unsigned boot;
	uint64_t from_ns, to_ns; /* half-open */
	/* of the dialect at hand: kinds by its numbers */
	const struct dialect *dialect;
	bool all_kinds, kinds[SCHEMA_KINDS_MAX];
	uint64_t kind_bits;
	bool bare;	  /* no state, no context */
	uint64_t damaged; /* parts left out so far */
	uint64_t gone;	  /* archive_info.gone, by this pass */
	uint64_t read;	  /* bytes passed; for who asks, who clears it */
	int64_t wall_offset;
	struct buf payload; /* of the frame at hand */
	size_t segment;	    /* behind the one at hand */
	size_t frame;	    /* behind the one at hand, in its segment */
	bool state_due;	    /* the task table lacks something: take a STATE */
	size_t next_run;    /* segments that belong to no run yet */
	size_t run_end;	    /* of the run at hand */
	bool in_segment;    /* reader and frames are open */
	bool last_of_run;
	struct segment_reader reader;
	struct segment_frames frames;
	size_t frame_end; /* of these so many are needed */
	bool at_head;	  /* no BLOCK of the segment has come yet */
	struct archive_follow *follow; /* borrowed, or NULL */
};

/** archive_walk_init - begin a pass; @range is copied but for .kinds, which is
 * used for the call. To be released with archive_walk_done(). */
void archive_walk_init(struct archive_walk *w, struct archive *a,
		       const struct archive_range *range);

/** archive_walk_done - close what is open; zeroed: no-op. */
void archive_walk_done(struct archive_walk *w);

/**
 * archive_walk_next - read the next BLOCK or STATE that the pass needs
 * @ret: its header, valid until the next call; its bytes are in w->payload
 *
 * Takes clocks on the way (w->wall_offset). Frames whose checksum is wrong are
 * left out, and counted.
 * Return: 1; 0 at the end; -ENOMEM, -EPROTONOSUPPORT, -errno of pread(2): the
 * pass has failed.
 */
int archive_walk_next(struct archive_walk *w, const struct frame **ret);

/** archive_walk_leave - be done with the segment at hand, if there is one. */
void archive_walk_leave(struct archive_walk *w);

/**
 * archive_follow_next - find what was written since; archive_walk_next() asks
 * when it has walked all
 * Return: 0 there is more; -ENOENT the end, see follow->end; -errno.
 */
int archive_follow_next(struct archive_walk *w);

/** archive_walk_is_torn - may the frame at hand be a write that was cut off?
 * The last one of a segment that is not sealed may. */
bool archive_walk_is_torn(const struct archive_walk *w);

/**
 * archive_walk_refuse - a frame does not decode: it is damaged
 * @torn: what archive_walk_is_torn() said of it
 */
void archive_walk_refuse(struct archive_walk *w, bool torn);

/** archive_walk_frame - which frame is at hand: ascending in a pass, and the
 * same in all of them. The upper ARCHIVE_ROW_BITS are free, see
 * archive_position(). */
uint64_t archive_walk_frame(const struct archive_walk *w);

/** archive_walk_is_hit - may a frame have what is asked for? By its header: a
 * BLOCK that overlaps the range and has one of the kinds, or seems to. */
bool archive_walk_is_hit(const struct archive_walk *w, const struct frame *f);

#endif
