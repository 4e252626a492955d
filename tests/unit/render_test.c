// SPDX-License-Identifier: BSD-2-Clause
/* render_test.c - every meaning of a number in text, JSON and CSV. */
#include <time.h>

#include "render_fixture.h"

#define HOUR_NS 3600000000000ULL

/* ---- numbers by meaning -------------------------------------------------- */

static const struct {
	const char *field;
	uint64_t value;
	const char *text, *json, *csv;
} numbers[] = {
	{"plain", 42, "42", "\"plain\":42,", ",42,"},
	{"negative", (uint64_t)-7, "-7", "\"negative\":-7,", ",-7,"},
	{"small", 0x80, "-128", "\"small\":-128,", ",-128,"},
	{"flag", 1, "1", "\"flag\":true,", ",1,"},
	{"flag", 0, "0", "\"flag\":false,", ""},
	{"port", 65535, "65535", "\"port\":65535,", ",65535,"},
	{"colour", 1, "green", "\"colour\":\"green\",", ",green,"},
	{"colour", (uint64_t)-1, "ultra", "\"colour\":\"ultra\",", ",ultra,"},
	{"colour", 5, "colour_5", "\"colour\":\"colour_5\",", ",colour_5,"},
	{"when", 6000000000, "14:03:21.000000", "\"when\":1795356201000000000,",
	 ",2026-11-22T14:03:21.000000000Z,"},
	{"when", 0, "-", "\"when\":null,", ""},
	{"span", 12345, "12.3us", "\"span\":12345,", ",12345,"},
	{"other_pid", 77, "77", "\"other_pid\":77,", ",77,"},
	{"other_tid", 78, "78", "\"other_tid\":78,", ",78,"},
	{"user", 1000, "1000", "\"user\":1000,", ",1000,"},
	{"error", 2, "ENOENT", "\"error\":2,\"error_name\":\"ENOENT\",",
	 ",ENOENT,"},
	{"error", 0, "0", "\"error\":0,\"size\"", ",0,"},
	{"error", 9999, "9999", "\"error\":9999,\"size\"", ",9999,"},
	{"size", 8192, "8.0K", "\"size\":8192,", ",8192,"},
	{"number", UINT64_MAX, "18446744073709551615",
	 "\"number\":18446744073709551615,", ",18446744073709551615,"},
	{"ret", 3, "3", "\"ret\":3,\"on_cpu\"", ",3,"},
	{"ret", (uint64_t)-2, "-1 ENOENT",
	 "\"ret\":-2,\"ret_name\":\"ENOENT\",", ",-2,"},
	{"ret", (uint64_t)-512, "-1 ERESTARTSYS",
	 "\"ret_name\":\"ERESTARTSYS\",", ",-512,"},
	{"ret", (uint64_t)-9999, "-9999", "\"ret\":-9999,\"on_cpu\"",
	 ",-9999,"},
	{"ret", 0x7f0012345000, "0x7f0012345000", "\"ret\":139638282145792,",
	 ",139638282145792,"},
	{"on_cpu", 3, "3", "\"on_cpu\":3,", ",3,"},
	{"on_cpu", UINT32_MAX, "any", "\"on_cpu\":4294967295,", ",4294967295,"},
	{"dev", 8 << 20 | 17, "8:17", "\"dev\":\"8:17\",", ",8:17,"},
	{"group", 4711, "4711", "\"group\":4711,", ",4711,"},
	{"sector", 1234560, "1234560", "\"sector\":1234560,", ",1234560,"},
	{"sig", 9, "SIGKILL", "\"sig\":9,\"sig_name\":\"SIGKILL\",",
	 ",SIGKILL,"},
	{"sig", 37, "SIGRTMIN+3", "\"sig_name\":\"SIGRTMIN+3\",",
	 ",SIGRTMIN+3,"},
	{"sig", 64, "SIGRTMIN+30", "\"sig_name\":\"SIGRTMIN+30\",", ""},
	{"sig", 32, "32", "\"sig\":32,\"state\"", ",32,"},
	{"sig", 0, "0", "\"sig\":0,\"state\"", ",0,"},
	{"state", 0, "R", "\"state\":0,\"state_name\":\"R\",", ",R,"},
	{"state", 1, "S", "\"state\":1,\"state_name\":\"S\",", ",S,"},
	{"state", 2, "D", "\"state_name\":\"D\",", ",D,"},
	{"state", 0x102, "D", "\"state_name\":\"D\",", ",D,"},
	{"state", 4, "T", "\"state_name\":\"T\",", ",T,"},
	{"state", 8, "t", "\"state_name\":\"t\",", ",t,"},
	{"state", 0x10, "X", "\"state_name\":\"X\",", ",X,"},
	{"state", 0x20, "Z", "\"state_name\":\"Z\",", ",Z,"},
	{"state", 0x40, "P", "\"state_name\":\"P\",", ",P,"},
	{"state", 0x402, "I", "\"state_name\":\"I\",", ",I,"},
	{"state", 0x2001, "S", "\"state_name\":\"S\",", ",S,"},
	{"bits", 0xffffffff81234567, "0xffffffff81234567",
	 "\"bits\":\"0xffffffff81234567\",", ",0xffffffff81234567,"},
	{"value", (uint64_t)-5, "-5", "\"value\":-5,", ",-5,"},
};

static void every_meaning_of_a_number(void **state)
{
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		fixture_start(&x, "");
		record_set(&x.record, numbers[i].field, numbers[i].value);
		text_is(&x, numbers[i].field, numbers[i].text);
		json_has(&x, numbers[i].json);
		csv_has(&x, numbers[i].csv);
		fixture_done(&x);
	}
}

static void arrays_are_lists(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "");
	record_put(&x.record, "list", 0, 1);
	record_put(&x.record, "list", 3, 65535);
	record_bytes(&x.record, "raw", "\x00\xff\x10\x0a", 4);
	text_is(&x, "list", "1,0,0,65535");
	text_is(&x, "raw", "00ff100a");
	json_has(&x, "\"list\":[1,0,0,65535],\"raw\":\"00ff100a\",");
	csv_has(&x, ",1 0 0 65535,00ff100a,");
	fixture_done(&x);
}

static void addresses(void **state)
{
	static const struct {
		uint8_t addr[16];
		const char *text, *json;
	} rows[] = {
		{{[10] = 0xff, 0xff, 10, 0, 0, 255},
		 "10.0.0.255",
		 "\"addr\":\"10.0.0.255\","},
		{{[15] = 1}, "[::1]", "\"addr\":\"::1\","},
		{{0}, "[::]", "\"addr\":\"::\","},
		{{0x20, 0x01, 0x0d, 0xb8, [15] = 0x0f},
		 "[2001:db8::f]",
		 "\"addr\":\"2001:db8::f\","},
		{{0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 2},
		 "[fe80::1:0:0:2]",
		 "\"addr\":\"fe80::1:0:0:2\","},
		{{0, 1, 0, 0, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8},
		 "[1:0:3:4:5:6:7:8]",
		 "\"addr\":\"1:0:3:4:5:6:7:8\","},
		{{0xab, 0xcd, 0, 1}, "[abcd:1::]", "\"addr\":\"abcd:1::\","},
	};
	struct fixture x;
	size_t i;

	(void)state;
	fixture_start(&x, "");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		record_bytes(&x.record, "addr", rows[i].addr, 16);
		text_is(&x, "addr", rows[i].text);
		json_has(&x, rows[i].json);
	}
	fixture_done(&x);
}

static void spans_and_sizes_for_people(void **state)
{
	static const struct {
		uint64_t v;
		const char *span, *size;
	} rows[] = {
		{0, "0ns", "0"},
		{812, "812ns", "812"},
		{999, "999ns", "999"},
		{1000, "1us", "1000"},
		{1024, "1.02us", "1.0K"},
		{8192, "8.19us", "8.0K"},
		{12300, "12.3us", "12.0K"},
		{12050, "12us", "11.7K"},
		{102399, "102us", "99.9K"},
		{340000, "340us", "332K"},
		{999999, "999us", "976K"},
		{1250000, "1.25ms", "1.1M"},
		{1500000000, "1.5s", "1.3G"},
		{59999999999, "59.9s", "55.8G"},
		{125000000000, "2m05s", "116G"},
		{3720000000000, "1h02m", "3.3T"},
		{90000000000000, "1d01h", "81.8T"},
		{UINT64_MAX, "213503d23h", "15.9E"},
	};
	struct buf b = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		render_ns(&b, rows[i].v);
		expect(&b, rows[i].span);
		render_bytes(&b, rows[i].v);
		expect(&b, rows[i].size);
	}
	buf_done(&b);
}

static void instants(void **state)
{
	struct render r = {.wall_offset = WALL, .utc = true};
	struct buf b = {0};

	(void)state;
	render_time(&b, &r, 5512345678);
	expect(&b, "14:03:20.512345");
	r.dated = true;
	render_time(&b, &r, 5512345678);
	expect(&b, "2026-11-22T14:03:20.512345");
	r.dated = false;
	render_iso(&b, 0);
	expect(&b, "1970-01-01T00:00:00.000000000Z");
	render_iso(&b, 951782400000000001);
	expect(&b, "2000-02-29T00:00:00.000000001Z");
	render_iso(&b, UINT64_MAX);
	expect(&b, "2554-07-21T23:34:33.709551615Z");
	setenv("TZ", "IST-05:30", 1);
	tzset();
	r.utc = false;
	render_time(&b, &r, 5512345678);
	expect(&b, "19:33:20.512345");
	render_instant(&b, &r, 5 * HOUR_NS + 5512345678);
	expect(&b, "2026-11-23T00:33:20.512345678+05:30");
	r.utc = true;
	render_instant(&b, &r, 5 * HOUR_NS + 5512345678);
	expect(&b, "2026-11-22T19:03:20.512345678Z");
	r.utc = false;
	r.dated = true; /* 19:03 in UTC */
	render_time(&b, &r, 5 * HOUR_NS + 5512345678);
	expect(&b, "2026-11-23T00:33:20.512345");
	render_date(&b, &r, 0);
	expect(&b, "2026-11-22");
	assert_int_equal(render_day(&r, 5 * HOUR_NS), render_day(&r, 0) + 1);
	unsetenv("TZ");
	tzset();
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_meaning_of_a_number),
		cmocka_unit_test(arrays_are_lists),
		cmocka_unit_test(addresses),
		cmocka_unit_test(spans_and_sizes_for_people),
		cmocka_unit_test(instants),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
