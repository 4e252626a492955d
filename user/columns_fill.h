/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_fill.h - records put together of their columns, each in its place.
 *
 * The columns of all groups are unpacked first; then rows are put together
 * some thousand at a time, those of each group in turn. So what is written
 * stays in the cache until it is whole, whatever groups the rows there are of.
 */
#ifndef WEIR_COLUMNS_FILL_H
#define WEIR_COLUMNS_FILL_H

#include "columns_read.h"

/* Rows to be put together. */
struct fill {
	struct columns *c;
	const bool *kinds; /* that are wanted; NULL: all */
	uint32_t *len;	   /* of each row; 0: it is not wanted */
	uint32_t *start;   /* of each row, where its record goes */
	char *rows;
};

/* What was kept whole may be of any kind. */
static inline bool fill_wants(const struct fill *f, const struct part *p)
{
	return p->rows &&
	       (!f->kinds || p->kind == PLAN_WHOLE || f->kinds[p->kind]);
}

/* Bytes from a record's start to that of the next. */
static inline uint32_t fill_padded(uint32_t len)
{
	return (len + ROW_ALIGN - 1) & ~(uint32_t)(ROW_ALIGN - 1);
}

/**
 * fill_rows - put all together
 * @f: len and start are known of each row, rows has room for all that are
 *     wanted; they are at multiples of ROW_ALIGN
 *
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT; -ENOMEM.
 */
int fill_rows(const struct fill *f);

#endif
