/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * table.h - rows of cells, each column as wide as its widest cell.
 *
 * Cells are escaped for the terminal as they are put in. Width is counted in
 * characters: one that is drawn wide, or on another one, makes columns ragged.
 * Memory that runs out is told by buf_err() of what it is printed to.
 */
#ifndef WEIR_TABLE_H
#define WEIR_TABLE_H

#include "buf.h"

#define TABLE_COLUMNS_MAX 12

struct table {
	const char *align; /* a letter for each column: l or r; at most
			      TABLE_COLUMNS_MAX of them; borrowed */
	struct buf cells;  /* NUL after each */
};

/** table_cell - the next cell, row by row; the last row is to be full. */
void table_cell(struct table *t, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** table_buf - the next cell is what is in @b, which is emptied. */
void table_buf(struct table *t, struct buf *b);

/** table_print - append the lines to @out, and free the cells. */
void table_print(struct table *t, struct buf *out);

#endif
