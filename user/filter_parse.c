// SPDX-License-Identifier: BSD-2-Clause
/* filter_parse.c - the grammar of filter.h, by recursive descent. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "filter_tree.h"

#define DEPTH_MAX  64 /* of parentheses and nots */
#define WORD_SHOWN 32 /* letters of a word in an error */

struct parser {
	struct compiler *c;
	const char *expr;
	size_t at;
	unsigned depth;
};

int filter_fail(struct compiler *c, size_t at, const char *fmt, ...)
{
	va_list ap;

	c->err->at = at;
	va_start(ap, fmt);
	vsnprintf(c->err->what, sizeof(c->err->what), fmt, ap);
	va_end(ap);
	return -EINVAL;
}

/* ---- words --------------------------------------------------------------- */

static char skip_blanks(struct parser *p)
{
	while (isspace((unsigned char)p->expr[p->at]))
		p->at++;
	return p->expr[p->at];
}

static bool is_name_char(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '.';
}

/* Length of the name that begins here; 0: none does. */
static size_t name_len(const struct parser *p)
{
	const char *s = p->expr + p->at;
	size_t len = 0;

	if (isdigit((unsigned char)*s) || *s == '.')
		return 0;
	while (is_name_char(s[len]))
		len++;
	return len;
}

static bool take(struct parser *p, const char *token)
{
	size_t len = strlen(token);

	skip_blanks(p);
	if (strncmp(p->expr + p->at, token, len) != 0)
		return false;
	p->at += len;
	return true;
}

static bool take_word(struct parser *p, const char *word)
{
	size_t len = strlen(word);

	skip_blanks(p);
	if (name_len(p) != len || strncasecmp(p->expr + p->at, word, len) != 0)
		return false;
	p->at += len;
	return true;
}

/* "'what is there'", or "the end", for an error. */
static const char *here(struct parser *p, char scratch[WORD_SHOWN + 8])
{
	const char *s = p->expr + p->at;
	size_t len;

	if (!skip_blanks(p))
		return "the end";
	s = p->expr + p->at;
	len = strcspn(s, " \t\n");
	if (len > WORD_SHOWN)
		len = WORD_SHOWN;
	snprintf(scratch, WORD_SHOWN + 8, "'%.*s'", (int)len, s);
	return scratch;
}

/* ---- values -------------------------------------------------------------- */

static int hex_digit(char c)
{
	if (isdigit((unsigned char)c))
		return c - '0';
	if (!isxdigit((unsigned char)c))
		return -1;
	return tolower((unsigned char)c) - 'a' + 10;
}

/* Take \" \\ \xHH; any other \ is left, for a glob to read. */
static char take_escaped(const char **s)
{
	const char *p = *s;

	if (p[0] == '\\' && (p[1] == '"' || p[1] == '\\')) {
		*s = p + 2;
		return p[1];
	}
	if (p[0] == '\\' && p[1] == 'x' && hex_digit(p[2]) >= 0 &&
	    hex_digit(p[3]) >= 0) {
		*s = p + 4;
		return (char)(hex_digit(p[2]) << 4 | hex_digit(p[3]));
	}
	*s = p + 1;
	return *p;
}

static int take_quoted(struct parser *p, struct literal *lit)
{
	char quote = p->expr[p->at], *text;
	const char *s = p->expr + p->at + 1;
	size_t n = 0;

	text = arena_alloc(p->c->arena, strlen(s) + 1);
	if (!text)
		return -ENOMEM;
	while (*s && *s != quote) {
		if (quote == '"')
			text[n++] = take_escaped(&s);
		else
			text[n++] = *s++;
	}
	if (!*s)
		return filter_fail(p->c, p->at, "this %c has no second one",
				   quote);
	p->at = (size_t)(s + 1 - p->expr);
	lit->text = text;
	lit->len = n;
	lit->quoted = true;
	return 0;
}

static int take_value(struct parser *p, struct literal *lit)
{
	char first = skip_blanks(p), scratch[WORD_SHOWN + 8];
	const char *s = p->expr + p->at;

	lit->at = p->at;
	if (first == '"' || first == '\'')
		return take_quoted(p, lit);
	lit->len = strcspn(s, " \t\r\n\v\f(),\"'&|");
	if (!lit->len)
		return filter_fail(p->c, p->at, "a value is missing before %s",
				   here(p, scratch));
	lit->text = arena_copy(p->c->arena, s, lit->len);
	p->at += lit->len;
	return lit->text ? 0 : -ENOMEM;
}

/* Append the value that stands here to @t's. */
static int add_value(struct parser *p, struct test *t, struct literal ***tail)
{
	struct literal *lit = arena_alloc(p->c->arena, sizeof(*lit));
	int err = lit ? take_value(p, lit) : -ENOMEM;

	if (err)
		return err;
	**tail = lit;
	*tail = &lit->next;
	t->literal_count++;
	return 0;
}

/* ( value, value, … ) */
static int take_list(struct parser *p, struct test *t)
{
	struct literal **tail = &t->literals;
	char scratch[WORD_SHOWN + 8];
	int err;

	if (!take(p, "("))
		return filter_fail(p->c, p->at,
				   "in wants a list: in (a, b), not %s",
				   here(p, scratch));
	do {
		err = add_value(p, t, &tail);
		if (err)
			return err;
	} while (take(p, ","));
	if (!take(p, ")"))
		return filter_fail(p->c, p->at, "',' or ')' expected, not %s",
				   here(p, scratch));
	return 0;
}

/* ---- tests --------------------------------------------------------------- */

static bool take_in(struct parser *p, enum test_op *ret_op)
{
	size_t at = p->at;

	if (take_word(p, "in")) {
		*ret_op = OP_IN;
		return true;
	}
	if (take_word(p, "not") && take_word(p, "in")) {
		*ret_op = OP_NOT_IN;
		return true;
	}
	p->at = at;
	return false;
}

/* Longer ones before those that they begin with. */
static const struct {
	const char *token;
	enum test_op op;
} operators[] = {
	{"==", OP_EQ}, {"=", OP_EQ},   {"!=", OP_NE},
	{"<=", OP_LE}, {"<", OP_LT},   {">=", OP_GE},
	{">", OP_GT},  {"~", OP_GLOB}, {"!~", OP_NOT_GLOB},
};

static bool take_operator(struct parser *p, enum test_op *ret_op)
{
	size_t i;

	for (i = 0; i < sizeof(operators) / sizeof(*operators); i++) {
		if (take(p, operators[i].token)) {
			*ret_op = operators[i].op;
			return true;
		}
	}
	return false;
}

static int parse_rest_of_test(struct parser *p, struct test *t)
{
	struct literal **tail = &t->literals;

	skip_blanks(p);
	t->op_at = p->at;
	if (take_in(p, &t->op))
		return take_list(p, t);
	if (!take_operator(p, &t->op)) {
		t->op = OP_ALONE;
		return 0;
	}
	return add_value(p, t, &tail);
}

static struct node *new_node(struct parser *p, enum node_type type)
{
	struct node *n = arena_alloc(p->c->arena, sizeof(*n));

	if (n)
		n->type = type;
	return n;
}

static int parse_test(struct parser *p, struct node **ret)
{
	struct node *n = new_node(p, NODE_TEST);
	char scratch[WORD_SHOWN + 8];
	struct test *t = arena_alloc(p->c->arena, sizeof(*t));
	size_t len;

	skip_blanks(p);
	len = name_len(p);
	if (!n || !t)
		return -ENOMEM;
	if (!len)
		return filter_fail(p->c, p->at, "a name is missing before %s",
				   here(p, scratch));
	t->at = p->at;
	t->name = arena_copy(p->c->arena, p->expr + p->at, len);
	if (!t->name)
		return -ENOMEM;
	p->at += len;
	n->test = t;
	*ret = n;
	return parse_rest_of_test(p, t);
}

/* ---- and, or, not -------------------------------------------------------- */

static int parse_or(struct parser *p, struct node **ret);

static int parse_parenthesis(struct parser *p, struct node **ret)
{
	char scratch[WORD_SHOWN + 8];
	size_t at = p->at - 1;
	int err = parse_or(p, ret);

	if (err || take(p, ")"))
		return err;
	if (!skip_blanks(p))
		return filter_fail(p->c, at, "this ( has no )");
	return filter_fail(p->c, p->at, "'and', 'or' or ')' expected, not %s",
			   here(p, scratch));
}

static int parse_not(struct parser *p, struct node **ret);

static int parse_negated(struct parser *p, struct node **ret)
{
	struct node *n = new_node(p, NODE_NOT);

	if (!n)
		return -ENOMEM;
	*ret = n;
	return parse_not(p, &n->child);
}

static int parse_not(struct parser *p, struct node **ret)
{
	int err;

	skip_blanks(p);
	if (p->depth == DEPTH_MAX)
		return filter_fail(p->c, p->at, "nested more than %d deep",
				   DEPTH_MAX);
	p->depth++;
	if (take(p, "("))
		err = parse_parenthesis(p, ret);
	else if (take_word(p, "not") || take(p, "!"))
		err = parse_negated(p, ret);
	else
		err = parse_test(p, ret);
	p->depth--;
	return err;
}

/* Hang @n, or its children when it is of @parent's type, at *@tail. */
static struct node **append(struct node *parent, struct node **tail,
			    struct node *n)
{
	*tail = n->type == parent->type ? n->child : n;
	while (*tail)
		tail = &(*tail)->next;
	return tail;
}

/* operand { word operand } */
static int parse_chain(struct parser *p, enum node_type type, const char *word,
		       const char *sign,
		       int (*operand)(struct parser *p, struct node **ret),
		       struct node **ret)
{
	struct node *n, *first = NULL, *parent = NULL, **tail = NULL;
	int err = operand(p, &first);

	*ret = first;
	while (!err && (take_word(p, word) || take(p, sign))) {
		if (!parent) {
			parent = new_node(p, type);
			if (!parent)
				return -ENOMEM;
			tail = append(parent, &parent->child, first);
			*ret = parent;
		}
		n = NULL;
		err = operand(p, &n);
		if (!err)
			tail = append(parent, tail, n);
	}
	return err;
}

static int parse_and(struct parser *p, struct node **ret)
{
	return parse_chain(p, NODE_AND, "and", "&&", parse_not, ret);
}

static int parse_or(struct parser *p, struct node **ret)
{
	return parse_chain(p, NODE_OR, "or", "||", parse_and, ret);
}

int filter_parse(struct compiler *c, struct node **ret)
{
	struct parser p = {.c = c, .expr = c->expr};
	char scratch[WORD_SHOWN + 8];
	int err;

	if (!skip_blanks(&p))
		return filter_fail(c, 0, "the expression is empty");
	err = parse_or(&p, ret);
	if (!err && skip_blanks(&p))
		err = filter_fail(c, p.at,
				  "an operator, 'and' or 'or' expected, not %s",
				  here(&p, scratch));
	return err;
}
