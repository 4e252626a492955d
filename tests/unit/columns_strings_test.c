// SPDX-License-Identifier: BSD-2-Clause
/* columns_strings_test.c - a block's dictionary, of names that somebody chose.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "../../user/columns_strings.h"

#define BLOCKS 12 /* of 16 bytes */
#define NAMES  (1U << BLOCKS)
#define LEN    (16 * BLOCKS)

/*
 * Of two words the highest bit of the first, and bit 4 of the second: a hash
 * that rotates by 5, adds a word by XOR and multiplies does not see it.
 */
static void make_name(char name[LEN], unsigned which)
{
	unsigned i;

	memset(name, 'a', LEN);
	for (i = 0; i < BLOCKS; i++) {
		if (!(which >> i & 1))
			continue;
		name[16 * i + 7] ^= (char)0x80;
		name[16 * i + 8] ^= 0x10;
	}
}

static int by_value(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

static unsigned count_hashes(const struct strings *s)
{
	const struct string_entry *e = (const void *)s->entries.data;
	uint32_t *hash = calloc(s->count, sizeof(*hash));
	unsigned i, n = 1;

	assert_non_null(hash);
	for (i = 0; i < s->count; i++)
		hash[i] = e[i].hash;
	qsort(hash, s->count, sizeof(*hash), by_value);
	for (i = 1; i < s->count; i++)
		n += hash[i] != hash[i - 1];
	free(hash);
	return n;
}

static void names_cannot_be_chosen_to_collide(void **state)
{
	struct strings s = {0};
	char name[LEN];
	unsigned i;

	(void)state;
	assert_int_equal(strings_reset(&s), 0);
	for (i = 0; i < NAMES; i++) {
		make_name(name, i);
		assert_int_equal(strings_number(&s, name, LEN), i);
	}
	make_name(name, 77);
	assert_int_equal(strings_number(&s, name, LEN), 77);
	assert_in_range(count_hashes(&s), NAMES - 8, NAMES);
	strings_done(&s);
}

/* Of every length, and differing in any one byte. */
static void every_byte_counts(void **state)
{
	struct strings s = {0};
	char name[80];
	unsigned len, i, n = 0;

	(void)state;
	assert_int_equal(strings_reset(&s), 0);
	for (len = 0; len <= sizeof(name); len++) {
		memset(name, 'x', sizeof(name));
		assert_int_equal(strings_number(&s, name, len), n++);
		for (i = 0; i < len; i++) {
			name[i] = 'y';
			assert_int_equal(strings_number(&s, name, len), n++);
			name[i] = 'x';
		}
	}
	assert_in_range(count_hashes(&s), n - 8, n);
	strings_done(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_cannot_be_chosen_to_collide),
		cmocka_unit_test(every_byte_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
