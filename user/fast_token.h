/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_token.h - the words of an SQL statement, as SQLite reads them.
 */
#ifndef WEIR_FAST_TOKEN_H
#define WEIR_FAST_TOKEN_H

#include "arena.h"

#include <stdbool.h>
#include <stdint.h>

enum token_type {
	TOKEN_END,
	TOKEN_WORD,   /* keyword or name */
	TOKEN_NAME,   /* a name, in quotes */
	TOKEN_STRING, /* in single quotes */
	TOKEN_INTEGER,
	TOKEN_REAL,
	TOKEN_SIGN, /* one of ( ) , . ; * + - / % = < > or two as below */
};

/* Signs of two characters. */
enum { TOKEN_LE = 256, TOKEN_GE, TOKEN_NE, TOKEN_CONCAT };

struct token {
	enum token_type type;
	const char *at; /* in the statement */
	size_t len;
	int sign;   /* of TOKEN_SIGN: a character, or TOKEN_LE …; == is '=' */
	char *text; /* of names and strings, without quotes; in the arena */
	size_t text_len;
	int64_t integer; /* of TOKEN_INTEGER; never negative */
	double real;	 /* of TOKEN_REAL; also integers beyond 64 bits */
};

#define TOKENS_MAX 512

struct tokens {
	struct token token[TOKENS_MAX]; /* the last is TOKEN_END */
	unsigned count;
};

/**
 * tokens_read - up to the end of the first statement
 * @text: borrowed as long as the tokens
 *
 * Return: 0; -EOPNOTSUPP something in it is not known here: comments,
 * parameters, [names], or more than TOKENS_MAX tokens; -ENOMEM.
 */
int tokens_read(struct tokens *ret, struct arena *arena, const char *text);

/** token_is - is it this keyword or name, in any case, without quotes? */
bool token_is(const struct token *t, const char *word);

/** token_is_sign - is it this character, or one of two: TOKEN_LE and on? */
bool token_is_sign(const struct token *t, int sign);

/** token_same - are they equal to SQLite? Names in any case, with quotes or
 * without; strings by bytes; numbers only as they are written. */
bool token_same(const struct token *a, const struct token *b);

#endif
