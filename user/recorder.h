/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recorder.h - the whole chain, assembled: sources, aggregator, main ring,
 * repo, sinks.
 *
 * Threads: the caller's (control), the aggregator's, the repo's. Sinks run in
 * the repo's thread. Only two calls need privileges.
 */
#ifndef WEIR_RECORDER_H
#define WEIR_RECORDER_H

#include "archive.h"
#include "archive_resume.h"
#include "budget.h"
#include "filter.h"
#include "flight.h"
#include "sink.h"
#include "source.h"

/* All that is pointed to is borrowed until recorder_free(). */
struct recorder_options {
	struct sources_options sources;
	const char *const *kinds; /* -e: only these; none: all */
	size_t kind_count;
	const char *filter;  /* -f, or NULL */
	uint64_t main_bytes; /* main ring, up to a power of two, 64 KiB to 1
			      * GiB; 0: 4 MiB */
	struct budget_limit budget; /* zeroed: weir may cost what it does */
	/* sources.pin: what is recorded can be gone on with, see resume.h;
	 * there must be an archive, its options as recorder_archive() says. */
};

struct recorder_error {
	char what[512];		    /* one line: cause and remedy */
	struct filter_error filter; /* filter.what set: the filter is it */
};

struct recorder;

/**
 * recorder_open - check the options, make the schema, compile the filter
 *
 * Touches no kernel state, needs no privileges.
 * Return: 0; -EINVAL with @err; -ENOMEM.
 */
int recorder_open(struct recorder **ret, const struct recorder_options *opts,
		  struct recorder_error *err);

/* What it is made of, as long as it lives; from recorder_open() on. */
const struct schema *recorder_schema(const struct recorder *r);
const struct sources *recorder_sources(const struct recorder *r);
struct render *recorder_render(struct recorder *r); /* for sinks */
const struct tasks *recorder_tasks(const struct recorder *r);
const struct select *recorder_select(const struct recorder *r);

/** recorder_add_sink - before start; the recorder closes it. REPO_SINKS_MAX of
 * them, that of recorder_flight() included: one too many is ignored. */
void recorder_add_sink(struct recorder *r, struct sink *sink);

/** recorder_archive - make @opts serve this recorder, which then must outlive
 * the archive's writer; after recorder_resume(). */
void recorder_archive(struct recorder *r, struct archive_options *opts);

/** recorder_watch_archive - count and report what @w loses (before start); @w
 * is borrowed, a sink closes it. */
void recorder_watch_archive(struct recorder *r, struct archive_writer *w);

/**
 * recorder_trigger - take a snapshot when @text says so; before
 * recorder_flight()
 *
 * What it needs to see is made in the kernel even where -e and -f do not want
 * it. Return: 0; -EINVAL with @err: of its text, or it can never fire;
 * -ENOSPC more than TRIGGERS_MAX; -ENOMEM.
 */
int recorder_trigger(struct recorder *r, const char *text,
		     struct recorder_error *err);

/** recorder_trigger_at - Return: the @i-th, or NULL: there are not so many. */
const struct trigger *recorder_trigger_at(const struct recorder *r, unsigned i);

/**
 * recorder_flight - keep a window and take snapshots of it (before start)
 * Return: 0; errors of flight_new(). recorder_flight_of() then returns it.
 */
int recorder_flight(struct recorder *r, const struct flight_options *o);

/** recorder_flight_of - Return: the flight recorder, or NULL: there is none. */
struct flight *recorder_flight_of(const struct recorder *r);

/**
 * recorder_resume - before load: go on where another recorder was killed
 * @from: of the archive; NULL: it had nothing in it yet
 * @dir:  the archive; both are used for the call
 *
 * Return: 0; -EBADMSG, -EXDEV, -EPROTONOSUPPORT the archive's end is none that
 * could be gone on from; recorder_load() may find that, too; -ENOMEM; -errno.
 */
int recorder_resume(struct recorder *r, const struct archive_resume *from,
		    int dir);

/** recorder_pin - as sources_pin(), after attach. Thread: who has the rights.
 */
int recorder_pin(struct recorder *r, const void *meta, size_t len);

/*
 * Three steps from there to events, for they need different rights. One source
 * that fails is no error: see sources_info().
 * Return: 0; -errno with @err when nothing can be recorded.
 */

/** recorder_load - load the programs, make the rings: needs privileges. */
int recorder_load(struct recorder *r, struct recorder_error *err);

/** recorder_start - start the threads, which have the caller's rights. */
int recorder_start(struct recorder *r, struct recorder_error *err);

/** recorder_attach - attach, walk: needs privileges; any thread. Events flow
 * when it returns. */
int recorder_attach(struct recorder *r, struct recorder_error *err);
/**
 * recorder_rows - the account while recording, the kernel's part of it as of a
 * second ago
 *
 * Thread: any; account_read() them. Return: how many.
 */
size_t recorder_rows(const struct recorder *r, const struct account_row **ret);

/* Relaxed reads of what several threads count: not of one instant. */
struct recorder_status {
	uint64_t events, bytes; /* taken by the repo since start */
	uint64_t lost;		/* at all stages, so far */
	uint64_t late, stalls;
	uint64_t woken;	 /* by a mini-buffer, before its timer: aggregator */
	uint64_t rounds; /* of both threads: the less that they made */
	uint64_t cpu_ns; /* user-space cost: own threads */
	uint64_t cpu_aggregator_ns, cpu_repo_ns; /* of that: two of them */
	uint64_t bpf_ns;  /* kernel cost: programs, as if always as last
			   * measured */
	uint64_t bpf_ppm; /* the same, when last measured, of one CPU */
	uint64_t rss_bytes;
	size_t tasks;
	uint64_t retired;    /* segments of the archive removed: --keep */
	int sink_error;	     /* first -errno of a sink, 0 none */
	uint64_t started_ns; /* monotonic; 0: not yet */
	uint64_t lag_ns;     /* the repo is so far behind */
	uint64_t main_bytes, main_used;
	uint64_t archive_bytes, archive_segments, archive_events;
	int archive_error;	    /* -errno of the last write, 0 none */
	struct budget_limit budget; /* as asked for, and what it comes to: */
	uint64_t cost_ppm, written_bps;
	uint64_t shed_log2[SOURCES_MAX]; /* by source: one in 2^n is recorded */
	uint64_t ring_used[SOURCES_MAX]; /* by source: bytes in its rings */
	struct window_stats window;	 /* .bytes 0: there is none */
};
/** recorder_status - all zero before recorder_start(). Thread: who starts and
 * stops it. */
void recorder_status(struct recorder *r, struct recorder_status *ret);

/** recorder_rotate - the archive goes on in a new segment. Thread: any. */
void recorder_rotate(struct recorder *r);

/** recorder_halt - what is pinned makes no event any more, but of what is
 * unfinished at the end; before recorder_stop(). */
void recorder_halt(struct recorder *r);

/** recorder_stop - detach, drain every stage to the end, close the sinks.
 * Blocks for what they write to. Not started: no-op. Return: 0; the first
 * -errno of closing a sink. */
int recorder_stop(struct recorder *r);

/**
 * recorder_account - the account as it is now
 *
 * Thread:   the repo's while recording, after recorder_stop() anybody's.
 * Lifetime: the rows are good until the next call.
 * Return:   number of rows.
 */
size_t recorder_account(struct recorder *r, const struct account_row **ret);

/** recorder_free - stops it as well; sinks that were added are closed, whose
 * errors nobody gets. NULL-safe. */
void recorder_free(struct recorder *r);

#endif
