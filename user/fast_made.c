// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_made.c - questions that are made, not taken from a statement; see
 * fast_query.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_query.h"

static const struct fast_expr *make(struct fast_query *q,
				    const struct fast_expr *like)
{
	struct fast_expr *x = arena_alloc(&q->arena, sizeof(*x));

	if (x)
		*x = *like;
	return x;
}

/* Return: NULL: no memory, or there is no such column. */
static const struct fast_expr *column(struct fast_query *q, const char *name)
{
	struct fast_expr x = {.op = FAST_COLUMN};

	while (x.column < q->columns.count &&
	       strcmp(q->columns.column[x.column].name, name))
		x.column++;
	return x.column < q->columns.count ? make(q, &x) : NULL;
}

/* @value @op 0 */
static int add_condition(struct fast_query *q, const struct fast_expr *value,
			 enum fast_op op)
{
	struct fast_expr x = {.op = op, .a = value};
	struct fast_pred *p = &q->pred[q->preds++];

	x.b = make(q, &(struct fast_expr){.op = FAST_NUMBER});
	p->test = FAST_TEST_TRUE;
	p->what = x.b ? make(q, &x) : NULL;
	return p->what ? 0 : -ENOMEM;
}

static int make_all(struct fast_query *q, const char *value, const char *by,
		    enum fast_op op)
{
	const struct fast_expr *v = column(q, value);

	q->grouped = true;
	if (by)
		q->key[q->keys++] = column(q, by);
	if (!v || (by && !q->key[0]))
		return -ENOMEM;
	q->agg[q->aggs++] = op == FAST_LT
				    ? (struct fast_agg){.function = FAST_COUNT}
				    : (struct fast_agg){FAST_QUANTILE, v, 0};
	return add_condition(q, v, op);
}

int fast_query_make(struct fast_query **ret, const struct schema_kind *k,
		    const char *value, const char *by, enum fast_op op)
{
	struct fast_query *q = calloc(1, sizeof(*q));
	int err;

	if (!q)
		return -ENOMEM;
	q->kind = k;
	q->top_column = -1;
	err = sql_columns_init(&q->columns, k);
	if (!err)
		err = make_all(q, value, by, op);
	if (err)
		fast_query_free(q);
	else
		*ret = q;
	return err;
}
