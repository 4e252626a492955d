// SPDX-License-Identifier: BSD-2-Clause
/* select_test.c - which events -s, -e and -f ask for. */
#include <bpf/btf.h>
#include <errno.h>

#include "../../user/select.h"
#include "model.h"

static struct schema *schema;
static struct select sel;
static char what[256];
static struct filter_error filter_error;

/* Up to two sources and two kinds; NULL: none. */
static int select_by(const char *s1, const char *s2, const char *e1,
		     const char *e2, const char *filter)
{
	const char *sources[] = {s1, s2}, *kinds[] = {e1, e2};
	struct select_options o = {
		.sources = sources,
		.source_count = !!s1 + !!s2,
		.kinds = kinds,
		.kind_count = !!e1 + !!e2,
		.filter = filter,
	};

	return select_init(&sel, &o, schema, NULL, 0, what, sizeof(what),
			   &filter_error);
}

/* Is an event of that kind, all zero but its flags, selected? */
static bool takes(const char *kind, unsigned flags)
{
	static uint64_t record[RECORD_MAX / 8];
	const struct schema_kind *k = schema_kind_by_name(schema, kind);
	struct weir_hdr *h = (struct weir_hdr *)record;
	struct event ev;

	memset(record, 0, sizeof(record));
	h->kind = k->number;
	h->len = k->size;
	h->flags = (uint16_t)flags;
	assert_int_equal(event_init(&ev, schema, record, k->size), 0);
	return select_match(&sel, &ev);
}

static void everything_but_context_by_default(void **state)
{
	(void)state;
	assert_int_equal(select_by(NULL, NULL, NULL, NULL, NULL), 0);
	assert_true(takes("task_exec", 0));
	assert_true(takes("gap", 0));
	assert_false(takes("task_alive", WEIR_F_CONTEXT));
	assert_false(takes("task_fork", WEIR_F_CONTEXT));
}

static void sources_and_kinds_mean_both(void **state)
{
	(void)state;
	assert_int_equal(select_by("task", NULL, NULL, NULL, NULL), 0);
	assert_true(takes("task_exec", 0));
	assert_false(takes("syscall_done", 0));
	assert_int_equal(select_by("task", "syscall", "*_exec", NULL, NULL), 0);
	assert_true(takes("task_exec", 0));
	assert_false(takes("task_exit", 0));
	assert_int_equal(select_by("task", NULL, "syscall_done", NULL, NULL),
			 -EINVAL);
	assert_non_null(strstr(what, "none of the sources"));
}

static void context_when_named(void **state)
{
	(void)state;
	assert_int_equal(select_by(NULL, NULL, "task_alive", NULL, NULL), 0);
	assert_true(takes("task_alive", WEIR_F_CONTEXT));
	assert_int_equal(select_by("task", NULL, NULL, NULL, NULL), 0);
	assert_false(takes("task_alive", WEIR_F_CONTEXT));
	assert_int_equal(select_by("repo", NULL, NULL, NULL, NULL), 0);
	assert_true(takes("repo_metric", WEIR_F_CONTEXT));
	assert_true(takes("clock", WEIR_F_CONTEXT));
}

static void nothing_hides_a_gap(void **state)
{
	(void)state;
	assert_int_equal(select_by("task", NULL, "task_exec", NULL, "pid == 7"),
			 0);
	assert_false(takes("task_exec", 0));
	assert_true(takes("gap", 0));
	select_done(&sel);
}

static void unknown_names_are_told(void **state)
{
	(void)state;
	assert_int_equal(select_by("taks", NULL, NULL, NULL, NULL), -EINVAL);
	assert_non_null(strstr(what, "did you mean 'task'"));
	assert_int_equal(select_by(NULL, NULL, "task_exec", "task_exce", NULL),
			 -EINVAL);
	assert_non_null(strstr(what, "did you mean 'task_exec'"));
	assert_int_equal(select_by(NULL, NULL, "zz*", NULL, NULL), -EINVAL);
	assert_non_null(strstr(what, "weir list events"));
	assert_int_equal(select_by(NULL, NULL, NULL, NULL, "pid ="), -EINVAL);
	assert_true(filter_error.what[0] != '\0');
}

static int set_up(void **state)
{
	(void)state;
	schema = real_schema(NULL);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	schema_free(schema);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(everything_but_context_by_default),
		cmocka_unit_test(sources_and_kinds_mean_both),
		cmocka_unit_test(context_when_named),
		cmocka_unit_test(nothing_hides_a_gap),
		cmocka_unit_test(unknown_names_are_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
