// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_sql_rows.c - see cmd_sql.h.
 */
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "cmd_sql.h"
#include "json.h"
#include "progress.h"
#include "render.h"

#define FLUSH_BYTES 65536
#define BATCH_ROWS  256 /* that decide the widths of a table */
#define BATCH_BYTES 262144
#define GAP	    2  /* blanks between columns */
#define NARROWEST   12 /* a column is not cut below, while others are wider */
#define CUT	    ".."

struct rows {
	sqlite3_stmt *stmt;
	int columns;
	struct buf out;
	/* table only */
	struct buf cells; /* of the batch; NUL after each */
	unsigned batch;
	bool named;	/* its first row has the names */
	size_t *widths; /* so far */
	bool *right;	/* aligned: a number */
	size_t line;	/* width of the terminal; 0: none */
};

static int flush(struct rows *r, size_t least)
{
	if (r->out.len < least)
		return buf_err(&r->out);
	progress_wipe();
	return buf_flush(&r->out, STDOUT_FILENO);
}

/* ---- values -------------------------------------------------------------- */

static void put_real(struct buf *b, double v)
{
	char text[32];
	int digits;

	for (digits = 15; digits <= 17; digits++) {
		snprintf(text, sizeof(text), "%.*g", digits, v);
		if (strtod(text, NULL) == v)
			break;
	}
	buf_puts(b, text);
}

static void put_hex(struct buf *b, const uint8_t *p, int len)
{
	int i;

	for (i = 0; i < len; i++)
		buf_printf(b, "%02x", p[i]);
}

/* Bytes of a text or a blob as text. */
static void put_bytes(struct rows *r, int i, struct buf *to,
		      void (*put)(struct buf *b, const void *data, size_t len))
{
	const void *data = sqlite3_column_blob(r->stmt, i);
	int len = sqlite3_column_bytes(r->stmt, i);
	struct buf hex = {0};

	if (sqlite3_column_type(r->stmt, i) == SQLITE_TEXT) {
		put(to, data ? data : "", (size_t)len);
		return;
	}
	put_hex(&hex, data, len);
	put(to, hex.len ? hex.data : "", hex.len);
	buf_done(&hex);
}

static void put_value(struct rows *r, int i, struct buf *to,
		      void (*put)(struct buf *b, const void *data, size_t len))
{
	switch (sqlite3_column_type(r->stmt, i)) {
	case SQLITE_INTEGER:
		buf_s64(to, sqlite3_column_int64(r->stmt, i));
		break;
	case SQLITE_FLOAT:
		put_real(to, sqlite3_column_double(r->stmt, i));
		break;
	case SQLITE_NULL:
		break;
	default:
		put_bytes(r, i, to, put);
	}
}

/* ---- JSON lines ---------------------------------------------------------- */

static void put_json(struct rows *r)
{
	const char *name;
	int i, type;

	for (i = 0; i < r->columns; i++) {
		name = sqlite3_column_name(r->stmt, i);
		type = sqlite3_column_type(r->stmt, i);
		buf_putc(&r->out, i ? ',' : '{');
		render_json_string(&r->out, name, strlen(name));
		buf_putc(&r->out, ':');
		if (type == SQLITE_NULL ||
		    (type == SQLITE_FLOAT &&
		     !isfinite(sqlite3_column_double(r->stmt, i))))
			buf_puts(&r->out, "null");
		else
			put_value(r, i, &r->out, render_json_string);
	}
	buf_puts(&r->out, "}\n");
}

/* ---- CSV ----------------------------------------------------------------- */

static void put_csv_head(struct rows *r)
{
	const char *name;
	int i;

	for (i = 0; i < r->columns; i++) {
		name = sqlite3_column_name(r->stmt, i);
		if (i)
			buf_putc(&r->out, ',');
		render_csv_text(&r->out, name, strlen(name));
	}
	buf_putc(&r->out, '\n');
}

static void put_csv(struct rows *r)
{
	int i;

	for (i = 0; i < r->columns; i++) {
		if (i)
			buf_putc(&r->out, ',');
		put_value(r, i, &r->out, render_csv_text);
	}
	buf_putc(&r->out, '\n');
}

/* ---- table --------------------------------------------------------------- */

static bool is_start(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t width_of(const char *cell)
{
	size_t n = 0;

	for (; *cell; cell++)
		n += is_start(*cell);
	return n;
}

static void put_names(struct rows *r)
{
	const char *name;
	int i;

	for (i = 0; i < r->columns; i++) {
		name = sqlite3_column_name(r->stmt, i);
		render_escape(&r->cells, name, strlen(name));
		buf_putc(&r->cells, '\0');
	}
	r->named = true;
}

static void hold_row(struct rows *r)
{
	int i, type;

	for (i = 0; i < r->columns; i++) {
		type = sqlite3_column_type(r->stmt, i);
		if (type == SQLITE_INTEGER || type == SQLITE_FLOAT)
			r->right[i] = true;
		put_value(r, i, &r->cells, render_escape);
		buf_putc(&r->cells, '\0');
	}
	r->batch++;
}

static void measure(struct rows *r)
{
	const char *cell = r->cells.data, *end = cell + r->cells.len;
	size_t width;
	int i = 0;

	for (; cell < end; cell += strlen(cell) + 1) {
		width = width_of(cell);
		if (width > r->widths[i])
			r->widths[i] = width;
		i = i + 1 == r->columns ? 0 : i + 1;
	}
}

/* Take from the widest columns until a line fits the terminal. */
static void squeeze(struct rows *r)
{
	size_t sum = (size_t)(r->columns - 1) * GAP;
	int i, widest;

	for (i = 0; i < r->columns; i++)
		sum += r->widths[i];
	while (r->line && sum > r->line) {
		for (i = widest = 0; i < r->columns; i++)
			if (r->widths[i] > r->widths[widest])
				widest = i;
		if (r->widths[widest] <= NARROWEST)
			return;
		r->widths[widest]--;
		sum--;
	}
}

static size_t bytes_of(const char *cell, size_t width)
{
	size_t n = 0;

	while (cell[n] && (width || !is_start(cell[n])))
		width -= is_start(cell[n++]);
	return n;
}

static void put_cell(struct rows *r, const char *cell, int i)
{
	size_t wide = width_of(cell), width = r->widths[i], fill;
	bool last = i + 1 == r->columns;

	fill = wide < width ? width - wide : 0;
	if (r->right[i])
		buf_printf(&r->out, "%*s", (int)fill, "");
	if (r->line && wide > width) {
		buf_put(&r->out, cell, bytes_of(cell, width - strlen(CUT)));
		buf_puts(&r->out, CUT);
	} else {
		buf_puts(&r->out, cell);
	}
	if (!last)
		buf_printf(&r->out, "%*s",
			   (int)(r->right[i] ? GAP : fill + GAP), "");
}

static void put_batch(struct rows *r)
{
	const char *cell = r->cells.data, *end = cell + r->cells.len;
	int i = 0;

	if (buf_err(&r->cells))
		r->out.err = -ENOMEM;
	if (r->out.err || !r->cells.len)
		return;
	measure(r);
	squeeze(r);
	for (; cell < end; cell += strlen(cell) + 1) {
		put_cell(r, cell, i++);
		if (i == r->columns) {
			while (r->out.len && r->out.data[r->out.len - 1] == ' ')
				r->out.len--;
			buf_putc(&r->out, '\n');
			i = 0;
		}
	}
	buf_reset(&r->cells);
	r->batch = 0;
}

static void put_table(struct rows *r)
{
	if (!r->named)
		put_names(r);
	hold_row(r);
	if (r->batch >= BATCH_ROWS || r->cells.len >= BATCH_BYTES)
		put_batch(r);
}

static size_t terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size))
		return 0;
	return size.ws_col;
}

/* -------------------------------------------------------------------------- */

static void put_row(struct rows *r, enum rows_form form)
{
	switch (form) {
	case ROWS_JSON:
		put_json(r);
		break;
	case ROWS_CSV:
		put_csv(r);
		break;
	default:
		put_table(r);
	}
}

static int put_rows(struct rows *r, enum rows_form form)
{
	int rc, err = 0;

	if (form == ROWS_CSV)
		put_csv_head(r);
	while (!err && (rc = sqlite3_step(r->stmt)) == SQLITE_ROW) {
		put_row(r, form);
		err = flush(r, FLUSH_BYTES);
	}
	if (err)
		return err;
	put_batch(r);
	err = flush(r, 0);
	return err ? err : rc == SQLITE_DONE ? 0 : -EINVAL;
}

int rows_print(sqlite3_stmt *stmt, enum rows_form form)
{
	struct rows r = {.stmt = stmt, .line = terminal_width()};
	int err = -ENOMEM;

	r.columns = sqlite3_column_count(stmt);
	r.widths = calloc((size_t)r.columns + 1, sizeof(*r.widths));
	r.right = calloc((size_t)r.columns + 1, sizeof(*r.right));
	if (r.widths && r.right)
		err = put_rows(&r, form);
	free(r.widths);
	free(r.right);
	buf_done(&r.cells);
	buf_done(&r.out);
	return err;
}
