/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_place.h - the rows of a block being read, in the one order.
 */
#ifndef WEIR_COLUMNS_PLACE_H
#define WEIR_COLUMNS_PLACE_H

#include "columns_merge.h"
#include "columns_read.h"

struct placing {
	struct merge merge;
	uint64_t *pick_at, *pick_run; /* ended by one that is never reached */
	uint64_t i;		      /* rows placed so far */
};

/**
 * place_begin - begin with the first row
 * @c: of which read_runs() and read_times() know
 *
 * Return: 0; -EBADMSG; -ENOMEM.
 */
int place_begin(struct placing *p, struct columns *c);

/**
 * place_next - the next rows, one after the other in the block as well
 * @ret:       the first
 * @ret_count: how many
 *
 * There are head.rows in all: not to be called after so many.
 * Return: 0; -EBADMSG a pick of a run that has no more rows.
 */
int place_next(struct placing *p, uint32_t *ret, uint32_t *ret_count);

#endif
