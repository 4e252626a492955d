// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_where.c - the conditions of a statement; see fast_parse.h.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fast_parse.h"

#define LIST_MAX    64
#define PATTERN_MAX 1000	       /* bytes; SQLite's own limit is higher */
#define EXACT_REAL  9007199254740992.0 /* 2^53 */

/* A value to compare with. */
struct literal {
	bool text;
	int64_t number;
	struct fast_text string;
};

/* "openat": where nothing is called so, SQLite takes it for a string. */
static bool is_text(struct parser *p)
{
	static const char *const rows[] = {"rowid", "oid", "_rowid_"};
	const struct token *t = here(p);
	unsigned at = p->at;
	bool column;
	size_t i;

	if (t->type != TOKEN_NAME || *t->at != '"')
		return t->type == TOKEN_STRING;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (!strcasecmp(t->text, rows[i]))
			return false;
	column = parse_column(p) >= 0;
	p->at = at;
	return !column && !token_is_sign(t + 1, '.') &&
	       !token_is_sign(t + 1, '(') && !parse_is_alias(p, t);
}

static int parse_literal(struct parser *p, struct literal *ret)
{
	const struct token *t = here(p);
	const struct fast_expr *x;
	int err;

	*ret = (struct literal){0};
	if (is_text(p)) {
		p->at++;
		if (strlen(t->text) != t->text_len)
			return -EOPNOTSUPP;
		ret->text = true;
		ret->string = (struct fast_text){t->text,
						 (uint32_t)t->text_len};
		return 0;
	}
	if (t->type == TOKEN_REAL) { /* 1e6 */
		p->at++;
		if (!(t->real <= EXACT_REAL) ||
		    (double)(int64_t)t->real != t->real)
			return -EOPNOTSUPP;
		ret->number = (int64_t)t->real;
		return 0;
	}
	err = parse_scalar(p, &x);
	if (!err && x->op != FAST_NUMBER)
		err = -EOPNOTSUPP;
	if (!err)
		ret->number = x->number;
	return err;
}

static int add(struct parser *p, const struct fast_pred *pred)
{
	if (p->q->preds == FAST_PREDS)
		return -EOPNOTSUPP;
	p->q->pred[p->q->preds++] = *pred;
	return 0;
}

/* ---- kinds of conditions ------------------------------------------------- */

/* SQLite compares texts with texts, and integers with integers. */
static int keep_list(struct parser *p, struct fast_pred *pred,
		     const struct literal *list, unsigned count)
{
	bool text = fast_expr_text(p->q, pred->what);
	struct fast_text *string = arena_array(&p->q->arena, count + 1,
					       sizeof(*string));
	int64_t *number = arena_array(&p->q->arena, count + 1, sizeof(*number));
	unsigned i;

	if (!string || !number)
		return -ENOMEM;
	for (i = 0; i < count; i++) {
		if (list[i].text != text)
			return -EOPNOTSUPP;
		string[i] = list[i].string;
		number[i] = list[i].number;
	}
	pred->count = count;
	pred->string = string;
	pred->number = number;
	pred->test = text ? FAST_TEST_STRINGS : FAST_TEST_NUMBERS;
	return 0;
}

static int parse_in(struct parser *p, struct fast_pred *pred)
{
	struct literal list[LIST_MAX];
	unsigned count = 0;
	int err;

	if (!parse_take(p, '('))
		return -EOPNOTSUPP;
	do {
		if (count == LIST_MAX)
			return -EOPNOTSUPP;
		err = parse_literal(p, &list[count++]);
		if (err)
			return err;
	} while (parse_take(p, ','));
	if (!parse_take(p, ')'))
		return -EOPNOTSUPP;
	err = keep_list(p, pred, list, count);
	return err ? err : add(p, pred);
}

static int compare_text(struct parser *p, struct fast_pred *pred,
			enum fast_op op, const struct literal *l)
{
	int err = keep_list(p, pred, l, 1);

	if (err)
		return err;
	if (op != FAST_EQ && op != FAST_NE) {
		pred->test = FAST_TEST_COMPARE;
		pred->compare = op;
	}
	pred->negated ^= op == FAST_NE;
	return add(p, pred);
}

static int compare_number(struct parser *p, struct fast_pred *pred,
			  enum fast_op op, const struct literal *l)
{
	struct fast_expr *x = arena_array(&p->q->arena, 2, sizeof(*x));

	if (!x)
		return -ENOMEM;
	if (l->text)
		return -EOPNOTSUPP;
	x[1] = (struct fast_expr){.op = FAST_NUMBER, .number = l->number};
	x[0] = (struct fast_expr){.op = op, .a = pred->what, .b = &x[1]};
	pred->what = x;
	pred->test = FAST_TEST_TRUE;
	return add(p, pred);
}

static int compare(struct parser *p, const struct fast_expr *what,
		   enum fast_op op, const struct literal *l)
{
	struct fast_pred pred = {.what = what};

	return fast_expr_text(p->q, what) ? compare_text(p, &pred, op, l)
					  : compare_number(p, &pred, op, l);
}

/* Of x NOT BETWEEN y AND z nobody asks. */
static int parse_between(struct parser *p, const struct fast_expr *what)
{
	struct literal lo, hi;
	int err = parse_literal(p, &lo);

	if (!err && !parse_word(p, "AND"))
		err = -EOPNOTSUPP;
	if (!err)
		err = parse_literal(p, &hi);
	if (!err)
		err = compare(p, what, FAST_GE, &lo);
	return err ? err : compare(p, what, FAST_LE, &hi);
}

static int parse_pattern(struct parser *p, struct fast_pred *pred)
{
	struct literal l;
	int err = parse_literal(p, &l);
	enum fast_test test = pred->test;

	if (!err && (!l.text || l.string.len > PATTERN_MAX))
		err = -EOPNOTSUPP;
	if (!err)
		err = keep_list(p, pred, &l, 1);
	pred->test = test;
	return err ? err : add(p, pred);
}

static int parse_is(struct parser *p, struct fast_pred *pred)
{
	pred->negated = parse_word(p, "NOT");
	pred->test = FAST_TEST_NULL;
	return parse_word(p, "NULL") ? add(p, pred) : -EOPNOTSUPP;
}

static int parse_sign(struct parser *p, const struct fast_expr *what)
{
	static const struct {
		int sign;
		enum fast_op op;
	} ops[] = {{'=', FAST_EQ}, {TOKEN_NE, FAST_NE},
		   {'<', FAST_LT}, {TOKEN_LE, FAST_LE},
		   {'>', FAST_GT}, {TOKEN_GE, FAST_GE}};
	struct literal l;
	size_t i;
	int err;

	for (i = 0; i < sizeof(ops) / sizeof(ops[0]); i++) {
		if (!parse_take(p, ops[i].sign))
			continue;
		err = parse_literal(p, &l);
		return err ? err : compare(p, what, ops[i].op, &l);
	}
	return -EOPNOTSUPP;
}

/* A time as text, which no other expression has. */
static int parse_time(struct parser *p, const struct fast_expr **ret)
{
	struct fast_expr *x;
	unsigned at = p->at;
	int column = parse_column(p);

	if (column < 0 || p->q->columns.column[column].what != SQL_TIME) {
		p->at = at;
		return -ENOENT;
	}
	x = arena_alloc(&p->q->arena, sizeof(*x));
	if (!x)
		return -ENOMEM;
	x->column = (unsigned)column;
	*ret = x;
	return 0;
}

static int parse_condition(struct parser *p)
{
	struct fast_pred pred = {0};
	bool time = false;
	int err;

	err = parse_time(p, &pred.what);
	time = !err;
	if (err == -ENOENT)
		err = parse_scalar(p, &pred.what);
	if (err)
		return err;
	if (parse_word(p, "IS"))
		return time ? -EOPNOTSUPP : parse_is(p, &pred);
	pred.negated = parse_word(p, "NOT");
	if (!pred.negated && parse_word(p, "BETWEEN"))
		return parse_between(p, pred.what);
	if (time)
		return pred.negated ? -EOPNOTSUPP : parse_sign(p, pred.what);
	if (parse_word(p, "IN"))
		return parse_in(p, &pred);
	pred.test = token_is(here(p), "LIKE") ? FAST_TEST_LIKE : FAST_TEST_GLOB;
	if (parse_word(p, "LIKE") || parse_word(p, "GLOB"))
		return fast_expr_text(p->q, pred.what) ? parse_pattern(p, &pred)
						       : -EOPNOTSUPP;
	return pred.negated ? -EOPNOTSUPP : parse_sign(p, pred.what);
}

/* ---- all of them --------------------------------------------------------- */

/* CASE is a bracket, too. */
static bool is_opening(const struct token *t)
{
	return token_is_sign(t, '(') || token_is(t, "CASE");
}

static bool is_closing(const struct token *t)
{
	return token_is_sign(t, ')') || token_is(t, "END");
}

/* To the next AND that is not in brackets, nor BETWEEN's. */
static int skip_condition(struct parser *p)
{
	unsigned depth = 0;

	for (; p->at < p->where.to; p->at++) {
		if (is_opening(here(p)))
			depth++;
		else if (is_closing(here(p)))
			depth--;
		else if (token_is(here(p), "BETWEEN"))
			return -EOPNOTSUPP;
		else if (!depth && token_is(here(p), "AND"))
			return 0;
	}
	return 0;
}

/* Where OR stands beside AND, no condition is certain. */
static bool has_or(const struct parser *p)
{
	unsigned depth = 0, i;

	for (i = p->where.from; i < p->where.to; i++) {
		const struct token *t = &p->tokens->token[i];

		depth += is_opening(t);
		depth -= is_closing(t);
		if (!depth && token_is(t, "OR"))
			return true;
	}
	return false;
}

int parse_where(struct parser *p, bool *ret_all)
{
	unsigned start, before;
	int err = 0;

	*ret_all = true;
	p->at = p->where.from;
	if (p->where.from < p->where.to && has_or(p)) {
		*ret_all = false;
		return 0;
	}
	while (p->at < p->where.to) {
		start = p->at;
		before = p->q->preds;
		err = parse_condition(p);
		if (err == -ENOMEM)
			return err;
		if (err || (p->at < p->where.to && !token_is(here(p), "AND"))) {
			*ret_all = false;
			p->q->preds = before;
			p->at = start;
			if (skip_condition(p))
				return 0;
		}
		p->at++; /* AND */
	}
	return 0;
}
