// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_scan.c - rows one by one, put together from columns for those that
 * pass; see fast.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_internal.h"
#include "segment.h"

#define TOP_MAX 100000 /* rows of ORDER BY … LIMIT that are kept track of */

/* ---- the best ------------------------------------------------------------ */

/* Values are kept so that the largest are the best. */
static int64_t worth(const struct fast *f, int64_t v)
{
	return f->q->top_descending ? v : ~v;
}

static void sift_down(struct fast_top *t, uint64_t at)
{
	int64_t v = t->value[at];
	uint64_t child;

	while ((child = 2 * at + 1) < t->count) {
		if (child + 1 < t->count &&
		    t->value[child + 1] < t->value[child])
			child++;
		if (t->value[child] >= v)
			break;
		t->value[at] = t->value[child];
		at = child;
	}
	t->value[at] = v;
}

static void put_last(struct fast_top *t, int64_t v)
{
	uint64_t at = t->count++;

	while (at && t->value[(at - 1) / 2] > v) {
		t->value[at] = t->value[(at - 1) / 2];
		at = (at - 1) / 2;
	}
	t->value[at] = v;
}

/* Can it still be one of the best? Equal ones are told apart later. */
static bool is_top(struct fast *f, int64_t v)
{
	struct fast_top *t = &f->top;

	v = worth(f, v);
	if (t->count < t->cap) {
		put_last(t, v);
		return true;
	}
	if (v < t->value[0])
		return false;
	t->value[0] = v;
	sift_down(t, 0);
	return true;
}

static int choose_top(struct fast *f, const uint32_t **rows, uint32_t *count)
{
	struct fast_vector v;
	uint32_t i, row, n = 0;
	int err;

	if (!f->top.value || !*count)
		return 0;
	err = fast_column_value(&f->eval, (unsigned)f->q->top_column, &v);
	for (i = 0; i < *count && !err; i++) {
		row = *rows ? (*rows)[i] : i;
		if ((v.same ? v.null : v.nulls && v.nulls[row]) ||
		    is_top(f, v.same ? v.one : v.v[row]))
			f->chosen[n++] = row;
	}
	*rows = f->chosen;
	*count = n;
	return err;
}

/* ---- a block's rows ------------------------------------------------------ */

static struct fast_found *add_found(struct fast *f)
{
	size_t cap = f->found_cap ? f->found_cap * 2 : 256;
	void *p;

	if (f->found_count == f->found_cap) {
		p = reallocarray(f->found, cap, sizeof(*f->found));
		if (!p)
			return NULL;
		f->found = p;
		f->found_cap = cap;
	}
	return &f->found[f->found_count++];
}

/* So that fast_task() finds them: here it may fail. */
static int find_others(struct fast *f, const struct fast_found *at)
{
	const char *rec = f->records.data + at->at;
	const struct sql_columns *c = &f->q->columns;
	struct event ev;
	uint32_t number;
	unsigned i;
	int err = 0;

	if (!f->of_others ||
	    event_init(&ev, f->schema, rec,
		       ((const struct weir_hdr *)rec)->len) ||
	    ev.kind != f->q->kind)
		return 0;
	for (i = 0; i < c->count && !err; i++)
		if (c->column[i].what == SQL_OF)
			err = fast_view_find(
				f->tasks, &f->block,
				(uint32_t)field_u64(&ev, c->column[i].field, 0),
				at->row, &number);
	return err;
}

static int find_task(struct fast *f, struct fast_found *at)
{
	const struct columns_turn *t;
	int err;

	if (!f->tasks)
		return 0;
	f->turn = fast_block_turn(&f->block, at->row, f->turn);
	t = &f->block.turn[f->turn];
	err = fast_view_find(f->tasks, &f->block, t->tid, at->row, &at->info);
	return err ? err : find_others(f, at);
}

static int put_rows(struct fast *f, const uint32_t *rows, uint32_t count)
{
	struct fast_eval *e = &f->eval;
	struct fast_found *found;
	uint32_t i;
	int err = count ? fast_rows_open(&f->rows, &f->block, e->kind, e->group,
					 f->every_field ? NULL : f->fields)
			: 0;

	for (i = 0; i < count && !err; i++) {
		uint32_t at = rows ? rows[i] : i;

		found = add_found(f);
		if (!found)
			return -ENOMEM;
		found->row = f->rows.row[at];
		found->at = fast_rows_put(&f->rows, at, &f->records);
		err = buf_err(&f->records);
		if (!err)
			err = find_task(f, found);
	}
	return err;
}

/* Its columns cannot say: who asks will test each row. */
static int choose(struct fast *f, const uint32_t **rows, uint32_t *count)
{
	int err = fast_choose(f, fast_inside(f), rows, count);

	if (!err)
		err = choose_top(f, rows, count);
	if (err != -EOPNOTSUPP)
		return err;
	*rows = NULL;
	*count = f->eval.count;
	return 0;
}

static int scan_kind(struct fast *f, unsigned kind)
{
	const uint32_t *rows;
	struct columns_group g;
	uint32_t i, count;
	int err = 0;

	for (i = 0; i < columns_group(f->block.columns, kind, i, &g) && !err;
	     i++) {
		if (!g.rows)
			continue;
		fast_eval_group(&f->eval, schema_kind(f->schema, kind), i,
				g.rows);
		err = choose(f, &rows, &count);
		if (!err)
			err = put_rows(f, rows, count);
	}
	return err;
}

static int by_order(const void *x, const void *y, void *arg)
{
	const struct fast_found *a = x, *b = y;

	return fast_block_compare(arg, a->row, b->row);
}

static int by_row(const void *x, const void *y)
{
	const struct fast_found *a = x, *b = y;

	return (a->row > b->row) - (a->row < b->row);
}

/* Then they have their order already. */
static bool is_of_one_cpu(const struct fast *f)
{
	const struct weir_hdr *first = NULL, *h;
	size_t i;

	for (i = 0; i < f->found_count; i++) {
		h = (const struct weir_hdr *)(f->records.data + f->found[i].at);
		first = first ? first : h;
		if (h->cpu != first->cpu)
			return false;
	}
	return true;
}

/* All records, when some of them fit no kind. */
static int take_whole(struct fast *f)
{
	struct columns *c = f->block.columns;
	uint32_t rows = columns_rows(c), i, *place;
	const struct weir_hdr *h;
	struct fast_found *found;
	size_t at = 0;
	int err;

	err = fast_block_turns(&f->block);
	place = pool_alloc(&f->block.pool, rows, 2 * sizeof(*place));
	if (!err)
		err = place ? columns_places(c, place) : -ENOMEM;
	for (i = 0; i < rows && !err; i++)
		place[rows + place[i]] = i;
	if (!err)
		err = columns_decode(c, &f->records, FRAME_RAW_MAX);
	for (i = 0; i < rows && !err; i++) {
		found = add_found(f);
		if (!found)
			return -ENOMEM;
		*found = (struct fast_found){place[rows + i], 0, at};
		err = find_task(f, found);
		h = (const struct weir_hdr *)(f->records.data + at);
		at += (h->len + 7U) & ~7U;
	}
	return err;
}

static int scan_block(struct fast *f)
{
	unsigned k;
	int err = 0;

	f->found_count = f->found_at = 0;
	f->turn = 0;
	buf_reset(&f->records);
	if (columns_kind_rows(f->block.columns, 0))
		return take_whole(f);
	for (k = 1; k < SCHEMA_KINDS_MAX && !err; k++)
		if (fast_kind_wanted(f, k))
			err = scan_kind(f, k);
	if (f->found_count < 2 || err)
		return err;
	if (is_of_one_cpu(f)) {
		qsort(f->found, f->found_count, sizeof(*f->found), by_row);
		return 0;
	}
	err = fast_block_order(&f->block);
	if (!err)
		qsort_r(f->found, f->found_count, sizeof(*f->found), by_order,
			&f->block);
	return err;
}

/* ---- one by one ---------------------------------------------------------- */

static bool take_row(struct fast *f, struct event *ret)
{
	const struct fast_found *at = &f->found[f->found_at++];
	struct weir_hdr *h = (struct weir_hdr *)(f->records.data + at->at);

	if (event_init(ret, f->schema, h, h->len))
		return false;
	if (f->block.at.state)
		h->flags |= WEIR_F_CONTEXT;
	f->row = at->row;
	if (!f->tasks)
		return true;
	ret->task = fast_view_task(f->tasks, at->info, &f->task, &f->cgroup);
	return true;
}

int fast_next(struct fast *f, struct event *ret)
{
	int rc;

	while (!f->ended) {
		while (f->found_at < f->found_count)
			if (take_row(f, ret))
				return 1;
		rc = fast_block_next(f);
		f->ended = rc != 1;
		f->end = rc;
		if (rc != 1)
			break;
		rc = scan_block(f);
		if (rc) { /* columns that do not unpack: see what rows say */
			f->ended = true;
			f->end = rc == -EBADMSG ? -EOPNOTSUPP : rc;
		}
	}
	return f->end;
}

const struct task *fast_task(struct fast *f, uint32_t tid)
{
	uint32_t number;

	if (!f->tasks ||
	    fast_view_find(f->tasks, &f->block, tid, f->row, &number))
		return NULL;
	return fast_view_task(f->tasks, number, &f->other, &f->other_cgroup);
}

uint64_t fast_position(const struct fast *f)
{
	return f->position;
}

int fast_row(struct fast *f, uint64_t *ret)
{
	uint32_t place;
	int err = fast_block_place(&f->block, f->row, &place);

	if (!err)
		*ret = archive_position(f->position, place);
	return err;
}

int64_t fast_wall_offset(const struct fast *f)
{
	return f->block.at.wall_offset;
}

/* ---- what rows need ------------------------------------------------------ */

/* Lists and words are shown with the help of other fields. */
static void need(struct fast *f, const struct sql_column *c)
{
	if (!c->field)
		return;
	f->fields[c->field - f->q->kind->fields] = true;
	if (c->field->meaning == MEANING_ARGS ||
	    c->field->meaning == MEANING_ARGV ||
	    c->field->meaning == MEANING_VALUE)
		f->every_field = true;
}

int fast_scan_init(struct fast *f)
{
	const struct fast_query *q = f->q;
	unsigned i;

	for (i = 0; i < q->columns.count; i++)
		if (f->used[i])
			need(f, &q->columns.column[i]);
	if (q->top_column < 0 || !q->top_count || q->top_count > TOP_MAX ||
	    !q->columns.column[q->top_column].integer)
		return 0;
	f->top.cap = q->top_count;
	f->top.value = calloc(f->top.cap, sizeof(*f->top.value));
	return f->top.value ? 0 : -ENOMEM;
}
