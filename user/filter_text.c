// SPDX-License-Identifier: BSD-2-Clause
/* filter_text.c - a filter's tree as the expression it is. */
#include <string.h>

#include "filter_tree.h"

static const char *const operators[] = {
	[OP_ALONE] = "", [OP_EQ] = "==",	 [OP_NE] = "!=",
	[OP_LT] = "<",	 [OP_LE] = "<=",	 [OP_GT] = ">",
	[OP_GE] = ">=",	 [OP_GLOB] = "~",	 [OP_NOT_GLOB] = "!~",
	[OP_IN] = "in",	 [OP_NOT_IN] = "not in",
};

static void put_literal(struct buf *b, const struct literal *lit)
{
	size_t i;

	if (!lit->quoted) {
		buf_put(b, lit->text, lit->len);
		return;
	}
	buf_putc(b, '"');
	for (i = 0; i < lit->len; i++) {
		if (lit->text[i] == '"' || lit->text[i] == '\\')
			buf_putc(b, '\\');
		if (lit->text[i])
			buf_putc(b, lit->text[i]);
		else
			buf_puts(b, "\\x00");
	}
	buf_putc(b, '"');
}

static void put_test(struct buf *b, const struct test *t)
{
	bool list = t->op == OP_IN || t->op == OP_NOT_IN;
	const struct literal *lit;

	buf_puts(b, t->name);
	if (t->op == OP_ALONE)
		return;
	buf_printf(b, " %s %s", operators[t->op], list ? "(" : "");
	for (lit = t->literals; lit; lit = lit->next) {
		put_literal(b, lit);
		if (lit->next)
			buf_puts(b, ", ");
	}
	buf_puts(b, list ? ")" : "");
}

/* An "and" or "or" inside of something else has parentheses. */
static void put_node(struct buf *b, const struct node *n, bool inside)
{
	bool wrap = inside && n->type != NODE_TEST && n->type != NODE_NOT;
	const struct node *child;

	if (n->type == NODE_TEST) {
		put_test(b, n->test);
		return;
	}
	if (n->type == NODE_NOT)
		buf_puts(b, "not ");
	buf_puts(b, wrap ? "(" : "");
	for (child = n->child; child; child = child->next) {
		put_node(b, child, true);
		if (child->next)
			buf_puts(b, n->type == NODE_AND ? " and " : " or ");
	}
	buf_puts(b, wrap ? ")" : "");
}

void filter_put(struct buf *b, const struct node *n)
{
	put_node(b, n, false);
}
