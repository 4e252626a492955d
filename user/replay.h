/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - archive to sink: the same selection, task table, filter and sinks
 * as live. Thread: the caller's.
 *
 * A pass knows afterwards what its answer lacks: the losses of the interval
 * that was asked for, from the gap events in the stream. Those of a source
 * that was not asked for leave the answer whole; but those of the source task
 * concern every answer, since names and parents come from it.
 */
#ifndef WEIR_REPLAY_H
#define WEIR_REPLAY_H

#include "archive.h"
#include "filter.h"
#include "select.h"
#include "sink.h"

struct replay_options {
	struct select_options select; /* near_ns is set by replay_open() */
	const char *from, *to;	      /* as typed: units.h; NULL: open */
	bool utc;		      /* times are shown in UTC */
	unsigned jobs;		      /* threads; 0: as many as pay */
	uint64_t limit; /* only the first so many events; 0: all */
};

struct replay_error {
	char what[512];	  /* one line; "" when archive_open() failed */
	const char *path; /* archive that could not be opened */
	struct filter_error filter; /* filter.what set: the filter is it */
};

struct replay {
	struct archive *archive;
	struct archive_info info;
	struct tasks *tasks;
	struct render render;
	struct select select;
	uint64_t from_ns, to_ns; /* of the first boot, half-open; 0: open */
	unsigned jobs;		 /* as asked for, for passes over columns */
	uint64_t limit;		 /* a pass ends after so many; 0: never */
	/*
	 * Called in a pass before a boot's tasks are forgotten, and what is
	 * known of them with it; not for the last one. May be NULL.
	 */
	int (*leave_boot)(void *arg);
	void *leave_arg;
	/* of the last pass */
	uint64_t events;  /* selected, gaps not among them */
	uint64_t missing; /* lost in the interval, and of concern */
	uint64_t gaps;	  /* records that say so */
	uint64_t others;  /* lost in the interval by other sources */
	uint64_t shed;	  /* not recorded in the interval, by the budget */
	uint64_t counted; /* of the events those that the limit is about */
	uint64_t over_ns; /* the limit was reached: the interval's end; 0 */
	bool refused;	  /* it ended with an error of @fn's own */
	/* internal */
	const char *filter; /* as typed: borrowed, or NULL */
	struct bound gap_of, gap_count, gap_first, gap_last;
	struct bound shed_of, shed_count, shed_first, shed_last;
};

/**
 * replay_open - open archives and compile the selection
 * @opts: its filter is borrowed for the life of @r
 * @r: need not be zeroed
 *
 * Times are read relative to the end of the archives; one before the boot is
 * the boot.
 * Return: 0; -EINVAL with @err; errors of archive_open() with err->path;
 * -ENOMEM. On failure nothing is to be closed.
 */
int replay_open(struct replay *r, char *const *paths, unsigned count,
		const struct replay_options *opts, struct replay_error *err);

/**
 * replay_each - hand each selected event to @fn, joined, until it returns
 * non-zero
 *
 * The event, and the task it points to, are valid inside @fn alone. Losses are
 * reported up to 5 s after they happened: so much longer it reads.
 *
 * A gap is handed over when its span touches the interval, even where it was
 * learned of after its end; where the instants of one are not known it may have
 * been any time before. A limit ends the interval with the last event of it.
 * Of several boots, render is that of the last one's tasks and of the first
 * one's clock afterwards.
 * Return: as archive_each().
 */
int replay_each(struct replay *r, int (*fn)(void *arg, const struct event *ev),
		void *arg);

/**
 * replay_losses - what an answer of these kinds lacks, without making it
 * @kinds:  [SCHEMA_KINDS_MAX] that were asked for
 * @to_ns:  UINT64_MAX: open
 *
 * Fills missing, gaps, others and shed as a pass over them would; reads only
 * blocks that tell of losses. Return: as replay_each().
 */
int replay_losses(struct replay *r, const bool *kinds, uint64_t from_ns,
		  uint64_t to_ns);

/**
 * replay_sink - the same into a sink, which is ticked, also after a failure;
 * not closed
 * Return: as replay_each(); errors of the sink end the pass.
 */
int replay_sink(struct replay *r, struct sink *sink);

/** replay_close - release everything; @r may be zeroed. */
void replay_close(struct replay *r);

#endif
