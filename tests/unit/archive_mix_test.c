// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_mix_test.c - archives of different weirs, asked together: an event
 * has the kind it was written with, and a name means all kinds so called.
 */
#include "store.h"

#include "../../user/select.h"
#include "../../user/sql_column.h"
#include "../../user/tasks.h"

#define CALL   60  /* what the second one calls a system call */
#define EVENTS 500 /* in the second, of either kind */
#define RET(i) (7 * (int64_t)(i))

/* Some fields of store_call elsewhere, some not at all, one more. */
static const struct schema_field other_call[] = {
	STORE_FIELD("ret", 24, 4, FIELD_INT),
	STORE_FIELD("duration", 32, 8, FIELD_UINT),
	STORE_FIELD("extra", 40, 8, FIELD_UINT),
	STORE_FIELD("arg", 48, 8, FIELD_STR),
};

static const struct schema_field strange[] = {
	STORE_FIELD("number", 24, 8, FIELD_UINT),
};

static struct store store, other;
static char dir[64], path[80], second[80];

/* Numbers are the first one's, but mean something else. */
static struct schema *other_schema(void)
{
	struct schema *s = store_schema_begun("elsewhere");

	store_kind(s, EV_TASK_FORK, "task", "task_fork", 32, store_fork, 2);
	store_kind(s, EV_SYSCALL_DONE, "syscall", "strange", 32, strange, 1);
	store_kind(s, CALL, "syscall", "syscall_done", 56, other_call, 4);
	store_kind(s, EV_GAP, "repo", "gap", 48, store_gap, 2);
	return s;
}

static void append_other(unsigned i)
{
	const int32_t ret = (int32_t)RET(i);
	const uint64_t extra = i;
	struct store_record r;

	store_begin(&r, CALL, other.ts++, 0, 56);
	memcpy(r.data + 24, &ret, sizeof(ret));
	memcpy(r.data + 40, &extra, sizeof(extra));
	assert_int_equal(store_append(&other, &r), 0);
	store_begin(&r, EV_SYSCALL_DONE, other.ts++, 0, 32);
	memcpy(r.data + 24, &extra, sizeof(extra));
	assert_int_equal(store_append(&other, &r), 0);
}

static int setup(void **state)
{
	unsigned i;

	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	snprintf(second, sizeof(second), "%s/b", dir);
	store_init(&store);
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_int_equal(store_fill(&store, 2000), 0);
	assert_int_equal(store_close(&store), 0);
	store_init(&other);
	schema_free(other.schema);
	other.schema = other_schema();
	assert_int_equal(store_open(&other, second, false, 0), 0);
	for (i = 0; i < EVENTS; i++)
		append_other(i);
	return store_close(&other);
}

static int teardown(void **state)
{
	(void)state;
	store_done(&store);
	store_done(&other);
	store_remove(dir);
	return 0;
}

static struct archive *open_both(void)
{
	char *paths[] = {second, path};
	struct archive *a;
	const char *why;

	assert_int_equal(archive_open(&a, paths, 2, &why), 0);
	return a;
}

/* ---- events -------------------------------------------------------------- */

struct seen {
	const struct schema *schema;
	uint64_t events, others, strangers, hash;
};

/* As it was written, but for the number of its kind. */
static int on_event(void *arg, struct event *ev)
{
	struct seen *s = arg;
	struct weir_hdr *h = (struct weir_hdr *)ev->h;

	assert_ptr_equal(ev->kind, schema_kind(s->schema, h->kind));
	if (!strcmp(ev->kind->name, "strange")) {
		assert_int_equal(field_u64(ev, &ev->kind->fields[0], 0),
				 s->strangers++);
		return 0;
	}
	if (schema_field(ev->kind, "extra")) {
		assert_string_equal(ev->kind->name, "syscall_done");
		assert_int_equal(field_s64(ev, &ev->kind->fields[0], 0),
				 RET(s->others));
		s->others++;
		return 0;
	}
	s->events++;
	if (!strcmp(ev->kind->name, "syscall_done"))
		h->kind = EV_SYSCALL_DONE;
	s->hash = s->hash * 31 + crc32c(0, h, ev->len);
	return 0;
}

static void events_are_of_the_kind_they_were_written_as(void **state)
{
	struct archive_range all = {0};
	struct archive *a = open_both();
	struct seen s = {.schema = archive_schema(a)};
	struct archive_info info;

	(void)state;
	archive_info(a, &info);
	assert_int_equal(info.schemas, 2);
	assert_int_equal(info.boots, 1);
	assert_int_equal(archive_each(a, &all, on_event, &s), 0);
	assert_int_equal(s.events, store.appended);
	assert_true(s.hash == store.hash);
	assert_int_equal(s.others, EVENTS);
	assert_int_equal(s.strangers, EVENTS);
	archive_free(a);
}

static int count(void *arg, struct event *ev)
{
	*(uint64_t *)arg += !(ev->h->flags & WEIR_F_CONTEXT);
	return 0;
}

static void a_range_asks_for_kinds_as_they_are_united(void **state)
{
	bool kinds[SCHEMA_KINDS_MAX] = {false};
	struct archive_range range = {.kinds = kinds, .bare = true};
	struct archive *a = open_both();
	const struct schema *s = archive_schema(a);
	uint64_t n = 0;

	(void)state;
	kinds[schema_kind_by_name(s, "strange")->number] = true;
	assert_int_equal(archive_each(a, &range, count, &n), 0);
	assert_int_equal(n, EVENTS);
	archive_free(a);
}

/* ---- names ----------------------------------------------------------------
 */

static void a_name_means_all_kinds_so_called(void **state)
{
	struct archive *a = open_both();
	const struct schema *s = archive_schema(a);
	const struct schema_kind *k = schema_kind_by_name(s, "syscall_done");
	struct bound extra;

	(void)state;
	assert_ptr_equal(k->first, k);
	assert_non_null(k->variant);
	assert_ptr_equal(k->variant->first, k);
	assert_null(k->variant->variant);
	assert_string_equal(k->variant->name, k->name);
	assert_null(schema_kind_by_name(s, "task_fork")->variant);
	assert_true(bound_init(&extra, s, "syscall_done", "extra"));
	assert_true(!bound_in(&extra, k) != !bound_in(&extra, k->variant));
	archive_free(a);
}

struct chosen {
	struct select select;
	uint64_t events;
};

static int choose(void *arg, struct event *ev)
{
	struct chosen *c = arg;

	c->events += select_match(&c->select, ev);
	return 0;
}

static uint64_t count_filtered(const char *filter)
{
	struct select_options o = {.filter = filter};
	struct archive_range all = {.bare = true};
	struct archive *a = open_both();
	struct chosen c = {.events = 0};
	struct filter_error err;
	struct tasks *tasks;
	char why[200];

	assert_int_equal(tasks_new(&tasks, archive_schema(a)), 0);
	if (select_init(&c.select, &o, archive_schema(a), tasks, 0, why,
			sizeof(why), &err))
		fail_msg("%s: %s", filter, why);
	assert_int_equal(archive_each(a, &all, choose, &c), 0);
	select_done(&c.select);
	tasks_free(tasks);
	archive_free(a);
	return c.events;
}

static void a_filter_is_false_where_its_field_is_missing(void **state)
{
	(void)state;
	assert_int_equal(count_filtered("kind == syscall_done and extra >= 0"),
			 EVENTS);
	assert_int_equal(count_filtered("syscall_done.extra < 10"), 10);
	assert_int_equal(count_filtered("number < 10 and kind == strange"), 10);
	assert_int_equal(count_filtered("syscall_done.arg == \"\""), EVENTS);
	assert_int_equal(count_filtered("syscall_done.duration >= 0") -
				 count_filtered("syscall_done.compat >= 0"),
			 EVENTS);
}

/* ---- columns --------------------------------------------------------------
 */

struct table {
	struct sql_columns columns;
	const struct sql_column *ret, *extra, *path;
	struct render render;
	struct buf scratch;
	uint64_t rows, extras, paths;
};

static const struct sql_column *column(const struct table *t, const char *name)
{
	unsigned i;

	for (i = 0; i < t->columns.count; i++)
		if (!strcmp(t->columns.column[i].name, name))
			return &t->columns.column[i];
	return NULL;
}

static int on_row(void *arg, struct event *ev)
{
	struct table *t = arg;
	struct sql_value v;

	if (ev->kind->first !=
	    schema_kind_by_name(t->render.schema, "syscall_done"))
		return 0;
	t->rows++;
	sql_column_get(t->ret, &t->render, NULL, ev, &t->scratch, &v);
	assert_int_equal(v.type, SQL_INT);
	sql_column_get(t->extra, &t->render, NULL, ev, &t->scratch, &v);
	t->extras += v.type == SQL_INT;
	sql_column_get(t->path, &t->render, NULL, ev, &t->scratch, &v);
	t->paths += v.type == SQL_TEXT;
	return 0;
}

static void a_column_that_a_variant_lacks_is_null(void **state)
{
	struct archive_range all = {0};
	struct archive *a = open_both();
	struct table t = {.render = {.schema = archive_schema(a)}};

	(void)state;
	assert_int_equal(sql_columns_init(&t.columns,
					  schema_kind_by_name(archive_schema(a),
							      "syscall_done")),
			 0);
	t.ret = column(&t, "ret");
	t.extra = column(&t, "extra");
	t.path = column(&t, "path");
	assert_true(t.ret && t.extra && t.path);
	assert_int_equal(archive_each(a, &all, on_row, &t), 0);
	assert_true(t.rows > EVENTS);
	assert_int_equal(t.extras, EVENTS);
	assert_int_equal(t.paths, t.rows - EVENTS);
	buf_done(&t.scratch);
	sql_columns_done(&t.columns);
	archive_free(a);
}

/* ---- too many --------------------------------------------------------------
 */

#define TOO_MANY 3   /* archives that have */
#define OWN	 100 /* kinds each that nobody else has */

static void add_kinds(struct schema *s, unsigned whose)
{
	char name[32];
	unsigned i;

	for (i = 0; i < OWN; i++) {
		snprintf(name, sizeof(name), "of%u_%u", whose, i);
		store_kind(s, SCHEMA_KINDS_MAX - 1 - i, "repo", name, 32,
			   strange, 1);
	}
}

static void more_kinds_than_fit_are_refused(void **state)
{
	char names[TOO_MANY][80], *paths[TOO_MANY];
	struct store s[TOO_MANY];
	struct archive *a;
	const char *why;
	unsigned i;

	(void)state;
	for (i = 0; i < TOO_MANY; i++) {
		paths[i] = names[i];
		snprintf(names[i], sizeof(names[i]), "%s/%u", dir, i);
		store_init(&s[i]);
		add_kinds(s[i].schema, i);
		assert_int_equal(store_open(&s[i], paths[i], false, 0), 0);
		assert_int_equal(store_fill(&s[i], 10), 0);
		assert_int_equal(store_close(&s[i]), 0);
		store_done(&s[i]);
	}
	assert_int_equal(archive_open(&a, paths, TOO_MANY, &why), -EXDEV);
	assert_non_null(why);
	assert_int_equal(archive_open(&a, paths, TOO_MANY - 1, &why), 0);
	archive_free(a);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(events_are_of_the_kind_they_were_written_as),
		T(a_range_asks_for_kinds_as_they_are_united),
		T(a_name_means_all_kinds_so_called),
		T(a_filter_is_false_where_its_field_is_missing),
		T(a_column_that_a_variant_lacks_is_null),
		T(more_kinds_than_fit_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
