// SPDX-License-Identifier: BSD-2-Clause
/*
 * opt_fuzz.c - any command line, and any line of a configuration file, is taken
 * or refused with one line that says why.
 *
 * The input: lines "=NAME=VALUE" are presets, all others words.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/opt.h"
#include "../unit/model_schema.h"

#define WORDS_MAX 64

struct args {
	bool flag, other;
	const char *text, *choice;
	struct opt_list list, each;
	uint64_t duration, size, count;
};

#define ROW(l, n, t, a, member)                                                \
	{                                                                      \
		.letter = l, .name = n, .type = t, .arg = a,                   \
		.offset = offsetof(struct args, member), .help = "it"          \
	}

static const struct opt rows[] = {
	ROW('f', "flag", OPT_FLAG, NULL, flag),
	ROW(0, "flags", OPT_FLAG, NULL, other),
	ROW('t', "text", OPT_STRING, "TEXT", text),
	{
		.letter = 'c',
		.name = "choice",
		.type = OPT_STRING,
		.arg = "ONE",
		.choices = "jsonl csv",
		.offset = offsetof(struct args, choice),
		.help = "it",
	},
	{0},
};

static const struct opt more[] = {
	ROW('l', "list", OPT_LIST, "A,...", list),
	ROW('e', "each", OPT_EACH, "A", each),
	ROW(0, "for", OPT_DURATION, "TIME", duration),
	ROW('s', "size", OPT_SIZE, "SIZE", size),
	ROW('n', "top", OPT_COUNT, "N", count),
	{0},
};

static const struct opt *const tables[] = {rows, more, NULL};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(enum opt_result r, const char *why)
{
	model_must(r != OPT_WRONG ||
			   (why[0] && strlen(why) < OPT_ERROR_LEN - 1 &&
			    !strchr(why, '\n')),
		   "an error that is no line");
}

/* Return: false when it was refused. */
static bool preset(struct args *a, char *line)
{
	char why[OPT_ERROR_LEN] = "", *value = strchr(line, '=');
	const struct opt *row;
	enum opt_result r;

	if (!value)
		return true;
	*value++ = '\0';
	row = opt_find(tables, line);
	if (!row)
		return true;
	r = opt_preset(tables, a, row, value, why);
	check(r, why);
	return r == OPT_OK;
}

static void parse(struct args *a, bool command, char **argv, int argc)
{
	char why[OPT_ERROR_LEN] = "";
	struct opt_words words;
	enum opt_result r;
	unsigned i;

	r = opt_parse(tables, a, command, argc, argv, &words, why);
	check(r, why);
	if (r != OPT_OK)
		return;
	model_must(words.count <= (unsigned)argc, "more words than there are");
	for (i = 0; i < words.count; i++)
		model_must(words.word[i] != NULL, "a word is missing");
	for (i = 0; i < a->list.count; i++)
		model_must(a->list.items[i][0], "an empty name in a list");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size), *rest = text, *line;
	char *argv[WORDS_MAX + 1] = {NULL};
	struct args a = {0};
	bool fine = true;
	int argc = 0;

	while (rest && argc < WORDS_MAX && (line = strsep(&rest, "\n"))) {
		if (line[0] == '=')
			fine = fine && preset(&a, line + 1);
		else
			argv[argc++] = line;
	}
	if (fine)
		parse(&a, size & 1, argv, argc);
	opt_done(tables, &a);
	free(text);
	return 0;
}
