// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_eval.c - batches, and expressions over them; see fast_eval.h.
 */
#include "fast_eval.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- batches ------------------------------------------------------------- */

int fast_eval_init(struct fast_eval *e, const struct fast_query *q,
		   const struct schema *schema, struct fast_texts *texts,
		   struct fast_view *tasks, struct fast_block *block)
{
	memset(e, 0, sizeof(*e));
	e->q = q;
	e->schema = schema;
	e->texts = texts;
	e->tasks = tasks;
	e->block = block;
	e->cache = calloc(q->columns.count, sizeof(*e->cache));
	return e->cache ? 0 : -ENOMEM;
}

void fast_eval_done(struct fast_eval *e)
{
	unsigned i;

	for (i = 0; e->cache && i < e->q->columns.count; i++) {
		free(e->cache[i].number);
		free(e->cache[i].value);
	}
	free(e->cache);
	for (i = 0; i < FAST_PREDS; i++)
		free(e->memo[i].known);
	buf_done(&e->record);
	buf_done(&e->scratch);
	pool_done(&e->pool);
}

void fast_eval_group(struct fast_eval *e, const struct schema_kind *k,
		     uint32_t group, uint32_t count)
{
	pool_reset(&e->pool);
	e->kind = k;
	e->group = group;
	e->count = count;
	e->by_turn = false;
	e->row = NULL;
	e->last = NULL;
}

int fast_eval_turns(struct fast_eval *e)
{
	int err = fast_block_turns(e->block);

	pool_reset(&e->pool);
	e->kind = NULL;
	e->by_turn = true;
	e->count = e->block->turns;
	e->row = NULL;
	e->last = NULL;
	return err;
}

int fast_eval_rows(struct fast_eval *e)
{
	if (e->row)
		return 0;
	return columns_group_rows(e->block->columns, e->kind->number, e->group,
				  &e->row);
}

int fast_eval_times(struct fast_eval *e, const uint64_t **ret)
{
	int err = fast_eval_rows(e);

	return err ? err
		   : columns_kind_times(e->block->columns, e->kind->number,
					ret);
}

/* ---- what can be said without looking ------------------------------------ */

struct bounds {
	int64_t lo, hi;
};

/* Return: false: nothing is known, or it may be NULL. */
static bool bound(const struct fast_eval *e, const struct fast_expr *x,
		  struct bounds *ret);

static bool bound_column(const struct fast_eval *e, unsigned column,
			 struct bounds *ret)
{
	const struct archive_block *b = &e->block->at;

	if (e->q->columns.column[column].what != SQL_TS)
		return false;
	ret->lo = (int64_t)b->first_ns + b->wall_offset;
	ret->hi = (int64_t)b->last_ns + b->wall_offset;
	return ret->lo <= ret->hi;
}

static bool bound_made(const struct fast_eval *e, const struct fast_expr *x,
		       struct bounds *ret)
{
	struct bounds a, b;

	if (!bound(e, x->a, &a) || !bound(e, x->b, &b) || b.lo != b.hi)
		return false;
	switch (x->op) {
	case FAST_ADD:
		return !__builtin_add_overflow(a.lo, b.lo, &ret->lo) &&
		       !__builtin_add_overflow(a.hi, b.lo, &ret->hi);
	case FAST_SUB:
		return !__builtin_sub_overflow(a.lo, b.lo, &ret->lo) &&
		       !__builtin_sub_overflow(a.hi, b.lo, &ret->hi);
	case FAST_MUL:
		return b.lo > 0 &&
		       !__builtin_mul_overflow(a.lo, b.lo, &ret->lo) &&
		       !__builtin_mul_overflow(a.hi, b.lo, &ret->hi);
	case FAST_DIV:
		*ret = (struct bounds){b.lo ? a.lo / b.lo : 0,
				       b.lo ? a.hi / b.lo : 0};
		return b.lo > 0;
	default:
		return false;
	}
}

static bool bound(const struct fast_eval *e, const struct fast_expr *x,
		  struct bounds *ret)
{
	switch (x->op) {
	case FAST_NUMBER:
		ret->lo = ret->hi = x->number;
		return true;
	case FAST_COLUMN:
		return bound_column(e, x->column, ret);
	default:
		return bound_made(e, x, ret);
	}
}

/* Return: 1 it holds for all; 0 for none; -1 who knows. */
static int compare_bounds(enum fast_op op, struct bounds a, struct bounds b)
{
	switch (op) {
	case FAST_LT:
		return a.hi < b.lo ? 1 : a.lo >= b.hi ? 0 : -1;
	case FAST_LE:
		return a.hi <= b.lo ? 1 : a.lo > b.hi ? 0 : -1;
	case FAST_GT:
		return compare_bounds(FAST_LT, b, a);
	case FAST_GE:
		return compare_bounds(FAST_LE, b, a);
	default:
		return -1;
	}
}

static int compare_known(const struct fast_eval *e, const struct fast_expr *x)
{
	struct bounds a, b;

	if (x->op < FAST_EQ || !bound(e, x->a, &a) || !bound(e, x->b, &b))
		return -1;
	return compare_bounds(x->op, a, b);
}

bool fast_eval_known(const struct fast_eval *e, const struct fast_expr *x)
{
	return compare_known(e, x) >= 0;
}

static bool is_timed(const struct fast_eval *e, const struct fast_expr *x)
{
	enum sql_what what;

	if (!x)
		return false;
	if (x->op != FAST_COLUMN)
		return is_timed(e, x->a) || is_timed(e, x->b);
	what = e->q->columns.column[x->column].what;
	return what == SQL_TS || what == SQL_TIME;
}

bool fast_eval_timeless(struct fast_eval *e)
{
	const struct fast_query *q = e->q;
	struct bounds b;
	unsigned i;

	for (i = 0; i < q->preds; i++)
		if (is_timed(e, q->pred[i].what) &&
		    (q->pred[i].test != FAST_TEST_TRUE ||
		     compare_known(e, q->pred[i].what) < 0))
			return false;
	for (i = 0; i < q->keys; i++)
		if (is_timed(e, q->key[i]) &&
		    (!bound(e, q->key[i], &b) || b.lo != b.hi))
			return false;
	for (i = 0; i < q->aggs; i++)
		if (is_timed(e, q->agg[i].what))
			return false;
	return true;
}

/* ---- arithmetic ---------------------------------------------------------- */

/* Return: 0; 1 it is NULL; -EOPNOTSUPP SQLite goes on with reals. */
static int compute(enum fast_op op, int64_t a, int64_t b, int64_t *ret)
{
	bool over = false;

	switch (op) {
	case FAST_ADD:
		over = __builtin_add_overflow(a, b, ret);
		break;
	case FAST_SUB:
		over = __builtin_sub_overflow(a, b, ret);
		break;
	case FAST_MUL:
		over = __builtin_mul_overflow(a, b, ret);
		break;
	case FAST_DIV:
		if (!b)
			return 1;
		over = a == INT64_MIN && b == -1;
		*ret = over ? 0 : a / b;
		break;
	case FAST_MOD:
		if (!b)
			return 1;
		*ret = b == -1 ? 0 : a % b;
		break;
	case FAST_EQ:
		*ret = a == b;
		break;
	case FAST_NE:
		*ret = a != b;
		break;
	case FAST_LT:
		*ret = a < b;
		break;
	case FAST_LE:
		*ret = a <= b;
		break;
	case FAST_GT:
		*ret = a > b;
		break;
	default:
		*ret = a >= b;
	}
	return over ? -EOPNOTSUPP : 0;
}

static int64_t value_at(const struct fast_vector *v, uint32_t i)
{
	return v->same ? v->one : v->v[i];
}

static bool null_at(const struct fast_vector *v, uint32_t i)
{
	return v->same ? v->null : v->nulls && v->nulls[i];
}

static int combine_same(enum fast_op op, const struct fast_vector *a,
			const struct fast_vector *b, struct fast_vector *ret)
{
	int rc = a->null || b->null ? 1
				    : compute(op, a->one, b->one, &ret->one);

	ret->same = true;
	ret->null = rc == 1;
	return rc < 0 ? rc : 0;
}

/* The plain cases, in loops a compiler makes fast. */
static bool combine_plain(enum fast_op op, const int64_t *a, int64_t b,
			  int64_t *to, uint32_t n)
{
	uint32_t i;

	switch (op) {
	case FAST_LT:
		for (i = 0; i < n; i++)
			to[i] = a[i] < b;
		return true;
	case FAST_GT:
		for (i = 0; i < n; i++)
			to[i] = a[i] > b;
		return true;
	case FAST_LE:
		for (i = 0; i < n; i++)
			to[i] = a[i] <= b;
		return true;
	case FAST_GE:
		for (i = 0; i < n; i++)
			to[i] = a[i] >= b;
		return true;
	case FAST_EQ:
		for (i = 0; i < n; i++)
			to[i] = a[i] == b;
		return true;
	default:
		return false;
	}
}

static int combine(struct fast_eval *e, enum fast_op op,
		   const struct fast_vector *a, const struct fast_vector *b,
		   struct fast_vector *ret)
{
	int64_t *v = pool_alloc(&e->pool, e->count, sizeof(*v));
	uint8_t *nulls = NULL;
	uint32_t i;
	int rc;

	if (!v)
		return -ENOMEM;
	ret->v = v;
	if (!a->same && !a->nulls && b->same && !b->null &&
	    combine_plain(op, a->v, b->one, v, e->count))
		return 0;
	nulls = pool_zero(&e->pool, e->count, 1);
	if (!nulls)
		return -ENOMEM;
	ret->nulls = nulls;
	for (i = 0; i < e->count; i++) {
		v[i] = 0;
		rc = null_at(a, i) || null_at(b, i)
			     ? 1
			     : compute(op, value_at(a, i), value_at(b, i),
				       &v[i]);
		if (rc < 0)
			return rc;
		nulls[i] = rc == 1;
	}
	return 0;
}

static bool is_same_expr(const struct fast_expr *a, const struct fast_expr *b)
{
	if (!a || !b)
		return a == b;
	return a->op == b->op && a->column == b->column &&
	       a->number == b->number && is_same_expr(a->a, b->a) &&
	       is_same_expr(a->b, b->b);
}

static int compute_value(struct fast_eval *e, const struct fast_expr *x,
			 struct fast_vector *ret)
{
	struct fast_vector a, b;
	struct bounds known;
	int rc = compare_known(e, x);

	*ret = (struct fast_vector){.same = true, .one = rc};
	if (rc >= 0)
		return 0;
	if (bound(e, x, &known) && known.lo == known.hi) {
		ret->one = known.lo;
		return 0;
	}
	if (x->op == FAST_COLUMN)
		return fast_column_value(e, x->column, ret);
	rc = fast_eval_value(e, x->a, &a);
	if (!rc)
		rc = fast_eval_value(e, x->b, &b);
	*ret = (struct fast_vector){0};
	if (rc)
		return rc;
	return a.same && b.same ? combine_same(x->op, &a, &b, ret)
				: combine(e, x->op, &a, &b, ret);
}

/* Aggregates of the same follow each other: avg(x), quantile(x, 0.99). */
int fast_eval_value(struct fast_eval *e, const struct fast_expr *x,
		    struct fast_vector *ret)
{
	int err;

	if (e->last && is_same_expr(e->last, x)) {
		*ret = e->last_value;
		return 0;
	}
	err = compute_value(e, x, ret);
	e->last = err ? NULL : x;
	e->last_value = *ret;
	return err;
}

int fast_eval_number(struct fast_eval *e, const struct fast_expr *x,
		     const struct fast_vector *v, uint32_t i, uint32_t *ret)
{
	int64_t number;
	int err;

	if (v->symbols) {
		err = fast_column_symbol(e, x->column, (uint64_t)v->v[i],
					 &number);
		*ret = err ? 0 : (uint32_t)number;
		return err;
	}
	if (!v->strings) {
		*ret = (uint32_t)value_at(v, i);
		return 0;
	}
	*ret = 0;
	if (v->nulls && v->nulls[i])
		return 0;
	return fast_column_number(e, x->column, (uint32_t)v->v[i], ret);
}
