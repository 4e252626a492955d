/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_tasks.h - whose rows they are: the task table, as of each row of a
 * block, without going through the rows.
 *
 * The table is taken through the few events that it is made of; for the tasks
 * that these change, it is noted which row of the block did. All other rows
 * have the name that their task has at the block's end.
 */
#ifndef WEIR_FAST_TASKS_H
#define WEIR_FAST_TASKS_H

#include "fast_block.h"
#include "fast_text.h"
#include "sql_column.h"
#include "tasks.h"

#define FAST_FACTS (SQL_EXE - SQL_COMM + 1)
#define FAST_COMM  0 /* the fact of SQL_COMM */

/* What is known of a task, as far as somebody asked; each once. */
struct fast_info {
	bool known;		   /* else there is no such task */
	bool null[FAST_FACTS];	   /* by column, from SQL_COMM on */
	int64_t value[FAST_FACTS]; /* numbers of texts, or integers */
	struct task task;	   /* with what was asked for */
	struct cgroup cgroup;
};

struct fast_tasks;

/**
 * fast_tasks_new - begin with nobody
 * @facts: which columns will be asked for, from SQL_COMM on
 * @texts: borrowed
 * Return: 0; -ENOMEM.
 */
int fast_tasks_new(struct fast_tasks **ret, const struct schema *schema,
		   const bool facts[FAST_FACTS], struct fast_texts *texts);
void fast_tasks_free(struct fast_tasks *t); /* NULL-safe */

/**
 * fast_tasks_block - go on to the end of a block
 *
 * Blocks must come in order, and all of them. Return: 0; -EOPNOTSUPP too
 * many texts; errors of columns.h.
 */
int fast_tasks_block(struct fast_tasks *t, struct fast_block *b);

/** fast_tasks_moved - did a task change inside the block? */
bool fast_tasks_moved(const struct fast_tasks *t);

/**
 * fast_tasks_find - what a task was at a row of the block
 * @ret: its number; the same facts have the same number
 * Return: 0; -ENOMEM; -EOPNOTSUPP too many texts.
 */
int fast_tasks_find(struct fast_tasks *t, struct fast_block *b, uint32_t tid,
		    uint32_t row, uint32_t *ret);

/** fast_tasks_settled - is a task the same in all rows of the block? */
bool fast_tasks_settled(const struct fast_tasks *t, uint32_t tid);

/** fast_tasks_info - Return: by number; valid until the next is found. */
const struct fast_info *fast_tasks_info(const struct fast_tasks *t,
					uint32_t number);

#endif
