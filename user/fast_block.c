// SPDX-License-Identifier: BSD-2-Clause
#include "fast_block.h"

#include <errno.h>

void fast_block_begin(struct fast_block *b, const struct archive_block *at)
{
	pool_reset(&b->pool);
	b->at = *at;
	b->columns = at->columns;
	b->number++;
	b->turn = NULL;
	b->turn_at = NULL;
	b->key = NULL;
	b->place = NULL;
	b->task_place = NULL;
}

void fast_block_done(struct fast_block *b)
{
	pool_done(&b->pool);
}

int fast_block_turns(struct fast_block *b)
{
	uint32_t *at, i, row = 0;
	int err;

	if (b->turn)
		return 0;
	err = columns_turns(b->columns, &b->turn, &b->turns);
	if (err)
		return err;
	at = pool_alloc(&b->pool, b->turns + 1U, sizeof(*at));
	for (i = 0; i < b->turns && at; i++) {
		at[i] = row;
		row += b->turn[i].rows;
	}
	if (at)
		at[i] = row;
	else
		b->turn = NULL;
	b->turn_at = at;
	return at ? 0 : -ENOMEM;
}

uint32_t fast_block_turn(const struct fast_block *b, uint32_t row,
			 uint32_t hint)
{
	const uint32_t *at = b->turn_at;
	uint32_t lo = at[hint] <= row ? hint : 0, hi = lo + 1, step = 1, mid;

	while (hi < b->turns && at[hi] <= row) {
		lo = hi;
		hi += step;
		step *= 2;
	}
	hi = hi < b->turns ? hi : b->turns;
	while (hi - lo > 1) {
		mid = lo + (hi - lo) / 2;
		if (at[mid] <= row)
			lo = mid;
		else
			hi = mid;
	}
	return lo;
}

static int learn_places(struct fast_block *b)
{
	uint32_t *place = pool_alloc(&b->pool, columns_rows(b->columns),
				     sizeof(*place));
	int err = place ? columns_places(b->columns, place) : -ENOMEM;

	b->place = err ? NULL : place;
	return err;
}

int fast_block_order(struct fast_block *b)
{
	bool picked;
	int err;

	if (b->key || b->place)
		return 0;
	err = columns_keys(b->columns, &b->key, &picked);
	return err || !picked ? err : learn_places(b);
}

int fast_block_place(struct fast_block *b, uint32_t row, uint32_t *ret)
{
	int err = b->place ? 0 : learn_places(b);

	if (!err)
		*ret = b->place[row];
	return err;
}

int fast_block_compare(const struct fast_block *b, uint32_t x, uint32_t y)
{
	if (b->place)
		return (b->place[x] > b->place[y]) -
		       (b->place[x] < b->place[y]);
	if (b->key[x] != b->key[y])
		return b->key[x] < b->key[y] ? -1 : 1;
	return (x > y) - (x < y);
}

int fast_block_task_order(struct fast_block *b)
{
	int err = columns_context(b->columns, &b->task_place);

	if (err != -ENOENT)
		return err;
	b->task_place = NULL;
	return fast_block_order(b);
}

int fast_block_compare_tasks(const struct fast_block *b, uint32_t x, uint32_t y)
{
	if (!b->task_place)
		return fast_block_compare(b, x, y);
	return (b->task_place[x] > b->task_place[y]) -
	       (b->task_place[x] < b->task_place[y]);
}
