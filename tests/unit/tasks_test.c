// SPDX-License-Identifier: BSD-2-Clause
/* tasks_test.c - the table of tasks, by events that no kernel would make. */
#include "model_schema.h"

#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "../../user/tasks.h"

static const struct schema_field fork_fields[] = {
	ONE(child_tid, 24, 4, FIELD_UINT, MEANING_TID),
	ONE(child_pid, 28, 4, FIELD_UINT, MEANING_PID),
};

static const struct schema_field rename_fields[] = {
	ONE(target_tid, 24, 4, FIELD_UINT, MEANING_TID),
	ONE(old_tid, 28, 4, FIELD_UINT, MEANING_TID),
	ONE(file, 32, 8, FIELD_STR, MEANING_NONE),
};

static const struct schema_field exit_fields[] = {
	ONE(code, 24, 4, FIELD_INT, MEANING_NONE),
	ONE(old_tid, 28, 4, FIELD_UINT, MEANING_TID),
};

static const struct schema_field moved_fields[] = {
	ONE(target_tid, 24, 4, FIELD_UINT, MEANING_TID),
	ONE(cgroup, 32, 8, FIELD_UINT, MEANING_CGROUP),
};

static const struct schema_field path_fields[] = {
	ONE(cgroup, 24, 8, FIELD_UINT, MEANING_CGROUP),
	ONE(path, 32, 8, FIELD_STR, MEANING_NONE),
};

static struct schema *task_schema(void)
{
	struct schema_source task = {"task", "for tests"};
	struct schema *s;

	model_must(!schema_new(&s), "schema_new");
	model_must(!schema_add_source(s, &task), "task");
	model_add(s, 1, "task", "task_fork", "", 32, fork_fields, 2);
	model_add(s, 2, "task", "task_rename", "", 40, rename_fields, 3);
	model_add(s, 3, "task", "task_exit", "", 32, exit_fields, 2);
	model_add(s, 4, "task", "task_cgroup", "", 40, moved_fields, 2);
	model_add(s, 5, "task", "cgroup_path", "", 40, path_fields, 2);
	model_add(s, 6, "task", "cgroup_gone", "", 32, path_fields, 1);
	return s;
}

struct table {
	struct schema *schema;
	struct tasks *tasks;
	struct record record;
};

/* What is freed from now on is overwritten: glibc's malloc does so with what
 * its cache of a thread, of 7 of a size, has no room for. */
static void spoil_what_is_freed(void)
{
	void *some[8];
	size_t size, i;

	mallopt(M_PERTURB, 0x5a);
	for (size = 16; size < 512; size += 16) {
		for (i = 0; i < 8; i++)
			some[i] = malloc(size);
		for (i = 0; i < 8; i++)
			free(some[i]);
	}
}

static int set_up(void **state)
{
	struct table *t = calloc(1, sizeof(*t));

	t->schema = task_schema();
	assert_int_equal(tasks_new(&t->tasks, t->schema), 0);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct table *t = *state;

	tasks_free(t->tasks);
	schema_free(t->schema);
	free(t);
	return 0;
}

static void apply(struct table *t)
{
	struct event ev = record_event(&t->record, t->schema);

	assert_int_equal(tasks_apply(t->tasks, &ev), 0);
}

static void put_fork(struct table *t, uint32_t tid)
{
	record_begin(&t->record, t->schema, "task_fork");
	record_set(&t->record, "child_tid", tid);
	apply(t);
}

static void put_exit(struct table *t, uint32_t tid, uint32_t old)
{
	record_begin(&t->record, t->schema, "task_exit");
	record_hdr(&t->record)->tid = tid;
	record_set(&t->record, "old_tid", old);
	apply(t);
}

/* Tids 1 to TASKS_DEAD_MAX are dead, in this order; the next one is alive. */
static void fill_with_dead(struct table *t)
{
	uint32_t tid;

	for (tid = 1; tid <= TASKS_DEAD_MAX + 1; tid++)
		put_fork(t, tid);
	for (tid = 1; tid <= TASKS_DEAD_MAX; tid++)
		put_exit(t, tid, tid);
}

static void one_that_dies_may_push_out_the_one_that_is_renamed(void **state)
{
	struct table *t = *state;

	fill_with_dead(t);
	spoil_what_is_freed();
	record_begin(&t->record, t->schema, "task_rename");
	record_set(&t->record, "target_tid", 1);
	record_set(&t->record, "old_tid", TASKS_DEAD_MAX + 1);
	record_text(&t->record, "file", "/bin/true");
	apply(t);
	assert_null(tasks_find(t->tasks, 1));
	assert_int_not_equal(
		tasks_find(t->tasks, TASKS_DEAD_MAX + 1)->exit_time, 0);
	assert_non_null(tasks_find(t->tasks, 2));
}

static void one_that_exits_may_push_out_the_one_it_was(void **state)
{
	struct table *t = *state;

	fill_with_dead(t);
	spoil_what_is_freed();
	put_exit(t, TASKS_DEAD_MAX + 1, 1);
	assert_null(tasks_find(t->tasks, 1));
	assert_non_null(tasks_find(t->tasks, 2));
}

static void put_cgroup(struct table *t, const char *kind, uint64_t id,
		       const char *path)
{
	record_begin(&t->record, t->schema, kind);
	record_set(&t->record, "cgroup", id);
	if (path)
		record_text(&t->record, "path", path);
	apply(t);
}

static void put_move(struct table *t, uint32_t tid, uint64_t cgroup)
{
	record_begin(&t->record, t->schema, "task_cgroup");
	record_set(&t->record, "target_tid", tid);
	record_set(&t->record, "cgroup", cgroup);
	apply(t);
}

static int count_cgroup(void *arg, const struct cgroup *c)
{
	(void)c;
	++*(unsigned *)arg;
	return 0;
}

static unsigned cgroups_in(const struct table *t)
{
	unsigned count = 0;

	assert_int_equal(tasks_each_cgroup(t->tasks, count_cgroup, &count), 0);
	return count;
}

static void a_cgroup_is_known_until_another_one_is_removed(void **state)
{
	struct table *t = *state;

	put_cgroup(t, "cgroup_path", 7, "/a");
	put_cgroup(t, "cgroup_path", 8, "/b");
	put_cgroup(t, "cgroup_gone", 7, NULL);
	assert_string_equal(tasks_cgroup(t->tasks, 7)->path, "/a");
	put_cgroup(t, "cgroup_gone", 7, NULL);
	assert_string_equal(tasks_cgroup(t->tasks, 7)->path, "/a");
	put_cgroup(t, "cgroup_gone", 9, NULL); /* never heard of */
	put_cgroup(t, "cgroup_gone", 8, NULL);
	assert_null(tasks_cgroup(t->tasks, 7));
	assert_int_equal(cgroups_in(t), 1);
}

static void a_cgroup_is_known_while_a_task_of_it_is(void **state)
{
	struct table *t = *state;
	uint64_t id;

	put_fork(t, 5);
	put_cgroup(t, "cgroup_path", 7, "/a");
	put_move(t, 5, 7);
	put_exit(t, 5, 5);
	for (id = 7; id < 100; id++) {
		put_cgroup(t, "cgroup_path", id, "/a");
		put_cgroup(t, "cgroup_gone", id, NULL);
	}
	assert_string_equal(tasks_find(t->tasks, 5)->cgroup->path, "/a");
	assert_int_equal(cgroups_in(t), 2);
	put_move(t, 5, 8);
	assert_null(tasks_cgroup(t->tasks, 7));
	assert_int_equal(cgroups_in(t), 1);
}

static void a_cgroup_without_path_is_known_while_a_task_is_in_it(void **state)
{
	struct table *t = *state;

	put_fork(t, 5);
	spoil_what_is_freed();
	put_move(t, 5, 7);
	put_move(t, 5, 7);
	put_cgroup(t, "cgroup_path", 7, "/a");
	assert_string_equal(tasks_find(t->tasks, 5)->cgroup->path, "/a");
	put_move(t, 5, 8);
	put_move(t, 5, 7);
	assert_string_equal(tasks_find(t->tasks, 5)->cgroup->path, "/a");
	put_cgroup(t, "cgroup_path", 8, "/b");
	assert_int_equal(cgroups_in(t), 2);
}

/* A text of the record that apply() is given next was longer. */
static void cut(struct table *t, const char *field, uint32_t full)
{
	const struct schema_field *f = record_field(&t->record, field);
	struct weir_str *s;

	s = (void *)((uint8_t *)record_hdr(&t->record) + f->offset);
	s->full = full;
}

struct state_cut {
	uint32_t file, path;
};

static int look_at_state(void *arg, const void *record, size_t len)
{
	const struct weir_hdr *h = record;
	const struct ev_task_alive *alive = record;
	const struct ev_cgroup_path *path = record;
	struct state_cut *ret = arg;

	assert_int_equal(h->len, len);
	if (h->kind == EV_TASK_ALIVE && h->tid == 5)
		ret->file = alive->file.full;
	if (h->kind == EV_CGROUP_PATH)
		ret->path = path->path.full;
	return 0;
}

static void what_was_cut_says_so_in_the_state(void **state)
{
	struct state_cut ret = {0};
	struct table *t = *state;

	put_fork(t, 5);
	record_begin(&t->record, t->schema, "task_rename");
	record_set(&t->record, "target_tid", 5);
	record_text(&t->record, "file", "/bin/tr");
	cut(t, "file", 99);
	apply(t);
	record_begin(&t->record, t->schema, "cgroup_path");
	record_set(&t->record, "cgroup", 7);
	record_text(&t->record, "path", "/a");
	cut(t, "path", 77);
	apply(t);
	assert_int_equal(tasks_state(t->tasks, 1, look_at_state, &ret), 0);
	assert_int_equal(ret.file, 99);
	assert_int_equal(ret.path, 77);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(one_that_dies_may_push_out_the_one_that_is_renamed),
		T(one_that_exits_may_push_out_the_one_it_was),
		T(a_cgroup_is_known_until_another_one_is_removed),
		T(a_cgroup_is_known_while_a_task_of_it_is),
		T(what_was_cut_says_so_in_the_state),
		T(a_cgroup_without_path_is_known_while_a_task_is_in_it),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
