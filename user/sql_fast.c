// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_fast.c - statements that are answered on columns: whether one is, and
 * the table that its last part is asked of; sql_internal.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast.h"
#include "sql_internal.h"

#define MODULE "weir_groups_of"

/* What is answered on columns, of the statement compiled last. */
struct sql_fast {
	struct fast_query *query;
	struct fast *pass;		  /* of groups */
	const struct fast_groups *groups; /* of it */
	bool table;			  /* FAST_TABLE is there */
};

/* ---- the table of groups ------------------------------------------------- */

struct group_table {
	sqlite3_vtab base;
	const struct sql_fast *fast;
};

struct group_cursor {
	sqlite3_vtab_cursor base;
	uint32_t at;
};

static const struct sql_fast *fast_of(sqlite3_vtab_cursor *c)
{
	return ((struct group_table *)c->pVtab)->fast;
}

/* A key that is a column has its type; nothing else has one. */
static char *declaration(const struct fast_query *q)
{
	sqlite3_str *s = sqlite3_str_new(NULL);
	unsigned i;

	sqlite3_str_appendall(s, "CREATE TABLE t(");
	for (i = 0; i < q->keys; i++)
		sqlite3_str_appendf(s, "_weir_k%u %s,", i,
				    q->key[i]->op != FAST_COLUMN   ? ""
				    : fast_expr_text(q, q->key[i]) ? "TEXT"
								   : "INTEGER");
	for (i = 0; i < q->aggs; i++)
		sqlite3_str_appendf(s, "_weir_a%u,", i);
	sqlite3_str_appendall(s, "_weir_end HIDDEN)");
	return sqlite3_str_finish(s);
}

static int connect_groups(sqlite3 *db, void *arg, int argc,
			  const char *const *argv, sqlite3_vtab **ret,
			  char **why)
{
	struct sql *s = arg;
	struct group_table *t = calloc(1, sizeof(*t));
	char *text = declaration(s->fast->query);
	int rc = t && text ? sqlite3_declare_vtab(db, text) : SQLITE_NOMEM;

	(void)argc;
	(void)argv;
	(void)why;
	sqlite3_free(text);
	if (rc) {
		free(t);
		return rc;
	}
	t->fast = s->fast;
	*ret = &t->base;
	return SQLITE_OK;
}

static int disconnect_groups(sqlite3_vtab *t)
{
	free(t);
	return SQLITE_OK;
}

static int best_index(sqlite3_vtab *t, sqlite3_index_info *info)
{
	const struct sql_fast *f = ((struct group_table *)t)->fast;

	info->estimatedCost = f->groups->count + 1.0;
	return SQLITE_OK;
}

static int open_groups(sqlite3_vtab *t, sqlite3_vtab_cursor **ret)
{
	struct group_cursor *c = calloc(1, sizeof(*c));

	(void)t;
	if (!c)
		return SQLITE_NOMEM;
	*ret = &c->base;
	return SQLITE_OK;
}

static int close_groups(sqlite3_vtab_cursor *c)
{
	free(c);
	return SQLITE_OK;
}

static int filter_groups(sqlite3_vtab_cursor *c, int number, const char *text,
			 int argc, sqlite3_value **argv)
{
	(void)number;
	(void)text;
	(void)argc;
	(void)argv;
	((struct group_cursor *)c)->at = 0;
	return SQLITE_OK;
}

static int next_group(sqlite3_vtab_cursor *c)
{
	((struct group_cursor *)c)->at++;
	return SQLITE_OK;
}

static int is_end(sqlite3_vtab_cursor *c)
{
	return ((struct group_cursor *)c)->at >= fast_of(c)->groups->count;
}

static int rowid(sqlite3_vtab_cursor *c, sqlite3_int64 *ret)
{
	*ret = ((struct group_cursor *)c)->at;
	return SQLITE_OK;
}

/* ---- values -------------------------------------------------------------- */

static void put_value(const struct sql_fast *f, sqlite3_context *to,
		      const struct fast_expr *x, int64_t v)
{
	const struct fast_text *t;

	if (!fast_expr_text(f->query, x)) {
		sqlite3_result_int64(to, v);
		return;
	}
	t = fast_text_of(f->pass, v);
	sqlite3_result_text64(to, t->data, t->len, SQLITE_STATIC, SQLITE_UTF8);
}

static void put_key(const struct sql_fast *f, sqlite3_context *to,
		    uint32_t group, unsigned k)
{
	if (f->groups->null[group][k])
		sqlite3_result_null(to);
	else
		put_value(f, to, f->query->key[k], f->groups->key[group][k]);
}

static bool overflows(const struct fast_cell *c)
{
	return c->above > INT64_MAX || c->below < INT64_MIN;
}

static void put_sum(sqlite3_context *to, const struct fast_cell *c)
{
	if (c->count)
		sqlite3_result_int64(to, (int64_t)(c->above + c->below));
}

static void put_agg(const struct sql_fast *f, sqlite3_context *to,
		    const struct fast_cell *c, const struct fast_agg *a)
{
	double sum = (double)(c->above + c->below);

	switch (a->function) {
	case FAST_COUNT:
		sqlite3_result_int64(to, (sqlite3_int64)c->count);
		break;
	case FAST_SUM:
		put_sum(to, c);
		break;
	case FAST_TOTAL:
		sqlite3_result_double(to, sum);
		break;
	case FAST_AVG:
		if (c->count)
			sqlite3_result_double(to, sum / (double)c->count);
		break;
	case FAST_QUANTILE:
		if (c->count)
			sqlite3_result_int64(to, (sqlite3_int64)hist_quantile(
							 c->hist, a->share));
		break;
	default:
		if (c->count)
			put_value(f, to, a->what,
				  a->function == FAST_MIN ? c->min : c->max);
	}
}

static int group_value(sqlite3_vtab_cursor *v, sqlite3_context *to, int i)
{
	const struct sql_fast *f = fast_of(v);
	uint32_t group = f->groups->order[((struct group_cursor *)v)->at];
	unsigned keys = f->query->keys, column = (unsigned)i;

	if (column < keys)
		put_key(f, to, group, column);
	else if (column - keys < f->query->aggs)
		put_agg(f, to,
			&f->groups->cell[(size_t)group * f->query->aggs +
					 column - keys],
			&f->query->agg[column - keys]);
	return SQLITE_OK;
}

static const sqlite3_module module = {
	.xCreate = connect_groups,
	.xConnect = connect_groups,
	.xBestIndex = best_index,
	.xDisconnect = disconnect_groups,
	.xDestroy = disconnect_groups,
	.xOpen = open_groups,
	.xClose = close_groups,
	.xFilter = filter_groups,
	.xNext = next_group,
	.xEof = is_end,
	.xColumn = group_value,
	.xRowid = rowid,
};

/* ---- a statement --------------------------------------------------------- */

static int run_trusted(struct sql *s, const char *text)
{
	int rc;

	s->trusted = true;
	rc = sqlite3_exec(s->db, text, NULL, NULL, NULL);
	s->trusted = false;
	return rc;
}

static void forget(struct sql *s)
{
	struct sql_fast *f = s->fast;

	if (f->table)
		run_trusted(s, "DROP TABLE temp." FAST_TABLE);
	fast_close(f->pass);
	fast_query_free(f->query);
	*f = (struct sql_fast){0};
}

/* Where the pass would go, and what it would ask for: let SQLite say. */
static bool learn_range(struct sql *s, sqlite3_stmt *stmt)
{
	s->rehearsals = 0;
	s->rehearsing = true;
	while (sqlite3_step(stmt) == SQLITE_ROW)
		;
	s->rehearsing = false;
	return sqlite3_reset(stmt) == SQLITE_OK && s->rehearsals == 1;
}

/* SQLite would have said that an integer overflows. */
static bool is_exact(const struct sql_fast *f)
{
	const struct fast_query *q = f->query;
	size_t i;

	for (i = 0; i < (size_t)f->groups->count * q->aggs; i++)
		if (q->agg[i % q->aggs].function == FAST_SUM &&
		    overflows(&f->groups->cell[i]))
			return false;
	return true;
}

static int make_groups(struct sql *s)
{
	struct sql_fast *f = s->fast;
	struct fast_range range = s->range;
	int rc;

	range.jobs = s->replay->jobs;
	rc = fast_pass(&f->pass, s->replay->archive, f->query, &range,
		       &f->groups);
	if (rc == -EBADMSG)
		s->damaged = true;
	else if (rc)
		return rc;
	return is_exact(f) ? 0 : -EOPNOTSUPP;
}

static int ask_groups(struct sql *s, sqlite3_stmt **stmt)
{
	sqlite3_stmt *made;

	if (run_trusted(s, "CREATE VIRTUAL TABLE temp." FAST_TABLE
			   " USING " MODULE))
		return -EOPNOTSUPP;
	s->fast->table = true;
	if (sqlite3_prepare_v2(s->db, s->fast->query->text, -1, &made, NULL))
		return -EOPNOTSUPP;
	sqlite3_finalize(*stmt);
	*stmt = made;
	return 0;
}

static int answer_groups(struct sql *s, sqlite3_stmt **stmt)
{
	int rc;

	if (!learn_range(s, *stmt))
		return -EOPNOTSUPP;
	rc = make_groups(s);
	return rc ? rc : ask_groups(s, stmt);
}

int sql_fast_prepare(struct sql *s, const char *text, sqlite3_stmt **stmt)
{
	int rc;

	forget(s);
	s->path = SQL_PATH_ROWS;
	if (s->rows_only || !fast_pays(&s->replay->info))
		return 0;
	rc = fast_query_parse(&s->fast->query, s->replay->render.schema, *stmt,
			      text);
	if (!rc && s->fast->query->grouped) {
		rc = answer_groups(s, stmt);
		s->path = rc ? SQL_PATH_ROWS : SQL_PATH_GROUPS;
	} else if (!rc) {
		s->path = SQL_PATH_COLUMNS;
	}
	if (rc)
		forget(s);
	return rc == -EOPNOTSUPP ? 0 : rc;
}

const struct fast_query *sql_fast_rows(const struct sql *s,
				       const struct schema_kind *k)
{
	const struct fast_query *q = s->fast->query;

	return q && s->path == SQL_PATH_COLUMNS && q->kind == k ? q : NULL;
}

int sql_fast_init(struct sql *s)
{
	s->fast = calloc(1, sizeof(*s->fast));
	return s->fast ? sqlite3_create_module(s->db, MODULE, &module, s)
		       : SQLITE_NOMEM;
}

void sql_fast_done(struct sql *s)
{
	if (!s->fast)
		return;
	forget(s);
	free(s->fast);
}
