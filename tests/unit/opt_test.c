// SPDX-License-Identifier: BSD-2-Clause
/* opt_test.c - command lines into structs; the name that was meant. */
#include "../../user/near.h"
#include "../../user/opt.h"
#include "model.h"

struct args {
	bool quiet, json;
	const char *output, *format;
	struct opt_list sources, settings;
	uint64_t span, size;
};

#define AT(member) .offset = offsetof(struct args, member)

static const struct opt first[] = {
	{.letter = 'q', .name = "quiet", .help = "q", AT(quiet)},
	{.letter = 'j', .name = "json", .help = "j", AT(json)},
	{.letter = 'o',
	 .name = "output",
	 .type = OPT_STRING,
	 .arg = "FILE",
	 .help = "o",
	 AT(output)},
	{.name = "to",
	 .type = OPT_STRING,
	 .arg = "FORMAT",
	 .choices = "jsonl csv",
	 .help = "t",
	 AT(format)},
	{0},
};

static const struct opt second[] = {
	{.letter = 's',
	 .name = "source",
	 .type = OPT_LIST,
	 .arg = "SOURCE,...",
	 .help = "a text so long that it must be broken into two lines, "
		 "which then begin at the same column",
	 .also = "whence",
	 AT(sources)},
	{.name = "set",
	 .type = OPT_EACH,
	 .arg = "A=B",
	 .help = "s",
	 AT(settings)},
	{.name = "for",
	 .type = OPT_DURATION,
	 .arg = "TIME",
	 .help = "f",
	 AT(span)},
	{.name = "buffer",
	 .type = OPT_SIZE,
	 .arg = "SIZE",
	 .help = "b",
	 AT(size)},
	{0},
};

static const struct opt *const tables[] = {first, second, NULL};

#define WORDS_MAX 16

struct line {
	struct args args;
	struct opt_words words;
	char *argv[WORDS_MAX];
	char copy[256];
	char why[OPT_ERROR_LEN];
};

/* Parse @text, its words divided by blanks. */
static enum opt_result parse(struct line *l, const char *text, bool command)
{
	int argc = 0;
	char *word;

	memset(l, 0, sizeof(*l));
	snprintf(l->copy, sizeof(l->copy), "%s", text);
	for (word = strtok(l->copy, " "); word; word = strtok(NULL, " "))
		l->argv[argc++] = word;
	return opt_parse(tables, &l->args, command, argc, l->argv, &l->words,
			 l->why);
}

static void values_of_every_type(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l,
			       "-q --output=x -s a,b --source c --set k=1,2 "
			       "--set=v --for 1m30s --buffer 64K --to csv",
			       false),
			 OPT_OK);
	assert_true(l.args.quiet && !l.args.json);
	assert_string_equal(l.args.output, "x");
	assert_string_equal(l.args.format, "csv");
	assert_int_equal(l.args.sources.count, 3);
	assert_string_equal(l.args.sources.items[1], "b");
	assert_string_equal(l.args.sources.items[2], "c");
	assert_int_equal(l.args.settings.count, 2);
	assert_string_equal(l.args.settings.items[0], "k=1,2");
	assert_int_equal(l.args.span, 90000000000);
	assert_int_equal(l.args.size, 65536);
	opt_done(tables, &l.args);
	assert_int_equal(parse(&l, "--for 5", false), OPT_OK);
	assert_int_equal(l.args.span, 5000000000); /* as sleep(1) takes it */
	opt_done(tables, &l.args);
	assert_null(l.args.sources.items);
}

static void letters_in_one_word(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, "-qjofile -j", false), OPT_OK);
	assert_true(l.args.quiet && l.args.json);
	assert_string_equal(l.args.output, "file");
	assert_int_equal(parse(&l, "-qo file w", false), OPT_OK);
	assert_string_equal(l.args.output, "file");
	assert_int_equal(l.words.count, 1);
}

static void words_and_options_mix(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, "a -q b - --json c", false), OPT_OK);
	assert_int_equal(l.words.count, 4);
	assert_string_equal(l.words.word[2], "-");
	assert_string_equal(l.words.word[3], "c");
	assert_int_equal(parse(&l, "a -- -q --nope", false), OPT_OK);
	assert_int_equal(l.words.count, 3);
	assert_string_equal(l.words.word[1], "-q");
	assert_false(l.args.quiet);
	assert_null(l.words.command);
}

static void a_command_is_left_alone(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, "-q -- ls -j --", true), OPT_OK);
	assert_int_equal(l.words.count, 0);
	assert_string_equal(l.words.command[0], "ls");
	assert_string_equal(l.words.command[1], "-j");
	assert_string_equal(l.words.command[2], "--");
	assert_null(l.words.command[3]);
	assert_false(l.args.json);
	assert_int_equal(parse(&l, "-q --", true), OPT_WRONG);
}

static void help_wins(void **state)
{
	struct line l;

	(void)state;
	assert_int_equal(parse(&l, "--help --nope", false), OPT_HELP);
	assert_int_equal(parse(&l, "x -h", false), OPT_HELP);
	assert_int_equal(parse(&l, "-qh", false), OPT_HELP);
	assert_int_equal(parse(&l, "-o --help", false), OPT_OK);
	assert_int_equal(parse(&l, "-- --help", true), OPT_OK);
}

static void what_is_wrong_is_said(void **state)
{
	static const struct {
		const char *line, *why;
	} rows[] = {
		{"--nope", "--help lists"},
		{"--sorce x", "did you mean '--source'"},
		{"--out x", "did you mean '--output'"},
		{"--whence x", "did you mean '--source'"},
		{"-w x", "did you mean '--source SOURCE,...'"},
		{"-z", "'-z'"},
		{"-o", "needs a value: --output FILE"},
		{"--output=", "needs a value"},
		{"--quiet=1", "takes no value"},
		{"--to xml", "one of: jsonl csv"},
		{"--to jsonlcsv", "one of"},
		{"--to jsonl,csv", "one of"},
		{"--source a,,b", "empty name"},
		{"--source=", "empty name"},
		{"--for 5x", "no duration"},
		{"--for 0s", "no duration"},
		{"--buffer -1", "no size"},
	};
	struct line l;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		if (parse(&l, rows[i].line, false) != OPT_WRONG)
			fail_msg("%s: taken", rows[i].line);
		if (!strstr(l.why, rows[i].why))
			fail_msg("%s: %s", rows[i].line, l.why);
		opt_done(tables, &l.args);
	}
}

static void help_fits_the_screen(void **state)
{
	struct buf b = {0};
	char *line;

	(void)state;
	opt_help(&b, tables);
	buf_putc(&b, '\0');
	assert_non_null(strstr(b.data, "  -s, --source SOURCE,...   a text"));
	assert_non_null(strstr(b.data, "\n                            "));
	assert_non_null(strstr(b.data, "  -h, --help "));
	for (line = strtok(b.data, "\n"); line; line = strtok(NULL, "\n"))
		assert_true(strlen(line) < 80);
	buf_done(&b);
}

static void the_name_that_was_meant(void **state)
{
	static const struct {
		const char *word, *best;
	} rows[] = {
		{"task_exce", "task_exec"},
		{"task", "task_exec"},
		{"TASK_EXIT", "task_exit"},
		{"sched_swtich", "sched_switch"},
		{"xyz", NULL},
		{"", NULL},
	};
	struct near n;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		near_init(&n, rows[i].word, strlen(rows[i].word));
		near_try(&n, "task_exec");
		near_try(&n, "task_exit");
		near_try(&n, "sched_switch");
		if (rows[i].best)
			assert_string_equal(near_best(&n), rows[i].best);
		else
			assert_null(near_best(&n));
	}
}

/* ---- before the command line --------------------------------------------- */

static enum opt_result preset(struct args *args, const char *word,
			      const char *value, char why[OPT_ERROR_LEN])
{
	return opt_preset(tables, args, opt_find(tables, word), value, why);
}

static void a_preset_list_gives_way_to_the_command_line(void **state)
{
	char *line[] = {(char *)"-s", (char *)"net", (char *)"-s",
			(char *)"block"};
	char why[OPT_ERROR_LEN];
	struct opt_words words;
	struct args args = {0};

	(void)state;
	assert_int_equal(preset(&args, "-s", "a,b", why), OPT_OK);
	assert_int_equal(preset(&args, "-s", "c", why), OPT_OK);
	assert_int_equal(preset(&args, "--set", "x=y", why), OPT_OK);
	assert_int_equal(args.sources.count, 3);
	assert_int_equal(opt_parse(tables, &args, false, 4, line, &words, why),
			 OPT_OK);
	assert_int_equal(args.sources.count, 2);
	assert_string_equal(args.sources.items[0], "net");
	assert_int_equal(args.settings.count, 1);
	opt_done(tables, &args);
}

static void a_preset_value_is_checked_as_on_the_command_line(void **state)
{
	char why[OPT_ERROR_LEN];
	struct args args = {0};

	(void)state;
	assert_int_equal(preset(&args, "--buffer", "16M", why), OPT_OK);
	assert_int_equal(args.size, 16 << 20);
	assert_int_equal(preset(&args, "--buffer", "many", why), OPT_WRONG);
	assert_int_equal(preset(&args, "--to", "xml", why), OPT_WRONG);
	assert_int_equal(preset(&args, "--quiet", "yes", why), OPT_OK);
	assert_true(args.quiet);
	assert_int_equal(preset(&args, "--quiet", "no", why), OPT_OK);
	assert_false(args.quiet);
	assert_int_equal(preset(&args, "--quiet", "", why), OPT_WRONG);
	opt_done(tables, &args);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_preset_list_gives_way_to_the_command_line),
		cmocka_unit_test(
			a_preset_value_is_checked_as_on_the_command_line),
		cmocka_unit_test(values_of_every_type),
		cmocka_unit_test(letters_in_one_word),
		cmocka_unit_test(words_and_options_mix),
		cmocka_unit_test(a_command_is_left_alone),
		cmocka_unit_test(help_wins),
		cmocka_unit_test(what_is_wrong_is_said),
		cmocka_unit_test(help_fits_the_screen),
		cmocka_unit_test(the_name_that_was_meant),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
