// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_hist_count.c - by rows, and on columns; see cmd_hist.h.
 */
#include "cmd_hist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast.h"
#include "hash.h"

#define OTHERS "(others)"

/* ---- groups -------------------------------------------------------------- */

static void put_value(struct buf *b, const struct sql_value *v)
{
	switch (v->type) {
	case SQL_INT:
		buf_s64(b, v->i);
		break;
	case SQL_TEXT:
		buf_put(b, v->text, v->len);
		break;
	case SQL_REAL:
		buf_printf(b, "%.0f", v->real);
		break;
	default:
		buf_putc(b, '?');
	}
}

static struct group *add_group(struct distribution *d, const char *name,
			       size_t len)
{
	struct group *g;

	if (!(d->count & (d->count - 1))) { /* doubled at powers of two */
		g = reallocarray(d->group, d->count ? d->count * 2 : 1,
				 sizeof(*g));
		if (!g)
			return NULL;
		d->group = g;
	}
	g = &d->group[d->count];
	memset(g, 0, sizeof(*g));
	g->name = malloc(len + 1);
	if (!g->name)
		return NULL;
	memcpy(g->name, name, len);
	g->len = len;
	d->count++;
	return g;
}

static uint64_t hash_of(const char *name, size_t len)
{
	uint64_t h = len;
	size_t i;

	for (i = 0; i < len; i++)
		h = hash_u64(h ^ (uint8_t)name[i]);
	return h;
}

static bool is_called(const struct group *g, const char *name, size_t len)
{
	return g->len == len && !memcmp(g->name, name, len);
}

static struct group *group_of(struct distribution *d, const char *name,
			      size_t len)
{
	uint64_t at = hash_of(name, len) & (HIST_SLOTS - 1);
	struct group *g;

	while (d->slot[at] && !is_called(&d->group[d->slot[at] - 1], name, len))
		at = (at + 1) & (HIST_SLOTS - 1);
	if (d->slot[at])
		return &d->group[d->slot[at] - 1];
	if (d->count == HIST_GROUPS)
		return add_group(d, OTHERS, strlen(OTHERS));
	if (d->count > HIST_GROUPS)
		return &d->group[HIST_GROUPS];
	g = add_group(d, name, len);
	d->slot[at] = g ? (uint16_t)d->count : 0;
	return g;
}

/* ---- by rows ------------------------------------------------------------- */

static struct group *find_group(struct distribution *d, const struct event *ev)
{
	const struct sql_column *c = d->name_of[ev->kind->number];
	struct sql_value v;

	buf_reset(&d->name);
	if (c) {
		sql_column_get(c, &d->r.render, NULL, ev, &d->scratch, &v);
		put_value(&d->name, &v);
	}
	if (buf_err(&d->name) || buf_err(&d->scratch))
		return NULL; /* no name, and not an empty one */
	return group_of(d, d->name.len ? d->name.data : "", d->name.len);
}

/* Return: false: there is none, or it is negative. */
static bool get_number(struct distribution *d, const struct sql_column *c,
		       const struct event *ev, uint64_t *ret)
{
	struct sql_value v;

	sql_column_get(c, &d->r.render, NULL, ev, &d->scratch, &v);
	if (v.type == SQL_REAL) { /* 64 bits and no sign: too large for SQL */
		*ret = field_u64(ev, c->field, 0);
		return true;
	}
	*ret = (uint64_t)v.i;
	d->negative += v.type == SQL_INT && v.i < 0;
	return v.type == SQL_INT && v.i >= 0;
}

static int on_event(void *arg, const struct event *ev)
{
	struct distribution *d = arg;
	const struct sql_column *c = d->value_of[ev->kind->number];
	struct group *g;
	uint64_t v;

	if (!c || !get_number(d, c, ev, &v)) /* the first: a gap */
		return 0;
	g = find_group(d, ev);
	return g ? hist_add(&g->hist, v) : -ENOMEM;
}

/* ---- on columns ---------------------------------------------------------- */

static struct sql_value value_of_key(const struct fast *f,
				     const struct fast_groups *g, uint32_t i)
{
	struct sql_value v = {.type = SQL_NULL};
	const struct fast_text *t;

	if (g->null[i][0])
		return v;
	if (!fast_expr_text(g->q, g->q->key[0])) {
		v.type = SQL_INT;
		v.i = g->key[i][0];
		return v;
	}
	t = fast_text_of(f, g->key[i][0]);
	v.type = SQL_TEXT;
	v.text = t->data;
	v.len = t->len;
	return v;
}

/* Return: 0; -EOPNOTSUPP which come first, only rows tell; -ENOMEM. */
static int add_counted(struct distribution *d, const struct fast *f,
		       const struct fast_groups *g, uint32_t i)
{
	struct sql_value v;
	struct group *to;

	if (!g->cell[i].hist)
		return 0;
	buf_reset(&d->name);
	if (d->by) {
		v = value_of_key(f, g, i);
		put_value(&d->name, &v);
	}
	if (buf_err(&d->name))
		return -ENOMEM;
	to = group_of(d, d->name.len ? d->name.data : "", d->name.len);
	if (!to)
		return -ENOMEM;
	if (d->count > HIST_GROUPS)
		return -EOPNOTSUPP;
	return hist_merge(&to->hist, g->cell[i].hist);
}

/* Return: as fast_pass(). */
static int count_columns(struct distribution *d, const struct schema_kind *k,
			 enum fast_op op)
{
	const char *by = op == FAST_GE && d->by ? d->name_of[k->number]->name
						: NULL;
	struct fast_range range = {d->r.from_ns,
				   d->r.to_ns ? d->r.to_ns : UINT64_MAX,
				   d->r.select, NULL, d->r.jobs};
	const struct fast_groups *g;
	struct fast_query *q;
	struct fast *f = NULL;
	uint32_t i;
	int err, damaged = 0;

	err = fast_query_make(&q, k, d->value_of[k->number]->name, by, op);
	if (err)
		return err;
	memset(range.select.kinds, 0, sizeof(range.select.kinds));
	range.select.kinds[k->number] = true;
	err = fast_pass(&f, d->r.archive, q, &range, &g);
	if (err == -EBADMSG) {
		damaged = err;
		err = 0;
	}
	for (i = 0; !err && op == FAST_GE && i < g->count; i++)
		err = add_counted(d, f, g, i);
	if (!err && op == FAST_LT)
		d->negative += g->cell[0].count;
	fast_close(f);
	fast_query_free(q);
	return err ? err : damaged;
}

void distribution_forget(struct distribution *d)
{
	size_t i;

	for (i = 0; i < d->count; i++) {
		hist_done(&d->group[i].hist);
		free(d->group[i].name);
	}
	free(d->group);
	memset(d->slot, 0, sizeof(d->slot));
	d->group = NULL;
	d->count = 0;
	d->negative = 0;
}

/* Gaps are handed over by other rules than events. */
static bool is_of_columns(const struct distribution *d)
{
	const struct replay *r = &d->r;

	return !r->select.filter && fast_pays(&r->info) &&
	       !d->value_of[r->select.gap];
}

static int count_kind(struct distribution *d, const struct schema_kind *k,
		      int *damaged)
{
	bool is_signed = d->value_of[k->number]->field->type == FIELD_INT;
	int err = count_columns(d, k, FAST_GE);

	if (is_signed && (!err || err == -EBADMSG)) {
		*damaged |= err;
		err = count_columns(d, k, FAST_LT);
	}
	*damaged |= err == -EBADMSG ? err : 0;
	return err == -EBADMSG ? 0 : err;
}

/* Return: as replay_each(); -EOPNOTSUPP this must be asked of rows. */
static int count_by_columns(struct distribution *d)
{
	struct replay *r = &d->r;
	int err = is_of_columns(d) ? 0 : -EOPNOTSUPP, damaged = 0;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX && !err; i++)
		if (d->value_of[i])
			err = count_kind(d, schema_kind(r->render.schema, i),
					 &damaged);
	if (err) {
		distribution_forget(d);
		return err;
	}
	err = replay_losses(r, r->select.kinds, r->from_ns,
			    r->to_ns ? r->to_ns : UINT64_MAX);
	return err ? err : damaged ? -EBADMSG : 0;
}

int distribution_count(struct distribution *d)
{
	int err = count_by_columns(d);

	return err == -EOPNOTSUPP ? replay_each(&d->r, on_event, d) : err;
}
