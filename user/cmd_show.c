// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_show.c - `weir show`: the lines of `weir watch` from an archive.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "cmd_follow.h"
#include "progress.h"

struct show_args {
	struct query_args query;
	bool follow;
};

static const struct opt opts[] = {
	{
		.letter = 'F',
		.name = "follow",
		.type = OPT_FLAG,
		.offset = offsetof(struct show_args, follow),
		.help = "go on with what is being recorded, until the "
			"recorder ends or Ctrl-C",
	},
	{0},
};

static int open_sink(struct sink **ret, const struct replay *r, bool json)
{
	return json ? sink_json_open(ret, &r->render, STDOUT_FILENO)
		    : sink_text_open(ret, &r->render, STDOUT_FILENO);
}

/* Return: the exit status. */
static int put_events(struct replay *r, const struct show_args *args,
		      uint64_t *ret_skipped)
{
	struct sink *sink;
	int closed, err = open_sink(&sink, r, args->query.json);

	if (err)
		return query_end(r, err);
	err = args->follow ? follow_sink(r, sink, ret_skipped)
			   : replay_sink(r, sink);
	closed = sink->ops->close(sink);
	return closed ? write_failed("stdout", closed) : query_end(r, err);
}

static int show(const void *arg, const struct opt_words *words)
{
	const struct show_args *args = arg;
	struct replay r;
	int rc = args->follow ? follow_check(&args->query, words) : EXIT_OK;
	uint64_t skipped = 0;

	if (!rc)
		rc = query_open(&r, &args->query, words);
	if (isatty(STDOUT_FILENO) || args->follow)
		progress_stop(); /* the lines tell enough */
	if (rc)
		return rc;
	rc = put_events(&r, args, &skipped);
	replay_close(&r);
	return rc == EXIT_OK && skipped ? EXIT_LOSSES : rc;
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
	.opts = {opts, opts_select, opts_span, opts_limit, opts_ahead,
		 opts_json, opts_utc, opts_quiet},
	.args_size = sizeof(struct show_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = show,
};
