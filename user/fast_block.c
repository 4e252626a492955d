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
	b->turn_of = NULL;
	b->ts = NULL;
	b->key = NULL;
	b->place = NULL;
}

void fast_block_done(struct fast_block *b)
{
	pool_done(&b->pool);
}

int fast_block_turns(struct fast_block *b)
{
	return b->turn ? 0 : columns_turns(b->columns, &b->turn, &b->turns);
}

int fast_block_turn_of(struct fast_block *b)
{
	uint32_t *of, i, k, row = 0;
	int err = fast_block_turns(b);

	if (err || b->turn_of)
		return err;
	of = pool_alloc(&b->pool, columns_rows(b->columns), sizeof(*of));
	if (!of)
		return -ENOMEM;
	for (i = 0; i < b->turns; i++)
		for (k = 0; k < b->turn[i].rows; k++)
			of[row++] = i;
	b->turn_of = of;
	return 0;
}

int fast_block_times(struct fast_block *b)
{
	return b->ts ? 0 : columns_times(b->columns, &b->ts);
}

int fast_block_order(struct fast_block *b)
{
	uint32_t *place;
	bool picked;
	int err;

	if (b->key)
		return 0;
	err = columns_keys(b->columns, &b->key, &picked);
	if (err || !picked)
		return err;
	place = pool_alloc(&b->pool, columns_rows(b->columns), sizeof(*place));
	if (!place)
		return -ENOMEM;
	err = columns_places(b->columns, place);
	b->place = place;
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
