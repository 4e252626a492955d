// SPDX-License-Identifier: BSD-2-Clause
/* schema_test.c - the table: lookups, what it refuses, its archive form. */
#include <errno.h>

#include "model.h"

/* ---- looking up ---------------------------------------------------------- */

static void kinds_and_fields_by_name(void **state)
{
	struct schema *s = model_schema();
	const struct schema_kind *k = schema_kind_by_name(s, "model_all");

	(void)state;
	assert_ptr_equal(k, schema_kind(s, EV_MODEL_ALL));
	assert_null(schema_kind_by_name(s, "model"));
	assert_null(schema_kind(s, 0));
	assert_null(schema_kind(s, 255));
	assert_null(schema_kind(s, 256));
	assert_null(schema_kind(s, UINT32_MAX));
	assert_string_equal(schema_field(k, "argv")->help, "the argv");
	assert_null(schema_field(k, "arg"));
	assert_int_equal(k->str_count, 2);
	assert_int_equal(schema_source_count(s), 2);
	assert_string_equal(schema_source(s, 1)->name, "disk");
	assert_null(schema_source(s, 2));
	assert_string_equal(schema_source_by_name(s, "model")->help,
			    "for tests");
	assert_null(schema_source_by_name(s, "nosuch"));
	schema_free(s);
	schema_free(NULL);
}

static void names_of_enums(void **state)
{
	int64_t v = 99;

	(void)state;
	assert_string_equal(enum_name(&model_colour, -1), "ultra");
	assert_string_equal(enum_name(&model_colour, 1), "green");
	assert_string_equal(enum_name(&model_colour, 7), "blue");
	assert_null(enum_name(&model_colour, 2));
	assert_null(enum_name(&model_colour, INT64_MIN));
	assert_null(enum_name(&model_colour, INT64_MAX));
	assert_int_equal(enum_value(&model_colour, "BLUE", 4, &v), 0);
	assert_int_equal(v, 7);
	assert_int_equal(enum_value(&model_colour, "ultraviolet", 5, &v), 0);
	assert_int_equal(v, -1);
	assert_int_equal(enum_value(&model_colour, "blu", 3, &v), -ENOENT);
	assert_int_equal(enum_value(&model_colour, "", 0, &v), -ENOENT);
}

static void names_of_meanings(void **state)
{
	enum meaning m;

	(void)state;
	for (m = MEANING_NONE + 1; m < MEANINGS; m++) {
		const char *name = meaning_name(m);

		assert_true(*name);
		assert_int_equal(meaning_by_name(name, strlen(name)), m);
	}
	assert_string_equal(meaning_name(MEANING_NONE), "");
	assert_string_equal(meaning_name(MEANINGS), "");
	assert_int_equal(meaning_by_name("", 0), MEANING_NONE);
	assert_int_equal(meaning_by_name("nsx", 3), MEANING_NONE);
}

/* ---- what is refused ----------------------------------------------------- */

static const struct {
	struct schema_field fields[2];
	const char *why;
} bad_fields[] = {
	{{{.name = "", .help = ""}}, "is no identifier"},
	{{{.name = "1st", .help = ""}}, "is no identifier"},
	{{{.name = "a b", .help = ""}}, "is no identifier"},
	{{ONE(ts, 24, 4, FIELD_UINT, 0)}, "every event has"},
	{{ONE(comm, 24, 4, FIELD_UINT, 0)}, "every event has"},
	{{ONE(marks, 24, 4, FIELD_UINT, 0)}, "every event has"},
	{{ONE(x, 24, 4, FIELD_UINT, 0), ONE(x, 28, 4, FIELD_UINT, 0)}, "twice"},
	{{ONE(x, 24, 4, FIELD_UINT, 0), ONE(y, 27, 4, FIELD_UINT, 0)},
	 "overlaps"},
	{{ONE(x, 28, 4, FIELD_UINT, 0), ONE(y, 24, 4, FIELD_UINT, 0)},
	 "overlaps"},
	{{ONE(x, 20, 4, FIELD_UINT, 0)}, "overlaps"},
	{{ONE(x, 38, 4, FIELD_UINT, 0)}, "outside"},
	{{ONE(x, 65535, 65535, FIELD_BYTES, 0)}, "outside"},
	{{ONE(x, 24, 3, FIELD_UINT, 0)}, "size"},
	{{ONE(x, 24, 0, FIELD_UINT, 0)}, "size"},
	{{ONE(x, 24, 16, FIELD_UINT, 0)}, "size"},
	{{NUMBER(x, 24, 8, 0, FIELD_UINT, 0)}, "size"},
	{{NUMBER(x, 24, 8, 3, FIELD_UINT, 0)}, "size"},
	{{NUMBER(x, 24, 8, 2, FIELD_CHARS, 0)}, "size"},
	{{ONE(x, 24, 0, FIELD_CHARS, 0)}, "size"},
	{{ONE(x, 24, 4, FIELD_STR, 0)}, "size"},
	{{ONE(x, 24, 8, FIELD_TYPES, 0)}, "size"},
	{{ONE(x, 24, 8, FIELD_BYTES, MEANING_IP)}, "meaning"},
	{{ONE(x, 24, 8, FIELD_UINT, MEANING_ARGV)}, "meaning"},
	{{ONE(x, 24, 8, FIELD_UINT, MEANING_ARGS)}, "meaning"},
	{{ONE(x, 24, 8, FIELD_STR, MEANING_NS)}, "meaning"},
	{{ONE(x, 24, 8, FIELD_UINT, MEANINGS)}, "meaning"},
	{{{.name = "x",
	   .help = "\033[31m",
	   .offset = 24,
	   .size = 4,
	   .count = 1}},
	 "clean line"},
	{{{.name = "x",
	   .help = "two\nlines",
	   .offset = 24,
	   .size = 4,
	   .count = 1}},
	 "clean line"},
	{{{.name = "x", .help = "\xff", .offset = 24, .size = 4, .count = 1}},
	 "clean line"},
	{{{.name = "x",
	   .help = "",
	   .offset = 24,
	   .size = 4,
	   .count = 1,
	   .type = FIELD_CHARS,
	   .names = &model_colour}},
	 "meaning"},
};

static void fields_that_are_refused(void **state)
{
	struct schema *s = model_schema();
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad_fields) / sizeof(*bad_fields); i++) {
		struct schema_kind k = {
			.name = "kind",
			.source = "model",
			.help = "",
			.text = "",
			.number = 9,
			.size = 40,
			.field_count = bad_fields[i].fields[1].name ? 2 : 1,
			.fields = bad_fields[i].fields,
		};
		const char *why = "";

		assert_int_equal(schema_add_kind(s, &k, &why), -EINVAL);
		if (!strstr(why, bad_fields[i].why))
			fail_msg("row %zu: %s", i, why);
		assert_null(schema_kind(s, 9));
	}
	schema_free(s);
}

#define KIND(called, of, line, human, nr, bytes)                               \
	{                                                                      \
		.name = called, .source = of, .help = line, .text = human,     \
		.number = nr, .size = bytes                                    \
	}

static void kinds_that_are_refused(void **state)
{
	static const struct {
		struct schema_kind kind;
		int err;
	} rows[] = {
		{KIND("ok", "model", "", "", 9, 24), 0},
		{KIND("", "model", "", "", 10, 24), -EINVAL},
		{KIND("a-b", "model", "", "", 10, 24), -EINVAL},
		{KIND("x", "nosuch", "", "", 10, 24), -EINVAL},
		{KIND("x", "model", "", "", 0, 24), -EINVAL},
		{KIND("x", "model", "", "", 256, 24), -EINVAL},
		{KIND("x", "model", "", "", 10, 23), -EINVAL},
		{KIND("x", "model", "a\nb", "", 10, 24), -EINVAL},
		{KIND("x", "model", "",
		      "\x9b"
		      "1m",
		      10, 24),
		 -EINVAL},
		{KIND("x", "model", "", "\xe2\x80\xae", 10, 24), -EINVAL},
		{{.name = "x",
		  .source = "model",
		  .help = "",
		  .text = "",
		  .number = 10,
		  .size = 24,
		  .field_count = SCHEMA_FIELDS_MAX + 1},
		 -EINVAL},
		{KIND("x", "model", "", "", 9, 24), -EEXIST},
		{KIND("ok", "model", "", "", 10, 24), -EEXIST},
	};
	struct schema *s = model_schema();
	const char *why;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		why = NULL;
		assert_int_equal(schema_add_kind(s, &rows[i].kind, &why),
				 rows[i].err);
		assert_true(!why == !rows[i].err);
		schema_add_kind(s, &rows[i].kind, NULL);
	}
	schema_free(s);
}

static void sources_that_are_refused(void **state)
{
	struct schema_source bad[] = {
		{"", ""},
		{"a b", ""},
		{"9", ""},
		{"x", "a\033b"},
	};
	struct schema_source model = {"model", ""};
	struct schema *s = model_schema();
	struct schema_source more;
	char name[16];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(schema_add_source(s, &bad[i]), -EINVAL);
	assert_int_equal(schema_add_source(s, &model), -EEXIST);
	more = (struct schema_source){name, ""};
	for (i = 2; i < SCHEMA_SOURCES_MAX; i++) {
		snprintf(name, sizeof(name), "s%zu", i);
		assert_int_equal(schema_add_source(s, &more), 0);
	}
	snprintf(name, sizeof(name), "last");
	assert_int_equal(schema_add_source(s, &more), -EINVAL);
	schema_free(s);
}

static void enums_are_kept_once(void **state)
{
	static const struct schema_enumerator twice[] = {{1, "a"}, {1, "b"}};
	static const struct schema_enumerator falling[] = {{2, "a"}, {1, "b"}};
	static const struct schema_enumerator dirty[] = {{1, "a\033"}};
	struct schema_enum bad[] = {
		{"e", 2, twice},
		{"e", 2, falling},
		{"e", 1, dirty},
		{"", 0, NULL},
	};
	const struct schema_enum *one, *two;
	struct schema *s = model_schema();
	size_t i;

	(void)state;
	assert_int_equal(schema_add_enum(s, &model_colour, &one), 0);
	assert_int_equal(schema_add_enum(s, &model_colour, &two), 0);
	assert_ptr_equal(one, two);
	assert_ptr_equal(one, schema_enum(s, 0));
	assert_int_equal(schema_enum_count(s), 1);
	assert_null(schema_enum(s, 1));
	for (i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(schema_add_enum(s, &bad[i], &one), -EINVAL);
	schema_free(s);
}

/* ---- the archive form ---------------------------------------------------- */

static void assert_same_field(const struct schema_field *a,
			      const struct schema_field *b)
{
	assert_string_equal(a->name, b->name);
	assert_string_equal(a->help, b->help);
	assert_int_equal(a->offset, b->offset);
	assert_int_equal(a->size, b->size);
	assert_int_equal(a->count, b->count);
	assert_int_equal(a->type, b->type);
	assert_int_equal(a->meaning, b->meaning);
	assert_true(!a->names == !b->names);
	if (a->names)
		assert_string_equal(a->names->name, b->names->name);
}

static void assert_same(const struct schema *a, const struct schema *b)
{
	unsigned i, j;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		const struct schema_kind *x = schema_kind(a, i);
		const struct schema_kind *y = schema_kind(b, i);

		assert_true(!x == !y);
		if (!x)
			continue;
		assert_string_equal(x->name, y->name);
		assert_string_equal(x->source, y->source);
		assert_string_equal(x->help, y->help);
		assert_string_equal(x->text, y->text);
		assert_int_equal(x->size, y->size);
		assert_int_equal(x->part_count, y->part_count);
		assert_int_equal(x->field_count, y->field_count);
		for (j = 0; j < x->field_count; j++)
			assert_same_field(&x->fields[j], &y->fields[j]);
	}
}

static void round_trip(const struct schema *s)
{
	struct buf once = {0}, again = {0};
	struct schema *copy;

	schema_encode(s, &once);
	assert_int_equal(schema_decode(&copy, once.data, once.len), 0);
	assert_same(s, copy);
	schema_encode(copy, &again);
	assert_int_equal(once.len, again.len);
	assert_memory_equal(once.data, again.data, once.len);
	schema_free(copy);
	buf_done(&once);
	buf_done(&again);
}

static void what_was_encoded_is_decoded(void **state)
{
	struct schema *s = model_schema_with("{plain}[ {text}]"), *empty, *real;

	(void)state;
	round_trip(s);
	schema_free(s);
	assert_int_equal(schema_new(&empty), 0);
	round_trip(empty);
	schema_free(empty);
	real = real_schema(NULL);
	if (real)
		round_trip(real);
	schema_free(real);
}

static void a_cut_encoding_is_damaged(void **state)
{
	struct schema *s = model_schema(), *copy = NULL;
	struct buf b = {0};
	size_t len;
	char *part;

	(void)state;
	schema_encode(s, &b);
	for (len = 0; len < b.len; len++) {
		/* of its own, so that ASan sees a read past the end */
		part = malloc(len + 1);
		memcpy(part, b.data, len);
		assert_int_equal(schema_decode(&copy, part, len), -EBADMSG);
		free(part);
	}
	buf_putc(&b, 0);
	assert_int_equal(schema_decode(&copy, b.data, b.len), -EBADMSG);
	assert_null(copy);
	buf_done(&b);
	schema_free(s);
}

static void flipped_bits_do_no_harm(void **state)
{
	static const uint8_t flips[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
	struct schema *s = model_schema(), *copy;
	size_t i, j, good = 0;
	struct buf b = {0};

	(void)state;
	schema_encode(s, &b);
	for (i = 0; i < b.len; i++) {
		for (j = 0; j < sizeof(flips); j++) {
			b.data[i] = (char)(b.data[i] ^ flips[j]);
			if (!schema_decode(&copy, b.data, b.len)) {
				round_trip(copy);
				schema_free(copy);
				good++;
			}
			b.data[i] = (char)(b.data[i] ^ flips[j]);
		}
	}
	/* a letter of a help text may change, a length may not */
	assert_in_range(good, 1, b.len * sizeof(flips) / 2);
	buf_done(&b);
	schema_free(s);
}

static void newer_encodings_say_so(void **state)
{
	struct schema *copy = NULL;

	(void)state;
	assert_int_equal(schema_decode(&copy, "\2rest", 5), -EPROTONOSUPPORT);
	assert_int_equal(schema_decode(&copy, "\0rest", 5), -EBADMSG);
	assert_int_equal(schema_decode(&copy, "", 0), -EBADMSG);
	assert_null(copy);
}

static void lengths_that_lie_cost_nothing(void **state)
{
#define BYTES(text)                                                            \
	{                                                                      \
		text, sizeof(text) - 1                                         \
	}
	static const struct {
		const char *data;
		size_t len;
	} rows[] = {
		BYTES("\1\xff\xff\xff\xff\x0f"),	/* 4 G sources */
		BYTES("\1\0\1\1e\xff\xff\xff\xff\x0f"), /* enumerators */
		BYTES("\1\0\0\xff\x7f"),		/* 16383 kinds */
		/* 64 bits, more than 64 bits, more than ten bytes */
		BYTES("\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01x"),
		BYTES("\1\1\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7fx"),
		BYTES("\1\1\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\1x"),
	};
	struct schema *copy = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		assert_int_equal(
			schema_decode(&copy, rows[i].data, rows[i].len),
			-EBADMSG);
}

/* A later meaning: shown as the number it is. */
static void unknown_meanings_are_plain_numbers(void **state)
{
	static const char later[] = "\1" /* version */
				    "\1"
				    "\1s"
				    "\0" /* one source */
				    "\0" /* no enums */
				    "\1"
				    "\11\40\0"
				    "\1k"
				    "\0"
				    "\0"
				    "\1"
				    "\30\10\1\0\177\0"
				    "\1f"
				    "\0";
	const struct schema_field *f;
	struct schema *s;

	(void)state;
	assert_int_equal(schema_decode(&s, later, sizeof(later) - 1), 0);
	f = schema_field(schema_kind_by_name(s, "k"), "f");
	assert_int_equal(f->offset, 24);
	assert_int_equal(f->meaning, MEANING_NONE);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(kinds_and_fields_by_name),
		cmocka_unit_test(names_of_enums),
		cmocka_unit_test(names_of_meanings),
		cmocka_unit_test(fields_that_are_refused),
		cmocka_unit_test(kinds_that_are_refused),
		cmocka_unit_test(sources_that_are_refused),
		cmocka_unit_test(enums_are_kept_once),
		cmocka_unit_test(what_was_encoded_is_decoded),
		cmocka_unit_test(a_cut_encoding_is_damaged),
		cmocka_unit_test(flipped_bits_do_no_harm),
		cmocka_unit_test(newer_encodings_say_so),
		cmocka_unit_test(lengths_that_lie_cost_nothing),
		cmocka_unit_test(unknown_meanings_are_plain_numbers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
