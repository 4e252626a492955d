// SPDX-License-Identifier: BSD-2-Clause
/* question_test.c - what a recorder takes for a question, and what for none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "../../user/question.h"

static char line[256]; /* what a path lies in */

static struct question ask(const char *text)
{
	struct question q;

	snprintf(line, sizeof(line), "%s", text);
	question_read(&q, line);
	return q;
}

static void a_status_is_asked_as_text_or_json(void **state)
{
	(void)state;
	assert_int_equal(ask("status text").what, QUESTION_STATUS);
	assert_false(ask("status text").json);
	assert_int_equal(ask("status json").what, QUESTION_STATUS);
	assert_true(ask("status json").json);
}

static void a_snapshot_has_a_time_and_a_path_with_its_blanks(void **state)
{
	struct question q = ask("snapshot json 5000000000 /tmp/a b  c");

	(void)state;
	assert_int_equal(q.what, QUESTION_SNAPSHOT);
	assert_true(q.json);
	assert_int_equal(q.after_ns, 5000000000);
	assert_string_equal(q.path, "/tmp/a b  c");
	q = ask("snapshot text 0 -");
	assert_int_equal(q.what, QUESTION_SNAPSHOT);
	assert_null(q.path);
}

static void what_is_none_is_none(void **state)
{
	static const char *const none[] = {
		"",
		" ",
		"status",
		"status ",
		"status xml",
		"status text ",
		"status text x",
		"Status text",
		" status text",
		"status  text",
		"snapshot text",
		"snapshot text 0",
		"snapshot text 0 ",
		"snapshot text 0 a/b",
		"snapshot text 0 ../b",
		"snapshot text x -",
		"snapshot text -1 -",
		"snapshot text 1s -",
		"snapshot text 18446744073709551616 -",
		"snapshot text  -",
		"snapshot xml 0 -",
		"snapshots text 0 -",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		if (ask(none[i]).what != QUESTION_NONE)
			fail_msg("'%s' is taken for a question", none[i]);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_status_is_asked_as_text_or_json),
		cmocka_unit_test(
			a_snapshot_has_a_time_and_a_path_with_its_blanks),
		cmocka_unit_test(what_is_none_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
