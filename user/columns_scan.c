// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_merge.h"
#include "hash.h"

#define ROW_ALIGN 8
#define CPUS	  65536 /* weir_hdr.cpu */
#define NO_RUN	  0xffff
#define AHEAD	  2048 /* bytes to fetch before they are looked at */

static const struct weir_hdr *came(const struct writing *w, uint32_t i)
{
	return (const struct weir_hdr *)(w->rows + w->start[i]);
}

/* ---- records ------------------------------------------------------------- */

static int find_records(struct writing *w, const struct buf *rows)
{
	size_t at = 0, len;

	w->rows = rows->data;
	w->start = pool_alloc(&w->c->block,
			      rows->len / sizeof(struct weir_hdr) + 1,
			      sizeof(*w->start));
	if (!w->start)
		return -ENOMEM;
	while (rows->len - at >= sizeof(struct weir_hdr)) {
		__builtin_prefetch(w->rows + at + AHEAD);
		w->start[w->n] = (uint32_t)at;
		len = came(w, w->n)->len;
		at += (len + ROW_ALIGN - 1) & ~(size_t)(ROW_ALIGN - 1);
		if (len < sizeof(struct weir_hdr) || at > rows->len ||
		    w->n == ROWS_MAX)
			return -E2BIG;
		w->n++;
	}
	return at == rows->len && w->n ? 0 : -E2BIG;
}

static int allocate(struct writing *w)
{
	struct pool *p = &w->c->block;

	w->run_came = pool_alloc(p, w->n, sizeof(*w->run_came));
	w->from = pool_alloc(p, w->n, sizeof(*w->from));
	w->part_of = pool_alloc(p, w->n, sizeof(*w->part_of));
	w->ts = pool_alloc(p, w->n, sizeof(*w->ts));
	w->key = pool_alloc(p, w->n, sizeof(*w->key));
	w->delta = pool_alloc(p, w->n, sizeof(*w->delta));
	w->run = pool_alloc(p, w->n, sizeof(*w->run));
	w->task = pool_alloc(p, w->n, sizeof(*w->task));
	return w->run_came && w->from && w->part_of && w->ts && w->key &&
			       w->delta && w->run && w->task
		       ? 0
		       : -ENOMEM;
}

/* ---- CPUs ---------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* One run for each CPU there is, in the order of their numbers. */
static int find_runs(struct writing *w)
{
	struct pool *p = &w->c->block;
	uint16_t *run_of = pool_alloc(p, CPUS, sizeof(*run_of));
	uint64_t *cpu = pool_alloc(p, w->n + 1, sizeof(*cpu));
	uint32_t i, runs = 0;

	if (!run_of || !cpu)
		return -ENOMEM;
	memset(run_of, 0xff, CPUS * sizeof(*run_of));
	for (i = 0; i < w->n; i++) {
		uint16_t n = came(w, i)->cpu;

		if (run_of[n] != NO_RUN)
			continue;
		run_of[n] = 0;
		cpu[runs++] = n;
	}
	if (runs >= NO_RUN)
		return -E2BIG;
	qsort(cpu, runs, sizeof(*cpu), by_number);
	w->run_rows = pool_zero(p, runs, sizeof(*w->run_rows));
	if (!w->run_rows)
		return -ENOMEM;
	for (i = 0; i < runs; i++)
		run_of[cpu[i]] = (uint16_t)i;
	for (i = 0; i < w->n; i++) {
		w->run_came[i] = run_of[came(w, i)->cpu];
		w->run_rows[w->run_came[i]]++;
	}
	w->cpu = cpu;
	w->c->head.runs = runs;
	return 0;
}

/* ---- times and order ----------------------------------------------------- */

/* CPU-major rows of what came, with the time each is merged at. */
static int order_rows(struct writing *w)
{
	uint32_t runs = (uint32_t)w->c->head.runs, i, at = 0;
	uint32_t *next = pool_alloc(&w->c->block, runs, sizeof(*next));
	uint64_t latest = 0, base = UINT64_MAX;

	if (!next)
		return -ENOMEM;
	for (i = 0; i < runs; i++) {
		next[i] = at;
		at += (uint32_t)w->run_rows[i];
	}
	for (i = 0; i < w->n; i++) {
		const struct weir_hdr *h = came(w, i);
		uint32_t row = next[w->run_came[i]]++;

		latest = h->ts > latest ? h->ts : latest;
		base = h->ts < base ? h->ts : base;
		w->from[row] = w->start[i];
		w->run[row] = w->run_came[i];
		w->ts[row] = h->ts;
		w->key[row] = latest;
		w->c->head.late += latest != h->ts;
	}
	w->c->head.base_ns = base;
	for (i = 0; i < w->n; i++) {
		uint64_t before = i && w->run[i] == w->run[i - 1] ? w->ts[i - 1]
								  : base;

		w->delta[i] = w->ts[i] - before;
		w->came_late |= w->ts[i] < before;
	}
	return 0;
}

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
	write_stream(w->c, row, late, FORM_PLANES);
	write_stream(w->c, by, late, FORM_LOG);
	return 0;
}

/* Where the merge would go wrong, and where it should go. */
static int put_picks(struct writing *w)
{
	uint64_t *at = pool_alloc(&w->c->block, w->n, sizeof(*at));
	uint64_t *run = pool_alloc(&w->c->block, w->n, sizeof(*run));
	size_t picks = 0;
	struct merge m;
	uint32_t i;

	if (!at || !run ||
	    merge_begin(&m, &w->c->block, w->key, w->run_rows,
			(uint32_t)w->c->head.runs))
		return -ENOMEM;
	for (i = 0; i < w->n; i++) {
		if (merge_best(&m) != w->run_came[i]) {
			at[picks] = i;
			run[picks++] = w->run_came[i];
		}
		merge_take(&m, w->run_came[i]);
	}
	if (picks * w->c->head.runs > MERGE_WORK_MAX)
		return -E2BIG;
	w->c->head.picks = picks;
	for (i = (uint32_t)picks; i-- > 1;)
		at[i] -= at[i - 1];
	write_stream(w->c, at, picks, FORM_PLANES);
	write_stream(w->c, run, picks, FORM_PLANES);
	return 0;
}

/* ---- parts --------------------------------------------------------------- */

/* Do the strings follow the struct, in order, and nothing else? */
static bool fits(const struct plan *p, const struct weir_hdr *h)
{
	unsigned end = p->size, i, left = p->str_count;

	for (i = 0; i < p->count && left && h->len >= p->size; i++) {
		struct weir_str s;

		if (p->column[i].type != PLAN_STR)
			continue;
		left--;
		memcpy(&s, (const char *)h + p->column[i].offset, sizeof(s));
		if (s.len && s.off != end)
			return false;
		end += s.len;
	}
	return end == h->len;
}

static uint32_t part_for(struct columns *c, uint16_t *part_of,
			 const struct weir_hdr *h)
{
	const struct plan *plan = plans_find(c->plans, h->kind);
	unsigned kind;
	uint32_t i;

	if (!plan || !plan->kind || !fits(plan, h))
		plan = plans_find(c->plans, PLAN_WHOLE);
	kind = plan->kind;
	if (part_of[kind] != NO_RUN)
		return part_of[kind];
	i = (uint32_t)c->head.parts++;
	part_of[kind] = (uint16_t)i;
	c->part[i] =
		(struct part){.plan = plan, .kind = kind, .check = plan->check};
	return i;
}

static int find_parts(struct writing *w)
{
	uint16_t part_of[SCHEMA_KINDS_MAX];
	struct columns *c = w->c;
	uint32_t i, rows;

	memset(part_of, 0xff, sizeof(part_of));
	for (i = 0; i < w->n; i++) {
		uint32_t k = part_for(c, part_of, write_row(w, i));

		w->part_of[i] = k;
		c->part[k].rows++;
	}
	for (i = 0; i < c->head.parts; i++) {
		rows = c->part[i].rows;
		c->part[i].row = pool_alloc(&c->block, rows, sizeof(uint32_t));
		if (!c->part[i].row)
			return -ENOMEM;
		c->part[i].rows = 0;
	}
	for (i = 0; i < w->n; i++) {
		struct part *p = &c->part[w->part_of[i]];

		p->row[p->rows++] = i;
	}
	return 0;
}

/* ---- tasks --------------------------------------------------------------- */

/* Tasks by number, and a table to find them by. */
struct task_table {
	uint64_t *pid, *tid;
	uint32_t *slot; /* number plus one */
	uint32_t mask, count;
};

static uint32_t task_number(struct task_table *t, const struct weir_hdr *h)
{
	uint64_t id = (uint64_t)h->pid << 32 | h->tid;
	uint32_t at = (uint32_t)hash_u64(id) & t->mask, n;

	while ((n = t->slot[at])) {
		if (t->pid[n - 1] == h->pid && t->tid[n - 1] == h->tid)
			return n - 1;
		at = (at + 1) & t->mask;
	}
	t->pid[t->count] = h->pid;
	t->tid[t->count] = h->tid;
	t->slot[at] = ++t->count;
	return t->count - 1;
}

static bool same_turn(const struct writing *w, uint32_t i)
{
	const struct weir_hdr *a, *b;

	if (!i || w->run[i] != w->run[i - 1])
		return false;
	a = write_row(w, i - 1);
	b = write_row(w, i);
	return a->pid == b->pid && a->tid == b->tid;
}

static int put_tasks(struct writing *w)
{
	uint32_t room = 1U << (32 - __builtin_clz(w->n | 1)), i;
	struct pool *p = &w->c->block;
	struct task_table t = {
		.pid = pool_alloc(p, w->n, sizeof(*t.pid)),
		.tid = pool_alloc(p, w->n, sizeof(*t.tid)),
		.slot = pool_zero(p, 2 * (size_t)room, sizeof(*t.slot)),
		.mask = 2 * room - 1,
	};
	uint64_t *turn = pool_alloc(p, w->n, sizeof(*turn));
	uint64_t *rows = pool_zero(p, w->n, sizeof(*rows));
	size_t turns = 0;

	if (!t.pid || !t.tid || !t.slot || !turn || !rows)
		return -ENOMEM;
	for (i = 0; i < w->n; i++) {
		if (!same_turn(w, i))
			turn[turns++] = task_number(&t, write_row(w, i));
		w->task[i] = (uint32_t)turn[turns - 1];
		rows[turns - 1]++;
	}
	w->c->head.tasks = t.count;
	w->c->head.turns = turns;
	w->c->view.tasks = t.count;
	w->c->view.pid = t.pid;
	w->c->view.tid = t.tid;
	write_stream(w->c, t.pid, t.count, FORM_PLANES);
	write_stream(w->c, t.tid, t.count, FORM_PLANES);
	write_stream(w->c, turn, turns, FORM_PLANES);
	write_stream(w->c, rows, turns, FORM_LOG);
	return 0;
}

/* ---- all of it ----------------------------------------------------------- */

int write_scan(struct writing *w, const struct buf *rows)
{
	int err;

	err = find_records(w, rows);
	if (!err)
		err = allocate(w);
	if (!err)
		err = find_runs(w);
	if (!err)
		err = order_rows(w);
	if (!err)
		err = find_parts(w);
	w->c->head.rows = w->n;
	return err;
}

int write_common(struct writing *w)
{
	struct columns *c = w->c;
	int err;

	write_stream(c, w->cpu, c->head.runs, FORM_PLANES);
	write_stream(c, w->run_rows, c->head.runs, FORM_PLANES);
	write_stream(c, w->part_of, w->n, FORM_PLANES);
	err = put_tasks(w);
	if (!err)
		err = put_late(w);
	if (!err)
		err = put_picks(w);
	return err;
}
