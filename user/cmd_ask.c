// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_ask.c - a question to a recorder, and its answer; see cmd_ask.h.
 */
#include "cmd_ask.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rundir.h"

#define ANSWER_MAX (64U << 20) /* bytes */

const struct opt opts_ask[] = {
	{
		.name = "name",
		.type = OPT_STRING,
		.arg = "NAME|SOCKET",
		.offset = offsetof(struct ask_args, name),
		.help = "of the recorder, as its --name says (the only one)",
	},
	{
		.letter = 'j',
		.name = "json",
		.type = OPT_FLAG,
		.offset = offsetof(struct ask_args, json),
		.help = "print JSON",
	},
	{0},
};

/* ---- which --------------------------------------------------------------- */

static void put_name(void *arg, const char *name)
{
	struct buf *b = arg;

	buf_printf(b, "%s%s", b->len ? " " : "", name);
}

int ask_names(struct buf *b)
{
	return rundir_each(put_name, b);
}

static int none_runs(void)
{
	return fail("no recorder runs that belongs to you (weir record "
		    "--window 30s; sudo for that of root)");
}

static int connect_failed(const char *name, int err)
{
	if (err == -ENOENT)
		return fail("no recorder called '%s' runs (weir status lists "
			    "them)",
			    name);
	if (err == -EPERM || err == -EACCES)
		return fail("'%s' is another user's (try sudo)", name);
	if (err == -EAGAIN)
		return fail("'%s' is busy; try again", name);
	return fail("cannot speak to '%s': %s", name, strerror(-err));
}

/* Return: a descriptor; -1, having said why. */
static int connect_to(const char *name)
{
	int fd = rundir_connect(name);

	if (fd < 0)
		connect_failed(name, fd);
	return fd < 0 ? -1 : fd;
}

static int connect_only(void)
{
	struct buf names = {0};
	int n = ask_names(&names), fd = -1;

	buf_putc(&names, '\0');
	if (n == 1 && !buf_err(&names))
		fd = connect_to(names.data);
	else if (n > 1)
		fail("several recorders run: %s (choose one with --name)",
		     names.data);
	else if (n < 0)
		fail("the directory of running recorders: %s", strerror(-n));
	else
		none_runs();
	buf_done(&names);
	return fd;
}

/* ---- question and answer ------------------------------------------------- */

static int send_question(int fd, const char *question)
{
	struct buf b = {0};
	ssize_t n;

	buf_printf(&b, "%s\n", question);
	n = buf_err(&b) ? -1 : send(fd, b.data, b.len, MSG_NOSIGNAL);
	buf_done(&b);
	return n < 0 ? -errno : 0;
}

/* To the end of the connection. */
static int read_answer(int fd, struct buf *b)
{
	char *to;
	ssize_t n;

	do {
		to = buf_space(b, 65536);
		if (!to)
			return -ENOMEM;
		n = read(fd, to, 65536);
		if (n < 0 && errno != EINTR)
			return -errno;
		b->len += n > 0 ? (size_t)n : 0;
		if (b->len > ANSWER_MAX)
			return -EMSGSIZE;
	} while (n);
	return 0;
}

struct answer {
	int code;
	char *made; /* after the code, or NULL */
	char *text;
	size_t len;
};

/* Return: false when it is none. */
static bool parse_answer(struct buf *b, struct answer *ret)
{
	char *end = b->len ? memchr(b->data, '\n', b->len) : NULL;

	if (!end)
		return false;
	*end = '\0';
	ret->code = atoi(b->data);
	ret->made = strchr(b->data, ' ');
	if (ret->made)
		ret->made++;
	ret->text = end + 1;
	ret->len = b->len - (size_t)(ret->text - b->data);
	return true;
}

/* Of failures the text goes to stderr, as words do. */
static int print_answer(const struct answer *a)
{
	struct buf out = {0};
	int rc;

	if ((a->code == EXIT_FAILED || a->code == EXIT_USAGE) && a->len &&
	    a->text[0] != '{')
		return fail("%.*s", (int)a->len - 1, a->text);
	buf_put(&out, a->text, a->len);
	rc = put_stdout(&out);
	return rc ? rc : a->code;
}

int ask_recorder(const char *name, const char *question,
		 int (*done)(void *arg, const char *made), void *arg)
{
	int fd = name ? connect_to(name) : connect_only(), err, rc = EXIT_OK;
	struct buf answer = {0};
	struct answer a = {0};

	if (fd < 0)
		return EXIT_FAILED;
	err = send_question(fd, question);
	if (!err || err == -EPIPE)
		err = read_answer(fd, &answer);
	close(fd);
	if (err && err != -ECONNRESET)
		rc = fail("the recorder does not answer: %s", strerror(-err));
	else if (!parse_answer(&answer, &a))
		rc = fail("the recorder gave no answer (is it busy, or "
			  "ending?)");
	if (!rc && done && a.made && a.code != EXIT_FAILED)
		rc = done(arg, a.made);
	if (!rc)
		rc = print_answer(&a);
	buf_done(&answer);
	return rc;
}
