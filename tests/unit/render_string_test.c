// SPDX-License-Identifier: BSD-2-Clause
/* render_string_test.c - no byte of an event goes out unescaped. */
#include "render_fixture.h"

/* ---- strings ------------------------------------------------------------- */

static const struct {
	const char *bytes;
	size_t len;
	const char *text, *json;
} strings[] = {
	{"plain", 5, "plain", "\"plain\""},
	{"", 0, "", "\"\""},
	{"a\nb", 3, "a\\x0ab", "\"a\\nb\""},
	{"\033[31m", 5, "\\x1b[31m", "\"\\u001b[31m\""},
	{"nul\0in", 6, "nul\\x00in", "\"nul\\u0000in\""},
	{"tab\tbs\b\f\r", 9, "tab\\x09bs\\x08\\x0c\\x0d",
	 "\"tab\\tbs\\b\\f\\r\""},
	{"a\\b", 3, "a\\\\b", "\"a\\\\b\""},
	{"say \"hi\"", 8, "say \"hi\"", "\"say \\\"hi\\\"\""},
	{"\x7f", 1, "\\x7f", "\"\\u007f\""},
	{"gr\xc3\xbc\xc3\x9f", 6, "gr\xc3\xbc\xc3\x9f",
	 "\"gr\xc3\xbc\xc3\x9f\""},
	{"\xf0\x9f\x90\xa7", 4, "\xf0\x9f\x90\xa7", "\"\xf0\x9f\x90\xa7\""},
	/* C1: CSI of eight-bit terminals, as one character and as a byte */
	{"\xc2\x9b", 2, "\\xc2\\x9b", "\"\\u009b\""},
	{"\x9b", 1, "\\x9b", "\"\\udc9b\""},
	/* right-to-left override, isolate, mark; line separator */
	{"\xe2\x80\xae", 3, "\\xe2\\x80\\xae", "\"\\u202e\""},
	{"\xe2\x81\xa6", 3, "\\xe2\\x81\\xa6", "\"\\u2066\""},
	{"\xd8\x9c", 2, "\\xd8\\x9c", "\"\\u061c\""},
	{"\xe2\x80\xa8", 3, "\\xe2\\x80\\xa8", "\"\\u2028\""},
	/* cut off, overlong, a surrogate, beyond Unicode */
	{"\xe2\x82", 2, "\\xe2\\x82", "\"\\udce2\\udc82\""},
	{"\xc0\xaf", 2, "\\xc0\\xaf", "\"\\udcc0\\udcaf\""},
	{"\xed\xa0\x80", 3, "\\xed\\xa0\\x80", "\"\\udced\\udca0\\udc80\""},
	{"\xf4\x90\x80\x80", 4, "\\xf4\\x90\\x80\\x80",
	 "\"\\udcf4\\udc90\\udc80\\udc80\""},
};

static void no_byte_goes_out_unescaped(void **state)
{
	struct buf b = {0};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(strings) / sizeof(*strings); i++) {
		render_escape(&b, strings[i].bytes, strings[i].len);
		expect(&b, strings[i].text);
		render_json_string(&b, strings[i].bytes, strings[i].len);
		expect(&b, strings[i].json);
	}
	buf_done(&b);
}

/* Whatever two bytes stand side by side, what comes out is drawn. */
static void all_pairs_of_bytes_are_safe(void **state)
{
	struct buf b = {0};
	unsigned v;
	size_t i;

	(void)state;
	for (v = 0; v < 65536; v++) {
		uint8_t pair[] = {(uint8_t)(v >> 8), (uint8_t)v};

		buf_reset(&b);
		render_escape(&b, pair, 2);
		render_json_string(&b, pair, 2);
		for (i = 0; i < b.len; i++) {
			uint8_t c = (uint8_t)b.data[i];

			if (c < 0x20 || c == 0x7f)
				fail_msg("%04x gives %02x", v, c);
		}
	}
	buf_done(&b);
}

static void strings_in_a_record(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "");
	record_bytes(&x.record, "chars", "not ended by", 12);
	record_str(&x.record, "text", "cut", 3, 131072);
	text_is(&x, "chars", "not ended by");
	text_is(&x, "text", "cut...(3 of 131072)");
	json_has(&x, "\"text\":\"cut\",\"text_full\":131072,\"argv\":[]}");
	csv_has(&x, ",not ended by,cut...(3 of 131072),");
	record_str(&x.record, "text", "cut", 3, 4);
	text_is(&x, "text", "cut...(3 of more)");
	json_has(&x, "\"text\":\"cut\",\"text_full\":4,");
	record_str(&x.record, "text", "", 0, WEIR_STR_UNKNOWN);
	text_is(&x, "text", "?");
	json_has(&x, "\"text\":null,");
	csv_has(&x, ",not ended by,,");
	fixture_done(&x);
}

static void arguments_are_words(void **state)
{
	static const struct {
		const char *argv;
		size_t len;
		const char *text, *json;
	} rows[] = {
		{"ls\0-l\0", 6, "ls -l", "\"argv\":[\"ls\",\"-l\"]}"},
		{"sh\0-c\0echo hi; x=$y\0", 20, "sh -c 'echo hi; x=$y'",
		 "\"argv\":[\"sh\",\"-c\",\"echo hi; x=$y\"]}"},
		{"a\0\0b", 4, "a '' b", "\"argv\":[\"a\",\"\",\"b\"]}"},
		{"it's\0", 5, "$'it\\'s'", "\"argv\":[\"it's\"]}"},
		{"a\nb\0c\\d\0", 8, "$'a\\x0ab' $'c\\\\d'",
		 "\"argv\":[\"a\\nb\",\"c\\\\d\"]}"},
		{"\"q\"\0", 4, "'\"q\"'", "\"argv\":[\"\\\"q\\\"\"]}"},
		{"--x=/a,b:c+d%e@f_g", 18, "--x=/a,b:c+d%e@f_g",
		 "\"argv\":[\"--x=/a,b:c+d%e@f_g\"]}"},
		{"\0", 1, "''", "\"argv\":[\"\"]}"},
	};
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fixture_start(&x, "");
		record_str(&x.record, "argv", rows[i].argv, rows[i].len,
			   (uint32_t)rows[i].len);
		text_is(&x, "argv", rows[i].text);
		json_has(&x, rows[i].json);
		fixture_done(&x);
	}
}

static void argv_of_four_kilobytes(void **state)
{
	char argv[WEIR_STR_MAX], want[WEIR_STR_MAX + 64];
	struct fixture x;

	(void)state;
	memset(argv, 'x', sizeof(argv));
	memcpy(argv, "cmd\0", 4);
	memcpy(want, argv, sizeof(argv));
	want[3] = ' ';
	strcpy(want + sizeof(argv), "...(4096 of 131072)");
	fixture_start(&x, "");
	record_str(&x.record, "argv", argv, sizeof(argv), 131072);
	text_is(&x, "argv", want);
	json_has(&x, "xxx\"],\"argv_full\":131072}");
	fixture_done(&x);
}

static void formulas_are_defused_in_csv(void **state)
{
	static const struct {
		const char *bytes, *cell;
	} rows[] = {
		{"=1+1", ",'=1+1,"},
		{"+1", ",'+1,"},
		{"-1", ",'-1,"},
		{"@x", ",'@x,"},
		{"x=1", ",x=1,"},
		{"a,b", ",\"a,b\","},
		{"say \"a\"", ",\"say \"\"a\"\"\","},
		{"=\",\"", ",\"'=\"\",\"\"\","},
		{"a\r\nb", ",a\\x0d\\x0ab,"},
	};
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fixture_start(&x, "");
		record_text(&x.record, "text", rows[i].bytes);
		csv_has(&x, rows[i].cell);
		fixture_done(&x);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_byte_goes_out_unescaped),
		cmocka_unit_test(all_pairs_of_bytes_are_safe),
		cmocka_unit_test(strings_in_a_record),
		cmocka_unit_test(arguments_are_words),
		cmocka_unit_test(argv_of_four_kilobytes),
		cmocka_unit_test(formulas_are_defused_in_csv),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
