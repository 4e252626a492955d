/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_rows.h - records put together from columns: of single rows, and with
 * only those fields that somebody will look at.
 */
#ifndef WEIR_FAST_ROWS_H
#define WEIR_FAST_ROWS_H

#include "event.h"
#include "fast_block.h"

#define FAST_ELEMENTS 8 /* of an array in columns; longer ones are bytes */

/* A group of rows of a kind. */
struct fast_rows {
	struct fast_block *block;
	const struct schema_kind *kind;
	uint32_t group, count;
	const uint32_t *row; /* index in the block, of each */
	const uint64_t *ts;  /* by that */
	uint32_t turn;	     /* of the last put */
	/* by field: NULL where it stays zero */
	const uint64_t *v[SCHEMA_FIELDS_MAX][FAST_ELEMENTS];
	const uint64_t *more[SCHEMA_FIELDS_MAX]; /* of strings */
	const uint64_t *flags;
};

/**
 * fast_rows_open - unpack what the records need
 * @fields: [field_count] that are filled in, or NULL: all
 *
 * Valid as long as the block. Return: 0; -ENOENT there is no such group; as
 * columns.h.
 */
int fast_rows_open(struct fast_rows *r, struct fast_block *b,
		   const struct schema_kind *k, uint32_t group,
		   const bool *fields);

/**
 * fast_rows_put - append the @i-th record, to a multiple of 8
 *
 * As it was in the row, but that fields not asked for, and bytes of no field,
 * are zero; a state block's has WEIR_F_CONTEXT. Cheap where @i ascends.
 * Return: where it begins in @to. buf_err() tells if there was room.
 */
size_t fast_rows_put(struct fast_rows *r, uint32_t i, struct buf *to);

#endif
