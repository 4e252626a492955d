// SPDX-License-Identifier: BSD-2-Clause
/* render_test.c - every meaning in text, JSON and CSV; nothing unescaped. */
#include <errno.h>
#include <time.h>

#include "../../user/render.h"
#include "../../user/tasks.h"
#include "model.h"

#define WALL 1795356195000000000LL /* so that 5 s are 14:03:20 UTC */

struct fixture {
	struct schema *schema;
	struct render render;
	struct record record;
	struct buf buf;
	struct csv *csv;
};

static void start(struct fixture *x, const char *template)
{
	memset(x, 0, sizeof(*x));
	x->schema = model_schema_with(template);
	x->render.schema = x->schema;
	x->render.wall_offset = WALL;
	x->render.utc = true;
	record_begin(&x->record, x->schema, "model_all");
}

static void done(struct fixture *x)
{
	csv_free(x->csv);
	buf_done(&x->buf);
	schema_free(x->schema);
}

static void text_is(struct fixture *x, const char *field, const char *text)
{
	struct event ev = record_event(&x->record, x->schema);

	render_field(&x->buf, &x->render, &ev, record_field(&x->record, field));
	expect(&x->buf, text);
}

/* The value of @field in the JSON object and all that follows it. */
static void json_has(struct fixture *x, const char *piece)
{
	struct event ev = record_event(&x->record, x->schema);

	render_json(&x->buf, &x->render, &ev);
	buf_putc(&x->buf, '\0');
	if (!strstr(x->buf.data, piece))
		fail_msg("no %s in %s", piece, x->buf.data);
	buf_reset(&x->buf);
}

static void csv_has(struct fixture *x, const char *piece)
{
	struct event ev = record_event(&x->record, x->schema);

	if (!x->csv)
		assert_int_equal(csv_new(&x->csv, x->schema, NULL), 0);
	render_csv(&x->buf, x->csv, &x->render, &ev);
	buf_putc(&x->buf, '\0');
	if (!strstr(x->buf.data, piece))
		fail_msg("no %s in %s", piece, x->buf.data);
	buf_reset(&x->buf);
}

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
		start(&x, "");
		record_set(&x.record, numbers[i].field, numbers[i].value);
		text_is(&x, numbers[i].field, numbers[i].text);
		json_has(&x, numbers[i].json);
		csv_has(&x, numbers[i].csv);
		done(&x);
	}
}

static void arrays_are_lists(void **state)
{
	struct fixture x;

	(void)state;
	start(&x, "");
	record_put(&x.record, "list", 0, 1);
	record_put(&x.record, "list", 3, 65535);
	record_bytes(&x.record, "raw", "\x00\xff\x10\x0a", 4);
	text_is(&x, "list", "1,0,0,65535");
	text_is(&x, "raw", "00ff100a");
	json_has(&x, "\"list\":[1,0,0,65535],\"raw\":\"00ff100a\",");
	csv_has(&x, ",1 0 0 65535,00ff100a,");
	done(&x);
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
	start(&x, "");
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		record_bytes(&x.record, "addr", rows[i].addr, 16);
		text_is(&x, "addr", rows[i].text);
		json_has(&x, rows[i].json);
	}
	done(&x);
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
	render_iso(&b, 0);
	expect(&b, "1970-01-01T00:00:00.000000000Z");
	render_iso(&b, 951782400000000001);
	expect(&b, "2000-02-29T00:00:00.000000001Z");
	render_iso(&b, UINT64_MAX);
	expect(&b, "2554-07-21T23:34:33.709551615Z");
	setenv("TZ", "XXX-05:30", 1);
	tzset();
	r.utc = false;
	render_time(&b, &r, 5512345678);
	expect(&b, "19:33:20.512345");
	unsetenv("TZ");
	tzset();
	buf_done(&b);
}

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
	start(&x, "");
	record_bytes(&x.record, "chars", "not ended by", 12);
	record_str(&x.record, "text", "cut", 3, 131072);
	text_is(&x, "chars", "not ended by");
	text_is(&x, "text", "cut...(3 of 131072)");
	json_has(&x, "\"text\":\"cut\",\"text_full\":131072,\"argv\":[]}");
	csv_has(&x, ",not ended by,cut...(3 of 131072),");
	record_str(&x.record, "text", "", 0, WEIR_STR_UNKNOWN);
	text_is(&x, "text", "?");
	json_has(&x, "\"text\":null,");
	csv_has(&x, ",not ended by,,");
	done(&x);
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
		start(&x, "");
		record_str(&x.record, "argv", rows[i].argv, rows[i].len,
			   (uint32_t)rows[i].len);
		text_is(&x, "argv", rows[i].text);
		json_has(&x, rows[i].json);
		done(&x);
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
	start(&x, "");
	record_str(&x.record, "argv", argv, sizeof(argv), 131072);
	text_is(&x, "argv", want);
	json_has(&x, "xxx\"],\"argv_full\":131072}");
	done(&x);
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
		start(&x, "");
		record_text(&x.record, "text", rows[i].bytes);
		csv_has(&x, rows[i].cell);
		done(&x);
	}
}

/* ---- system calls -------------------------------------------------------- */

#define NR_OPEN	   2
#define NR_MMAP	   9
#define NR_CLONE   56
#define NR_KILL	   62
#define NR_RENAME  82
#define NR_OPENAT  257
#define NR_UNSHARE 272

static const struct {
	uint32_t nr, compat;
	uint64_t args[6];
	const char *path, *path2;
	const char *text, *json;
} calls[] = {
	{NR_OPENAT,
	 0,
	 {(uint32_t)-100, 0x7000, 0, 0xdead},
	 "/etc/passwd",
	 NULL,
	 "AT_FDCWD, \"/etc/passwd\", O_RDONLY",
	 "[-100,\"0x7000\",\"O_RDONLY\"]"},
	{NR_OPENAT,
	 0,
	 {3, 0x7000, 02001101, 0644},
	 "a\"b\n",
	 NULL,
	 "3, \"a\\\"b\\x0a\", O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC, 0644",
	 "[3,\"0x7000\",\"O_WRONLY|O_CREAT|O_TRUNC|O_CLOEXEC\",420]"},
	{NR_OPEN,
	 0,
	 {0x7000, 04010002 | 1U << 31},
	 "f",
	 NULL,
	 "\"f\", O_RDWR|O_SYNC|0x80000000",
	 "[\"0x7000\","},
	{NR_OPEN,
	 0,
	 {0, 020200001, 0600},
	 NULL,
	 NULL,
	 "NULL, O_WRONLY|O_TMPFILE, 0600",
	 "[\"0x0\","},
	{NR_RENAME,
	 0,
	 {1, 2},
	 "from",
	 "to",
	 "\"from\", \"to\"",
	 "[\"0x1\",\"0x2\"]"},
	{NR_KILL, 0, {(uint32_t)-1, 9}, NULL, NULL, "-1, SIGKILL", "[-1,9]"},
	{NR_CLONE,
	 0,
	 {0x4111},
	 NULL,
	 NULL,
	 "CLONE_VM|CLONE_VFORK|SIGCHLD, NULL, NULL, NULL, NULL",
	 "[\"CLONE_VM|CLONE_VFORK|SIGCHLD\","},
	{NR_UNSHARE,
	 0,
	 {0x20000080},
	 NULL,
	 NULL,
	 "CLONE_NEWTIME|CLONE_NEWPID",
	 "[\"CLONE_NEWTIME|CLONE_NEWPID\"]"},
	{NR_MMAP,
	 0,
	 {0, 4096, 3, 0x22, UINT32_MAX, 0},
	 NULL,
	 NULL,
	 "NULL, 4096, 0x3, 0x22, -1, 0",
	 "[\"0x0\",4096,\"0x3\",\"0x22\",-1,0]"},
	/* numbers of no call, of another ABI, of none that ever was */
	{999,
	 0,
	 {1, 2, 3, 4, 5, 6},
	 NULL,
	 NULL,
	 "0x1, 0x2, 0x3, 0x4, 0x5, 0x6",
	 "[\"0x1\",\"0x2\",\"0x3\",\"0x4\",\"0x5\",\"0x6\"]"},
	{NR_OPEN,
	 1,
	 {1, 2, 3, 4, 5, 6},
	 NULL,
	 NULL,
	 "0x1, 0x2, 0x3, 0x4, 0x5, 0x6",
	 "[\"0x1\","},
	{UINT32_MAX,
	 0,
	 {0},
	 NULL,
	 NULL,
	 "0x0, 0x0, 0x0, 0x0, 0x0, 0x0",
	 "[\"0x0\","},
};

static void arguments_of_calls(void **state)
{
	struct fixture x;
	size_t i, j;

	(void)state;
	for (i = 0; i < sizeof(calls) / sizeof(*calls); i++) {
		start(&x, "");
		record_begin(&x.record, x.schema, "model_call");
		record_set(&x.record, "name", calls[i].nr);
		record_set(&x.record, "compat", calls[i].compat);
		for (j = 0; j < 6; j++)
			record_put(&x.record, "args", (unsigned)j,
				   calls[i].args[j]);
		if (calls[i].path)
			record_text(&x.record, "path", calls[i].path);
		if (calls[i].path2)
			record_text(&x.record, "path2", calls[i].path2);
		text_is(&x, "args", calls[i].text);
		json_has(&x, calls[i].json);
		done(&x);
	}
}

static void unreadable_and_cut_paths(void **state)
{
	struct fixture x;

	(void)state;
	start(&x, "");
	record_begin(&x.record, x.schema, "model_call");
	record_set(&x.record, "name", NR_RENAME);
	record_put(&x.record, "args", 0, 0x7fff1000);
	record_put(&x.record, "args", 1, 0x7fff2000);
	record_str(&x.record, "path", "", 0, WEIR_STR_UNKNOWN);
	record_str(&x.record, "path2", "long", 4, 5000);
	text_is(&x, "args", "0x7fff1000, \"long\"...(4 of 5000)");
	done(&x);
}

static void csv_of_a_call_is_one_cell(void **state)
{
	struct fixture x;

	(void)state;
	start(&x, "");
	record_begin(&x.record, x.schema, "model_call");
	record_set(&x.record, "name", NR_KILL);
	record_put(&x.record, "args", 0, (uint32_t)-1);
	record_put(&x.record, "args", 1, 9);
	csv_has(&x, ",\"'-1, SIGKILL\",");
	done(&x);
}

/* ---- whole lines --------------------------------------------------------- */

static void line_is(struct fixture *x, const char *line)
{
	struct event ev = record_event(&x->record, x->schema);

	render_text(&x->buf, &x->render, &ev);
	expect(&x->buf, line);
}

#define HEAD "14:03:20.000000 cpu1 [812] model_all "

static void templates(void **state)
{
	static const struct {
		const char *template, *line;
	} rows[] = {
		{"{plain} @{sector}[ error={error}][ {chars}]!", "7 @0 vda!"},
		{"[none {error}{negative}]x", "x"},
		{"{nosuch} {", "{nosuch} {"},
		{"a] [b", "a] "},
		{"[{error}", ""},
		{"[[{plain}]]", "[7]"},
		{"{plain}{plain}", "77"},
		{"}{plain}{}", "}7{}"},
	};
	char line[128];
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		start(&x, rows[i].template);
		record_set(&x.record, "plain", 7);
		record_bytes(&x.record, "chars", "vda", 3);
		snprintf(line, sizeof(line), HEAD "%s\n", rows[i].line);
		line_is(&x, line);
		done(&x);
	}
}

static void template_with_an_unknown_name(void **state)
{
	struct schema *s = model_schema_with("{plain} {nosuch}");
	const struct schema_kind *k = schema_kind(s, EV_MODEL_ALL);
	const char *name = NULL;

	(void)state;
	assert_int_equal(render_check_text(k, &name), -EINVAL);
	assert_ptr_equal(name, k->text + 8);
	assert_int_equal(
		render_check_text(schema_kind(s, EV_MODEL_CALL), &name), 0);
	schema_free(s);
}

static void a_kind_without_template_prints_pairs(void **state)
{
	struct fixture x;

	(void)state;
	start(&x, "");
	record_begin(&x.record, x.schema, "model_disk");
	record_bytes(&x.record, "disk", "vda", 3);
	record_set(&x.record, "latency", 352000);
	line_is(&x, "14:03:20.000000 cpu1 [812] model_disk "
		    "disk=vda latency=352us name=\n");
	done(&x);
}

static void marks_and_threads(void **state)
{
	struct fixture x;

	(void)state;
	start(&x, "{plain}");
	record_hdr(&x.record)->tid = 815;
	record_hdr(&x.record)->flags = WEIR_F_LATE | WEIR_F_CONTEXT |
				       WEIR_F_URING | 0x8000;
	line_is(&x, "14:03:20.000000 cpu1 [812/815] model_all 0 "
		    "(late, io_uring)\n");
	json_has(&x, ",\"marks\":[\"late\",\"context\",\"io_uring\"]}\n");
	record_hdr(&x.record)->flags = 0x8000;
	line_is(&x, "14:03:20.000000 cpu1 [812/815] model_all 0\n");
	json_has(&x, ",\"marks\":[]}\n");
	done(&x);
}

static void head_of_json(void **state)
{
	struct task task = {.comm = "post\"gres"};
	struct fixture x;
	struct event ev;

	(void)state;
	start(&x, "{plain}");
	json_has(&x, "{\"ts\":1795356200000000000,\"source\":\"model\","
		     "\"kind\":\"model_all\",\"cpu\":1,\"pid\":812,"
		     "\"tid\":812,\"comm\":null,\"plain\":0,");
	ev = record_event(&x.record, x.schema);
	ev.task = &task;
	render_json(&x.buf, &x.render, &ev);
	buf_putc(&x.buf, '\0');
	assert_non_null(strstr(x.buf.data, ",\"comm\":\"post\\\"gres\","));
	buf_reset(&x.buf);
	render_text(&x.buf, &x.render, &ev);
	expect(&x.buf, "14:03:20.000000 cpu1 post\"gres[812] model_all 0\n");
	done(&x);
}

static void csv_columns_follow_the_kinds(void **state)
{
	bool kinds[SCHEMA_KINDS_MAX] = {
		[EV_MODEL_CALL] = true, [EV_MODEL_DISK] = true};
	struct fixture x;
	struct event ev;

	(void)state;
	start(&x, "");
	assert_int_equal(csv_new(&x.csv, x.schema, kinds), 0);
	render_csv_head(&x.buf, x.csv);
	expect(&x.buf, "time,source,kind,cpu,pid,tid,comm,"
		       "name,compat,args,path,path2,disk,latency\n");
	record_begin(&x.record, x.schema, "model_disk");
	record_bytes(&x.record, "disk", "vda", 3);
	record_bytes(&x.record, "name", "x", 1);
	ev = record_event(&x.record, x.schema);
	render_csv(&x.buf, x.csv, &x.render, &ev);
	expect(&x.buf, "2026-11-22T14:03:20.000000000Z,disk,model_disk,1,812,"
		       "812,,x,,,,,vda,0\n");
	/* of a kind without columns: the head alone */
	record_begin(&x.record, x.schema, "model_all");
	ev = record_event(&x.record, x.schema);
	render_csv(&x.buf, x.csv, &x.render, &ev);
	expect(&x.buf, "2026-11-22T14:03:20.000000000Z,model,model_all,1,812,"
		       "812,,,,,,,,\n");
	done(&x);
}

/* ---- with the real events ------------------------------------------------ */

static void real_lines(void **state)
{
	struct schema *s = real_schema(NULL);
	struct render r = {.schema = s, .wall_offset = WALL, .utc = true};
	const char *name;
	struct buf b = {0};
	struct record rec;
	struct event ev;
	unsigned i;

	(void)state;
	if (!s)
		skip();
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		if (!schema_kind(s, i))
			continue;
		if (render_check_text(schema_kind(s, i), &name))
			fail_msg("%s: unknown %s", schema_kind(s, i)->name,
				 name);
		record_begin(&rec, s, schema_kind(s, i)->name);
		ev = record_event(&rec, s);
		render_text(&b, &r, &ev);
		render_json(&b, &r, &ev);
	}
	assert_int_equal(buf_err(&b), 0);
	buf_done(&b);
	schema_free(s);
}

/* The names of other tasks come from the task table. */
static void tasks_are_named(void **state)
{
	struct schema *s = real_schema(NULL);
	struct render r = {.schema = s, .wall_offset = WALL, .utc = true};
	struct buf b = {0};
	struct record rec;
	struct tasks *t;
	struct event ev;

	(void)state;
	if (!s)
		skip();
	assert_int_equal(tasks_new(&t, s), 0);
	record_begin(&rec, s, "task_alive");
	record_bytes(&rec, "task_comm", "bash\033", 5);
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	record_begin(&rec, s, "cgroup_path");
	record_set(&rec, "cgroup", 99);
	record_text(&rec, "path", "/system.slice");
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	r.tasks = t;
	record_begin(&rec, s, "task_cgroup");
	record_set(&rec, "target_tid", 812);
	record_set(&rec, "cgroup", 99);
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	render_text(&b, &r, &ev);
	expect(&b, "14:03:20.000000 cpu1 bash\\x1b[812] task_cgroup "
		   "bash\\x1b[812] -> /system.slice\n");
	buf_done(&b);
	tasks_free(t);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_meaning_of_a_number),
		cmocka_unit_test(arrays_are_lists),
		cmocka_unit_test(addresses),
		cmocka_unit_test(spans_and_sizes_for_people),
		cmocka_unit_test(instants),
		cmocka_unit_test(no_byte_goes_out_unescaped),
		cmocka_unit_test(all_pairs_of_bytes_are_safe),
		cmocka_unit_test(strings_in_a_record),
		cmocka_unit_test(arguments_are_words),
		cmocka_unit_test(argv_of_four_kilobytes),
		cmocka_unit_test(formulas_are_defused_in_csv),
		cmocka_unit_test(arguments_of_calls),
		cmocka_unit_test(unreadable_and_cut_paths),
		cmocka_unit_test(csv_of_a_call_is_one_cell),
		cmocka_unit_test(templates),
		cmocka_unit_test(template_with_an_unknown_name),
		cmocka_unit_test(a_kind_without_template_prints_pairs),
		cmocka_unit_test(marks_and_threads),
		cmocka_unit_test(head_of_json),
		cmocka_unit_test(csv_columns_follow_the_kinds),
		cmocka_unit_test(real_lines),
		cmocka_unit_test(tasks_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
