// SPDX-License-Identifier: BSD-2-Clause
/* Columns: what goes in comes out, to the byte and in order, whatever it is. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>

#include "../../user/block.h"
#include "../../user/columns.h"
#include "../../user/source.h"
#include "columns_rows.h"

#define ROWS_MAX     (80U << 20)
#define DAMAGED_ROWS 60

/* ---- round trips --------------------------------------------------------- */

static void check(struct columns *c, const struct buf *rows, bool hurry)
{
	struct buf packed = {0}, back = {0};

	assert_int_equal(columns_encode(c, rows, hurry, &packed), 0);
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	assert_int_equal(columns_decode(c, &back, rows->len), 0);
	assert_int_equal(back.len, rows->len);
	assert_memory_equal(back.data, rows->data, rows->len);
	/* one byte less is too little room */
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	assert_int_equal(columns_decode(c, &back, rows->len - 1), -EBADMSG);
	buf_done(&packed);
	buf_done(&back);
}

static void check_schema(struct schema *s)
{
	static const uint32_t counts[] = {1, 2, 31, 500, 5000, 40000};
	static const struct load loads[] = {
		{0, 0, 2000}, {50, 0, 2000}, {0, 30, 2000},
		{9, 9, 3},    {1, 0, 100},   {0, 2, 1000000},
	};
	struct buf rows = {0};
	struct columns *c;
	size_t i, k;

	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		for (k = 0; k < sizeof(loads) / sizeof(*loads); k++) {
			fill(&rows, s, counts[i], &loads[k]);
			check(c, &rows, k % 2);
		}
	}
	buf_done(&rows);
	columns_free(c);
	schema_free(s);
}

static void anything_comes_back(void **state)
{
	(void)state;
	check_schema(grouped_schema());
}

static void real_kinds_come_back(void **state)
{
	struct sources_options o = {0};
	struct buf bytes = {0};
	struct sources *all;
	struct schema *s;
	char why[256];

	(void)state;
	assert_int_equal(sources_open(&all, &o, why, sizeof(why)), 0);
	schema_encode(sources_schema(all), &bytes);
	assert_int_equal(schema_decode(&s, bytes.data, bytes.len), 0);
	buf_done(&bytes);
	sources_free(all);
	check_schema(s);
}

/* What the predictors are for, so that each is taken by some column. */
static void put_call(struct buf *rows, const struct schema *s, uint32_t i)
{
	static struct record r;
	uint32_t call = i % 7 ? chance() % 4 : chance() % 10;
	uint64_t queued = chance() % 100000, service = chance() % 1000;

	record_begin(&r, s, "calls");
	record_hdr(&r)->ts += i * 1000 + chance() % 500;
	record_hdr(&r)->cpu = (uint16_t)(i / 50 % 2);
	record_hdr(&r)->tid += i / 10 % 3;
	record_set(&r, "name", call);
	record_put(&r, "args", 0, 3 + call);
	record_put(&r, "args", 1, 0x7f0000000000 + record_hdr(&r)->tid * 4096);
	record_put(&r, "args", 2, chance() % 60000);
	record_put(&r, "args", 3, i);
	record_put(&r, "args", 4, chance() % 200 * 0x10001000100ULL);
	record_set(&r, "ret", call % 2 ? -(chance() % 4) : chance() % 60000);
	if (call == 2)
		memcpy(r.data + 80, r.data + 32 + 16, 8);
	record_set(&r, "queued", queued);
	record_set(&r, "service", service);
	record_set(&r, "latency", queued + service);
	if (call == 2) {
		char path[64];

		snprintf(path, sizeof(path), "/some/where/%u", i);
		record_text(&r, "path", path);
		record_text(&r, "file", path);
	}
	put_row(rows, r.data, record_hdr(&r)->len);
}

static void used(const struct columns *c, const char *form,
		 const char *predictor)
{
	struct columns_stream st;
	uint32_t i;

	for (i = 0; columns_stream(c, i, &st); i++)
		if (form ? !strcmp(st.form, form)
			 : !strcmp(st.predictor, predictor))
			return;
	fail_msg("no column is %s", form ? form : predictor);
}

static void each_form_finds_its_column(void **state)
{
	struct schema *s = grouped_schema();
	struct buf rows = {0}, packed = {0};
	struct columns *c;
	uint32_t i;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < 20000; i++)
		put_call(&rows, s, i);
	check(c, &rows, false);
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	assert_true(packed.len < rows.len / 8);
	used(c, "const", NULL);
	used(c, "planes", NULL);
	used(c, "log", NULL);
	used(c, "dict", NULL);
	used(c, NULL, "last");
	used(c, NULL, "column");
	used(c, NULL, "sum");
	used(c, NULL, "new");
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

static void all_rows_of_a_kind_may_be_of_groups(void **state)
{
	struct columns_group rest = {.rows = 1};
	struct schema *s = grouped_schema();
	struct buf rows = {0};
	struct columns *c;
	struct record r;
	uint32_t i;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < 4000; i++) {
		record_begin(&r, s, "calls");
		record_hdr(&r)->ts += i;
		record_set(&r, "name", i % 2);
		record_set(&r, "ret", chance());
		put_row(&rows, r.data, record_hdr(&r)->len);
	}
	check(c, &rows, false);
	assert_int_equal(columns_group(c, EV_CALLS, 2, &rest), 3);
	assert_true(rest.is_rest);
	assert_int_equal(rest.rows, 0);
	buf_done(&rows);
	columns_free(c);
	schema_free(s);
}

static void equal_times_keep_their_order(void **state)
{
	static const struct load same = {0, 0, 1};
	struct schema *s = grouped_schema();
	struct buf rows = {0};
	struct columns *c;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	fill(&rows, s, 65536, &same);
	check(c, &rows, false);
	buf_done(&rows);
	columns_free(c);
	schema_free(s);
}

static void what_is_no_block_is_refused(void **state)
{
	static const uint64_t junk[8];
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns *c;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	assert_int_equal(columns_encode(c, &rows, false, &packed), -E2BIG);
	buf_put(&rows, junk, sizeof(junk));
	assert_int_equal(columns_encode(c, &rows, false, &packed), -E2BIG);
	assert_int_equal(packed.len, 0);
	assert_int_equal(columns_open(c, junk, 0), -EBADMSG);
	assert_int_equal(columns_open(c, junk, 8), -EPROTONOSUPPORT);
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

/* ---- frames -------------------------------------------------------------- */

static void check_frame(struct block_codec *c, const struct block *b,
			uint32_t encoding)
{
	struct buf payload = {0};
	struct block back = {0};
	struct frame f = {0};

	assert_int_equal(block_encode(c, b, &f, &payload), 0);
	assert_int_equal(f.encoding, encoding);
	assert_int_equal(block_decode(c, &f, &payload, &back), 0);
	assert_int_equal(back.rows.len, b->rows.len);
	assert_memory_equal(back.rows.data, b->rows.data, b->rows.len);
	assert_int_equal(back.events, b->events);
	f.raw_len += 8;
	assert_int_equal(block_decode(c, &f, &payload, &back), -EBADMSG);
	buf_done(&payload), block_done(&back);
}

static void frames_of_few_events_are_rows(void **state)
{
	struct schema *s = grouped_schema();
	struct block_codec *c;
	struct buf rows = {0};
	struct block b;
	uint32_t i;

	(void)state;
	assert_int_equal(block_init(&b), 0);
	assert_int_equal(block_codec_new(&c), 0);
	for (i = 0; i < 3000; i++)
		put_call(&rows, s, i);
	block_add(&b, (const struct weir_hdr *)rows.data);
	check_frame(c, &b, FRAME_ZSTD);
	assert_int_equal(block_codec_schema(c, s), 0);
	check_frame(c, &b, FRAME_ZSTD);
	block_reset(&b);
	for (i = 0; i < rows.len;
	     i += (((struct weir_hdr *)(rows.data + i))->len + 7U) & ~7U)
		block_add(&b, (const struct weir_hdr *)(rows.data + i));
	check_frame(c, &b, FRAME_COLUMNS);
	buf_done(&rows), block_done(&b);
	block_codec_free(c);
	schema_free(s);
}

/* ---- damage -------------------------------------------------------------- */

/* Any error will do, and so will other rows; a crash will not. */
static void try_to_read(struct columns *c, const void *data, size_t len)
{
	uint8_t *exact = malloc(len + !len); /* so that ASan sees its end */
	struct buf back = {0};

	memcpy(exact, data, len);
	if (!columns_open(c, exact, len) && !columns_decode(c, &back, ROWS_MAX))
		assert_true(back.len <= ROWS_MAX);
	buf_done(&back);
	free(exact);
}

static void damage_is_no_crash(void **state)
{
	static const struct load plain = {20, 20, 2000};
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns *c;
	size_t i;
	int bit;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	fill(&rows, s, DAMAGED_ROWS, &plain);
	for (i = 0; i < DAMAGED_ROWS; i++)
		put_call(&rows, s, (uint32_t)i);
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	for (i = 0; i < packed.len; i++)
		try_to_read(c, packed.data, i);
	for (i = 0; i < packed.len; i++) {
		for (bit = 0; bit < 8; bit += 1 + (i > 100) * 2) {
			packed.data[i] ^= (char)(1 << bit);
			try_to_read(c, packed.data, packed.len);
			packed.data[i] ^= (char)(1 << bit);
		}
	}
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anything_comes_back),
		cmocka_unit_test(real_kinds_come_back),
		cmocka_unit_test(each_form_finds_its_column),
		cmocka_unit_test(all_rows_of_a_kind_may_be_of_groups),
		cmocka_unit_test(equal_times_keep_their_order),
		cmocka_unit_test(what_is_no_block_is_refused),
		cmocka_unit_test(frames_of_few_events_are_rows),
		cmocka_unit_test(damage_is_no_crash),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
