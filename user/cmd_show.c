// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_show.c - `weir show`: the lines of `weir watch` from an archive.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"

static int open_sink(struct sink **ret, const struct replay *r, bool json)
{
	return json ? sink_json_open(ret, &r->render, STDOUT_FILENO)
		    : sink_text_open(ret, &r->render, STDOUT_FILENO);
}

static int show(const void *arg, const struct opt_words *words)
{
	const struct query_args *args = arg;
	struct sink *sink;
	struct replay r;
	int rc = query_open(&r, args, words), err, closed;

	if (rc)
		return rc;
	err = open_sink(&sink, &r, args->json);
	if (!err) {
		err = replay_sink(&r, sink);
		closed = sink->ops->close(sink);
		err = closed ? closed : err;
	}
	rc = query_end(&r, err);
	replay_close(&r);
	return rc;
}

const struct command cmd_show = {
	.name = "show",
	.synopsis = "ARCHIVE...",
	.help = "print the events of an archive",
	.about = "Losses are events of kind gap, which nothing hides. Where "
		 "the interval that\n"
		 "was asked for has some, stderr tells how many events are "
		 "missing, and the exit\n"
		 "status is 3.\n",
	.opts = {opts_select, opts_span, opts_json, opts_utc},
	.args_size = sizeof(struct query_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = show,
};
