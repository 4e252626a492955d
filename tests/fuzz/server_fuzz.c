// SPDX-License-Identifier: BSD-2-Clause
/*
 * server_fuzz.c - whatever clients send to a recorder's socket, in pieces and
 * in any order, hanging up when they like: it answers each line once, and no
 * more.
 *
 * The input: steps of a byte that says what and who, and for DO_SEND a byte
 * that says how much of what follows.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../../user/question.h"
#include "../../user/server.h"
#include "../unit/model_schema.h"

#define CLIENTS 4

enum step {
	DO_CONNECT,
	DO_SEND,
	DO_HANG_UP,
	DO_RUN,
	DO_ANSWER,
	DO_READ,
	STEPS
};

struct subject {
	struct server *server;
	int client[CLIENTS]; /* -1: not connected */
	uint64_t asked;	     /* the last who did, and waits; 0: nobody */
	uint64_t questions;
};

static struct sockaddr_un address;
static socklen_t address_len;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An abstract one: nothing is left behind. */
static int listen_once(void)
{
	static int fd = -1;

	if (fd >= 0)
		return fd;
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path + 1, sizeof(address.sun_path) - 1,
		 "weir-fuzz-%d", (int)getpid());
	address_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 +
				  strlen(address.sun_path + 1));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	model_must(
		fd >= 0 &&
			!bind(fd, (struct sockaddr *)&address, address_len) &&
			!listen(fd, CLIENTS),
		"no socket to listen on");
	return fd;
}

static void on_question(void *arg, const struct server_client *c, char *line)
{
	size_t len = strlen(line);
	struct subject *s = arg;
	struct question q;

	model_must(len < SERVER_LINE_MAX && !strchr(line, '\n'), "no line");
	model_must(c->uid == geteuid() && c->id, "whose question?");
	question_read(&q, line);
	model_must(!q.path || (q.path >= line && q.path <= line + len &&
			       q.what == QUESTION_SNAPSHOT),
		   "a path from elsewhere");
	s->questions++;
	if (s->asked) /* at once, or later */
		server_answer(s->server, c->id, "0\n", 2);
	else
		s->asked = c->id;
}

static void connect_client(int *fd)
{
	if (*fd >= 0)
		return;
	*fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (*fd >= 0 &&
	    connect(*fd, (struct sockaddr *)&address, address_len)) {
		close(*fd);
		*fd = -1;
	}
}

static void hang_up(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Return: how much of @data it took. */
static size_t send_some(int fd, const uint8_t *data, size_t size)
{
	size_t len = size ? data[0] : 0;

	if (!size)
		return 0;
	len = len < size - 1 ? len : size - 1;
	if (fd >= 0)
		(void)!send(fd, data + 1, len, MSG_NOSIGNAL);
	return len + 1;
}

static void answer(struct subject *s)
{
	static const char text[3000] = "0\n";

	server_answer(s->server, s->asked, text, sizeof(text));
	s->asked = 0;
}

static size_t step(struct subject *s, const uint8_t *data, size_t size)
{
	int *fd = &s->client[data[0] / STEPS % CLIENTS];
	char room[500];

	switch ((enum step)(data[0] % STEPS)) {
	case DO_CONNECT:
		connect_client(fd);
		return 1;
	case DO_SEND:
		return 1 + send_some(*fd, data + 1, size - 1);
	case DO_HANG_UP:
		hang_up(fd);
		return 1;
	case DO_ANSWER:
		answer(s);
		return 1;
	case DO_READ:
		if (*fd >= 0)
			(void)!recv(*fd, room, sizeof(room), 0);
		return 1;
	default:
		server_run(s->server);
		return 1;
	}
}

static void check(struct subject *s)
{
	struct server_stats stats;

	server_run(s->server);
	server_stats(s->server, &stats);
	model_must(stats.answered <= s->questions, "answers to nothing");
	model_must(stats.accepted >= stats.answered + stats.dropped +
					     stats.refused + stats.clients,
		   "clients that never came");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct subject s = {.client = {-1, -1, -1, -1}};
	int listen_fd = listen_once(), fd;
	size_t at = 0;
	unsigned i;

	model_must(!server_open(&s.server, listen_fd, on_question, &s), "open");
	while (at < size)
		at += step(&s, data + at, size - at);
	check(&s);
	for (i = 0; i < CLIENTS; i++)
		hang_up(&s.client[i]);
	server_close(s.server);
	while ((fd = accept(listen_fd, NULL, NULL)) >= 0) /* for the next */
		close(fd);
	return 0;
}
