// SPDX-License-Identifier: BSD-2-Clause
/* trigger_test.c - what fires when, and what is held back. */
#include "store.h"

#include "../../user/source.h"
#include "../../user/trigger.h"

static struct sources *sources;
static const struct schema *schema;
static struct tasks *tasks;
static struct trigger *trigger;
static struct filter_error err;

static int setup(void **state)
{
	struct sources_options o = {0};
	char why[256];

	(void)state;
	assert_int_equal(sources_open(&sources, &o, why, sizeof(why)), 0);
	schema = sources_schema(sources);
	return tasks_new(&tasks, schema);
}

static int teardown(void **state)
{
	(void)state;
	tasks_free(tasks);
	sources_free(sources);
	return 0;
}

static int make(const char *text)
{
	return trigger_new(&trigger, text, schema, tasks, 0, &err);
}

static enum trigger_said latency(uint64_t ts, uint64_t ns)
{
	struct ev_block_io io = {.latency = ns};
	struct event ev;

	io.h.ts = ts;
	io.h.kind = EV_BLOCK_IO;
	io.h.len = sizeof(io);
	assert_int_equal(event_init(&ev, schema, &io, sizeof(io)), 0);
	return trigger_event(trigger, &ev);
}

static void an_event_fires_it(void **state)
{
	(void)state;
	assert_int_equal(make("block_io.latency > 100ms"), 0);
	assert_string_equal(trigger_text(trigger), "block_io.latency > 100ms");
	assert_true(trigger_after_ns(trigger) == TRIGGER_AFTER_NS);
	assert_true(trigger_kinds(trigger)[EV_BLOCK_IO]);
	assert_false(trigger_kinds(trigger)[EV_TASK_EXIT]);
	assert_int_equal(latency(1, 100 * NS_PER_MS), TRIGGER_NOTHING);
	assert_int_equal(latency(2, 101 * NS_PER_MS), TRIGGER_FIRES);
	trigger_free(trigger);
}

static void limits_stop_a_storm_and_say_so_once(void **state)
{
	struct trigger_stats s;
	uint64_t ts;

	(void)state;
	assert_int_equal(make("latency > 0,after=2s,max=3/1m,every=1s"), 0);
	assert_true(trigger_after_ns(trigger) == 2 * NS_PER_S);
	assert_int_equal(latency(0, 1), TRIGGER_FIRES);
	assert_int_equal(latency(1, 1), TRIGGER_HOLDS);
	assert_int_equal(latency(2, 1), TRIGGER_HELD);
	assert_int_equal(latency(3 * NS_PER_S - 1, 1), TRIGGER_HELD);
	assert_int_equal(latency(3 * NS_PER_S, 1), TRIGGER_FIRES);
	assert_int_equal(latency(6 * NS_PER_S, 1), TRIGGER_FIRES);
	assert_int_equal(latency(9 * NS_PER_S, 1), TRIGGER_HOLDS);
	for (ts = 10; ts < 60; ts++)
		assert_int_equal(latency(ts * NS_PER_S, 1), TRIGGER_HELD);
	assert_int_equal(latency(60 * NS_PER_S, 1), TRIGGER_FIRES);
	trigger_stats(trigger, &s);
	assert_int_equal(s.fired, 4);
	assert_int_equal(s.held, 3 + 51);
	trigger_free(trigger);
}

static void a_rate_fires_above_it(void **state)
{
	uint64_t i;

	(void)state;
	assert_int_equal(make("count(block_io) > 5/s,every=1ms,after=0"), 0);
	assert_true(trigger_kinds(trigger)[EV_BLOCK_IO]);
	assert_false(trigger_kinds(trigger)[EV_TASK_FORK]);
	for (i = 0; i < 50; i++) /* exactly 5 in each second */
		assert_int_equal(latency(i * NS_PER_S / 5, 1), TRIGGER_NOTHING);
	assert_int_equal(latency(49 * NS_PER_S / 5 + 1, 1), TRIGGER_FIRES);
	trigger_free(trigger);
}

static enum trigger_said weighed(uint64_t ts, unsigned log2)
{
	struct ev_block_io io = {.latency = 1};
	struct event ev;

	io.h.ts = ts;
	io.h.kind = EV_BLOCK_IO;
	io.h.len = sizeof(io);
	io.h.flags = (uint16_t)(log2 << WEIR_WEIGHT_SHIFT);
	assert_int_equal(event_init(&ev, schema, &io, sizeof(io)), 0);
	return trigger_event(trigger, &ev);
}

static void a_rate_counts_what_an_event_stands_for(void **state)
{
	uint64_t i;

	(void)state;
	assert_int_equal(make("count(block_io) > 40/s,every=1ms,after=0"), 0);
	for (i = 0; i < 50; i++) /* 5 that stand for 8 each in a second */
		assert_int_equal(weighed(i * NS_PER_S / 5, 3), TRIGGER_NOTHING);
	assert_int_equal(weighed(49 * NS_PER_S / 5 + 1, 0), TRIGGER_FIRES);
	trigger_free(trigger);
	assert_int_equal(make("count(block_io) > 40/s,every=1ms,after=0"), 0);
	assert_int_equal(weighed(0, 5), TRIGGER_NOTHING);
	assert_int_equal(weighed(2 * NS_PER_S, 20), TRIGGER_FIRES);
	trigger_free(trigger);
}

static void a_rate_counts_what_its_filter_says(void **state)
{
	uint64_t i;

	(void)state;
	assert_int_equal(make("count(latency > 10 and kind in (block_io)) > "
			      "2/10s"),
			 0);
	for (i = 0; i < 100; i++)
		assert_int_equal(latency(i, 5), TRIGGER_NOTHING);
	assert_int_equal(latency(101, 11), TRIGGER_NOTHING);
	assert_int_equal(latency(102, 11), TRIGGER_NOTHING);
	assert_int_equal(latency(103, 11), TRIGGER_FIRES);
	trigger_free(trigger);
}

static void a_comma_of_the_filter_is_no_limit(void **state)
{
	(void)state;
	assert_int_equal(make("op in (read, write),max=2/5m"), 0);
	assert_string_equal(trigger_text(trigger), "op in (read, write)");
	trigger_free(trigger);
}

static void what_is_wrong_is_told_with_its_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} bad[] = {
		{"latencyy > 5", 0},
		{"latency > 5ms and", 17},
		{"latency > 5ms,after=5parsecs", 20},
		{"latency > 5ms,max=10", 18},
		{"latency > 5ms,max=0/s", 18},
		{"count(block_io) < 5/s", 16},
		{"count(block_io) > 5", 18},
		{"count(block_io > 5/s", 6},
		{"count(nothing_like_it) > 5/s", 6},
		{"", 0},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(make(bad[i].text), -EINVAL);
		assert_true(err.what[0]);
		if (err.at != bad[i].at)
			fail_msg("%s: at %zu: %s", bad[i].text, err.at,
				 err.what);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_event_fires_it),
		cmocka_unit_test(limits_stop_a_storm_and_say_so_once),
		cmocka_unit_test(a_rate_fires_above_it),
		cmocka_unit_test(a_rate_counts_what_an_event_stands_for),
		cmocka_unit_test(a_rate_counts_what_its_filter_says),
		cmocka_unit_test(a_comma_of_the_filter_is_no_limit),
		cmocka_unit_test(what_is_wrong_is_told_with_its_place),
	};

	return cmocka_run_group_tests_name("trigger", tests, setup, teardown);
}
