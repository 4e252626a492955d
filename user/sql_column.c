// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_column.c - see sql_column.h.
 */
#include "sql_column.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "render_value.h"
#include "tasks.h"

/* ---- which there are ----------------------------------------------------- */

static const struct sql_column common[] = {
	{.name = "ts", .what = SQL_TS, .integer = true},
	{.name = "time", .what = SQL_TIME},
	{.name = "source", .what = SQL_SOURCE},
	{.name = "kind", .what = SQL_KIND},
	{.name = "cpu", .what = SQL_CPU, .integer = true},
	{.name = "pid", .what = SQL_PID, .integer = true},
	{.name = "tid", .what = SQL_TID, .integer = true},
	{.name = "comm", .what = SQL_COMM},
	{.name = "ppid", .what = SQL_PPID, .integer = true},
	{.name = "uid", .what = SQL_UID, .integer = true},
	{.name = "cgroup", .what = SQL_CGROUP},
	{.name = "container", .what = SQL_CONTAINER},
	{.name = "exe", .what = SQL_EXE},
};

#define COMMON	    (sizeof(common) / sizeof(common[0]))
#define PER_FIELD   2 /* itself and a companion */
#define NAME_SUFFIX "_name"
#define NR_SUFFIX   "_nr"
#define FULL_SUFFIX "_full"

static bool is_taken(const struct sql_columns *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->count; i++)
		if (!strcasecmp(c->column[i].name, name))
			return true;
	return false;
}

static bool has_field(const struct schema_kind *k, const char *name)
{
	unsigned i;

	for (; k; k = k->variant)
		for (i = 0; i < k->field_count; i++)
			if (!strcasecmp(k->fields[i].name, name))
				return true;
	return false;
}

static bool has_column_of(const struct sql_columns *c, const char *field)
{
	unsigned i;

	for (i = 0; i < c->count; i++)
		if (c->column[i].what == SQL_FIELD &&
		    !strcmp(c->column[i].field->name, field))
			return true;
	return false;
}

/* A name that is there already gets underscores. Return: 0; -ENOMEM. */
static int add(struct sql_columns *c, const struct sql_column *col)
{
	const char *name = col->name;

	while (name && is_taken(c, name))
		name = arena_printf(&c->arena, "%s_", name);
	if (!name)
		return -ENOMEM;
	c->column[c->count] = *col;
	c->column[c->count++].name = name;
	return 0;
}

/* Shown by something else than a number. */
static bool is_symbol(const struct schema_field *f)
{
	return f->names || f->meaning == MEANING_HEX ||
	       f->meaning == MEANING_DEV;
}

static bool is_named(const struct schema_field *f)
{
	return f->meaning == MEANING_ERRNO || f->meaning == MEANING_RET ||
	       f->meaning == MEANING_SIGNAL || f->meaning == MEANING_STATE;
}

static bool is_list(const struct schema_field *f)
{
	return f->type <= FIELD_INT && f->count > 1;
}

static bool is_integer(const struct schema_field *f)
{
	return f->type <= FIELD_INT && !is_list(f) && !is_symbol(f);
}

/* Companion columns: which fields have them. */
static bool has_companion(enum sql_what what, const struct schema_field *f)
{
	bool number = f->type <= FIELD_INT && !is_list(f);

	switch (what) {
	case SQL_NR:
		return number && is_symbol(f);
	case SQL_NAME:
		return number && !is_symbol(f) && is_named(f);
	case SQL_FULL:
		return f->type == FIELD_STR;
	case SQL_OF:
		return schema_names_task(f);
	default:
		return true;
	}
}

static int add_companion(struct sql_columns *c, const struct schema_kind *k,
			 const struct schema_field *f, const char *suffix,
			 struct sql_column col)
{
	col.name = arena_printf(&c->arena, "%s%s", f->name, suffix);
	col.kind = k;
	col.field = f;
	if (!col.name)
		return -ENOMEM;
	return has_field(k->first, col.name) ? 0 : add(c, &col);
}

static int add_field(struct sql_columns *c, const struct schema_kind *k,
		     const struct schema_field *f)
{
	const struct sql_column col = {.name = f->name,
				       .kind = k,
				       .field = f,
				       .what = SQL_FIELD,
				       .integer = is_integer(f)};
	int err = add(c, &col);

	if (err)
		return err;
	if (has_companion(SQL_OF, f))
		return add_companion(
			c, k, f, SCHEMA_COMM_SUFFIX,
			(struct sql_column){.what = SQL_OF, .hidden = true});
	if (has_companion(SQL_NR, f))
		return add_companion(c, k, f, NR_SUFFIX,
				     (struct sql_column){.what = SQL_NR,
							 .integer = true,
							 .hidden = true});
	if (has_companion(SQL_NAME, f))
		return add_companion(c, k, f, NAME_SUFFIX,
				     (struct sql_column){.what = SQL_NAME});
	if (has_companion(SQL_FULL, f))
		return add_companion(c, k, f, FULL_SUFFIX,
				     (struct sql_column){.what = SQL_FULL,
							 .integer = true,
							 .hidden = true});
	return 0;
}

static unsigned count_fields(const struct schema_kind *k)
{
	unsigned count = 0;

	for (; k; k = k->variant)
		count += k->field_count;
	return count;
}

/* Those of a kind that none before it has. */
static int add_fields(struct sql_columns *c, const struct schema_kind *k)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < k->field_count && !err; i++)
		if (!has_column_of(c, k->fields[i].name))
			err = add_field(c, k, &k->fields[i]);
	return err;
}

int sql_columns_init(struct sql_columns *ret, const struct schema_kind *k)
{
	const struct sql_column marks = {.name = "marks", .what = SQL_MARKS};
	const struct sql_column weight = {.name = "weight",
					  .what = SQL_WEIGHT,
					  .integer = true,
					  .hidden = true};
	unsigned i, fields = count_fields(k);
	struct sql_columns c = {0};
	int err = 0;

	c.column = arena_array(&c.arena, COMMON + fields * PER_FIELD + 2,
			       sizeof(*c.column));
	if (!c.column)
		return -ENOMEM;
	for (i = 0; i < COMMON && !err; i++)
		if (!has_field(k, common[i].name))
			err = add(&c, &common[i]);
	for (; k && !err; k = k->variant)
		err = add_fields(&c, k);
	if (!err)
		err = add(&c, &marks);
	if (!err && !is_taken(&c, weight.name))
		err = add(&c, &weight);
	if (err)
		sql_columns_done(&c);
	else
		*ret = c;
	return err;
}

void sql_columns_done(struct sql_columns *c)
{
	arena_done(&c->arena);
	c->count = 0;
}

void sql_columns_declare(const struct sql_columns *c, const char *table,
			 bool lines, struct buf *to)
{
	unsigned i;

	buf_printf(to, "CREATE TABLE \"%s\"(", table);
	for (i = 0; i < c->count; i++) {
		const struct sql_column *col = &c->column[i];

		buf_printf(to, "%s%s\"%s\" %s%s", i ? "," : "",
			   lines ? "\n  "
			   : i	 ? " "
				 : "",
			   col->name, col->integer ? "INTEGER" : "TEXT",
			   col->hidden ? " HIDDEN" : "");
	}
	buf_puts(to, lines ? "\n);\n" : ")");
}

bool sql_column_is_task(const struct sql_column *c)
{
	return (c->what >= SQL_COMM && c->what <= SQL_EXE) || c->what == SQL_OF;
}

bool sql_column_has_name(const struct sql_column *c)
{
	return c->what == SQL_FIELD && has_companion(SQL_NAME, c->field);
}

/* ---- their values -------------------------------------------------------- */

static void set_int(struct sql_value *v, uint64_t i)
{
	v->type = SQL_INT;
	v->i = (int64_t)i;
}

static void set_text(struct sql_value *v, const char *text, size_t len)
{
	v->type = SQL_TEXT;
	v->text = text;
	v->len = len;
}

/* Text that may be unknown: "" is nothing to show. */
static void set_name(struct sql_value *v, const char *text)
{
	if (text && text[0])
		set_text(v, text, strlen(text));
}

static void set_scratch(struct sql_value *v, const struct buf *scratch)
{
	if (!buf_err(scratch))
		set_text(v, scratch->len ? scratch->data : "", scratch->len);
}

static void get_task(enum sql_what what, const struct task *t,
		     struct sql_value *v)
{
	if (!t)
		return;
	switch (what) {
	case SQL_COMM:
		set_text(v, t->comm, strlen(t->comm));
		break;
	case SQL_PPID:
		set_int(v, t->ppid);
		break;
	case SQL_UID:
		set_int(v, t->uid);
		break;
	case SQL_CGROUP:
		set_name(v, t->cgroup ? t->cgroup->path : NULL);
		break;
	case SQL_CONTAINER:
		set_name(v, t->cgroup ? t->cgroup->container : NULL);
		break;
	default:
		if (t->exe_len)
			set_text(v, t->exe, t->exe_len);
	}
}

/* A number with 64 bits that SQLite has no integer for becomes a real. */
static void get_integer(const struct render *r, const struct event *ev,
			const struct schema_field *f, struct sql_value *v)
{
	uint64_t n = (uint64_t)field_s64(ev, f, 0);

	if (f->meaning == MEANING_TIME) {
		if (n)
			set_int(v, n + (uint64_t)r->wall_offset);
	} else if (f->type == FIELD_UINT && n > INT64_MAX) {
		v->type = SQL_REAL;
		v->real = (double)n;
	} else {
		set_int(v, f->meaning == MEANING_BOOL ? n != 0 : n);
	}
}

static void get_string(const struct render *r, const struct event *ev,
		       const struct schema_field *f, struct buf *scratch,
		       struct sql_value *v)
{
	struct field_bytes s = field_bytes(ev, f);

	if (s.full == WEIR_STR_UNKNOWN)
		return;
	if (f->meaning == MEANING_ARGV) {
		render_json_value(scratch, r, ev, f);
		set_scratch(v, scratch);
	} else if (f->type == FIELD_BYTES) {
		render_string(scratch, ev, f);
		set_scratch(v, scratch);
	} else {
		set_text(v, (const char *)s.data, s.len);
	}
}

static void get_field(const struct sql_column *c, const struct render *r,
		      const struct event *ev, struct buf *scratch,
		      struct sql_value *v)
{
	const struct schema_field *f = c->field;

	if (c->integer) {
		get_integer(r, ev, f, v);
	} else if (f->type > FIELD_INT) {
		get_string(r, ev, f, scratch, v);
	} else if (is_list(f)) {
		render_json_value(scratch, r, ev, f);
		set_scratch(v, scratch);
	} else {
		render_symbol(scratch, f, (uint64_t)field_s64(ev, f, 0));
		set_scratch(v, scratch);
	}
}

static void get_name(const struct event *ev, const struct schema_field *f,
		     struct buf *scratch, struct sql_value *v)
{
	char room[16];
	const char *name = render_json_name(f, field_s64(ev, f, 0), room);

	if (!name)
		return;
	buf_puts(scratch, name);
	set_scratch(v, scratch);
}

static void get_companion(const struct sql_column *c, const struct event *ev,
			  struct sql_value *v)
{
	struct field_bytes s;

	if (c->what == SQL_NR) {
		set_int(v, (uint64_t)field_s64(ev, c->field, 0));
		return;
	}
	s = field_bytes(ev, c->field);
	if (s.full != WEIR_STR_UNKNOWN && s.full > s.len)
		set_int(v, s.full);
}

static void get_marks(const struct event *ev, struct buf *scratch,
		      struct sql_value *v)
{
	unsigned flags = ev->h->flags & WEIR_F_MARKS;
	const char *name;

	if (!flags)
		return;
	buf_putc(scratch, '[');
	while ((name = flag_name(flags)) != NULL) {
		buf_printf(scratch, "%s\"%s\"", scratch->len > 1 ? "," : "",
			   name);
		flags &= flags - 1;
	}
	buf_putc(scratch, ']');
	set_scratch(v, scratch);
}

static void get_common(enum sql_what what, const struct render *r,
		       const struct event *ev, struct buf *scratch,
		       struct sql_value *v)
{
	uint64_t ts = ev->h->ts + (uint64_t)r->wall_offset;

	switch (what) {
	case SQL_TS:
		set_int(v, ts);
		break;
	case SQL_TIME:
		render_iso(scratch, ts);
		set_scratch(v, scratch);
		break;
	case SQL_SOURCE:
		set_name(v, ev->kind->source);
		break;
	case SQL_KIND:
		set_name(v, ev->kind->name);
		break;
	case SQL_CPU:
		set_int(v, ev->h->cpu);
		break;
	case SQL_PID:
		set_int(v, ev->h->pid);
		break;
	default:
		set_int(v, ev->h->tid);
	}
}

static void get_comm_of(const struct sql_column *c, const struct render *r,
			const struct sql_names *names, const struct event *ev,
			struct sql_value *v)
{
	uint32_t tid = (uint32_t)field_u64(ev, c->field, 0);

	get_task(SQL_COMM,
		 names	    ? names->find(names->arg, tid)
		 : r->tasks ? tasks_find(r->tasks, tid)
			    : NULL,
		 v);
}

/* The same column of another variant. Return: false when it has none. */
static bool find_in_variant(struct sql_column *c, const struct schema_kind *k)
{
	c->field = schema_field(k, c->field->name);
	if (!c->field || !has_companion(c->what, c->field))
		return false;
	c->integer = c->what == SQL_FIELD ? is_integer(c->field) : c->integer;
	return true;
}

void sql_column_get(const struct sql_column *c, const struct render *r,
		    const struct sql_names *names, const struct event *ev,
		    struct buf *scratch, struct sql_value *ret)
{
	struct sql_column other;

	ret->type = SQL_NULL;
	buf_reset(scratch);
	if (c->kind && c->kind->number != ev->kind->number) {
		other = *c;
		if (!find_in_variant(&other, ev->kind))
			return;
		c = &other;
	}
	switch (c->what) {
	case SQL_FIELD:
		get_field(c, r, ev, scratch, ret);
		break;
	case SQL_NAME:
		get_name(ev, c->field, scratch, ret);
		break;
	case SQL_NR:
	case SQL_FULL:
		get_companion(c, ev, ret);
		break;
	case SQL_OF:
		get_comm_of(c, r, names, ev, ret);
		break;
	case SQL_MARKS:
		get_marks(ev, scratch, ret);
		break;
	case SQL_WEIGHT:
		set_int(ret, WEIR_WEIGHT(ev->h->flags));
		break;
	default:
		if (sql_column_is_task(c))
			get_task(c->what, ev->task, ret);
		else
			get_common(c->what, r, ev, scratch, ret);
	}
}
