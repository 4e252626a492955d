// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast.c - the pass: blocks, batches, conditions, groups; see fast.h.
 */
#include "fast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_internal.h"

/* ---- what the question is about ------------------------------------------ */

static void note_column(struct fast *f, unsigned column, bool *facts)
{
	const struct sql_column *c = &f->q->columns.column[column];

	switch (c->what) {
	case SQL_CPU:
	case SQL_PID:
	case SQL_TID:
		f->of_turns = true;
		break;
	case SQL_TS:
	case SQL_TIME:
		break;
	case SQL_OF:
		f->of_rows = f->of_tasks = f->of_others = true;
		facts[FAST_COMM] = true;
		break;
	default:
		if (!sql_column_is_task(c)) {
			f->of_rows = true;
			break;
		}
		f->of_turns = f->of_tasks = true;
		facts[c->what - SQL_COMM] = true;
	}
}

static void note_expr(struct fast *f, const struct fast_expr *x, bool *facts)
{
	if (!x)
		return;
	if (x->op == FAST_COLUMN)
		note_column(f, x->column, facts);
	note_expr(f, x->a, facts);
	note_expr(f, x->b, facts);
}

static void note_all(struct fast *f, bool *facts)
{
	const struct fast_query *q = f->q;
	unsigned i;

	for (i = 0; i < q->preds; i++)
		note_expr(f, q->pred[i].what, facts);
	for (i = 0; i < q->keys; i++)
		note_expr(f, q->key[i], facts);
	for (i = 0; i < q->aggs; i++) {
		note_expr(f, q->agg[i].what, facts);
		f->of_rows |= q->agg[i].what != NULL;
	}
	for (i = 0; f->used && i < q->columns.count; i++)
		if (f->used[i])
			note_column(f, i, facts);
}

static unsigned price(const struct fast *f, const struct fast_expr *x)
{
	const struct sql_column *c;
	unsigned a, b;

	if (!x || x->op == FAST_NUMBER)
		return 0;
	if (x->op != FAST_COLUMN) {
		a = price(f, x->a);
		b = price(f, x->b);
		return a > b ? a : b;
	}
	c = &f->q->columns.column[x->column];
	switch (c->what) {
	case SQL_SOURCE:
	case SQL_KIND:
		return 0;
	case SQL_TS:
	case SQL_TIME:
		return 1; /* most blocks are inside or outside */
	case SQL_FIELD:
		return c->field->type <= FIELD_INT ? 2 : 4;
	default:
		return 3;
	}
}

static void order_conditions(struct fast *f)
{
	unsigned i, k, n = 0;

	for (k = 0; k < 5; k++)
		for (i = 0; i < f->q->preds; i++)
			if (price(f, f->q->pred[i].what) == k)
				f->order[n++] = i;
}

/* ---- which rows ---------------------------------------------------------- */

#define ROOM_SLACK 8 /* bytes that may be read behind those of all rows */

bool fast_kind_wanted(const struct fast *f, unsigned kind)
{
	const struct select *s = &f->range.select;

	return s->kinds[kind] && columns_kind_rows(f->block.columns, kind) &&
	       (!f->block.at.state || s->named[kind]);
}

bool fast_inside(const struct fast *f)
{
	const struct archive_block *b = &f->block.at;

	return b->first_ns >= f->range.from_ns && b->last_ns < f->range.to_ns;
}

static int room_for_rows(struct fast *f, uint32_t count)
{
	void *pass, *chosen;

	if (count <= f->room)
		return 0;
	pass = realloc(f->pass, count + ROOM_SLACK);
	f->pass = pass ? pass : f->pass;
	chosen = reallocarray(f->chosen, count, sizeof(*f->chosen));
	f->chosen = chosen ? chosen : f->chosen;
	if (!pass || !chosen)
		return -ENOMEM;
	f->room = count;
	return 0;
}

/* Rows that are there for their state are asked for by name alone. */
static int pass_flags(struct fast *f, bool *all)
{
	struct fast_eval *e = &f->eval;
	const struct select *s = &f->range.select;
	unsigned kind = e->kind->number;
	const uint64_t *flags;
	uint64_t same;
	uint32_t i;
	int err;

	if (s->named[kind] || (s->gap && kind == s->gap))
		return 0;
	if (columns_group_same(e->block->columns, kind, e->group, COLUMNS_FLAGS,
			       0, &same)) {
		if (same & WEIR_F_CONTEXT) {
			memset(f->pass, 0, e->count);
			*all = false;
		}
		return 0;
	}
	err = columns_group_u64(e->block->columns, kind, e->group,
				COLUMNS_FLAGS, 0, &flags);
	for (i = 0; i < e->count && !err; i++)
		f->pass[i] &= !(flags[i] & WEIR_F_CONTEXT);
	*all = false;
	return err;
}

static int pass_interval(struct fast *f, bool *all)
{
	struct fast_eval *e = &f->eval;
	const uint64_t *times;
	uint64_t ts;
	uint32_t i;
	int err = fast_eval_times(e, &times);

	for (i = 0; i < e->count && !err; i++) {
		ts = times[e->row[i]];
		f->pass[i] &= ts >= f->range.from_ns && ts < f->range.to_ns;
	}
	*all = false;
	return err;
}

static uint32_t collect(struct fast *f)
{
	uint32_t i = 0, n = 0, end;
	uint64_t some;

	while (i < f->eval.count) {
		end = i + sizeof(some) < f->eval.count
			      ? i + (uint32_t)sizeof(some)
			      : f->eval.count;
		memcpy(&some, f->pass + i, sizeof(some)); /* ROOM_SLACK */
		for (; some && i < end; i++) {
			f->chosen[n] = i;
			n += f->pass[i];
		}
		i = end;
	}
	return n;
}

int fast_choose(struct fast *f, bool inside, const uint32_t **ret_rows,
		uint32_t *ret_count)
{
	struct fast_eval *e = &f->eval;
	bool all = true, one;
	unsigned i;
	int err = room_for_rows(f, e->count);

	*ret_count = 0;
	if (err)
		return err;
	memset(f->pass, 1, e->count);
	if (!e->by_turn)
		err = pass_flags(f, &all);
	for (i = 0; i < f->q->preds && !err; i++) {
		if (!all && !memchr(f->pass, 1, e->count))
			return 0;
		err = fast_eval_pass(e, f->order[i], f->pass, &one);
		all &= one;
	}
	if (!err && !inside && (all || memchr(f->pass, 1, e->count)))
		err = pass_interval(f, &all);
	if (err)
		return err;
	*ret_rows = all ? NULL : f->chosen;
	*ret_count = all ? e->count : collect(f);
	return 0;
}

/* ---- blocks -------------------------------------------------------------- */

/* Does it depend on nothing but CPUs and tasks? */
static bool is_of_turns(const struct fast *f, const struct fast_expr *x)
{
	const struct sql_column *c;

	if (!x || x->op == FAST_NUMBER)
		return true;
	if (x->op != FAST_COLUMN)
		return is_of_turns(f, x->a) && is_of_turns(f, x->b);
	c = &f->q->columns.column[x->column];
	if (c->what == SQL_CPU || c->what == SQL_PID || c->what == SQL_TID)
		return true;
	return c->what != SQL_OF && sql_column_is_task(c) &&
	       !fast_view_moved(f->tasks);
}

/* What conditions on CPUs and tasks say, before any row is looked at. */
static int test_turns(struct fast *f, bool *ret_some)
{
	struct fast_eval *e = &f->eval;
	bool begun = false, all;
	unsigned i;
	int err = 0;

	*ret_some = true;
	for (i = 0; i < f->q->preds && *ret_some && !err; i++) {
		if (!is_of_turns(f, f->q->pred[i].what))
			continue;
		if (!begun) {
			err = fast_eval_turns(e);
			err = err ? err : room_for_rows(f, e->count);
			if (err)
				return err;
			memset(f->pass, 1, e->count);
		}
		begun = true;
		err = fast_eval_pass(e, i, f->pass, &all);
		*ret_some = err || memchr(f->pass, 1, e->count);
	}
	return err == -EOPNOTSUPP ? 0 : err; /* rows will say */
}

static bool is_stopped(const struct fast *f)
{
	return f->range.stop &&
	       __atomic_load_n(f->range.stop, __ATOMIC_RELAXED);
}

int fast_block_next(struct fast *f)
{
	const struct archive_block *at = &f->block.at;
	bool some = true;
	int rc;

	do {
		if (is_stopped(f))
			return -EINTR;
		rc = fast_take(f);
		if (rc != 1)
			return rc;
		rc = at->hit || at->state ? test_turns(f, &some) : 0;
		if (rc)
			return rc == -EBADMSG ? -EOPNOTSUPP : rc;
	} while ((!at->hit && !at->state) || !some);
	return 1;
}

/* ---- groups -------------------------------------------------------------- */

static int add_batch(struct fast *f, bool inside)
{
	const uint32_t *rows;
	uint32_t count;
	int err = fast_choose(f, inside, &rows, &count);

	if (err)
		return err;
	return fast_groups_add(&f->groups, &f->eval, rows, count,
			       f->eval.by_turn ? f->block.turn : NULL);
}

/* Is every row of a kind an event that was asked for? */
static bool is_all_wanted(const struct fast *f, unsigned kind)
{
	const struct select *s = &f->range.select;
	struct columns_group g;
	uint64_t flags;
	uint32_t i;

	if (!s->kinds[kind])
		return false;
	for (i = 0; i < columns_group(f->block.columns, kind, i, &g); i++)
		if (!columns_group_same(f->block.columns, kind, i,
					COLUMNS_FLAGS, 0, &flags) ||
		    (flags & WEIR_F_CONTEXT && !s->named[kind] &&
		     kind != s->gap))
			return false;
	return true;
}

/* Can the rows be counted by turns, without looking at any? */
static bool is_by_turns(const struct fast *f)
{
	unsigned k;

	if (f->of_rows || !f->of_turns || f->block.at.state ||
	    (f->of_tasks && fast_view_moved(f->tasks)) || !fast_inside(f))
		return false;
	for (k = 0; k < SCHEMA_KINDS_MAX; k++)
		if (columns_kind_rows(f->block.columns, k) &&
		    !is_all_wanted(f, k))
			return false;
	return true;
}

static int add_kind(struct fast *f, unsigned kind)
{
	struct columns_group g;
	uint32_t i;
	int err = 0;

	for (i = 0; i < columns_group(f->block.columns, kind, i, &g) && !err;
	     i++) {
		if (!g.rows)
			continue;
		fast_eval_group(&f->eval, schema_kind(f->schema, kind), i,
				g.rows);
		err = add_batch(f, fast_inside(f));
	}
	return err;
}

static int add_block(struct fast *f)
{
	unsigned k;
	int err = 0;

	if (columns_kind_rows(f->block.columns, 0))
		return -EOPNOTSUPP; /* records that fit no kind */
	if (is_by_turns(f)) {
		err = fast_eval_turns(&f->eval);
		if (!err)
			err = fast_eval_timeless(&f->eval) ? add_batch(f, true)
							   : -EAGAIN;
		if (err != -EAGAIN)
			return err;
		err = 0;
	}
	for (k = 1; k < SCHEMA_KINDS_MAX && !err; k++)
		if (fast_kind_wanted(f, k))
			err = add_kind(f, k);
	return err;
}

int fast_add_all(struct fast *f)
{
	int rc, err = 0;

	while (!err && (rc = fast_block_next(f)) == 1)
		err = add_block(f);
	if (err)
		return err == -EBADMSG ? -EOPNOTSUPP : err;
	return rc;
}

const struct fast_text *fast_text_of(const struct fast *f, int64_t number)
{
	return &f->texts.text[number];
}

/* ---- life ---------------------------------------------------------------- */

/* What each thread has of its own. */
static int make_parts(struct fast *f)
{
	struct fast_source *s = f->source;
	int err = archive_unpacker_new(&f->unpacker, f->archive);

	if (!err && s->tasks)
		err = fast_view_new(&f->tasks, s->tasks, &s->lock, &f->texts);
	if (!err)
		err = fast_eval_init(&f->eval, f->q, f->schema, &f->texts,
				     f->tasks, &f->block);
	if (!err && f->q->grouped)
		err = fast_groups_init(&f->groups, f->q, &f->texts);
	return err;
}

int fast_open(struct fast **ret, struct archive *a, const struct fast_query *q,
	      const struct fast_range *range, const bool *used)
{
	struct fast *f = calloc(1, sizeof(*f));
	bool facts[FAST_FACTS] = {false};
	int err;

	if (!f)
		return -ENOMEM;
	f->schema = archive_schema(a);
	f->archive = a;
	f->q = q;
	f->range = *range;
	f->used = used;
	note_all(f, facts);
	order_conditions(f);
	err = fast_source_new(&f->source, f, facts);
	if (!err)
		err = make_parts(f);
	if (!err && used)
		err = fast_scan_init(f);
	f->used = NULL;
	if (err)
		fast_close(f);
	else
		*ret = f;
	return err;
}

int fast_helper_new(struct fast **ret, const struct fast *first)
{
	struct fast *f = calloc(1, sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	f->schema = first->schema;
	f->archive = first->archive;
	f->q = first->q;
	f->range = first->range;
	f->source = first->source;
	f->of_rows = first->of_rows;
	f->of_turns = first->of_turns;
	f->of_tasks = first->of_tasks;
	memcpy(f->order, first->order, sizeof(f->order));
	err = make_parts(f);
	if (err)
		fast_helper_free(f);
	else
		*ret = f;
	return err;
}

void fast_helper_free(struct fast *f)
{
	if (!f)
		return;
	fast_groups_done(&f->groups);
	if (f->eval.q)
		fast_eval_done(&f->eval);
	fast_view_free(f->tasks);
	archive_unpacker_free(f->unpacker);
	fast_block_done(&f->block);
	fast_texts_done(&f->texts);
	free(f->pass);
	free(f->chosen);
	free(f);
}

void fast_close(struct fast *f)
{
	struct fast_source *s = f ? f->source : NULL;

	if (!f)
		return;
	buf_done(&f->records);
	free(f->top.value);
	free(f->found);
	fast_helper_free(f);
	fast_source_free(s);
}
