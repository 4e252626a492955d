// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define GROUP_ROWS 128 /* keys with fewer have no group of their own */
#define LINE	   64  /* of the cache, bytes */
/* for struct asked: not a group's key */
#define KEY_REST   KEYS
#define KEY_ITSELF (KEYS + 1)
#define BATCH	   128 /* rows taken apart while they are in the cache */

/* ---- streams ------------------------------------------------------------- */

struct stream *write_line(struct columns *c, size_t data_start)
{
	struct stream *s;

	if (c->stream_count == c->stream_room) {
		uint32_t room = c->stream_room ? 2 * c->stream_room : 256;

		s = realloc(c->stream, room * sizeof(*s));
		if (!s) {
			c->data.err = -ENOMEM;
			return &c->stream[c->stream_count - 1];
		}
		c->stream = s;
		c->stream_room = room;
	}
	s = &c->stream[c->stream_count++];
	*s = (struct stream){.at = data_start, .len = c->data.len - data_start};
	return s;
}

void write_stream(struct columns *c, const uint64_t *v, size_t n,
		  enum column_form wish)
{
	struct column_head h = {.form = (uint8_t)wish};
	size_t start = c->data.len;

	column_put(&c->packer, v, n, &h, &c->data);
	write_line(c, start)->head = h;
}

/* ---- directory ----------------------------------------------------------- */

static void put_streams(const struct columns *c, struct buf *to)
{
	uint32_t i;

	put_varint(to, c->stream_count);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].what);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].param);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].head.form);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].head.width);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].head.base);
	for (i = 0; i < c->stream_count; i++)
		put_varint(to, c->stream[i].len);
}

static void put_head(const struct columns *c, struct buf *to)
{
	const uint64_t *number = (const uint64_t *)&c->head;
	uint32_t i, k;

	for (i = 0; i < HEAD_NUMBERS; i++)
		put_varint(to, number[i]);
	for (i = 0; i < c->head.parts; i++) {
		put_varint(to, c->part[i].kind);
		put_varint(to, c->part[i].check);
		put_varint(to, c->part[i].rows);
		put_varint(to, c->part[i].group_count);
		for (k = 0; k < c->part[i].group_count; k++) {
			put_varint(to, c->part[i].group[k].key);
			put_varint(to, c->part[i].group[k].rows);
		}
	}
	put_streams(c, to);
}

/* ---- groups -------------------------------------------------------------- */

static uint64_t load(const void *p, unsigned size)
{
	uint64_t v = 0;

	switch (size) {
	case 1:
		memcpy(&v, p, 1);
		break;
	case 2:
		memcpy(&v, p, 2);
		break;
	case 4:
		memcpy(&v, p, 4);
		break;
	default:
		memcpy(&v, p, 8);
	}
	return v;
}

static int load_keys(struct writing *w, struct part *p)
{
	const struct plan_column *col = &p->plan->column[p->plan->key];
	uint32_t i;

	p->key = pool_alloc(&w->c->block, p->rows, sizeof(*p->key));
	if (!p->key)
		return -ENOMEM;
	for (i = 0; i < p->rows; i++)
		p->key[i] = load((const char *)write_row(w, p->row[i]) +
					 col->offset,
				 col->size);
	return 0;
}

/* Keys with many rows get a group each; the others share the last one. */
static int find_groups(struct columns *c, struct part *p)
{
	uint32_t rows[KEYS] = {0}, rest = p->rows, i, n = 0;

	for (i = 0; i < p->rows && p->key; i++)
		if (p->key[i] < KEYS)
			rows[p->key[i]]++;
	for (i = 0; i < KEYS; i++)
		n += rows[i] >= GROUP_ROWS;
	p->group = pool_alloc(&c->block, n + 1, sizeof(*p->group));
	if (!p->group)
		return -ENOMEM;
	for (i = n = 0; i < KEYS; i++) {
		if (rows[i] < GROUP_ROWS)
			continue;
		p->group[n++] = (struct group){.key = i, .rows = rows[i]};
		rest -= rows[i];
	}
	p->group[n] = (struct group){.key = 0, .rows = rest};
	p->group_count = n + 1;
	return part_group(c, p);
}

/* ---- columns of a group -------------------------------------------------- */

struct taking {
	struct writing *w;
	struct strings *strings;
	const struct part *p;
	const uint32_t *row;
	uint32_t n;
	uint32_t *end;	/* of each row's strings so far */
	uint32_t empty; /* number of the string of no bytes */
	const char *batch[BATCH];
	uint64_t *v[PLAN_COLUMNS];
};

static void take_numbers(const struct taking *t, const struct plan_column *col,
			 uint64_t *v, uint32_t n)
{
	unsigned offset = col->offset;
	uint32_t i;

	switch (col->size) {
	case 4:
		for (i = 0; i < n; i++)
			v[i] = load(t->batch[i] + offset, 4);
		return;
	case 8:
		for (i = 0; i < n; i++)
			v[i] = load(t->batch[i] + offset, 8);
		return;
	default:
		for (i = 0; i < n; i++)
			v[i] = load(t->batch[i] + offset, col->size);
	}
}

/* Strings, and what of their descriptors is not told by them. */
static void take_strings(const struct taking *t, unsigned column)
{
	unsigned offset = t->p->plan->column[column].offset;
	uint64_t *number = t->v[column];
	uint64_t *off = t->v[column + 1], *full = t->v[column + 2];
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		const char *h = (const char *)write_row(t->w, t->row[i]);
		struct weir_str s;

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
}

/* Bytes of a fixed length, and what is all of a record. */
static void take_bytes(const struct taking *t, unsigned column)
{
	const struct plan_column *col = &t->p->plan->column[column];
	uint32_t i;

	for (i = 0; i < t->n; i++) {
		const struct weir_hdr *h = write_row(t->w, t->row[i]);
		uint32_t len = col->type == PLAN_REST
				       ? h->len - (uint32_t)sizeof(*h)
				       : col->bytes;

		t->v[column][i] = strings_number(
			t->strings, (const char *)h + col->offset, len);
	}
}

static bool is_plain(const struct plan_column *col)
{
	return col->type == PLAN_NUMBER || col->type == PLAN_FLAGS ||
	       col->type == PLAN_KIND;
}

/* Rows of a group lie far apart: ask for all of a batch before the first. */
static inline const char *fetch(const struct writing *w, uint32_t row,
				unsigned size)
{
	const char *p = (const char *)write_row(w, row);
	unsigned at;

	for (at = 0; at < size; at += LINE)
		__builtin_prefetch(p + at);
	return p;
}

static void take_plain(struct taking *t)
{
	const struct plan *plan = t->p->plan;
	uint32_t at, n, i;
	unsigned k;

	for (at = 0; at < t->n; at += n) {
		n = t->n - at < BATCH ? t->n - at : BATCH;
		for (i = 0; i < n; i++)
			t->batch[i] = fetch(t->w, t->row[at + i], plan->size);
		for (k = 0; k < plan->count; k++)
			if (is_plain(&plan->column[k]))
				take_numbers(t, &plan->column[k], t->v[k] + at,
					     n);
	}
}

static void begin_strings(struct taking *t)
{
	uint32_t i;

	if (!t->p->plan->str_count)
		return;
	t->empty = strings_number(t->strings, "", 0);
	for (i = 0; i < t->n; i++)
		t->end[i] = t->p->plan->size;
}

static void take_column(const struct taking *t, unsigned column)
{
	const struct plan_column *col = &t->p->plan->column[column];
	uint32_t i;

	switch ((enum plan_type)col->type) {
	case PLAN_TIME:
		for (i = 0; i < t->n; i++)
			t->v[column][i] = t->w->delta[t->row[i]];
		return;
	case PLAN_STR:
		take_strings(t, column);
		return;
	case PLAN_BYTES:
	case PLAN_REST:
		take_bytes(t, column);
		return;
	default:
		return;
	}
}

static void ask(struct taking *t, struct asked *a, unsigned column)
{
	const struct plan_column *col = &t->p->plan->column[column];

	a->column = column;
	a->v = t->v[column];
	a->predict.bits = col->type == PLAN_STR || col->type == PLAN_BYTES ||
					  col->type == PLAN_REST
				  ? 32
				  : 8U * col->size;
	choose_and_put(t->w->c, a);
}

static int put_group(struct taking *t, const struct group *g)
{
	struct columns *c = t->w->c;
	const struct plan *plan = t->p->plan;
	bool is_rest = g == &t->p->group[t->p->group_count - 1];
	struct asked a = {.part = t->p, .n = g->rows};
	unsigned k;

	pool_reset(&c->group);
	t->n = g->rows;
	t->row = t->p->row + g->first;
	a.stored = pool_alloc(&c->group, t->n, sizeof(*a.stored));
	a.predict.guess = pool_alloc(&c->group, t->n, sizeof(*a.stored));
	a.key = is_rest ? KEY_REST : g->key;
	a.predict.view = &c->view;
	a.predict.row = t->row;
	a.predict.column = (const uint64_t *const *)t->v;
	for (k = 0; k < plan->count; k++) {
		t->v[k] = pool_alloc(&c->group, t->n, sizeof(**t->v));
		if (!t->v[k])
			return -ENOMEM;
	}
	t->end = pool_alloc(&c->group, t->n, sizeof(*t->end));
	if (!a.stored || !a.predict.guess || !t->end)
		return -ENOMEM;
	begin_strings(t);
	take_plain(t);
	for (k = 0; k < plan->count; k++) {
		a.first_string = t->strings->count;
		take_column(t, k);
		if ((int)k != plan->key)
			ask(t, &a, k);
	}
	return 0;
}

/* ---- a part -------------------------------------------------------------- */

static int put_key(struct taking *t, struct part *p)
{
	struct columns *c = t->w->c;
	struct asked a = {.part = p, .key = KEY_ITSELF, .n = p->rows};

	a.predict.row = p->row; /* still in the order of rows */
	a.predict.view = &c->view;
	a.predict.column = (const uint64_t *const *)t->v;
	a.stored = pool_alloc(&c->block, p->rows, sizeof(*a.stored));
	a.predict.guess = pool_alloc(&c->block, p->rows, sizeof(*a.stored));
	if (!a.stored || !a.predict.guess)
		return -ENOMEM;
	t->v[p->plan->key] = p->key;
	ask(t, &a, (unsigned)p->plan->key);
	return 0;
}

static int put_part(struct taking *t, struct part *p)
{
	struct columns *c = t->w->c;
	uint32_t i;
	int err = 0;

	t->p = p;
	p->stream = c->stream_count;
	if ((uint64_t)p->rows * p->plan->count > VALUES_MAX)
		return -E2BIG;
	if (p->plan->key >= 0)
		err = load_keys(t->w, p);
	if (!err && p->key)
		err = put_key(t, p);
	if (!err)
		err = find_groups(c, p);
	for (i = 0; i < p->group_count && !err; i++)
		err = put_group(t, &p->group[i]);
	return err;
}

/* ---- strings ------------------------------------------------------------- */

/* Into the places that the directory has for them. */
static int put_strings(struct columns *c, const struct strings *s)
{
	uint64_t *len = pool_alloc(&c->block, s->count, sizeof(*len));
	char *bytes = pool_alloc(&c->block, s->bytes, 1), *at = bytes;
	struct column_head h = {.form = FORM_LOG};
	struct stream *line = &c->stream[COMMON_STR_LEN];
	uint32_t i;

	if (!len || !bytes)
		return -ENOMEM;
	for (i = 0; i < s->count; i++) {
		const struct string_entry *e = strings_get(s, i);

		len[i] = e->len;
		memcpy(at, e->data, e->len);
		at += e->len;
	}
	c->head.strings = s->count;
	c->head.string_bytes = s->bytes;
	buf_reset(&c->directory);
	column_put(&c->packer, len, s->count, &h, &c->directory);
	line->head = h;
	line->len = c->directory.len;
	chunk_put(&c->packer, bytes, s->bytes, &c->directory);
	line[1].len = c->directory.len - line->len;
	return buf_err(&c->directory);
}

/* ---- all of it ----------------------------------------------------------- */

static int put_parts(struct writing *w)
{
	struct strings *strings = &w->c->strings;
	struct taking *t = malloc(sizeof(*t));
	struct columns *c = w->c;
	uint32_t i;
	int err;

	if (!t)
		return -ENOMEM;
	*t = (struct taking){.w = w, .strings = strings};
	err = strings_reset(strings);
	for (i = 0; i < c->head.parts && !err; i++)
		err = put_part(t, &c->part[i]);
	if (!err)
		err = buf_err(&strings->entries);
	if (!err)
		err = put_strings(c, strings);
	free(t);
	return err;
}

static int view_rows(struct writing *w)
{
	struct row_view *v = &w->c->view;

	v->count = w->n;
	v->ts = w->ts;
	v->task = w->task;
	v->run = w->run;
	v->cpu = w->cpu;
	v->last = pool_alloc(&w->c->block, v->tasks, sizeof(*v->last));
	return v->last ? rows_since(w->c, w->part_of) : -ENOMEM;
}

/* The common streams come first, and of them the strings last. */
static int assemble(struct columns *c, struct buf *to)
{
	size_t common = c->stream[COMMON_STR_LEN].at;
	struct buf head = {0};
	int err;

	put_head(c, &head);
	buf_putc(to, COLUMNS_VERSION);
	put_varint(to, head.len);
	chunk_put(&c->packer, head.data, head.len, to);
	buf_put(to, c->data.data, common);
	buf_put(to, c->directory.data, c->directory.len);
	buf_put(to, c->data.data + common, c->data.len - common);
	err = buf_err(&head) ? buf_err(&head) : buf_err(&c->data);
	buf_done(&head);
	return err ? err : buf_err(to);
}

static int begin(struct columns *c)
{
	if (!c->choice)
		c->choice = calloc(CHOICES, sizeof(*c->choice));
	pool_reset(&c->block);
	buf_reset(&c->data);
	c->head = (struct block_head){0};
	c->view = (struct row_view){0};
	c->stream_count = 0;
	c->known = 0;
	c->payload = NULL;
	return c->choice && buf_space(&c->data, 1) ? 0 : -ENOMEM;
}

int columns_encode(struct columns *c, const struct buf *rows, bool hurry,
		   struct buf *to)
{
	struct writing w = {.c = c};
	size_t start = to->len;
	int err;

	c->packer.hurry = hurry;
	err = begin(c);
	if (!err)
		err = write_scan(&w, rows);
	if (!err)
		err = write_common(&w);
	if (!err)
		err = view_rows(&w);
	if (!err) {
		write_line(c, c->data.len); /* of the strings, put later */
		write_line(c, c->data.len);
		err = put_parts(&w);
	}
	if (!err)
		err = assemble(c, to);
	if (err)
		to->len = start;
	return err;
}
