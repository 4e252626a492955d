// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_list.c - `weir list`: what there is to record on this host.
 *
 * Sources, events and fields come from the schema that the binary carries;
 * no privileges are needed but for tracepoints, whose directory is root's.
 */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "json.h"
#include "near.h"
#include "source.h"
#include "table.h"

#define LINE_COLUMNS 79

/* What a list is made of, and in which form it is wanted. */
struct listing {
	struct sources *sources;
	const struct schema *schema;
	const char *event; /* fields: of which */
	struct buf out;
	struct json json;
	struct table table;
	bool is_json;
};

/* ---- sources ------------------------------------------------------------- */

static unsigned count_kinds(const struct schema *s, const char *source)
{
	const struct schema_kind *k;
	unsigned i, n = 0;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(s, i);
		n += k && !strcmp(k->source, source);
	}
	return n;
}

static void put_source(struct listing *l, const struct source_info *info)
{
	unsigned kinds = count_kinds(l->schema, info->name);

	if (!l->is_json) {
		table_cell(&l->table, "%s", info->name);
		table_cell(&l->table, "%s", info->by_default ? "on" : "off");
		table_cell(&l->table, "%u", kinds);
		table_cell(&l->table, "%s", info->help);
		return;
	}
	json_begin(&l->json, '{');
	json_member_str(&l->json, "source", info->name);
	json_member_bool(&l->json, "default", info->by_default);
	json_member_u64(&l->json, "events", kinds);
	json_member_str(&l->json, "help", info->help);
	json_end(&l->json, '}');
}

static int list_sources(struct listing *l)
{
	struct source_info info;
	unsigned i;

	l->table.align = "llrl";
	table_cell(&l->table, "SOURCE");
	table_cell(&l->table, "DEFAULT");
	table_cell(&l->table, "EVENTS");
	table_cell(&l->table, "WHAT");
	for (i = 0; i < sources_count(l->sources); i++) {
		sources_info(l->sources, i, &info);
		put_source(l, &info);
	}
	return EXIT_OK;
}

/* ---- events -------------------------------------------------------------- */

static void put_event(struct listing *l, const struct schema_kind *k)
{
	if (!l->is_json) {
		table_cell(&l->table, "%s", k->name);
		table_cell(&l->table, "%s", k->source);
		table_cell(&l->table, "%s", k->help);
		return;
	}
	json_begin(&l->json, '{');
	json_member_str(&l->json, "event", k->name);
	json_member_str(&l->json, "source", k->source);
	json_member_str(&l->json, "help", k->help);
	json_end(&l->json, '}');
}

static int list_events(struct listing *l)
{
	unsigned i;

	l->table.align = "lll";
	table_cell(&l->table, "EVENT");
	table_cell(&l->table, "SOURCE");
	table_cell(&l->table, "WHAT");
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(l->schema, i))
			put_event(l, schema_kind(l->schema, i));
	return EXIT_OK;
}

/* ---- fields -------------------------------------------------------------- */

static void type_name(struct buf *b, const struct schema_field *f)
{
	bool number = f->type == FIELD_UINT || f->type == FIELD_INT;
	unsigned count = f->count ? f->count : 1;

	if (number)
		buf_printf(b, "%c%u", f->type == FIELD_INT ? 's' : 'u',
			   f->size / count * 8);
	else
		buf_puts(b, f->type == FIELD_BYTES ? "bytes" : "string");
	if (number && count > 1)
		buf_printf(b, "[%u]", count);
}

static const char *meaning_of(const struct schema_field *f)
{
	return f->names ? "name" : meaning_name(f->meaning);
}

static void put_json_names(struct json *j, const struct schema_enum *e)
{
	uint32_t i;

	json_key(j, "names");
	json_begin(j, '[');
	for (i = 0; i < e->count; i++)
		json_str(j, e->values[i].name);
	json_end(j, ']');
}

static void put_field(struct listing *l, const struct schema_field *f)
{
	struct buf type = {0};

	type_name(&type, f);
	if (!l->is_json) {
		table_cell(&l->table, "%s", f->name);
		table_buf(&l->table, &type);
		table_cell(&l->table, "%s", meaning_of(f));
		table_cell(&l->table, "%s", f->help);
	} else {
		buf_putc(&type, '\0');
		json_begin(&l->json, '{');
		json_member_str(&l->json, "field", f->name);
		json_member_str(&l->json, "type", type.data);
		json_member_str(&l->json, "meaning", meaning_of(f));
		json_member_str(&l->json, "help", f->help);
		if (f->names)
			put_json_names(&l->json, f->names);
		json_end(&l->json, '}');
	}
	buf_done(&type);
}

/* The names a field can have, wrapped. */
static void put_names(struct buf *out, const struct schema_field *f)
{
	size_t line = out->len, n;
	uint32_t i;

	buf_printf(out, "\n%s is one of:\n ", f->name);
	line = out->len - 1;
	for (i = 0; i < f->names->count; i++) {
		n = strlen(f->names->values[i].name) + 1;
		if (out->len - line + n > LINE_COLUMNS) {
			buf_puts(out, "\n ");
			line = out->len - 1;
		}
		buf_printf(out, " %s", f->names->values[i].name);
	}
	buf_putc(out, '\n');
}

static int unknown_event(const struct listing *l)
{
	const struct schema_kind *k;
	struct near near;
	unsigned i;

	near_init(&near, l->event, strlen(l->event));
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(l->schema, i);
		if (k)
			near_try(&near, k->name);
	}
	if (near_best(&near))
		return usage("no event is called '%.60s' (did you mean '%s'?)",
			     l->event, near_best(&near));
	return usage("no event is called '%.60s' (see: weir list events)",
		     l->event);
}

static int list_fields(struct listing *l)
{
	const struct schema_kind *k = schema_kind_by_name(l->schema, l->event);
	unsigned i;

	if (!k)
		return unknown_event(l);
	l->table.align = "llll";
	table_cell(&l->table, "FIELD");
	table_cell(&l->table, "TYPE");
	table_cell(&l->table, "MEANING");
	table_cell(&l->table, "WHAT");
	for (i = 0; i < k->field_count; i++)
		put_field(l, &k->fields[i]);
	if (l->is_json)
		return EXIT_OK;
	table_print(&l->table, &l->out);
	for (i = 0; i < k->field_count; i++)
		if (k->fields[i].names)
			put_names(&l->out, &k->fields[i]);
	buf_puts(&l->out, "\nEvery event also has ts, source, kind, cpu, pid, "
			  "tid and comm, and to filter\nby what is known of "
			  "its task: ppid, uid, cgroup, container, exe.\n");
	return EXIT_OK;
}

/* ---- tracepoints --------------------------------------------------------- */

#define EVENTS_DIR  "/sys/kernel/tracing/events"
#define EVENTS_DIR2 "/sys/kernel/debug/tracing/events"

static int is_entry(const struct dirent *d)
{
	return d->d_name[0] != '.' && d->d_type == DT_DIR;
}

static void put_tracepoint(struct listing *l, const char *system,
			   const char *name)
{
	if (!l->is_json) {
		buf_printf(&l->out, "%s:%s\n", system, name);
		return;
	}
	json_begin(&l->json, '{');
	json_member_str(&l->json, "system", system);
	json_member_str(&l->json, "tracepoint", name);
	json_end(&l->json, '}');
}

static void list_system(struct listing *l, const char *dir, const char *system)
{
	struct dirent **names;
	char path[512];
	int n, i;

	snprintf(path, sizeof(path), "%s/%s", dir, system);
	n = scandir(path, &names, is_entry, alphasort);
	for (i = 0; i < n; i++) {
		put_tracepoint(l, system, names[i]->d_name);
		free(names[i]);
	}
	if (n >= 0)
		free(names);
}

static int list_tracepoints(struct listing *l)
{
	const char *dir = access(EVENTS_DIR, F_OK) ? EVENTS_DIR2 : EVENTS_DIR;
	struct dirent **systems;
	int n = scandir(dir, &systems, is_entry, alphasort), i;

	if (n < 0)
		return fail("cannot read tracefs at %s: %s (%s)", EVENTS_DIR,
			    strerror(errno),
			    errno == EACCES ? "try sudo"
					    : "mount -t tracefs tracefs "
					      "/sys/kernel/tracing");
	for (i = 0; i < n; i++) {
		list_system(l, dir, systems[i]->d_name);
		free(systems[i]);
	}
	free(systems);
	return EXIT_OK;
}

/* -------------------------------------------------------------------------- */

static const struct {
	const char *name;
	unsigned words;
	int (*list)(struct listing *l);
} lists[] = {
	{"sources", 1, list_sources},
	{"events", 1, list_events},
	{"fields", 2, list_fields},
	{"tracepoints", 1, list_tracepoints},
};

#define LISTS (sizeof(lists) / sizeof(lists[0]))

static int print(struct listing *l, int (*list)(struct listing *l))
{
	int rc;

	l->json.b = &l->out;
	if (l->is_json)
		json_begin(&l->json, '[');
	rc = list(l);
	if (rc)
		goto out;
	if (l->is_json) {
		json_end(&l->json, ']');
		json_line(&l->json);
	} else {
		table_print(&l->table, &l->out);
	}
	return put_stdout(&l->out);
out:
	buf_done(&l->table.cells);
	buf_done(&l->out);
	return rc;
}

static int open_and_print(struct listing *l, int (*list)(struct listing *l))
{
	struct sources_options o = {0};
	char why[512] = "";
	int rc = sources_open(&l->sources, &o, why, sizeof(why));

	if (rc)
		return fail("%s", why[0] ? why : strerror(-rc));
	l->schema = sources_schema(l->sources);
	rc = print(l, list);
	sources_free(l->sources);
	return rc;
}

static int list(const void *arg, const struct opt_words *words)
{
	const struct query_args *args = arg;
	struct listing l = {.is_json = args->json, .table.align = "l"};
	const char *what = words->count ? words->word[0] : "sources";
	struct near near;
	size_t i;

	near_init(&near, what, strlen(what));
	for (i = 0; i < LISTS && strcmp(lists[i].name, what); i++)
		near_try(&near, lists[i].name);
	if (i == LISTS)
		return usage("cannot list '%.60s' (%s%s)", what,
			     near_best(&near) ? "did you mean " : "one of: ",
			     near_best(&near) ? near_best(&near)
					      : "sources events fields "
						"tracepoints");
	if (words->count && words->count != lists[i].words)
		return usage("usage: weir list %s%s", what,
			     lists[i].words == 2 ? " EVENT" : "");
	l.event = lists[i].words == 2 ? words->word[1] : NULL;
	return open_and_print(&l, lists[i].list);
}

const struct command cmd_list = {
	.name = "list",
	.synopsis = "[sources|events|fields EVENT|tracepoints]",
	.help = "list what can be recorded: sources, events, their fields",
	.opts = {opts_json},
	.args_size = sizeof(struct query_args),
	.max_words = 2,
	.run = list,
};
