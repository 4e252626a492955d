// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rows are taken apart some thousand at a time, those of each group in turn
 * and batch by batch: so a record is looked at once, while it and its
 * neighbours are in the cache. First what varies is found, over all bytes of
 * the struct; a column has no numbers until it does, so the many that never do
 * cost next to nothing. Strings are numbered as they come; the dictionary has
 * them in the order of the columns, so they get their places when these are
 * put.
 */
#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_write.h"

#define BATCH 64
#define TILE  2048 /* rows of all groups, some 256 KiB */
#define AHEAD 16   /* rows that are fetched before */

/* A group being taken apart. */
struct taken {
	const struct part *p;
	const struct group *g;
	const char *first;
	uint64_t **v;	 /* of each column; NULL: all as in the first row */
	uint64_t *same;	 /* that */
	uint8_t *varies; /* of each byte */
	uint32_t rows;	 /* so far */
};

struct taking {
	struct writing *w;
	struct strings *strings;
	struct taken *group, *end_group;
	struct taken *at;
	uint32_t n; /* rows of the batch */
	const char *batch[BATCH];
	uint32_t end[BATCH]; /* of each row's strings so far */
};

/* ---- numbers ------------------------------------------------------------- */

static void take_numbers(const struct taking *t, const struct plan_column *col,
			 uint64_t *v)
{
	unsigned offset = col->offset;
	uint32_t n = t->n, i;

	switch (col->size) {
	case 1:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 1);
		return;
	case 2:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 2);
		return;
	case 4:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 4);
		return;
	default:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 8);
	}
}

static bool is_plain(const struct plan_column *col)
{
	return col->type == PLAN_NUMBER || col->type == PLAN_FLAGS ||
	       col->type == PLAN_KIND;
}

static void find_varying(const struct taking *t)
{
	unsigned size = t->at->p->plan->size, at;
	const char *first = t->at->first;
	uint8_t *varies = t->at->varies;
	uint32_t n = t->n, i;

	for (at = 0; at + 16 <= size; at += 16) {
		__m128i a = _mm_loadu_si128((const void *)(first + at)), x;
		__m128i some = _mm_load_si128((const void *)(varies + at));

		for (i = 0; i < n; i++) {
			x = _mm_loadu_si128((const void *)(t->batch[i] + at));
			some = _mm_or_si128(some, _mm_xor_si128(x, a));
		}
		_mm_store_si128((void *)(varies + at), some);
	}
	for (; at < size; at++)
		for (i = 0; i < n; i++)
			varies[at] |= (uint8_t)(t->batch[i][at] ^ first[at]);
}

static bool varies(const struct taken *d, unsigned offset, unsigned size)
{
	uint8_t some = 0;

	while (size--)
		some |= d->varies[offset + size];
	return some;
}

/* Numbers for a column, that are the same up to where we are. */
static uint64_t *begin_column(struct taking *t, unsigned column)
{
	struct taken *d = t->at;
	uint64_t *v = pool_alloc(&t->w->c->block, d->g->rows, sizeof(*v));
	uint32_t i;

	for (i = 0; i < d->rows && v; i++)
		v[i] = d->same[column];
	return d->v[column] = v;
}

/* ---- strings ------------------------------------------------------------- */

/* Strings, and what of their descriptors is not told by them. */
static int take_strings(struct taking *t, unsigned column)
{
	struct taken *d = t->at;
	unsigned offset = d->p->plan->column[column].offset;
	uint64_t **v = d->v + column;
	uint32_t i, at = d->rows;

	if (!v[0] &&
	    (!begin_column(t, column) || !begin_column(t, column + 1) ||
	     !begin_column(t, column + 2)))
		return -ENOMEM;
	for (i = 0; i < t->n; i++, at++) {
		const char *h = t->batch[i];
		struct weir_str s;

		memcpy(&s, h + offset, sizeof(s));
		v[2][at] = s.full - (uint32_t)s.len;
		if (!s.len) {
			v[0][at] = d->same[column];
			v[1][at] = s.off;
			continue;
		}
		v[0][at] = strings_number(t->strings, h + s.off, s.len);
		v[1][at] = (uint16_t)(s.off - t->end[i]);
		t->end[i] += s.len;
	}
	return 0;
}

static uint32_t bytes_number(const struct taking *t,
			     const struct plan_column *col, const char *record)
{
	const struct weir_hdr *h = (const struct weir_hdr *)record;
	uint32_t len = col->type == PLAN_REST ? h->len - (uint32_t)sizeof(*h)
					      : col->bytes;

	return strings_number(t->strings, record + col->offset, len);
}

/* Bytes of a fixed length, and what is all of a record. */
static int take_bytes(struct taking *t, unsigned column)
{
	const struct plan_column *col = &t->at->p->plan->column[column];
	uint64_t *v = t->at->v[column];
	uint32_t i;

	if (!v)
		v = begin_column(t, column);
	for (i = 0; i < t->n && v; i++)
		v[t->at->rows + i] = bytes_number(t, col, t->batch[i]);
	return v ? 0 : -ENOMEM;
}

/* ---- rows ---------------------------------------------------------------- */

/* Has a column been the same in all rows, those of this batch too? */
static bool is_still_same(const struct taken *d, unsigned column)
{
	const struct plan_column *col = &d->p->plan->column[column];
	struct weir_str s;

	if (d->v[column])
		return false;
	switch ((enum plan_type)col->type) {
	case PLAN_STR:
		memcpy(&s, d->first + col->offset, sizeof(s));
		return !s.len && !varies(d, col->offset, sizeof(s));
	case PLAN_BYTES:
		return !varies(d, col->offset, col->bytes);
	case PLAN_REST:
		return false;
	default:
		return !varies(d, col->offset, col->size);
	}
}

/* Times are taken later, offsets and lengths with their string. */
static int take_column(struct taking *t, unsigned k)
{
	const struct plan_column *col = &t->at->p->plan->column[k];
	struct taken *d = t->at;

	if (col->type == PLAN_TIME || col->type == PLAN_OFF ||
	    col->type == PLAN_FULL || is_still_same(d, k))
		return 0;
	if (col->type == PLAN_STR)
		return take_strings(t, k);
	if (!is_plain(col))
		return take_bytes(t, k);
	if (!d->v[k] && !begin_column(t, k))
		return -ENOMEM;
	take_numbers(t, col, d->v[k] + d->rows);
	return 0;
}

/* Rows of a group lie apart: ask for them early. */
static inline void fetch(const struct taking *t, uint32_t row, unsigned size)
{
	const char *p = write_row(t->w, row);
	unsigned at;

	for (at = 0; at < size; at += LINE)
		__builtin_prefetch(p + at);
	__builtin_prefetch(p + size - 1);
}

/* The next batch of rows below @end. */
static void gather(struct taking *t, uint32_t end)
{
	const struct taken *d = t->at;
	const uint32_t *row = d->g->row + d->rows;
	uint32_t left = d->g->rows - d->rows, n;
	unsigned size = d->p->plan->size + (d->p->plan->str_count ? LINE : 0);

	for (n = 0; n < left && n < BATCH && row[n] < end; n++) {
		if (n + AHEAD < left)
			fetch(t, row[n + AHEAD], size);
		t->batch[n] = write_row(t->w, row[n]);
		t->end[n] = d->p->plan->size;
	}
	t->n = n;
}

static int take_rows(struct taking *t, uint32_t end)
{
	const struct plan *plan = t->at->p->plan;
	unsigned k;
	int err = 0;

	do {
		gather(t, end);
		if (!t->n) /* which may be all: a group without rows */
			return 0;
		find_varying(t);
		for (k = 0; k < plan->count && !err; k++)
			err = take_column(t, k);
		t->at->rows += t->n;
	} while (t->n == BATCH && !err);
	return err;
}

/* ---- groups -------------------------------------------------------------- */

/* What columns have that are the same in all rows. */
static void begin_same(const struct taking *t, struct taken *d)
{
	const struct plan *plan = d->p->plan;
	struct weir_str s;
	unsigned k;

	for (k = 0; k < plan->count; k++) {
		const struct plan_column *col = &plan->column[k];
		const char *at = d->first + col->offset;

		if (is_plain(col)) {
			d->same[k] = load_number(at, col->size);
		} else if (col->type == PLAN_STR) {
			memcpy(&s, at, sizeof(s));
			d->same[k] = strings_number(t->strings, "", 0);
			d->same[k + 1] = s.off;
			d->same[k + 2] = s.full;
		} else if (col->type == PLAN_BYTES) {
			d->same[k] = bytes_number(t, col, d->first);
		}
	}
}

static int begin_group(struct taking *t, const struct part *p,
		       const struct group *g)
{
	struct pool *pool = &t->w->c->block;
	const struct plan *plan = p->plan;
	struct taken *d = t->end_group++;

	*d = (struct taken){.p = p, .g = g};
	d->v = pool_zero(pool, plan->count, sizeof(*d->v));
	d->same = pool_zero(pool, plan->count, sizeof(*d->same));
	d->varies = pool_zero(pool, plan->size, 1);
	if (!d->v || !d->same || !d->varies)
		return -ENOMEM;
	if (!g->rows)
		return 0;
	d->first = write_row(t->w, g->row[0]);
	begin_same(t, d);
	return 0;
}

static int begin_groups(struct taking *t)
{
	struct columns *c = t->w->c;
	uint32_t i, k;
	int err = 0;

	t->group = pool_alloc(&c->block, c->group_count, sizeof(*t->group));
	if (!t->group)
		return -ENOMEM;
	t->end_group = t->group;
	for (i = 0; i < c->head.parts && !err; i++) {
		const struct part *p = &c->part[i];

		if ((uint64_t)p->rows * p->plan->count > VALUES_MAX)
			return -E2BIG;
		for (k = 0; k < p->group_count && !err; k++)
			err = begin_group(t, p, &p->group[k]);
	}
	return err;
}

static int take_groups(struct taking *t)
{
	uint32_t end;
	int err = begin_groups(t);

	for (end = TILE; end < t->w->n + TILE && !err; end += TILE)
		for (t->at = t->group; t->at < t->end_group && !err; t->at++)
			err = take_rows(t, end);
	return err;
}

/* ---- columns ------------------------------------------------------------- */

static void put_same(struct taking *t, unsigned column)
{
	struct columns *c = t->w->c;

	write_line(c, c->data.len)->head.base = t->at->same[column];
}

static bool is_same(const uint64_t *v, uint32_t n)
{
	uint32_t i = 1;

	while (i < n && v[i] == v[0])
		i++;
	return i >= n;
}

static bool has_strings(const struct plan_column *col)
{
	return col->type == PLAN_STR || col->type == PLAN_BYTES ||
	       col->type == PLAN_REST;
}

static int take_times(struct taking *t, unsigned column)
{
	const struct group *g = t->at->g;
	uint64_t *v = pool_alloc(&t->w->c->group, g->rows, sizeof(*v));
	const uint64_t *gap = t->w->gap;
	uint32_t i;

	for (i = 0; i < g->rows && v; i++)
		v[i] = gap[g->row[i]];
	t->at->v[column] = v;
	return v ? 0 : -ENOMEM;
}

/* Strings by their places. */
static void place_strings(struct taking *t, unsigned column)
{
	struct taken *d = t->at;
	uint64_t *v = d->v[column];
	uint32_t i;

	if (!v)
		d->same[column] = strings_place(t->strings,
						(uint32_t)d->same[column]);
	for (i = 0; v && i < d->g->rows; i++)
		v[i] = strings_place(t->strings, (uint32_t)v[i]);
}

/*
 * Once times follow from a column, that one and those it may follow from must
 * not follow from times.
 */
static unsigned put_column(struct taking *t, struct asked *a, unsigned column,
			   unsigned no_times)
{
	struct taken *d = t->at;
	const struct plan_column *col = &d->p->plan->column[column];
	const struct stream *s;

	if (d->v[column] && is_same(d->v[column], a->n)) {
		d->same[column] = d->v[column][0];
		d->v[column] = NULL;
	}
	if (!d->v[column]) {
		put_same(t, column);
		return no_times;
	}
	a->column = column;
	a->v = d->v[column];
	a->no_times = column < no_times;
	a->predict.bits = has_strings(col) ? 32 : 8U * col->size;
	s = choose_and_put(t->w->c, a);
	if (col->type == PLAN_TIME && s->what == PREDICT_COLUMN)
		return s->param + 1;
	return no_times;
}

/* A group without rows has nothing but lines of the directory. */
static void put_nothing(struct taking *t)
{
	unsigned k;

	for (k = 0; k < t->at->p->plan->count; k++)
		put_same(t, k);
}

static int put_columns(struct taking *t, struct asked *a)
{
	const struct plan *plan = t->at->p->plan;
	unsigned k, no_times = 0;
	int err = 0;

	for (k = 0; k < plan->count && !err; k++) {
		const struct plan_column *col = &plan->column[k];

		a->first_string = t->strings->placed;
		if (col->type == PLAN_TIME)
			err = take_times(t, k);
		else if (has_strings(col))
			place_strings(t, k);
		if (!err)
			no_times = put_column(t, a, k, no_times);
	}
	return err;
}

static int put_group(struct taking *t)
{
	struct columns *c = t->w->c;
	const struct taken *d = t->at;
	const struct group *g = d->g;
	bool is_rest = g == &d->p->group[d->p->group_count - 1];
	struct asked a = {.part = d->p, .n = g->rows, .values = d->v};

	pool_reset(&c->group);
	a.stored = pool_alloc(&c->group, g->rows, sizeof(*a.stored));
	a.key = is_rest ? KEYS : g->key;
	a.predict.view = &c->view;
	a.predict.row = g->row;
	a.predict.guess = pool_alloc(&c->group, g->rows, sizeof(*a.stored));
	if (!a.stored || !a.predict.guess)
		return -ENOMEM;
	return put_columns(t, &a);
}

static int put_part(struct taking *t, struct part *p)
{
	uint32_t i;
	int err = 0;

	if (p->plan->str_count)
		strings_place(t->strings, strings_number(t->strings, "", 0));
	for (i = 0; i < p->group_count && !err; i++, t->at++) {
		p->group[i].stream = t->w->c->stream_count;
		if (p->group[i].rows)
			err = put_group(t);
		else
			put_nothing(t);
	}
	return err;
}

int write_parts(struct writing *w)
{
	struct columns *c = w->c;
	struct taking t = {.w = w, .strings = &c->strings};
	uint32_t i;
	int err;

	err = strings_reset(&c->strings);
	if (!err)
		err = take_groups(&t);
	if (err)
		return err;
	t.at = t.group;
	for (i = 0; i < c->head.parts && !err; i++)
		err = put_part(&t, &c->part[i]);
	return err ? err : strings_err(&c->strings);
}
