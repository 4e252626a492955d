/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_tasks.h - whose rows they are: the task table, as of each row of a
 * block, without going through the rows.
 *
 * The table is taken through the few events that it is made of; for the tasks
 * that these change, it is noted which row of the block did. All other rows
 * have the name that their task has at the block's end.
 *
 * One table goes through all blocks in order; each thread sees it through a
 * view that stays at the end of a block of its own, while the table is ahead
 * with those of others: what changed since is kept for so long.
 */
#ifndef WEIR_FAST_TASKS_H
#define WEIR_FAST_TASKS_H

#include <pthread.h>

#include "fast_block.h"
#include "fast_text.h"
#include "sql_column.h"
#include "tasks.h"

#define FAST_FACTS (SQL_EXE - SQL_COMM + 1)
#define FAST_COMM  0 /* the fact of SQL_COMM */

/* Blocks that the table may be ahead of a view. */
#define FAST_AHEAD 64

/* What is known of a task, as far as somebody asked; each once. */
struct fast_info {
	bool known;		   /* else there is no such task */
	bool null[FAST_FACTS];	   /* by column, from SQL_COMM on */
	int64_t value[FAST_FACTS]; /* numbers of texts, or integers; of the
				      view's texts, or the table's own */
};

/* ---- the table ----------------------------------------------------------- */

struct fast_tasks;
struct fast_view;

/**
 * fast_tasks_new - begin with nobody
 * @facts: which columns will be asked for, from SQL_COMM on
 * Return: 0; -ENOMEM.
 */
int fast_tasks_new(struct fast_tasks **ret, const struct schema *schema,
		   const bool facts[FAST_FACTS]);
void fast_tasks_free(struct fast_tasks *t); /* NULL-safe */

/**
 * fast_tasks_block - go on to the end of a block, and @v with it
 *
 * Blocks must come in order, and all of them. Thread: whose @v and @b are,
 * with the lock. Return: 0; -EOPNOTSUPP too many texts; errors of columns.h.
 */
int fast_tasks_block(struct fast_tasks *t, struct fast_view *v,
		     struct fast_block *b);

/** fast_tasks_far - is it too far ahead of some view to go on? With the lock.
 */
bool fast_tasks_far(const struct fast_tasks *t);

/* ---- a view of it: fast_view.c ------------------------------------------- */

/**
 * fast_view_new - a view, at no block
 * @lock:  who holds it may use @t
 * @texts: of the numbers it tells; borrowed
 * Thread: with the lock, or before there are others. Return: 0; -ENOMEM.
 */
int fast_view_new(struct fast_view **ret, struct fast_tasks *t,
		  pthread_mutex_t *lock, struct fast_texts *texts);
void fast_view_free(struct fast_view *v); /* NULL-safe; of the table first */

/** fast_view_leave - be at no block: the table need not wait for it. With the
 * lock. */
void fast_view_leave(struct fast_view *v);

/** fast_view_moved - did a task change inside the block? */
bool fast_view_moved(const struct fast_view *v);

/** fast_view_settled - is what is known of a tid the same in all rows of the
 * block? */
bool fast_view_settled(const struct fast_view *v, uint32_t tid);

/**
 * fast_view_find - what a task was at a row of the block, that row's own
 * change included
 * @b:   the block that the view is at
 * @ret: its number; the same facts have the same number
 * Takes the lock where it was not asked before. Thread: the view's own, without
 * the lock. Return: 0; -ENOMEM; -EOPNOTSUPP too many texts; errors of
 * columns.h.
 */
int fast_view_find(struct fast_view *v, struct fast_block *b, uint32_t tid,
		   uint32_t row, uint32_t *ret);

/** fast_view_info - Return: by number; valid until the next is found. */
const struct fast_info *fast_view_info(const struct fast_view *v,
				       uint32_t number);

/**
 * fast_view_task - the task with what was asked for; takes the lock
 * @cgroup: where its cgroup is to be
 * Return: @ret, filled in; NULL: there is none of that number.
 */
const struct task *fast_view_task(const struct fast_view *v, uint32_t number,
				  struct task *ret, struct cgroup *cgroup);

#endif
