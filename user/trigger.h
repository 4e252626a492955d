/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * trigger.h - conditions that make a recorder take a snapshot by itself.
 *
 *   EXPR[,after=TIME][,max=N/TIME][,every=TIME]
 *
 * EXPR is a filter (filter.h), or count(WHAT) > N/TIME: more than N events in
 * a time so long, WHAT being a filter or the name of a kind of event. So many
 * in a time, and none sooner than another after the one before: what is held
 * back is counted, and the first of it told. A trigger looks at all that
 * comes, selected or not. Thread: the repo's, but where another is named.
 */
#ifndef WEIR_TRIGGER_H
#define WEIR_TRIGGER_H

#include "filter.h"

#define TRIGGERS_MAX	 32
#define TRIGGER_RATE_MAX 1000000 /* N of count() > N/TIME */

/* What it does unless told otherwise. */
#define TRIGGER_AFTER_NS 1000000000ULL
#define TRIGGER_EVERY_NS 10000000000ULL
#define TRIGGER_MAX	 10 /* in */
#define TRIGGER_MAX_NS	 3600000000000ULL

struct trigger;

/**
 * trigger_new - read one; @text is copied
 * @schema, @tasks, @offset: as filter_compile()
 *
 * Thread: any. Return: 0; -EINVAL with @err, its place in @text; -ENOMEM.
 */
int trigger_new(struct trigger **ret, const char *text,
		const struct schema *schema, const struct tasks *tasks,
		int64_t offset, struct filter_error *err);

/** trigger_free - NULL-safe. */
void trigger_free(struct trigger *t);

/** trigger_kinds - [SCHEMA_KINDS_MAX]: of which kinds an event may make it
 * fire. Lives as long as it, as what the next two return. Thread: any. */
const bool *trigger_kinds(const struct trigger *t);

/** trigger_filter - what must be true of an event that it counts. */
const struct filter *trigger_filter(const struct trigger *t);

/** trigger_text - the condition as it was written, without its limits. */
const char *trigger_text(const struct trigger *t);

/** trigger_after_ns - how long after the event a snapshot is to end. */
uint64_t trigger_after_ns(const struct trigger *t);

/* What an event means to a trigger. */
enum trigger_said {
	TRIGGER_NOTHING,
	TRIGGER_FIRES,
	TRIGGER_HELD,  /* it would, but has fired too often or just now */
	TRIGGER_HOLDS, /* the same, for the first time since it last fired */
};

/**
 * trigger_event - look at an event of one of its kinds
 *
 * Time is that of the events, so a replay fires at the same ones. An event that
 * stands for several (WEIR_WEIGHT()) counts as so many. After it fired it does
 * not for after= and every= together.
 */
enum trigger_said trigger_event(struct trigger *t, const struct event *ev);

struct trigger_stats {
	uint64_t fired, held; /* events that made it fire, or would have */
};

/** trigger_stats - Thread: any. */
void trigger_stats(const struct trigger *t, struct trigger_stats *ret);

#endif
