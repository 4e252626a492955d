/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregator_input.h - one mini-buffer as the aggregator sees it: records
 * collected up to a known position, sorted by time, and freed once passed on.
 *
 * Belongs to the aggregator's thread; for aggregator.c only.
 */
#ifndef WEIR_AGGREGATOR_INPUT_H
#define WEIR_AGGREGATOR_INPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../ring/ring.h"
#include "kring.h"
#include "resume.h"
#include "source.h"

/* A record that has been seen and not yet passed on. */
struct pending {
	uint64_t ts;  /* monotonic ns */
	uint64_t pos; /* ring position, or offset into the stash */
};

/* Ring positions. */
struct places {
	uint64_t *pos;
	size_t count, cap;
};

/*
 * For a kernel ring positions are bytes as of kring.h; a user-space ring's
 * records are copied out at once, and freed there.
 */
struct input {
	struct kring kernel;
	struct ring_consumer *user; /* instead of a kernel ring */
	uint8_t *stash;		    /* copies of its records */
	size_t stash_len;
	unsigned source;
	bool keep;	 /* must not lose anything */
	bool stalled;	 /* a record has been busy for too long */
	uint64_t walked; /* everything below is collected */
	uint64_t target; /* producer position read at target_t0 */
	uint64_t target_t0;
	uint64_t seen;		 /* no record from before it is to come */
	struct pending *pending; /* [first, count) sorted by ts */
	size_t first, count, cap;
	uint64_t malformed; /* records that are no events, left out */
	/* Of one that is to be gone on with, resume.h: */
	bool holds;	     /* is freed up to @free_to only */
	uint64_t free_to;    /* in the archive */
	struct places above; /* passed on, though something below is not */
	struct places skip;  /* by who was here before, in order */
	size_t skipped;
	size_t noted; /* so many of @pending are in @above as they should be */
	uint64_t blind_to; /* below it @above has not all; 0 */
};

/** input_open - a kernel ring. Return: 0; -ENOMEM; -errno of mmap(2). */
int input_open(struct input **ret, const struct source_ring *ring);

/** input_open_user - a user-space ring, borrowed. Return: 0; -ENOMEM. */
int input_open_user(struct input **ret, struct ring_consumer *c,
		    unsigned source);

/**
 * input_collect - collect what is there
 * @t0:     the clock, read before any ring's position
 * @passed: time of the last event passed on: where a user-space producer's
 *          late stamp is moved up to
 *
 * Of a kernel ring up to the position read when all below the one before was
 * collected; of a user-space one as many as fit its stash (64 KiB). Where there
 * is no memory for more, the rest stays in the ring as if it were being
 * written. Return: true when @in has just become stalled.
 */
bool input_collect(struct input *in, uint64_t t0, uint64_t passed);

/** input_is_busy - Return: is a record still being written? */
static inline bool input_is_busy(const struct input *in)
{
	return !in->user && in->walked != in->target;
}

/** input_has_before - Return: is there an event older than @watermark? */
static inline bool input_has_before(const struct input *in, uint64_t watermark)
{
	return in->first < in->count && in->pending[in->first].ts < watermark;
}

/** input_ts - time of the first event, monotonic ns; there must be one. */
static inline uint64_t input_ts(const struct input *in)
{
	return in->pending[in->first].ts;
}

/** input_take - pass the first event; there must be one. Return: it, in the
 * ring or the stash, valid until input_release(). */
const void *input_take(struct input *in);

/**
 * input_resume - before the first collect: what of it was passed on already
 *
 * The ring is walked from its head: no position is believed.
 * Return: 0; -EBADMSG that cannot be, or the ring has gone on; -ENOMEM.
 */
int input_resume(struct input *in, const struct resume_ring *at);

/**
 * input_mark - where it is now, between two events
 * Return: true with the position below which all has been passed on, and
 * that and what is above appended to @to; false: it is not known for now.
 */
bool input_mark(struct input *in, struct buf *to, uint64_t *ret_pos);

/** input_is_held - Return: does it keep an eighth of itself that was passed on
 * since @pos? */
static inline bool input_is_held(const struct input *in, uint64_t pos)
{
	return in->walked - pos > in->kernel.bytes / 8;
}

/** input_release - free what no event that is left needs, where it holds not
 * beyond @free_to. Between two rounds of taking. */
void input_release(struct input *in);

/** input_is_urgent - Return: is a kernel ring that must not lose half full? Of
 * others false. */
bool input_is_urgent(const struct input *in);

/** input_free - unmap the ring, free. NULL-safe, also of one half opened. */
void input_free(struct input *in);

#endif
