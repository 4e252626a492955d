// SPDX-License-Identifier: BSD-2-Clause
#include "fast_token.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool is_word_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' ||
	       (unsigned char)c >= 0x80;
}

/* Up to the closing quote; a doubled one stands for itself. */
static int read_quoted(struct token *t, struct arena *arena, char close)
{
	const char *p = t->at + 1;
	char *to;

	t->text = to = arena_alloc(arena, strlen(p) + 1);
	if (!to)
		return -ENOMEM;
	for (; *p; p++) {
		if (*p == close && p[1] != close)
			break;
		p += *p == close;
		*to++ = *p;
	}
	if (*p != close)
		return -EOPNOTSUPP;
	t->text_len = (size_t)(to - t->text);
	t->len = (size_t)(p + 1 - t->at);
	return 0;
}

static int read_number(struct token *t)
{
	char *end;
	size_t digits = strspn(t->at, "0123456789");

	errno = 0;
	t->integer = strtoll(t->at, &end, 10);
	t->type = TOKEN_INTEGER;
	if (errno || t->at[digits] == '.' || tolower(t->at[digits]) == 'e') {
		t->type = TOKEN_REAL;
		t->real = strtod(t->at, &end);
	}
	t->len = (size_t)(end - t->at);
	return is_word_char(*end) || (t->type == TOKEN_REAL && errno)
		       ? -EOPNOTSUPP
		       : 0;
}

static int read_word(struct token *t, struct arena *arena)
{
	while (is_word_char(t->at[t->len]))
		t->len++;
	t->type = TOKEN_WORD;
	t->text = arena_copy(arena, t->at, t->len);
	t->text_len = t->len;
	return t->text ? 0 : -ENOMEM;
}

static int read_sign(struct token *t)
{
	static const struct {
		char text[3];
		int sign;
	} two[] = {{"<=", TOKEN_LE}, {">=", TOKEN_GE},	   {"<>", TOKEN_NE},
		   {"!=", TOKEN_NE}, {"||", TOKEN_CONCAT}, {"==", '='}};
	size_t i;

	t->type = TOKEN_SIGN;
	if (!strncmp(t->at, "--", 2) || !strncmp(t->at, "/*", 2))
		return -EOPNOTSUPP; /* comments */
	for (i = 0; i < sizeof(two) / sizeof(two[0]); i++) {
		if (strncmp(t->at, two[i].text, 2))
			continue;
		t->sign = two[i].sign;
		t->len = 2;
		return 0;
	}
	if (!strchr("(),.;*+-/%=<>", *t->at))
		return -EOPNOTSUPP;
	t->sign = *t->at;
	t->len = 1;
	return 0;
}

static int read_one(struct token *t, struct arena *arena)
{
	char c = *t->at;

	switch (c) {
	case '\'':
		t->type = TOKEN_STRING;
		return read_quoted(t, arena, c);
	case '"':
	case '`':
		t->type = TOKEN_NAME;
		return read_quoted(t, arena, c);
	default:
		break;
	}
	if (isdigit((unsigned char)c) ||
	    (c == '.' && isdigit((unsigned char)t->at[1])))
		return read_number(t);
	return is_word_char(c) ? read_word(t, arena) : read_sign(t);
}

int tokens_read(struct tokens *ret, struct arena *arena, const char *text)
{
	struct token *t;
	int err;

	ret->count = 0;
	for (;;) {
		if (ret->count == TOKENS_MAX)
			return -EOPNOTSUPP;
		text += strspn(text, " \t\r\n\f");
		t = &ret->token[ret->count++];
		*t = (struct token){.type = TOKEN_END, .at = text};
		if (!*text || *text == ';')
			return 0;
		err = read_one(t, arena);
		if (err)
			return err;
		text += t->len;
	}
}

bool token_is(const struct token *t, const char *word)
{
	return t->type == TOKEN_WORD && !strcasecmp(t->text, word);
}

bool token_is_sign(const struct token *t, int sign)
{
	return t->type == TOKEN_SIGN && t->sign == sign;
}

static bool is_name(const struct token *t)
{
	return t->type == TOKEN_WORD || t->type == TOKEN_NAME;
}

bool token_same(const struct token *a, const struct token *b)
{
	if (is_name(a) && is_name(b))
		return !strcasecmp(a->text, b->text);
	if (a->type != b->type)
		return false;
	if (a->type == TOKEN_SIGN)
		return a->sign == b->sign;
	if (a->type == TOKEN_STRING)
		return a->text_len == b->text_len &&
		       !memcmp(a->text, b->text, a->text_len);
	return a->len == b->len && !memcmp(a->at, b->at, a->len);
}
