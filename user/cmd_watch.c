// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_watch.c - `weir watch`: events as lines while they happen.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd_capture.h"

static int add_sink(struct recorder *r, bool json)
{
	struct render *render = recorder_render(r);
	struct sink *sink;
	int err = json ? sink_json_open(&sink, render, STDOUT_FILENO)
		       : sink_text_open(&sink, render, STDOUT_FILENO);

	if (err)
		return fail("%s", strerror(-err));
	recorder_add_sink(r, sink);
	return EXIT_OK;
}

static int end(struct capture *c)
{
	int err = capture_stop(c), rc = EXIT_OK;

	if (err)
		rc = write_failed("stdout", err);
	if (err != -EPIPE && capture_lost(c) && rc == EXIT_OK)
		rc = EXIT_LOSSES;
	return capture_exit(c, rc);
}

static int watch(const void *arg, const struct opt_words *words)
{
	const struct capture_args *args = arg;
	struct capture c;
	int rc = capture_open(&c, args, words->command);

	if (!rc && args->explain) {
		rc = capture_explain(&c);
		capture_close(&c);
		return rc;
	}
	c.ends_on_error = true;
	c.shows_status = c.rotates = false;
	if (!rc)
		rc = capture_load(&c, NULL, 0);
	if (!rc)
		rc = add_sink(c.recorder, args->query.json);
	if (!rc)
		rc = capture_start(&c, "");
	if (!rc) {
		capture_run(&c);
		rc = end(&c);
	}
	capture_close(&c);
	return rc;
}

const struct command cmd_watch = {
	.name = "watch",
	.synopsis = "[-- COMMAND ARG...]",
	.help = "print events as they happen and keep nothing",
	.about = "COMMAND and the exit status are as with weir record. A "
		 "reader that goes away\n"
		 "ends it: weir watch | head.\n",
	.opts = {opts_select, opts_json, opts_utc, opts_capture},
	.args_size = sizeof(struct capture_args),
	.takes_command = true,
	.run = watch,
};
