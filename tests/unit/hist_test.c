// SPDX-License-Identifier: BSD-2-Clause
/*
 * hist_test.c - quantiles against sorted numbers, and the powers of two.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdlib.h>

#include "../../user/hist.h"

#define COUNT 20000

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

/* Of any size: so many bits at random. */
static uint64_t any(uint64_t *seed)
{
	uint64_t v;

	*seed = *seed * 6364136223846793005ULL + 1442695040888963407ULL;
	v = *seed >> 20 ^ *seed << 40;
	return v >> (*seed >> 58);
}

static void quantiles_are_within_a_256th(void **state)
{
	static const double shares[] = {0,    0.001, 0.1,   0.25, 0.5,
					0.75, 0.9,   0.999, 1};
	uint64_t *v = calloc(COUNT, sizeof(*v)), seed = 3, got, want, off;
	struct hist h = {0};
	size_t i, rank;

	(void)state;
	assert_non_null(v);
	for (i = 0; i < COUNT; i++) {
		v[i] = any(&seed);
		assert_int_equal(hist_add(&h, v[i]), 0);
	}
	qsort(v, COUNT, sizeof(*v), by_number);
	for (i = 0; i < sizeof(shares) / sizeof(shares[0]); i++) {
		rank = (size_t)(shares[i] * COUNT + 0.5);
		want = v[rank ? rank - 1 : 0];
		got = hist_quantile(&h, shares[i]);
		off = got > want ? got - want : want - got;
		assert_true(off <= want / 256);
	}
	assert_true(h.min == v[0] && h.max == v[COUNT - 1]);
	hist_done(&h);
	free(v);
}

static void small_numbers_are_exact(void **state)
{
	struct hist h = {0};
	unsigned i;

	(void)state;
	assert_int_equal(hist_quantile(&h, 0.5), 0);
	for (i = 0; i < 256; i++)
		assert_int_equal(hist_add(&h, i), 0);
	for (i = 1; i <= 256; i++)
		assert_int_equal(hist_quantile(&h, i / 256.0), i - 1);
	hist_done(&h);
	assert_int_equal(h.count, 0);
}

static void powers_of_two_are_told_apart(void **state)
{
	uint64_t counts[HIST_LOG2];
	struct hist h = {0};
	unsigned i;

	(void)state;
	hist_add(&h, 0);
	for (i = 0; i < 64; i++) {
		hist_add(&h, 1ULL << i);
		hist_add(&h, ((1ULL << i) - 1) | 1ULL << i);
	}
	hist_log2(&h, counts);
	assert_int_equal(counts[0], 1);
	for (i = 1; i < HIST_LOG2; i++)
		assert_int_equal(counts[i], 2);
	hist_done(&h);
}

/* Of any size, and with numbers of any size. */
static void many_are_counted_as_one_by_one(void **state)
{
	static const size_t counts[] = {1, 2, 3, 1023, 1024, 1025, 5000};
	struct hist one, many;
	uint64_t *v, x = 7;
	unsigned bits, i, q;
	size_t k;

	(void)state;
	for (i = 0; i < 7; i++) {
		for (bits = 1; bits <= 64; bits += 7) {
			one = many = (struct hist){0};
			v = calloc(counts[i], sizeof(*v));
			assert_non_null(v);
			for (k = 0; k < counts[i]; k++) {
				x = x * 6364136223846793005ULL + 1;
				v[k] = x >> (64 - bits);
				assert_int_equal(hist_add(&one, v[k]), 0);
			}
			assert_int_equal(hist_add_all(&many, v, counts[i]), 0);
			assert_int_equal(many.count, one.count);
			assert_int_equal(many.min, one.min);
			assert_int_equal(many.max, one.max);
			assert_true(many.sum == one.sum);
			for (q = 0; q <= 100; q++)
				assert_int_equal(
					hist_quantile(&many, q / 100.0),
					hist_quantile(&one, q / 100.0));
			hist_done(&one);
			hist_done(&many);
			free(v);
		}
	}
}

/* In one or in several, in any order: not a bit is different. */
static void parts_add_up_to_the_whole(void **state)
{
	struct hist all = {0}, part[3] = {{0}}, sum = {0};
	uint64_t v = 1;
	unsigned i;

	(void)state;
	for (i = 0; i < 3000; i++) {
		v = v * 6364136223846793005ULL + 1442695040888963407ULL;
		hist_add(&all, v >> i % 64);
		hist_add(&part[i % 7 % 3], v >> i % 64);
	}
	for (i = 3; i-- > 0;)
		assert_int_equal(hist_merge(&sum, &part[i]), 0);
	assert_int_equal(hist_merge(&sum, &(struct hist){0}), 0);
	assert_int_equal(sum.count, all.count);
	assert_int_equal(sum.min, all.min);
	assert_int_equal(sum.max, all.max);
	assert_true(sum.sum == all.sum);
	assert_true(hist_mean(&sum) == hist_mean(&all));
	for (i = 0; i <= 1000; i++)
		assert_int_equal(hist_quantile(&sum, i / 1000.0),
				 hist_quantile(&all, i / 1000.0));
	for (i = 0; i < 3; i++)
		hist_done(&part[i]);
	hist_done(&all);
	hist_done(&sum);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(quantiles_are_within_a_256th),
		cmocka_unit_test(small_numbers_are_exact),
		cmocka_unit_test(powers_of_two_are_told_apart),
		cmocka_unit_test(many_are_counted_as_one_by_one),
		cmocka_unit_test(parts_add_up_to_the_whole),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
