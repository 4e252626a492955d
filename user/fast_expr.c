// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_expr.c - integers in a statement: columns, numbers, what is made of
 * them, and aggregates of them; see fast_parse.h.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fast_parse.h"

#define DEPTH_MAX 16

bool parse_take(struct parser *p, int sign)
{
	if (!token_is_sign(here(p), sign))
		return false;
	p->at++;
	return true;
}

bool parse_word(struct parser *p, const char *word)
{
	if (!token_is(here(p), word))
		return false;
	p->at++;
	return true;
}

/* ---- columns ------------------------------------------------------------- */

static int find_column(const struct sql_columns *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->count; i++)
		if (!strcasecmp(c->column[i].name, name))
			return (int)i;
	return -1;
}

static bool is_name(const struct token *t)
{
	return t->type == TOKEN_WORD || t->type == TOKEN_NAME;
}

static bool is_table(const struct parser *p, const struct token *t)
{
	return is_name(t) &&
	       !strcasecmp(t->text, p->alias ? p->alias : p->table);
}

int parse_column(struct parser *p)
{
	const struct token *t = here(p);
	bool qualified = is_name(t) && token_is_sign(t + 1, '.');
	int column;

	if (qualified && !is_table(p, t))
		return -1;
	if (qualified)
		t += 2;
	if (!is_name(t) || token_is_sign(t + 1, '(') ||
	    token_is_sign(t + 1, '.'))
		return -1;
	column = find_column(&p->q->columns, t->text);
	if (column >= 0)
		p->at += qualified ? 3 : 1;
	return column;
}

/* What must be put together of several fields, or is a time of day. */
static bool is_plain(const struct sql_column *c)
{
	const struct schema_field *f = c->field;

	switch (c->what) {
	case SQL_TIME:
	case SQL_FULL:
		return false;
	case SQL_FIELD:
		return c->integer || f->type > FIELD_INT || f->count == 1;
	default:
		return true;
	}
}

bool fast_expr_text(const struct fast_query *q, const struct fast_expr *x)
{
	return x->op == FAST_COLUMN && !q->columns.column[x->column].integer;
}

/* ---- expressions --------------------------------------------------------- */

/* Of two numbers: SQLite computes them once, too. */
static bool fold(struct fast_expr *x)
{
	int64_t a = x->a->number, b = x->b->number;

	if (x->a->op != FAST_NUMBER || x->b->op != FAST_NUMBER)
		return true;
	switch (x->op) {
	case FAST_ADD:
		x->op = FAST_NUMBER;
		return !__builtin_add_overflow(a, b, &x->number);
	case FAST_SUB:
		x->op = FAST_NUMBER;
		return !__builtin_sub_overflow(a, b, &x->number);
	case FAST_MUL:
		x->op = FAST_NUMBER;
		return !__builtin_mul_overflow(a, b, &x->number);
	default:
		return true;
	}
}

static int make(struct parser *p, enum fast_op op, const struct fast_expr *a,
		const struct fast_expr *b, const struct fast_expr **ret)
{
	struct fast_expr *x = arena_alloc(&p->q->arena, sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = (struct fast_expr){.op = op, .a = a, .b = b};
	*ret = x;
	if (fast_expr_text(p->q, a) || fast_expr_text(p->q, b) || !fold(x))
		return -EOPNOTSUPP;
	return 0;
}

static int make_number(struct parser *p, int64_t v,
		       const struct fast_expr **ret)
{
	struct fast_expr *x = arena_alloc(&p->q->arena, sizeof(*x));

	if (!x)
		return -ENOMEM;
	*x = (struct fast_expr){.op = FAST_NUMBER, .number = v};
	*ret = x;
	return 0;
}

static int make_column(struct parser *p, int column,
		       const struct fast_expr **ret)
{
	struct fast_expr *x = arena_alloc(&p->q->arena, sizeof(*x));

	if (!is_plain(&p->q->columns.column[column]))
		return -EOPNOTSUPP;
	if (!x)
		return -ENOMEM;
	*x = (struct fast_expr){.op = FAST_COLUMN, .column = (unsigned)column};
	*ret = x;
	return 0;
}

/* at('-5m') and the like: SQLite knows. */
static int call(struct parser *p, const struct fast_expr **ret)
{
	static const char *const known[] = {"at", "span", "size"};
	const struct token *t = here(p);
	sqlite3_stmt *stmt = NULL;
	bool is_known = false;
	char *text;
	size_t i;
	int err = -EOPNOTSUPP;

	for (i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		is_known |= token_is(t, known[i]);
	if (!is_known || !token_is_sign(t + 1, '(') ||
	    t[2].type != TOKEN_STRING || !token_is_sign(t + 3, ')'))
		return -EOPNOTSUPP;
	p->at += 4;
	text = sqlite3_mprintf("SELECT %s(%Q)", t->text, t[2].text);
	if (text && !sqlite3_prepare_v2(p->db, text, -1, &stmt, NULL) &&
	    sqlite3_step(stmt) == SQLITE_ROW &&
	    sqlite3_column_type(stmt, 0) == SQLITE_INTEGER)
		err = make_number(p, sqlite3_column_int64(stmt, 0), ret);
	sqlite3_finalize(stmt);
	sqlite3_free(text);
	return err;
}

static int parse_sum(struct parser *p, unsigned depth,
		     const struct fast_expr **ret);

static int parse_factor(struct parser *p, unsigned depth,
			const struct fast_expr **ret)
{
	const struct token *t;
	int column, err;

	if (depth > DEPTH_MAX)
		return -EOPNOTSUPP;
	if (parse_take(p, '(')) {
		err = parse_sum(p, depth + 1, ret);
		return err ? err : parse_take(p, ')') ? 0 : -EOPNOTSUPP;
	}
	column = parse_column(p);
	if (column >= 0)
		return make_column(p, column, ret);
	t = here(p);
	if (token_is_sign(t, '-') && t[1].type == TOKEN_INTEGER) {
		p->at += 2;
		return make_number(p, -t[1].integer, ret);
	}
	if (t->type != TOKEN_INTEGER)
		return call(p, ret);
	p->at++;
	return make_number(p, t->integer, ret);
}

struct infix {
	int sign;
	enum fast_op op;
};

/* Operands by @next, left to right, signs from @signs. */
static int parse_chain(struct parser *p, unsigned depth,
		       const struct infix *signs, unsigned count,
		       int (*next)(struct parser *p, unsigned depth,
				   const struct fast_expr **ret),
		       const struct fast_expr **ret)
{
	const struct fast_expr *b;
	int err = next(p, depth, ret);
	unsigned i = 0;

	while (!err && i < count) {
		for (i = 0; i < count; i++)
			if (parse_take(p, signs[i].sign))
				break;
		if (i == count)
			break;
		err = next(p, depth, &b);
		if (!err)
			err = make(p, signs[i].op, *ret, b, ret);
	}
	return err;
}

static int parse_product(struct parser *p, unsigned depth,
			 const struct fast_expr **ret)
{
	static const struct infix signs[] = {
		{'*', FAST_MUL}, {'/', FAST_DIV}, {'%', FAST_MOD}};

	return parse_chain(p, depth, signs, 3, parse_factor, ret);
}

static int parse_sum(struct parser *p, unsigned depth,
		     const struct fast_expr **ret)
{
	static const struct infix signs[] = {{'+', FAST_ADD}, {'-', FAST_SUB}};

	return parse_chain(p, depth, signs, 2, parse_product, ret);
}

int parse_scalar(struct parser *p, const struct fast_expr **ret)
{
	return parse_sum(p, 0, ret);
}

/* One comparison: a second one after it would bind otherwise. */
int parse_compared(struct parser *p, const struct fast_expr **ret)
{
	static const struct infix signs[] = {
		{'=', FAST_EQ},	     {TOKEN_NE, FAST_NE}, {'<', FAST_LT},
		{TOKEN_LE, FAST_LE}, {'>', FAST_GT},	  {TOKEN_GE, FAST_GE}};
	const struct fast_expr *b;
	unsigned i;
	int err = parse_scalar(p, ret);

	if (err)
		return err;
	for (i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
		if (!parse_take(p, signs[i].sign))
			continue;
		err = parse_scalar(p, &b);
		return err ? err : make(p, signs[i].op, *ret, b, ret);
	}
	return 0;
}

/* ---- aggregates ---------------------------------------------------------- */

static const struct {
	const char *name;
	enum fast_function function;
	bool texts; /* takes them, too */
} functions[] = {
	{"count", FAST_COUNT, true},
	{"sum", FAST_SUM, false},
	{"total", FAST_TOTAL, false},
	{"avg", FAST_AVG, false},
	{"min", FAST_MIN, true},
	{"max", FAST_MAX, true},
	{"quantile", FAST_QUANTILE, false},
};
#define FUNCTIONS (sizeof(functions) / sizeof(functions[0]))

static int parse_share(struct parser *p, double *ret)
{
	const struct token *t;

	if (!parse_take(p, ','))
		return -EOPNOTSUPP;
	t = here(p);
	p->at++;
	*ret = t->type == TOKEN_REAL ? t->real : (double)t->integer;
	if (t->type != TOKEN_REAL && t->type != TOKEN_INTEGER)
		return -EOPNOTSUPP;
	return *ret >= 0 && *ret <= 1 ? 0 : -EOPNOTSUPP;
}

static int keep(struct parser *p, const struct fast_agg *a, unsigned *ret)
{
	struct fast_query *q = p->q;

	if (q->aggs == FAST_AGGS)
		return -EOPNOTSUPP;
	*ret = q->aggs;
	q->agg[q->aggs++] = *a;
	return 0;
}

int parse_aggregate(struct parser *p, unsigned *ret)
{
	struct fast_agg a = {0};
	size_t i = 0;
	int err = 0;

	while (i < FUNCTIONS && !token_is(here(p), functions[i].name))
		i++;
	if (i == FUNCTIONS || !token_is_sign(here(p) + 1, '('))
		return -EOPNOTSUPP;
	p->at += 2;
	a.function = functions[i].function;
	if (a.function != FAST_COUNT || !parse_take(p, '*'))
		err = parse_compared(p, &a.what);
	if (!err && a.what && fast_expr_text(p->q, a.what) &&
	    !functions[i].texts)
		err = -EOPNOTSUPP;
	if (!err && a.function == FAST_QUANTILE)
		err = parse_share(p, &a.share);
	if (!err && !parse_take(p, ')'))
		err = -EOPNOTSUPP;
	return err ? err : keep(p, &a, ret);
}
