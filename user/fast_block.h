/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_block.h - one block of an archive, and what is common to its rows:
 * unpacked when it is asked for, once.
 *
 * All functions that return int, but for comparisons, return 0 or an error of
 * columns.h. Thread: whose block it is.
 */
#ifndef WEIR_FAST_BLOCK_H
#define WEIR_FAST_BLOCK_H

#include "archive_blocks.h"
#include "columns_pool.h"

/* All zero before the first. Rows are CPU-major, as in columns.h. */
struct fast_block {
	struct archive_block at;
	struct columns *columns; /* at.columns */
	uint32_t number;	 /* 1, 2, … of the pass */
	struct pool pool;	 /* memory of this block */
	/* NULL until asked for */
	const struct columns_turn *turn;
	uint32_t turns;
	uint32_t *turn_at;   /* first row of each, and what is behind the last
			      */
	const uint64_t *key; /* the order */
	uint32_t *place;     /* the same, where @key does not tell, or all was
				asked for */
	const uint32_t *task_place; /* of rows that change what is known of
				       tasks, where columns_context() tells */
};

/** fast_block_begin - go on to a block; what was asked of the last is gone.
 * @at: opened; copied, its columns are borrowed */
void fast_block_begin(struct fast_block *b, const struct archive_block *at);
void fast_block_done(struct fast_block *b);

/** fast_block_turns - fill turn, turns, turn_at. */
int fast_block_turns(struct fast_block *b);

/**
 * fast_block_turn - the turn a row is of
 * @row:  below columns_rows(); after fast_block_turns()
 * @hint: one before it or the same, if possible; else any, such as 0
 *
 * Return: its index; found by doubling steps from the hint on.
 */
uint32_t fast_block_turn(const struct fast_block *b, uint32_t row,
			 uint32_t hint);

/** fast_block_order - learn what fast_block_compare() needs. */
int fast_block_order(struct fast_block *b);

/** fast_block_compare - two rows in the one order, after fast_block_order().
 * Return: <0, 0, >0. */
int fast_block_compare(const struct fast_block *b, uint32_t x, uint32_t y);

/** fast_block_place - which row it is in the one order: 0, 1, 2, … */
int fast_block_place(struct fast_block *b, uint32_t row, uint32_t *ret);

/** fast_block_task_order, _compare_tasks - the same, for rows of source task
 * alone. */
int fast_block_task_order(struct fast_block *b);
int fast_block_compare_tasks(const struct fast_block *b, uint32_t x,
			     uint32_t y);

#endif
