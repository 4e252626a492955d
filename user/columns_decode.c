// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_place.h"

#define BATCH	  128 /* rows put together while they are in the cache */
#define ROW_ALIGN 8
#define LINE	  64 /* of the cache, bytes */
#define LEN_MAX	  UINT16_MAX

/* Rows being put together. */
struct putting {
	struct columns *c;
	uint32_t *len;	 /* of each row */
	uint32_t *end;	 /* of its strings so far */
	uint32_t *start; /* of each row, where its record goes */
	char *rows;
	const struct part *p;
	const struct group *g;
	const uint32_t *row;
	const uint64_t *v[PLAN_COLUMNS];
	uint16_t moving[PLAN_COLUMNS]; /* columns that are not constant */
	unsigned moving_count;
	_Alignas(8) char like[LEN_MAX]; /* the struct with all that is */
};

/* ---- how long each record is --------------------------------------------- */

static bool has_length(const struct plan_column *col)
{
	return col->type == PLAN_STR || col->type == PLAN_REST;
}

static int add_lengths(struct putting *t, const struct part *p, uint32_t group,
		       unsigned column)
{
	const struct group *g = &p->group[group];
	const uint32_t *row = p->row + g->first;
	struct columns *c = t->c;
	const uint64_t *v;
	uint32_t i;
	int err;

	err = read_column(c, p, group, column, &v);
	for (i = 0; i < g->rows && !err; i++) {
		uint64_t len = t->len[row[i]] + c->str_len[v[i]];

		if (len > LEN_MAX)
			return -EBADMSG;
		t->len[row[i]] = (uint32_t)len;
	}
	return err;
}

static int measure_part(struct putting *t, const struct part *p)
{
	unsigned left = p->plan->str_count + !p->plan->kind, k;
	uint32_t i, g;
	int err = 0;

	for (i = 0; i < p->rows; i++) {
		t->len[p->row[i]] = p->plan->size;
		t->end[p->row[i]] = p->plan->size;
	}
	for (g = 0; g < p->group_count && !err && left; g++)
		for (k = 0; k < p->plan->count && !err; k++)
			if (has_length(&p->plan->column[k]))
				err = add_lengths(t, p, g, k);
	return err;
}

/* ---- where each record goes ---------------------------------------------- */

static uint32_t padded(uint32_t len)
{
	return (len + ROW_ALIGN - 1) & ~(uint32_t)(ROW_ALIGN - 1);
}

static int place_rows(struct putting *t, size_t max, size_t *ret_len)
{
	struct columns *c = t->c;
	struct placing m;
	size_t at = 0;
	uint32_t i, row;
	int err;

	err = place_begin(&m, c);
	for (i = 0; i < c->head.rows && !err; i++) {
		err = place_next(&m, &row);
		if (err)
			return err;
		t->start[row] = (uint32_t)at;
		at += padded(t->len[row]);
		if (at > max)
			return -EBADMSG;
	}
	*ret_len = at;
	return err;
}

/* ---- filling in ---------------------------------------------------------- */

static void store(char *p, uint64_t v, unsigned size)
{
	switch (size) {
	case 1:
		memcpy(p, &v, 1);
		return;
	case 2:
		memcpy(p, &v, 2);
		return;
	case 4:
		memcpy(p, &v, 4);
		return;
	default:
		memcpy(p, &v, 8);
	}
}

static void put_numbers(const struct putting *t, const struct plan_column *col,
			const uint64_t *v, uint32_t from, uint32_t to)
{
	char *rows = t->rows + col->offset;
	uint32_t i;

	switch (col->size) {
	case 4:
		for (i = from; i < to; i++)
			store(rows + t->start[t->row[i]], v[i], 4);
		return;
	case 8:
		for (i = from; i < to; i++)
			store(rows + t->start[t->row[i]], v[i], 8);
		return;
	default:
		for (i = from; i < to; i++)
			store(rows + t->start[t->row[i]], v[i], col->size);
	}
}

static void put_bytes(const struct putting *t, const struct plan_column *col,
		      const uint64_t *v, uint32_t from, uint32_t to)
{
	const struct columns *c = t->c;
	uint32_t i;

	for (i = from; i < to; i++)
		memcpy(t->rows + t->start[t->row[i]] + col->offset,
		       c->str_bytes + c->str_at[v[i]],
		       col->type == PLAN_BYTES ? col->bytes : c->str_len[v[i]]);
}

/* A string of each record, behind those before it. */
static void put_strings(const struct putting *t, unsigned k, uint32_t from,
			uint32_t to)
{
	const uint64_t *off = t->v[k + 1], *full = t->v[k + 2];
	unsigned offset = t->p->plan->column[k].offset;
	const struct columns *c = t->c;
	uint32_t i;

	for (i = from; i < to; i++) {
		char *rec = t->rows + t->start[t->row[i]];
		uint64_t str = t->v[k][i];
		struct weir_str s = {
			.off = (uint16_t)off[i],
			.len = (uint16_t)c->str_len[str],
			.full = (uint32_t)full[i],
		};

		s.full += s.len;
		if (s.len) {
			uint32_t *end = &t->end[t->row[i]];

			s.off = (uint16_t)(s.off + *end);
			memcpy(rec + *end, c->str_bytes + c->str_at[str],
			       s.len);
			*end += s.len;
		}
		memcpy(rec + offset, &s, sizeof(s));
	}
}

static void put_headers(const struct putting *t, uint32_t from, uint32_t to)
{
	const struct row_view *v = &t->c->view;
	unsigned size = t->p->plan->size;
	uint32_t i;

	for (i = from; i < to; i++) {
		uint32_t row = t->row[i], len = t->len[row];
		char *rec = t->rows + t->start[row];
		struct weir_hdr h;

		/* what is behind the end is zero */
		memset(rec + padded(len) - ROW_ALIGN, 0, ROW_ALIGN);
		memcpy(rec, t->like, size);
		h.ts = v->ts[row];
		h.kind = (uint16_t)t->p->kind;
		h.cpu = (uint16_t)v->cpu[v->run[row]];
		h.len = (uint16_t)len;
		h.flags = (uint16_t)t->v[1][i];
		h.pid = (uint32_t)v->pid[v->task[row]];
		h.tid = (uint32_t)v->tid[v->task[row]];
		memcpy(rec, &h, sizeof(h));
	}
}

/* They lie far apart: ask for all of them before the first is written. */
static void fetch_rows(const struct putting *t, uint32_t from, uint32_t to)
{
	unsigned size = t->p->plan->size, at;
	uint32_t i;

	for (i = from; i < to; i++)
		for (at = 0; at < size; at += LINE)
			__builtin_prefetch(t->rows + t->start[t->row[i]] + at,
					   1);
}

static void put_batch(const struct putting *t, uint32_t from, uint32_t to)
{
	unsigned i;

	fetch_rows(t, from, to);
	put_headers(t, from, to);
	for (i = 0; i < t->moving_count; i++) {
		unsigned k = t->moving[i];
		const struct plan_column *col = &t->p->plan->column[k];

		if (col->type == PLAN_STR)
			put_strings(t, k, from, to);
		else if (col->type == PLAN_BYTES || col->type == PLAN_REST)
			put_bytes(t, col, t->v[k], from, to);
		else
			put_numbers(t, col, t->v[k], from, to);
	}
}

/* ---- groups -------------------------------------------------------------- */

static bool fit_bytes(const struct putting *t, const struct plan_column *col,
		      const uint64_t *v)
{
	uint32_t i;

	for (i = 0; i < t->g->rows && col->type == PLAN_BYTES; i++)
		if (t->c->str_len[v[i]] != col->bytes)
			return false;
	return true;
}

/* Columns that are put with another one. */
static bool is_part(const struct plan_column *col)
{
	return col->type == PLAN_FLAGS || col->type == PLAN_OFF ||
	       col->type == PLAN_FULL;
}

/* Read a column, and find out who puts it where. */
static int get_column(struct putting *t, uint32_t group, unsigned k)
{
	const struct plan_column *col = &t->p->plan->column[k];
	uint64_t same;
	int err;

	if (col->type == PLAN_TIME)
		return 0;
	if (col->type == PLAN_NUMBER &&
	    read_is_constant(t->c, t->p, group, k, &same)) {
		store(t->like + col->offset, same, col->size);
		return 0;
	}
	err = read_column(t->c, t->p, group, k, &t->v[k]);
	if (err || is_part(col))
		return err;
	if (!fit_bytes(t, col, t->v[k]))
		return -EBADMSG;
	t->moving[t->moving_count++] = (uint16_t)k;
	return 0;
}

static int put_group(struct putting *t, uint32_t group)
{
	const struct plan *plan = t->p->plan;
	uint32_t from, to;
	unsigned k;
	int err = 0;

	t->g = &t->p->group[group];
	t->row = t->p->row + t->g->first;
	t->moving_count = 0;
	for (k = 0; k < plan->count && !err; k++)
		err = get_column(t, group, k);
	for (from = 0; from < t->g->rows && !err; from = to) {
		to = t->g->rows - from < BATCH ? t->g->rows : from + BATCH;
		put_batch(t, from, to);
	}
	return err;
}

/* The kind of what was kept whole is a column, behind the header we put. */
static int put_part(struct putting *t, const struct part *p)
{
	uint32_t g;
	int err = 0;

	t->p = p;
	for (g = 0; g < p->group_count && !err; g++)
		err = put_group(t, g);
	return err;
}

/* ---- all of it ----------------------------------------------------------- */

static int read_all(struct columns *c)
{
	int err;

	if (!c->payload || !c->head.rows)
		return -EBADMSG;
	err = read_runs(c);
	if (!err)
		err = read_parts(c);
	if (!err)
		err = read_tasks(c);
	if (!err)
		err = read_strings(c);
	return err ? err : read_times(c);
}

static int put_rows(struct putting *t, struct buf *rows, size_t max)
{
	struct columns *c = t->c;
	size_t len;
	uint32_t i;
	int err = 0;

	t->len = pool_alloc(&c->block, c->head.rows, sizeof(*t->len));
	t->start = pool_alloc(&c->block, c->head.rows, sizeof(*t->start));
	t->end = pool_alloc(&c->block, c->head.rows, sizeof(*t->end));
	if (!t->len || !t->start || !t->end)
		return -ENOMEM;
	for (i = 0; i < c->head.parts && !err; i++)
		err = measure_part(t, &c->part[i]);
	if (!err)
		err = place_rows(t, max, &len);
	if (err)
		return err;
	t->rows = buf_space(rows, len);
	if (!t->rows)
		return -ENOMEM;
	for (i = 0; i < c->head.parts && !err; i++)
		err = put_part(t, &c->part[i]);
	if (!err)
		rows->len = len;
	return err;
}

int columns_decode(struct columns *c, struct buf *rows, size_t max)
{
	struct putting *t;
	int err;

	buf_reset(rows);
	err = read_all(c);
	if (err)
		return err;
	t = malloc(sizeof(*t));
	if (!t)
		return -ENOMEM;
	t->c = c;
	err = put_rows(t, rows, max < UINT32_MAX ? max : UINT32_MAX);
	free(t);
	return err;
}
