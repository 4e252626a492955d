/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window.h - the last bytes or seconds of the stream, in memory.
 *
 * An overwrite-oldest ring (ring/) that the repo fills; nothing goes to disk.
 * So that any part of it decodes alone, the state of all tasks is written
 * into it now and then, as a keyframe: WINDOW_KEY, the records that
 * tasks_state() makes, WINDOW_KEY_END, nothing in between. What is kept
 * begins at a keyframe; what lies before the oldest whole one is of no use
 * and is the price: on average half the distance of two, which is an eighth
 * of the window or of its time.
 */
#ifndef WEIR_WINDOW_H
#define WEIR_WINDOW_H

#include "../ring/ring.h"
#include "event.h"
#include "tasks.h"

#define WINDOW_BYTES_MIN (4ULL << 20)
#define WINDOW_BYTES_MAX (1ULL << 30)
#define WINDOW_BYTES	 (256ULL << 20) /* when only a time is asked for */

/* What a record in the ring is: its type there. */
enum window_type {
	WINDOW_EVENT = 1, /* as it left the repo */
	WINDOW_KEY,	  /* struct window_key: a keyframe begins */
	WINDOW_STATE,	  /* one record of it, see tasks_state() */
	WINDOW_KEY_END,	  /* struct window_key: it is whole */
	WINDOW_TOLD,	  /* struct window_key: losses up to then were told */
};

struct window_key {
	uint64_t ts; /* monotonic ns: the state is that after this instant */
};

struct window_options {
	uint64_t bytes; /* WINDOW_BYTES_MIN.._MAX; rounded up to a power of two
			 */
	uint64_t ns;	/* how far back it is to reach at most; 0: any */
};

struct window;

/**
 * window_new - @tasks is borrowed for its life
 *
 * All memory is reserved now and used as it fills.
 * Return: 0; -EINVAL more or fewer bytes than there can be; -ENOMEM.
 */
int window_new(struct window **ret, const struct window_options *o,
	       const struct tasks *tasks);

/** window_free - nobody may be copying. NULL-safe. */
void window_free(struct window *w);

/**
 * window_put - take an event; tasks are as of after it
 *
 * Never refuses. A keyframe that is due follows it; the first event has one
 * before it. A record longer than an eighth of the window is left out. Thread:
 * the repo's, as of window_tick().
 */
void window_put(struct window *w, const struct event *ev);

/** window_told - gaps of all losses up to @ts are in it. Thread: the repo's. */
void window_told(struct window *w, uint64_t ts);

/** window_tick - bring up to date how far back it reaches; now and then. */
void window_tick(struct window *w);

/* Each exact in itself, not all of one instant. */
struct window_stats {
	uint64_t bytes, used; /* size; of it filled */
	uint64_t ns;	      /* as asked for, or 0 */
	uint64_t reach_ns;    /* from where it can be read to the last event */
	uint64_t first_ns;    /* from where: monotonic; 0: nothing to read */
	uint64_t events;      /* put so far */
	uint64_t keys;	      /* keyframes written so far */
	uint64_t key_bytes;   /* the last one's size */
	uint64_t key_ns;      /* and how long it took the repo */
};

/** window_stats - Thread: any. */
void window_stats(const struct window *w, struct window_stats *ret);

/** window_end - position behind the newest record. Thread: any. */
uint64_t window_end(const struct window *w);

/** window_base - position of the keyframe where it begins, as of the last
 * keyframe or window_tick(); 0: there is none. Thread: any. */
uint64_t window_base(const struct window *w);

/**
 * window_copy - from @from on at most @cap bytes, as ring_snapshot_from()
 *
 * Thread: any, any number at a time; the repo does not notice. Return: enum
 * ring_status, as there.
 */
int window_copy(const struct window *w, uint64_t from, void *buf, size_t cap,
		struct ring_snapshot_info *ret);

#endif
