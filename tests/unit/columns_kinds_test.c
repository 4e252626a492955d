// SPDX-License-Identifier: BSD-2-Clause
/* Columns, some kinds only: the rows of them that a block has, and no others.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>

#include "../../user/block.h"
#include "../../user/columns.h"
#include "columns_rows.h"

struct test {
	struct schema *schema;
	struct columns *columns;
	struct buf rows, packed, some, places;
	bool kinds[SCHEMA_KINDS_MAX];
};

static void begin(struct test *t)
{
	*t = (struct test){.schema = grouped_schema()};
	assert_int_equal(columns_new(&t->columns, t->schema), 0);
}

static void end(struct test *t)
{
	buf_done(&t->rows), buf_done(&t->packed);
	buf_done(&t->some), buf_done(&t->places);
	columns_free(t->columns);
	schema_free(t->schema);
}

static void pack(struct test *t, uint32_t count, const struct load *l)
{
	fill(&t->rows, t->schema, count, l);
	buf_reset(&t->packed);
	assert_int_equal(
		columns_encode(t->columns, &t->rows, false, &t->packed), 0);
}

static int decode(struct test *t, size_t max)
{
	assert_int_equal(
		columns_open(t->columns, t->packed.data, t->packed.len), 0);
	return columns_decode_kinds(t->columns, t->kinds, &t->some, &t->places,
				    max);
}

/* Each kind of the schema with a chance of one half. */
static void choose(struct test *t)
{
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		t->kinds[i] = chance() % 2;
}

static bool is_chosen(const struct test *t, const struct weir_hdr *h)
{
	return h->kind < SCHEMA_KINDS_MAX && t->kinds[h->kind];
}

/*
 * Walk both: what was decoded is in the full rows where its place says, and
 * what is chosen there was decoded. Return: rows decoded though not chosen.
 */
static uint32_t check(struct test *t)
{
	const uint32_t *place = (const uint32_t *)t->places.data;
	struct block all = {.rows = t->rows}, some = {.rows = t->some};
	size_t at = 0, at_some = 0, i, n = t->places.len / sizeof(*place);
	uint32_t others = 0, next = 0;
	struct weir_hdr *h, *it;

	for (i = 0; (h = block_next(&all, &at)); i++) {
		if (next == n || place[next] != i) {
			assert_false(is_chosen(t, h));
			continue;
		}
		next++;
		it = block_next(&some, &at_some);
		assert_non_null(it);
		assert_int_equal(it->len, h->len);
		/* and the zeros behind */
		assert_memory_equal(it, h, (h->len + 7U) & ~7U);
		others += !is_chosen(t, h);
	}
	assert_int_equal(next, n);
	assert_int_equal(at_some, t->some.len);
	return others;
}

/* Those that are found without the others. */
static void choose_context(struct test *t)
{
	memset(t->kinds, 0, sizeof(t->kinds));
	t->kinds[EV_TASK] = true;
}

static void check_load(struct test *t, uint32_t count, const struct load *l)
{
	pack(t, count, l);
	choose_context(t);
	assert_int_equal(decode(t, t->rows.len), 0);
	assert_in_range(check(t), 0, columns_kind_rows(t->columns, 0));
	choose(t);
	assert_int_equal(decode(t, t->rows.len), 0);
	assert_in_range(check(t), 0, columns_kind_rows(t->columns, 0));
	if (!t->some.len)
		return;
	/* one byte less than they take is too little room */
	assert_int_equal(decode(t, t->some.len - 1), -EBADMSG);
}

static void some_kinds_are_what_all_have_of_them(void **state)
{
	static const uint32_t counts[] = {1, 2, 31, 500, 5000, 40000};
	static const struct load loads[] = {
		{0, 0, 2000}, {50, 0, 2000}, {0, 30, 2000},
		{9, 9, 3},    {1, 0, 100},   {0, 2, 1000000},
	};
	struct test t;
	size_t i, k;

	(void)state;
	begin(&t);
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++)
		for (k = 0; k < sizeof(loads) / sizeof(*loads); k++)
			check_load(&t, counts[i], &loads[k]);
	end(&t);
}

static void records_kept_whole_come_whatever_is_asked_for(void **state)
{
	static const struct load odd = {9, 0, 2000};
	struct test t;

	(void)state;
	begin(&t);
	pack(&t, 5000, &odd);
	assert_int_equal(decode(&t, t.rows.len), 0);
	assert_int_not_equal(columns_kind_rows(t.columns, 0), 0);
	assert_int_equal(check(&t), columns_kind_rows(t.columns, 0));
	end(&t);
}

static void kinds_that_are_not_there_have_no_rows(void **state)
{
	static const struct load plain = {0, 0, 2000};
	struct test t;

	(void)state;
	begin(&t);
	pack(&t, 500, &plain);
	assert_int_equal(decode(&t, t.rows.len), 0);
	assert_int_equal(t.some.len, 0);
	assert_int_equal(t.places.len, 0);
	end(&t);
}

/* ---- frames -------------------------------------------------------------- */

static void fill_block(struct block *b, const struct buf *rows)
{
	struct block from = {.rows = *rows};
	struct weir_hdr *h;
	size_t at = 0;

	block_reset(b);
	while ((h = block_next(&from, &at)))
		block_add(b, h);
}

static void check_places(const struct block *some, const struct buf *rows)
{
	struct block all = {.rows = *rows};
	size_t at = 0, at_some = 0;
	struct weir_hdr *h, *it;
	uint32_t i, k;

	for (i = k = 0; k < some->events; i++) {
		h = block_next(&all, &at);
		assert_non_null(h);
		if (i != block_place(some, k))
			continue;
		k++;
		it = block_next(some, &at_some);
		assert_non_null(it);
		assert_memory_equal(it, h, h->len);
	}
	assert_int_equal(at_some, some->rows.len);
}

static void check_frame(struct test *t, uint32_t count, uint32_t encoding)
{
	static const struct load plain = {0, 30, 2000};
	struct buf payload = {0};
	struct block b, some = {0};
	struct block_codec *c;
	struct frame f = {0};

	assert_int_equal(block_init(&b), 0);
	assert_int_equal(block_codec_new(&c), 0);
	assert_int_equal(block_codec_schema(c, t->schema), 0);
	pack(t, count, &plain);
	fill_block(&b, &t->rows);
	assert_int_equal(block_encode(c, &b, &f, &payload), 0);
	assert_int_equal(f.encoding, encoding);
	assert_int_equal(block_decode_kinds(c, &f, &payload, t->kinds, &some),
			 0);
	if (encoding == FRAME_COLUMNS)
		assert_in_range(some.events, 1, count - 1);
	else
		assert_int_equal(some.events, count);
	check_places(&some, &t->rows);
	f.events++;
	assert_int_equal(block_decode_kinds(c, &f, &payload, t->kinds, &some),
			 encoding == FRAME_COLUMNS ? -EBADMSG : 0);
	buf_done(&payload), block_done(&b), block_done(&some);
	block_codec_free(c);
}

static void a_frame_tells_where_its_rows_stand(void **state)
{
	struct test t;

	(void)state;
	begin(&t);
	t.kinds[EV_CALLS] = true;
	check_frame(&t, 5000, FRAME_COLUMNS);
	check_frame(&t, 5, FRAME_ZSTD);
	end(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(some_kinds_are_what_all_have_of_them),
		cmocka_unit_test(records_kept_whole_come_whatever_is_asked_for),
		cmocka_unit_test(kinds_that_are_not_there_have_no_rows),
		cmocka_unit_test(a_frame_tells_where_its_rows_stand),
	};

	return cmocka_run_group_tests_name("columns_kinds", tests, NULL, NULL);
}
