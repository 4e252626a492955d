// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_context.h"
#include "columns_fill.h"
#include "columns_place.h"

#define LEN_MAX UINT16_MAX

/* ---- how long each record is --------------------------------------------- */

static bool has_length(const struct plan_column *col)
{
	return col->type == PLAN_STR || col->type == PLAN_REST;
}

static int add_lengths(struct fill *t, const struct part *p, uint32_t group,
		       unsigned column)
{
	const struct group *g = &p->group[group];
	struct columns *c = t->c;
	const uint64_t *v;
	uint64_t same;
	uint32_t i;
	int err;

	if (read_is_constant(c, g, column, &same) && same < c->head.strings &&
	    !c->str_len[same])
		return 0;
	c->keep = true;
	err = read_column(c, p, group, column, &v);
	c->keep = false;
	for (i = 0; i < g->rows && !err; i++) {
		uint64_t len = t->len[g->row[i]] + c->str_len[v[i]];

		if (len > LEN_MAX)
			return -EBADMSG;
		t->len[g->row[i]] = (uint32_t)len;
	}
	return err;
}

static int measure_group(struct fill *t, const struct part *p, uint32_t group)
{
	const struct group *g = &p->group[group];
	unsigned left = p->plan->str_count + !p->plan->kind, k;
	uint32_t i;
	int err = 0;

	for (i = 0; i < g->rows; i++)
		t->len[g->row[i]] = p->plan->size;
	for (k = 0; left && k < p->plan->count && !err; k++)
		if (has_length(&p->plan->column[k]))
			err = add_lengths(t, p, group, k);
	return err;
}

static int measure_part(struct fill *t, const struct part *p)
{
	uint32_t g;
	int err = 0;

	for (g = 0; g < p->group_count && !err; g++)
		if (p->group[g].rows)
			err = measure_group(t, p, g);
	return err;
}

/* ---- where each record goes ---------------------------------------------- */

/* Rows of which each goes behind the one before. */
struct layout {
	size_t at, max;
	uint32_t *places; /* NULL, or has room for all rows that are wanted */
};

/* Return: false: there is no room. */
static inline bool lay_row(struct fill *t, struct layout *l, uint32_t row,
			   uint32_t place)
{
	t->start[row] = (uint32_t)l->at;
	l->at += fill_padded(t->len[row]);
	if (l->places && t->len[row])
		*l->places++ = place;
	return l->at <= l->max;
}

static int place_rows(struct fill *t, struct layout *l)
{
	struct columns *c = t->c;
	struct context_row *told;
	struct placing m;
	uint32_t i = 0, row, n;
	int err;

	err = place_begin(&m, c);
	if (!err)
		err = context_by_place(c, &told);
	while (i < c->head.rows && !err) {
		err = place_next(&m, &row, &n);
		for (; n && !err; n--, row++, i++) {
			if (!lay_row(t, l, row, i) ||
			    (i == told->place && told++->row != row))
				err = -EBADMSG;
		}
	}
	return err || told->place == UINT32_MAX ? err : -EBADMSG;
}

/* Rows that are told of: nobody has to look at the others. */
static int place_context(struct fill *t, struct layout *l)
{
	struct columns *c = t->c;
	struct context_row *told;
	uint32_t i;
	int err = context_by_place(c, &told);

	for (i = 0; i < c->context.count && !err; i++)
		if (!lay_row(t, l, told[i].row, told[i].place))
			err = -EBADMSG;
	return err;
}

/* ---- all of it ----------------------------------------------------------- */

static bool is_context(const struct fill *t)
{
	const struct columns *c = t->c;
	uint32_t i;

	for (i = 0; i < c->head.parts; i++)
		if (fill_wants(t, &c->part[i]) && !c->part[i].plan->is_context)
			return false;
	return true;
}

/* @ret_few: context rows are all that is wanted, and known. */
static int read_all(struct fill *t, bool *ret_few)
{
	struct columns *c = t->c;
	int err = read_context(c);

	*ret_few = !err && is_context(t);
	if (*ret_few)
		return read_strings(c);
	if (err && err != -ENOENT)
		return err;
	err = read_runs(c);
	if (!err)
		err = read_groups(c);
	if (!err)
		err = read_tasks(c);
	if (!err)
		err = read_strings(c);
	return err ? err : read_times(c);
}

static uint32_t count_wanted(const struct fill *t)
{
	uint32_t n = 0, i;

	for (i = 0; i < t->c->head.parts; i++)
		if (fill_wants(t, &t->c->part[i]))
			n += t->c->part[i].rows;
	return n;
}

static int measure_rows(struct fill *t)
{
	struct columns *c = t->c;
	uint32_t i;
	int err = 0;

	t->len = pool_zero(&c->block, c->head.rows, sizeof(*t->len));
	t->start = pool_alloc(&c->block, c->head.rows, sizeof(*t->start));
	if (!t->len || !t->start)
		return -ENOMEM;
	for (i = 0; i < c->head.parts && !err; i++)
		if (fill_wants(t, &c->part[i]))
			err = measure_part(t, &c->part[i]);
	return err;
}

static int put_rows(struct fill *t, struct buf *rows, uint32_t *places,
		    size_t max)
{
	struct layout l = {.max = max, .places = places};
	bool few;
	int err;

	err = read_all(t, &few);
	if (!err)
		err = measure_rows(t);
	if (!err)
		err = few ? place_context(t, &l) : place_rows(t, &l);
	if (err)
		return err;
	t->rows = buf_space(rows, l.at);
	if (!t->rows)
		return -ENOMEM;
	err = fill_rows(t);
	if (!err)
		rows->len = l.at;
	return err;
}

int columns_decode_kinds(struct columns *c, const bool *kinds, struct buf *rows,
			 struct buf *places, size_t max)
{
	struct fill f = {.c = c, .kinds = kinds};
	uint32_t *place = NULL;
	size_t len;
	int err;

	buf_reset(rows);
	if (places)
		buf_reset(places);
	if (!c->payload || !c->head.rows)
		return -EBADMSG;
	len = count_wanted(&f) * sizeof(*place);
	if (!len)
		return 0;
	if (places) {
		place = buf_space(places, len);
		if (!place)
			return -ENOMEM;
	}
	err = put_rows(&f, rows, place, max < UINT32_MAX ? max : UINT32_MAX);
	if (!err && places)
		places->len = len;
	return err;
}

int columns_decode(struct columns *c, struct buf *rows, size_t max)
{
	return columns_decode_kinds(c, NULL, rows, NULL, max);
}
