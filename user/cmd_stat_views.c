// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_stat_views.c - views as tables and as JSON; see cmd_stat.h.
 */
#include <string.h>

#include "cmd_stat.h"
#include "table.h"
#include "units.h"

int stat_views_init(struct stat_views *s, const struct render *r)
{
	const struct view_spec *spec;
	const struct schema_kind *k;
	unsigned i, n;
	int err = 0;

	*s = (struct stat_views){0};
	for (spec = views; spec->name && !err; spec++)
		err = view_init(&s->view[s->count++], spec, r);
	for (n = 0; n < SCHEMA_KINDS_MAX && !err; n++) {
		k = schema_kind(r->schema, n);
		for (i = 0; i < s->count && k; i++)
			if (view_wants(&s->view[i], k))
				s->of_kind[n] |= (uint16_t)(1U << i);
	}
	return err;
}

void stat_views_done(struct stat_views *s)
{
	while (s->count)
		view_done(&s->view[--s->count]);
}

int stat_views_event(struct stat_views *s, const struct event *ev)
{
	unsigned left = s->of_kind[ev->kind->number];
	int err = 0;

	for (; left && !err; left &= left - 1)
		err = view_event(&s->view[__builtin_ctz(left)], ev);
	return err;
}

void stat_views_sort(struct stat_views *s)
{
	unsigned i;

	for (i = 0; i < s->count; i++)
		view_sort(&s->view[i]);
}

unsigned stat_views_shown(const struct stat_views *s)
{
	unsigned i, n = 0;

	for (i = 0; i < s->count; i++)
		n += s->view[i].count != 0;
	return n;
}

/* ---- as text ------------------------------------------------------------- */

/* Of keys to the left, of numbers to the right. */
static void align(const struct view *v, char *ret)
{
	memset(ret, 'l', v->key_count);
	memset(ret + v->key_count, 'r', v->column_count);
	ret[v->key_count + v->column_count] = '\0';
}

static void put_head(const struct view *v, struct table *t)
{
	unsigned i;

	for (i = 0; i < v->key_count; i++)
		table_cell(t, "%s", v->spec->keys[i].head);
	for (i = 0; i < v->column_count; i++)
		table_cell(t, "%s", v->spec->columns[i].head);
}

static void put_group(const struct view *v, const struct view_group *g,
		      struct table *t)
{
	struct buf b = {0};
	unsigned i;

	for (i = 0; i < v->key_count; i++)
		table_cell(t, "%s", view_label(g, i));
	for (i = 0; i < v->column_count; i++) {
		view_cell(v, g, i, &b);
		table_buf(t, &b);
	}
	buf_done(&b);
}

static void put_more(const struct view *v, size_t more, struct table *t)
{
	unsigned i;

	table_cell(t, "(%zu more)", more);
	for (i = 1; i < v->key_count + v->column_count; i++)
		table_cell(t, " ");
}

static void put_view(const struct view *v, size_t top, struct buf *out)
{
	char letters[VIEW_KEYS_MAX + VIEW_COLUMNS_MAX + 1];
	struct table t = {.align = letters};
	size_t i;

	align(v, letters);
	put_head(v, &t);
	for (i = 0; i < v->count && i < top; i++)
		put_group(v, v->list[i], &t);
	if (v->count > top)
		put_more(v, v->count - top, &t);
	buf_putc(out, '\n');
	table_print(&t, out);
}

void stat_views_text(const struct stat_views *s, size_t top, struct buf *out)
{
	unsigned i;

	for (i = 0; i < s->count; i++)
		if (s->view[i].count)
			put_view(&s->view[i], top, out);
}

/* ---- as JSON ------------------------------------------------------------- */

static void put_json_column(const struct view *v, const struct view_group *g,
			    unsigned i, struct json *j)
{
	const struct view_column *c = &v->spec->columns[i];
	const struct schema_field *f = v->like[v->number_of[i]];
	uint64_t number = view_number(v, g, i);
	char scratch[16];

	if (c->what == VIEW_ERROR) {
		json_member_str(j, c->key, view_error(g, scratch));
		return;
	}
	if (c->field && f && f->meaning == MEANING_TIME)
		number += (uint64_t)v->render->wall_offset;
	if (c->field && !g->numbers[v->number_of[i]].count)
		json_member_str(j, c->key, NULL);
	else
		json_member_u64(j, c->key, number);
}

static void put_json_key(const struct view_key *k, const char *label,
			 struct json *j)
{
	uint64_t number;

	if (k->number && !parse_u64(label, &number))
		json_member_u64(j, k->key, number);
	else
		json_member_str(j, k->key, label);
}

static void put_json_group(const struct view *v, const struct view_group *g,
			   struct json *j)
{
	unsigned i;

	json_begin(j, '{');
	for (i = 0; i < v->key_count; i++)
		put_json_key(&v->spec->keys[i], view_label(g, i), j);
	for (i = 0; i < v->column_count; i++)
		put_json_column(v, g, i, j);
	json_end(j, '}');
}

void stat_views_json(const struct stat_views *s, size_t top, struct json *j)
{
	const struct view *v;
	unsigned i;
	size_t g;

	for (i = 0; i < s->count; i++) {
		v = &s->view[i];
		json_key(j, v->spec->name);
		json_begin(j, '[');
		for (g = 0; g < v->count && g < top; g++)
			put_json_group(v, v->list[g], j);
		json_end(j, ']');
	}
}
