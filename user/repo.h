/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repo.h - the central task repo: the one consumer of the main ring.
 *
 * It knows every task, joins each event to its task as of that event, asks
 * the selection, and hands the event to the sinks. It is a source as well:
 * what it measures, what it has to say and every loss it learns of go into a
 * mini-buffer of its own (repo_report.c) and come back in the one order.
 */
#ifndef WEIR_REPO_H
#define WEIR_REPO_H

#include "../ring/ring.h"
#include "aggregator.h"
#include "archive.h"
#include "budget.h"
#include "flight.h"
#include "select.h"
#include "sink.h"
#include "source.h"

#define REPO_SINKS_MAX 4
#define REPO_TICK_NS   100000000ULL /* sinks are ticked so often, or more */

struct repo;

struct repo_options {
	const struct schema *schema;
	struct sources *sources;
	struct aggregator *aggregator;
	struct ring_consumer *main; /* its thread is the consumer */
	struct ring_producer *own;  /* and the producer of this one */
	int notify_fd;		    /* eventfd, readable when main has events */
	const struct select *select;
	struct tasks *tasks;
	struct budget_limit budget; /* zeroed: none */
	bool marks; /* what the archive has is told to the aggregator */
	const struct resume *resume; /* where it goes on; or NULL */
	uint64_t stall_ns;	     /* test switch: sleep once it began */
};

/** repo_new - everything in @o is borrowed until repo_free(). Return: 0;
 * -ENOMEM. */
int repo_new(struct repo **ret, const struct repo_options *o);

/** repo_add_sink - before start; the repo closes it. Return: 0; -ENOSPC more
 * than REPO_SINKS_MAX: it is still the caller's. */
int repo_add_sink(struct repo *r, struct sink *s);

/** repo_watch_archive - count and report what @w loses; before start. */
void repo_watch_archive(struct repo *r, struct archive_writer *w);

/** repo_watch_flight - see to @f, a sink as well; before start. */
void repo_watch_flight(struct repo *r, struct flight *f);

/**
 * repo_lost - the archive could not keep this event
 *
 * A gap is told again once the archive can keep it. Thread: the repo's.
 */
void repo_lost(struct repo *r, const struct weir_hdr *h);

/** repo_start - Return: 0; -ENOMEM; -errno of pthread_create(3). Not to be
 * tried again. */
int repo_start(struct repo *r);

/** repo_began - the sources are attached: a stall that was asked for begins.
 * After repo_start(). Thread: who called that. */
void repo_began(struct repo *r);

/**
 * repo_last_words - have the repo report every loss and measure once more
 *
 * Blocks until that is in its mini-buffer. Call when no source makes events
 * any more and before the aggregator stops.
 */
void repo_last_words(struct repo *r);

/** repo_stop - take what is left in the main ring, tick the sinks, end the
 * thread. The aggregator must have stopped. */
void repo_stop(struct repo *r);

/* Since start, each exact in itself. */
struct repo_stats {
	uint64_t events, bytes; /* taken from the main ring */
	uint64_t lost;		/* by gap events so far */
	uint64_t malformed;	/* records that did not fit their kind */
	uint64_t bpf_ppm;	/* programs' cost, millionths of one CPU */
	uint64_t tasks;
	uint64_t retired;   /* segments of the archive removed: --keep */
	uint64_t ticks;	    /* rounds of its thread */
	int64_t sink_error; /* first -errno of a sink, 0 none */
	uint64_t stream_ns; /* all events up to here have come through */
	uint64_t archive_bytes, archive_segments, archive_events;
	int64_t archive_error; /* of the last write, 0 none */
	/* of the budget: what recording costs of one CPU, and writes a second
	 */
	uint64_t cost_ppm, written_bps;
	uint64_t shed_log2[SOURCES_MAX]; /* one in 2^n is recorded */
};

/** repo_cpu_ns - of its thread; 0 while there is none. Thread: who starts and
 * stops it. */
uint64_t repo_cpu_ns(const struct repo *r);

/** repo_stats - Thread: any, until repo_free(). */
void repo_stats(const struct repo *r, struct repo_stats *ret);

/** repo_close_sinks - after stop, the last added first. Return: 0; first
 * -errno. */
int repo_close_sinks(struct repo *r);

/** repo_free - after stop; closes sinks that are left, whose errors nobody
 * gets. NULL-safe. */
void repo_free(struct repo *r);

#endif
