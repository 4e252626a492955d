// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_status.c - `weir status`: how running recorders are.
 */
#include <string.h>

#include "cmd_ask.h"
#include "cmd_pin.h"

static int ask_one(const char *name, bool json)
{
	return ask_recorder(name, json ? "status json" : "status text", NULL,
			    NULL);
}

/* One after the other, an empty line between; JSON: a line for each. */
static int ask_all(char *names, bool json)
{
	int rc = EXIT_OK, one;
	bool first = true;
	struct buf line;
	char *name;

	while ((name = strsep(&names, " "))) {
		line = (struct buf){0};
		if (!first && !json) {
			buf_putc(&line, '\n');
			put_stdout(&line);
		}
		first = false;
		one = ask_one(name, json);
		rc = rc ? rc : one;
	}
	return rc;
}

static int status(const void *arg, const struct opt_words *words)
{
	const struct ask_args *args = arg;
	struct buf names = {0};
	int n, rc;

	(void)words;
	if (args->name)
		return ask_one(args->name, args->json);
	n = ask_names(&names);
	buf_putc(&names, '\0');
	if (n <= 0 || buf_err(&names))
		rc = ask_one(NULL, args->json);
	else
		rc = ask_all(names.data, args->json);
	pins_say();
	buf_done(&names);
	return rc;
}

const struct command cmd_status = {
	.name = "status",
	.synopsis = "",
	.help = "tell how the recorders that run are: rates, losses, cost",
	.about = "Without --name all that run and are yours; as JSON one "
		 "object a line. MADE\n"
		 "counts what the kernel's side saw, the rest is as in weir "
		 "stat.\n",
	.opts = {opts_ask},
	.args_size = sizeof(struct ask_args),
	.run = status,
};
