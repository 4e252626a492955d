// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_common.c - how all commands speak; see cmd.h.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cmd.h"
#include "progress.h"
#include "utf8.h"

const struct opt opts_select[] = {
	{
		.letter = 's',
		.name = "source",
		.type = OPT_LIST,
		.complete = OPT_SOURCE,
		.arg = "SOURCE,...",
		.offset = offsetof(struct query_args, sources),
		.help = "only events of these sources (weir list)",
	},
	{
		.letter = 'e',
		.name = "event",
		.type = OPT_LIST,
		.complete = OPT_EVENT,
		.arg = "EVENT,...",
		.offset = offsetof(struct query_args, kinds),
		.help = "only these events, by name or glob: task_exec, "
			"'net_*' (weir list events)",
	},
	{
		.letter = 'f',
		.name = "filter",
		.type = OPT_STRING,
		.arg = "EXPR",
		.offset = offsetof(struct query_args, filter),
		.help = "only events that EXPR is true of: 'latency > 10ms "
			"and comm == \"postgres\"' (weir(1), FILTERS)",
		.also = "pid",
	},
	{0},
};

const struct opt opts_span[] = {
	{
		.name = "from",
		.type = OPT_STRING,
		.arg = "TIME",
		.offset = offsetof(struct query_args, from),
		.help = "only events at or after TIME: 14:03:20.5, ISO 8601, "
			"or -5m: before the archive's end",
		.also = "since",
	},
	{
		.name = "to",
		.type = OPT_STRING,
		.arg = "TIME",
		.offset = offsetof(struct query_args, to),
		.help = "only events before TIME",
		.also = "until",
	},
	{0},
};

const struct opt opts_limit[] = {
	{
		.letter = 'n',
		.name = "limit",
		.type = OPT_COUNT,
		.arg = "N",
		.offset = offsetof(struct query_args, limit),
		.help = "end after N events; weir's own log and losses do not "
			"count",
		.also = "max-events",
	},
	{0},
};

const struct opt opts_utc[] = {
	{
		.name = "utc",
		.type = OPT_FLAG,
		.offset = offsetof(struct query_args, utc),
		.help = "times in UTC, not in the local zone",
	},
	{0},
};

const struct opt opts_quiet[] = {
	{
		.letter = 'q',
		.name = "quiet",
		.type = OPT_FLAG,
		.offset = offsetof(struct query_args, quiet),
		.help = "do not tell on a terminal how far reading is",
	},
	{0},
};

const struct opt opts_jobs[] = {
	{
		.name = "jobs",
		.type = OPT_COUNT,
		.arg = "N",
		.offset = offsetof(struct query_args, jobs),
		.help = "threads that count (as many as there are CPUs, 8 at "
			"most, and fewer for small archives)",
	},
	{0},
};

const struct opt opts_ahead[] = {
	{
		.name = "jobs",
		.type = OPT_COUNT,
		.arg = "N",
		.offset = offsetof(struct query_args, jobs),
		.help = "threads: 1, or 2, of which one unpacks what the other "
			"looks at (2, but 1 for small archives)",
	},
	{0},
};

const struct opt opts_json[] = {
	{
		.letter = 'j',
		.name = "json",
		.type = OPT_FLAG,
		.offset = offsetof(struct query_args, json),
		.help = "print JSON",
	},
	{0},
};

/* What needs none itself. */
static void say_no_memory(void)
{
	static const char line[] = "weir: out of memory\n";
	ssize_t n = write(STDERR_FILENO, line, sizeof(line) - 1);

	(void)n; /* nowhere to tell */
}

static void vsay(const char *fmt, va_list args)
	__attribute__((format(printf, 1, 0)));

static void vsay(const char *fmt, va_list args)
{
	struct buf line = {0};
	char *text;
	int len = vasprintf(&text, fmt, args);

	if (len < 0) {
		say_no_memory();
		return;
	}
	progress_wipe();
	buf_puts(&line, "weir: ");
	render_escape(&line, text, (size_t)len);
	buf_putc(&line, '\n');
	if (buf_err(&line))
		say_no_memory();
	buf_flush(&line, STDERR_FILENO); /* nowhere to tell */
	buf_done(&line);
	free(text);
}

void say(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
}

int fail(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
	return EXIT_FAILED;
}

int usage(const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsay(fmt, args);
	va_end(args);
	return EXIT_USAGE;
}

/* The expression with one column for each character; a caret under @at. */
static void put_caret(struct buf *b, const char *expr, size_t at)
{
	const uint8_t *p = (const uint8_t *)expr;
	size_t len = strlen(expr), i, columns = 0;
	uint32_t cp;
	unsigned n;

	buf_puts(b, "  ");
	for (i = 0; i < len; i += n ? n : 1) {
		n = utf8_next(p + i, len - i, &cp);
		if (n && utf8_is_drawn(cp))
			buf_put(b, p + i, n);
		else
			buf_putc(b, ' ');
		columns += i < at;
	}
	buf_puts(b, "\n  ");
	while (columns--)
		buf_putc(b, ' ');
	buf_puts(b, "^\n");
}

void say_at(const char *text, size_t at)
{
	struct buf b = {0};

	put_caret(&b, text, at);
	buf_flush(&b, STDERR_FILENO); /* nowhere to tell */
	buf_done(&b);
}

int usage_filter(const char *expr, const struct filter_error *err)
{
	say("filter: %s", err->what);
	say_at(expr, err->at);
	return EXIT_USAGE;
}

int write_failed(const char *name, int err)
{
	if (err == -EPIPE) /* the reader has seen enough */
		return EXIT_FAILED;
	return fail("%s: %s%s", name, strerror(-err),
		    err == -ENOSPC ? " (make room, or write elsewhere)" : "");
}

int put_stdout(struct buf *b)
{
	int err;

	progress_wipe();
	err = buf_flush(b, STDOUT_FILENO);

	buf_done(b);
	return err ? write_failed("stdout", err) : EXIT_OK;
}
