// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "columns_read.h"

int columns_times(struct columns *c, const uint64_t **ret)
{
	int err = read_times(c);

	if (!err)
		*ret = c->ts;
	return err;
}

/* Rows of a part are in grouped order; back in their own they ascend. */
static int by_row(struct columns *c, const struct part *p, uint32_t **ret)
{
	uint32_t *place = pool_alloc(&c->block, c->head.rows, sizeof(*place));
	uint32_t part = (uint32_t)(p - c->part), i, k = 0;

	if (!place)
		return -ENOMEM;
	for (i = 0; i < c->head.rows; i++)
		if (c->part_of[i] == part)
			place[i] = k++;
	*ret = place;
	return 0;
}

int columns_kind_index(struct columns *c, unsigned kind, uint32_t *ret)
{
	const struct part *p = read_part(c, kind);
	uint32_t part, i, k = 0;
	int err;

	if (!p)
		return 0;
	err = read_parts(c);
	part = (uint32_t)(p - c->part);
	for (i = 0; i < c->head.rows && !err; i++)
		if (c->part_of[i] == part)
			ret[k++] = i;
	return err;
}

int columns_turns(struct columns *c, const struct columns_turn **ret,
		  uint32_t *ret_count)
{
	struct columns_turn *turn;
	uint64_t i, row = 0;
	int err;

	err = read_runs(c);
	if (!err)
		err = read_tasks(c);
	if (err)
		return err;
	turn = pool_alloc(&c->block, c->head.turns, sizeof(*turn));
	if (!turn)
		return -ENOMEM;
	for (i = 0; i < c->head.turns; i++) {
		turn[i] = (struct columns_turn){
			.pid = (uint32_t)c->view.pid[c->turn_task[i]],
			.tid = (uint32_t)c->view.tid[c->turn_task[i]],
			.rows = (uint32_t)c->turn_rows[i],
		};
		if (turn[i].rows)
			turn[i].cpu = (uint32_t)c->view.cpu[c->view.run[row]];
		row += c->turn_rows[i];
	}
	*ret = turn;
	*ret_count = (uint32_t)c->head.turns;
	return 0;
}

/* ---- columns ------------------------------------------------------------- */

/* As read_column(), the times first if they are needed. */
static int read_ready(struct columns *c, const struct part *p, uint32_t group,
		      unsigned column, const uint64_t **ret)
{
	int err = read_column(c, p, group, column, ret);

	if (err != -EAGAIN)
		return err;
	err = read_times(c);
	return err ? err : read_column(c, p, group, column, ret);
}

static int find_column(struct columns *c, unsigned kind, unsigned field,
		       unsigned element, const struct part **ret,
		       unsigned *ret_column)
{
	const struct part *p = read_part(c, kind);
	int column;

	if (!p || field == PLAN_NO_FIELD)
		return -ENOENT;
	column = plan_find(p->plan, field, element);
	if (column < 0)
		return -ENOENT;
	*ret = p;
	*ret_column = (unsigned)column;
	return read_parts(c);
}

int columns_group_u64(struct columns *c, unsigned kind, uint32_t group,
		      unsigned field, unsigned element, const uint64_t **ret)
{
	const struct part *p;
	unsigned column;
	int err;

	err = find_column(c, kind, field, element, &p, &column);
	if (err)
		return err;
	if (group >= p->group_count)
		return -ENOENT;
	return read_ready(c, p, group, column, ret);
}

int columns_u64(struct columns *c, unsigned kind, unsigned field,
		unsigned element, uint64_t *ret)
{
	const struct part *p;
	const uint64_t *v;
	uint32_t g, i, *place;
	unsigned column;
	int err;

	err = find_column(c, kind, field, element, &p, &column);
	if (err)
		return err;
	if ((int)column == p->plan->key) {
		memcpy(ret, p->key, p->rows * sizeof(*ret));
		return 0;
	}
	err = by_row(c, p, &place);
	for (g = 0; g < p->group_count && !err; g++) {
		err = read_ready(c, p, g, column, &v);
		for (i = 0; i < p->group[g].rows && !err; i++)
			ret[place[p->row[p->group[g].first + i]]] = v[i];
	}
	return err;
}

/* ---- strings ------------------------------------------------------------- */

int columns_strings(struct columns *c, uint32_t *ret_count)
{
	int err = read_strings(c);

	if (!err)
		*ret_count = (uint32_t)c->head.strings;
	return err;
}

const char *columns_string(const struct columns *c, uint32_t index,
			   uint32_t *ret_len)
{
	*ret_len = (uint32_t)c->str_len[index];
	return c->str_bytes + c->str_at[index];
}
