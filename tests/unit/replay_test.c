// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay_test.c - what a pass says that its answer lacks, also where nobody
 * knows when it was lost, and where the answer ends after so many events.
 */
#include "store_place.h"

#include "../../user/replay.h"

#define SECOND	NS_PER_S
#define SECONDS 30 /* of the recording, an event in each */
#define TOLD	12 /* in which second the gap was written */
#define LOST	7

static const struct schema_field gap_fields[] = {
	STORE_FIELD("of", 24, 16, FIELD_CHARS),
	STORE_FIELD("count", 40, 8, FIELD_UINT),
	STORE_FIELD("first", 48, 8, FIELD_UINT),
	STORE_FIELD("last", 56, 8, FIELD_UINT),
};

static uint64_t begun;

static void append(unsigned kind, uint64_t ts, unsigned size, uint64_t first,
		   uint64_t last)
{
	static const uint64_t count = LOST;
	struct store_record r;

	store_begin(&r, kind, ts, 0, size);
	if (kind == EV_GAP) {
		memcpy(r.data + 24, "syscall", 8);
		memcpy(r.data + 40, &count, sizeof(count));
		memcpy(r.data + 48, &first, sizeof(first));
		memcpy(r.data + 56, &last, sizeof(last));
	}
	assert_int_equal(store_append(&store, &r), 0);
}

/* A call each second; in one of them it is told that some were lost. */
static void record(uint64_t first, uint64_t last)
{
	unsigned i;

	schema_free(store.schema);
	store.schema = store_schema_begun("");
	store_kind(store.schema, EV_TASK_FORK, "task", "task_fork", 32,
		   store_fork, 2);
	store_kind(store.schema, EV_SYSCALL_DONE, "syscall", "syscall_done", 64,
		   store_call, 6);
	store_kind(store.schema, EV_GAP, "repo", "gap", 64, gap_fields, 4);
	assert_int_equal(store_open(&store, path, false, 0), 0);
	begun = store.ts;
	for (i = 0; i < SECONDS; i++) {
		append(EV_SYSCALL_DONE, begun + i * SECOND, 64, 0, 0);
		if (i == TOLD)
			append(EV_GAP, begun + i * SECOND + 1, 64, first, last);
	}
	assert_int_equal(store_close(&store), 0);
}

static int count(void *arg, const struct event *ev)
{
	uint64_t *events = arg;

	*events += ev->kind->number != EV_GAP;
	return 0;
}

/* A pass over the seconds @from .. @to (0: open). */
static void pass(uint64_t from, uint64_t to, uint64_t limit, uint64_t events,
		 uint64_t missing)
{
	struct replay_options o = {.limit = limit};
	struct replay_error why;
	char *paths[] = {path};
	uint64_t seen = 0;
	struct replay r;

	assert_int_equal(replay_open(&r, paths, 1, &o, &why), 0);
	r.from_ns = begun + from * SECOND;
	r.to_ns = to ? begun + to * SECOND : 0;
	assert_int_equal(replay_each(&r, count, &seen), 0);
	assert_int_equal(seen, events);
	assert_int_equal(r.events, events);
	assert_int_equal(r.missing, missing);
	replay_close(&r);
}

static void a_loss_is_told_where_its_span_touches(void **state)
{
	(void)state;
	record(store.ts + 9 * SECOND, store.ts + 10 * SECOND);
	pass(0, 0, 0, SECONDS, LOST);
	pass(10, 0, 0, SECONDS - 10, LOST);
	pass(11, 0, 0, SECONDS - 11, 0);
	pass(0, 9, 0, 9, 0);
	pass(0, 10, 0, 10, LOST);
}

/* It may have been at any time before it was told. */
static void a_loss_at_no_known_instant_is_told_of_what_was_before(void **state)
{
	(void)state;
	record(0, 0);
	pass(0, 0, 0, SECONDS, LOST);
	pass(TOLD - 1, 0, 0, SECONDS - TOLD + 1, LOST);
	pass(0, TOLD - 2, 0, TOLD - 2, LOST);
	pass(TOLD + 1, 0, 0, SECONDS - TOLD - 1, 0);
}

static void a_limit_ends_the_interval(void **state)
{
	(void)state;
	record(store.ts + 9 * SECOND, store.ts + 10 * SECOND);
	pass(0, 0, 1, 1, 0);
	pass(0, 0, 9, 9, 0);
	pass(0, 0, 10, 10, LOST); /* learned of later */
	pass(11, 0, 3, 3, 0);
	pass(0, 0, SECONDS, SECONDS, LOST);
	pass(0, 0, SECONDS + 1, SECONDS, LOST);
}

#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_loss_is_told_where_its_span_touches),
		T(a_loss_at_no_known_instant_is_told_of_what_was_before),
		T(a_limit_ends_the_interval),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
