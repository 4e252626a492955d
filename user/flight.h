/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * flight.h - the flight recorder: a window, and the snapshots of it.
 *
 * A sink of the repo. Anybody may ask for a snapshot, from any thread and
 * without waiting: each has a thread that writes it and was there before, and
 * one more copies for all of them. When its time is over the repo marks the
 * end: it waits until everything up to that instant has come through, tells all
 * losses up to there, and when these have come through as well, the snapshot
 * has all it needs.
 */
#ifndef WEIR_FLIGHT_H
#define WEIR_FLIGHT_H

#include <limits.h>

#include "sink.h"
#include "snapshot.h"
#include "trigger.h"
#include "window.h"

#define FLIGHT_SNAPSHOTS_MAX SNAPSHOTS_MAX /* at a time */
#define FLIGHT_RESULTS_MAX   64		   /* remembered */

struct flight;
struct repo;

struct flight_options {
	struct window_options window;
	char dir[PATH_MAX]; /* for snapshots; to be told of */
	int dir_fd;	    /* the same, borrowed: where they are written */
	const char *asked;  /* archive_options.asked; borrowed */
};

/**
 * flight_new - all that is borrowed must live as long
 *
 * Sets malloc's thresholds for the whole process (mallopt(3)).
 * Return: 0; errors of window_new(); -errno of eventfd(2).
 */
int flight_new(struct flight **ret, const struct flight_options *o,
	       const struct schema *schema, const struct tasks *tasks);

/** flight_sink - to be fed by the repo; stays the flight's, close does nothing.
 */
struct sink *flight_sink(struct flight *f);

/** flight_window - Return: its window; lives as long as it. */
const struct window *flight_window(const struct flight *f);

/**
 * flight_trigger - have @t take snapshots; before it is started
 * @t, @render: borrowed for the flight's life; @render is for the event that
 *              was the cause
 *
 * TRIGGERS_MAX of them at most, which is up to the caller.
 */
void flight_trigger(struct flight *f, struct trigger *t,
		    const struct render *render);

/** flight_trigger_at - Return: the @i-th, or NULL: there are not so many. */
const struct trigger *flight_trigger_at(const struct flight *f, unsigned i);

/** flight_bind - the repo whose log tells what triggers do. */
void flight_bind(struct flight *f, struct repo *r);

/** flight_start - start the threads, which run when it returns. Return: 0;
 * -ENOMEM; -errno of pthread_create(3); flight_free() then ends those there
 * are. */
int flight_start(struct flight *f);

/** flight_hurry - have the thread that copies run before others, which takes
 * CAP_SYS_NICE, and those that write and their archives' after others; best
 * effort, after start. */
void flight_hurry(struct flight *f);

/** flight_began - everything from @now_ns on, monotonic, is recorded: no
 * snapshot covers what was before. Thread: any. */
void flight_began(struct flight *f, uint64_t now_ns);

/* What is wanted; strings are copied, and cut where they are long. */
struct flight_ask {
	const char *path;  /* what to call it when it is told of; NULL */
	uint64_t after_ns; /* how long after now it ends */
	const char *why;   /* cut at SNAPSHOT_WHY_LEN */
	const char *event; /* that was the cause, its first line; NULL */
};

/**
 * flight_ask - take a snapshot
 *
 * Thread: any; never blocks. Return: 0, its number in @ret_number (may be
 * NULL); -EBUSY as many as can be are being taken; -ESHUTDOWN recording ends;
 * -ENAMETOOLONG @ask->path, SNAPSHOT_PATH_LEN.
 */
int flight_ask(struct flight *f, const struct flight_ask *ask,
	       uint64_t *ret_number);

/** flight_fd - readable when a snapshot has ended, until flight_seen(). Stays
 * the flight's. */
int flight_fd(const struct flight *f);

/** flight_seen - take note of it; before flight_ended(). Thread: who polls. */
void flight_seen(struct flight *f);

/**
 * flight_ended - what became of snapshots, one after the other
 * @cursor: how many of them the caller has seen; counted up. Results older
 *          than the last FLIGHT_RESULTS_MAX are skipped.
 *
 * Thread: any but the repo's. Return: is there one, in @ret?
 */
bool flight_ended(struct flight *f, uint64_t *cursor,
		  struct snapshot_result *ret);

/* Since it was made. */
struct flight_stats {
	struct window_stats window;
	uint64_t asked;	  /* numbers 1 to this were given */
	uint64_t refused; /* too many at a time */
	uint64_t ended, failed;
	unsigned active;
};

/** flight_stats - Thread: any. */
void flight_stats(const struct flight *f, struct flight_stats *ret);

/**
 * flight_look - have the triggers look at an event
 *
 * Asks for the snapshots of those that fire, and logs it. Thread: the repo's.
 * Return: has it made one fire?
 */
bool flight_look(struct flight *f, const struct event *ev);

/**
 * flight_tick - see to the ends of snapshots
 * @stream_ns: all events up to here have come through
 *
 * Thread: the repo's.
 */
void flight_tick(struct flight *f, struct repo *r, uint64_t stream_ns);

/** flight_told - gaps of all losses up to @ts have come. Thread: the repo's. */
void flight_told(struct flight *f, uint64_t ts);

/** flight_end - nothing more will come. Thread: the repo's, its last call. */
void flight_end(struct flight *f, uint64_t stream_ns);

/** flight_stop - wait for the snapshots being taken, which what they have is to
 * be enough for now, end the threads. */
void flight_stop(struct flight *f);

/** flight_free - stops it as well. NULL-safe. */
void flight_free(struct flight *f);

#endif
