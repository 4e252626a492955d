/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_merge.h - the one order of rows that are stored CPU by CPU.
 *
 * The next row is that of the CPU whose next row has the smallest time; of
 * equal ones that of the first run. A row that came late (its time is below
 * that of a row before it) is known by name and merged as if at the largest
 * time before it. Where that does not give the order there was, a pick says at
 * which place which run goes on.
 */
#ifndef WEIR_COLUMNS_MERGE_H
#define WEIR_COLUMNS_MERGE_H

#include <stdint.h>

#include "columns_pool.h"

/* Picks times runs, so that no file costs minutes. */
#define MERGE_WORK_MAX (1ULL << 28)

/* Its memory is of the pool that merge_begin() gets, and lives as that. */
struct merge {
	const uint64_t *key; /* of each row: its time, or later */
	uint32_t rows, runs;
	uint32_t *next, *end; /* of each run */
	uint32_t *heap;	      /* runs that have rows, best first */
	uint32_t heap_len;
};

/**
 * merge_begin - runs one after the other, @run_rows of them in each
 * @key: of each row, borrowed; in a run they do not fall
 *
 * Return: 0; -ENOMEM.
 */
int merge_begin(struct merge *m, struct pool *pool, const uint64_t *key,
		const uint64_t *run_rows, uint32_t runs);

/** merge_best - Return: the run that goes on by itself. There is a row. */
static inline uint32_t merge_best(const struct merge *m)
{
	return m->heap[0];
}

/**
 * merge_burst - the next rows, as many as one run has one after the other
 * @max: of them, 1 at least; there is a row
 * @ret: the first
 *
 * Return: how many.
 */
uint32_t merge_burst(struct merge *m, uint64_t max, uint32_t *ret);

/** merge_take - the next row of a run that has one. Return: it. */
uint32_t merge_take(struct merge *m, uint32_t run);

#endif
