// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "args.h"
#include "render.h"
#include "render_value.h"
#include "tasks.h"

#define HEAD "time,source,kind,cpu,pid,tid,comm"
#define TAIL ",marks,weight"

struct csv {
	struct arena arena; /* holds this struct, too */
	unsigned count;	    /* columns after those of HEAD */
	const char **names;
	/* by kind: the field of each column, or NULL */
	const struct schema_field **fields[SCHEMA_KINDS_MAX];
};

/* ---- columns ------------------------------------------------------------- */

static bool wanted(const bool *kinds, const struct schema *s, unsigned i)
{
	return schema_kind(s, i) && (!kinds || kinds[i]);
}

static unsigned column_of(const struct csv *c, const char *name)
{
	unsigned i;

	for (i = 0; i < c->count; i++)
		if (!strcmp(c->names[i], name))
			break;
	return i;
}

static int add_names(struct csv *c, const struct schema *s, const bool *kinds)
{
	unsigned i, j, most = 0;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (wanted(kinds, s, i))
			most += schema_kind(s, i)->field_count;
	c->names = arena_array(&c->arena, most, sizeof(*c->names));
	if (!c->names)
		return -ENOMEM;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		const struct schema_kind *k = schema_kind(s, i);

		for (j = 0; wanted(kinds, s, i) && j < k->field_count; j++) {
			const char *name = k->fields[j].name;

			if (column_of(c, name) == c->count)
				c->names[c->count++] = name;
		}
	}
	return 0;
}

static int add_fields(struct csv *c, const struct schema *s, const bool *kinds)
{
	unsigned i, j;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		const struct schema_kind *k = schema_kind(s, i);

		if (!wanted(kinds, s, i))
			continue;
		c->fields[i] = arena_array(&c->arena, c->count,
					   sizeof(*c->fields[i]));
		if (!c->fields[i])
			return -ENOMEM;
		for (j = 0; j < k->field_count; j++)
			c->fields[i][column_of(c, k->fields[j].name)] =
				&k->fields[j];
	}
	return 0;
}

int csv_new(struct csv **ret, const struct schema *s, const bool *kinds)
{
	struct arena arena = {0};
	struct csv *c = arena_alloc(&arena, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	c->arena = arena;
	err = add_names(c, s, kinds);
	if (!err)
		err = add_fields(c, s, kinds);
	if (err)
		csv_free(c);
	else
		*ret = c;
	return err;
}

void csv_free(struct csv *c)
{
	struct arena arena;

	if (!c)
		return;
	arena = c->arena;
	arena_done(&arena);
}

/* ---- cells --------------------------------------------------------------- */

/* Quote what was appended since @start if it needs that (RFC 4180, 2.6). */
static void quote_cell(struct buf *b, size_t start)
{
	size_t i, to, quotes = 0, len = b->len - start;
	bool needed = false;
	char *p;

	for (i = start; i < b->len; i++) {
		quotes += b->data[i] == '"';
		needed |= b->data[i] == ',' || b->data[i] == '"';
	}
	if (!needed || !buf_space(b, quotes + 2))
		return;
	p = b->data + start;
	to = len + quotes + 1;
	p[to] = '"';
	for (i = len; i-- > 0;) {
		p[--to] = p[i];
		if (p[to] == '"')
			p[--to] = '"';
	}
	p[0] = '"';
	b->len += quotes + 2;
}

/* Before a string: a ' when its first byte would make it a formula. */
static void guard(struct buf *b, const uint8_t *s, size_t len)
{
	if (len && s[0] && strchr("=+-@", s[0]))
		buf_putc(b, '\'');
}

static void put_string(struct buf *b, const struct event *ev,
		       const struct schema_field *f)
{
	struct field_bytes s = field_bytes(ev, f);

	if (s.full == WEIR_STR_UNKNOWN)
		return;
	if (f->type != FIELD_BYTES)
		guard(b, s.data, s.len);
	render_string(b, ev, f);
}

/* The list begins with a - when its first argument is a negative number. */
static void put_args(struct buf *b, const struct event *ev,
		     const struct schema_field *f)
{
	size_t start = b->len;

	buf_putc(b, '\'');
	args_text(b, ev, f);
	if (b->err || (b->len > start + 1 && b->data[start + 1] == '-'))
		return;
	b->len--;
	memmove(b->data + start, b->data + start + 1, b->len - start);
}

static void put_number(struct buf *b, const struct render *r,
		       const struct schema_field *f, int64_t v)
{
	if (render_symbol(b, f, (uint64_t)v))
		return;
	if (f->meaning == MEANING_TIME) {
		if (v)
			render_iso(b, (uint64_t)v + (uint64_t)r->wall_offset);
	} else if (f->type == FIELD_INT) {
		buf_s64(b, v);
	} else {
		buf_u64(b, (uint64_t)v);
	}
}

static void put_cell(struct buf *b, const struct render *r,
		     const struct event *ev, const struct schema_field *f)
{
	size_t start = b->len;
	unsigned i;

	if (f->type > FIELD_INT) {
		put_string(b, ev, f);
	} else if (f->meaning == MEANING_ARGS) {
		put_args(b, ev, f);
	} else {
		for (i = 0; i < f->count; i++) {
			if (i)
				buf_putc(b, ' ');
			put_number(b, r, f, field_s64(ev, f, i));
		}
	}
	quote_cell(b, start);
}

void render_csv_text(struct buf *b, const void *data, size_t len)
{
	size_t start = b->len;

	guard(b, data, len);
	render_escape(b, data, len);
	quote_cell(b, start);
}

static void put_comm(struct buf *b, const struct task *t)
{
	if (t)
		render_csv_text(b, t->comm, strlen(t->comm));
}

/* ---- lines --------------------------------------------------------------- */

void render_csv_head(struct buf *b, const struct csv *c)
{
	unsigned i;

	buf_puts(b, HEAD);
	for (i = 0; i < c->count; i++) {
		buf_putc(b, ',');
		buf_puts(b, c->names[i]);
	}
	buf_puts(b, TAIL "\n");
}

static void put_tail(struct buf *b, unsigned flags)
{
	unsigned marks = flags & WEIR_F_MARKS;
	const char *name;

	for (; (name = flag_name(marks)) != NULL; marks &= marks - 1) {
		buf_putc(b, marks == (flags & WEIR_F_MARKS) ? ',' : ' ');
		buf_puts(b, name);
	}
	buf_puts(b, flags & WEIR_F_MARKS ? "," : ",,");
	buf_u64(b, WEIR_WEIGHT(flags));
}

void render_csv(struct buf *b, const struct csv *c, const struct render *r,
		const struct event *ev)
{
	const struct schema_field **fields = c->fields[ev->kind->number];
	unsigned i;

	render_iso(b, ev->h->ts + (uint64_t)r->wall_offset);
	buf_putc(b, ',');
	buf_puts(b, ev->kind->source);
	buf_putc(b, ',');
	buf_puts(b, ev->kind->name);
	buf_putc(b, ',');
	buf_u64(b, ev->h->cpu);
	buf_putc(b, ',');
	buf_u64(b, ev->h->pid);
	buf_putc(b, ',');
	buf_u64(b, ev->h->tid);
	buf_putc(b, ',');
	put_comm(b, ev->task);
	for (i = 0; i < c->count; i++) {
		buf_putc(b, ',');
		if (fields && fields[i])
			put_cell(b, r, ev, fields[i]);
	}
	put_tail(b, ev->h->flags);
	buf_putc(b, '\n');
}
