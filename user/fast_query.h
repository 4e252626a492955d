/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_query.h - a statement that can be answered on columns, taken apart.
 *
 *   SELECT … FROM <one table of events>
 *     [WHERE conjunctions of plain comparisons]
 *     [GROUP BY up to 4 columns or expressions of integers]
 *     [HAVING …] [ORDER BY …] [LIMIT …]
 *
 * Everything else is refused, and so is what might mean something else to
 * SQLite than it does here: who refuses too much costs time, who takes too
 * much gives wrong answers.
 */
#ifndef WEIR_FAST_QUERY_H
#define WEIR_FAST_QUERY_H

#include <sqlite3.h>

#include "fast_text.h"
#include "sql_column.h"

#define FAST_KEYS  4
#define FAST_AGGS  12
#define FAST_PREDS 16

/* An integer, by column, or made of others; NULL where one of them is. */
enum fast_op {
	FAST_COLUMN, /* or a text */
	FAST_NUMBER,
	FAST_ADD,
	FAST_SUB,
	FAST_MUL,
	FAST_DIV, /* NULL by 0 */
	FAST_MOD,
	FAST_EQ, /* 0, 1 */
	FAST_NE,
	FAST_LT,
	FAST_LE,
	FAST_GT,
	FAST_GE,
};

struct fast_expr {
	enum fast_op op;
	unsigned column;	       /* of FAST_COLUMN: index */
	int64_t number;		       /* of FAST_NUMBER */
	const struct fast_expr *a, *b; /* of the others; in the arena */
};

enum fast_test {
	FAST_TEST_TRUE, /* the expression is, and not NULL */
	FAST_TEST_NULL,
	FAST_TEST_NUMBERS, /* it is one of them */
	FAST_TEST_STRINGS,
	FAST_TEST_COMPARE, /* with the one string, by @compare */
	FAST_TEST_LIKE,
	FAST_TEST_GLOB,
};

/* One of the conditions that WHERE joins by AND. */
struct fast_pred {
	enum fast_test test;
	bool negated;
	const struct fast_expr *what;
	enum fast_op compare; /* of FAST_TEST_COMPARE: FAST_EQ and on */
	unsigned count;	      /* of numbers or strings */
	const int64_t *number;
	const struct fast_text *string; /* also the pattern */
};

/* As SQLite's of these names; FAST_QUANTILE is ours: sql_function.c. */
enum fast_function {
	FAST_COUNT,
	FAST_SUM,
	FAST_TOTAL,
	FAST_AVG,
	FAST_MIN,
	FAST_MAX,
	FAST_QUANTILE,
};

struct fast_agg {
	enum fast_function function;
	const struct fast_expr *what; /* NULL: of count(*) */
	double share;		      /* of FAST_QUANTILE: 0..1 */
};

/* Read-only once made: the threads of a pass share it. */
struct fast_query {
	struct arena arena;
	const struct schema_kind *kind; /* NULL: events */
	struct sql_columns columns;
	struct fast_pred pred[FAST_PREDS];
	unsigned preds;
	/*
	 * Groups: what @text asks of a table of the keys, then aggregates. Else
	 * rows, of which SQLite makes the answer.
	 */
	bool grouped;
	const struct fast_expr *key[FAST_KEYS];
	bool descending[FAST_KEYS]; /* the order in which SQLite has groups */
	unsigned keys;
	struct fast_agg agg[FAST_AGGS];
	unsigned aggs;
	char *text;
	/* of rows: ORDER BY this column alone, LIMIT so many; or -1 */
	int top_column;
	bool top_descending;
	uint64_t top_count;
};

/* What the table that @text asks is called. */
#define FAST_TABLE "weir_groups"

/**
 * fast_query_parse - take a statement apart
 * @schema: borrowed, as long as the query
 * @text: the same as
 * @stmt: is compiled from; it names the columns of the answer. Neither is
 *        needed afterwards
 *
 * Return: 0, to be freed; -EOPNOTSUPP it is not of that sort; -ENOMEM.
 */
int fast_query_parse(struct fast_query **ret, const struct schema *schema,
		     sqlite3_stmt *stmt, const char *text);
void fast_query_free(struct fast_query *q); /* NULL-safe */

/**
 * fast_query_make - a histogram of a column (of FAST_QUANTILE), by another one
 * @value: one of integers
 * @by:    or NULL: one of all
 * @op:    FAST_GE: of those that are not negative; FAST_LT: how many are, as
 *         FAST_COUNT
 * Return: 0, to be freed; -ENOMEM, also where a column is not there.
 */
int fast_query_make(struct fast_query **ret, const struct schema_kind *k,
		    const char *value, const char *by, enum fast_op op);

/** fast_expr_text - is it a text? Else an integer. */
bool fast_expr_text(const struct fast_query *q, const struct fast_expr *x);

#endif
