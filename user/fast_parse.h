/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_parse.h - what the files that take a statement apart share.
 *
 * All functions but those that say otherwise return 0; -EOPNOTSUPP; -ENOMEM.
 */
#ifndef WEIR_FAST_PARSE_H
#define WEIR_FAST_PARSE_H

#include "fast_query.h"
#include "fast_token.h"

#define PARSE_ITEMS 64

/* Tokens from @from to before @to. */
struct span {
	unsigned from, to;
};

struct parser {
	struct fast_query *q;
	struct tokens *tokens;
	unsigned at; /* the token at hand; TOKEN_END is never passed */
	sqlite3 *db;
	const char *table, *alias; /* what may stand before a column */
	struct span from_clause, where, group, having, order, limit;
	struct span item[PARSE_ITEMS]; /* the columns of the answer */
	const char *item_alias[PARSE_ITEMS];
	unsigned items;
};

/* The token at hand. */
static inline const struct token *here(const struct parser *p)
{
	return &p->tokens->token[p->at];
}

/** parse_take - go on if the token at hand is this sign. */
bool parse_take(struct parser *p, int sign);

/** parse_word - go on if it is this keyword. */
bool parse_word(struct parser *p, const char *word);

/** parse_is_alias - a name that an item has got: it stands for the item. */
bool parse_is_alias(const struct parser *p, const struct token *t);

/**
 * parse_column - a column, perhaps with its table before it
 * Return: its index, and behind it; -1: it is none, and where it was.
 */
int parse_column(struct parser *p);

/** parse_scalar - an integer, or a column. */
int parse_scalar(struct parser *p, const struct fast_expr **ret);

/** parse_compared - the same, or a comparison of integers. */
int parse_compared(struct parser *p, const struct fast_expr **ret);

/** parse_where - the conditions, as far as they are known here: fast_where.c
 * @ret_all: are there no others?
 */
int parse_where(struct parser *p, bool *ret_all);

/** parse_aggregate - count(*) and the like; -EOPNOTSUPP also for what is none
 * @ret: its number among those of the query
 */
int parse_aggregate(struct parser *p, unsigned *ret);

/** parse_groups - keys, aggregates and the text: fast_groups.c */
int parse_groups(struct parser *p, sqlite3_stmt *stmt);

#endif
