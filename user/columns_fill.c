// SPDX-License-Identifier: BSD-2-Clause
#include "columns_fill.h"

#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <string.h>

#define BATCH 64   /* rows put together while they are in the cache */
#define TILE  2048 /* rows of all groups, some 256 KiB */
#define AHEAD 16   /* rows whose place is fetched before */

/* Values by row; of a column with one value that alone. */
struct values {
	const uint64_t *v;
	uint32_t mask; /* of the row */
};

/* A group being put together. */
struct filled {
	const struct part *p;
	const struct group *g;
	struct values *column;
	uint16_t *moving; /* columns that are not the same in all rows */
	unsigned moving_count;
	char *like;    /* the struct with all that is */
	uint32_t rows; /* put so far */
};

struct filling {
	const struct fill *f;
	struct filled *group, *end_group;
	struct filled *at;
	bool has_string; /* what columns follow is of a string that moves */
	char *batch[BATCH];
	uint32_t end[BATCH]; /* of the strings so far */
};

static inline uint64_t value(const struct values *c, uint32_t row)
{
	return c->v[row & c->mask];
}

/* ---- a batch of rows ----------------------------------------------------- */

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

static void put_numbers(const struct filling *t, const struct plan_column *col,
			const uint64_t *v, uint32_t n)
{
	unsigned offset = col->offset;
	uint32_t i;

	switch (col->size) {
	case 1:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 1);
		return;
	case 2:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 2);
		return;
	case 4:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 4);
		return;
	default:
		for (i = 0; i < n; i++)
			store(t->batch[i] + offset, v[i], 8);
	}
}

static void put_bytes(const struct filling *t, const struct plan_column *col,
		      const uint64_t *v, uint32_t n)
{
	const struct columns *c = t->f->c;
	uint32_t i;

	for (i = 0; i < n; i++)
		memcpy(t->batch[i] + col->offset,
		       c->str_bytes + c->str_at[v[i]],
		       col->type == PLAN_BYTES ? col->bytes : c->str_len[v[i]]);
}

/* A string of each record, behind those before it. */
static void put_strings(struct filling *t, unsigned k, uint32_t from,
			uint32_t n)
{
	const struct values *col = &t->at->column[k];
	unsigned offset = t->at->p->plan->column[k].offset;
	const struct columns *c = t->f->c;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint64_t str = value(col, from + i);
		char *rec = t->batch[i];
		uint64_t len = c->str_len[str], s;

		s = (uint16_t)value(col + 1, from + i) | len << 16 |
		    (value(col + 2, from + i) + len) << 32;
		if (len) {
			s = (s & ~0xffffULL) | (uint16_t)(s + t->end[i]);
			memcpy(rec + t->end[i], c->str_bytes + c->str_at[str],
			       len);
			t->end[i] += (uint32_t)len;
		}
		memcpy(rec + offset, &s, sizeof(s)); /* struct weir_str */
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

/*
 * struct weir_hdr as three words: put together of its fields in memory it would
 * have to wait for them before it can be copied.
 */
static inline void put_header(char *rec, uint64_t ts, uint64_t kind,
			      uint64_t cpu, uint64_t len, uint64_t flags,
			      uint64_t pid, uint64_t tid)
{
	uint64_t what = kind | cpu << 16 | len << 32 | flags << 48;
	uint64_t who = (uint32_t)pid | tid << 32;

	memcpy(rec, &ts, sizeof(ts));
	memcpy(rec + 8, &what, sizeof(what));
	memcpy(rec + 16, &who, sizeof(who));
}

/* Where a row goes, from its first line to the last. */
static inline void fetch(const struct filling *t, uint32_t row, unsigned size)
{
	const char *p = t->f->rows + t->f->start[row];
	unsigned at;

	for (at = 0; at < size; at += LINE)
		__builtin_prefetch(p + at, 1);
	__builtin_prefetch(p + size - 1, 1);
}

static void put_headers(struct filling *t, uint32_t from, uint32_t n)
{
	const struct row_view *v = &t->f->c->view;
	const struct filled *d = t->at;
	const uint32_t *rows = d->g->row + from;
	uint32_t left = d->g->rows - from;
	unsigned size = fill_padded(d->p->plan->size);
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint32_t row = rows[i], len = t->f->len[row];
		char *rec = t->f->rows + t->f->start[row];
		uint32_t task = v->task[row];

		if (i + AHEAD < left)
			fetch(t, rows[i + AHEAD], size);
		t->batch[i] = rec;
		t->end[i] = d->p->plan->size;
		/* what is behind the end is zero */
		memset(rec + fill_padded(len) - ROW_ALIGN, 0, ROW_ALIGN);
		copy_struct(rec, d->like, size);
		put_header(rec, v->ts[row], d->p->kind,
			   (uint32_t)v->cpu[v->run[row]], len,
			   value(&d->column[1], from + i), v->pid[task],
			   v->tid[task]);
	}
}

static void put_batch(struct filling *t, uint32_t from, uint32_t n)
{
	const struct filled *d = t->at;
	uint32_t i;

	put_headers(t, from, n);
	for (i = 0; i < d->moving_count; i++) {
		unsigned k = d->moving[i];
		const struct plan_column *col = &d->p->plan->column[k];
		const uint64_t *v = d->column[k].v + from;

		if (col->type == PLAN_STR)
			put_strings(t, k, from, n);
		else if (col->type == PLAN_BYTES || col->type == PLAN_REST)
			put_bytes(t, col, v, n);
		else
			put_numbers(t, col, v, n);
	}
}

/* The rows of a group below @end. */
static void put_rows(struct filling *t, uint32_t end)
{
	struct filled *d = t->at;
	const uint32_t *row = d->g->row;
	uint32_t n;

	do {
		uint32_t left = d->g->rows - d->rows;

		for (n = 0; n < left && n < BATCH && row[d->rows + n] < end;)
			n++;
		put_batch(t, d->rows, n);
		d->rows += n;
	} while (n == BATCH);
}

/* ---- what a group has ---------------------------------------------------- */

static bool fit_bytes(const struct columns *c, const struct plan_column *col,
		      const uint64_t *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n && col->type == PLAN_BYTES; i++)
		if (c->str_len[v[i]] != col->bytes)
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
static bool is_like(const struct columns *c, struct filled *d, unsigned k)
{
	const struct plan_column *col = &d->p->plan->column[k];
	uint64_t same, off, full;
	struct weir_str s;

	if (!read_is_constant(c, d->g, k, &same))
		return false;
	if (col->type == PLAN_NUMBER) {
		store(d->like + col->offset, same, col->size);
		return true;
	}
	if (same >= c->head.strings)
		return false;
	if (col->type == PLAN_BYTES && c->str_len[same] == col->bytes) {
		memcpy(d->like + col->offset, c->str_bytes + c->str_at[same],
		       col->bytes);
		return true;
	}
	if (col->type != PLAN_STR || c->str_len[same] ||
	    !read_is_constant(c, d->g, k + 1, &off) ||
	    !read_is_constant(c, d->g, k + 2, &full))
		return false;
	s = (struct weir_str){.off = (uint16_t)off, .full = (uint32_t)full};
	memcpy(d->like + col->offset, &s, sizeof(s));
	return true;
}

/* Return: as read_column(). */
static int get_values(struct columns *c, const struct filled *d, unsigned k)
{
	struct values *to = &d->column[k];
	const struct stream *s = &c->stream[group_stream(d->g, k)];
	uint64_t same;

	if (is_part(&d->p->plan->column[k]) &&
	    read_is_constant(c, d->g, k, &same)) {
		*to = (struct values){&s->head.base, 0};
		return 0;
	}
	to->mask = UINT32_MAX;
	return read_column(c, d->p, (uint32_t)(d->g - d->p->group), k, &to->v);
}

/* Read a column, and find out who puts it where. Return: as read_column(). */
static int get_column(struct filling *t, struct filled *d, unsigned k)
{
	const struct plan_column *col = &d->p->plan->column[k];
	struct columns *c = t->f->c;
	int err;

	if (!is_part(col))
		t->has_string = false;
	else if (col->type != PLAN_FLAGS && !t->has_string)
		return 0;
	if (col->type == PLAN_TIME || (!is_part(col) && is_like(c, d, k)))
		return 0;
	t->has_string |= col->type == PLAN_STR;
	err = get_values(c, d, k);
	if (err || is_part(col))
		return err;
	if (!fit_bytes(c, col, d->column[k].v, d->g->rows))
		return -EBADMSG;
	d->moving[d->moving_count++] = (uint16_t)k;
	return 0;
}

/* The kind of what was kept whole is a column, behind the header we put. */
static int get_group(struct filling *t, const struct part *p,
		     const struct group *g)
{
	const struct plan *plan = p->plan;
	struct pool *pool = &t->f->c->block;
	struct filled *d = t->end_group;
	unsigned k;
	int err = 0;

	*d = (struct filled){.p = p, .g = g};
	d->column = pool_alloc(pool, plan->count, sizeof(*d->column));
	d->moving = pool_alloc(pool, plan->count, sizeof(*d->moving));
	d->like = pool_zero(pool, fill_padded(plan->size), 1);
	if (!d->column || !d->moving || !d->like)
		return -ENOMEM;
	for (k = 0; k < plan->count && !err; k++)
		err = get_column(t, d, k);
	t->end_group++;
	return err;
}

static int get_part(struct filling *t, const struct part *p)
{
	uint32_t i;
	int err = 0;

	for (i = 0; i < p->group_count && !err; i++)
		if (p->group[i].rows)
			err = get_group(t, p, &p->group[i]);
	return err;
}

/* ---- all of it ----------------------------------------------------------- */

static int get_groups(struct filling *t)
{
	struct columns *c = t->f->c;
	uint32_t i;
	int err = 0;

	t->group = pool_alloc(&c->block, c->group_count, sizeof(*t->group));
	if (!t->group)
		return -ENOMEM;
	t->end_group = t->group;
	c->keep = true;
	for (i = 0; i < c->head.parts && !err; i++)
		if (fill_wants(t->f, &c->part[i]))
			err = get_part(t, &c->part[i]);
	c->keep = false;
	return err;
}

int fill_rows(const struct fill *f)
{
	uint32_t rows = (uint32_t)f->c->head.rows, end;
	struct filling t = {.f = f};
	int err = get_groups(&t);

	for (end = TILE; end < rows + TILE && !err; end += TILE)
		for (t.at = t.group; t.at < t.end_group; t.at++)
			put_rows(&t, end);
	return err;
}
