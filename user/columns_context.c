// SPDX-License-Identifier: BSD-2-Clause
#include "columns_context.h"

#include <errno.h>
#include <stdlib.h>

#include "columns_write.h"

enum context_stream {
	CONTEXT_ROW,
	CONTEXT_TIME,
	CONTEXT_GROUP,
	CONTEXT_PLACE,
};

/* ---- writing ------------------------------------------------------------- */

static int by_place(const void *a, const void *b)
{
	const struct context_row *x = a, *y = b;

	return x->place < y->place ? -1 : x->place > y->place;
}

static int by_row(const void *a, const void *b)
{
	const struct context_row *x = a, *y = b;

	return x->row < y->row ? -1 : x->row > y->row;
}

static void put_signed(struct columns *c, const uint64_t *v, size_t n)
{
	write_stream(c, v, n, FORM_LOG, true)->what = PREDICT_SIGNED;
}

int write_context(struct writing *w)
{
	uint32_t n = w->context_count, i, row = 0, place = 0;
	struct columns *c = w->c;
	uint64_t *v = pool_alloc(&c->block, n, 4 * sizeof(*v)), *ts = v + n;
	uint64_t *group = v + 2 * n, *at = v + 3 * n, last = c->head.base_ns;

	if (!n)
		return 0;
	if (!v)
		return -ENOMEM;
	qsort(w->context, n, sizeof(*w->context), by_row);
	for (i = 0; i < n; i++) {
		const struct context_row *r = &w->context[i];

		v[i] = r->row - row;
		ts[i] = w->ts[r->row] - last;
		group[i] = c->group_of[r->row];
		at[i] = (uint64_t)r->place - place;
		row = r->row;
		last = w->ts[row];
		place = r->place;
	}
	write_stream(c, v, n, FORM_LOG, false);
	put_signed(c, ts, n);
	write_stream(c, group, n, FORM_PLANES, false);
	put_signed(c, at, n);
	return 0;
}

/* ---- reading ------------------------------------------------------------- */

static uint32_t count_rows(const struct columns *c)
{
	uint32_t n = 0, i;

	for (i = 0; i < c->head.parts; i++)
		if (c->part[i].plan->is_context)
			n += c->part[i].rows;
	return n;
}

/* Records kept whole may be of any kind. */
static bool is_told(const struct columns *c)
{
	return c->stream_count >= c->group_streams + CONTEXT_STREAMS &&
	       (!read_part(c, PLAN_WHOLE) || !read_part(c, PLAN_WHOLE)->rows);
}

/* Each is larger than the one before, and a row. */
static bool add_up_rows(const struct columns *c, const uint64_t *v, uint32_t n)
{
	uint64_t at = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		if (v[i] >= c->head.rows - at || (i && !v[i]))
			return false;
		at += v[i];
		c->context.row[i] = (uint32_t)at;
	}
	return true;
}

static bool add_up_places(const struct columns *c, const uint64_t *v,
			  uint32_t n)
{
	uint64_t at = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		at += v[i];
		if (at >= c->head.rows)
			return false;
		c->context.place[c->context.row[i]] = (uint32_t)at;
	}
	return true;
}

static void add_up_times(const struct columns *c, const uint64_t *v, uint32_t n)
{
	uint64_t at = c->head.base_ns;
	uint32_t i;

	for (i = 0; i < n; i++)
		c->context.ts[c->context.row[i]] = at += v[i];
}

/* Tell the groups of these kinds of their rows. */
static int fill_groups(struct columns *c, const uint64_t *v, uint32_t n)
{
	uint32_t *room = pool_alloc(&c->block, n, sizeof(*room)), i, k;
	uint32_t *left = pool_zero(&c->block, c->group_count, sizeof(*left));
	struct group **of = pool_zero(&c->block, c->group_count,
				      sizeof(struct group *));

	if (!room || !left || !of)
		return -ENOMEM;
	for (i = 0; i < c->head.parts; i++) {
		struct part *p = &c->part[i];

		for (k = 0; k < p->group_count && p->plan->is_context; k++) {
			of[p->first_group + k] = &p->group[k];
			left[p->first_group + k] = p->group[k].rows;
			p->group[k].row = room;
			room += p->group[k].rows;
		}
	}
	for (i = 0; i < n; i++) {
		if (v[i] >= c->group_count || !left[v[i]])
			return -EBADMSG;
		of[v[i]]->row[of[v[i]]->rows - left[v[i]]--] =
			c->context.row[i];
		c->context.group[i] = (uint16_t)v[i];
	}
	return 0;
}

static int read_all(struct columns *c, uint32_t n)
{
	uint64_t *v = pool_alloc(&c->block, n, sizeof(*v));
	uint32_t at = c->group_streams;
	int err;

	if (!v)
		return -ENOMEM;
	err = read_stream(c, at + CONTEXT_ROW, v, n);
	if (!err && !add_up_rows(c, v, n))
		err = -EBADMSG;
	if (!err)
		err = read_stream(c, at + CONTEXT_TIME, v, n);
	if (err)
		return err;
	add_up_times(c, v, n);
	err = read_stream(c, at + CONTEXT_PLACE, v, n);
	if (!err && !add_up_places(c, v, n))
		err = -EBADMSG;
	if (!err)
		err = read_stream(c, at + CONTEXT_GROUP, v, n);
	return err ? err : fill_groups(c, v, n);
}

/* ---- the view of these rows ---------------------------------------------- */

/* Which of some spans a row is in; rows are asked for in their order. */
struct spans {
	const uint64_t *rows; /* of each */
	uint64_t i, end;
};

static uint64_t span_of(struct spans *s, uint32_t row)
{
	while (row >= s->end)
		s->end += s->rows[++s->i];
	return s->i;
}

/* Of these rows, and of those behind them: PREDICT_NEXT_PID. */
static int view_tasks(struct columns *c, uint32_t n)
{
	struct spans turns = {c->turn_rows, 0, c->turn_rows[0]};
	struct spans runs = {c->run_rows, 0, c->run_rows[0]};
	uint32_t *task = pool_alloc(&c->block, c->head.rows, sizeof(*task));
	uint16_t *run = pool_alloc(&c->block, c->head.rows, sizeof(*run));
	uint32_t i, k, row;

	if (!task || !run)
		return -ENOMEM;
	for (i = 0; i < n; i++) {
		for (k = 0; k < 2; k++) {
			row = c->context.row[i] + k;
			if (row >= c->head.rows)
				break;
			task[row] =
				(uint32_t)c->turn_task[span_of(&turns, row)];
			run[row] = (uint16_t)span_of(&runs, row);
		}
	}
	if (!(c->known & READ_TASKS))
		c->view.task = task;
	if (!(c->known & READ_RUNS))
		c->view.run = run;
	return 0;
}

static void part_of_groups(const struct columns *c, uint8_t *part)
{
	uint32_t i, k;

	for (i = 0; i < c->head.parts; i++)
		for (k = 0; k < c->part[i].group_count; k++)
			part[c->part[i].first_group + k] = (uint8_t)i;
}

/* As rows_since(): all rows of these kinds are here. */
static int view_times(struct columns *c, uint32_t n)
{
	uint64_t *since = pool_alloc(&c->block, c->head.rows, sizeof(*since));
	uint8_t *part_of = pool_alloc(&c->block, c->group_count, 1);
	struct spans runs = {c->run_rows, 0, c->run_rows[0]};
	uint64_t last[PARTS_MAX] = {0}, run = 0;
	uint32_t i;

	if (!since || !part_of)
		return -ENOMEM;
	part_of_groups(c, part_of);
	for (i = 0; i < n; i++) {
		uint32_t row = c->context.row[i];
		unsigned part = part_of[c->context.group[i]];

		if (span_of(&runs, row) != run)
			memset(last, 0, sizeof(last));
		run = runs.i;
		since[row] = last[part] ? c->context.ts[row] - last[part] : 0;
		last[part] = c->context.ts[row];
	}
	if (!(c->known & READ_TIMES))
		c->view.ts = c->context.ts;
	if (!(c->known & READ_SINCE))
		c->view.since = since;
	return 0;
}

/* ---- all of it ----------------------------------------------------------- */

int context_fits(const struct columns *c, uint32_t what)
{
	const struct context *x = &c->context;
	uint32_t i;

	for (i = 0; i < x->count; i++) {
		uint32_t row = x->row[i];

		if ((what & READ_GROUPS && c->group_of[row] != x->group[i]) ||
		    (what & READ_TIMES && c->view.ts[row] != x->ts[row]))
			return -EBADMSG;
	}
	return 0;
}

static int unpack_context(struct columns *c)
{
	struct pool *p = &c->block;
	uint32_t n = count_rows(c);
	int err;

	c->context = (struct context){0};
	if (n && !is_told(c))
		return -ENOENT;
	err = read_turns(c);
	if (err || !n)
		return err;
	c->context = (struct context){
		.row = pool_alloc(p, n, sizeof(*c->context.row)),
		.group = pool_alloc(p, n, sizeof(*c->context.group)),
		.ts = pool_alloc(p, c->head.rows, sizeof(*c->context.ts)),
		.place = pool_alloc(p, c->head.rows, sizeof(*c->context.place)),
	};
	if (!c->context.row || !c->context.group || !c->context.ts ||
	    !c->context.place)
		return -ENOMEM;
	err = read_all(c, n);
	if (!err)
		err = view_tasks(c, n);
	if (!err)
		err = view_times(c, n);
	if (err)
		return err;
	c->context.count = n;
	return context_fits(c, c->known);
}

int read_context(struct columns *c)
{
	return read_once(c, READ_CONTEXT, unpack_context);
}

int context_by_place(struct columns *c, struct context_row **ret)
{
	const struct context *x = &c->context;
	struct context_row *r = pool_alloc(&c->block, x->count + 1U,
					   sizeof(*r));
	uint32_t i;

	if (!r)
		return -ENOMEM;
	for (i = 0; i < x->count; i++)
		r[i] = (struct context_row){x->row[i], x->place[x->row[i]]};
	r[i].place = UINT32_MAX;
	qsort(r, x->count, sizeof(*r), by_place);
	*ret = r;
	return 0;
}

int read_rows(struct columns *c, const struct part *p)
{
	int err = p->plan->is_context ? read_context(c) : -ENOENT;

	return err == -ENOENT ? read_groups(c) : err;
}
