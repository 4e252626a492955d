/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_internal.h - what the files of sql.h share. Not for others.
 */
#ifndef WEIR_SQL_INTERNAL_H
#define WEIR_SQL_INTERNAL_H

#include <signal.h>

#include "fast.h"
#include "sql.h"
#include "sql_plan.h"

/* A connection. Thread: one, but for @stop. */
struct sql {
	sqlite3 *db;
	struct replay *replay; /* borrowed */
	bool trusted;	       /* a statement of our own: anything goes */
	/* what was read since sql_losses() */
	bool asked[SCHEMA_KINDS_MAX];
	bool is_asked, damaged;
	uint64_t from_ns, to_ns; /* of the first boot, half-open: all that was
				    asked for */
	struct sql_odd odd;	 /* of the statement; column "": nothing */
	/* what the statement being compiled needs */
	bool wants_tasks, wants_counts;
	bool has_tasks, has_counts; /* the table is filled */
	unsigned statement;	    /* counted: for what lives as long as one */
	volatile sig_atomic_t stop; /* it is to end */
	/* what is answered on columns */
	struct sql_fast *fast; /* owned */
	bool rows_only;
	enum sql_path path; /* of the statement */
	/* a statement is run without rows, to learn what it would ask for */
	bool rehearsing;
	unsigned rehearsals;	 /* passes it would make */
	struct fast_range range; /* of the last of them */
};

/** sql_ask - note that kinds were read, over [from, to). */
void sql_ask(struct sql *s, const bool *kinds, uint64_t from_ns,
	     uint64_t to_ns);

/** sql_note_odd - keep what a pass was asked oddly, for sql_odd(). */
void sql_note_odd(struct sql *s, const struct sql_tests *t);

/* One event table. */
struct sql_table {
	sqlite3_vtab base;
	struct sql *sql;
	const struct schema_kind *kind; /* NULL: events */
	struct sql_columns columns;
	struct sql_memo *memos; /* owned; of a statement */
	unsigned statement;
};

/* ---- one pass: sql_scan.c ------------------------------------------------ */

struct sql_scan;

/**
 * sql_scan_open - begin a pass over a table; it notes what is asked, sql_ask()
 * @argv: values of the plan's conditions, not needed afterwards
 * @skip: as sql_tests_init()
 * Return: SQLITE_OK; SQLITE_NOMEM.
 */
int sql_scan_open(struct sql_scan **ret, struct sql_table *t,
		  const struct sql_plan *p, sqlite3_value *const *argv,
		  const bool *skip);

/**
 * sql_scan_next - the next row that passes
 * What does not unpack as columns goes on by rows, without a row twice. Damage
 * is noted in sql.damaged, and ends nothing early.
 * Return: SQLITE_ROW; SQLITE_DONE; SQLITE_NOMEM, SQLITE_INTERRUPT,
 * SQLITE_IOERR.
 */
int sql_scan_next(struct sql_scan *s);

/**
 * sql_scan_row - what tells the row at hand from others, in any pass
 * Return: SQLITE_OK; SQLITE_NOMEM, SQLITE_IOERR.
 */
int sql_scan_row(struct sql_scan *s, sqlite3_int64 *ret);

/** sql_scan_get - a value of the row at hand, valid until the next call.
 * Return: it; NULL: no memory for its text. */
const struct sql_value *sql_scan_get(struct sql_scan *s, unsigned column);
void sql_scan_close(struct sql_scan *s); /* NULL-safe */

/* ---- many passes: sql_memo.c --------------------------------------------- */

/*
 * A join asks a table once for each row of another. When it has asked for the
 * third time, the rows that any answer can have are put into a temporary
 * database of their own, with an index, and answered from there.
 */
struct sql_memo;

/**
 * sql_memo_ask - look for a memo of a plan, and make one when it pays
 * @text: the plan, as sql_plan_choose() wrote it
 * @stmt: that of the last time, or NULL; replaced by one that is bound, to be
 *        finalized; NULL: make a pass
 * Return: SQLITE_OK; SQLITE_NOMEM, … of SQLite or of the pass.
 */
int sql_memo_ask(struct sql_table *t, const char *text,
		 const struct sql_plan *p, sqlite3_value **argv,
		 sqlite3_stmt **stmt);

/** sql_memos_free - those of a table. No statement of theirs may be left. */
void sql_memos_free(struct sql_table *t);

/* ---- on columns: sql_fast.c ---------------------------------------------- */

/** sql_fast_init, sql_fast_done - s->fast. Return: SQLITE_OK or its error. */
int sql_fast_init(struct sql *s);
void sql_fast_done(struct sql *s);

/**
 * sql_fast_prepare - answer a statement on columns, if it is of that sort
 * @stmt: compiled from @text; replaced by one that asks the groups found
 * Return: 0; -ENOMEM; -errno of reading.
 */
int sql_fast_prepare(struct sql *s, const char *text, sqlite3_stmt **stmt);

/** sql_fast_rows - Return: how columns choose a table's rows in the statement
 * compiled last, until the next; NULL: they do not, make a pass by rows. */
const struct fast_query *sql_fast_rows(const struct sql *s,
				       const struct schema_kind *k);

/* ---- the others ---------------------------------------------------------- */

/** sql_table_module - virtual tables of events: sql_table.c. */
extern const sqlite3_module sql_table_module;

/** sql_add_functions - at() span() size() quantile() …: sql_function.c.
 * Return: SQLITE_OK or its error. */
int sql_add_functions(struct sql *s);

/**
 * sql_fill_tasks - fill `tasks` anew, by a pass over the archive: sql_small.c
 *
 * Events are counted only where s->wants_counts. Damage is noted.
 * Return: 0; -EIO SQLite does not work; -EINTR; -ENOMEM; -errno of reading.
 */
int sql_fill_tasks(struct sql *s);

/** sql_make_small - the tables that are no events. Return: SQLite's. */
int sql_make_small(struct sql *s);

#define SQL_SMALL_TABLES 3

/* Name and what it holds. */
extern const char *const sql_small_help[SQL_SMALL_TABLES][2];

#endif
