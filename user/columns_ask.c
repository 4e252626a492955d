// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "columns_read.h"

#define COLUMN_FLAGS 1 /* of every plan */
#define STR_FULL     2 /* columns behind that of the string: its PLAN_FULL */

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

static int column_of(const struct plan *p, unsigned field, unsigned element)
{
	int column;

	if (field == COLUMNS_FLAGS)
		return COLUMN_FLAGS;
	if (field == PLAN_NO_FIELD)
		return -1;
	column = plan_find(p, field, element == COLUMNS_MORE ? 0 : element);
	if (element != COLUMNS_MORE || column < 0)
		return column;
	return p->column[column].type == PLAN_STR ? column + STR_FULL : -1;
}

static int find_column(const struct columns *c, unsigned kind, unsigned field,
		       unsigned element, const struct part **ret,
		       unsigned *ret_column)
{
	const struct part *p = read_part(c, kind);
	int column = p ? column_of(p->plan, field, element) : -1;

	if (column < 0)
		return -ENOENT;
	*ret = p;
	*ret_column = (unsigned)column;
	return 0;
}

/* Most columns unpack without knowing where in the block their rows are. */
static bool needs_rows(const struct columns *c, const struct part *p,
		       uint32_t group, unsigned column)
{
	if ((int)column == p->plan->key)
		return group + 1 == p->group_count;
	switch (c->stream[part_stream(p, group, column)].what) {
	case PREDICT_NONE:
	case PREDICT_LAST:
	case PREDICT_NEW:
		return false;
	default:
		return true;
	}
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
	if (needs_rows(c, p, group, column))
		err = read_parts(c);
	return err ? err : read_ready(c, p, group, column, ret);
}

bool columns_group_same(const struct columns *c, unsigned kind, uint32_t group,
			unsigned field, unsigned element, uint64_t *ret)
{
	const struct part *p;
	unsigned column;

	if (find_column(c, kind, field, element, &p, &column) ||
	    group >= p->group_count)
		return false;
	if ((int)column != p->plan->key)
		return read_is_constant(c, p, group, column, ret);
	*ret = p->group[group].key;
	return group + 1 < p->group_count;
}

int columns_group_rows(struct columns *c, unsigned kind, uint32_t group,
		       const uint32_t **ret)
{
	const struct part *p = read_part(c, kind);
	int err;

	if (!p || group >= p->group_count)
		return -ENOENT;
	err = read_parts(c);
	if (!err)
		*ret = p->row + p->group[group].first;
	return err;
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
	if (!err)
		err = read_parts(c);
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
