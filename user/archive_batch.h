/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_batch.h - the rows of one frame after the other, decoded by whoever
 * asks for them or by a thread that is ahead. Not for others: archive_read.c
 * stands on it.
 */
#ifndef WEIR_ARCHIVE_BATCH_H
#define WEIR_ARCHIVE_BATCH_H

#include "archive_walk.h"

/* Rows, and what is to be known of where they are from. */
struct archive_batch {
	int rc; /* 1; 0 the end, and no rows; as archive_iter_next() */
	struct block block;	       /* owned: block_done() */
	bool state;		       /* they are of STATE: not events */
	const struct dialect *dialect; /* whose numbers its kinds have */
	uint64_t from_ns, to_ns;       /* the range, by their clock */
	int64_t wall_offset;
	unsigned boot;
	uint64_t frame;	  /* archive_walk_frame() */
	uint64_t damaged; /* parts left out up to there */
	uint64_t read;	  /* bytes passed, since the one before */
};

/* A pass that makes batches. Thread: one at a time. */
struct archive_decoder {
	struct archive_walk walk;
	const struct dialect *dialect;	/* that the codec has learnt */
	bool decoded[SCHEMA_KINDS_MAX]; /* in blocks that overlap the range */
	struct block_codec *codec;
};

/** archive_decoder_init - Return: 0; -ENOMEM. To be released in any case. */
int archive_decoder_init(struct archive_decoder *d, struct archive *a,
			 const struct archive_range *range);

/** archive_decoder_done - release it; batches it made stay. */
void archive_decoder_done(struct archive_decoder *d);

/** archive_decoder_next - the next batch, in place of what is in @b, zeroed at
 * first. Frames that are damaged are left out, and counted in it. */
void archive_decoder_next(struct archive_decoder *d, struct archive_batch *b);

/* ---- archive_ahead.c ----------------------------------------------------- */

struct archive_ahead;

/**
 * archive_ahead_start - have a thread make the batches
 * @d: borrowed; the thread's until archive_ahead_stop()
 * @n: how many it may be ahead
 * Return: 0; -ENOMEM, -EAGAIN there is none: make them yourself.
 */
int archive_ahead_start(struct archive_ahead **ret, struct archive_decoder *d,
			unsigned n);

/** archive_ahead_next - the next batch, valid until the next call. After the
 * last it is that again. */
struct archive_batch *archive_ahead_next(struct archive_ahead *a);

/** archive_ahead_stop - end the thread, also before the end; the batch handed
 * out last is gone. NULL-safe. */
void archive_ahead_stop(struct archive_ahead *a);

#endif
