// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_record.c - `weir record`: the live host, or one command, into an archive.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "archive_dir.h"
#include "clock.h"
#include "cmd_capture.h"
#include "cmd_record.h"
#include "keep.h"
#include "units.h"

struct record_args {
	struct capture_args capture;
	const char *output;
	uint64_t segment_bytes, keep_bytes, keep_ns;
	bool append;
	const char *window, *snapshot_dir, *name, *metrics;
};

static const struct opt opts[] = {
	{
		.letter = 'o',
		.name = "output",
		.type = OPT_STRING,
		.complete = OPT_FILE,
		.arg = "ARCHIVE",
		.offset = offsetof(struct record_args, output),
		.help = "directory to record into (./weir-<UTC time>)",
	},
	{
		.name = "append",
		.type = OPT_FLAG,
		.offset = offsetof(struct record_args, append),
		.help = "go on in an ARCHIVE that is there",
	},
	{
		.name = "segment",
		.type = OPT_SIZE,
		.arg = "SIZE",
		.offset = offsetof(struct record_args, segment_bytes),
		.help = "begin a new file of the archive at SIZE (256M, or an "
			"eighth of --keep)",
	},
	{
		.name = "budget",
		.type = OPT_STRING,
		.arg = "N%[,SIZE/s]",
		.offset = offsetof(struct record_args, capture.budget),
		.help = "cost at most N% of one CPU, and write SIZE a second: "
			"else record one in so many (weir(1), BUDGET)",
	},
	{
		.name = "keep",
		.type = OPT_SIZE,
		.arg = "SIZE",
		.offset = offsetof(struct record_args, keep_bytes),
		.help = "let ARCHIVE take SIZE at most: its oldest files are "
			"removed",
	},
	{
		.name = "pin",
		.type = OPT_STRING,
		.arg = "NAME",
		.offset = offsetof(struct record_args, capture.pin),
		.help = "go on in the kernel if weir is killed; who is started "
			"next with the same NAME takes over (weir(1), PIN)",
	},
	{
		.name = "keep-for",
		.type = OPT_DURATION,
		.arg = "TIME",
		.offset = offsetof(struct record_args, keep_ns),
		.help = "remove files of ARCHIVE that ended TIME ago: 12h, 7d",
	},
	{0},
};

static const struct opt opts_flight[] = {
	{
		.name = "window",
		.type = OPT_STRING,
		.arg = "TIME|SIZE",
		.offset = offsetof(struct record_args, window),
		.help = "keep the last of it in memory, for snapshots; on disk "
			"only with -o, too: 30s (in at most 256M), 1G, or "
			"30s,64M",
	},
	{
		.name = "snapshot-dir",
		.type = OPT_STRING,
		.complete = OPT_FILE,
		.arg = "DIR",
		.offset = offsetof(struct record_args, snapshot_dir),
		.help = "where snapshots are written (./weir-<UTC "
			"time>-snapshots)",
	},
	{
		.name = "snapshot-on",
		.type = OPT_EACH,
		.arg = "EXPR[,after=TIME][,max=N/TIME][,every=TIME]",
		.offset = offsetof(struct record_args, capture.triggers),
		.help = "take one when EXPR is true of an event: 'block_io."
			"latency > 100ms', 'count(task_fork) > 500/s' "
			"(weir(1), TRIGGERS)",
	},
	{
		.name = "name",
		.type = OPT_STRING,
		.arg = "NAME|SOCKET",
		.offset = offsetof(struct record_args, name),
		.help = "what weir snapshot and weir status find it by (its "
			"process id)",
	},
	{
		.name = "metrics",
		.type = OPT_STRING,
		.arg = "[ADDR:]PORT",
		.offset = offsetof(struct record_args, metrics),
		.help = "serve http://ADDR:PORT/metrics for Prometheus "
			"(127.0.0.1; on another anybody who reaches it reads)",
	},
	{0},
};

struct recording {
	const struct record_args *args;
	struct capture capture;
	char name[KEEP_NAME_LEN];
	const char *path;
	char command[512]; /* for the archive: what was recorded */
	struct archive_dir dir;
	int dir_fd;		      /* the same, when the archive has it */
	struct flight_options flight; /* .window.bytes 0: no window */
	char spool_name[KEEP_NAME_LEN + 16];
	int spool_fd; /* directory that snapshots are written into */
	struct control *control;
	int metrics_fd;
	char metrics[HTTP_NAME_LEN]; /* where they are; "" */
};

/* The command line as the archive keeps it; cut where it is long. */
static void join_words(char *to, size_t size, char *const *words)
{
	size_t len = 0;

	to[0] = '\0';
	for (; words && *words && len + 1 < size; words++)
		len += (size_t)snprintf(to + len, size - len, "%s%s",
					len ? " " : "", *words);
}

/* With the rights we have now; what is made in it has those we keep. */
static int open_dir(struct recording *r)
{
	struct capture *c = &r->capture;
	int err;

	err = archive_dir_create_for(&r->dir, r->path,
				     r->args->append || c->pinning.appends,
				     c->becomes ? &c->user : NULL);
	if (err)
		return record_create_failed(r->path, err);
	r->dir_fd = fcntl(r->dir.fd, F_DUPFD_CLOEXEC, 0);
	if (r->dir_fd < 0)
		return fail("%s", strerror(errno));
	if (!c->becomes || r->dir.owner.uid == c->user.uid)
		return EXIT_OK;
	if (c->args->user)
		return fail("'%s' is root's, so '%s' cannot go on in it "
			    "(without --user weir stays root, with no "
			    "capabilities)",
			    r->path, c->args->user);
	c->becomes = false;
	return EXIT_OK;
}

static int open_archive(struct recording *r)
{
	struct archive_options o = {
		.path = r->path,
		.dir = &r->dir,
		.exist_ok = r->args->append || r->capture.pinning.appends,
		.segment_bytes = r->args->segment_bytes,
		.keep_bytes = r->args->keep_bytes,
		.keep_ns = r->args->keep_ns,
		.command = r->command[0] ? r->command : NULL,
		.asked = r->capture.asked.data,
		.run = r->capture.pinning.run,
		.run_realtime = r->capture.pinning.run_realtime,
	};
	struct recorder *recorder = r->capture.recorder;
	struct archive_writer *w;
	struct sink *sink;
	int err;

	recorder_archive(recorder, &o);
	err = archive_create(&w, recorder_schema(recorder), &o);
	r->dir.fd = r->dir.lock_fd = -1; /* the writer's */
	if (err)
		return record_create_failed(r->path, err);
	err = sink_archive_open(&sink, w, recorder_tasks(recorder));
	if (err) {
		archive_close(w);
		return fail("%s", strerror(-err));
	}
	recorder_watch_archive(recorder, w);
	recorder_add_sink(recorder, sink);
	return EXIT_OK;
}

/* By the directory we have: its path may be out of reach by now. */
static int read_back(const struct recording *r, struct archive **ret)
{
	char *here = (char *)".";
	const char *why;

	return fchdir(r->dir_fd) ? -errno : archive_open(ret, &here, 1, &why);
}

static void say_removed(const struct recording *r)
{
	struct recorder_status s;

	recorder_status(r->capture.recorder, &s);
	if (s.retired)
		say("removed the oldest %llu file%s of it, as --keep asks",
		    (unsigned long long)s.retired, s.retired == 1 ? "" : "s");
}

/* What it kept, read back from the disk, and what to type next. */
static int say_kept(const struct recording *r)
{
	struct archive_info info;
	struct archive *a;
	struct buf size = {0}, span = {0};
	int err = read_back(r, &a);

	if (err)
		return fail("'%s' cannot be read back: %s", r->path,
			    strerror(-err));
	archive_info(a, &info);
	render_bytes(&size, info.bytes);
	render_ns(&span, r->capture.stopped_ns - r->capture.started_ns);
	say("kept %llu events, %.*s, of %.*s in %s",
	    (unsigned long long)record_kept(r->capture.recorder), (int)size.len,
	    size.data, (int)span.len, span.data, r->path);
	say_removed(r);
	say("look at it: weir stat %s; weir show %s -e task_exec", r->path,
	    r->path);
	buf_done(&size);
	buf_done(&span);
	archive_free(a);
	return EXIT_OK;
}

/* What was confined made it the user's from the beginning. */
static void give(const struct recording *r)
{
	bool gives = r->dir.is_fresh && !r->capture.confines;
	int err = gives ? keep_give(r->dir_fd) : 0;

	if (err)
		say("'%s' stays root's: %s", r->path, strerror(-err));
}

/* ---- the window ---------------------------------------------------------- */

/* What was asked for must be possible. Return: EXIT_OK; EXIT_USAGE, told. */
static int check_window(struct recording *r)
{
	struct window_options *w = &r->flight.window;
	int rc = record_window(r->args->window, w);

	if (!rc && !w->bytes && r->args->capture.triggers.count)
		return usage("record: --snapshot-on needs a --window to take a "
			     "snapshot of (--window 30s)");
	return rc;
}

/* The directory that snapshots go to, made for whom we become. */
static int open_spool(struct recording *r)
{
	const struct capture *c = &r->capture;
	const char *path = r->args->snapshot_dir;
	int err;

	if (!path)
		path = r->spool_name;
	err = keep_dir(path, c->becomes ? &c->user : NULL, &r->spool_fd);
	if (!err && !realpath(path, r->flight.dir))
		err = -errno;
	if (err == -EPERM)
		return fail("'%s' is not of the user weir becomes (name one "
			    "that is not there: it is made; or --user)",
			    path);
	return err ? fail("snapshots cannot go to '%s': %s", path,
			  strerror(-err))
		   : EXIT_OK;
}

static int set_trigger(struct recording *r, const char *text)
{
	struct recorder_error err = {0};
	int rc = recorder_trigger(r->capture.recorder, text, &err);

	if (!rc)
		return EXIT_OK;
	if (rc == -ENOSPC)
		return usage("--snapshot-on: at most %d of them", TRIGGERS_MAX);
	if (err.filter.what[0]) {
		say("--snapshot-on: %s", err.filter.what);
		say_at(text, err.filter.at);
		return EXIT_USAGE;
	}
	if (err.what[0])
		return usage("--snapshot-on '%s' %s", text, err.what);
	return fail("--snapshot-on: %s", strerror(-rc));
}

static int set_triggers(struct recording *r)
{
	const struct opt_list *all = &r->args->capture.triggers;
	int rc = EXIT_OK;
	size_t i;

	for (i = 0; i < all->count && !rc; i++)
		rc = set_trigger(r, all->items[i]);
	return rc;
}

static int open_window(struct recording *r)
{
	int err = open_spool(r);

	if (err)
		return err;
	r->flight.dir_fd = r->spool_fd;
	r->flight.asked = r->capture.asked.data;
	err = recorder_flight(r->capture.recorder, &r->flight);
	return err ? fail("cannot keep a window: %s", strerror(-err)) : EXIT_OK;
}

/* Nobody needs to speak to it, unless a name was asked for. */
static int open_control(struct recording *r)
{
	struct control_options o = {
		.recorder = r->capture.recorder,
		.name = r->args->name,
		.into = r->path,
		.command = r->command[0] ? r->command : NULL,
		.metrics_fd = r->metrics_fd,
		.ended = capture_said,
		.arg = &r->capture,
	};
	int socket_error, err = control_open(&r->control, &o, &socket_error);

	r->metrics_fd = -1; /* the control's */
	if (err)
		return fail("%s", strerror(-err));
	r->capture.control = r->control;
	if (!socket_error)
		return EXIT_OK;
	if (socket_error == -EADDRINUSE && o.name)
		return fail("--name: a recorder called '%s' runs already",
			    o.name);
	if (socket_error == -EINVAL && o.name)
		return usage("record: --name '%.60s': write a path, or at most "
			     "64 of A-Z a-z 0-9 . _ -",
			     o.name);
	if (o.name)
		return fail("--name '%s': %s", o.name, strerror(-socket_error));
	if (r->flight.window.bytes)
		say("weir snapshot will not find it: %s (signal SIGUSR1 takes "
		    "one)",
		    strerror(-socket_error));
	return EXIT_OK;
}

/* Events flow; until all is on disk. Return: exit code. */
static int run_recording(struct recording *r)
{
	struct capture *c = &r->capture;
	uint64_t lost;
	int err, rc = EXIT_OK;

	capture_run(c);
	err = capture_stop(c);
	control_end(r->control);
	if (err)
		rc = fail("'%s' lacks events: %s", r->path, strerror(-err));
	lost = capture_lost(c);
	if (r->path) {
		give(r);
		if (!c->args->quiet && say_kept(r))
			rc = EXIT_FAILED;
	} else if (!c->args->quiet)
		record_say_unkept(c->recorder);
	if (rc == EXIT_OK && lost)
		rc = EXIT_LOSSES;
	return capture_exit(c, rc);
}

static int discard(void *arg)
{
	const struct recording *r = arg;

	keep_discard(r->dir_fd, r->path);
	return 0;
}

static void close_recording(struct recording *r, bool keep)
{
	struct capture *c = &r->capture;

	control_close(r->control);
	capture_end(c);
	if (keep || c->pinning.fresh)
		pinning_end(&c->pinning, c->errand);
	archive_dir_done(&r->dir);
	if (!keep && r->dir.is_fresh && r->dir_fd >= 0)
		privileged_call(r->capture.privileged, discard, r);
	capture_close(&r->capture);
	if (r->dir_fd >= 0)
		close(r->dir_fd);
	if (r->spool_fd >= 0)
		close(r->spool_fd);
	if (r->metrics_fd >= 0)
		close(r->metrics_fd);
}

/* What was asked for must be possible. Return: EXIT_OK; EXIT_USAGE, told. */
static int check_keep(const struct record_args *a)
{
	if (!a->keep_bytes)
		return EXIT_OK;
	if (a->keep_bytes < ARCHIVE_KEEP_MIN)
		return usage("--keep must be %u MiB at least",
			     ARCHIVE_KEEP_MIN >> 20);
	if (a->segment_bytes > a->keep_bytes / 2)
		return usage("--segment must be half of --keep at most: only "
			     "whole files are removed");
	return EXIT_OK;
}

/* Where it goes: on disk, unless a window is all that was asked for. */
static void choose_paths(struct recording *r, struct record_args *args)
{
	keep_name(r->name);
	r->path = r->args->output;
	if (!r->path && !r->flight.window.bytes)
		r->path = r->name;
	if (!r->flight.window.bytes || r->args->snapshot_dir)
		return;
	snprintf(r->spool_name, sizeof(r->spool_name), "%s-snapshots", r->name);
	args->capture.spool = r->spool_name;
}

/* Where it goes, or where he who was killed was. */
static int open_archive_dir(struct recording *r)
{
	struct pinning *p = &r->capture.pinning;
	int rc = pinning_check(p, r->args->output, r->path);

	if (p->takes)
		r->path = p->archive;
	if (!rc && r->path)
		rc = open_dir(r);
	if (rc || !r->path)
		return rc;
	pinning_note_archive(p, r->dir.fd);
	return pinning_resume(p, r->capture.recorder, r->dir.fd);
}

/* With the rights we have now: what is confined later is to work there. */
static int open_outputs(struct recording *r)
{
	int rc = open_archive_dir(r);

	if (!rc && r->flight.window.bytes)
		rc = open_window(r);
	if (!rc && r->args->metrics)
		rc = record_metrics(r->args->metrics, &r->metrics_fd,
				    r->metrics);
	return rc ? rc : open_control(r);
}

static int load(struct recording *r)
{
	int dirs[2];
	size_t n = 0;

	if (r->dir.fd >= 0)
		dirs[n++] = r->dir.fd;
	if (r->spool_fd >= 0)
		dirs[n++] = r->spool_fd;
	return capture_load(&r->capture, dirs, n);
}

static int start(struct recording *r)
{
	struct buf into = {0};
	int rc;

	if (r->path)
		buf_printf(&into, " into %s", r->path);
	if (r->flight.window.bytes)
		buf_puts(&into, r->path ? " and a window" : " into a window");
	buf_putc(&into, '\0');
	rc = capture_start(&r->capture, buf_err(&into) ? "" : into.data);
	buf_done(&into);
	if (!rc && r->flight.window.bytes && !r->args->capture.quiet)
		record_say_window(r->args->name);
	if (!rc && r->metrics[0] && !r->args->capture.quiet)
		say("metrics at http://%s/metrics", r->metrics);
	return rc;
}

static int record(const void *arg, const struct opt_words *words)
{
	struct record_args args = *(const struct record_args *)arg;
	struct recording r = {
		.args = &args,
		.dir = {.fd = -1, .lock_fd = -1},
		.dir_fd = -1,
		.spool_fd = -1,
		.metrics_fd = -1,
	};
	bool keep = false;
	int rc = check_window(&r);

	if (!rc)
		rc = check_keep(&args);
	if (rc)
		return rc;
	join_words(r.command, sizeof(r.command), words->command);
	choose_paths(&r, &args);
	rc = pinning_may(&args.capture, words->command);
	if (rc)
		return rc;
	rc = capture_open(&r.capture, &args.capture, words->command);
	if (!rc)
		rc = set_triggers(&r);
	if (!rc && args.capture.explain) {
		rc = capture_explain(&r.capture);
		capture_close(&r.capture);
		return rc;
	}
	if (!rc)
		rc = open_outputs(&r);
	if (!rc)
		rc = load(&r);
	if (!rc && r.path)
		rc = open_archive(&r);
	if (!rc)
		rc = start(&r);
	if (!rc) {
		keep = true;
		rc = run_recording(&r);
	}
	close_recording(&r, keep);
	return rc;
}

const struct command cmd_record = {
	.name = "record",
	.synopsis = "[-- COMMAND ARG...]",
	.help = "record this host, or one command, into an archive",
	.about =
		"Without COMMAND the whole host is recorded, until Ctrl-C or "
		"--for. With it\n"
		"COMMAND and all it starts, from the first instruction on; "
		"weir ends with it\n"
		"and exits with its status: 128 and the signal's number when "
		"one killed it, 127\n"
		"when there is no such program, 126 when it cannot be "
		"executed. Losses are then\n"
		"told on stderr only. --for ends the recording, not COMMAND: "
		"weir waits for it.\n"
		"\nBy default all sources but the costly ones are on: see weir "
		"list.\n"
		"Started by root, weir becomes somebody else once events flow "
		"(--user), and the\n"
		"archive is his, readable by him alone: who called sudo, else "
		"nobody. weir(1),\n"
		"PRIVILEGES, tells more.\n"
		"\nWith --window nothing goes to disk until weir snapshot or "
		"SIGUSR1 asks for it.\n",
	.opts = {opts_select, opts, opts_flight, opts_capture},
	.args_size = sizeof(struct record_args),
	.takes_command = true,
	.run = record,
};
