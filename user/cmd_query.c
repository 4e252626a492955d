// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_query.c - how commands open archives, and what they say of an answer
 * that lacks something; see cmd.h.
 */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "cmd.h"
#include "progress.h"

int say_open_failed(int err, const char *path)
{
	const char *of = path ? path : "archive";

	switch (err) {
	case -ENOENT:
		return fail("'%s': no such archive (%s)", of,
			    strpbrk(of, " <>=~") ? "a filter stands after -f"
						 : "weir record makes one");
	case -EACCES:
	case -EPERM:
		return fail("'%s': Permission denied (it is its owner's alone; "
			    "try sudo)",
			    of);
	case -EBADMSG:
		return fail("'%s' is no archive, or nothing in it can be read "
			    "(it is a directory that weir record made, or a "
			    "file of one)",
			    of);
	case -EPROTONOSUPPORT:
		return fail("'%s' was made by a newer weir (read it with that "
			    "one)",
			    of);
	case -EXDEV:
		return fail("'%s' and the rest are of too many sorts of weir "
			    "to be asked together (ask them apart)",
			    of);
	}
	return fail("'%s': %s", of, strerror(-err));
}

static int say_replay_failed(int rc, const struct query_args *args,
			     const struct replay_error *err)
{
	if (err->filter.what[0])
		return usage_filter(args->filter, &err->filter);
	if (rc == -EINVAL && err->what[0])
		return usage("%s", err->what);
	return say_open_failed(rc, err->path);
}

/* That nothing happened and that nobody looked are not the same. */
static void say_outside(const struct replay *r)
{
	const struct archive_info *i = &r->info;
	struct buf b = {0};

	if (!i->events ||
	    (r->from_ns <= i->last_ns && (!r->to_ns || r->to_ns > i->first_ns)))
		return;
	render_instant(&b, &r->render, i->first_ns);
	buf_puts(&b, " .. ");
	render_instant(&b, &r->render, i->last_ns);
	buf_putc(&b, '\0');
	if (!buf_err(&b))
		say("nothing was recorded at that time, only from %s", b.data);
	buf_done(&b);
}

int query_open(struct replay *r, const struct query_args *args,
	       const struct opt_words *words)
{
	struct replay_options o = {
		.select =
			{
				.sources = (const char *const *)
						   args->sources.items,
				.source_count = args->sources.count,
				.kinds = (const char *const *)args->kinds.items,
				.kind_count = args->kinds.count,
				.filter = args->filter,
			},
		.from = args->from,
		.to = args->to,
		.utc = args->utc,
		.jobs = args->jobs < UINT_MAX ? (unsigned)args->jobs : UINT_MAX,
		.limit = args->limit,
	};
	struct replay_error err;
	int rc;

	if (args->utc) { /* for times that are typed */
		setenv("TZ", "UTC0", 1);
		tzset();
	}
	if (!args->quiet)
		progress_start(STDERR_FILENO);
	rc = replay_open(r, words->word, words->count, &o, &err);
	if (rc)
		return say_replay_failed(rc, args, &err);
	say_outside(r);
	return EXIT_OK;
}

int query_end(const struct replay *r, int err)
{
	struct archive_info info;

	progress_stop();
	archive_info(r->archive, &info);
	if (err == -EPROTONOSUPPORT)
		return fail("a part of the archive was made by a newer weir "
			    "(read it with that one)");
	if (err == -ENOMEM)
		return fail("out of memory");
	if (err && err != -EBADMSG)
		return r->refused ? write_failed("stdout", err)
				  : fail("the archive cannot be read: %s",
					 strerror(-err));
	if (err)
		say("%u parts of the archive are damaged and left out (weir "
		    "verify tells which)",
		    info.damaged);
	if (info.gone)
		say("%llu segments were removed before they could be read "
		    "(--keep, --keep-for)",
		    (unsigned long long)info.gone);
	if (r->missing)
		say("%llu events of this interval were lost while recording "
		    "(%llu gap event%s tell%s when and where)",
		    (unsigned long long)r->missing, (unsigned long long)r->gaps,
		    r->gaps == 1 ? "" : "s", r->gaps == 1 ? "s" : "");
	else if (r->others)
		say("the answer is whole, but other sources lost %llu events "
		    "in this interval",
		    (unsigned long long)r->others);
	if (r->shed)
		say("about %llu events of this interval were not recorded, to "
		    "keep the budget (each event tells how many it stands for: "
		    "weight)",
		    (unsigned long long)r->shed);
	return err || info.gone || r->missing || r->shed ? EXIT_LOSSES
							 : EXIT_OK;
}
