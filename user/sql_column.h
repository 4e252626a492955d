/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_column.h - the columns of an event table, and their values.
 *
 * A column is a key of the event's JSON (render.h) with the same value; lists
 * are JSON text, true and false 1 and 0. Beside a name stands its number in a
 * hidden column <name>_nr, beside a string that may be cut <name>_full, beside
 * the tid or pid of a task its name <name>_comm. What JSON has as null, or not
 * at all, is NULL.
 */
#ifndef WEIR_SQL_COLUMN_H
#define WEIR_SQL_COLUMN_H

#include "arena.h"
#include "render.h"

/* What a column shows of an event. */
enum sql_what {
	SQL_TS,	  /* ns since the epoch */
	SQL_TIME, /* the same as text: render_iso() */
	SQL_SOURCE,
	SQL_KIND,
	SQL_CPU,
	SQL_PID,
	SQL_TID,
	SQL_COMM, /* from here on of the task, */
	SQL_PPID,
	SQL_UID,
	SQL_CGROUP,
	SQL_CONTAINER,
	SQL_EXE, /* up to here */
	SQL_FIELD,
	SQL_NAME, /* <field>_name */
	SQL_NR,	  /* <field>_nr */
	SQL_FULL, /* <field>_full */
	SQL_OF,	  /* <field>_comm: comm of the task that the field names */
	SQL_MARKS,
	SQL_WEIGHT, /* how many events it stands for */
};

struct sql_column {
	const char *name; /* unique, in any case: else _ is appended */
	const struct schema_kind *kind;	  /* whose field it is: */
	const struct schema_field *field; /* from SQL_FIELD to SQL_OF */
	enum sql_what what;
	bool integer; /* else text */
	bool hidden;
};

struct sql_columns {
	struct arena arena;
	struct sql_column *column;
	unsigned count;
};

/**
 * sql_columns_init - the columns of a kind and what its variants have besides,
 * or of `events` when @k is NULL
 * @k: the first of its variants; borrowed, as long as the columns
 *
 * A field takes the place of a common column of its name, and of a companion.
 * Return: 0, to be released with sql_columns_done(); -ENOMEM.
 */
int sql_columns_init(struct sql_columns *ret, const struct schema_kind *k);
void sql_columns_done(struct sql_columns *c);

/** sql_columns_declare - append CREATE TABLE, one line for each if @lines. */
void sql_columns_declare(const struct sql_columns *c, const char *table,
			 bool lines, struct buf *to);

/** sql_column_is_task - must tasks be followed for its value? */
bool sql_column_is_task(const struct sql_column *c);

/** sql_column_has_name - is there a column <name>_name beside it? */
bool sql_column_has_name(const struct sql_column *c);

/* The tasks at a row that no table of tasks stands at. */
struct sql_names {
	/* Return: the task, valid until the next call; NULL: unknown. */
	const struct task *(*find)(void *arg, uint32_t tid);
	void *arg;
};

enum sql_type { SQL_NULL, SQL_INT, SQL_REAL, SQL_TEXT };

/* As SQLite takes it; @i, @real, @text by @type. */
struct sql_value {
	enum sql_type type;
	int64_t i;
	double real;	  /* a number of 64 bits above INT64_MAX */
	const char *text; /* not ended by a NUL */
	size_t len;
};

/**
 * sql_column_get - the value of a column
 * @names:   who other tasks are at this event, or NULL: as r->tasks has them
 * @ev:      joined; of another variant of the kind: as the column of the same
 *           name there, or NULL
 * @scratch: where text is put together; the value is valid until it is changed,
 *           or the event is gone. Without memory it is NULL: see buf_err()
 */
void sql_column_get(const struct sql_column *c, const struct render *r,
		    const struct sql_names *names, const struct event *ev,
		    struct buf *scratch, struct sql_value *ret);

#endif
