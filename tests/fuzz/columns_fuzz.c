// SPDX-License-Identifier: BSD-2-Clause
/*
 * columns_fuzz.c - a columnar block from anywhere
 *
 * Input: the length of the head (2 bytes, little-endian), the head as it is
 * before it is packed, the streams; so that a mutation reaches what the head
 * says. What decodes is encoded again and must come back the same.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/columns.h"
#include "../../user/columns_chunk.h"
#include "../unit/model_schema.h"

#define ROWS_MAX (8U << 20)
#define EV_KEYED 9

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct schema *schema(void)
{
	static const char *const names[] = {"a", "b", "c", "d",
					    "e", "f", "g", "h"};
	struct schema_field f[] = {
		ONE(name, 24, 4, FIELD_UINT, MEANING_NONE),
		ONE(until, 32, 8, FIELD_UINT, MEANING_TIME),
		ONE(path, 40, 8, FIELD_STR, MEANING_NONE),
	};
	struct schema_source task = {"task", "its rows are told of"};
	struct schema_enumerator v[8];
	struct schema_enum e = {"weir_key", 8, v};
	struct schema *s = model_schema();
	int i;

	for (i = 0; i < 8; i++)
		v[i] = (struct schema_enumerator){i, names[i]};
	model_must(!schema_add_enum(s, &e, &f[0].names), "enum");
	model_must(!schema_add_source(s, &task), "task");
	model_add(s, EV_KEYED, "task", "keyed", "", 48, f, 3);
	return s;
}

static void make_payload(struct buf *b, const uint8_t *data, size_t size)
{
	size_t head = (size_t)data[0] | (size_t)data[1] << 8;

	data += 2;
	size -= 2;
	if (head > size)
		head = size;
	buf_putc(b, 1);
	put_varint(b, head);
	put_varint(b, (uint64_t)head << 3 | CHUNK_STORED);
	buf_put(b, data, size);
}

static void must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "columns_fuzz: %s\n", what);
	abort();
}

/* Rows that a file told of may be no records, or too many for us. */
static void check_again(struct columns *c, const struct buf *rows)
{
	struct buf packed = {0}, back = {0};

	if (!columns_encode(c, rows, false, &packed)) {
		must(!columns_open(c, packed.data, packed.len), "opens");
		must(!columns_decode(c, &back, rows->len), "decodes");
		must(back.len == rows->len &&
			     !memcmp(back.data, rows->data, rows->len),
		     "is the same again");
	}
	buf_done(&packed);
	buf_done(&back);
}

/* Some kinds decode wherever all do, and take no more room. */
static void check_kinds(struct columns *c, const struct buf *payload,
			size_t len)
{
	const bool kinds[SCHEMA_KINDS_MAX] = {[EV_KEYED] = true};
	struct buf rows = {0}, places = {0};

	must(!columns_open(c, payload->data, payload->len), "opens again");
	must(!columns_decode_kinds(c, kinds, &rows, &places, len),
	     "some kinds decode");
	must(rows.len <= len, "some kinds are not more than all");
	buf_done(&rows);
	buf_done(&places);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf payload = {0}, rows = {0};
	static struct columns *c;
	struct schema *s;

	if (!c) {
		s = schema();
		must(!columns_new(&c, s), "columns_new");
		schema_free(s);
	}
	if (size < 2)
		return 0;
	make_payload(&payload, data, size);
	if (!columns_open(c, payload.data, payload.len) &&
	    !columns_decode(c, &rows, ROWS_MAX)) {
		check_kinds(c, &payload, rows.len);
		check_again(c, &rows);
	}
	buf_done(&payload);
	buf_done(&rows);
	return 0;
}
