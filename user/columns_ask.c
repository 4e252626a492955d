// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "columns_context.h"

#define COLUMN_FLAGS 1 /* of every plan */
#define STR_FULL     2 /* columns behind that of the string: its PLAN_FULL */

int columns_times(struct columns *c, const uint64_t **ret)
{
	int err = read_times(c);

	if (!err)
		*ret = c->ts;
	return err;
}

/* Is a group of this part? */
static inline bool is_of(const struct part *p, uint32_t group)
{
	return group - p->first_group < p->group_count;
}

int columns_kind_times(struct columns *c, unsigned kind, const uint64_t **ret)
{
	const struct part *p = read_part(c, kind);
	int err = p && p->plan->is_context ? read_context(c) : -ENOENT;

	if (err == -ENOENT)
		return columns_times(c, ret);
	*ret = c->view.ts;
	return err;
}

int columns_context(struct columns *c, const uint32_t **ret)
{
	int err = read_context(c);

	*ret = c->context.place;
	return err;
}

/* Rows of a part are in grouped order; back in their own they ascend. */
static int by_row(struct columns *c, const struct part *p, uint32_t **ret)
{
	uint32_t *place = pool_alloc(&c->block, c->head.rows, sizeof(*place));
	uint32_t i, k = 0;

	for (i = 0; i < c->head.rows && place; i++)
		if (is_of(p, c->group_of[i]))
			place[i] = k++;
	*ret = place;
	return place ? 0 : -ENOMEM;
}

int columns_turns(struct columns *c, const struct columns_turn **ret,
		  uint32_t *ret_count)
{
	uint64_t i, row = 0, run = 0, end = 0;
	struct columns_turn *turn;
	int err = read_turns(c);

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
		while (row >= end && run < c->head.runs)
			end += c->run_rows[run++];
		turn[i].cpu = (uint32_t)c->view.cpu[run - 1];
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
	int err;

	c->keep = true;
	err = read_column(c, p, group, column, ret);
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
static bool needs_rows(const struct columns *c, const struct group *g,
		       unsigned column)
{
	const struct stream *s = &c->stream[group_stream(g, column)];

	switch (s->what) {
	case PREDICT_NONE:
	case PREDICT_SIGNED:
	case PREDICT_LAST:
	case PREDICT_NEW:
		return false;
	case PREDICT_COLUMN: /* one before it, or it is damaged */
		return s->param >= column || needs_rows(c, g, s->param);
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
	if (err || group >= p->group_count)
		return err ? err : -ENOENT;
	if (needs_rows(c, &p->group[group], column))
		err = read_rows(c, p);
	return err ? err : read_ready(c, p, group, column, ret);
}

bool columns_group_same(const struct columns *c, unsigned kind, uint32_t group,
			unsigned field, unsigned element, uint64_t *ret)
{
	const struct part *p;
	unsigned column;

	return !find_column(c, kind, field, element, &p, &column) &&
	       group < p->group_count &&
	       read_is_constant(c, &p->group[group], column, ret);
}

int columns_group_rows(struct columns *c, unsigned kind, uint32_t group,
		       const uint32_t **ret)
{
	const struct part *p = read_part(c, kind);
	int err;

	if (!p || group >= p->group_count)
		return -ENOENT;
	err = read_rows(c, p);
	if (!err)
		*ret = p->group[group].row;
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
		err = read_groups(c);
	if (!err)
		err = by_row(c, p, &place);
	for (g = 0; !err && g < p->group_count; g++) {
		err = read_ready(c, p, g, column, &v);
		for (i = 0; i < p->group[g].rows && !err; i++)
			ret[place[p->group[g].row[i]]] = v[i];
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
