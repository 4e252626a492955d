// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_scan.c - one pass over an archive for one table: which blocks, which
 * rows, joined to tasks where that is needed; sql_internal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sql_internal.h"

/* A clock that is set forth after the archive was opened is covered so far. */
#define CLOCK_SLACK_NS NS_PER_S

struct sql_scan {
	struct sql *sql;
	struct fast *fast; /* rows made of columns; else by @iter */
	uint64_t resume;   /* frames before it were done with by @fast */
	struct archive_iter *iter;
	struct tasks *tasks; /* NULL: nobody asked for them */
	struct render render;
	struct select select;
	const struct sql_table *table;
	const struct sql_columns *columns;
	bool needs_tasks;
	struct sql_tests tests;
	struct sql_names names;	 /* of @fast */
	uint64_t from_ns, to_ns; /* of the first boot's clock */
	struct event ev;
	struct buf scratch;
	struct sql_value value;
};

/* ---- opening ------------------------------------------------------------- */

static void choose_kinds(struct sql_scan *s, const struct sql_table *t)
{
	const struct schema *schema = t->sql->replay->render.schema;
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		s->select.kinds[i] = schema_kind(schema, i) && !t->kind;
	for (k = t->kind; k; k = k->variant)
		s->select.kinds[k->number] = s->select.named[k->number] = true;
	if (!t->kind)
		s->select.gap = t->sql->replay->select.gap;
	sql_tests_kinds(&s->tests, schema, s->select.kinds);
	if (s->select.gap && !s->select.kinds[s->select.gap])
		s->select.gap = 0;
}

static uint64_t minus(int64_t wall, int64_t offset, int64_t slack)
{
	int64_t mono;

	if (__builtin_sub_overflow(wall, offset, &mono) ||
	    __builtin_add_overflow(mono, slack, &mono))
		return wall < 0 ? 1 : INT64_MAX;
	return mono > 0 ? (uint64_t)mono : 1;
}

/* The interval of the replay, and in it what the tests on time leave. */
static void choose_span(struct sql_scan *s)
{
	const struct replay *r = s->sql->replay;
	struct archive_info info;
	uint64_t at;

	archive_info(r->archive, &info);
	s->from_ns = r->from_ns;
	s->to_ns = r->to_ns ? r->to_ns : UINT64_MAX;
	if (s->tests.ts_lo > INT64_MIN) {
		at = minus(s->tests.ts_lo, info.wall_offset_max,
			   -(int64_t)CLOCK_SLACK_NS);
		s->from_ns = at > s->from_ns ? at : s->from_ns;
	}
	if (s->tests.ts_hi < INT64_MAX) {
		at = minus(s->tests.ts_hi, info.wall_offset_min,
			   (int64_t)CLOCK_SLACK_NS);
		s->to_ns = at < s->to_ns ? at : s->to_ns;
	}
}

static bool needs_tasks(const struct sql_scan *s, const struct sql_plan *p)
{
	unsigned i;

	for (i = 0; i < s->columns->count; i++)
		if (sql_column_is_task(&s->columns->column[i]) &&
		    sql_plan_uses(p, i))
			return true;
	return false;
}

/* State records are rows, too, of the kinds the task table is made of. */
static bool has_state(const struct sql_table *t)
{
	return t->kind && tasks_binds(t->sql->replay->tasks, t->kind->number);
}

static int open_iter(struct sql_scan *s)
{
	struct archive_range range = {
		.from_ns = s->from_ns,
		.to_ns = s->to_ns,
		.kinds = s->select.kinds,
	};
	int err = 0;

	if (s->needs_tasks)
		err = tasks_new(&s->tasks, s->render.schema);
	s->render.tasks = s->tasks;
	range.bare = !s->tasks && !has_state(s->table);
	if (!err)
		err = archive_iter_open(&s->iter, s->sql->replay->archive,
					&range);
	return err;
}

static int open_fast(struct sql_scan *s, const struct fast_query *q,
		     const struct sql_plan *p)
{
	struct fast_range range = {s->from_ns, s->to_ns, s->select,
				   &s->sql->stop, 1};
	bool *used = calloc(s->columns->count, sizeof(*used));
	unsigned i;
	int err;

	for (i = 0; used && i < s->columns->count; i++)
		used[i] = sql_plan_uses(p, i);
	err = used ? fast_open(&s->fast, s->sql->replay->archive, q, &range,
			       used)
		   : -ENOMEM;
	free(used);
	return err;
}

static int open_pass(struct sql_scan *s, const struct sql_plan *p)
{
	const struct fast_query *q = sql_fast_rows(s->sql, s->table->kind);
	struct sql *sql = s->sql;

	if (sql->rehearsing) {
		sql->range = (struct fast_range){s->from_ns, s->to_ns,
						 s->select, &sql->stop, 0};
		sql->rehearsals++;
		return 0;
	}
	s->needs_tasks = needs_tasks(s, p);
	return q ? open_fast(s, q, p) : open_iter(s);
}

/*
 * The part of the interval that the clock's slack added is nobody's question:
 * losses are told of what was asked for.
 */
static void ask(const struct sql_scan *s)
{
	uint64_t from = s->from_ns, to = s->to_ns;

	if (s->tests.ts_lo > INT64_MIN && from != s->sql->replay->from_ns)
		from += CLOCK_SLACK_NS;
	if (s->tests.ts_hi < INT64_MAX && to != s->sql->replay->to_ns)
		to -= CLOCK_SLACK_NS - 1;
	sql_ask(s->sql, s->select.kinds, from, to);
}

int sql_scan_open(struct sql_scan **ret, struct sql_table *t,
		  const struct sql_plan *p, sqlite3_value *const *argv,
		  const bool *skip)
{
	struct sql_scan *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return SQLITE_NOMEM;
	s->sql = t->sql;
	s->table = t;
	s->columns = &t->columns;
	s->render = t->sql->replay->render;
	s->render.boot = 0;
	s->render.shift = 0;
	rc = sql_tests_init(&s->tests, p, &t->columns, argv, skip);
	if (!rc)
		sql_note_odd(t->sql, &s->tests);
	if (!rc && !s->tests.never) {
		choose_kinds(s, t);
		choose_span(s);
		ask(s);
		rc = open_pass(s, p) ? SQLITE_NOMEM : SQLITE_OK;
	}
	if (rc) {
		sql_scan_close(s);
		return rc;
	}
	*ret = s;
	return SQLITE_OK;
}

/* ---- rows ---------------------------------------------------------------- */

static const struct task *find_name(void *arg, uint32_t tid)
{
	return fast_task(arg, tid);
}

/* Columns are ahead of the row at hand with their table of tasks. */
static const struct sql_names *names_of(struct sql_scan *s)
{
	s->names = (struct sql_names){find_name, s->fast};
	return s->fast ? &s->names : NULL;
}

static bool is_row(struct sql_scan *s)
{
	const struct weir_hdr *h = s->ev.h;
	uint64_t at = h->ts + s->render.shift;
	int64_t ts;

	if (at < s->from_ns || at >= s->to_ns ||
	    !select_match(&s->select, &s->ev))
		return false;
	ts = (int64_t)(h->ts + (uint64_t)s->render.wall_offset);
	if (ts < s->tests.ts_lo || ts > s->tests.ts_hi)
		return false;
	return sql_tests_pass(&s->tests, &s->render, names_of(s), &s->ev,
			      &s->scratch);
}

static int end(struct sql_scan *s, int rc)
{
	if (rc == -EBADMSG)
		s->sql->damaged = true;
	if (!rc || rc == -EBADMSG)
		return SQLITE_DONE;
	return rc == -ENOMEM  ? SQLITE_NOMEM
	       : rc == -EINTR ? SQLITE_INTERRUPT
			      : SQLITE_IOERR;
}

/*
 * Columns cannot go on: rows can, from this block on. The table of tasks is
 * made anew, so the frames before it are walked again.
 */
static int change_over(struct sql_scan *s)
{
	s->resume = fast_position(s->fast);
	fast_close(s->fast);
	s->fast = NULL;
	return open_iter(s);
}

/* Another clock, other tasks. */
static int change_boot(struct sql_scan *s)
{
	s->render.boot = archive_iter_boot(s->iter);
	s->render.shift = (uint64_t)archive_shift(s->sql->replay->archive,
						  s->render.boot);
	return s->tasks ? tasks_reset(s->tasks) : 0;
}

static int next_event(struct sql_scan *s)
{
	int rc = s->fast ? fast_next(s->fast, &s->ev) : -EOPNOTSUPP;

	if (rc == 1)
		s->render.wall_offset = fast_wall_offset(s->fast);
	if (s->fast && rc == -EOPNOTSUPP)
		rc = change_over(s) ? -ENOMEM : -EOPNOTSUPP;
	if (rc != -EOPNOTSUPP)
		return rc;
	rc = archive_iter_next(s->iter, &s->ev);
	if (rc <= 0)
		return rc;
	s->render.wall_offset = archive_iter_wall_offset(s->iter);
	if (archive_iter_boot(s->iter) != s->render.boot && change_boot(s))
		return -ENOMEM;
	if (s->tasks && tasks_apply(s->tasks, &s->ev))
		return -ENOMEM;
	return 1;
}

int sql_scan_next(struct sql_scan *s)
{
	int rc;

	if (!s->iter && !s->fast)
		return SQLITE_DONE;
	for (;;) {
		rc = s->sql->stop ? -EINTR : next_event(s);
		if (rc <= 0)
			return end(s, rc);
		if (s->iter && archive_iter_frame(s->iter) < s->resume)
			continue;
		if (is_row(s))
			return SQLITE_ROW;
	}
}

int sql_scan_row(struct sql_scan *s, sqlite3_int64 *ret)
{
	uint64_t row = s->iter ? archive_iter_position(s->iter) : 0;
	int err = s->fast ? fast_row(s->fast, &row) : 0;

	*ret = (sqlite3_int64)row;
	return !err ? SQLITE_OK : err == -ENOMEM ? SQLITE_NOMEM : SQLITE_IOERR;
}

const struct sql_value *sql_scan_get(struct sql_scan *s, unsigned column)
{
	sql_column_get(&s->columns->column[column], &s->render, names_of(s),
		       &s->ev, &s->scratch, &s->value);
	return buf_err(&s->scratch) ? NULL : &s->value;
}

void sql_scan_close(struct sql_scan *s)
{
	if (!s)
		return;
	fast_close(s->fast);
	archive_iter_close(s->iter);
	tasks_free(s->tasks);
	sql_tests_done(&s->tests);
	buf_done(&s->scratch);
	free(s);
}
