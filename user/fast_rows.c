// SPDX-License-Identifier: BSD-2-Clause
#include "fast_rows.h"

#include <errno.h>
#include <string.h>

#define ROW_ALIGN 8

static bool is_array(const struct schema_field *f)
{
	return f->type <= FIELD_INT && f->count <= FAST_ELEMENTS;
}

static int open_field(struct fast_rows *r, unsigned i)
{
	const struct schema_field *f = &r->kind->fields[i];
	unsigned e, n = is_array(f) ? f->count : 1;
	struct columns *c = r->block->columns;
	int err = 0;

	for (e = 0; e < n && !err; e++)
		err = columns_group_u64(c, r->kind->number, r->group, i, e,
					&r->v[i][e]);
	if (!err && f->type == FIELD_STR)
		err = columns_group_u64(c, r->kind->number, r->group, i,
					COLUMNS_MORE, &r->more[i]);
	return err;
}

static int open_common(struct fast_rows *r)
{
	struct fast_block *b = r->block;
	uint32_t strings;
	int err = fast_block_turns(b);

	if (!err)
		err = columns_kind_times(b->columns, r->kind->number, &r->ts);
	if (!err)
		err = columns_strings(b->columns, &strings);
	if (!err)
		err = columns_group_rows(b->columns, r->kind->number, r->group,
					 &r->row);
	if (!err)
		err = columns_group_u64(b->columns, r->kind->number, r->group,
					COLUMNS_FLAGS, 0, &r->flags);
	return err;
}

int fast_rows_open(struct fast_rows *r, struct fast_block *b,
		   const struct schema_kind *k, uint32_t group,
		   const bool *fields)
{
	struct columns_group g;
	unsigned i;
	int err;

	memset(r, 0, sizeof(*r));
	if (columns_group(b->columns, k->number, group, &g) <= group)
		return -ENOENT;
	r->block = b;
	r->kind = k;
	r->group = group;
	r->count = g.rows;
	err = open_common(r);
	for (i = 0; i < k->field_count && !err; i++)
		if (!fields || fields[i])
			err = open_field(r, i);
	return err;
}

static void put_numbers(const struct fast_rows *r, unsigned i, uint32_t at,
			char *to)
{
	const struct schema_field *f = &r->kind->fields[i];
	unsigned size = f->size / f->count, e;

	for (e = 0; e < f->count; e++)
		memcpy(to + f->offset + e * size, &r->v[i][e][at], size);
}

static void put_bytes(const struct fast_rows *r, unsigned i, uint32_t at,
		      char *to)
{
	const struct schema_field *f = &r->kind->fields[i];
	uint32_t len;
	const char *p = columns_string(r->block->columns,
				       (uint32_t)r->v[i][0][at], &len);

	memcpy(to + f->offset, p, len < f->size ? len : f->size);
}

/* Return: the length the record has with it. */
static size_t put_string(const struct fast_rows *r, unsigned i, uint32_t at,
			 size_t start, size_t len, struct buf *to)
{
	const struct schema_field *f = &r->kind->fields[i];
	uint32_t n;
	const char *p = columns_string(r->block->columns,
				       (uint32_t)r->v[i][0][at], &n);
	struct weir_str s = {
		.off = (uint16_t)len,
		.len = (uint16_t)n,
		.full = n + (uint32_t)r->more[i][at],
	};

	buf_put(to, p, n);
	if (!buf_err(to))
		memcpy(to->data + start + f->offset, &s, sizeof(s));
	return len + n;
}

static void put_head(struct fast_rows *r, uint32_t at, size_t len, char *to)
{
	const struct fast_block *b = r->block;
	const struct columns_turn *t;
	struct weir_hdr h;

	r->turn = fast_block_turn(b, r->row[at], r->turn);
	t = &b->turn[r->turn];
	h = (struct weir_hdr){
		.ts = r->ts[r->row[at]],
		.kind = r->kind->number,
		.cpu = (uint16_t)t->cpu,
		.len = (uint16_t)len,
		.flags = (uint16_t)r->flags[at],
		.pid = t->pid,
		.tid = t->tid,
	};

	if (b->at.state)
		h.flags |= WEIR_F_CONTEXT;
	memcpy(to, &h, sizeof(h));
}

size_t fast_rows_put(struct fast_rows *r, uint32_t i, struct buf *to)
{
	static const char zeros[ROW_ALIGN];
	size_t start = to->len, len = r->kind->size;
	char *rec = buf_space(to, len);
	unsigned f;

	if (!rec)
		return 0;
	memset(rec, 0, len);
	to->len += len;
	for (f = 0; f < r->kind->field_count; f++) {
		if (!r->v[f][0])
			continue;
		if (r->kind->fields[f].type == FIELD_STR)
			len = put_string(r, f, i, start, len, to);
		else if (is_array(&r->kind->fields[f]))
			put_numbers(r, f, i, to->data + start);
		else
			put_bytes(r, f, i, to->data + start);
	}
	if (!buf_err(to))
		put_head(r, i, len, to->data + start);
	buf_put(to, zeros, -to->len & (ROW_ALIGN - 1));
	return start;
}
