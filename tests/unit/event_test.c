// SPDX-License-Identifier: BSD-2-Clause
/* event_test.c - a record is checked once; after that no read leaves it. */
#include <errno.h>

#include "model.h"

static struct schema *schema;

static int setup(void **state)
{
	(void)state;
	schema = model_schema();
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_free(schema);
	return 0;
}

static void a_whole_record_is_taken(void **state)
{
	struct record r;
	struct event ev;

	(void)state;
	record_begin(&r, schema, "model_all");
	record_text(&r, "text", "hello");
	assert_int_equal(event_init(&ev, schema, r.data, 205), 0);
	assert_int_equal(ev.len, 205);
	assert_ptr_equal(ev.kind, schema_kind(schema, EV_MODEL_ALL));
	assert_null(ev.task);
	/* a mini-buffer's record may be longer than what it holds */
	assert_int_equal(event_init(&ev, schema, r.data, 256), 0);
	assert_int_equal(ev.len, 205);
}

static void every_shorter_record_is_refused(void **state)
{
	struct record r;
	struct event ev;
	size_t len;

	(void)state;
	record_begin(&r, schema, "model_all");
	record_text(&r, "text", "hello");
	for (len = 0; len < 205; len++)
		assert_int_equal(event_init(&ev, schema, r.data, len),
				 -EBADMSG);
	for (len = 0; len < 205; len++) {
		record_hdr(&r)->len = (uint16_t)len;
		assert_int_equal(event_init(&ev, schema, r.data, 205),
				 -EBADMSG);
	}
}

static void unknown_kinds_are_refused(void **state)
{
	struct record r;
	struct event ev;

	(void)state;
	record_begin(&r, schema, "model_all");
	record_hdr(&r)->kind = 0;
	assert_int_equal(event_init(&ev, schema, r.data, 256), -EBADMSG);
	record_hdr(&r)->kind = 99;
	assert_int_equal(event_init(&ev, schema, r.data, 256), -EBADMSG);
	record_hdr(&r)->kind = UINT16_MAX;
	assert_int_equal(event_init(&ev, schema, r.data, 256), -EBADMSG);
}

static void strings_must_lie_in_the_tail(void **state)
{
	static const struct {
		struct weir_str s;
		int err;
	} rows[] = {
		{{200, 10, 10}, 0},	     {{205, 5, 5}, 0},
		{{200, 11, 11}, -EBADMSG},   {{199, 1, 1}, -EBADMSG},
		{{0, 10, 10}, -EBADMSG},     {{210, 1, 1}, -EBADMSG},
		{{65535, 1, 1}, -EBADMSG},   {{65535, 65535, 9}, -EBADMSG},
		{{65535, 0, 0}, 0},	     {{0, 0, WEIR_STR_UNKNOWN}, 0},
		{{200, 65535, 1}, -EBADMSG},
	};
	struct record r;
	struct event ev;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		record_begin(&r, schema, "model_all");
		record_hdr(&r)->len = 210;
		record_bytes(&r, "argv", &rows[i].s, sizeof(rows[i].s));
		assert_int_equal(event_init(&ev, schema, r.data, 256),
				 rows[i].err);
	}
}

static void numbers_are_extended(void **state)
{
	struct record r;
	struct event ev;

	(void)state;
	record_begin(&r, schema, "model_all");
	record_set(&r, "negative", (uint32_t)-7);
	record_set(&r, "small", 0xfe);
	record_set(&r, "flag", 0xfe);
	record_set(&r, "plain", UINT32_MAX);
	record_set(&r, "ret", (uint64_t)-2);
	record_put(&r, "list", 2, 0xffff);
	ev = record_event(&r, schema);
	assert_true(field_s64(&ev, record_field(&r, "negative"), 0) == -7);
	assert_true(field_s64(&ev, record_field(&r, "small"), 0) == -2);
	assert_true(field_s64(&ev, record_field(&r, "flag"), 0) == 254);
	assert_true(field_s64(&ev, record_field(&r, "plain"), 0) == UINT32_MAX);
	assert_true(field_s64(&ev, record_field(&r, "ret"), 0) == -2);
	assert_true(field_u64(&ev, record_field(&r, "small"), 0) == 254);
	assert_true(field_s64(&ev, record_field(&r, "list"), 2) == 0xffff);
	assert_true(field_s64(&ev, record_field(&r, "list"), 3) == 0);
}

static void bytes_of_strings(void **state)
{
	struct field_bytes s;
	struct record r;
	struct event ev;

	(void)state;
	record_begin(&r, schema, "model_all");
	record_bytes(&r, "chars", "abc\0def", 7);
	record_bytes(&r, "raw", "\0\1\2\3", 4);
	record_str(&r, "text", "hello", 5, 9);
	record_str(&r, "argv", "", 0, WEIR_STR_UNKNOWN);
	ev = record_event(&r, schema);
	s = field_bytes(&ev, record_field(&r, "chars"));
	assert_int_equal(s.len, 3);
	assert_int_equal(s.full, 3);
	s = field_bytes(&ev, record_field(&r, "raw"));
	assert_int_equal(s.len, 4);
	s = field_bytes(&ev, record_field(&r, "text"));
	assert_int_equal(s.len, 5);
	assert_int_equal(s.full, 9);
	assert_memory_equal(s.data, "hello", 5);
	s = field_bytes(&ev, record_field(&r, "argv"));
	assert_int_equal(s.len, 0);
	assert_int_equal(s.full, WEIR_STR_UNKNOWN);
}

static void what_is_empty(void **state)
{
	struct record r;
	struct event ev;
	size_t i;

	(void)state;
	record_begin(&r, schema, "model_all");
	ev = record_event(&r, schema);
	for (i = 0; i < MODEL_FIELDS; i++)
		assert_true(field_is_empty(&ev, &ev.kind->fields[i]));
	record_put(&r, "list", 3, 1);
	record_bytes(&r, "addr", "\0\0\0\1", 4);
	record_bytes(&r, "chars", "x", 1);
	record_text(&r, "text", "x");
	record_set(&r, "small", 0x80);
	assert_false(field_is_empty(&ev, record_field(&r, "list")));
	assert_false(field_is_empty(&ev, record_field(&r, "addr")));
	assert_false(field_is_empty(&ev, record_field(&r, "chars")));
	assert_false(field_is_empty(&ev, record_field(&r, "text")));
	assert_false(field_is_empty(&ev, record_field(&r, "small")));
}

static void bound_fields_are_optional(void **state)
{
	struct bound latency, disk, absent, small;
	struct record r;
	struct event ev;

	(void)state;
	assert_true(bound_init(&latency, schema, "model_disk", "latency"));
	assert_true(bound_init(&disk, schema, "model_disk", "disk"));
	assert_true(bound_init(&small, schema, "model_all", "small"));
	assert_false(bound_init(&absent, schema, "model_disk", "nosuch"));
	assert_false(bound_init(&absent, schema, "nosuch", "latency"));
	record_begin(&r, schema, "model_disk");
	record_set(&r, "latency", 77);
	record_bytes(&r, "disk", "vda", 3);
	ev = record_event(&r, schema);
	assert_int_equal(bound_u64(&latency, &ev, 5), 77);
	assert_int_equal(bound_u64(&absent, &ev, 5), 5);
	assert_int_equal(bound_u64(&disk, &ev, 5), 5);
	assert_int_equal(bound_bytes(&disk, &ev).len, 3);
	assert_int_equal(bound_bytes(&latency, &ev).len, 0);
	assert_int_equal(bound_bytes(&absent, &ev).len, 0);
	/* an event of another kind */
	record_begin(&r, schema, "model_all");
	record_set(&r, "small", 0xff);
	ev = record_event(&r, schema);
	assert_int_equal(bound_u64(&latency, &ev, 5), 5);
	assert_int_equal(bound_bytes(&disk, &ev).len, 0);
	assert_true(bound_u64(&small, &ev, 5) == UINT64_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_whole_record_is_taken),
		cmocka_unit_test(every_shorter_record_is_refused),
		cmocka_unit_test(unknown_kinds_are_refused),
		cmocka_unit_test(strings_must_lie_in_the_tail),
		cmocka_unit_test(numbers_are_extended),
		cmocka_unit_test(bytes_of_strings),
		cmocka_unit_test(what_is_empty),
		cmocka_unit_test(bound_fields_are_optional),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
