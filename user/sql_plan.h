/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sql_plan.h - which conditions of a statement a pass can test itself.
 *
 * SQLite is told nothing is certain: it tests every row that is handed up
 * again, so a test here may let too much through, and never too little.
 */
#ifndef WEIR_SQL_PLAN_H
#define WEIR_SQL_PLAN_H

#include <sqlite3.h>

#include "sql_column.h"

#define SQL_CONDS_MAX 16
#define SQL_ODD_MAX   40 /* bytes that are kept to be told */

/* A condition: this column against a value that xFilter gets. */
struct sql_cond {
	unsigned column;
	char op; /* = > g (>=) < l (<=) i (in a list) */
};

/* What SQLite chose, for xFilter; travels as text (idxStr). */
struct sql_plan {
	uint64_t used; /* columns by bit, 63 stands for all from there on */
	unsigned count;
	struct sql_cond cond[SQL_CONDS_MAX];
};

/**
 * sql_plan_choose - xBestIndex: take what can be tested, tell what it costs
 * (sqlite.org/vtab.html, 2.3)
 * @rows: events a pass over all of the table would walk over
 *
 * Return: SQLITE_OK; SQLITE_NOMEM.
 */
int sql_plan_choose(const struct sql_columns *c, double rows,
		    sqlite3_index_info *info);

/** sql_plan_read - from idxStr, all of which is checked. Return: false when it
 * is none. */
bool sql_plan_read(struct sql_plan *ret, const struct sql_columns *c,
		   const char *text);

/** sql_plan_uses - is the value of a column asked for, or compared? */
bool sql_plan_uses(const struct sql_plan *p, unsigned column);

/* A condition with its value. */
struct sql_test {
	const struct sql_column *column;
	bool text;	  /* else a range of integers, or a list of them */
	int64_t lo, hi;	  /* both included, of numbers too */
	int64_t *numbers; /* owned, ascending; or NULL */
	char **strings;	  /* owned */
	size_t *lens;
	unsigned count; /* of numbers or strings */
};

/* What one pass tests of each row: all of it must hold. */
struct sql_tests {
	struct sql_test test[SQL_CONDS_MAX];
	unsigned count;
	bool never; /* no row can pass */
	/* a column that is compared with what none of its values can be */
	const struct sql_column *odd; /* or NULL */
	char odd_value[SQL_ODD_MAX];
	int64_t ts_lo, ts_hi; /* ns since the epoch, both included */
};

/**
 * sql_tests_init - bind values to the conditions of a plan
 * @argv: by condition; copied
 * @skip: conditions to leave out, or NULL
 * Return: SQLITE_OK, to be released with sql_tests_done(); SQLITE_NOMEM.
 */
int sql_tests_init(struct sql_tests *ret, const struct sql_plan *p,
		   const struct sql_columns *c, sqlite3_value *const *argv,
		   const bool *skip);
void sql_tests_done(struct sql_tests *t);

/** sql_tests_kinds - clear the kinds that cannot pass in [SCHEMA_KINDS_MAX]. */
void sql_tests_kinds(const struct sql_tests *t, const struct schema *s,
		     bool *kinds);

/** sql_tests_pass - may a row be handed up? ts_lo and ts_hi are the caller's to
 * test; the rest as sql_column_get(). */
bool sql_tests_pass(const struct sql_tests *t, const struct render *r,
		    const struct sql_names *names, const struct event *ev,
		    struct buf *scratch);

#endif
