/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql.h - archives as the tables of an SQLite connection.
 *
 * One virtual table for each kind of event, and `events` for what all have in
 * common, are read from the archive as rows are asked for; conditions on time,
 * kind, and any column that is compared with a value reach the pass. `tasks`,
 * `account` and `losses` are small. The connection only reads: SELECT, WITH,
 * EXPLAIN. Memory is bounded: what SQLite sorts or groups goes to temporary
 * files beyond a few MiB.
 *
 * What asks one table of events for groups or for some of its rows is answered
 * on columns, without going through the rows where that can be helped; the
 * answer is the same to the byte (fast_query.h has what is understood).
 *
 * Which rows: those that `weir show` prints, in the interval of the replay; in
 * a table of one kind also those that are there for their state (show -e KIND).
 * Thread: one.
 */
#ifndef WEIR_SQL_H
#define WEIR_SQL_H

#include <sqlite3.h>

#include "replay.h"

struct sql;

/**
 * sql_open - make the tables
 * @r: open, without a filter; borrowed, and its selection, counts and tasks are
 *     used by statements that run
 * Return: 0; -ENOMEM; -EIO SQLite does not work.
 */
int sql_open(struct sql **ret, struct replay *r);
void sql_close(struct sql *s); /* NULL-safe */

/** sql_db - the connection, for its messages; as long as @s. */
sqlite3 *sql_db(const struct sql *s);

/**
 * sql_interrupt - end the statement that is prepared or run, soon
 *
 * sql_prepare() returns -EINTR, sqlite3_step() SQLITE_INTERRUPT. Thread: any;
 * also from a handler of signals.
 */
void sql_interrupt(struct sql *s);

/* How a statement is answered. */
enum sql_path {
	SQL_PATH_ROWS,	  /* rows are put together and handed to SQLite */
	SQL_PATH_COLUMNS, /* only those that can be asked for */
	SQL_PATH_GROUPS,  /* columns are counted; SQLite gets the groups */
};

/** sql_path - Return: of the statement prepared last. */
enum sql_path sql_path(const struct sql *s);

/** sql_rows_only - answer by rows from here on: for who compares. */
void sql_rows_only(struct sql *s, bool yes);

struct sql_error {
	char what[256]; /* one line */
	int at;		/* offset into the text, bytes, or -1: unknown */
};

/**
 * sql_prepare - compile the first statement of @text
 *
 * One that is answered from groups is answered here, before its first step.
 * @ret:  to be finalized before the next call; NULL: there was none
 * @tail: what follows the statement
 *
 * What would change something is refused: -EINVAL.
 * Return: 0; -EINVAL with @err, of other errors what is ""; -EINTR; -ENOMEM;
 * -EIO, -errno of a pass over the archive that was needed. Damage is no error
 * here: sql_losses() tells.
 */
int sql_prepare(struct sql *s, const char *text, sqlite3_stmt **ret,
		const char **tail, struct sql_error *err);

/**
 * sql_losses - what the answers since the last call lack
 *
 * Fills replay.missing, .gaps, .others and .shed for the tables that were read,
 * over the time that was asked for. Return: 0; -EBADMSG damaged parts were left
 * out; as archive_each().
 */
int sql_losses(struct sql *s);

/* A comparison that says nothing, though SQLite has an answer to it. */
struct sql_odd {
	char column[64], value[40];
	char write[96]; /* what may have been meant */
};

/**
 * sql_odd - was a number compared with a text that is none, or `time`, which
 * is text, with something else than the beginning of one?
 *
 * Of the statements since the last call. Return: false: no.
 */
bool sql_odd(struct sql *s, struct sql_odd *ret);

/**
 * sql_describe - append the table as CREATE TABLE, its hidden columns marked
 * Return: 0; -ENOENT no table is called @name; -ENOMEM; -EIO SQLite does not
 * work.
 */
int sql_describe(struct sql *s, const char *name, struct buf *to);

/** sql_tables - call @fn for each table and what it holds; both are borrowed
 * as long as @s. */
void sql_tables(const struct sql *s,
		void (*fn)(void *arg, const char *name, const char *help),
		void *arg);

#endif
