// SPDX-License-Identifier: BSD-2-Clause
/*
 * table.c - see table.h.
 */
#include "table.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "render.h"
#include "utf8.h"

#define GAP "  "

static void put_cell(struct table *t, const char *text, size_t len)
{
	render_escape(&t->cells, text, len);
	buf_putc(&t->cells, '\0');
}

void table_cell(struct table *t, const char *fmt, ...)
{
	va_list args;
	char *text;
	int len;

	va_start(args, fmt);
	len = vasprintf(&text, fmt, args);
	va_end(args);
	if (len < 0) {
		t->cells.err = -ENOMEM;
		return;
	}
	put_cell(t, text, (size_t)len);
	free(text);
}

void table_buf(struct table *t, struct buf *b)
{
	put_cell(t, b->len ? b->data : "", b->len);
	if (buf_err(b))
		t->cells.err = buf_err(b);
	buf_reset(b);
}

/* Columns on the screen. */
static size_t width_of(const char *cell)
{
	size_t width = 0;

	for (; *cell; cell++)
		width += ((unsigned char)*cell & 0xc0) != 0x80;
	return width;
}

static void pad(struct buf *b, size_t n)
{
	while (n--)
		buf_putc(b, ' ');
}

static void measure(const struct table *t, size_t columns, size_t *widths)
{
	const char *cell = t->cells.data, *end = cell + t->cells.len;
	size_t i, width;

	for (i = 0; cell < end; i++, cell += strlen(cell) + 1) {
		width = width_of(cell);
		if (width > widths[i % columns])
			widths[i % columns] = width;
	}
}

static void put_aligned(struct buf *out, const char *cell, size_t width,
			char align, bool last)
{
	size_t fill = width - width_of(cell);

	if (align == 'r')
		pad(out, fill);
	buf_puts(out, cell);
	if (align == 'l' && !last)
		pad(out, fill);
	if (!last)
		buf_puts(out, GAP);
}

/* An empty last cell leaves blanks behind the one before it. */
static void end_line(struct buf *out)
{
	while (out->len && out->data[out->len - 1] == ' ')
		out->len--;
	buf_putc(out, '\n');
}

void table_print(struct table *t, struct buf *out)
{
	size_t widths[TABLE_COLUMNS_MAX] = {0};
	size_t columns = strlen(t->align), i, c;
	const char *cell = t->cells.data, *end = cell + t->cells.len;

	if (buf_err(&t->cells)) {
		out->err = buf_err(&t->cells);
		buf_done(&t->cells);
		return;
	}
	measure(t, columns, widths);
	for (i = 0; cell < end; i++, cell += strlen(cell) + 1) {
		c = i % columns;
		put_aligned(out, cell, widths[c], t->align[c],
			    c + 1 == columns);
		if (c + 1 == columns)
			end_line(out);
	}
	buf_done(&t->cells);
}
