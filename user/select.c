// SPDX-License-Identifier: BSD-2-Clause
/*
 * select.c - names and globs to a table of kinds; see select.h.
 */
#include "select.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "glob.h"
#include "near.h"

#define SOURCE_OF_CONTEXT "repo"

static bool is_source(const struct select_options *o, const char *name)
{
	size_t i;

	for (i = 0; i < o->source_count; i++)
		if (!strcmp(o->sources[i], name))
			return true;
	return false;
}

static bool is_glob_of(const char *glob, const char *name)
{
	return glob_match(glob, strlen(glob), name, strlen(name));
}

static bool is_named(const struct select_options *o, const char *kind)
{
	size_t i;

	for (i = 0; i < o->kind_count; i++)
		if (is_glob_of(o->kinds[i], kind))
			return true;
	return false;
}

static void select_kinds(struct select *sel, const struct select_options *o,
			 const struct schema *schema)
{
	const struct schema_kind *k;
	bool by_source, by_name;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(schema, i);
		if (!k)
			continue;
		by_source = is_source(o, k->source);
		by_name = is_named(o, k->name);
		sel->kinds[i] = (!o->source_count || by_source) &&
				(!o->kind_count || by_name);
		sel->named[i] =
			sel->kinds[i] &&
			(by_name ||
			 (by_source && !strcmp(k->source, SOURCE_OF_CONTEXT)));
	}
	k = schema_kind_by_name(schema, "gap");
	sel->gap = k ? k->number : 0;
	k = schema_kind_by_name(schema, "repo_shed");
	sel->shed = k ? k->number : 0;
}

/* ---- names that select nothing ------------------------------------------- */

static void say_unknown(char *what, size_t len, const char *sort,
			const char *name, const char *best)
{
	if (best)
		snprintf(what, len,
			 "no %s is called '%.60s' (did you mean '%s'?)", sort,
			 name, best);
	else
		snprintf(what, len,
			 "no %s is called '%.60s' (see: weir list %ss)", sort,
			 name, sort);
}

/* As strace -e openat, and as part of a name. */
static void say_unknown_kind(const struct schema *schema, char *what,
			     size_t len, const char *name, const char *best)
{
	const struct schema_field *f;
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; !best && i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(schema, i);
		if (k && strstr(k->name, name))
			best = k->name;
	}
	f = best ? NULL : schema_field_of_value(schema, name, &k);
	if (f)
		snprintf(what, len,
			 "no event is called '%.60s', but a value of %s.%s: "
			 "-e %s -f '%s == %.60s'",
			 name, k->name, f->name, k->name, f->name, name);
	else
		say_unknown(what, len, "event", name, best);
}

static int check_source(const struct schema *schema, const char *name,
			char *what, size_t len)
{
	struct near near;
	unsigned i;

	if (schema_source_by_name(schema, name))
		return 0;
	near_init(&near, name, strlen(name));
	for (i = 0; i < schema_source_count(schema); i++)
		near_try(&near, schema_source(schema, i)->name);
	say_unknown(what, len, "source", name, near_best(&near));
	return -EINVAL;
}

static int check_kind(const struct select_options *o,
		      const struct schema *schema, const char *name, char *what,
		      size_t len)
{
	const struct schema_kind *k;
	bool known = false;
	struct near near;
	unsigned i;

	near_init(&near, name, strlen(name));
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(schema, i);
		if (!k)
			continue;
		near_try(&near, k->name);
		if (!is_glob_of(name, k->name))
			continue;
		known = true;
		if (!o->source_count || is_source(o, k->source))
			return 0;
	}
	if (known)
		snprintf(what, len,
			 "event '%.60s' is of none of the sources given with "
			 "-s (leave -s out, or name its source too)",
			 name);
	else
		say_unknown_kind(schema, what, len, name, near_best(&near));
	return -EINVAL;
}

static int check_names(const struct select_options *o,
		       const struct schema *schema, char *what, size_t len)
{
	int err = 0;
	size_t i;

	for (i = 0; i < o->source_count && !err; i++)
		err = check_source(schema, o->sources[i], what, len);
	for (i = 0; i < o->kind_count && !err; i++)
		err = check_kind(o, schema, o->kinds[i], what, len);
	return err;
}

/* -------------------------------------------------------------------------- */

int select_init(struct select *sel, const struct select_options *opts,
		const struct schema *schema, const struct tasks *tasks,
		int64_t wall_offset, char *what, size_t what_len,
		struct filter_error *err)
{
	int rc = check_names(opts, schema, what, what_len);

	memset(sel, 0, sizeof(*sel));
	err->what[0] = '\0';
	if (rc)
		return rc;
	select_kinds(sel, opts, schema);
	if (!opts->filter)
		return 0;
	rc = filter_compile(&sel->filter, opts->filter, schema, tasks,
			    wall_offset, opts->near_ns, err);
	if (rc)
		snprintf(what, what_len, "filter: %s",
			 err->what[0] ? err->what : strerror(-rc));
	return rc;
}

void select_gaps(const struct select *sel, const struct schema *schema,
		 bool *kinds)
{
	const struct schema_kind *k = schema_kind(schema, sel->gap);

	for (; k; k = k->variant)
		kinds[k->number] = true;
}

bool select_match(const struct select *sel, const struct event *ev)
{
	unsigned kind = ev->kind->number;

	if (sel->gap && ev->kind->first->number == sel->gap &&
	    !sel->named[kind])
		return true;
	if (!sel->kinds[kind])
		return false;
	if (ev->h->flags & WEIR_F_CONTEXT && !sel->named[kind])
		return false;
	return !sel->filter || filter_match(sel->filter, ev);
}

bool select_counts(const struct select *sel, const struct event *ev)
{
	return sel->named[ev->kind->number] ||
	       strcmp(ev->kind->source, SOURCE_OF_CONTEXT) != 0;
}

void select_done(struct select *sel)
{
	filter_free(sel->filter);
	sel->filter = NULL;
}
