// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_merge.h"
#include "columns_write.h"
#include "hash.h"

/* ---- CPU by CPU ---------------------------------------------------------- */

static size_t count_context(const struct writing *w)
{
	size_t n = 0;
	uint32_t i;

	for (i = 0; i < w->c->head.parts; i++)
		if (w->c->part[i].plan->is_context)
			n += w->c->part[i].rows;
	return n;
}

static int allocate(struct writing *w)
{
	struct pool *p = &w->c->block;

	w->from = pool_alloc(p, w->n, sizeof(*w->from));
	w->id = pool_alloc(p, w->n, sizeof(*w->id));
	w->ts = pool_alloc(p, w->n, sizeof(*w->ts));
	w->gap = pool_alloc(p, w->n, sizeof(*w->gap));
	w->run = pool_alloc(p, w->n, sizeof(*w->run));
	w->task = pool_alloc(p, w->n, sizeof(*w->task));
	w->c->group_of = pool_alloc(p, w->n, sizeof(*w->c->group_of));
	w->context = pool_alloc(p, count_context(w), sizeof(*w->context));
	return w->context && w->from && w->id && w->ts && w->gap && w->run &&
			       w->task && w->c->group_of
		       ? 0
		       : -ENOMEM;
}

static void begin_runs(const struct writing *w, uint32_t *next)
{
	uint32_t i, at = 0;

	for (i = 0; i < w->c->head.runs; i++) {
		next[i] = at;
		at += (uint32_t)w->run_rows[i];
	}
}

static void find_gaps(struct writing *w)
{
	uint64_t before = w->c->head.base_ns;
	uint32_t i;

	for (i = 0; i < w->n; i++) {
		if (i && w->run[i] != w->run[i - 1])
			before = w->c->head.base_ns;
		w->gap[i] = w->ts[i] - before;
		before = w->ts[i];
	}
}

/* Times, but of late rows the latest before. */
static int find_keys(struct writing *w, uint32_t *next)
{
	uint64_t latest = 0;
	uint32_t i;

	w->key = w->ts;
	if (!w->c->head.late)
		return 0;
	w->key = pool_alloc(&w->c->block, w->n, sizeof(*w->key));
	if (!w->key)
		return -ENOMEM;
	begin_runs(w, next);
	for (i = 0; i < w->n; i++) {
		const struct came *r = &w->came[i];

		latest = r->ts > latest ? r->ts : latest;
		w->key[next[r->run]++] = latest;
	}
	return 0;
}

static void place_rows(struct writing *w, uint32_t *next)
{
	uint64_t latest = 0;
	unsigned before = 0;
	uint32_t i;

	w->in_order = true;
	for (i = 0; i < w->n; i++) {
		const struct came *r = &w->came[i];
		const struct slot *s = &w->slot[r->slot];
		uint32_t row = next[r->run]++;

		if (r->ts <= latest) {
			w->in_order &= r->run >= before;
			w->c->head.late += latest != r->ts;
		} else {
			latest = r->ts;
		}
		before = r->run;
		w->from[row] = r->start;
		w->id[row] = r->task;
		w->ts[row] = r->ts;
		w->run[row] = r->run;
		w->c->group_of[row] = (uint16_t)s->group;
		if (s->is_context)
			w->context[w->context_count++] =
				(struct context_row){row, i};
	}
}

int write_order(struct writing *w)
{
	uint32_t *next = pool_alloc(&w->c->block, w->c->head.runs,
				    sizeof(*next));

	if (!next || allocate(w))
		return -ENOMEM;
	begin_runs(w, next);
	place_rows(w, next);
	find_gaps(w);
	return find_keys(w, next) ? -ENOMEM : groups_fill(w->c);
}

/* ---- late rows and picks ------------------------------------------------- */

static int put_late(struct writing *w)
{
	size_t late = w->c->head.late, k = 0;
	uint64_t *row = pool_alloc(&w->c->block, late, sizeof(*row));
	uint64_t *by = pool_alloc(&w->c->block, late, sizeof(*by));
	uint32_t i;

	if (!row || !by)
		return -ENOMEM;
	for (i = 0; i < w->n && k < late; i++) {
		if (w->key[i] == w->ts[i])
			continue;
		row[k] = i;
		by[k++] = w->key[i] - w->ts[i];
	}
	write_stream(w->c, row, late, FORM_PLANES, false);
	write_stream(w->c, by, late, FORM_LOG, false);
	return 0;
}

/* Return: how many places there are where the merge would go wrong. */
static size_t find_picks(const struct writing *w, struct merge *m, uint64_t *at,
			 uint64_t *run)
{
	size_t picks = 0;
	uint32_t i;

	for (i = 0; i < w->n; i++) {
		if (merge_best(m) != w->came[i].run) {
			at[picks] = i;
			run[picks++] = w->came[i].run;
		}
		merge_take(m, w->came[i].run);
	}
	return picks;
}

static int put_picks(struct writing *w)
{
	size_t room = w->in_order ? 0 : w->n, picks = 0, i;
	uint64_t *at = pool_alloc(&w->c->block, room, sizeof(*at));
	uint64_t *run = pool_alloc(&w->c->block, room, sizeof(*run));
	struct merge m;

	if (!at || !run ||
	    merge_begin(&m, &w->c->block, w->key, w->run_rows,
			(uint32_t)w->c->head.runs))
		return -ENOMEM;
	if (!w->in_order)
		picks = find_picks(w, &m, at, run);
	if (picks * w->c->head.runs > MERGE_WORK_MAX)
		return -E2BIG;
	w->c->head.picks = picks;
	for (i = picks; i-- > 1;)
		at[i] -= at[i - 1];
	write_stream(w->c, at, picks, FORM_PLANES, false);
	write_stream(w->c, run, picks, FORM_PLANES, false);
	return 0;
}

/* ---- tasks --------------------------------------------------------------- */

/* Tasks by number, and a table to find them by. */
struct task_table {
	uint64_t *pid, *tid;
	uint32_t *slot; /* number plus one */
	uint32_t mask, count;
};

static uint32_t task_number(struct task_table *t, uint64_t id)
{
	uint32_t at = (uint32_t)hash_u64(id) & t->mask, n;

	while ((n = t->slot[at])) {
		if ((t->pid[n - 1] << 32 | t->tid[n - 1]) == id)
			return n - 1;
		at = (at + 1) & t->mask;
	}
	t->pid[t->count] = id >> 32;
	t->tid[t->count] = (uint32_t)id;
	t->slot[at] = ++t->count;
	return t->count - 1;
}

static inline bool is_turn(const struct writing *w, uint32_t row)
{
	return !row || (w->id[row] != w->id[row - 1]) |
			       (w->run[row] != w->run[row - 1]);
}

static uint32_t count_turns(const struct writing *w)
{
	uint32_t i, turns = 0;

	for (i = 1; i < w->n; i++)
		turns += is_turn(w, i);
	return turns + (w->n != 0);
}

static void find_turns(struct writing *w, struct task_table *t, uint64_t *turn,
		       uint64_t *rows)
{
	size_t turns = 0;
	uint32_t i;

	for (i = 0; i < w->n; i++) {
		if (is_turn(w, i)) {
			rows[turns] = 0;
			turn[turns++] = task_number(t, w->id[i]);
		}
		rows[turns - 1]++;
		w->task[i] = (uint32_t)turn[turns - 1];
	}
}

static int put_tasks(struct writing *w)
{
	uint32_t n = count_turns(w), room = 1U << (32 - __builtin_clz(n | 1));
	struct pool *p = &w->c->block;
	struct task_table t = {
		.pid = pool_alloc(p, n, sizeof(*t.pid)),
		.tid = pool_alloc(p, n, sizeof(*t.tid)),
		.slot = pool_zero(p, 2 * (size_t)room, sizeof(*t.slot)),
		.mask = 2 * room - 1,
	};
	uint64_t *turn = pool_alloc(p, n, sizeof(*turn));
	uint64_t *rows = pool_alloc(p, n, sizeof(*rows));

	if (!t.pid || !t.tid || !t.slot || !turn || !rows)
		return -ENOMEM;
	find_turns(w, &t, turn, rows);
	w->c->head.tasks = t.count;
	w->c->head.turns = n;
	w->c->view.tasks = t.count;
	w->c->view.pid = t.pid;
	w->c->view.tid = t.tid;
	write_stream(w->c, t.pid, t.count, FORM_PLANES, false);
	write_stream(w->c, t.tid, t.count, FORM_PLANES, false);
	write_stream(w->c, turn, n, FORM_PLANES, false);
	write_stream(w->c, rows, n, FORM_LOG, false);
	return 0;
}

/* ---- all of it ----------------------------------------------------------- */

static int put_groups(struct writing *w)
{
	uint64_t *v = pool_alloc(&w->c->block, w->n, sizeof(*v));
	uint32_t i;

	for (i = 0; i < w->n && v; i++)
		v[i] = w->c->group_of[i];
	if (v)
		write_stream(w->c, v, w->n, FORM_PLANES, false);
	return v ? 0 : -ENOMEM;
}

int write_common(struct writing *w)
{
	struct columns *c = w->c;
	int err;

	write_stream(c, w->cpu, c->head.runs, FORM_PLANES, false);
	write_stream(c, w->run_rows, c->head.runs, FORM_PLANES, false);
	err = put_groups(w);
	if (!err)
		err = put_tasks(w);
	if (!err)
		err = put_late(w);
	if (!err)
		err = put_picks(w);
	return err;
}
