// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_export.c - `weir export`: events for other programs.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "progress.h"

/* query.to is set here: --to is a format, or a time, or both in turn. */
struct export_args {
	struct query_args query;
	struct opt_list to;
	const char *output;
	bool force;
};

static const struct opt opts[] = {
	{
		.name = "to",
		.type = OPT_EACH,
		.arg = "FORMAT|TIME",
		.choices = "jsonl csv",
		.offset = offsetof(struct export_args, to),
		.help = "jsonl: a JSON object for each event; csv: columns "
			"for the fields of the events chosen; a time: only "
			"events before it",
	},
	{
		.name = "from",
		.type = OPT_STRING,
		.arg = "TIME",
		.offset = offsetof(struct export_args, query.from),
		.help = "only events at or after TIME",
		.also = "since",
	},
	{
		.letter = 'o',
		.name = "output",
		.type = OPT_STRING,
		.complete = OPT_FILE,
		.arg = "FILE",
		.offset = offsetof(struct export_args, output),
		.help = "write to FILE, made for its owner alone (stdout)",
	},
	{
		.name = "force",
		.type = OPT_FLAG,
		.offset = offsetof(struct export_args, force),
		.help = "overwrite FILE",
	},
	{0},
};

enum format { FORMAT_NONE, FORMAT_JSONL, FORMAT_CSV };

/* The file being written. */
struct output {
	const char *name;
	int fd;
	bool made; /* here: removed again when it cannot be finished */
};

static enum format format_of(const char *text)
{
	if (!strcmp(text, "jsonl"))
		return FORMAT_JSONL;
	return strcmp(text, "csv") ? FORMAT_NONE : FORMAT_CSV;
}

/* Tell formats from times. Return: exit code. */
static int read_to(const struct export_args *args, enum format *ret_format,
		   const char **ret_to)
{
	enum format format;
	size_t i;

	*ret_format = FORMAT_NONE;
	for (i = 0; i < args->to.count; i++) {
		format = format_of(args->to.items[i]);
		if (format)
			*ret_format = format;
		else
			*ret_to = args->to.items[i];
	}
	if (*ret_format)
		return EXIT_OK;
	if (args->to.count)
		return usage("export: '%.60s' is no format (--to jsonl or "
			     "--to csv)",
			     args->to.items[args->to.count - 1]);
	return usage("export: in which format? --to jsonl or --to csv");
}

static int open_output(struct output *o, const struct export_args *args)
{
	int flags = O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY;

	o->name = args->output ? args->output : "stdout";
	o->fd = STDOUT_FILENO;
	if (!args->output)
		return EXIT_OK;
	o->fd = open(o->name, flags | O_EXCL, 0600);
	o->made = o->fd >= 0;
	if (o->fd < 0 && errno == EEXIST && args->force)
		o->fd = open(o->name, flags | O_TRUNC, 0600);
	if (o->fd >= 0)
		return EXIT_OK;
	if (errno == EEXIST)
		return fail("'%s' is there already (--force overwrites it)",
			    o->name);
	return fail("cannot write '%s': %s", o->name, strerror(errno));
}

/* Return: 0; -errno of close(), which may be where a full disk is told. */
static int close_output(struct output *o, bool keep)
{
	int err = 0;

	if (o->fd < 0 || o->fd == STDOUT_FILENO)
		return 0;
	if (close(o->fd))
		err = -errno;
	if ((err || !keep) && o->made)
		unlink(o->name);
	o->fd = -1;
	return err;
}

static int open_sink(struct sink **ret, const struct replay *r,
		     enum format format, int fd)
{
	bool kinds[SCHEMA_KINDS_MAX];

	if (format == FORMAT_JSONL)
		return sink_json_open(ret, &r->render, fd);
	memcpy(kinds, r->select.kinds, sizeof(kinds));
	select_gaps(&r->select, r->render.schema, kinds); /* their columns */
	return sink_csv_open(ret, &r->render, kinds, fd);
}

/* Return: 0; -EBADMSG done, but parts were damaged; else -errno. */
static int write_events(struct replay *r, enum format format, struct output *o)
{
	struct sink *sink;
	int closed, err = open_sink(&sink, r, format, o->fd);

	if (err)
		return err;
	err = replay_sink(r, sink);
	closed = sink->ops->close(sink);
	err = closed ? closed : err;
	closed = close_output(o, !err || err == -EBADMSG);
	return closed ? closed : err;
}

static int export(const void *arg, const struct opt_words *words)
{
	const struct export_args *args = arg;
	struct query_args query = args->query;
	struct output o = {.fd = -1};
	enum format format;
	struct replay r;
	int rc, err;

	rc = read_to(args, &format, &query.to);
	if (!rc)
		rc = query_open(&r, &query, words);
	if (rc)
		return rc;
	rc = open_output(&o, args);
	if (o.fd == STDOUT_FILENO && isatty(o.fd))
		progress_stop(); /* the lines tell enough */
	if (!rc) {
		err = write_events(&r, format, &o);
		rc = err && err != -EBADMSG && err != -EPROTONOSUPPORT
			     ? write_failed(o.name, err)
			     : query_end(&r, err);
	}
	close_output(&o, false);
	replay_close(&r);
	return rc;
}

const struct command cmd_export = {
	.name = "export",
	.synopsis = "ARCHIVE...",
	.help = "write events of an archive as JSON lines or CSV",
	.about = "Losses are among the events, as kind gap; as with weir show "
		 "stderr and exit\n"
		 "status 3 tell of them. In CSV a text that a spreadsheet "
		 "would take for a\n"
		 "formula begins with a '.\n",
	.opts = {opts, opts_select, opts_limit, opts_ahead, opts_utc,
		 opts_quiet},
	.args_size = sizeof(struct export_args),
	.min_words = 1,
	.max_words = ARCHIVES_MAX,
	.run = export,
};
