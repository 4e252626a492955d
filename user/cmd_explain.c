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
	const struct recorder *recorder; /* of which the triggers are */
	struct table table;		 /* event, where, what */
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

/* Compile for the kernel. Return: can it refuse events of this kind? */
static bool compile(struct explainer *e, const struct schema_kind *k,
		    const struct node *n, struct clauses *ret,
		    struct source_filter *can)
{
	struct clause_target target = {.kind = k->number};
	bool asks = sources_filters(e->sources, k, can);

	target.tells_comm = can->tells_comm;
	if (!clauses_compile(ret, n, &target))
		return asks;
	e->err = -ENOMEM;
	memset(ret, 0, sizeof(*ret));
	return false;
}

/* How what one asks for goes together with what others do, of one kind. */
struct company {
	bool fits; /* all of it into clauses, and there are no triggers */
	bool open; /* a trigger wants them all */
	unsigned rows;
};

static void put_part(struct explainer *e, struct company *with,
		     const struct schema_kind *k, const char *where,
		     struct buf *what)
{
	table_cell(&e->table, "%s", with->rows++ ? "" : k->name);
	table_cell(&e->table, "%s", where);
	table_buf(&e->table, what);
}

static void explain_part(struct explainer *e, const struct schema_kind *k,
			 const struct node *n, struct company *with)
{
	struct source_filter can;
	struct buf what = {0};
	const char *where;
	struct clauses c;
	bool asks = compile(e, k, n, &c, &can) && !with->open;

	where = where_of(&c, &can, with->fits);
	clauses_done(&c);
	if (!where)
		return;
	filter_put(&what, n);
	put_part(e, with, k, asks ? where : "repo", &what);
	buf_done(&what);
}

/* ---- triggers ------------------------------------------------------------ */

static const struct trigger *next_trigger(const struct explainer *e,
					  const struct schema_kind *k,
					  unsigned *at)
{
	const struct trigger *t;

	while ((t = recorder_trigger_at(e->recorder, (*at)++)))
		if (trigger_kinds(t)[k->number])
			return t;
	return NULL;
}

static bool is_open(struct explainer *e, const struct schema_kind *k,
		    const struct trigger *t)
{
	struct source_filter can;
	struct clauses c;
	bool asks = compile(e, k, filter_root(trigger_filter(t)), &c, &can) &&
		    c.filter.used;

	clauses_done(&c);
	return !asks;
}

static void explain_triggers(struct explainer *e, const struct schema_kind *k,
			     struct company *with)
{
	const struct trigger *t;
	struct buf what = {0};
	unsigned i = 0;

	while ((t = next_trigger(e, k, &i))) {
		buf_reset(&what);
		buf_printf(&what, "trigger: %s", trigger_text(t));
		put_part(e, with, k,
			 is_open(e, k, t) ? "repo" : "kernel, then repo",
			 &what);
	}
	buf_done(&what);
}

/* ---- a kind -------------------------------------------------------------- */

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
	struct company with = {.fits = all_fits(e, k, root)};
	const struct trigger *t;
	unsigned i = 0;

	while ((t = next_trigger(e, k, &i))) {
		with.fits = false;
		with.open |= is_open(e, k, t);
	}
	for (n = root->type == NODE_AND ? root->child : root; n; n = n->next)
		explain_part(e, k, n, &with);
	if (with.rows)
		explain_triggers(e, k, &with);
	else
		put_row(e, k->name, "", EVERY);
}

static bool has_trigger(const struct explainer *e, const struct schema_kind *k)
{
	unsigned i = 0;

	return next_trigger(e, k, &i);
}

static void explain_kind(struct explainer *e, const struct schema_kind *k)
{
	bool asked_for = e->select->kinds[k->number];
	struct company with = {0};

	if (!asked_for && !has_trigger(e, k))
		put_row(e, k->name, "", "not asked for");
	else if (!sources_wants(e->sources, k))
		put_row(e, k->name, "", "the filter is never true of it");
	else if (!is_loaded(e, k->source))
		put_row(e, k->name, "", "its source is off (see -s)");
	else if (!asked_for)
		explain_triggers(e, k, &with);
	else if (e->select->filter)
		explain_filter(e, k);
	else
		put_row(e, k->name, "", EVERY);
}

/* Which processes it is about, where it is not about all. */
static void explain_scope(struct explainer *e, const struct capture *c)
{
	const struct capture_args *a = c->args;
	size_t i;

	for (i = 0; i < c->scope.tree_count; i++) {
		table_cell(&e->table, "%s", "any");
		table_cell(&e->table, "%s", "kernel, at entry");
		table_cell(&e->table, "of process %u or a descendant",
			   c->scope.trees[i]);
	}
	for (i = 0; i < c->scope.cgroup_count; i++) {
		table_cell(&e->table, "%s", "any");
		table_cell(&e->table, "%s", "kernel, at entry");
		table_cell(&e->table, "of a process in cgroup %s or below",
			   a->cgroups.items[i]);
	}
}

int capture_explain(const struct capture *c)
{
	const struct schema *schema = recorder_schema(c->recorder);
	struct explainer e = {
		.sources = recorder_sources(c->recorder),
		.select = recorder_select(c->recorder),
		.recorder = c->recorder,
		.table.align = "lll",
	};
	const struct schema_kind *k;
	struct buf out = {0};
	unsigned i;

	put_row(&e, "EVENT", "DECIDED BY", "WHAT");
	explain_scope(&e, c);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(schema, i);
		if (k && strcmp(k->source, SOURCE_REPO))
			explain_kind(&e, k);
	}
	table_print(&e.table, &out);
	return e.err ? fail("%s", strerror(-e.err)) : put_stdout(&out);
}
