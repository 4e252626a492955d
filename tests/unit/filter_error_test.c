// SPDX-License-Identifier: BSD-2-Clause
/* filter_error_test.c - what is wrong with an expression, and where. */
#include <errno.h>

#include "../../user/filter.h"
#include "model.h"

#define WALL 1795356195000000000LL

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

static const struct {
	const char *expr;
	size_t at;
	const char *what; /* a part of it */
} errors[] = {
	{"", 0, "empty"},
	{"   ", 0, "empty"},
	{"plain ==", 8, "value is missing before the end"},
	{"plain == and", 9, "'and' is no number"},
	{"plain == )", 9, "value is missing before ')'"},
	{"== 5", 0, "name is missing before '=='"},
	{"42 == plain", 0, "name is missing before '42'"},
	{"\"x\" == comm", 0, "name is missing"},
	{"plain == 1 and", 14, "name is missing before the end"},
	{"plain == 1 or or", 14, "no field 'or'"},
	{"(plain", 0, "this ( has no )"},
	{"port and (plain or port", 9, "this ( has no )"},
	{"(plain port)", 7, "'and', 'or' or ')' expected, not 'port)'"},
	{"plain)", 5, "expected, not ')'"},
	{"plain 42", 6, "expected, not '42'"},
	{"comm postgres", 5, "expected, not 'postgres'"},
	{"comm not x", 5, "expected, not 'not'"},
	{"comm == \"open", 8, "has no second one"},
	{"comm == 'open", 8, "has no second one"},
	{"plain in 5", 9, "in wants a list"},
	{"plain in (5", 11, "',' or ')' expected, not the end"},
	{"plain in (5 6)", 12, "',' or ')' expected, not '6)'"},
	{"plain in ()", 10, "value is missing before ')'"},
	{"plain in (1,)", 12, "value is missing"},
	{"plian == 5", 0, "no field 'plian'; did you mean 'plain'?"},
	{"port and latencey > 5", 9, "did you mean 'latency'?"},
	{"postgres", 0, "no field 'postgres'"},
	{"zzzzzzzzzz == 1", 0, "weir list fields"},
	{"model_disk", 0, "is an event: write kind =="},
	{"model == 1", 0, "is a source: write source =="},
	{"model_dsk.latency", 0, "no event 'model_dsk'; did you mean"},
	{"zzzzzzzzzz.latency", 0, "no event 'zzzzzzzzzz' (see weir list"},
	{"model_disk.latncy", 11, "has no field 'latncy'; did you mean"},
	{"model_disk.", 11, "has no field ''"},
	{"kind == model_dsk", 8, "no kind 'model_dsk'; did you mean"},
	{"kind in (model_all, nosuch)", 20, "no kind 'nosuch'"},
	{"source == dsk", 10, "no source 'dsk'; did you mean 'disk'?"},
	{"kind > model_all", 5, "has no order"},
	{"plain == abc", 9, "'abc' is no number (42, 0x2a)"},
	{"plain == 5x", 9, "is no number"},
	{"plain == 99999999999999999999", 9, "too large"},
	{"span > 10xs", 7, "'10xs' is no duration (10ms, 2.5s"},
	{"span > 99999999d", 7, "too large a duration"},
	{"size > 5Q", 7, "no size (4096, 64K"},
	{"error == ENOENTT", 9, "did you mean 'ENOENT'?"},
	{"ret == nonsense", 7, "is no result"},
	{"sig == SIGFOO", 7, "is no signal (SIGKILL, 9)"},
	{"state == Q", 9, "is no task state (R S D"},
	{"flag == maybe", 8, "is no truth value"},
	{"dev == 8:", 7, "is no device (8:0)"},
	{"dev == 5000:1", 7, "is no device"},
	{"addr == 10.0.0", 8, "is no address (10.0.0.1"},
	{"addr == 10.0.0.0/33", 8, "is no address"},
	{"addr == ::/129", 8, "is no address"},
	{"addr == /8", 8, "is no address"},
	{"addr < 10.0.0.0", 5, "is an address, which has no order"},
	{"addr ~ 10.*", 5, "~ compares text"},
	{"when > yesterday", 7, "is no time (14:03:20"},
	{"ts > 25:00", 5, "is no time"},
	{"colour == purpel", 10, "no value of 'colour' (one of its names"},
	{"colour == gren", 10, "did you mean 'green'?"},
	{"plain ~ 4*", 6, "~ compares text, and 'plain' is a number"},
	{"plain !~ 4*", 6, "~ compares text"},
	/* text takes it, but the number is what was more likely meant */
	{"name == word", 8, "no number (42, 0x2a) (or write model_disk.name)"},
	{"comm > a", 5, "is text, which has no order"},
	{"other_tid_comm > a", 15, "is text, which has no order"},
	{"plain_comm == a", 0, "no field 'plain_comm'"},
	{"model_disk.other_tid_comm == a", 11, "has no field"},
	{"list == 1", 0, "is a list"},
	{"raw == 1", 0, "is raw bytes"},
	{"args == 1", 0, "is a list"},
	{"uid == root", 7, "is no number"},
	{"cpu == -", 7, "is no number"},
	{"plain == \"4\\x002\"", 9, "a NUL"},
};

static void carets(void **state)
{
	struct filter_error err;
	struct filter *f = NULL;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(errors) / sizeof(*errors); i++) {
		int e = filter_compile(&f, errors[i].expr, schema, NULL, WALL,
				       0, &err);

		if (e != -EINVAL || err.at != errors[i].at ||
		    !strstr(err.what, errors[i].what))
			fail_msg("%s: %d at %zu: %s", errors[i].expr, e, err.at,
				 e ? err.what : "");
		assert_null(f);
	}
}

static void depth_is_bounded(void **state)
{
	struct filter_error err;
	struct filter *f = NULL;
	char deep[1000];

	(void)state;
	memset(deep, '(', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	assert_int_equal(filter_compile(&f, deep, schema, NULL, 0, 0, &err),
			 -EINVAL);
	assert_int_equal(err.at, 64);
	assert_non_null(strstr(err.what, "64 deep"));
	memset(deep, '!', sizeof(deep) - 1);
	assert_int_equal(filter_compile(&f, deep, schema, NULL, 0, 0, &err),
			 -EINVAL);
	assert_null(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(carets),
		cmocka_unit_test(depth_is_bounded),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
