// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_groups.c - the keys and aggregates of a statement, and what is asked of
 * them; see fast_parse.h.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "fast_parse.h"

/* The text being made, and the keys as they were written. */
struct rewriting {
	struct parser *p;
	sqlite3_str *to;
	struct span key[FAST_KEYS];
};

/* ---- keys ---------------------------------------------------------------- */

static bool is_same_span(const struct parser *p, struct span a, struct span b)
{
	unsigned i;

	if (a.to - a.from != b.to - b.from)
		return false;
	for (i = 0; i < a.to - a.from; i++)
		if (!token_same(&p->tokens->token[a.from + i],
				&p->tokens->token[b.from + i]))
			return false;
	return true;
}

/*
 * GROUP BY 2 is the second item, GROUP BY name the item of this name, unless
 * there is a column called so.
 */
static int resolve(struct parser *p, struct span *s)
{
	const struct token *t = &p->tokens->token[s->from];
	unsigned i;

	if (s->to - s->from != 1)
		return 0;
	if (t->type == TOKEN_INTEGER) {
		if (t->integer < 1 || t->integer > p->items)
			return -EOPNOTSUPP;
		*s = p->item[t->integer - 1];
		return 0;
	}
	p->at = s->from;
	if (parse_column(p) >= 0)
		return 0;
	if (t->type == TOKEN_STRING)
		return -EOPNOTSUPP;
	for (i = 0; i < p->items; i++) {
		if (!p->item_alias[i] || !t->text ||
		    strcasecmp(p->item_alias[i], t->text))
			continue;
		*s = p->item[i];
		return 0;
	}
	return -EOPNOTSUPP;
}

static int parse_key(struct parser *p, struct span s)
{
	const struct fast_expr **ret = &p->q->key[p->q->keys];
	int err;

	p->at = s.from;
	err = parse_scalar(p, ret);
	/* a number alone is no key, and SQLite says so */
	if (!err && (p->at != s.to || (*ret)->op == FAST_NUMBER))
		err = -EOPNOTSUPP;
	p->q->keys += !err;
	return err;
}

static unsigned end_of_term(const struct parser *p, unsigned at, unsigned end)
{
	unsigned depth = 0;

	for (; at < end; at++) {
		const struct token *t = &p->tokens->token[at];

		depth += token_is_sign(t, '(');
		depth -= token_is_sign(t, ')');
		if (!depth && token_is_sign(t, ','))
			break;
	}
	return at;
}

static int parse_keys(struct rewriting *r)
{
	struct parser *p = r->p;
	unsigned at = p->group.from, end;
	struct span s;
	int err = 0;

	for (; at < p->group.to && !err; at = end + 1) {
		if (p->q->keys == FAST_KEYS)
			return -EOPNOTSUPP;
		end = end_of_term(p, at, p->group.to);
		s = (struct span){at, end};
		err = resolve(p, &s);
		r->key[p->q->keys] = s;
		if (!err)
			err = parse_key(p, s);
	}
	return err;
}

/*
 * SQLite sorts rows to group them, and where ORDER BY has as many terms as
 * GROUP BY it sorts them downwards where the former says DESC, whatever its
 * terms are (sqlite3Select()). Groups that ORDER BY does not tell apart stay
 * in this order.
 */
static void parse_directions(struct parser *p)
{
	bool desc[FAST_KEYS] = {false};
	unsigned at = p->order.from, end, n = 0, i;

	for (; at < p->order.to; at = end + 1, n++) {
		end = end_of_term(p, at, p->order.to);
		for (i = at; i < end && n < FAST_KEYS; i++)
			desc[n] |= token_is(&p->tokens->token[i], "DESC");
	}
	if (n == p->q->keys)
		memcpy(p->q->descending, desc, sizeof(desc));
}

/* ---- text ---------------------------------------------------------------- */

/* Nothing of an expression around it can tear a key apart. */
static bool stands_alone(const struct parser *p, struct span within,
			 struct span s)
{
	const struct token *before = &p->tokens->token[s.from - 1];
	const struct token *after = &p->tokens->token[s.to];

	if (s.to - s.from == 1)
		return true;
	return (s.from == within.from || token_is_sign(before, '(') ||
		token_is_sign(before, ',')) &&
	       (s.to == within.to || token_is_sign(after, ')') ||
		token_is_sign(after, ',') || token_is(after, "DESC") ||
		token_is(after, "ASC"));
}

/* Return: which key is here, or -1. */
static int find_key(const struct rewriting *r, struct span within, unsigned at)
{
	const struct parser *p = r->p;
	unsigned i;

	for (i = 0; i < p->q->keys; i++) {
		struct span s = {at, at + r->key[i].to - r->key[i].from};

		if (s.to <= within.to && is_same_span(p, s, r->key[i]) &&
		    stands_alone(p, within, s))
			return (int)i;
	}
	return -1;
}

static bool is_known(const struct token *t)
{
	static const char *const words[] = {
		"CASE",	 "WHEN",    "THEN", "ELSE",  "END",	"AND",	"OR",
		"NOT",	 "IS",	    "NULL", "IN",    "BETWEEN", "LIKE", "GLOB",
		"AS",	 "INTEGER", "INT",  "REAL",  "TEXT",	"DESC", "ASC",
		"NULLS", "FIRST",   "LAST", "OFFSET"};
	static const char *const functions[] = {
		"at",	  "span",   "size",   "abs",   "round", "coalesce",
		"ifnull", "nullif", "iif",    "upper", "lower", "substr",
		"length", "printf", "format", "cast"};
	bool call = token_is_sign(t + 1, '(');
	size_t i;

	for (i = 0; i < sizeof(functions) / sizeof(functions[0]) && call; i++)
		if (token_is(t, functions[i]))
			return true;
	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

/* Return: which aggregate is this, of those that are there. */
static unsigned first_like(const struct fast_query *q, unsigned agg)
{
	const struct fast_agg *a = &q->agg[agg], *b;
	unsigned i;

	for (i = 0; i < agg; i++) {
		b = &q->agg[i];
		if (a->function == b->function && !a->what && !b->what)
			return i;
	}
	return agg;
}

static int put_aggregate(struct rewriting *r)
{
	unsigned agg, like;
	int err = parse_aggregate(r->p, &agg);

	if (err)
		return err;
	like = first_like(r->p->q, agg);
	if (like != agg)
		r->p->q->aggs--;
	sqlite3_str_appendf(r->to, " _weir_a%u", like);
	return 0;
}

/* One token, or what becomes one. @names: of items, which stay as they are. */
static int put_next(struct rewriting *r, struct span within, bool names)
{
	struct parser *p = r->p;
	const struct token *t = here(p);
	int key = find_key(r, within, p->at), err;

	if (key >= 0) {
		sqlite3_str_appendf(r->to, " _weir_k%d", key);
		p->at += r->key[key].to - r->key[key].from;
		return 0;
	}
	if (t->type == TOKEN_WORD || t->type == TOKEN_NAME) {
		err = put_aggregate(r);
		if (err != -EOPNOTSUPP)
			return err;
		p->at = (unsigned)(t - p->tokens->token);
		if (parse_column(p) >= 0) /* of which row of the group? */
			return -EOPNOTSUPP;
		if (!(t->type == TOKEN_WORD && is_known(t)) &&
		    !(names && parse_is_alias(p, t)))
			return -EOPNOTSUPP;
	}
	sqlite3_str_appendf(r->to, " %.*s", (int)t->len, t->at);
	p->at++;
	return 0;
}

static int put_span(struct rewriting *r, struct span s, bool names)
{
	int err = 0;

	r->p->at = s.from;
	while (r->p->at < s.to && !err)
		err = put_next(r, s, names);
	return err;
}

static int put_items(struct rewriting *r, sqlite3_stmt *stmt)
{
	struct parser *p = r->p;
	unsigned i;
	int err = 0;

	if (sqlite3_column_count(stmt) != (int)p->items)
		return -EOPNOTSUPP; /* there was a * */
	for (i = 0; i < p->items && !err; i++) {
		sqlite3_str_appendall(r->to, i ? "," : "SELECT");
		err = put_span(r, p->item[i], false);
		sqlite3_str_appendf(r->to, " AS \"%w\"",
				    sqlite3_column_name(stmt, (int)i));
	}
	return err;
}

/* Is it nothing but a name, and how to sort by it? */
static bool is_alone(const struct parser *p, struct span s)
{
	const struct token *t = &p->tokens->token[s.from + 1];

	return s.to == s.from + 1 || token_is(t, "DESC") ||
	       token_is(t, "ASC") || token_is(t, "NULLS");
}

/* A name alone is an item's before it is a column's, also in brackets. */
static int put_term(struct rewriting *r, struct span s)
{
	const struct parser *p = r->p;
	const struct token *t = &p->tokens->token[s.from];
	unsigned i = 0;

	while (token_is_sign(&t[i], '('))
		i++;
	if (i && parse_is_alias(p, &t[i]))
		return -EOPNOTSUPP;
	if (parse_is_alias(p, t) && is_alone(p, s)) {
		sqlite3_str_appendf(r->to, " \"%w\"", t->text);
		s.from++;
	}
	return put_span(r, s, true);
}

static int put_order(struct rewriting *r)
{
	struct parser *p = r->p;
	unsigned at = p->order.from, end;
	int err = 0;

	for (; at < p->order.to && !err; at = end + 1) {
		end = end_of_term(p, at, p->order.to);
		sqlite3_str_appendall(r->to,
				      at == p->order.from ? " ORDER BY" : ",");
		err = put_term(r, (struct span){at, end});
	}
	return err;
}

static int put_text(struct rewriting *r, sqlite3_stmt *stmt)
{
	struct parser *p = r->p;
	int err = put_items(r, stmt);

	sqlite3_str_appendall(r->to, " FROM " FAST_TABLE);
	if (!err && p->having.from < p->having.to) {
		sqlite3_str_appendall(r->to, " WHERE");
		err = put_span(r, p->having, true);
	}
	if (!err)
		err = put_order(r);
	if (!err && p->limit.from < p->limit.to) {
		sqlite3_str_appendall(r->to, " LIMIT");
		err = put_span(r, p->limit, false);
	}
	return err;
}

int parse_groups(struct parser *p, sqlite3_stmt *stmt)
{
	struct rewriting r = {.p = p};
	int err = parse_keys(&r);

	if (err)
		return err;
	parse_directions(p);
	r.to = sqlite3_str_new(NULL);
	err = put_text(&r, stmt);
	p->q->text = sqlite3_str_finish(r.to);
	return err ? err : p->q->text ? 0 : -ENOMEM;
}
