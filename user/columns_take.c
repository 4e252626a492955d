// SPDX-License-Identifier: BSD-2-Clause
/*
 * Rows of a group are taken apart batch by batch while they are in the cache.
 * First what varies is found, over all bytes of the struct; a column has no
 * numbers until it does, so the many that never do cost next to nothing.
 */
#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_write.h"

#define BATCH	      64
#define STRINGS_AHEAD 8 /* rows */

struct taking {
	struct writing *w;
	struct strings *strings;
	const struct part *p;
	const uint32_t *row;
	uint32_t n;
	uint32_t *end;	/* of each row's strings so far; NULL: none had any */
	uint32_t empty; /* number of the string of no bytes */
	const char *first;
	const char *batch[BATCH];
	uint64_t *v[PLAN_COLUMNS]; /* NULL: all as in the first row */
	uint64_t same[PLAN_COLUMNS];
	_Alignas(16) uint8_t varies[UINT16_MAX + 1]; /* of each byte */
};

/* ---- numbers ------------------------------------------------------------- */

static void take_numbers(const struct taking *t, const struct plan_column *col,
			 uint64_t *v, uint32_t n)
{
	unsigned offset = col->offset;
	uint32_t i;

	switch (col->size) {
	case 4:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 4);
		return;
	case 8:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, 8);
		return;
	default:
		for (i = 0; i < n; i++)
			v[i] = load_number(t->batch[i] + offset, col->size);
	}
}

static bool is_plain(const struct plan_column *col)
{
	return col->type == PLAN_NUMBER || col->type == PLAN_FLAGS ||
	       col->type == PLAN_KIND;
}

/* Rows of a group lie far apart: ask for those of the next batch early. */
static void fetch(const struct taking *t, uint32_t from)
{
	uint32_t to = t->n - from < BATCH ? t->n : from + BATCH, i;
	unsigned size = t->p->plan->size, at;

	for (i = from; i < to; i++) {
		const char *p = write_row(t->w, t->row[i]);

		for (at = 0; at < size; at += LINE)
			__builtin_prefetch(p + at);
		__builtin_prefetch(p + size - 1);
	}
}

static void find_varying(struct taking *t, uint32_t n)
{
	unsigned size = t->p->plan->size, at;
	uint32_t i;

	for (at = 0; at + 16 <= size; at += 16) {
		__m128i a = _mm_loadu_si128((const void *)(t->first + at)), x;
		__m128i some = _mm_load_si128((const void *)(t->varies + at));

		for (i = 0; i < n; i++) {
			x = _mm_loadu_si128((const void *)(t->batch[i] + at));
			some = _mm_or_si128(some, _mm_xor_si128(x, a));
		}
		_mm_store_si128((void *)(t->varies + at), some);
	}
	for (; at < size; at++)
		for (i = 0; i < n; i++)
			t->varies[at] |= (uint8_t)(t->batch[i][at] ^
						   t->first[at]);
}

static bool varies(const struct taking *t, unsigned offset, unsigned size)
{
	uint8_t some = 0;

	while (size--)
		some |= t->varies[offset + size];
	return some;
}

/* Numbers for a column, that are the same up to where we are. */
static uint64_t *begin_column(struct taking *t, unsigned column, uint32_t at)
{
	uint64_t *v = pool_alloc(&t->w->c->group, t->n, sizeof(*v));
	uint32_t i;

	for (i = 0; i < at && v; i++)
		v[i] = t->same[column];
	return t->v[column] = v;
}

static int take_batch(struct taking *t, uint32_t at, uint32_t n)
{
	const struct plan *plan = t->p->plan;
	unsigned k;

	for (k = 0; k < plan->count; k++) {
		const struct plan_column *col = &plan->column[k];

		if (!is_plain(col) ||
		    (!t->v[k] && !varies(t, col->offset, col->size)))
			continue;
		if (!t->v[k] && !begin_column(t, k, at))
			return -ENOMEM;
		take_numbers(t, col, t->v[k] + at, n);
	}
	return 0;
}

static void begin_group(struct taking *t)
{
	const struct plan *plan = t->p->plan;
	unsigned k;

	t->first = write_row(t->w, t->row[0]);
	t->end = NULL;
	memset(t->varies, 0, (plan->size + 15U) & ~15U);
	for (k = 0; k < plan->count; k++) {
		const struct plan_column *col = &plan->column[k];

		t->v[k] = NULL;
		if (is_plain(col))
			t->same[k] = load_number(t->first + col->offset,
						 col->size);
	}
}

static int take_plain(struct taking *t)
{
	uint32_t at, n, i;
	int err = 0;

	begin_group(t);
	fetch(t, 0);
	for (at = 0; at < t->n && !err; at += n) {
		n = t->n - at < BATCH ? t->n - at : BATCH;
		for (i = 0; i < n; i++)
			t->batch[i] = write_row(t->w, t->row[at + i]);
		if (at + n < t->n)
			fetch(t, at + n);
		find_varying(t, n);
		err = take_batch(t, at, n);
	}
	return err;
}

/* ---- times and strings --------------------------------------------------- */

static int take_times(struct taking *t, unsigned column)
{
	uint64_t *v = begin_column(t, column, 0);
	const uint64_t *gap = t->w->gap;
	uint32_t i;

	for (i = 0; i < t->n && v; i++)
		v[i] = gap[t->row[i]];
	return v ? 0 : -ENOMEM;
}

static int begin_ends(struct taking *t)
{
	uint32_t i;

	if (t->end)
		return 0;
	t->end = pool_alloc(&t->w->c->group, t->n, sizeof(*t->end));
	for (i = 0; i < t->n && t->end; i++)
		t->end[i] = t->p->plan->size;
	return t->end ? 0 : -ENOMEM;
}

/* What tells of no string, and the same in all rows. */
static bool is_without(struct taking *t, unsigned column)
{
	unsigned offset = t->p->plan->column[column].offset;
	struct weir_str s;

	memcpy(&s, t->first + offset, sizeof(s));
	if (s.len || varies(t, offset, sizeof(s)))
		return false;
	t->same[column] = t->empty;
	t->same[column + 1] = s.off;
	t->same[column + 2] = s.full;
	return true;
}

static void fetch_string(const struct taking *t, uint32_t i, unsigned offset)
{
	const char *p = write_row(t->w, t->row[i]);

	__builtin_prefetch(p + offset);
	__builtin_prefetch(p + t->p->plan->size);
}

/* Strings, and what of their descriptors is not told by them. */
static int take_strings(struct taking *t, unsigned column)
{
	unsigned offset = t->p->plan->column[column].offset;
	uint64_t *number, *off, *full;
	uint32_t i;

	if (is_without(t, column))
		return 0;
	number = begin_column(t, column, 0);
	off = begin_column(t, column + 1, 0);
	full = begin_column(t, column + 2, 0);
	if (!number || !off || !full || begin_ends(t))
		return -ENOMEM;
	for (i = 0; i < t->n; i++) {
		const char *h = write_row(t->w, t->row[i]);
		struct weir_str s;

		if (i + STRINGS_AHEAD < t->n)
			fetch_string(t, i + STRINGS_AHEAD, offset);
		memcpy(&s, h + offset, sizeof(s));
		full[i] = s.full - (uint32_t)s.len;
		if (!s.len) {
			number[i] = t->empty;
			off[i] = s.off;
			continue;
		}
		number[i] = strings_number(t->strings, h + s.off, s.len);
		off[i] = (uint16_t)(s.off - t->end[i]);
		t->end[i] += s.len;
	}
	return 0;
}

static uint32_t bytes_number(struct taking *t, const struct plan_column *col,
			     const char *record)
{
	const struct weir_hdr *h = (const struct weir_hdr *)record;
	uint32_t len = col->type == PLAN_REST ? h->len - (uint32_t)sizeof(*h)
					      : col->bytes;

	return strings_number(t->strings, record + col->offset, len);
}

/* Bytes of a fixed length, and what is all of a record. */
static int take_bytes(struct taking *t, unsigned column)
{
	const struct plan_column *col = &t->p->plan->column[column];
	uint64_t *v;
	uint32_t i;

	if (col->type == PLAN_BYTES && !varies(t, col->offset, col->bytes)) {
		t->same[column] = bytes_number(t, col, t->first);
		return 0;
	}
	v = begin_column(t, column, 0);
	for (i = 0; i < t->n && v; i++)
		v[i] = bytes_number(t, col, write_row(t->w, t->row[i]));
	return v ? 0 : -ENOMEM;
}

static int take_column(struct taking *t, unsigned column)
{
	switch ((enum plan_type)t->p->plan->column[column].type) {
	case PLAN_TIME:
		return take_times(t, column);
	case PLAN_STR:
		return take_strings(t, column);
	case PLAN_BYTES:
	case PLAN_REST:
		return take_bytes(t, column);
	default:
		return 0;
	}
}

/* ---- groups -------------------------------------------------------------- */

static void put_same(struct taking *t, unsigned column)
{
	struct columns *c = t->w->c;

	write_line(c, c->data.len)->head.base = t->same[column];
}

static bool is_same(const uint64_t *v, uint32_t n)
{
	uint32_t i = 1;

	while (i < n && v[i] == v[0])
		i++;
	return i >= n;
}

/*
 * Once times follow from a column, that one and those it may follow from must
 * not follow from times.
 */
static unsigned put_column(struct taking *t, struct asked *a, unsigned column,
			   unsigned no_times)
{
	const struct plan_column *col = &t->p->plan->column[column];
	const struct stream *s;

	if (t->v[column] && is_same(t->v[column], t->n)) {
		t->same[column] = t->v[column][0];
		t->v[column] = NULL;
	}
	if (!t->v[column]) {
		put_same(t, column);
		return no_times;
	}
	a->column = column;
	a->v = t->v[column];
	a->no_times = column < no_times;
	a->predict.bits = col->type == PLAN_STR || col->type == PLAN_BYTES ||
					  col->type == PLAN_REST
				  ? 32
				  : 8U * col->size;
	s = choose_and_put(t->w->c, a);
	if (col->type == PLAN_TIME && s->what == PREDICT_COLUMN)
		return s->param + 1;
	return no_times;
}

/* A group without rows: nothing but lines of the directory. */
static void put_nothing(struct taking *t)
{
	unsigned k;

	for (k = 0; k < t->p->plan->count; k++) {
		t->same[k] = 0;
		put_same(t, k);
	}
}

static int put_group(struct taking *t, const struct group *g)
{
	struct columns *c = t->w->c;
	const struct plan *plan = t->p->plan;
	bool is_rest = g == &t->p->group[t->p->group_count - 1];
	struct asked a = {.part = t->p, .n = g->rows, .values = t->v};
	unsigned k, no_times = 0;
	int err;

	pool_reset(&c->group);
	t->n = g->rows;
	t->row = g->row;
	a.stored = pool_alloc(&c->group, t->n, sizeof(*a.stored));
	a.key = is_rest ? KEYS : g->key;
	a.predict.view = &c->view;
	a.predict.row = t->row;
	a.predict.guess = pool_alloc(&c->group, t->n, sizeof(*a.stored));
	if (!a.stored || !a.predict.guess)
		return -ENOMEM;
	err = take_plain(t);
	for (k = 0; k < plan->count && !err; k++) {
		a.first_string = t->strings->count;
		err = take_column(t, k);
		if (!err)
			no_times = put_column(t, &a, k, no_times);
	}
	return err;
}

static int put_part(struct taking *t, struct part *p)
{
	struct columns *c = t->w->c;
	uint32_t i;
	int err = 0;

	t->p = p;
	if ((uint64_t)p->rows * p->plan->count > VALUES_MAX)
		return -E2BIG;
	t->empty = p->plan->str_count ? strings_number(t->strings, "", 0) : 0;
	for (i = 0; i < p->group_count && !err; i++) {
		p->group[i].stream = c->stream_count;
		if (p->group[i].rows)
			err = put_group(t, &p->group[i]);
		else
			put_nothing(t);
	}
	return err;
}

int write_parts(struct writing *w)
{
	struct columns *c = w->c;
	uint32_t i;
	int err;

	if (!c->taking)
		c->taking = malloc(sizeof(*c->taking));
	if (!c->taking)
		return -ENOMEM;
	c->taking->w = w;
	c->taking->strings = &c->strings;
	err = strings_reset(&c->strings);
	for (i = 0; i < c->head.parts && !err; i++)
		err = put_part(c->taking, &c->part[i]);
	return err ? err : strings_err(&c->strings);
}
