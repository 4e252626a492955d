// SPDX-License-Identifier: BSD-2-Clause
/* crc32c_test.c - known answers, and the two ways agree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>

#include "../../user/crc32c.h"

static void known_answers(void **state)
{
	uint8_t data[32];
	unsigned i;

	(void)state;
	assert_int_equal(crc32c(0, "", 0), 0);
	assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
	/* RFC 3720, B.4 */
	memset(data, 0, sizeof(data));
	assert_int_equal(crc32c(0, data, 32), 0x8a9136aa);
	memset(data, 0xff, sizeof(data));
	assert_int_equal(crc32c(0, data, 32), 0x62a8ab43);
	for (i = 0; i < 32; i++)
		data[i] = (uint8_t)i;
	assert_int_equal(crc32c(0, data, 32), 0x46dd794e);
	for (i = 0; i < 32; i++)
		data[i] = (uint8_t)(31 - i);
	assert_int_equal(crc32c(0, data, 32), 0x113fdb5c);
}

static void table_and_instruction_agree(void **state)
{
	uint8_t data[300];
	uint32_t x = 1;
	size_t i, from, len;

	(void)state;
	for (i = 0; i < sizeof(data); i++) {
		x = x * 1103515245 + 12345;
		data[i] = (uint8_t)(x >> 16);
	}
	for (from = 0; from < 9; from++)
		for (len = 0; len + from <= sizeof(data); len++)
			assert_int_equal(crc32c(7, data + from, len),
					 crc32c_table(7, data + from, len));
}

/* Long ones go by lanes. */
static void long_ones_agree(void **state)
{
	static uint8_t data[100000];
	uint32_t x = 1;
	size_t i, len;

	(void)state;
	for (i = 0; i < sizeof(data); i++) {
		x = x * 1103515245 + 12345;
		data[i] = (uint8_t)(x >> 16);
	}
	for (len = 12000; len < sizeof(data); len += len / 7 + 1)
		assert_int_equal(crc32c(9, data + len % 5, len - 5),
				 crc32c_table(9, data + len % 5, len - 5));
	for (len = 12288 - 2; len <= 12288 + 2; len++)
		assert_int_equal(crc32c(0, data, len),
				 crc32c_table(0, data, len));
}

static void parts_add_up(void **state)
{
	static const char text[] = "The quick brown fox jumps over the dog";
	size_t cut, len = strlen(text);
	uint32_t whole = crc32c(0, text, len);

	(void)state;
	for (cut = 0; cut <= len; cut++)
		assert_int_equal(
			crc32c(crc32c(0, text, cut), text + cut, len - cut),
			whole);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_answers),
		cmocka_unit_test(table_and_instruction_agree),
		cmocka_unit_test(long_ones_agree),
		cmocka_unit_test(parts_add_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
