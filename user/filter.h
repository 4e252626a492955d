/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter.h - the one expression language: -f 'source == block and
 * latency > 10ms and comm == "postgres"'.
 *
 *   expr   := and { ("or" | "||") and }
 *   and    := not { ("and" | "&&") not }
 *   not    := ("not" | "!") not | "(" expr ")" | test
 *   test   := name [ op value | ["not"] "in" "(" value { "," value } ")" ]
 *   op     := == = != < <= > >= ~ (glob: * ? [..])  !~
 *   value  := number [unit] | "string" | 'string' | word
 *
 * A name is a field, kind.field, or one of the common ones: ts source kind cpu
 * pid tid comm, and what the task table knows: ppid uid cgroup container
 * exe. Where a kind has a field of such a name (task_fork.uid) that one is
 * meant. Alone a name is true when not empty. A test on a field that the
 * event's kind does not have, or that could not be read, is false, and so is
 * its negated form (!= , !~, not in); `not (…)` negates the outcome.
 *
 * An event is matched by value: numbers with units by meaning (10ms, 4K,
 * 0x1f), errno ENOENT, signals SIGKILL, states by letter, syscalls and other
 * enums by name, addresses 10.0.0.0/8, ports, times 14:03:20 or ISO 8601 or
 * -5m (units.h), cgroups by number or path, containers by their id or its
 * first 12 or more digits, strings exact, ~ by glob (glob.h). An argv is its
 * words with a blank between. In "…" \" \\ and \xHH are escapes, in '…'
 * nothing is.
 */
#ifndef WEIR_FILTER_H
#define WEIR_FILTER_H

#include "event.h"
#include "tasks.h"

struct filter;

struct filter_error {
	size_t at;	/* offset into the expression, bytes: the caret */
	char what[160]; /* one line, with the remedy */
};

/**
 * filter_compile - parse and bind an expression
 * @schema:  names are looked up in it; an unknown one is an error that names
 *           the closest known
 * @tasks:   for cgroup and container names; borrowed for the filter's life
 * @offset:  realtime - monotonic ns, for times of day
 * @near_ns: realtime that times of day and -5m are reckoned from: the end of an
 *           archive; 0: now
 *
 * @expr is not needed afterwards, the schema is, as long as the filter.
 * Return: 0, to be released with filter_free(); -EINVAL with @err filled;
 * -ENOMEM.
 */
int filter_compile(struct filter **ret, const char *expr,
		   const struct schema *schema, const struct tasks *tasks,
		   int64_t offset, uint64_t near_ns, struct filter_error *err);

/**
 * filter_match - does an event pass?
 * @ev: of the schema that it was compiled for, joined: what is asked of a task
 *      that is not known is false
 *
 * Allocates nothing. Thread: one at a time for each filter.
 */
bool filter_match(const struct filter *f, const struct event *ev);

/** filter_free - NULL-safe. */
void filter_free(struct filter *f);

#endif
