/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * repo_internal.h - what repo.c (consumer) and repo_report.c (producer) share.
 * All of it belongs to the repo's thread, but @stats and what start and stop
 * hand over.
 */
#ifndef WEIR_REPO_INTERNAL_H
#define WEIR_REPO_INTERNAL_H

#include <pthread.h>
#include <semaphore.h>

#include "../bpf/events.h"
#include "repo.h"

#define REPO_PROGRAMS_MAX 256

/* When something is next due, monotonic ns. */
struct repo_due {
	uint64_t tick, metrics, clock, sample, costs;
};

#define REPO_STAGES (WEIR_STAGE_ARCHIVE + 1)
/* Where no stage is: of a source, in its row of any CPU, what it shed. */
#define REPO_TOLD_SHED 0

/* What gaps told that the archive could not keep. */
struct repo_untold {
	uint64_t count, first, last;
};

struct repo {
	struct repo_options o;
	struct sink *sinks[REPO_SINKS_MAX];
	unsigned sink_count;
	struct archive_writer *archive;
	struct flight *flight;
	/* losses up to @told_to are in gaps sent before @told_at; 0: none */
	uint64_t told_to, told_at;
	struct account_row *rows; /* sources_rows() */
	size_t row_count;
	unsigned cpus;
	uint32_t row_of_kind[SCHEMA_KINDS_MAX]; /* row of its CPU 0 */
	bool context[SCHEMA_KINDS_MAX];		/* archived though rejected */
	uint8_t *scratch;			/* one record, to be flagged */
	struct repo_due due;
	bool silent; /* the last words are said: who takes them may be gone */
	bool direct; /* the aggregator has ended: own events go to sinks */
	uint64_t *main_reported;	  /* by row: lost_main in gaps so far */
	uint64_t *main_until;		  /* by row: end of that span */
	uint64_t own_reported, own_until; /* same of its own ring */
	struct repo_untold *untold; /* by row and stage: gaps that were lost */
	struct repo_untold *unfit;  /* by row: records that are no events */
	/* repo_marks.c */
	struct resume_told *told; /* the same of those that were not lost */
	struct account_row *mark_rows;
	struct buf mark;
	/* repo_report.c: measuring */
	bool sampling;
	uint64_t sample_start;
	struct program_cost before[REPO_PROGRAMS_MAX];
	struct program_cost now[REPO_PROGRAMS_MAX];
	uint64_t *delivered_before; /* by row */
	uint64_t metrics_at, cpu_before;
	int64_t wall_offset;
	struct repo_budget *budget; /* NULL: there is none; repo_budget.c */
	uint8_t source_of_kind[SCHEMA_KINDS_MAX];
	uint64_t hurried; /* blocks of the archive, as of the last metrics */
	bool hurries;	  /* some were, since the ones before */
	pthread_t thread;
	bool running;
	int phase;  /* enum repo_phase, atomic */
	bool began; /* sources are attached, atomic */
	sem_t spoken;
	struct repo_stats stats; /* relaxed atomics */
};

/* Asked of its thread, one after the other: repo_last_words(), repo_stop(). */
enum repo_phase { REPO_RUN, REPO_LAST_WORDS, REPO_STOP };

/** repo_accept - one record as it comes out of the main ring: joined, selected,
 * handed to the sinks, counted. One that is malformed: repo_unfit(). */
void repo_accept(struct repo *r, const void *record, size_t len);

/** repo_unfit - a record does not fit its kind: lost (lost_archive), and told
 * of by a gap and a line of the log. One of no kind at all is counted alone. */
void repo_unfit(struct repo *r, const void *record, size_t len);

/** repo_sink_failed - @err: -errno; the first one is kept, recording goes on.
 */
void repo_sink_failed(struct repo *r, int err);

/* ---- repo_marks.c: for who may go on after this one ---------------------- */

/** repo_marks_init - and where another one came. Return: 0; -ENOMEM. */
int repo_marks_init(struct repo *r);
void repo_marks_done(struct repo *r);

/** repo_mark - a record of type AGGREGATOR_MARK has come through: the archive's
 * block ends here. May wait for the archive (archive_mark()). */
void repo_mark(struct repo *r, const void *record);

/** repo_settle - tell the aggregator what the archive has. */
void repo_settle(struct repo *r);

/** repo_report_init - Return: 0; -ENOMEM, then repo_report_done(), which also
 * frees the budget. */
int repo_report_init(struct repo *r);
void repo_report_done(struct repo *r);

/** repo_told - an event goes into the archive, or (@sign -1) did not get there:
 * noted if it is a gap, or tells what was shed. */
void repo_told(struct repo *r, const struct weir_hdr *h, int sign);

/** repo_told_shed - what that noted of the @i-th source; there must be told. */
static inline struct resume_told *repo_told_shed(struct repo *r, unsigned i)
{
	size_t row = i * (r->cpus + 1) + r->cpus;

	return &r->told[row * REPO_STAGES + REPO_TOLD_SHED];
}

/** repo_find_row - @cpu: or ACCOUNT_ANY_CPU. Linear: for what is rare. Return:
 * row of the account; NULL: none. */
struct account_row *repo_find_row(struct repo *r, const char *source,
				  uint32_t cpu);

/** repo_report_start - the first clock and log line. */
void repo_report_start(struct repo *r, uint64_t now);

/** repo_report_tick - whatever is due at @now, monotonic ns: losses each time,
 * metrics once a second, a clock and a sample of the programs' cost each 10 s.
 */
void repo_report_tick(struct repo *r, uint64_t now);

/** repo_report_losses - every loss not yet reported, as gap events. */
void repo_report_losses(struct repo *r);

/** repo_report_window - how far back it reaches, as events. */
void repo_report_window(struct repo *r);

/** repo_report_all - losses and metrics, due or not. */
void repo_report_all(struct repo *r, uint64_t now);

/**
 * repo_write - an event of weir's own, into its mini-buffer
 * @record: its header is filled in here: time, task, CPU
 * @len:    bytes, at most what the mini-buffer takes
 * @flags:  WEIR_F_*
 *
 * Where there is no room it is lost, counted as lost_kernel of source repo.
 * When the aggregator has ended it goes to the sinks at once.
 */
void repo_write(struct repo *r, void *record, uint16_t kind, size_t len,
		uint16_t flags);

/** repo_metric - a measurement, as an event; texts are cut to the fields of
 * struct ev_repo_metric. */
void repo_metric(struct repo *r, const char *name, const char *of,
		 const char *unit, int64_t value);

/** repo_log - a line of weir's own log into the stream, cut at 503 bytes.
 * @level: enum weir_level; @err: a positive errno, or 0. */
void repo_log(struct repo *r, unsigned level, int err, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

/* ---- the budget: repo_budget.c; nothing where there is none ---------------
 */

/** repo_budget_new - Return: 0; -ENOMEM. */
int repo_budget_new(struct repo *r);

/** repo_budget_took - an event of @kind, below SCHEMA_KINDS_MAX, came, of @len
 * bytes. */
void repo_budget_took(struct repo *r, unsigned kind, size_t len);

/** repo_budget_tick - Return: are the programs to be measured, now? */
bool repo_budget_tick(struct repo *r, uint64_t now);

/**
 * repo_budget_begin, repo_budget_end - around a time in which they are measured
 * @costs: [@count], at its beginning, and at its end less those
 */
void repo_budget_begin(struct repo *r, uint64_t now);
void repo_budget_end(struct repo *r, const struct program_cost *costs,
		     size_t count, uint64_t now);

/** repo_budget_guess - they cannot be measured (sources_measure() failed):
 * decide by how many events there were, and what one cost elsewhere. */
void repo_budget_guess(struct repo *r, uint64_t now);

/** repo_budget_untold - one that told what was shed could not be kept. */
void repo_budget_untold(struct repo *r, const struct ev_repo_shed *ev);

/** repo_budget_report - what was shed since, and what weir costs, as events. */
void repo_budget_report(struct repo *r, uint64_t now);

/** repo_count - add to a counter that only this thread writes, and others read.
 */
static inline void repo_count(uint64_t *counter, uint64_t n)
{
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

#endif
