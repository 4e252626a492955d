// SPDX-License-Identifier: BSD-2-Clause
/*
 * schema_fuzz.c - a table from anywhere, and records that obey it.
 *
 * What is decoded must encode to bytes that decode to the same; and every
 * record that event_init() takes must be rendered without a read outside it
 * and without a byte that acts on a terminal.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/event.h"
#include "../../user/render.h"

#define TAIL 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "schema_fuzz: %s\n", what);
	abort();
}

static void check_encoding(const struct schema *s)
{
	struct buf once = {0}, again = {0};
	struct schema *copy;

	schema_encode(s, &once);
	must(!schema_decode(&copy, once.data, once.len), "decodes");
	schema_encode(copy, &again);
	must(once.len == again.len && !memcmp(once.data, again.data, once.len),
	     "is the same again");
	schema_free(copy);
	buf_done(&once);
	buf_done(&again);
}

static void check_lines(const struct buf *b)
{
	size_t i;

	for (i = 0; i < b->len; i++) {
		uint8_t c = (uint8_t)b->data[i];

		must(c == '\n' || (c >= 0x20 && c != 0x7f), "is drawn");
	}
}

static void check_event(const struct schema *s, const struct event *ev)
{
	struct render r = {.schema = s, .wall_offset = 1, .utc = true};
	bool kinds[SCHEMA_KINDS_MAX] = {false};
	struct buf b = {0};
	struct csv *csv;

	kinds[ev->kind->number] = true;
	must(!csv_new(&csv, s, kinds), "csv_new");
	render_csv_head(&b, csv);
	render_csv(&b, csv, &r, ev);
	render_text(&b, &r, ev);
	render_json(&b, &r, ev);
	check_lines(&b);
	csv_free(csv);
	buf_done(&b);
}

/* Where the strings are: once as the input says, once inside the tail. */
static void put_strings(uint8_t *rec, const struct schema_kind *k)
{
	struct weir_str str = {.len = TAIL / 2, .full = TAIL};
	unsigned i;

	for (i = 0; i < k->field_count; i++) {
		if (k->fields[i].type != FIELD_STR)
			continue;
		str.off = (uint16_t)(k->size + i % (TAIL / 2));
		memcpy(rec + k->fields[i].offset, &str, sizeof(str));
	}
}

static void check_kind(const struct schema *s, const struct schema_kind *k,
		       const uint8_t *data, size_t size)
{
	size_t len = (size_t)k->size + TAIL, i;
	struct weir_hdr *h;
	uint8_t *rec;
	struct event ev;

	if (len > UINT16_MAX)
		return;
	rec = malloc(len);
	must(rec != NULL, "malloc");
	for (i = 0; i < len; i++)
		rec[i] = data[i % size];
	h = (struct weir_hdr *)rec;
	h->kind = k->number;
	h->len = (uint16_t)len;
	if (!event_init(&ev, s, rec, len))
		check_event(s, &ev);
	put_strings(rec, k);
	must(!event_init(&ev, s, rec, len), "event_init");
	check_event(s, &ev);
	free(rec);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct schema *s;
	unsigned i;

	if (schema_decode(&s, data, size))
		return 0;
	check_encoding(s);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(s, i))
			check_kind(s, schema_kind(s, i), data, size);
	schema_free(s);
	return 0;
}
