/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * budget.h - which source is to record how many of its events, so that weir
 * costs no more than it may.
 *
 * Arithmetic alone: who uses it measures (repo_budget.c) and does what it says.
 * A source's events each have a value; one whose value is 0 is never shed. What
 * is too dear is halved, and halved again, in this order: of the sources where
 * it would help (that saves a thirty-second of the limit or more) those of the
 * least value first, of these the one that costs most. What helps nothing any
 * more is left alone, so that what remains can still tell something.
 *
 * What a source costs is (bare + made / 2^n) for each event it is asked about:
 * the bare part is what its programs take to find out that there is nothing to
 * do. The two are told apart by what an event cost when all were recorded and
 * what it costs now; until that is known, by a guess.
 *
 * No flapping: more is recorded only when what weir would cost then is well
 * below the limit, or hardly more than now, and that only after a while; each
 * time this turns out to have been wrong, the while doubles.
 * Thread: one.
 */
#ifndef WEIR_BUDGET_H
#define WEIR_BUDGET_H

#include <stdbool.h>
#include <stdint.h>

#define BUDGET_SOURCES_MAX 32
#define BUDGET_LOG2_MAX	   16 /* record one in 2^16 at the least */

struct budget_limit {
	uint64_t ppm;	/* millionths of one CPU; 0: any */
	uint64_t bytes; /* written per second; 0: any */
};

/* What one source took, each as if for a second. */
struct budget_load {
	double asked;	  /* events the budget was asked about */
	double kernel_ns; /* time in its programs */
	double user_ns;	  /* its share of weir's own time */
	double bytes;	  /* its share of what was written */
};

struct budget_source {
	unsigned value;	 /* as in struct source_info */
	unsigned log2;	 /* out: record one in 2^log2 */
	double whole_ns; /* in the kernel, of an event when all are recorded; 0
			  */
	double bare_ns;	 /* of one that is shed; 0: not known yet */
	struct budget_load load;
	unsigned at; /* the rate that @load was measured at */
};

struct budget {
	struct budget_limit limit;
	struct budget_source source[BUDGET_SOURCES_MAX];
	unsigned count;
	double ns, bytes; /* in all, per second, when last decided */
	/* monotonic: when a source was set to record less, and when more; and
	 * how long after the former nothing is given back: 2 s to 64 s */
	uint64_t raised_ns, lowered_ns, hold_ns;
	bool short_of; /* over the limit, and nothing left that would help */
};

/** budget_init - @values: of each source. At most BUDGET_SOURCES_MAX count. */
void budget_init(struct budget *b, const struct budget_limit *limit,
		 const unsigned *values, unsigned count);

/**
 * budget_decide - given what everything took, how much is to be recorded?
 * @loads: [count], at the rates that budget_init() or the last call set
 * @rest:  what else took: weir's own time that is no source's
 * @now:   monotonic ns
 *
 * Thresholds (budget.c): acts when above the limit, then aims at 85 % of it;
 * gives back what leaves 35 % unused.
 * Return: has the .log2 of any source changed? The caller is to see to it.
 */
bool budget_decide(struct budget *b, const struct budget_load *loads,
		   const struct budget_load *rest, uint64_t now);

/** budget_over - Return: did it cost too much, in either, when last decided? */
bool budget_over(const struct budget *b);

/** budget_sheds - Return: is anything not recorded in full? */
bool budget_sheds(const struct budget *b);

#endif
