// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_parse.c - a statement's clauses; see fast_query.h, fast_parse.h.
 */
#include "fast_parse.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define EVENTS "events"

/* Words that make of a statement another one. */
static bool is_foreign(const struct token *t)
{
	static const char *const words[] = {"ALL",
					    "CROSS",
					    "CURRENT_DATE",
					    "CURRENT_TIME",
					    "DISTINCT",
					    "EXCEPT",
					    "EXISTS",
					    "FILTER",
					    "INDEXED",
					    "INNER",
					    "INTERSECT",
					    "JOIN",
					    "LEFT",
					    "MATCH",
					    "NATURAL",
					    "OUTER",
					    "OVER",
					    "REGEXP",
					    "RIGHT",
					    "ROWID",
					    "SELECT",
					    "UNION",
					    "USING",
					    "VALUES",
					    "WINDOW",
					    "WITH",
					    "OID",
					    "_ROWID_",
					    "COLLATE",
					    "ESCAPE",
					    "CURRENT_TIMESTAMP"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (token_is(t, words[i]))
			return true;
	return t->type == TOKEN_NAME && !strcasecmp(t->text, "rowid");
}

/* ---- clauses ------------------------------------------------------------- */

static bool is_clause(const struct token *t)
{
	return t->type == TOKEN_END || token_is(t, "FROM") ||
	       token_is(t, "WHERE") || token_is(t, "GROUP") ||
	       token_is(t, "HAVING") || token_is(t, "ORDER") ||
	       token_is(t, "LIMIT");
}

/* What is before the next clause, or the next comma. Brackets count. */
static int take_span(struct parser *p, bool comma, struct span *ret)
{
	unsigned depth = 0;

	ret->from = p->at;
	for (;; p->at++) {
		const struct token *t = here(p);

		if (is_foreign(t) || (depth && t->type == TOKEN_END))
			return -EOPNOTSUPP;
		if (!depth &&
		    (is_clause(t) || (comma && token_is_sign(t, ','))))
			break;
		depth += token_is_sign(t, '(');
		if (token_is_sign(t, ')') && !depth--)
			return -EOPNOTSUPP;
	}
	ret->to = p->at;
	return ret->from < ret->to ? 0 : -EOPNOTSUPP;
}

static bool is_keyword(const struct token *t)
{
	static const char *const words[] = {
		"AND",	"AS", "BETWEEN", "CASE", "ELSE", "END",
		"GLOB", "IN", "IS",	 "LIKE", "NOT",	 "ISNULL",
		"NULL", "OR", "NOTNULL", "THEN", "WHEN"};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (token_is(t, words[i]))
			return true;
	return false;
}

static bool is_name(const struct token *t)
{
	return t->type == TOKEN_NAME ||
	       (t->type == TOKEN_WORD && !is_keyword(t));
}

/* x AS name, or x name: behind something that is whole. */
static void take_alias(struct parser *p, unsigned i)
{
	struct span *s = &p->item[i];
	const struct token *last = &p->tokens->token[s->to - 1];
	bool as = s->to - s->from > 2 && token_is(last - 1, "AS");

	if (s->to - s->from < 2 ||
	    (!is_name(last) && last->type != TOKEN_STRING))
		return;
	if (!as && !is_name(last - 1) && !token_is_sign(last - 1, ')') &&
	    last[-1].type != TOKEN_INTEGER && last[-1].type != TOKEN_REAL &&
	    last[-1].type != TOKEN_STRING && !token_is(last - 1, "END") &&
	    !token_is(last - 1, "NULL"))
		return;
	p->item_alias[i] = last->text;
	s->to -= 1 + as;
}

static int take_items(struct parser *p)
{
	int err;

	if (!parse_word(p, "SELECT"))
		return -EOPNOTSUPP;
	do {
		if (p->items == PARSE_ITEMS)
			return -EOPNOTSUPP;
		err = take_span(p, true, &p->item[p->items]);
		if (err)
			return err;
		take_alias(p, p->items++);
	} while (parse_take(p, ','));
	return 0;
}

/* Clauses in their order. */
static int take_clauses(struct parser *p)
{
	static const struct {
		const char *first, *second;
		size_t at;
	} clauses[] = {
		{"FROM", NULL, offsetof(struct parser, from_clause)},
		{"WHERE", NULL, offsetof(struct parser, where)},
		{"GROUP", "BY", offsetof(struct parser, group)},
		{"HAVING", NULL, offsetof(struct parser, having)},
		{"ORDER", "BY", offsetof(struct parser, order)},
		{"LIMIT", NULL, offsetof(struct parser, limit)},
	};
	size_t i;
	int err = 0;

	for (i = 0; i < sizeof(clauses) / sizeof(clauses[0]) && !err; i++) {
		if (!parse_word(p, clauses[i].first))
			continue;
		if (clauses[i].second && !parse_word(p, clauses[i].second))
			return -EOPNOTSUPP;
		err = take_span(p, false,
				(struct span *)((char *)p + clauses[i].at));
	}
	return !err && here(p)->type != TOKEN_END ? -EOPNOTSUPP : err;
}

/* ---- the table ----------------------------------------------------------- */

static const struct schema_kind *find_kind(const struct schema *s,
					   const char *name)
{
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(s, i);
		if (k && !strcasecmp(k->name, name))
			return k;
	}
	return NULL;
}

/* A kind that is called like one of the small tables has none of its own. */
static bool is_small(const char *name)
{
	return !strcasecmp(name, "tasks") || !strcasecmp(name, "account") ||
	       !strcasecmp(name, "losses");
}

static int take_table(struct parser *p, const struct schema *s)
{
	const struct token *t = &p->tokens->token[p->from_clause.from];
	unsigned n = p->from_clause.to - p->from_clause.from;
	bool as = n > 1 && token_is(&t[1], "AS");

	if (!n || n > 2U + (unsigned)as ||
	    (t->type != TOKEN_WORD && t->type != TOKEN_NAME))
		return -EOPNOTSUPP;
	p->table = t->text;
	if (n > 1) {
		if (t[n - 1].type != TOKEN_WORD || n != 2U + (unsigned)as)
			return -EOPNOTSUPP;
		p->alias = t[n - 1].text;
	}
	if (strcasecmp(p->table, EVENTS)) {
		p->q->kind = find_kind(s, p->table);
		if (!p->q->kind || is_small(p->table))
			return -EOPNOTSUPP;
	}
	return sql_columns_init(&p->q->columns, p->q->kind);
}

/* ---- rows ---------------------------------------------------------------- */

/* ORDER BY a column LIMIT a number [OFFSET a number]: the best are enough. */
static void take_top(struct parser *p)
{
	const struct token *t = &p->tokens->token[p->limit.from];
	unsigned n = p->limit.to - p->limit.from;
	int column;

	p->at = p->order.from;
	column = p->order.from < p->order.to ? parse_column(p) : -1;
	if (column < 0 || !n || t->type != TOKEN_INTEGER)
		return;
	p->q->top_descending = parse_word(p, "DESC");
	if (!p->q->top_descending)
		parse_word(p, "ASC");
	if (p->at != p->order.to)
		return;
	p->q->top_count = (uint64_t)t->integer;
	if (n == 3 && token_is(&t[1], "OFFSET") && t[2].type == TOKEN_INTEGER)
		p->q->top_count += (uint64_t)t[2].integer;
	else if (n != 1)
		return;
	p->q->top_column = column;
}

bool parse_is_alias(const struct parser *p, const struct token *t)
{
	unsigned i;

	for (i = 0; i < p->items && is_name(t); i++)
		if (p->item_alias[i] && !strcasecmp(p->item_alias[i], t->text))
			return true;
	return false;
}

/* Are there aggregates among what is asked? */
static bool has_aggregate(struct parser *p, const struct span *s)
{
	static const char *const plain[] = {
		"at",	  "span",   "size",	"abs",	   "round", "coalesce",
		"ifnull", "nullif", "iif",	"upper",   "lower", "substr",
		"length", "printf", "format",	"hex",	   "instr", "replace",
		"trim",	  "cast",   "strftime", "datetime"};
	unsigned i;
	size_t k;

	for (i = s->from; i < s->to; i++) {
		const struct token *t = &p->tokens->token[i];

		if (t->type != TOKEN_WORD || is_keyword(t) ||
		    !token_is_sign(t + 1, '('))
			continue;
		for (k = 0; k < sizeof(plain) / sizeof(plain[0]); k++)
			if (token_is(t, plain[k]))
				break;
		if (k == sizeof(plain) / sizeof(plain[0]))
			return true;
	}
	return false;
}

static int parse_rows(struct parser *p, bool all)
{
	unsigned i;

	for (i = 0; i < p->items; i++)
		if (has_aggregate(p, &p->item[i]))
			return -EOPNOTSUPP;
	if (has_aggregate(p, &p->order) || p->having.from < p->having.to)
		return -EOPNOTSUPP;
	if (all && p->order.from < p->order.to &&
	    !parse_is_alias(p, &p->tokens->token[p->order.from]))
		take_top(p);
	return p->q->preds || p->q->top_column >= 0 ? 0 : -EOPNOTSUPP;
}

/* ---- all of it ----------------------------------------------------------- */

static bool is_grouped(struct parser *p)
{
	unsigned i;

	for (i = 0; i < p->items; i++)
		if (has_aggregate(p, &p->item[i]))
			return true;
	return p->group.from < p->group.to;
}

static int parse(struct parser *p, const struct schema *s, sqlite3_stmt *stmt)
{
	bool all;
	int err = take_items(p);

	if (!err)
		err = take_clauses(p);
	if (!err)
		err = take_table(p, s);
	if (!err)
		err = parse_where(p, &all);
	if (err)
		return err;
	if (!is_grouped(p))
		return parse_rows(p, all);
	p->q->grouped = true;
	return all ? parse_groups(p, stmt) : -EOPNOTSUPP;
}

int fast_query_parse(struct fast_query **ret, const struct schema *schema,
		     sqlite3_stmt *stmt, const char *text)
{
	struct fast_query *q = calloc(1, sizeof(*q));
	struct tokens *tokens = malloc(sizeof(*tokens));
	struct parser p = {.q = q, .tokens = tokens};
	int err = q && tokens ? 0 : -ENOMEM;

	p.db = sqlite3_db_handle(stmt);
	if (q)
		q->top_column = -1;
	if (!err)
		err = tokens_read(tokens, &q->arena, text);
	if (!err)
		err = parse(&p, schema, stmt);
	free(tokens);
	if (err)
		fast_query_free(q);
	else
		*ret = q;
	return err;
}

void fast_query_free(struct fast_query *q)
{
	if (!q)
		return;
	sql_columns_done(&q->columns);
	arena_done(&q->arena);
	sqlite3_free(q->text);
	free(q);
}
