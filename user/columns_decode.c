// SPDX-License-Identifier: BSD-2-Clause
#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_context.h"
#include "columns_place.h"

#define BATCH	64 /* rows put together while they are in the cache */
#define LEN_MAX UINT16_MAX

/* Rows being put together. */
struct putting {
	struct columns *c;
	const bool *kinds; /* that are wanted; NULL: all */
	uint32_t *len;	   /* of each row; 0: it is not wanted */
	uint32_t *start;   /* of each row, where its record goes */
	char *rows;
	const struct part *p;
	const struct group *g;
	const uint64_t *v[PLAN_COLUMNS];
	uint16_t moving[PLAN_COLUMNS]; /* columns that are not constant */
	unsigned moving_count;
	bool has_string; /* what columns follow is of a string that moves */
	char *batch[BATCH];
	uint32_t end[BATCH];		     /* of the strings so far */
	_Alignas(16) char like[LEN_MAX + 1]; /* the struct with all that is */
};

/* What was kept whole may be of any kind. */
static bool is_wanted(const struct putting *t, const struct part *p)
{
	return p->rows &&
	       (!t->kinds || p->kind == PLAN_WHOLE || t->kinds[p->kind]);
}

static inline uint32_t padded(uint32_t len)
{
	return (len + ROW_ALIGN - 1) & ~(uint32_t)(ROW_ALIGN - 1);
}

/* ---- how long each record is --------------------------------------------- */

static bool has_length(const struct plan_column *col)
{
	return col->type == PLAN_STR || col->type == PLAN_REST;
}

static int add_lengths(struct putting *t, const struct part *p, uint32_t group,
		       unsigned column)
{
	const struct group *g = &p->group[group];
	struct columns *c = t->c;
	const uint64_t *v;
	uint64_t same;
	uint32_t i;
	int err;

	if (read_is_constant(c, g, column, &same) && same < c->head.strings &&
	    !c->str_len[same])
		return 0;
	c->keep = true;
	err = read_column(c, p, group, column, &v);
	c->keep = false;
	for (i = 0; i < g->rows && !err; i++) {
		uint64_t len = t->len[g->row[i]] + c->str_len[v[i]];

		if (len > LEN_MAX)
			return -EBADMSG;
		t->len[g->row[i]] = (uint32_t)len;
	}
	return err;
}

static int measure_group(struct putting *t, const struct part *p,
			 uint32_t group)
{
	const struct group *g = &p->group[group];
	unsigned left = p->plan->str_count + !p->plan->kind, k;
	uint32_t i;
	int err = 0;

	for (i = 0; i < g->rows; i++)
		t->len[g->row[i]] = p->plan->size;
	for (k = 0; left && k < p->plan->count && !err; k++)
		if (has_length(&p->plan->column[k]))
			err = add_lengths(t, p, group, k);
	return err;
}

static int measure_part(struct putting *t, const struct part *p)
{
	uint32_t g;
	int err = 0;

	for (g = 0; g < p->group_count && !err; g++)
		if (p->group[g].rows)
			err = measure_group(t, p, g);
	return err;
}

/* ---- where each record goes ---------------------------------------------- */

/* Rows of which each goes behind the one before. */
struct layout {
	size_t at, max;
	uint32_t *places; /* NULL, or has room for all rows that are wanted */
};

/* Return: false: there is no room. */
static inline bool lay_row(struct putting *t, struct layout *l, uint32_t row,
			   uint32_t place)
{
	t->start[row] = (uint32_t)l->at;
	l->at += padded(t->len[row]);
	if (l->places && t->len[row])
		*l->places++ = place;
	return l->at <= l->max;
}

static int place_rows(struct putting *t, struct layout *l)
{
	struct columns *c = t->c;
	struct context_row *told;
	struct placing m;
	uint32_t i = 0, row, n;
	int err;

	err = place_begin(&m, c);
	if (!err)
		err = context_by_place(c, &told);
	while (i < c->head.rows && !err) {
		err = place_next(&m, &row, &n);
		for (; n && !err; n--, row++, i++) {
			if (!lay_row(t, l, row, i) ||
			    (i == told->place && told++->row != row))
				err = -EBADMSG;
		}
	}
	return err || told->place == UINT32_MAX ? err : -EBADMSG;
}

/* Rows that are told of: nobody has to look at the others. */
static int place_context(struct putting *t, struct layout *l)
{
	struct columns *c = t->c;
	struct context_row *told;
	uint32_t i;
	int err = context_by_place(c, &told);

	for (i = 0; i < c->context.count && !err; i++)
		if (!lay_row(t, l, told[i].row, told[i].place))
			err = -EBADMSG;
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
			const uint64_t *v, uint32_t n)
{
	unsigned offset = col->offset;
	uint32_t i;

	switch (col->size) {
	case 4:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 4);
		return;
	case 8:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 8);
		return;
	default:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], col->size);
	}
}

static void put_bytes(const struct putting *t, const struct plan_column *col,
		      const uint64_t *v, uint32_t n)
{
	const struct columns *c = t->c;
	uint32_t i;

	for (i = 0; i < n; i++)
		memcpy(t->batch[i] + col->offset,
		       c->str_bytes + c->str_at[v[i]],
		       col->type == PLAN_BYTES ? col->bytes : c->str_len[v[i]]);
}

/* A string of each record, behind those before it. */
static void put_strings(struct putting *t, unsigned k, uint32_t from,
			uint32_t n)
{
	const uint64_t *off = t->v[k + 1] + from, *full = t->v[k + 2] + from;
	unsigned offset = t->p->plan->column[k].offset;
	const struct columns *c = t->c;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint64_t str = t->v[k][from + i];
		char *rec = t->batch[i];
		struct weir_str s = {
			.off = (uint16_t)off[i],
			.len = (uint16_t)c->str_len[str],
			.full = (uint32_t)full[i],
		};

		s.full += s.len;
		if (s.len) {
			s.off = (uint16_t)(s.off + t->end[i]);
			memcpy(rec + t->end[i], c->str_bytes + c->str_at[str],
			       s.len);
			t->end[i] += s.len;
		}
		memcpy(rec + offset, &s, sizeof(s));
	}
}

/* As memcpy(), of some multiple of 8 bytes; @from is aligned. */
static inline void copy_struct(char *to, const char *from, unsigned size)
{
	unsigned at = 0;

	for (; at + 16 <= size; at += 16)
		_mm_storeu_si128((void *)(to + at),
				 _mm_load_si128((const void *)(from + at)));
	if (at < size)
		memcpy(to + at, from + at, 8);
}

static void put_headers(struct putting *t, uint32_t from, uint32_t n)
{
	const struct row_view *v = &t->c->view;
	unsigned size = padded(t->p->plan->size);
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint32_t row = t->g->row[from + i], len = t->len[row];
		char *rec = t->batch[i];
		struct weir_hdr h;

		/* what is behind the end is zero */
		memset(rec + padded(len) - ROW_ALIGN, 0, ROW_ALIGN);
		copy_struct(rec, t->like, size);
		h.ts = v->ts[row];
		h.kind = (uint16_t)t->p->kind;
		h.cpu = (uint16_t)v->cpu[v->run[row]];
		h.len = (uint16_t)len;
		h.flags = (uint16_t)t->v[1][from + i];
		h.pid = (uint32_t)v->pid[v->task[row]];
		h.tid = (uint32_t)v->tid[v->task[row]];
		memcpy(rec, &h, sizeof(h));
	}
}

/* They lie far apart: ask for those of the next batch early. */
static void fetch_rows(const struct putting *t, uint32_t from)
{
	uint32_t to = t->g->rows - from < BATCH ? t->g->rows : from + BATCH, i;
	unsigned size = t->p->plan->size, at;

	for (i = from; i < to; i++) {
		const char *p = t->rows + t->start[t->g->row[i]];

		for (at = 0; at < size; at += LINE)
			__builtin_prefetch(p + at, 1);
		__builtin_prefetch(p + size - 1, 1);
	}
}

static void put_batch(struct putting *t, uint32_t from, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		t->batch[i] = t->rows + t->start[t->g->row[from + i]];
		t->end[i] = t->p->plan->size;
	}
	fetch_rows(t, from + n);
	put_headers(t, from, n);
	for (i = 0; i < t->moving_count; i++) {
		unsigned k = t->moving[i];
		const struct plan_column *col = &t->p->plan->column[k];

		if (col->type == PLAN_STR)
			put_strings(t, k, from, n);
		else if (col->type == PLAN_BYTES || col->type == PLAN_REST)
			put_bytes(t, col, t->v[k] + from, n);
		else
			put_numbers(t, col, t->v[k] + from, n);
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

/* The same in all rows: put once, into what all begin as. */
static bool is_like(struct putting *t, unsigned k)
{
	const struct plan_column *col = &t->p->plan->column[k];
	const struct columns *c = t->c;
	uint64_t same, off, full;
	struct weir_str s;

	if (!read_is_constant(c, t->g, k, &same))
		return false;
	if (col->type == PLAN_NUMBER) {
		store(t->like + col->offset, same, col->size);
		return true;
	}
	if (same >= c->head.strings)
		return false;
	if (col->type == PLAN_BYTES && c->str_len[same] == col->bytes) {
		memcpy(t->like + col->offset, c->str_bytes + c->str_at[same],
		       col->bytes);
		return true;
	}
	if (col->type != PLAN_STR || c->str_len[same] ||
	    !read_is_constant(c, t->g, k + 1, &off) ||
	    !read_is_constant(c, t->g, k + 2, &full))
		return false;
	s = (struct weir_str){.off = (uint16_t)off, .full = (uint32_t)full};
	memcpy(t->like + col->offset, &s, sizeof(s));
	return true;
}

/* Read a column, and find out who puts it where. Return: as read_column(). */
static int get_column(struct putting *t, uint32_t group, unsigned k)
{
	const struct plan_column *col = &t->p->plan->column[k];
	int err;

	if (!is_part(col))
		t->has_string = false;
	else if (col->type != PLAN_FLAGS && !t->has_string)
		return 0;
	if (col->type == PLAN_TIME || (!is_part(col) && is_like(t, k)))
		return 0;
	t->has_string |= col->type == PLAN_STR;
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
	uint32_t from, n;
	unsigned k;
	int err = 0;

	t->g = &t->p->group[group];
	t->moving_count = 0;
	t->has_string = false;
	for (k = 0; k < plan->count && !err; k++)
		err = get_column(t, group, k);
	if (err)
		return err;
	fetch_rows(t, 0);
	for (from = 0; from < t->g->rows; from += n) {
		n = t->g->rows - from < BATCH ? t->g->rows - from : BATCH;
		put_batch(t, from, n);
	}
	return 0;
}

/* The kind of what was kept whole is a column, behind the header we put. */
static int put_part(struct putting *t, const struct part *p)
{
	uint32_t g;
	int err = 0;

	t->p = p;
	memset(t->like + p->plan->size, 0,
	       padded(p->plan->size) - p->plan->size);
	for (g = 0; g < p->group_count && !err; g++)
		if (p->group[g].rows)
			err = put_group(t, g);
	return err;
}

/* ---- all of it ----------------------------------------------------------- */

static bool is_context(const struct putting *t)
{
	const struct columns *c = t->c;
	uint32_t i;

	for (i = 0; i < c->head.parts; i++)
		if (is_wanted(t, &c->part[i]) && !c->part[i].plan->is_context)
			return false;
	return true;
}

/* @ret_few: context rows are all that is wanted, and known. */
static int read_all(struct putting *t, bool *ret_few)
{
	struct columns *c = t->c;
	int err = read_context(c);

	*ret_few = !err && is_context(t);
	if (*ret_few)
		return read_strings(c);
	if (err && err != -ENOENT)
		return err;
	err = read_runs(c);
	if (!err)
		err = read_groups(c);
	if (!err)
		err = read_tasks(c);
	if (!err)
		err = read_strings(c);
	return err ? err : read_times(c);
}

static uint32_t count_wanted(const struct putting *t)
{
	uint32_t n = 0, i;

	for (i = 0; i < t->c->head.parts; i++)
		if (is_wanted(t, &t->c->part[i]))
			n += t->c->part[i].rows;
	return n;
}

static int measure_rows(struct putting *t)
{
	struct columns *c = t->c;
	uint32_t i;
	int err = 0;

	t->len = pool_zero(&c->block, c->head.rows, sizeof(*t->len));
	t->start = pool_alloc(&c->block, c->head.rows, sizeof(*t->start));
	if (!t->len || !t->start)
		return -ENOMEM;
	for (i = 0; i < c->head.parts && !err; i++)
		if (is_wanted(t, &c->part[i]))
			err = measure_part(t, &c->part[i]);
	return err;
}

static int put_rows(struct putting *t, struct buf *rows, uint32_t *places,
		    size_t max)
{
	struct layout l = {.max = max, .places = places};
	struct columns *c = t->c;
	uint32_t i;
	bool few;
	int err;

	err = read_all(t, &few);
	if (!err)
		err = measure_rows(t);
	if (!err)
		err = few ? place_context(t, &l) : place_rows(t, &l);
	if (err)
		return err;
	t->rows = buf_space(rows, l.at);
	if (!t->rows)
		return -ENOMEM;
	for (i = 0; i < c->head.parts && !err; i++)
		if (is_wanted(t, &c->part[i]))
			err = put_part(t, &c->part[i]);
	if (!err)
		rows->len = l.at;
	return err;
}

int columns_decode_kinds(struct columns *c, const bool *kinds, struct buf *rows,
			 struct buf *places, size_t max)
{
	uint32_t *place = NULL;
	size_t len;
	int err;

	buf_reset(rows);
	if (places)
		buf_reset(places);
	if (!c->payload || !c->head.rows)
		return -EBADMSG;
	if (!c->putting)
		c->putting = malloc(sizeof(*c->putting));
	if (!c->putting)
		return -ENOMEM;
	c->putting->c = c;
	c->putting->kinds = kinds;
	len = count_wanted(c->putting) * sizeof(*place);
	if (!len)
		return 0;
	if (places) {
		place = buf_space(places, len);
		if (!place)
			return -ENOMEM;
	}
	err = put_rows(c->putting, rows, place,
		       max < UINT32_MAX ? max : UINT32_MAX);
	if (!err && places)
		places->len = len;
	return err;
}

int columns_decode(struct columns *c, struct buf *rows, size_t max)
{
	return columns_decode_kinds(c, NULL, rows, NULL, max);
}
