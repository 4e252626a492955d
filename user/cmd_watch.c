// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_watch.c - `weir watch`: events as lines while they happen.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd_capture.h"

/* A sink before the one that prints: it ends after so many events. */
struct limit {
	struct sink sink;
	struct sink *to;
	const struct select *select; /* knows what counts */
	uint64_t left;
};

static struct limit *of(struct sink *s)
{
	return (struct limit *)s;
}

static int on_event(struct sink *s, const struct event *ev)
{
	struct limit *l = of(s);
	int err;

	if (!l->left)
		return -ECANCELED;
	err = l->to->ops->event(l->to, ev);
	if (!err && select_counts(l->select, ev) && !--l->left)
		err = -ECANCELED;
	return err;
}

static int on_tick(struct sink *s, uint64_t mono_ns)
{
	return of(s)->to->ops->tick(of(s)->to, mono_ns);
}

static int on_close(struct sink *s)
{
	int err = of(s)->to->ops->close(of(s)->to);

	free(s);
	return err;
}

static const struct sink_ops limit_ops = {
	.name = "limit",
	.event = on_event,
	.tick = on_tick,
	.close = on_close,
};

/* Takes @sink. Return: 0; -ENOMEM. */
static int add_limit(struct sink **sink, const struct recorder *r, uint64_t n)
{
	struct limit *l = malloc(sizeof(*l));

	if (!l) {
		(*sink)->ops->close(*sink);
		return -ENOMEM;
	}
	*l = (struct limit){
		.sink.ops = &limit_ops,
		.to = *sink,
		.select = recorder_select(r),
		.left = n,
	};
	*sink = &l->sink;
	return 0;
}

static int add_sink(struct recorder *r, const struct query_args *q)
{
	struct render *render = recorder_render(r);
	struct sink *sink;
	int err = q->json ? sink_json_open(&sink, render, STDOUT_FILENO)
			  : sink_text_open(&sink, render, STDOUT_FILENO);

	if (!err && q->limit)
		err = add_limit(&sink, r, q->limit);
	if (err)
		return fail("%s", strerror(-err));
	recorder_add_sink(r, sink);
	return EXIT_OK;
}

static int end(struct capture *c)
{
	int err = capture_stop(c), rc = EXIT_OK;

	if (err && err != -ECANCELED) /* else: those were all */
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
		rc = add_sink(c.recorder, &args->query);
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
	.opts = {opts_select, opts_limit, opts_json, opts_utc, opts_capture},
	.args_size = sizeof(struct capture_args),
	.takes_command = true,
	.run = watch,
};
