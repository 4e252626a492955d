// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_small.c - the tables that are no events: tasks, account, losses. They
 * are tables of SQLite's own, so it can index them; sql_internal.h.
 */
#include <errno.h>
#include <string.h>

#include "sql_internal.h"
#include "tally.h"

const char *const sql_small_help[SQL_SMALL_TABLES][2] = {
	{"tasks", "the processes that lived, and how many events they had"},
	{"account", "where every event went, for each source and CPU"},
	{"losses", "what was lost, when and where (of the gap events)"},
};

static const char tables[] =
	"CREATE TABLE tasks(\"pid\" INTEGER, \"ppid\" INTEGER, "
	"\"uid\" INTEGER, \"comm\" TEXT, \"exe\" TEXT, "
	"\"start_time\" INTEGER, \"exit_time\" INTEGER, "
	"\"kthread\" INTEGER, \"events\" INTEGER);"
	"CREATE TABLE account(\"source\" TEXT, \"cpu\" INTEGER, "
	"\"submitted\" INTEGER, \"filtered\" INTEGER, \"shed\" INTEGER, "
	"\"lost_kernel\" INTEGER, \"missed\" INTEGER, "
	"\"delivered\" INTEGER, \"lost_main\" INTEGER, \"late\" INTEGER, "
	"\"rejected\" INTEGER, \"context\" INTEGER, \"kept\" INTEGER, "
	"\"lost_archive\" INTEGER);";

/* An archive whose gap events are others has no such view. */
static const char losses[] =
	"CREATE VIEW losses AS SELECT ts, time, \"of\" AS source, stage, "
	"nullif(on_cpu, 4294967295) AS cpu, count, \"first\", \"last\" "
	"FROM gap";

/* ---- tasks --------------------------------------------------------------- */

static void bind_time(sqlite3_stmt *to, int at, uint64_t mono, int64_t offset)
{
	if (mono)
		sqlite3_bind_int64(to, at, (sqlite3_int64)mono + offset);
	else
		sqlite3_bind_null(to, at);
}

static void bind_text(sqlite3_stmt *to, int at, const char *text)
{
	if (text && text[0])
		sqlite3_bind_text(to, at, text, -1, SQLITE_TRANSIENT);
	else
		sqlite3_bind_null(to, at);
}

static int put_process(sqlite3_stmt *to, const struct process *p,
		       int64_t offset)
{
	int rc;

	sqlite3_bind_int64(to, 1, p->pid);
	sqlite3_bind_int64(to, 2, p->ppid);
	sqlite3_bind_int64(to, 3, p->uid);
	bind_text(to, 4, p->comm);
	bind_text(to, 5, p->exe);
	bind_time(to, 6, p->start_time, offset);
	bind_time(to, 7, p->exit_time, offset);
	sqlite3_bind_int64(to, 8, p->kthread);
	sqlite3_bind_int64(to, 9, (sqlite3_int64)p->events);
	rc = sqlite3_step(to);
	sqlite3_reset(to);
	return rc == SQLITE_DONE ? 0 : -EIO;
}

static int put_processes(struct sql *s, const struct tally *t)
{
	sqlite3_stmt *to;
	size_t i;
	int err = 0;

	s->trusted = true;
	if (sqlite3_exec(s->db, "DELETE FROM tasks", NULL, NULL, NULL) ||
	    sqlite3_prepare_v2(s->db,
			       "INSERT INTO tasks VALUES(?,?,?,?,?,?,?,?,?)",
			       -1, &to, NULL))
		err = -EIO;
	s->trusted = false;
	if (err)
		return err;
	for (i = 0; i < t->count && !err; i++)
		err = put_process(to, t->list[i],
				  s->replay->render.wall_offset +
					  (int64_t)t->list[i]->shift);
	sqlite3_finalize(to);
	return err;
}

struct filling {
	const struct sql *sql;
	struct tally *tally;
};

static int on_event(void *arg, const struct event *ev)
{
	const struct filling *f = arg;

	return f->sql->stop ? -EINTR : tally_event(f->tally, ev);
}

/*
 * Only for the numbers of events must all events be read: the processes are
 * those of the events that the task table is made of.
 */
static int tally_all(struct sql *s, struct tally *t)
{
	struct filling filling = {s, t};
	struct replay *r = s->replay;
	bool kinds[SCHEMA_KINDS_MAX];
	unsigned i;
	int err;

	memcpy(kinds, r->select.kinds, sizeof(kinds));
	for (i = 0; i < SCHEMA_KINDS_MAX && !s->wants_counts; i++)
		r->select.kinds[i] = kinds[i] && tasks_binds(r->tasks, i);
	r->leave_boot = tally_leave;
	r->leave_arg = t;
	err = replay_each(r, on_event, &filling);
	sql_ask(s, r->select.kinds, r->from_ns,
		r->to_ns ? r->to_ns : UINT64_MAX);
	memcpy(r->select.kinds, kinds, sizeof(kinds));
	return err;
}

static int fill(struct sql *s, struct tally *t)
{
	int err = tally_init(t, &s->replay->render, s->replay->tasks), damaged;

	if (err)
		return err;
	damaged = tally_all(s, t);
	if (damaged && damaged != -EBADMSG)
		return damaged;
	s->damaged |= damaged != 0;
	err = tally_alive(t);
	if (err)
		return err;
	tally_sort(t);
	return put_processes(s, t);
}

int sql_fill_tasks(struct sql *s)
{
	struct replay *r = s->replay;
	struct tasks *before = r->tasks;
	struct tally t = {0};
	int err;

	/* a pass begins with nobody alive */
	err = tasks_new(&r->tasks, r->render.schema);
	if (!err) {
		r->render.tasks = r->tasks;
		err = fill(s, &t);
		tally_done(&t);
		tasks_free(r->tasks);
	}
	r->tasks = before;
	r->render.tasks = before;
	r->leave_boot = NULL;
	return err;
}

/* ---- account ------------------------------------------------------------- */

static int put_row(sqlite3_stmt *to, const struct account_row *r)
{
	const uint64_t n[] = {r->submitted,   r->filtered, r->shed,
			      r->lost_kernel, r->missed,   r->delivered,
			      r->lost_main,   r->late,	   r->rejected,
			      r->context,     r->kept,	   r->lost_archive};
	size_t i;
	int rc;

	sqlite3_bind_text(to, 1, r->source,
			  (int)strnlen(r->source, sizeof(r->source)),
			  SQLITE_TRANSIENT);
	if (r->cpu == ACCOUNT_ANY_CPU)
		sqlite3_bind_null(to, 2);
	else
		sqlite3_bind_int64(to, 2, r->cpu);
	for (i = 0; i < sizeof(n) / sizeof(n[0]); i++)
		sqlite3_bind_int64(to, (int)i + 3, (sqlite3_int64)n[i]);
	rc = sqlite3_step(to);
	sqlite3_reset(to);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fill_account(struct sql *s)
{
	const struct account_row *rows;
	size_t i, count = archive_account(s->replay->archive, &rows);
	sqlite3_stmt *to;
	int rc;

	rc = sqlite3_prepare_v2(s->db,
				"INSERT INTO account VALUES"
				"(?,?,?,?,?,?,?,?,?,?,?,?,?,?)",
				-1, &to, NULL);
	for (i = 0; i < count && !rc; i++)
		rc = put_row(to, &rows[i]);
	sqlite3_finalize(to);
	return rc;
}

int sql_make_small(struct sql *s)
{
	static const char *const needed[] = {"of",    "stage", "on_cpu",
					     "count", "first", "last"};
	const struct schema_kind *gap =
		schema_kind_by_name(s->replay->render.schema, "gap");
	int rc = sqlite3_exec(s->db, tables, NULL, NULL, NULL);
	size_t i;

	if (!rc)
		rc = fill_account(s);
	for (i = 0; i < sizeof(needed) / sizeof(needed[0]) && gap; i++)
		if (!schema_field(gap, needed[i]))
			gap = NULL;
	if (!rc && gap)
		rc = sqlite3_exec(s->db, losses, NULL, NULL, NULL);
	return rc;
}
