// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_table.c - SQLite's side of an event table: a cursor is a pass over the
 * archive, or over a memo of one; sql_internal.h.
 */
#include <stdlib.h>
#include <string.h>

#include "sql_internal.h"

struct cursor {
	sqlite3_vtab_cursor base;
	struct sql_scan *scan;
	sqlite3_stmt *memo; /* instead of a pass */
	bool eof;
	unsigned *memo_column; /* where a column is in the memo's rows */
};

static struct sql_table *table_of(sqlite3_vtab *v)
{
	return (struct sql_table *)v;
}

static struct sql_table *table_at(const struct cursor *c)
{
	return (struct sql_table *)c->base.pVtab;
}

/* ---- the table ----------------------------------------------------------- */

static int declare(sqlite3 *db, struct sql_table *t)
{
	struct buf text = {0};
	int rc;

	sql_columns_declare(&t->columns, "t", false, &text);
	buf_putc(&text, '\0');
	rc = buf_err(&text) ? SQLITE_NOMEM
			    : sqlite3_declare_vtab(db, text.data);
	buf_done(&text);
	return rc;
}

static int disconnect(sqlite3_vtab *v)
{
	struct sql_table *t = table_of(v);

	sql_memos_free(t);
	sql_columns_done(&t->columns);
	free(t);
	return SQLITE_OK;
}

/* The table's own name says of which kind it is. */
static int connect_table(sqlite3 *db, void *arg, int argc,
			 const char *const *argv, sqlite3_vtab **ret,
			 char **why)
{
	struct sql_table *t = calloc(1, sizeof(*t));
	struct sql *s = arg;
	int rc;

	(void)argc;
	(void)why;
	if (!t)
		return SQLITE_NOMEM;
	t->sql = s;
	t->kind = schema_kind_by_name(s->replay->render.schema, argv[2]);
	rc = sql_columns_init(&t->columns, t->kind) ? SQLITE_NOMEM
						    : declare(db, t);
	if (rc)
		disconnect(&t->base);
	else
		*ret = &t->base;
	return rc;
}

/* One kind is a part of all events; how large, only a pass could tell. */
#define SHARE_OF_KIND 8

static int best_index(sqlite3_vtab *v, sqlite3_index_info *info)
{
	struct sql_table *t = table_of(v);
	double rows = (double)t->sql->replay->info.events + 1;

	return sql_plan_choose(&t->columns,
			       t->kind ? rows / SHARE_OF_KIND : rows, info);
}

/* ---- a cursor ------------------------------------------------------------ */

static int open_cursor(sqlite3_vtab *v, sqlite3_vtab_cursor **ret)
{
	struct cursor *c = calloc(1, sizeof(*c));

	if (!c)
		return SQLITE_NOMEM;
	c->memo_column = calloc(table_of(v)->columns.count,
				sizeof(*c->memo_column));
	if (!c->memo_column) {
		free(c);
		return SQLITE_NOMEM;
	}
	*ret = &c->base;
	return SQLITE_OK;
}

static void rewind_cursor(struct cursor *c)
{
	sql_scan_close(c->scan);
	c->scan = NULL;
	c->eof = false;
}

static int close_cursor(sqlite3_vtab_cursor *v)
{
	struct cursor *c = (struct cursor *)v;

	rewind_cursor(c);
	sqlite3_finalize(c->memo);
	free(c->memo_column);
	free(c);
	return SQLITE_OK;
}

static int next(sqlite3_vtab_cursor *v)
{
	struct cursor *c = (struct cursor *)v;
	int rc = c->memo ? sqlite3_step(c->memo) : sql_scan_next(c->scan);

	c->eof = rc != SQLITE_ROW;
	return rc == SQLITE_ROW || rc == SQLITE_DONE ? SQLITE_OK : rc;
}

/* A memo's rows have the row's number and the columns that the plan uses. */
static void find_memo_columns(struct cursor *c, const struct sql_plan *p)
{
	unsigned i, at = 1;

	for (i = 0; i < table_at(c)->columns.count; i++)
		if (sql_plan_uses(p, i))
			c->memo_column[i] = at++;
}

static int filter(sqlite3_vtab_cursor *v, int number, const char *text,
		  int argc, sqlite3_value **argv)
{
	struct cursor *c = (struct cursor *)v;
	struct sql_table *t = table_at(c);
	struct sql_plan plan;
	int rc;

	(void)number;
	rewind_cursor(c);
	if (!text || !sql_plan_read(&plan, &t->columns, text) ||
	    plan.count != (unsigned)argc)
		return SQLITE_INTERNAL;
	rc = sql_memo_ask(t, text, &plan, argv, &c->memo);
	if (!rc && c->memo)
		find_memo_columns(c, &plan);
	else if (!rc)
		rc = sql_scan_open(&c->scan, t, &plan, argv, NULL);
	return rc ? rc : next(v);
}

static int is_eof(sqlite3_vtab_cursor *v)
{
	return ((struct cursor *)v)->eof;
}

/* ---- a value ------------------------------------------------------------- */

static int column(sqlite3_vtab_cursor *v, sqlite3_context *to, int i)
{
	struct cursor *c = (struct cursor *)v;
	const struct sql_value *value;

	if (c->memo) {
		sqlite3_result_value(
			to,
			sqlite3_column_value(c->memo, (int)c->memo_column[i]));
		return SQLITE_OK;
	}
	value = sql_scan_get(c->scan, (unsigned)i);
	if (!value)
		return SQLITE_NOMEM;
	switch (value->type) {
	case SQL_INT:
		sqlite3_result_int64(to, value->i);
		break;
	case SQL_REAL:
		sqlite3_result_double(to, value->real);
		break;
	case SQL_TEXT:
		sqlite3_result_text64(to, value->text, value->len,
				      SQLITE_TRANSIENT, SQLITE_UTF8);
		break;
	default:
		sqlite3_result_null(to);
	}
	return SQLITE_OK;
}

static int rowid(sqlite3_vtab_cursor *v, sqlite3_int64 *ret)
{
	struct cursor *c = (struct cursor *)v;

	if (!c->memo)
		return sql_scan_row(c->scan, ret);
	*ret = sqlite3_column_int64(c->memo, 0);
	return SQLITE_OK;
}

const sqlite3_module sql_table_module = {
	.xCreate = connect_table,
	.xConnect = connect_table,
	.xBestIndex = best_index,
	.xDisconnect = disconnect,
	.xDestroy = disconnect,
	.xOpen = open_cursor,
	.xClose = close_cursor,
	.xFilter = filter,
	.xNext = next,
	.xEof = is_eof,
	.xColumn = column,
	.xRowid = rowid,
};
