// SPDX-License-Identifier: BSD-2-Clause
/*
 * opt_text.c - the rows of options as people and shells read them; see opt.h.
 */
#include <string.h>

#include "opt.h"

#define LINE_COLUMNS 79
#define HELP_COLUMN  28 /* where the text begins */

/* Break @text at blanks so that no line passes LINE_COLUMNS. */
static void put_wrapped(struct buf *b, size_t line, const char *text)
{
	size_t n;

	for (; *text; text += n + (text[n] != 0)) {
		n = strcspn(text, " ");
		if (b->len - line + 1 + n > LINE_COLUMNS) {
			buf_putc(b, '\n');
			line = b->len;
			buf_pad(b, line, HELP_COLUMN);
		} else if (b->len - line > HELP_COLUMN) {
			buf_putc(b, ' ');
		}
		buf_put(b, text, n);
	}
}

static void put_row(struct buf *b, const struct opt *o)
{
	size_t line = b->len;

	if (o->letter)
		buf_printf(b, "  -%c, --%s", o->letter, o->name);
	else
		buf_printf(b, "      --%s", o->name);
	if (o->type != OPT_FLAG)
		buf_printf(b, " %s", o->arg);
	if (b->len - line + 2 > HELP_COLUMN) {
		buf_putc(b, '\n');
		line = b->len;
	}
	buf_pad(b, line, HELP_COLUMN);
	put_wrapped(b, line, o->help);
	buf_putc(b, '\n');
}

static const struct opt help_row = {
	.letter = 'h',
	.name = "help",
	.help = "print this",
};

void opt_help(struct buf *b, const struct opt *const *tables)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, tables)
		put_row(b, o);
	put_row(b, &help_row);
}

/* A dot at the start of a word, and a backslash, mean something to roff. */
static void put_roff(struct buf *b, const char *text)
{
	for (; *text; text++) {
		if (*text == '\\')
			buf_puts(b, "\\e");
		else if (*text == '-')
			buf_puts(b, "\\-");
		else
			buf_putc(b, *text);
	}
}

static void put_man_row(struct buf *b, const struct opt *o)
{
	buf_puts(b, ".It ");
	if (o->letter)
		buf_printf(b, "Fl %c , ", o->letter);
	buf_printf(b, "Fl \\-%s", o->name);
	if (o->type != OPT_FLAG)
		buf_printf(b, " Ar %s", o->arg);
	buf_putc(b, '\n');
	put_roff(b, o->help);
	buf_putc(b, '\n');
}

void opt_man(struct buf *b, const struct opt *const *tables)
{
	const struct opt *const *t, *o;

	buf_puts(b, ".Bl -tag -width Ds\n");
	opt_for_each (t, o, tables)
		put_man_row(b, o);
	buf_puts(b, ".El\n");
}

void opt_names(struct buf *b, const struct opt *const *tables)
{
	const struct opt *const *t, *o;

	opt_for_each (t, o, tables) {
		if (o->letter)
			buf_printf(b, "-%c\n", o->letter);
		buf_printf(b, "--%s\n", o->name);
	}
	buf_puts(b, "--help\n");
}
