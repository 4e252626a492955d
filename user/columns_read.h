/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_read.h - a block being read: each step unpacks what the next needs,
 * once. All of them return 0; -EBADMSG; -EPROTONOSUPPORT; -ENOMEM. Memory is
 * columns.block's, and lives until the next columns_open(). After a failure a
 * step may be tried again.
 */
#ifndef WEIR_COLUMNS_READ_H
#define WEIR_COLUMNS_READ_H

#include "columns_internal.h"

/* columns.known */
enum {
	READ_RUNS = 1,
	READ_GROUPS = 2,
	READ_TASKS = 4,
	READ_TIMES = 8,
	READ_SINCE = 16,
	READ_STRINGS = 32,
	READ_TURNS = 64, /* what there is to know of CPUs and tasks, not rows */
	READ_CONTEXT = 128,
};

/** read_once - call @fn unless @what is known; if it returns 0, it is then. */
int read_once(struct columns *c, uint32_t what, int (*fn)(struct columns *c));

/**
 * read_turns, read_runs, read_groups, read_tasks, read_times, read_strings -
 * unpack what is common to all rows, if it is not known
 *
 * In turn: turn_task, turn_rows, run_rows, and view.pid, .tid, .cpu; view.run;
 * group_of and the rows of all groups; view.task; view.ts; str_len, str_at and
 * str_bytes. read_runs() and read_tasks() read turns first, read_times() runs
 * and groups.
 */
int read_turns(struct columns *c);
int read_runs(struct columns *c);
int read_groups(struct columns *c);
int read_tasks(struct columns *c);
int read_times(struct columns *c);
int read_strings(struct columns *c);

/** read_stream - @n numbers as they are stored, before a predictor is undone.
 * @stream: below stream_count */
int read_stream(struct columns *c, uint32_t stream, uint64_t *v, size_t n);

/** read_part - Return: the part of a kind that can be read, or NULL. */
const struct part *read_part(const struct columns *c, unsigned kind);

/**
 * read_column - a column of a group
 * @p: of which read_groups() knows the rows
 *
 * It is valid as long as the block is open when columns.keep is set, else
 * until one of another group is read. Also -EAGAIN: it follows from times;
 * call read_times() and begin again.
 */
int read_column(struct columns *c, const struct part *p, uint32_t group,
		unsigned column, const uint64_t **ret);

/** read_is_constant - Return: true, with the one value there is, by the
 * directory alone; not checked to be a string that there is. */
bool read_is_constant(const struct columns *c, const struct group *g,
		      unsigned column, uint64_t *ret);

#endif
