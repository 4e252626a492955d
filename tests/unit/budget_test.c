// SPDX-License-Identifier: BSD-2-Clause
/* budget_test.c - what is shed first, how far, and when it comes back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../user/budget.h"

#define S      1000000000ULL
#define STEP   (S / 2)
#define PPM_NS 1000.0 /* ns a second */

enum { TASK, SCHED, CALLS, DISK, SOURCES };

/* A host: what its sources make, and what an event costs there. */
static struct host {
	double asked[SOURCES]; /* a second */
	double bare[SOURCES], made[SOURCES], here[SOURCES];
	double rest_ns;
} host;

static struct budget budget;
static uint64_t now;
static unsigned changes;

static void begin(uint64_t ppm, uint64_t bytes)
{
	static const unsigned values[SOURCES] = {0, 1, 2, 3};
	const struct budget_limit limit = {.ppm = ppm, .bytes = bytes};
	unsigned i;

	host = (struct host){.rest_ns = 2e6};
	for (i = 0; i < SOURCES; i++) {
		host.bare[i] = 70;
		host.made[i] = 200;
		host.here[i] = 300;
	}
	now = 100 * S;
	changes = 0;
	budget_init(&budget, &limit, values, SOURCES);
}

static double part(unsigned i)
{
	return 1.0 / (double)(1U << budget.source[i].log2);
}

/* What it takes per second, as it is. */
static double cost_ns(void)
{
	double sum = host.rest_ns;
	unsigned i;

	for (i = 0; i < SOURCES; i++)
		sum += host.asked[i] *
		       (host.bare[i] + (host.made[i] + host.here[i]) * part(i));
	return sum;
}

static void step(void)
{
	struct budget_load loads[SOURCES] = {0}, rest = {0};
	unsigned i;

	rest.user_ns = host.rest_ns;
	for (i = 0; i < SOURCES; i++) {
		loads[i].asked = host.asked[i];
		loads[i].kernel_ns = host.asked[i] *
				     (host.bare[i] + host.made[i] * part(i));
		loads[i].user_ns = host.asked[i] * host.here[i] * part(i);
		loads[i].bytes = host.asked[i] * 10 * part(i);
	}
	now += STEP;
	changes += budget_decide(&budget, loads, &rest, now);
}

static void steps(unsigned n)
{
	while (n--)
		step();
}

static void calls_for(double calls, unsigned n)
{
	host.asked[CALLS] = calls;
	steps(n);
}

/* Two minutes, on and off for 3 s each. */
static void calls_come_and_go(void)
{
	unsigned i;

	changes = 0;
	for (i = 0; i < 240; i++)
		calls_for(i / 6 % 2 ? 500000 : 1000, 1);
}

static void nothing_is_shed_within_the_budget(void **state)
{
	(void)state;
	begin(100000, 0);
	calls_for(100000, 50);
	assert_false(budget_sheds(&budget));
	assert_int_equal(changes, 0);
}

static void a_flood_is_brought_below_within_four_steps(void **state)
{
	double calls;

	(void)state;
	for (calls = 1e5; calls < 1.2e6; calls *= 1.3) {
		begin(100000, 0);
		calls_for(calls, 4);
		assert_true(cost_ns() <= 100000 * PPM_NS);
		steps(100);
		assert_true(cost_ns() <= 100000 * PPM_NS);
	}
}

static void tasks_are_never_shed(void **state)
{
	(void)state;
	begin(10000, 0);
	host.asked[TASK] = 1e6;
	steps(20);
	assert_false(budget_sheds(&budget));
	assert_true(budget.short_of);
}

static void the_least_valuable_goes_first(void **state)
{
	(void)state;
	begin(100000, 0);
	host.asked[SCHED] = 200000;
	host.asked[CALLS] = 80000;
	host.asked[DISK] = 10000;
	steps(3);
	assert_true(budget.source[SCHED].log2 > 0);
	assert_int_equal(budget.source[CALLS].log2, 0);
	assert_int_equal(budget.source[DISK].log2, 0);
}

static void what_saves_nothing_is_left_alone(void **state)
{
	(void)state;
	begin(100000, 0);
	host.asked[SCHED] = 500;
	calls_for(1000000, 4);
	assert_int_equal(budget.source[SCHED].log2, 0);
	assert_true(budget.source[CALLS].log2 > 0);
	assert_true(budget.source[CALLS].log2 < 10);
}

static void hooks_that_are_too_dear_are_told_of(void **state)
{
	(void)state;
	begin(20000, 0);
	calls_for(2e6, 20);
	assert_true(budget_over(&budget));
	assert_true(budget.short_of);
	assert_true(budget.source[CALLS].log2 <= BUDGET_LOG2_MAX);
	calls_for(1000, 1);
	assert_false(budget.short_of);
}

static void bytes_have_a_limit_of_their_own(void **state)
{
	(void)state;
	begin(0, 1000000);
	calls_for(400000, 4); /* 4 MB/s */
	assert_true(host.asked[CALLS] * 10 * part(CALLS) <= 1e6);
	assert_int_equal(budget.source[CALLS].log2, 3);
}

static void all_is_recorded_again_when_the_load_falls(void **state)
{
	(void)state;
	begin(100000, 0);
	calls_for(500000, 10);
	assert_true(budget_sheds(&budget));
	calls_for(1000, 20);
	assert_false(budget_sheds(&budget));
}

/* The hooks alone cost too much, for what nobody asks to record. */
static void shedding_that_saves_nothing_ends(void **state)
{
	(void)state;
	begin(100000, 0);
	calls_for(500000, 10);
	assert_true(budget_sheds(&budget));
	host.asked[CALLS] = 1000;
	host.rest_ns = 2e8;
	steps(20);
	assert_true(budget_over(&budget));
	assert_false(budget_sheds(&budget));
}

static void a_steady_load_settles(void **state)
{
	double calls;

	(void)state;
	for (calls = 1e5; calls < 2e6; calls *= 1.07) {
		begin(100000, 0);
		calls_for(calls, 20);
		changes = 0;
		steps(200);
		assert_in_range(changes, 0, 1);
	}
}

static void a_load_that_comes_and_goes_makes_it_wait(void **state)
{
	(void)state;
	begin(100000, 0);
	calls_come_and_go();
	assert_true(changes < 24);
	calls_come_and_go();
	assert_true(changes < 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_is_shed_within_the_budget),
		cmocka_unit_test(a_flood_is_brought_below_within_four_steps),
		cmocka_unit_test(tasks_are_never_shed),
		cmocka_unit_test(the_least_valuable_goes_first),
		cmocka_unit_test(what_saves_nothing_is_left_alone),
		cmocka_unit_test(hooks_that_are_too_dear_are_told_of),
		cmocka_unit_test(bytes_have_a_limit_of_their_own),
		cmocka_unit_test(all_is_recorded_again_when_the_load_falls),
		cmocka_unit_test(shedding_that_saves_nothing_ends),
		cmocka_unit_test(a_steady_load_settles),
		cmocka_unit_test(a_load_that_comes_and_goes_makes_it_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
