/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * select.h - which events were asked for: -s, -e and -f as one question.
 *
 * -s and -e together mean both: events of those names from those sources.
 * An event flagged WEIR_F_CONTEXT (what was alive, clocks, metrics, and what
 * the filter of the recording refused) is there for its state and is selected
 * only when its kind was asked for by -e, or by `-s repo`, all of whose events
 * are of that sort. Losses (gap) are selected always: no filter hides them,
 * but where gap itself was asked for by -e, the filter is about it.
 */
#ifndef WEIR_SELECT_H
#define WEIR_SELECT_H

#include "filter.h"

struct select {
	bool kinds[SCHEMA_KINDS_MAX]; /* asked for */
	bool named[SCHEMA_KINDS_MAX]; /* asked for by name */
	struct filter *filter;	      /* owned, or NULL */
	uint16_t gap;  /* kind number of the (first) gap, 0: none */
	uint16_t shed; /* the same of what tells of events that were shed */
};

struct select_options {
	const char *const *sources; /* -s, no globs */
	size_t source_count;
	const char *const *kinds; /* -e; "task_*" globs allowed */
	size_t kind_count;
	const char *filter; /* -f, or NULL */
	uint64_t near_ns;   /* as filter_compile() */
};

/**
 * select_init - look names up and compile the filter
 * @what: one line on failure (buffer of @what_len), naming the closest known
 * @err:  filled when the filter is the cause (err->what not empty)
 *
 * The names in @opts are not needed afterwards; schema and tasks are, for the
 * life of @sel (filter_compile()). A name that no kind has, and one that the
 * other option rules out, is wrong.
 * Return: 0; -EINVAL; -ENOMEM. On failure nothing is to be released.
 */
int select_init(struct select *sel, const struct select_options *opts,
		const struct schema *schema, const struct tasks *tasks,
		int64_t wall_offset, char *what, size_t what_len,
		struct filter_error *err);

/** select_gaps - mark all kinds that tell of losses in [SCHEMA_KINDS_MAX]. */
void select_gaps(const struct select *sel, const struct schema *schema,
		 bool *kinds);

/**
 * select_match - was an event asked for?
 * @ev: joined
 *
 * Thread: one at a time, for the filter's sake.
 */
bool select_match(const struct select *sel, const struct event *ev);

/** select_counts - is it, of what is selected, not weir's own word, which comes
 * unasked: its log, losses? Named with -e or -s it is as good as any. */
bool select_counts(const struct select *sel, const struct event *ev);

/** select_done - free the filter; safe on a zeroed one, and twice. */
void select_done(struct select *sel);

#endif
