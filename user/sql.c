// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql.c - the connection: its tables, what a statement may do, and what its
 * answer lacks; see sql.h.
 */
#include "sql.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sql_internal.h"

#define MODULE	    "weir"
#define EVENTS	    "events"
#define EVENTS_HELP "what all events have in common, whatever their kind"
#define TASKS	    "tasks"
#define COUNTS	    "events" /* the one column of tasks that all events make */

/* ---- what a statement may do --------------------------------------------- */

/* Pragmas that only tell. */
static bool is_harmless(const char *pragma)
{
	static const char *const names[] = {"table_info", "table_xinfo",
					    "table_list", "function_list",
					    "compile_options"};
	size_t i;

	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (!sqlite3_stricmp(pragma, names[i]))
			return true;
	return false;
}

static void note_read(struct sql *s, const char *table, const char *column)
{
	if (!table || sqlite3_stricmp(table, TASKS))
		return;
	s->wants_tasks = true;
	if (column && !sqlite3_stricmp(column, COUNTS))
		s->wants_counts = true;
}

static int authorize(void *arg, int action, const char *a, const char *b,
		     const char *database, const char *trigger)
{
	struct sql *s = arg;

	(void)database;
	(void)trigger;
	if (s->trusted)
		return SQLITE_OK;
	switch (action) {
	case SQLITE_SELECT:
	case SQLITE_RECURSIVE:
		return SQLITE_OK;
	case SQLITE_READ:
		note_read(s, a, b);
		return SQLITE_OK;
	case SQLITE_FUNCTION:
		return sqlite3_stricmp(b, "load_extension") ? SQLITE_OK
							    : SQLITE_DENY;
	case SQLITE_PRAGMA:
		return is_harmless(a) ? SQLITE_OK : SQLITE_DENY;
	default:
		return SQLITE_DENY;
	}
}

/* ---- opening ------------------------------------------------------------- */

static int make_table(struct sql *s, const char *name)
{
	char *text = sqlite3_mprintf(
		"CREATE VIRTUAL TABLE \"%w\" USING " MODULE, name);
	int rc = text ? sqlite3_exec(s->db, text, NULL, NULL, NULL)
		      : SQLITE_NOMEM;

	sqlite3_free(text);
	return rc;
}

/*
 * A kind whose name is taken, or SQLite's own, has no table; its events are
 * in `events`.
 */
static int make_tables(struct sql *s)
{
	const struct schema_kind *k;
	unsigned i;
	int rc;

	rc = sqlite3_create_module(s->db, MODULE, &sql_table_module, s);
	if (!rc)
		rc = make_table(s, EVENTS);
	for (i = 0; i < SCHEMA_KINDS_MAX && !rc; i++) {
		k = schema_kind(s->replay->render.schema, i);
		if (!k || k != k->first)
			continue;
		rc = make_table(s, k->name);
		if (rc == SQLITE_ERROR)
			rc = SQLITE_OK;
	}
	return rc ? rc : sql_make_small(s);
}

static int set_up(struct sql *s)
{
	int rc = sqlite3_open_v2(":memory:", &s->db,
				 SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE |
					 SQLITE_OPEN_NOMUTEX,
				 NULL);

	if (!rc)
		rc = sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1,
				       NULL);
	if (!rc)
		rc = sqlite3_exec(s->db, "PRAGMA temp_store = FILE", NULL, NULL,
				  NULL);
	if (!rc)
		rc = sql_add_functions(s);
	if (!rc)
		rc = make_tables(s);
	if (!rc)
		rc = sql_fast_init(s);
	if (!rc)
		rc = sqlite3_set_authorizer(s->db, authorize, s);
	return rc;
}

int sql_open(struct sql **ret, struct replay *r)
{
	struct sql *s = calloc(1, sizeof(*s));
	int rc;

	if (!s)
		return -ENOMEM;
	s->replay = r;
	s->from_ns = UINT64_MAX;
	rc = set_up(s);
	if (rc) {
		sql_close(s);
		return rc == SQLITE_NOMEM ? -ENOMEM : -EIO;
	}
	*ret = s;
	return 0;
}

void sql_close(struct sql *s)
{
	if (!s)
		return;
	sql_fast_done(s);
	sqlite3_close_v2(s->db);
	free(s);
}

sqlite3 *sql_db(const struct sql *s)
{
	return s->db;
}

void sql_interrupt(struct sql *s)
{
	__atomic_store_n(&s->stop, 1, __ATOMIC_RELAXED);
	sqlite3_interrupt(s->db);
}

enum sql_path sql_path(const struct sql *s)
{
	return s->path;
}

void sql_rows_only(struct sql *s, bool yes)
{
	s->rows_only = yes;
}

/* ---- statements ---------------------------------------------------------- */

static int explain_error(const struct sql *s, int rc, struct sql_error *err)
{
	const char *what = sqlite3_errmsg(s->db);

	if (rc == SQLITE_AUTH || rc == SQLITE_READONLY)
		what = "this changes something; an archive can only be asked: "
		       "SELECT, WITH, EXPLAIN";
	snprintf(err->what, sizeof(err->what), "%s", what);
	err->at = sqlite3_error_offset(s->db);
	return -EINVAL;
}

/* tasks is a table of SQLite's: filled when somebody asks for it. */
static int fill_wanted(struct sql *s)
{
	int err;

	if (!s->wants_tasks || (s->has_tasks && !s->wants_counts) ||
	    s->has_counts)
		return 0;
	err = sql_fill_tasks(s);
	if (!err)
		s->has_tasks = true;
	s->has_counts = s->has_tasks && s->wants_counts;
	return err;
}

int sql_prepare(struct sql *s, const char *text, sqlite3_stmt **ret,
		const char **tail, struct sql_error *err)
{
	sqlite3_stmt *stmt = NULL;
	int rc;

	s->statement++;
	s->stop = 0;
	s->wants_tasks = s->wants_counts = false;
	err->what[0] = '\0';
	err->at = -1;
	rc = sqlite3_prepare_v2(s->db, text, -1, &stmt, tail);
	if (!rc && stmt && !sqlite3_stmt_readonly(stmt)) {
		sqlite3_finalize(stmt);
		rc = SQLITE_READONLY;
	}
	if (rc)
		return explain_error(s, rc, err);
	rc = fill_wanted(s);
	if (!rc && stmt)
		rc = sql_fast_prepare(s, text, &stmt);
	if (rc) {
		sqlite3_finalize(stmt);
		return rc;
	}
	*ret = stmt;
	return 0;
}

/* ---- what an answer lacks ------------------------------------------------ */

void sql_ask(struct sql *s, const bool *kinds, uint64_t from_ns, uint64_t to_ns)
{
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		s->asked[i] |= kinds[i];
	if (from_ns < s->from_ns)
		s->from_ns = from_ns;
	if (to_ns > s->to_ns)
		s->to_ns = to_ns;
	s->is_asked = true;
}

int sql_losses(struct sql *s)
{
	struct replay *r = s->replay;
	int err = 0;

	if (s->is_asked)
		err = replay_losses(r, s->asked, s->from_ns, s->to_ns);
	else
		r->missing = r->gaps = r->others = r->shed = 0;
	if (!err && s->damaged)
		err = -EBADMSG;
	memset(s->asked, 0, sizeof(s->asked));
	s->is_asked = s->damaged = false;
	s->from_ns = UINT64_MAX;
	s->to_ns = 0;
	return err;
}

/* ---- what says nothing --------------------------------------------------- */

static void say_instead(const struct sql_column *c, struct sql_odd *ret)
{
	enum meaning meaning = c->field ? c->field->meaning : MEANING_NONE;
	const char *text = "numbers alone";

	if (c->what == SQL_TS || c->what == SQL_TIME || meaning == MEANING_TIME)
		text = "ts >= at('14:03'), at('-5m')";
	else if (meaning == MEANING_NS)
		text = "span('10ms')";
	else if (meaning == MEANING_BYTES)
		text = "size('64K')";
	else if (sql_column_has_name(c))
		text = NULL;
	snprintf(ret->write, sizeof(ret->write), "%s%s",
		 text ? text : c->field->name, text ? "" : "_name");
}

void sql_note_odd(struct sql *s, const struct sql_tests *t)
{
	if (!t->odd)
		return;
	snprintf(s->odd.column, sizeof(s->odd.column), "%s", t->odd->name);
	snprintf(s->odd.value, sizeof(s->odd.value), "%s", t->odd_value);
	say_instead(t->odd, &s->odd);
}

bool sql_odd(struct sql *s, struct sql_odd *ret)
{
	*ret = s->odd;
	s->odd.column[0] = '\0';
	return ret->column[0];
}

/* ---- what there is ------------------------------------------------------- */

void sql_tables(const struct sql *s,
		void (*fn)(void *arg, const char *name, const char *help),
		void *arg)
{
	const struct schema_kind *k;
	unsigned i;

	fn(arg, EVENTS, EVENTS_HELP);
	for (i = 0; i < SQL_SMALL_TABLES; i++)
		fn(arg, sql_small_help[i][0], sql_small_help[i][1]);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(s->replay->render.schema, i);
		if (k && k == k->first)
			fn(arg, k->name, k->help);
	}
}

static int describe_small(struct sql *s, const char *name, struct buf *to)
{
	static const char ask[] =
		"SELECT sql FROM sqlite_schema WHERE name = ?1 COLLATE NOCASE";
	sqlite3_stmt *stmt;
	int err = -ENOENT;

	if (sqlite3_prepare_v2(s->db, ask, -1, &stmt, NULL))
		return -EIO;
	sqlite3_bind_text(stmt, 1, name, -1, SQLITE_STATIC);
	if (sqlite3_step(stmt) == SQLITE_ROW) {
		buf_printf(to, "%s;\n", sqlite3_column_text(stmt, 0));
		err = buf_err(to);
	}
	sqlite3_finalize(stmt);
	return err;
}

int sql_describe(struct sql *s, const char *name, struct buf *to)
{
	const struct schema_kind *k =
		schema_kind_by_name(s->replay->render.schema, name);
	struct sql_columns c;
	int err;

	if (!k && sqlite3_stricmp(name, EVENTS))
		return describe_small(s, name, to);
	err = sql_columns_init(&c, k);
	if (err)
		return err;
	sql_columns_declare(&c, k ? k->name : EVENTS, true, to);
	sql_columns_done(&c);
	return buf_err(to);
}
