// SPDX-License-Identifier: BSD-2-Clause
/* units_test.c - spans, sizes and instants as people write them; globs. */
#include <errno.h>
#include <time.h>

#include "../../user/glob.h"
#include "../../user/units.h"
#include "model.h"

#define SENTINEL 4711

struct row {
	const char *text;
	int err;
	uint64_t value;
};

static void check(const struct row *rows, size_t n,
		  int (*parse)(const char *text, uint64_t *ret))
{
	uint64_t v;
	size_t i;

	for (i = 0; i < n; i++) {
		int err;

		v = SENTINEL;
		err = parse(rows[i].text, &v);
		if (err != rows[i].err || v != (err ? SENTINEL : rows[i].value))
			fail_msg("'%s': %d, %llu", rows[i].text, err,
				 (unsigned long long)v);
	}
}

#define CHECK(rows, parse) check(rows, sizeof(rows) / sizeof(*(rows)), parse)

static void numbers(void **state)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"007", 0, 7},
		{"0x1F", 0, 31},
		{"18446744073709551615", 0, UINT64_MAX},
		{"0xffffffffffffffff", 0, UINT64_MAX},
		{"18446744073709551616", -ERANGE, 0},
		{"0x10000000000000000", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"0x", -EINVAL, 0},
		{"-1", -EINVAL, 0},
		{"+1", -EINVAL, 0},
		{" 1", -EINVAL, 0},
		{"1 ", -EINVAL, 0},
		{"1x", -EINVAL, 0},
		{"ff", -EINVAL, 0},
	};
	int64_t v = SENTINEL;

	(void)state;
	CHECK(rows, parse_u64);
	assert_int_equal(parse_s64("-9223372036854775808", &v), 0);
	assert_true(v == INT64_MIN);
	assert_int_equal(parse_s64("9223372036854775807", &v), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(parse_s64("+5", &v), 0);
	assert_true(v == 5);
	assert_int_equal(parse_s64("9223372036854775808", &v), -ERANGE);
	assert_int_equal(parse_s64("-9223372036854775809", &v), -ERANGE);
	assert_int_equal(parse_s64("--5", &v), -EINVAL);
	assert_true(v == 5);
}

static void durations(void **state)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"0s", 0, 0},
		{"1ns", 0, 1},
		{"10us", 0, 10000},
		{"10ms", 0, 10000000},
		{"5s", 0, 5000000000},
		{"2m", 0, 120000000000},
		{"2h", 0, 7200000000000},
		{"1d", 0, 86400000000000},
		{"2.5s", 0, 2500000000},
		{"0.5ns", 0, 0},
		{"1.0000000019s", 0, 1000000001},
		{"1h30m", 0, 5400000000000},
		{"1m0.5s", 0, 60500000000},
		{"213503d", 0, 18446659200000000000ULL},
		{"213504d", -ERANGE, 0},
		{"99999999999999999999s", -ERANGE, 0},
		{"213503d99h", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"10", -EINVAL, 0},
		{"ms", -EINVAL, 0},
		{"10 ms", -EINVAL, 0},
		{"10MS", -EINVAL, 0},
		{"10msx", -EINVAL, 0},
		{"1.s", -EINVAL, 0},
		{".5s", -EINVAL, 0},
		{"-5s", -EINVAL, 0},
		{"30m1h", -EINVAL, 0},
		{"1s1s", -EINVAL, 0},
		{"1h30", -EINVAL, 0},
		{"1e3s", -EINVAL, 0},
	};

	(void)state;
	CHECK(rows, parse_duration_ns);
}

static void sizes(void **state)
{
	static const struct row rows[] = {
		{"0", 0, 0},
		{"4096", 0, 4096},
		{"512B", 0, 512},
		{"64K", 0, 65536},
		{"64k", 0, 65536},
		{"64KB", 0, 65536},
		{"64KiB", 0, 65536},
		{"1.5M", 0, 1572864},
		{"1G", 0, 1073741824},
		{"2T", 0, 2199023255552},
		{"1P", 0, 1125899906842624},
		{"15E", 0, 17293822569102704640ULL},
		{"15.9E", 0, 18331451923248866918ULL},
		{"16E", -ERANGE, 0},
		{"99999999999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"K", -EINVAL, 0},
		{"1.5", -EINVAL, 0},
		{"1KK", -EINVAL, 0},
		{"1KiBs", -EINVAL, 0},
		{"1iB", -EINVAL, 0},
		{"1Ki", -EINVAL, 0},
		{"-1K", -EINVAL, 0},
		{"1 K", -EINVAL, 0},
	};

	(void)state;
	CHECK(rows, parse_size);
}

/* 2026-11-22T14:03:20Z, a Sunday */
#define NOW 1795356200000000000ULL

static int from_now(const char *text, uint64_t *ret)
{
	return parse_time(text, NOW, ret);
}

static void zone(const char *tz)
{
	setenv("TZ", tz, 1);
	tzset();
}

static void instants(void **state)
{
	static const struct row rows[] = {
		{"now", 0, NOW},
		{"-5m", 0, NOW - 300000000000},
		{"-0", 0, NOW},
		{"-1d12h", 0, NOW - 129600000000000},
		{"@1795356200", 0, NOW},
		{"@1795356200.25", 0, NOW + 250000000},
		{"2026-11-22T14:03:20Z", 0, NOW},
		{"2026-11-22 14:03:20.000000001Z", 0, NOW + 1},
		{"2026-11-22t14:03z", 0, NOW - 20000000000},
		{"2026-11-22T15:03:20+01:00", 0, NOW},
		{"2026-11-22T08:33:20-0530", 0, NOW},
		{"2026-11-22", 0, NOW - 50600000000000},
		{"2026-11-22Z", 0, NOW - 50600000000000},
		{"2026-11-22T14:03:20", 0, NOW},
		{"14:03:20", 0, NOW},
		{"14:03:20.5", 0, NOW + 500000000},
		{"14:03", 0, NOW - 20000000000},
		/* the nearest: 03:00 of tomorrow, 03:10 of today */
		{"02:00", 0, NOW + 43000000000000},
		{"02:10", 0, NOW - 42800000000000},
		{"1970-01-01T00:00:00Z", 0, 0},
		{"1970-01-01T00:00:00+01:00", -ERANGE, 0},
		{"-99999d", -ERANGE, 0},
		{"@99999999999999", -ERANGE, 0},
		{"", -EINVAL, 0},
		{"-", -EINVAL, 0},
		{"-5", -EINVAL, 0},
		{"@", -EINVAL, 0},
		{"@1x", -EINVAL, 0},
		{"nowx", -EINVAL, 0},
		{"24:00", -EINVAL, 0},
		{"14:60", -EINVAL, 0},
		{"14:03:60", -EINVAL, 0},
		{"14:03:2", -EINVAL, 0},
		{"14:03:", -EINVAL, 0},
		{"14:03:20.", -EINVAL, 0},
		{"14:03:20x", -EINVAL, 0},
		{"2026-11-22T", -EINVAL, 0},
		{"2026-11-22T14:03:20+25:00", -EINVAL, 0},
		{"2026-11-22T14:03:20 Z", -EINVAL, 0},
		{"2026-02-30", -EINVAL, 0},
		{"2026-13-01", -EINVAL, 0},
		{"2026-00-01", -EINVAL, 0},
		{"2026-11-00", -EINVAL, 0},
		{"1969-12-31", -EINVAL, 0},
		{"9999-01-01", -EINVAL, 0},
		{"26-11-22", -EINVAL, 0},
	};
	uint64_t v;

	(void)state;
	zone("UTC");
	CHECK(rows, from_now);
	zone("IST-05:30");
	assert_int_equal(parse_time("2026-11-22T19:33:20", NOW, &v), 0);
	assert_true(v == NOW);
	assert_int_equal(parse_time("19:33:20", NOW, &v), 0);
	assert_true(v == NOW);
	assert_int_equal(parse_time("00:00", 0, &v), 0);
	assert_true(v == 66600000000000);
	unsetenv("TZ");
	tzset();
}

static void globs(void **state)
{
	static const struct {
		const char *pattern, *text;
		bool match;
	} rows[] = {
		{"", "", true},
		{"", "a", false},
		{"*", "", true},
		{"*", "a/b", true},
		{"a", "a", true},
		{"a", "ab", false},
		{"a*", "abc", true},
		{"*c", "abc", true},
		{"a*c*e", "abcde", true},
		{"a*c*f", "abcde", false},
		{"*.log", "x.log.log", true},
		{"?", "", false},
		{"?", "a", true},
		{"a?c", "abc", true},
		{"[abc]x", "bx", true},
		{"[a-c]x", "bx", true},
		{"[a-c]x", "dx", false},
		{"[!a-c]x", "dx", true},
		{"[^a-c]x", "bx", false},
		{"[]]x", "]x", true},
		{"[]a]x", "ax", true},
		{"[a-]x", "-x", true},
		{"[ab", "[ab", true},
		{"[", "[", true},
		{"[]", "[]", true},
		{"[!]", "[!]", true},
		{"\\*", "*", true},
		{"\\*", "a", false},
		{"\\", "\\", true},
		{"a\\?b", "a?b", true},
		{"**a**", "bab", true},
		{"A", "a", false},
	};
	char many[2000];
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (glob_match(rows[i].pattern, strlen(rows[i].pattern),
			       rows[i].text,
			       strlen(rows[i].text)) != rows[i].match)
			fail_msg("%s %s", rows[i].pattern, rows[i].text);
	assert_true(glob_match("ls -l*", 6, "ls\0-la", 6));
	/* no blow-up: many stars against many of the same letter */
	memset(many, 'a', sizeof(many));
	assert_false(
		glob_match("*a*a*a*a*a*a*a*a*a*a*b", 22, many, sizeof(many)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers), cmocka_unit_test(durations),
		cmocka_unit_test(sizes),   cmocka_unit_test(instants),
		cmocka_unit_test(globs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
