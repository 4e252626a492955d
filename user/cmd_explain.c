// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_explain.c - `weir record --explain`: for each kind of event, which part
 * of the filter the kernel decides, and which the repo.
 */
#include <errno.h>
#include <string.h>

#include "cmd_capture.h"
#include "filter_clause.h"
#include "select.h"
#include "table.h"

#define EVERY "every one is kept"

struct explainer {
	const struct sources *sources;
	const struct select *select;
	struct table table; /* event, where, what */
	int err;
};

static void put_row(struct explainer *e, const char *event, const char *where,
		    const char *what)
{
	table_cell(&e->table, "%s", event);
	table_cell(&e->table, "%s", where);
	table_cell(&e->table, "%s", what);
}

static bool is_loaded(const struct explainer *e, const char *source)
{
	struct source_info info;
	unsigned i;

	for (i = 0; i < sources_count(e->sources); i++) {
		sources_info(e->sources, i, &info);
		if (!strcmp(info.name, source))
			return info.wanted;
	}
	return false;
}

/* Where the kernel decides what compiled to @c; NULL: there is no question. */
static const char *where_of(const struct clauses *c,
			    const struct source_filter *can, bool fits)
{
	struct weir_filter first;
	unsigned i, all = 0, n = 0;

	if (!c->filter.used)
		return c->exact ? NULL : "repo";
	if (!c->exact || !fits)
		return "kernel, then repo";
	clauses_early(c, can->known, &first);
	for (i = 0; i < WEIR_CLAUSES; i++) {
		all += c->filter.clauses[i].flags != 0;
		n += first.clauses[i].flags != 0;
	}
	return n == all ? "kernel, at entry" : "kernel";
}

static void explain_part(struct explainer *e, const struct schema_kind *k,
			 const struct node *n, bool fits, unsigned *rows)
{
	struct clause_target target = {.kind = k->number};
	struct source_filter can;
	bool asks = sources_filters(e->sources, k, &can);
	struct buf what = {0};
	const char *where;
	struct clauses c;

	target.tells_comm = can.tells_comm;
	if (clauses_compile(&c, n, &target)) {
		e->err = -ENOMEM;
		return;
	}
	where = where_of(&c, &can, fits);
	clauses_done(&c);
	if (!where)
		return;
	filter_put(&what, n);
	table_cell(&e->table, "%s", (*rows)++ ? "" : k->name);
	table_cell(&e->table, "%s", asks ? where : "repo");
	table_buf(&e->table, &what);
	buf_done(&what);
}

/* Does all that can be asked of a kind fit into its clauses? */
static bool all_fits(struct explainer *e, const struct schema_kind *k,
		     const struct node *n)
{
	struct clause_target target = {.kind = k->number};
	struct source_filter can;
	struct clauses c;
	unsigned i, used = 0;

	sources_filters(e->sources, k, &can);
	target.tells_comm = can.tells_comm;
	for (n = n->type == NODE_AND ? n->child : n; n; n = n->next) {
		if (clauses_compile(&c, n, &target))
			return false;
		for (i = 0; i < WEIR_CLAUSES; i++)
			used += c.filter.clauses[i].flags != 0;
		clauses_done(&c);
	}
	return used <= WEIR_CLAUSES;
}

static void explain_filter(struct explainer *e, const struct schema_kind *k)
{
	const struct node *root = filter_root(e->select->filter), *n;
	bool fits = all_fits(e, k, root);
	unsigned rows = 0;

	for (n = root->type == NODE_AND ? root->child : root; n; n = n->next)
		explain_part(e, k, n, fits, &rows);
	if (!rows)
		put_row(e, k->name, "", EVERY);
}

static void explain_kind(struct explainer *e, const struct schema_kind *k)
{
	if (!e->select->kinds[k->number])
		put_row(e, k->name, "", "not asked for");
	else if (!sources_wants(e->sources, k))
		put_row(e, k->name, "", "the filter is never true of it");
	else if (!is_loaded(e, k->source))
		put_row(e, k->name, "", "its source is off (see -s)");
	else if (e->select->filter)
		explain_filter(e, k);
	else
		put_row(e, k->name, "", EVERY);
}

int capture_explain(const struct capture *c)
{
	const struct schema *schema = recorder_schema(c->recorder);
	struct explainer e = {
		.sources = recorder_sources(c->recorder),
		.select = recorder_select(c->recorder),
		.table.align = "lll",
	};
	const struct schema_kind *k;
	struct buf out = {0};
	unsigned i;

	put_row(&e, "EVENT", "DECIDED BY", "WHAT");
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(schema, i);
		if (k && strcmp(k->source, SOURCE_REPO))
			explain_kind(&e, k);
	}
	table_print(&e.table, &out);
	return e.err ? fail("%s", strerror(-e.err)) : put_stdout(&out);
}
