// SPDX-License-Identifier: BSD-2-Clause
/* buf_test.c - numbers, padding, flushing, and memory that runs out. */
#include <errno.h>
#include <unistd.h>

#include "../../user/arena.h"
#include "model.h"

static void numbers(void **state)
{
	static const struct {
		uint64_t v;
		const char *text;
	} rows[] = {
		{0, "0"},
		{9, "9"},
		{10, "10"},
		{99, "99"},
		{100, "100"},
		{12345, "12345"},
		{999999, "999999"},
		{1ULL << 63, "9223372036854775808"},
		{UINT64_MAX, "18446744073709551615"},
	};
	struct buf b = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		buf_u64(&b, rows[i].v);
		expect(&b, rows[i].text);
	}
	buf_s64(&b, INT64_MIN);
	expect(&b, "-9223372036854775808");
	buf_s64(&b, -1);
	expect(&b, "-1");
	buf_s64(&b, INT64_MAX);
	expect(&b, "9223372036854775807");
	buf_hex(&b, 0);
	expect(&b, "0x0");
	buf_hex(&b, UINT64_MAX);
	expect(&b, "0xffffffffffffffff");
	buf_u64_width(&b, 7, 3);
	buf_u64_width(&b, 1234, 3);
	buf_u64_width(&b, 0, 1);
	expect(&b, "00712340");
	buf_done(&b);
}

static void pieces_make_a_whole(void **state)
{
	struct buf b = {0};
	int i;

	(void)state;
	for (i = 0; i < 1000; i++)
		buf_put(&b, "0123456789", 10);
	assert_int_equal(b.len, 10000);
	for (i = 0; i < 10000; i++)
		assert_int_equal(b.data[i], '0' + i % 10);
	buf_reset(&b);
	buf_puts(&b, "a");
	buf_put(&b, NULL, 0);
	buf_printf(&b, "%s-%d", "b", 7);
	buf_putc(&b, '!');
	expect(&b, "ab-7!");
	buf_done(&b);
	buf_done(&b);
	buf_done(NULL);
}

static void padding_counts_characters(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "head\n");
	buf_puts(&b, "gr\xc3\xbcn");
	buf_pad(&b, 5, 6);
	buf_putc(&b, '|');
	buf_pad(&b, 5, 3);
	expect(&b, "head\ngr\xc3\xbcn  |");
	buf_done(&b);
}

static void running_out_of_memory_is_latched(void **state)
{
	struct buf b = {0};

	(void)state;
	buf_puts(&b, "kept");
	assert_null(buf_space(&b, SIZE_MAX / 2));
	buf_puts(&b, "dropped");
	assert_int_equal(buf_err(&b), -ENOMEM);
	assert_int_equal(b.len, 4);
	assert_int_equal(buf_flush(&b, -1), -ENOMEM);
	assert_int_equal(buf_err(&b), 0);
	buf_puts(&b, "again");
	expect(&b, "again");
	buf_done(&b);
}

static void flushing_writes_all_or_tells(void **state)
{
	struct buf b = {0};
	char got[16] = "";
	int fd[2];

	(void)state;
	assert_int_equal(pipe(fd), 0);
	buf_puts(&b, "through");
	assert_int_equal(buf_flush(&b, fd[1]), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(buf_flush(&b, fd[1]), 0);
	assert_int_equal(read(fd[0], got, sizeof(got)), 7);
	assert_string_equal(got, "through");
	close(fd[0]);
	close(fd[1]);
	buf_puts(&b, "nowhere");
	assert_int_equal(buf_flush(&b, fd[1]), -EBADF);
	assert_int_equal(b.len, 0);
	buf_done(&b);
}

static void arena_hands_out_aligned_zeroes(void **state)
{
	struct arena a = {0};
	size_t sizes[] = {0, 1, 15, 16, 17, 4096, 8192, 8193, 100000}, i, j;

	(void)state;
	for (i = 0; i < sizeof(sizes) / sizeof(*sizes); i++) {
		unsigned char *p = arena_alloc(&a, sizes[i]);

		assert_non_null(p);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (j = 0; j < sizes[i]; j++)
			assert_int_equal(p[j], 0);
		memset(p, 0xff, sizes[i]);
	}
	assert_string_equal(arena_copy(&a, "abcdef", 3), "abc");
	assert_string_equal(arena_printf(&a, "%d:%s", 7, "x"), "7:x");
	assert_null(arena_array(&a, SIZE_MAX / 2, 3));
	assert_null(arena_alloc(&a, SIZE_MAX - 3));
	arena_done(&a);
	arena_done(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(pieces_make_a_whole),
		cmocka_unit_test(padding_counts_characters),
		cmocka_unit_test(running_out_of_memory_is_latched),
		cmocka_unit_test(flushing_writes_all_or_tells),
		cmocka_unit_test(arena_hands_out_aligned_zeroes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
