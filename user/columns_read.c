// SPDX-License-Identifier: BSD-2-Clause
#include "columns_read.h"

#include <errno.h>
#include <string.h>

int read_stream(struct columns *c, uint32_t stream, uint64_t *v, size_t n)
{
	const struct stream *s = &c->stream[stream];
	struct cursor at = {c->payload + s->at, c->payload + s->at + s->len};

	return column_get(&c->packer, &s->head, &at, v, n);
}

/* A common stream, into memory of the block. */
static int read_common(struct columns *c, enum common stream, uint64_t n,
		       uint64_t **ret)
{
	*ret = pool_alloc(&c->block, n, sizeof(**ret));
	return *ret ? read_stream(c, stream, *ret, n) : -ENOMEM;
}

/* ---- CPUs ---------------------------------------------------------------- */

static bool sums_to(const uint64_t *v, uint64_t n, uint64_t sum)
{
	uint64_t i;

	for (i = 0; i < n && v[i] <= sum; i++)
		sum -= v[i];
	return i == n && !sum;
}

static int unpack_runs(struct columns *c)
{
	uint64_t *cpu, i, k, at = 0;
	uint16_t *run;
	int err;

	err = read_common(c, COMMON_CPU, c->head.runs, &cpu);
	if (!err)
		err = read_common(c, COMMON_CPU_ROWS, c->head.runs,
				  &c->run_rows);
	if (err)
		return err;
	run = pool_alloc(&c->block, c->head.rows, sizeof(*run));
	if (!run)
		return -ENOMEM;
	if (!sums_to(c->run_rows, c->head.runs, c->head.rows))
		return -EBADMSG;
	for (i = 0; i < c->head.runs; i++)
		for (k = 0; k < c->run_rows[i]; k++)
			run[at++] = (uint16_t)i;
	c->view.count = (uint32_t)c->head.rows;
	c->view.run = run;
	c->view.cpu = cpu;
	return 0;
}

/* Do it once. */
static int once(struct columns *c, uint32_t what, int (*fn)(struct columns *c))
{
	int err;

	if (c->known & what)
		return 0;
	err = fn(c);
	if (!err)
		c->known |= what;
	return err;
}

int read_runs(struct columns *c)
{
	return once(c, READ_RUNS, unpack_runs);
}

/* ---- parts and groups ---------------------------------------------------- */

static int unpack_keys(struct columns *c, struct part *p)
{
	uint64_t mask = UINT64_MAX;
	const struct stream *s;
	unsigned size;
	uint32_t i;
	int err;

	if (p->plan->key < 0)
		return part_group(c, p);
	s = &c->stream[p->stream];
	size = p->plan->column[p->plan->key].size;
	p->key = pool_alloc(&c->block, p->rows, sizeof(*p->key));
	if (!p->key)
		return -ENOMEM;
	err = read_stream(c, p->stream, p->key, p->rows);
	if (!err && s->what != PREDICT_NONE)
		return -EPROTONOSUPPORT;
	if (size < sizeof(mask))
		mask = (1ULL << 8 * size) - 1;
	for (i = 0; i < p->rows && !err; i++)
		p->key[i] &= mask;
	return err ? err : part_group(c, p);
}

static int unpack_parts(struct columns *c)
{
	uint32_t fill[PARTS_MAX] = {0}, i;
	int err;

	err = read_common(c, COMMON_PART, c->head.rows, &c->part_of);
	for (i = 0; i < c->head.parts && !err; i++) {
		struct part *p = &c->part[i];

		p->row = pool_alloc(&c->block, p->rows, sizeof(*p->row));
		err = p->row ? 0 : -ENOMEM;
	}
	for (i = 0; i < c->head.rows && !err; i++) {
		uint64_t k = c->part_of[i];

		if (k >= c->head.parts || fill[k] == c->part[k].rows)
			return -EBADMSG;
		c->part[k].row[fill[k]++] = i;
	}
	for (i = 0; i < c->head.parts && !err; i++)
		err = unpack_keys(c, &c->part[i]);
	return err;
}

int read_parts(struct columns *c)
{
	return once(c, READ_PARTS, unpack_parts);
}

/* ---- tasks --------------------------------------------------------------- */

static int unpack_tasks(struct columns *c)
{
	uint64_t *pid, *tid, i, k, at = 0;
	uint32_t *task;
	int err;

	err = read_common(c, COMMON_PID, c->head.tasks, &pid);
	if (!err)
		err = read_common(c, COMMON_TID, c->head.tasks, &tid);
	if (!err)
		err = read_common(c, COMMON_TURN_TASK, c->head.turns,
				  &c->turn_task);
	if (!err)
		err = read_common(c, COMMON_TURN_ROWS, c->head.turns,
				  &c->turn_rows);
	if (err)
		return err;
	task = pool_alloc(&c->block, c->head.rows, sizeof(*task));
	c->view.last = pool_alloc(&c->block, c->head.tasks,
				  sizeof(*c->view.last));
	if (!task || !c->view.last)
		return -ENOMEM;
	if (!sums_to(c->turn_rows, c->head.turns, c->head.rows))
		return -EBADMSG;
	for (i = 0; i < c->head.turns; i++) {
		if (c->turn_task[i] >= c->head.tasks)
			return -EBADMSG;
		for (k = 0; k < c->turn_rows[i]; k++)
			task[at++] = (uint32_t)c->turn_task[i];
	}
	c->view.tasks = (uint32_t)c->head.tasks;
	c->view.task = task;
	c->view.pid = pid;
	c->view.tid = tid;
	return 0;
}

int read_tasks(struct columns *c)
{
	return once(c, READ_TASKS, unpack_tasks);
}

/* ---- times --------------------------------------------------------------- */

static void add_up(struct columns *c, uint64_t *ts)
{
	uint64_t i, last = 0;

	for (i = 0; i < c->head.rows; i++) {
		if (!i || c->view.run[i] != c->view.run[i - 1])
			last = c->head.base_ns;
		last += ts[i];
		ts[i] = last;
	}
}

static int unpack_times(struct columns *c)
{
	uint64_t *ts = pool_alloc(&c->block, c->head.rows, sizeof(*ts));
	const uint64_t *v;
	uint32_t i, g, k;
	int err;

	if (!ts)
		return -ENOMEM;
	err = read_runs(c);
	if (!err)
		err = read_parts(c);
	for (i = 0; i < c->head.parts && !err; i++) {
		const struct part *p = &c->part[i];

		for (g = 0; g < p->group_count && !err; g++) {
			err = read_column(c, p, g, 0, &v);
			for (k = 0; k < p->group[g].rows && !err; k++)
				ts[p->row[p->group[g].first + k]] = v[k];
		}
	}
	if (err) /* times do not follow from times */
		return err == -EAGAIN ? -EBADMSG : err;
	add_up(c, ts);
	c->ts = ts;
	c->view.ts = ts;
	return 0;
}

int read_times(struct columns *c)
{
	return once(c, READ_TIMES, unpack_times);
}

static int unpack_since(struct columns *c)
{
	return rows_since(c, c->part_of);
}

/* ---- strings ------------------------------------------------------------- */

static int unpack_strings(struct columns *c)
{
	const struct stream *s = &c->stream[COMMON_STR_BYTES];
	struct cursor at = {c->payload + s->at, c->payload + s->at + s->len};
	uint64_t i, sum = 0;
	int err;

	err = read_common(c, COMMON_STR_LEN, c->head.strings, &c->str_len);
	if (err)
		return err;
	if (!sums_to(c->str_len, c->head.strings, c->head.string_bytes))
		return -EBADMSG;
	c->str_at = pool_alloc(&c->block, c->head.strings, sizeof(*c->str_at));
	c->str_bytes = pool_alloc(&c->block, c->head.string_bytes, 1);
	if (!c->str_at || !c->str_bytes)
		return -ENOMEM;
	for (i = 0; i < c->head.strings; i++) {
		c->str_at[i] = (uint32_t)sum;
		sum += c->str_len[i];
	}
	return chunk_get(&c->packer, &at, c->str_bytes, c->head.string_bytes);
}

int read_strings(struct columns *c)
{
	return once(c, READ_STRINGS, unpack_strings);
}

/* ---- columns ------------------------------------------------------------- */

static bool is_index(const struct plan_column *c)
{
	return c->type == PLAN_STR || c->type == PLAN_BYTES ||
	       c->type == PLAN_REST;
}

bool read_is_constant(const struct columns *c, const struct part *p,
		      uint32_t group, unsigned column, uint64_t *ret)
{
	const struct stream *s = &c->stream[part_stream(p, group, column)];

	if ((int)column == p->plan->key || s->what != PREDICT_NONE ||
	    s->head.form != FORM_CONST)
		return false;
	*ret = s->head.base;
	return true;
}

/* What a predictor has to know, before it is asked. */
static int prepare(struct columns *c, const struct part *p, uint32_t group,
		   unsigned column, const struct stream *s)
{
	unsigned a = s->param % PLAN_COLUMNS, b = s->param / PLAN_COLUMNS;
	const uint64_t *v;
	int err;

	switch (s->what) {
	case PREDICT_NONE:
	case PREDICT_SIGNED:
	case PREDICT_LAST:
	case PREDICT_NEW:
		return 0;
	case PREDICT_COLUMN:
		if (s->param >= column)
			return -EBADMSG;
		return read_column(c, p, group, s->param, &v);
	case PREDICT_SUM:
		if (a >= column || b >= column)
			return -EBADMSG;
		err = read_column(c, p, group, a, &v);
		return err ? err : read_column(c, p, group, b, &v);
	case PREDICT_CPU:
		return read_runs(c);
	case PREDICT_TASK:
	case PREDICT_PID:
	case PREDICT_TID:
	case PREDICT_NEXT_PID:
	case PREDICT_NEXT_TID:
		err = read_runs(c);
		return err ? err : read_tasks(c);
	case PREDICT_AGO:
	case PREDICT_SINCE:
		if (!(c->known & READ_TIMES))
			return -EAGAIN;
		return s->what == PREDICT_AGO
			       ? 0
			       : once(c, READ_SINCE, unpack_since);
	default:
		return -EPROTONOSUPPORT;
	}
}

/* Which keys have a group of their own. */
static void mark_keys(const struct part *p, bool *has_group)
{
	uint32_t i;

	memset(has_group, 0, KEYS * sizeof(*has_group));
	for (i = 0; i + 1 < p->group_count; i++)
		has_group[p->group[i].key] = true;
}

/* The key is kept for all rows of the part, in their order. */
static void pick_keys(const struct part *p, const struct group *g, uint64_t *v)
{
	bool has_group[KEYS];
	uint32_t i, k = 0;

	if (g != &p->group[p->group_count - 1]) {
		for (i = 0; i < g->rows; i++)
			v[i] = g->key;
		return;
	}
	mark_keys(p, has_group);
	for (i = 0; i < p->rows && k < g->rows; i++)
		if (p->key[i] >= KEYS || !has_group[p->key[i]])
			v[k++] = p->key[i];
}

static int unpack_column(struct columns *c, const struct part *p,
			 uint32_t group, unsigned column, uint64_t *v)
{
	const struct plan_column *col = &p->plan->column[column];
	const struct group *g = &p->group[group];
	uint32_t n = g->rows, at = part_stream(p, group, column), i;
	const struct stream *s = &c->stream[at];
	struct predict d = {
		.what = s->what,
		.param = s->param,
		.bits = is_index(col) ? 32 : 8U * col->size,
		.view = &c->view,
		.row = p->row + g->first,
		.column = c->value,
	};
	int err;

	err = prepare(c, p, group, column, s);
	if (!err)
		err = read_stream(c, at, v, n);
	if (err)
		return err;
	d.guess = pool_alloc(&c->group, n, sizeof(*v));
	if (!d.guess)
		return -ENOMEM;
	predict_undo(&d, v, n);
	for (i = 0; i < n && is_index(col); i++)
		if (v[i] >= c->head.strings)
			return -EBADMSG;
	return 0;
}

static void go_to_group(struct columns *c, const struct part *p, uint32_t group)
{
	if (c->at_part == p && c->at_group == group)
		return;
	pool_reset(&c->group);
	memset(c->value, 0, p->plan->count * sizeof(*c->value));
	c->at_part = p;
	c->at_group = group;
}

int read_column(struct columns *c, const struct part *p, uint32_t group,
		unsigned column, const uint64_t **ret)
{
	uint64_t *v;
	int err = 0;

	go_to_group(c, p, group);
	if (!c->value[column]) {
		v = pool_alloc(&c->group, p->group[group].rows, sizeof(*v));
		if (!v)
			return -ENOMEM;
		if ((int)column == p->plan->key)
			pick_keys(p, &p->group[group], v);
		else
			err = unpack_column(c, p, group, column, v);
		if (!err)
			c->value[column] = v;
	}
	*ret = c->value[column];
	return err;
}
