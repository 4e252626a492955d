// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_memo.c - rows that a join asks for again and again, with an index, in a
 * temporary database that spills to disk; sql_internal.h.
 */
#include <stdlib.h>
#include <string.h>

#include "sql_internal.h"

#define ASKED_TO_PAY 3 /* passes that were wanted when a memo is made */

struct sql_memo {
	struct sql_memo *next;
	char *text;	/* plan it is for, owned */
	unsigned asked; /* so often */
	/* by condition: the value of all times so far, or NULL: it changes */
	sqlite3_value *fixed[SQL_CONDS_MAX];
	bool built_with[SQL_CONDS_MAX]; /* a fixed value is no column's test */
	sqlite3 *db;			/* NULL: not made */
	char *select;			/* owned */
};

/* ---- what changes and what does not -------------------------------------- */

static bool is_same(sqlite3_value *a, sqlite3_value *b)
{
	int type = sqlite3_value_type(a);

	if (type != sqlite3_value_type(b))
		return false;
	if (type == SQLITE_INTEGER)
		return sqlite3_value_int64(a) == sqlite3_value_int64(b);
	if (type != SQLITE_TEXT)
		return false;
	return sqlite3_value_bytes(a) == sqlite3_value_bytes(b) &&
	       !memcmp(sqlite3_value_text(a), sqlite3_value_text(b),
		       (size_t)sqlite3_value_bytes(a));
}

/* A list cannot be kept: SQLite tests it again in any case. */
static int keep_values(struct sql_memo *m, const struct sql_plan *p,
		       sqlite3_value **argv)
{
	unsigned i;

	for (i = 0; i < p->count; i++) {
		if (p->cond[i].op == 'i')
			continue;
		m->fixed[i] = sqlite3_value_dup(argv[i]);
		if (!m->fixed[i])
			return SQLITE_NOMEM;
	}
	return SQLITE_OK;
}

static void drop_db(struct sql_memo *m)
{
	sqlite3_close_v2(m->db);
	sqlite3_free(m->select);
	m->db = NULL;
	m->select = NULL;
	memset(m->built_with, 0, sizeof(m->built_with));
}

/* Forget what is not fixed after all, and rows that were chosen by it. */
static void compare_values(struct sql_memo *m, const struct sql_plan *p,
			   sqlite3_value **argv)
{
	unsigned i;

	for (i = 0; i < p->count; i++) {
		if (!m->fixed[i] || is_same(m->fixed[i], argv[i]))
			continue;
		sqlite3_value_free(m->fixed[i]);
		m->fixed[i] = NULL;
		if (m->built_with[i])
			drop_db(m);
	}
}

/* ---- the statements ------------------------------------------------------ */

/* The row's number, then the columns that the plan uses. */
static char *columns_text(const struct sql_table *t, const struct sql_plan *p,
			  const char *row, const char *format)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	unsigned i;

	sqlite3_str_appendall(s, row);
	for (i = 0; i < t->columns.count; i++)
		if (sql_plan_uses(p, i))
			sqlite3_str_appendf(s, format, i,
					    t->columns.column[i].integer
						    ? "INTEGER"
						    : "TEXT");
	return sqlite3_str_finish(s);
}

static const char *sign_of(char op)
{
	switch (op) {
	case 'g':
		return ">=";
	case 'l':
		return "<=";
	case '>':
		return ">";
	case '<':
		return "<";
	default:
		return "=";
	}
}

static bool is_tested(const struct sql_memo *m, const struct sql_plan *p,
		      unsigned i)
{
	return p->cond[i].op != 'i' && !m->built_with[i];
}

/* Equal ones first, then one range. */
static char *index_text(const struct sql_memo *m, const struct sql_plan *p)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	bool ranged = false;
	unsigned i, pass;

	for (pass = 0; pass < 2; pass++) {
		for (i = 0; i < p->count; i++) {
			if (!is_tested(m, p, i) ||
			    (p->cond[i].op == '=') != !pass || ranged)
				continue;
			ranged = pass;
			sqlite3_str_appendf(s, "%sc%u",
					    sqlite3_str_length(s) ? ", " : "",
					    p->cond[i].column);
		}
	}
	return sqlite3_str_finish(s);
}

static char *select_text(const struct sql_memo *m, const struct sql_table *t,
			 const struct sql_plan *p)
{
	char *columns = columns_text(t, p, "rowid", ", c%u");
	sqlite3_str *s = sqlite3_str_new(NULL);
	const char *word = "WHERE";
	unsigned i;

	sqlite3_str_appendf(s, "SELECT %s FROM m", columns);
	for (i = 0; i < p->count; i++) {
		if (!is_tested(m, p, i))
			continue;
		sqlite3_str_appendf(s, " %s c%u %s ?%u", word,
				    p->cond[i].column, sign_of(p->cond[i].op),
				    i + 1);
		word = "AND";
	}
	sqlite3_free(columns);
	return sqlite3_str_finish(s);
}

static int run(sqlite3 *db, const char *before, char *middle, const char *after)
{
	char *text = sqlite3_mprintf("%s%s%s", before, middle, after);
	int rc = text && middle ? sqlite3_exec(db, text, NULL, NULL, NULL)
				: SQLITE_NOMEM;

	sqlite3_free(text);
	sqlite3_free(middle);
	return rc;
}

/* ---- making one ---------------------------------------------------------- */

static void bind_value(sqlite3_stmt *to, int at, const struct sql_value *v)
{
	switch (v->type) {
	case SQL_INT:
		sqlite3_bind_int64(to, at, v->i);
		break;
	case SQL_REAL:
		sqlite3_bind_double(to, at, v->real);
		break;
	case SQL_TEXT: /* until the row is in */
		sqlite3_bind_text64(to, at, v->text, v->len, SQLITE_TRANSIENT,
				    SQLITE_UTF8);
		break;
	default:
		sqlite3_bind_null(to, at);
	}
}

static int put_row(sqlite3_stmt *to, struct sql_scan *scan,
		   const struct sql_table *t, const struct sql_plan *p)
{
	const struct sql_value *v;
	sqlite3_int64 row;
	int at = 1, rc = sql_scan_row(scan, &row);
	unsigned i;

	if (rc)
		return rc;
	sqlite3_bind_int64(to, 1, row);
	for (i = 0; i < t->columns.count; i++) {
		if (!sql_plan_uses(p, i))
			continue;
		v = sql_scan_get(scan, i);
		if (!v)
			return SQLITE_NOMEM;
		bind_value(to, ++at, v);
	}
	rc = sqlite3_step(to);
	sqlite3_reset(to);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int put_rows(struct sql_memo *m, struct sql_scan *scan,
		    const struct sql_table *t, const struct sql_plan *p)
{
	char *marks = columns_text(t, p, "?", ", ?");
	char *text = sqlite3_mprintf("INSERT INTO m VALUES(%s)", marks);
	sqlite3_stmt *to = NULL;
	int rc = SQLITE_NOMEM;

	if (marks && text)
		rc = sqlite3_prepare_v2(m->db, text, -1, &to, NULL);
	while (!rc) {
		rc = sql_scan_next(scan);
		if (rc == SQLITE_ROW)
			rc = put_row(to, scan, t, p);
	}
	sqlite3_finalize(to);
	sqlite3_free(text);
	sqlite3_free(marks);
	return rc == SQLITE_DONE ? SQLITE_OK : rc;
}

static int fill(struct sql_memo *m, struct sql_table *t,
		const struct sql_plan *p, sqlite3_value **argv)
{
	bool skip[SQL_CONDS_MAX];
	struct sql_scan *scan;
	unsigned i;
	int rc;

	for (i = 0; i < p->count; i++)
		skip[i] = !m->built_with[i];
	rc = sql_scan_open(&scan, t, p, argv, skip);
	if (rc)
		return rc;
	rc = put_rows(m, scan, t, p);
	sql_scan_close(scan);
	return rc;
}

static int make_index(struct sql_memo *m, const struct sql_plan *p)
{
	char *columns = index_text(m, p);

	if (!columns) /* nothing to look up by */
		return SQLITE_OK;
	return run(m->db, "CREATE INDEX i ON m(", columns, ")");
}

static int build(struct sql_memo *m, struct sql_table *t,
		 const struct sql_plan *p, sqlite3_value **argv)
{
	unsigned i;
	int rc;

	for (i = 0; i < p->count; i++)
		m->built_with[i] = m->fixed[i] != NULL;
	rc = sqlite3_open("", &m->db); /* a file without a name */
	if (!rc)
		rc = sqlite3_exec(m->db,
				  "PRAGMA journal_mode = OFF;"
				  "PRAGMA synchronous = OFF; BEGIN",
				  NULL, NULL, NULL);
	if (!rc)
		rc = run(m->db, "CREATE TABLE m(",
			 columns_text(t, p, "row INTEGER PRIMARY KEY",
				      ", c%u %s"),
			 ")");
	if (!rc)
		rc = fill(m, t, p, argv);
	if (!rc)
		rc = make_index(m, p);
	m->select = select_text(m, t, p);
	if (!rc && !m->select)
		rc = SQLITE_NOMEM;
	if (rc)
		drop_db(m);
	return rc;
}

/* ---- asking -------------------------------------------------------------- */

static struct sql_memo *find(struct sql_table *t, const char *text)
{
	struct sql_memo *m;

	if (t->statement != t->sql->statement) /* of the one before */
		sql_memos_free(t);
	t->statement = t->sql->statement;
	for (m = t->memos; m; m = m->next)
		if (!strcmp(m->text, text))
			return m;
	m = calloc(1, sizeof(*m));
	if (m)
		m->text = strdup(text);
	if (!m || !m->text) {
		free(m);
		return NULL;
	}
	m->next = t->memos;
	t->memos = m;
	return m;
}

/* The statement of the last time will do again. */
static bool is_of(const struct sql_memo *m, sqlite3_stmt *stmt)
{
	return stmt && sqlite3_db_handle(stmt) == m->db &&
	       !strcmp(sqlite3_sql(stmt), m->select);
}

static int look_up(const struct sql_memo *m, const struct sql_plan *p,
		   sqlite3_value **argv, sqlite3_stmt **stmt)
{
	unsigned i;
	int rc = SQLITE_OK;

	if (is_of(m, *stmt)) {
		sqlite3_reset(*stmt);
	} else {
		sqlite3_finalize(*stmt);
		rc = sqlite3_prepare_v2(m->db, m->select, -1, stmt, NULL);
	}
	for (i = 0; i < p->count && !rc; i++)
		if (is_tested(m, p, i))
			rc = sqlite3_bind_value(*stmt, (int)i + 1, argv[i]);
	return rc;
}

/*
 * A number that is compared with a text makes a number of that (007 = 7), if
 * it comes from a column of numbers; the memo cannot know where it is from.
 */
static bool can_look_up(const struct sql_memo *m, const struct sql_table *t,
			const struct sql_plan *p, sqlite3_value **argv)
{
	const struct sql_column *c = t->columns.column;
	unsigned i;
	int type;

	for (i = 0; i < p->count; i++) {
		type = sqlite3_value_type(argv[i]);
		if (is_tested(m, p, i) && !c[p->cond[i].column].integer &&
		    type != SQLITE_TEXT && type != SQLITE_NULL)
			return false;
	}
	return true;
}

int sql_memo_ask(struct sql_table *t, const char *text,
		 const struct sql_plan *p, sqlite3_value **argv,
		 sqlite3_stmt **stmt)
{
	struct sql_memo *m = find(t, text);
	int rc = SQLITE_OK;

	if (!m)
		return SQLITE_NOMEM;
	if (!m->asked++)
		rc = keep_values(m, p, argv);
	else
		compare_values(m, p, argv);
	if (!rc && !m->db && m->asked >= ASKED_TO_PAY)
		rc = build(m, t, p, argv);
	if (!rc && m->db && can_look_up(m, t, p, argv))
		return look_up(m, p, argv, stmt);
	sqlite3_finalize(*stmt);
	*stmt = NULL;
	return rc;
}

void sql_memos_free(struct sql_table *t)
{
	struct sql_memo *m;
	unsigned i;

	while ((m = t->memos)) {
		t->memos = m->next;
		for (i = 0; i < SQL_CONDS_MAX; i++)
			sqlite3_value_free(m->fixed[i]);
		drop_db(m);
		free(m->text);
		free(m);
	}
}
