// SPDX-License-Identifier: BSD-2-Clause
/*
 * main.c - the table of commands, and the way into it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "log.h"
#include "near.h"

const struct command *const commands[] = {
	&cmd_record, &cmd_watch,  &cmd_snapshot, &cmd_status, &cmd_unpin,
	&cmd_show,   &cmd_stat,	  &cmd_tasks,	 &cmd_sql,    &cmd_hist,
	&cmd_export, &cmd_verify, &cmd_list,	 &cmd_doctor, &cmd_complete,
	&cmd_man,    NULL,
};

#define NAME_COLUMN 12

static const char about[] =
	"\nweir COMMAND --help tells more of a command, weir(1) all of it.\n"
	"Exit status: 0 done, 1 failed, 2 wrong usage, 3 done but events "
	"were lost.\n";

#define USAGE "weir [--config FILE] COMMAND [OPTION]... [WORD]..."

struct main_args {
	const char *config;
	bool version;
};

static const struct opt opts_main[] = {
	{
		.name = "config",
		.type = OPT_STRING,
		.complete = OPT_FILE,
		.arg = "FILE",
		.offset = offsetof(struct main_args, config),
		.help = "options from FILE, not " CONFIG_PATH "; none: no file",
	},
	{
		.letter = 'V',
		.name = "version",
		.type = OPT_FLAG,
		.offset = offsetof(struct main_args, version),
		.help = "print the version",
	},
	{0},
};

static const struct opt *const main_tables[] = {opts_main, NULL};

static int help(int fd)
{
	const struct command *const *c;
	struct buf b = {0};
	size_t line;

	buf_puts(&b,
		 "weir " WEIR_VERSION " - a flight recorder for Linux hosts\n\n"
		 "usage: " USAGE "\n\n");
	for (c = commands; *c; c++) {
		if ((*c)->hidden)
			continue;
		line = b.len;
		buf_printf(&b, "  %s", (*c)->name);
		buf_pad(&b, line, NAME_COLUMN);
		buf_puts(&b, (*c)->help);
		buf_putc(&b, '\n');
	}
	buf_putc(&b, '\n');
	opt_help(&b, main_tables);
	buf_puts(&b, about);
	if (fd == STDOUT_FILENO)
		return put_stdout(&b);
	buf_flush(&b, fd);
	buf_done(&b);
	return EXIT_USAGE;
}

static int command_help(const struct command *c)
{
	struct buf b = {0};

	buf_printf(&b, "usage: weir %s [OPTION]...%s%s\n\n%s\n\n", c->name,
		   c->synopsis[0] ? " " : "", c->synopsis, c->help);
	opt_help(&b, c->opts);
	if (c->about)
		buf_printf(&b, "\n%s", c->about);
	return put_stdout(&b);
}

static int version(void)
{
	struct buf b = {0};

	buf_puts(&b, "weir " WEIR_VERSION "\n");
	return put_stdout(&b);
}

const struct command *command_find(const char *name)
{
	const struct command *const *c;

	for (c = commands; *c; c++)
		if (!strcmp((*c)->name, name))
			return *c;
	return NULL;
}

static int unknown(const char *name)
{
	const struct command *const *c;
	struct near near;

	near_init(&near, name, strlen(name));
	for (c = commands; *c; c++)
		if (!(*c)->hidden)
			near_try(&near, (*c)->name);
	if (near_best(&near))
		return usage("no command is called '%.60s' (did you mean "
			     "'%s'?)",
			     name, near_best(&near));
	return usage("no command is called '%.60s' (weir --help lists them)",
		     name);
}

static int check_words(const struct command *c, const struct opt_words *w)
{
	if (w->count > c->max_words && c->takes_command && !w->command)
		return usage("%s takes no word '%.60s' (to record a command: "
			     "weir %s -- %.60s)",
			     c->name, w->word[0], c->name, w->word[0]);
	if (w->count > c->max_words)
		return usage("%s: one word too many: '%.60s' (usage: weir %s "
			     "[OPTION]... %s)",
			     c->name, w->word[c->max_words], c->name,
			     c->synopsis);
	if (w->count < c->min_words)
		return usage("%s needs more words (usage: weir %s "
			     "[OPTION]... %s)",
			     c->name, c->name, c->synopsis);
	return EXIT_OK;
}

static int run_with(const struct command *c, void *args, int argc, char **argv)
{
	char why[OPT_ERROR_LEN] = "";
	struct opt_words words;
	int rc;

	switch (opt_parse(c->opts, args, c->takes_command, argc, argv, &words,
			  why)) {
	case OPT_HELP:
		rc = command_help(c);
		break;
	case OPT_WRONG:
		rc = usage("%s: %s", c->name, why);
		break;
	default:
		rc = check_words(c, &words);
		if (rc == EXIT_OK)
			rc = c->run(args, &words);
	}
	return rc;
}

static int run(const struct command *c, const char *config, int argc,
	       char **argv)
{
	void *args = calloc(1, c->args_size ? c->args_size : 1);
	char *text = NULL;
	int rc;

	if (!args)
		return fail("out of memory");
	rc = config_read(config, c, args, &text);
	if (rc == EXIT_OK)
		rc = run_with(c, args, argc, argv);
	opt_done(c->opts, args);
	free(args);
	free(text);
	return rc;
}

/* What stands before the command. Return: how many words. */
static int main_words(int argc, char **argv)
{
	int n = 0;

	while (n < argc && argv[n][0] == '-')
		n += strcmp(argv[n], "--config") ? 1 : 2;
	return n < argc ? n : argc;
}

static int help_of(const char *name)
{
	const struct command *c = name ? command_find(name) : NULL;

	if (!name)
		return help(STDOUT_FILENO);
	return c ? command_help(c) : unknown(name);
}

/* @argv: the command's name, if there is one, and what follows it. */
static int run_words(const struct main_args *args, int argc, char **argv)
{
	const struct command *c;

	if (!argc)
		return help(STDERR_FILENO);
	if (!strcmp(argv[0], "help"))
		return help_of(argv[1]);
	c = command_find(argv[0]);
	return c ? run(c, args->config, argc - 1, argv + 1) : unknown(argv[0]);
}

int main(int argc, char **argv)
{
	int skip = argc > 1 ? main_words(argc - 1, argv + 1) : 0;
	char why[OPT_ERROR_LEN] = "";
	struct main_args args = {0};
	struct opt_words words;

	log_debug_on = getenv("WEIR_DEBUG") != NULL;
	switch (opt_parse(main_tables, &args, false, skip, argv + 1, &words,
			  why)) {
	case OPT_HELP:
		return help_of(argv[1 + skip]);
	case OPT_WRONG:
		return usage("%s; usage: " USAGE, why);
	default:
		break;
	}
	if (args.version)
		return version();
	argc -= 1 + skip;
	return run_words(&args, argc > 0 ? argc : 0, argv + 1 + skip);
}
