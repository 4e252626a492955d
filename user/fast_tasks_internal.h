/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_tasks_internal.h - what fast_tasks.c and fast_view.c share. Not for
 * others. All of it with the lock, but what is of the view's own block.
 */
#ifndef WEIR_FAST_TASKS_INTERNAL_H
#define WEIR_FAST_TASKS_INTERNAL_H

#include "fast_tasks.h"

#define SLOTS_MIN 256
#define UNKNOWN	  UINT32_MAX /* not looked up */

/* A task that was something else before a row. */
struct version {
	uint32_t tid, row;
	uint32_t before, after; /* numbers of what the table knows */
};

/* The tasks that a block changed: by tid, then in the one order. */
struct changes {
	uint64_t block; /* 1, 2, …; 0: none */
	struct version *version;
	uint32_t count, cap;
};

/* What there is to know, as the table has it. */
struct known {
	struct fast_info info; /* texts by its own numbers */
	struct task task;      /* with what was asked for; its strings are the
				  table's texts, and stay */
	struct cgroup cgroup;
};

struct fast_entry {
	uint32_t tid, info; /* UNKNOWN */
	bool used;
};

/* By tid: open addressing. All zero is empty; none is ever taken out. */
struct fast_entries {
	struct fast_entry *entry;
	uint32_t count, cap;
};

/** entries_at - the entry of a tid, made if need be; valid until the next is
 * made. Return: NULL: no memory. */
struct fast_entry *entries_at(struct fast_entries *e, uint32_t tid);

/** entries_forget - what was known of a tid is no longer. */
void entries_forget(struct fast_entries *e, uint32_t tid);

/** changes_find - Return: the first of a tid; NULL: it is the same in all. */
const struct version *changes_find(const struct changes *c, uint32_t tid);

/** tasks_changes - those of a block up to FAST_AHEAD ago. */
const struct changes *tasks_changes(const struct fast_tasks *t, uint64_t block);

/** tasks_join, tasks_part - of a view, for fast_tasks_far().
 * Return: 0; -ENOMEM. */
int tasks_join(struct fast_tasks *t, struct fast_view *v);
void tasks_part(struct fast_tasks *t, struct fast_view *v);

/** tasks_know - the number of what a tid was at the end of a block, up to
 * FAST_AHEAD ago
 * Return: 0; -ENOMEM; -EOPNOTSUPP. */
int tasks_know(struct fast_tasks *t, uint64_t block, uint32_t tid,
	       uint32_t *ret);

/** tasks_known - Return: by number; valid until the next is asked for. */
const struct known *tasks_known(const struct fast_tasks *t, uint32_t number);

/** tasks_text - a text of the table's. */
const struct fast_text *tasks_text(const struct fast_tasks *t, int64_t number);

/** view_enter - go on to a block, the table's last: forget what changed since
 * the one before. */
void view_enter(struct fast_view *v, uint64_t block);

/** view_block - where it is; 0: at none. */
uint64_t view_block(const struct fast_view *v);

/** fact_is_text - is a fact a text? Else an integer. */
static inline bool fact_is_text(unsigned fact)
{
	unsigned what = SQL_COMM + fact;

	return what != SQL_PPID && what != SQL_UID;
}

#endif
