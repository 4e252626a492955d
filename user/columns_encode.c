// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define STREAMS_MIN 256

/* ---- streams ------------------------------------------------------------- */

static int more_streams(struct columns *c)
{
	uint32_t room = c->stream_room < STREAMS_MIN ? STREAMS_MIN
						     : 2 * c->stream_room;
	struct stream *s = realloc(c->stream, room * sizeof(*s));

	if (!s)
		return -ENOMEM;
	c->stream = s;
	c->stream_room = room;
	return 0;
}

/* There is room for one: begin() sees to it. */
struct stream *write_line(struct columns *c, size_t data_start)
{
	struct stream *s = &c->stream[c->stream_count];

	*s = (struct stream){.at = data_start, .len = c->data.len - data_start};
	if (c->stream_count + 1 < c->stream_room || !more_streams(c))
		return &c->stream[c->stream_count++];
	c->data.err = -ENOMEM; /* the next one takes this one's place */
	return s;
}

struct stream *write_stream(struct columns *c, const uint64_t *v, size_t n,
			    enum column_form wish, bool is_signed)
{
	struct column_head h = {.form = (uint8_t)wish};
	size_t start = c->data.len;
	struct stream *s;

	column_put(&c->packer, v, n, &h, is_signed, &c->data);
	s = write_line(c, start);
	s->head = h;
	return s;
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
		put_varint(to, c->part[i].group_count);
		for (k = 0; k < c->part[i].group_count; k++) {
			put_varint(to, c->part[i].group[k].key);
			put_varint(to, c->part[i].group[k].rows);
		}
	}
	put_streams(c, to);
}

/* ---- strings ------------------------------------------------------------- */

/* Their lengths, and all of their bytes, in the order of their places. */
static int list_strings(struct columns *c, const struct strings *s,
			uint64_t *len, struct buf *bytes)
{
	uint32_t i;

	buf_reset(bytes);
	for (i = 0; i < s->placed; i++) {
		const struct string_entry *e = strings_at(s, i);

		len[i] = e->len;
		buf_put(bytes, s->bytes.data + e->at, e->len);
	}
	c->head.strings = s->placed;
	c->head.string_bytes = bytes->len;
	return buf_err(bytes);
}

/* Into the places that the directory has for them. */
static int put_strings(struct columns *c, const struct strings *s)
{
	uint64_t *len = pool_alloc(&c->block, s->placed, sizeof(*len));
	struct column_head h = {.form = FORM_LOG};
	struct stream *line = &c->stream[COMMON_STR_LEN];
	struct buf *bytes = &c->trial;

	if (!len || list_strings(c, s, len, bytes))
		return -ENOMEM;
	buf_reset(&c->directory);
	column_put(&c->packer, len, s->placed, &h, false, &c->directory);
	line->head = h;
	line->len = c->directory.len;
	chunk_put(&c->packer, bytes->data, bytes->len, &c->directory);
	line[1].len = c->directory.len - line->len;
	return buf_err(&c->directory);
}

/* ---- all of it ----------------------------------------------------------- */

static int view_rows(struct writing *w)
{
	struct row_view *v = &w->c->view;

	v->count = w->n;
	v->ts = w->ts;
	v->task = w->task;
	v->run = w->run;
	v->cpu = w->cpu;
	v->last = pool_alloc(&w->c->block, v->tasks, sizeof(*v->last));
	return v->last ? 0 : -ENOMEM;
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
	c->group_count = 0;
	c->known = 0;
	c->payload = NULL;
	if (c->stream_room < STREAMS_MIN && more_streams(c))
		return -ENOMEM;
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
		err = write_order(&w);
	if (!err)
		err = write_common(&w);
	if (!err)
		err = view_rows(&w);
	if (!err) {
		write_line(c, c->data.len); /* of the strings, put later */
		write_line(c, c->data.len);
		err = write_parts(&w);
	}
	if (!err)
		err = write_context(&w);
	if (!err)
		err = put_strings(c, &c->strings);
	if (!err)
		err = assemble(c, to);
	if (err)
		to->len = start;
	return err;
}
