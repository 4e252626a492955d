// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_complete.c - the tables of commands and options for other programs:
 * `weir __complete -- WORD...` for a shell (completions/weir.bash), `weir
 * __man COMMAND` for the list of options in weir.1.
 */
#include <string.h>

#include "cmd.h"
#include "source.h"

static void put_commands(struct buf *b)
{
	const struct command *const *c;

	for (c = commands; *c; c++)
		if (!(*c)->hidden)
			buf_printf(b, "%s\n", (*c)->name);
	buf_puts(b, "help\n--help\n--version\n");
}

/* ---- values -------------------------------------------------------------- */

static void put_sources(struct buf *b, const struct sources *s)
{
	struct source_info info;
	unsigned i;

	for (i = 0; i < sources_count(s); i++) {
		sources_info(s, i, &info);
		buf_printf(b, "%s\n", info.name);
	}
}

static void put_events(struct buf *b, const struct schema *s)
{
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(s, i))
			buf_printf(b, "%s\n", schema_kind(s, i)->name);
}

static void put_schema(struct buf *b, enum opt_complete what)
{
	struct sources_options o = {0};
	struct sources *s;
	char why[256];

	if (sources_open(&s, &o, why, sizeof(why)))
		return; /* nothing to offer */
	if (what == OPT_SOURCE)
		put_sources(b, s);
	else
		put_events(b, sources_schema(s));
	sources_free(s);
}

static void put_choices(struct buf *b, const char *choices)
{
	for (; *choices; choices++)
		buf_putc(b, *choices == ' ' ? '\n' : *choices);
	buf_putc(b, '\n');
}

static void put_values(struct buf *b, const struct opt *o)
{
	if (o->choices)
		put_choices(b, o->choices);
	else if (o->complete == OPT_SOURCE || o->complete == OPT_EVENT)
		put_schema(b, o->complete);
}

static void put_list_words(struct buf *b, unsigned at, const char *before)
{
	if (at == 2)
		buf_puts(b, "sources\nevents\nfields\ntracepoints\n--json\n");
	else if (!strcmp(before, "fields"))
		put_schema(b, OPT_EVENT);
}

/*
 * Candidates for the last word, one a line; the shell picks those that begin
 * with what is typed, and offers files where there are none.
 */
static int complete(const void *arg, const struct opt_words *words)
{
	unsigned last = words->count - 1;
	const char *before = words->word[last ? last - 1 : 0];
	const struct command *c;
	const struct opt *o;
	struct buf b = {0};

	(void)arg;
	c = last > 1 ? command_find(words->word[1]) : NULL;
	o = c ? opt_find(c->opts, before) : NULL;
	if (last == 1 || (last == 2 && !strcmp(before, "help")))
		put_commands(&b);
	else if (o && o->type != OPT_FLAG)
		put_values(&b, o);
	else if (c && words->word[last][0] == '-')
		opt_names(&b, c->opts);
	else if (c == &cmd_list)
		put_list_words(&b, last, before);
	return put_stdout(&b);
}

const struct command cmd_complete = {
	.name = "__complete",
	.synopsis = "-- WORD...",
	.help = "candidates for the last WORD, for a shell",
	.min_words = 1,
	.max_words = 1000,
	.hidden = true,
	.run = complete,
};

static int man(const void *arg, const struct opt_words *words)
{
	const struct command *c = command_find(words->word[0]);
	struct buf b = {0};

	(void)arg;
	if (!c)
		return usage("no command is called '%.60s'", words->word[0]);
	opt_man(&b, c->opts);
	return put_stdout(&b);
}

const struct command cmd_man = {
	.name = "__man",
	.synopsis = "COMMAND",
	.help = "its options as the manual page lists them",
	.min_words = 1,
	.max_words = 1,
	.hidden = true,
	.run = man,
};
