// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/columns_code.h"

struct bytes {
	uint8_t data[CODE_MAX], code[CODE_MAX + CODE_SLACK], back[CODE_MAX];
};

static int begin(void **state)
{
	*state = calloc(1, sizeof(struct bytes));
	srand(1);
	return *state ? 0 : -1;
}

static int end(void **state)
{
	free(*state);
	return 0;
}

/* Small numbers are frequent: half of the rest at each step. */
static void fill(struct bytes *b, size_t len, unsigned spread)
{
	size_t i;

	for (i = 0; i < len; i++) {
		b->data[i] = (uint8_t)(rand() % spread);
		while (rand() % 2)
			b->data[i]++;
	}
}

/* There and back, read from memory that ends where the code does. */
static size_t there_and_back(struct bytes *b, size_t len)
{
	size_t n = code_put(b->data, len, b->code);
	uint8_t *exact;

	if (!n)
		return 0;
	assert_true(n < len);
	exact = malloc(n);
	assert_non_null(exact);
	memcpy(exact, b->code, n);
	memset(b->back, 0xa5, len);
	assert_int_equal(code_get(exact, n, b->back, len), 0);
	assert_memory_equal(b->back, b->data, len);
	free(exact);
	return n;
}

static void bytes_come_back_whatever_their_number(void **state)
{
	struct bytes *b = *state;
	size_t len;

	for (len = CODE_MIN; len < 1200; len++) {
		fill(b, len, 3);
		assert_true(there_and_back(b, len) > 0);
	}
	fill(b, CODE_MAX, 20);
	assert_true(there_and_back(b, CODE_MAX) > 0);
	fill(b, CODE_MAX - 1, 200);
	assert_true(there_and_back(b, CODE_MAX - 1) > 0);
}

static void two_bytes_take_a_bit_each(void **state)
{
	struct bytes *b = *state;
	size_t i;

	for (i = 0; i < 8000; i++)
		b->data[i] = i % 3 ? 255 : 0;
	assert_in_range(there_and_back(b, 8000), 1000, 1300);
}

/* Fibonacci: the optimal code would be longer than CODE_BITS. */
static void a_code_that_would_be_too_long_is_shortened(void **state)
{
	struct bytes *b = *state;
	size_t at = 0, few = 1, more = 1, next, i;
	unsigned byte;

	for (byte = 0; byte < 22; byte++) {
		for (i = 0; i < few; i++)
			b->data[at++] = (uint8_t)(10 * byte);
		next = few + more;
		few = more;
		more = next;
	}
	assert_true(there_and_back(b, at) > 0);
}

static void noise_is_left_as_it_is(void **state)
{
	struct bytes *b = *state;
	size_t i;

	for (i = 0; i < 4096; i++)
		b->data[i] = (uint8_t)rand();
	assert_int_equal(code_put(b->data, 4096, b->code), 0);
}

/* Whatever the bytes are, nothing outside is read or written. */
static void damage_is_found_or_harmless(void **state)
{
	struct bytes *b = *state;
	size_t len = 700, n, i;
	unsigned found = 0, bit;
	uint8_t *code;

	fill(b, len, 30);
	n = code_put(b->data, len, b->code);
	assert_true(n > 0);
	code = malloc(n);
	assert_non_null(code);
	for (i = 0; i < 8 * n; i++) {
		memcpy(code, b->code, n);
		bit = 1U << i % 8;
		code[i / 8] ^= (uint8_t)bit;
		found += code_get(code, n, b->back, len) == -EBADMSG;
	}
	assert_true(found > 0);
	free(code);
}

static void a_code_cut_short_is_refused(void **state)
{
	struct bytes *b = *state;
	size_t len = 300, n, i;
	uint8_t *code;

	fill(b, len, 9);
	n = code_put(b->data, len, b->code);
	for (i = 0; i < n; i++) {
		code = malloc(i + 1);
		assert_non_null(code);
		memcpy(code, b->code, i);
		assert_int_equal(code_get(code, i, b->back, len), -EBADMSG);
		free(code);
	}
}

static void a_length_that_no_writer_has_is_refused(void **state)
{
	struct bytes *b = *state;
	size_t n;

	fill(b, 100, 5);
	n = code_put(b->data, 100, b->code);
	assert_int_equal(code_get(b->code, n, b->back, CODE_MIN - 1), -EBADMSG);
	assert_int_equal(code_get(b->code, n, b->back, CODE_MAX + 1), -EBADMSG);
	assert_int_equal(code_get(b->code, n, b->back, 0), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(bytes_come_back_whatever_their_number),
		cmocka_unit_test(two_bytes_take_a_bit_each),
		cmocka_unit_test(a_code_that_would_be_too_long_is_shortened),
		cmocka_unit_test(noise_is_left_as_it_is),
		cmocka_unit_test(damage_is_found_or_harmless),
		cmocka_unit_test(a_code_cut_short_is_refused),
		cmocka_unit_test(a_length_that_no_writer_has_is_refused),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
