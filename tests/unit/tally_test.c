// SPDX-License-Identifier: BSD-2-Clause
/*
 * tally_test.c - a process is counted as itself, however often its number is
 * used again; what became of it is known whichever events are handed over; and
 * the tree has all of them, whoever they say their parents are.
 */
#include "model.h"

#include "../../user/tally.h"

struct fixture {
	struct schema *schema;
	struct render render;
	struct tasks *tasks;
	struct tally tally;
	struct record record;
	uint64_t ts;
};

static int set_up(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	assert_non_null(f);
	*state = f;
	f->schema = real_schema(NULL);
	if (!f->schema)
		return 0;
	assert_int_equal(tasks_new(&f->tasks, f->schema), 0);
	f->render = (struct render){.schema = f->schema, .tasks = f->tasks};
	return tally_init(&f->tally, &f->render, f->tasks);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	tally_done(&f->tally);
	tasks_free(f->tasks);
	schema_free(f->schema);
	free(f);
	return 0;
}

static void begin(struct fixture *f, const char *kind, uint32_t pid)
{
	record_begin(&f->record, f->schema, kind);
	record_hdr(&f->record)->pid = record_hdr(&f->record)->tid = pid;
	record_hdr(&f->record)->ts = f->ts += 1000;
}

/* @chosen: it is one of those that were asked for. */
static void happens(struct fixture *f, bool chosen)
{
	struct event ev = record_event(&f->record, f->schema);

	assert_int_equal(tasks_apply(f->tasks, &ev), 0);
	if (chosen)
		assert_int_equal(tally_event(&f->tally, &ev), 0);
}

static void lives(struct fixture *f, uint32_t pid, uint32_t ppid,
		  uint64_t start, const char *comm)
{
	begin(f, "task_alive", pid);
	record_set(&f->record, "start_time", start);
	record_set(&f->record, "ppid", ppid);
	record_bytes(&f->record, "task_comm", comm, strlen(comm));
	happens(f, false);
}

static void calls(struct fixture *f, uint32_t pid)
{
	begin(f, "syscall_done", pid);
	happens(f, true);
}

static void is_renamed(struct fixture *f, uint32_t pid, const char *comm)
{
	begin(f, "task_rename", pid);
	record_set(&f->record, "target_pid", pid);
	record_set(&f->record, "target_tid", pid);
	record_bytes(&f->record, "new_comm", comm, strlen(comm));
	happens(f, false);
}

static void ends(struct fixture *f, uint32_t pid, uint64_t start)
{
	begin(f, "task_exit", pid);
	record_set(&f->record, "start_time", start);
	happens(f, false);
}

static const struct process *found(const struct fixture *f, uint32_t pid,
				   uint64_t start)
{
	size_t i;

	for (i = 0; i < f->tally.count; i++)
		if (f->tally.list[i]->pid == pid &&
		    f->tally.list[i]->start_time == start)
			return f->tally.list[i];
	fail_msg("no process %u of %llu", pid, (unsigned long long)start);
	return NULL;
}

static void what_became_of_a_process_is_known(void **state)
{
	struct fixture *f = *state;

	if (!f->schema)
		skip();
	lives(f, 7, 1, 5, "before");
	calls(f, 7);
	is_renamed(f, 7, "after");
	ends(f, 7, 5); /* the last of it at the end */
	lives(f, 8, 1, 6, "first");
	calls(f, 8);
	is_renamed(f, 8, "last");
	ends(f, 8, 6);
	lives(f, 8, 7, 50, "another"); /* who has its number */
	calls(f, 8);
	calls(f, 8);
	assert_int_equal(tally_alive(&f->tally), 0);
	assert_string_equal(found(f, 7, 5)->comm, "after");
	assert_true(found(f, 7, 5)->exit_time > 0);
	assert_string_equal(found(f, 8, 6)->comm, "last");
	assert_true(found(f, 8, 6)->exit_time > 0);
	assert_int_equal(found(f, 8, 6)->events, 1);
	assert_string_equal(found(f, 8, 50)->comm, "another");
	assert_int_equal(found(f, 8, 50)->exit_time, 0);
	assert_int_equal(found(f, 8, 50)->events, 2);
}

static void nobody_is_below_himself(void **state)
{
	struct fixture *f = *state;
	const struct process *p;
	unsigned depth = 0;
	size_t count = 0;

	if (!f->schema)
		skip();
	lives(f, 10, 11, 0, "a");
	lives(f, 11, 10, 0, "b");
	lives(f, 20, 21, 9, "c");
	lives(f, 21, 20, 9, "d");
	lives(f, 30, 30, 9, "e");
	assert_int_equal(tally_alive(&f->tally), 0);
	for (p = tally_tree(&f->tally); p;
	     p = tally_next((struct process *)p, &depth))
		assert_true(++count <= f->tally.count);
	assert_int_equal(count, f->tally.count);
	assert_int_equal(count, 6); /* the idle task, too */
	assert_int_equal(depth, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			what_became_of_a_process_is_known, set_up, tear_down),
		cmocka_unit_test_setup_teardown(nobody_is_below_himself, set_up,
						tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
