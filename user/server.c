// SPDX-License-Identifier: BSD-2-Clause
#include "server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "buf.h"
#include "clock.h"

#define ACCEPTS_MAX 64 /* in one run */

enum client_state {
	CLIENT_NONE,
	CLIENT_ASKS,	/* its line is not complete */
	CLIENT_WAITS,	/* for server_answer() */
	CLIENT_LISTENS, /* to its answer */
};

struct client {
	enum client_state state;
	int fd;
	struct server_client is;
	uint64_t until_ns; /* drop it then; 0: it may wait */
	struct buf line, answer;
	size_t sent;
};

struct server {
	int epoll_fd, listen_fd;
	void (*ask)(void *arg, const struct server_client *c, char *line);
	void *arg;
	uint64_t last_id;
	uid_t owner; /* as of when it was opened */
	struct client clients[SERVER_CLIENTS_MAX];
	struct server_stats stats;
};

/* ---- one client ---------------------------------------------------------- */

static void hang_up(struct client *c)
{
	close(c->fd); /* leaves the epoll set by that */
	buf_done(&c->line);
	buf_done(&c->answer);
	*c = (struct client){.fd = -1};
}

static void drop(struct server *s, struct client *c)
{
	s->stats.dropped++;
	hang_up(c);
}

static void expect(struct server *s, struct client *c, uint32_t events)
{
	struct epoll_event ev = {.events = events, .data.ptr = c};

	epoll_ctl(s->epoll_fd, EPOLL_CTL_MOD, c->fd, &ev);
}

static void send_some(struct server *s, struct client *c)
{
	ssize_t n = send(c->fd, c->answer.data + c->sent,
			 c->answer.len - c->sent, MSG_NOSIGNAL | MSG_DONTWAIT);

	if (n < 0 && errno != EAGAIN && errno != EINTR) {
		drop(s, c);
		return;
	}
	c->sent += n > 0 ? (size_t)n : 0;
	if (c->sent < c->answer.len)
		return;
	s->stats.answered++;
	hang_up(c);
}

/* Return: the newline, or NULL: none yet. */
static char *find_end(struct client *c)
{
	return c->line.len ? memchr(c->line.data, '\n', c->line.len) : NULL;
}

static void take_line(struct server *s, struct client *c, char *end)
{
	*end = '\0';
	c->state = CLIENT_WAITS;
	c->until_ns = 0;
	expect(s, c, EPOLLRDHUP);
	s->ask(s->arg, &c->is, c->line.data);
}

static void read_some(struct server *s, struct client *c)
{
	char *to = buf_space(&c->line, SERVER_LINE_MAX - c->line.len), *end;
	ssize_t n;

	if (!to) {
		drop(s, c);
		return;
	}
	n = recv(c->fd, to, SERVER_LINE_MAX - c->line.len, MSG_DONTWAIT);
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->line.len += n > 0 ? (size_t)n : 0;
	end = find_end(c);
	if (end)
		take_line(s, c, end);
	else if (n <= 0 || c->line.len == SERVER_LINE_MAX)
		drop(s, c);
}

static void serve(struct server *s, struct client *c)
{
	switch (c->state) {
	case CLIENT_ASKS:
		read_some(s, c);
		break;
	case CLIENT_LISTENS:
		send_some(s, c);
		break;
	case CLIENT_WAITS: /* it has gone */
		drop(s, c);
		break;
	case CLIENT_NONE:
		break;
	}
}

/* ---- clients that come --------------------------------------------------- */

static struct client *vacant(struct server *s)
{
	unsigned i;

	for (i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (s->clients[i].state == CLIENT_NONE)
			return &s->clients[i];
	return NULL;
}

/* Return: is it somebody to be heard? */
static bool know(const struct server *s, int fd, struct server_client *ret)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return false;
	ret->uid = peer.uid;
	ret->pid = peer.pid;
	return !peer.uid || peer.uid == s->owner;
}

static void welcome(struct server *s, int fd)
{
	struct server_client who = {0};
	struct client *c = know(s, fd, &who) ? vacant(s) : NULL;
	struct epoll_event ev = {.events = EPOLLIN, .data.ptr = c};

	s->stats.accepted++;
	if (!c || epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, fd, &ev)) {
		s->stats.refused++;
		close(fd);
		return;
	}
	who.id = ++s->last_id;
	*c = (struct client){
		.state = CLIENT_ASKS,
		.fd = fd,
		.is = who,
		.until_ns = clock_now() + SERVER_ASK_NS,
	};
}

static void accept_some(struct server *s)
{
	unsigned i;
	int fd;

	for (i = 0; i < ACCEPTS_MAX; i++) {
		fd = accept4(s->listen_fd, NULL, NULL,
			     SOCK_CLOEXEC | SOCK_NONBLOCK);
		if (fd < 0)
			return;
		welcome(s, fd);
	}
}

/* ---- all of them --------------------------------------------------------- */

static void drop_late(struct server *s)
{
	uint64_t now = clock_now();
	unsigned i;

	for (i = 0; i < SERVER_CLIENTS_MAX; i++) {
		struct client *c = &s->clients[i];

		if (c->state != CLIENT_NONE && c->until_ns &&
		    now >= c->until_ns)
			drop(s, c);
	}
}

void server_run(struct server *s)
{
	struct epoll_event events[SERVER_CLIENTS_MAX + 1];
	int i, n = epoll_wait(s->epoll_fd, events, SERVER_CLIENTS_MAX + 1, 0);

	for (i = 0; i < n; i++) {
		if (events[i].data.ptr)
			serve(s, events[i].data.ptr);
		else
			accept_some(s);
	}
	drop_late(s);
}

void server_answer(struct server *s, uint64_t id, const void *data, size_t len)
{
	struct client *c = s->clients;

	while (c < s->clients + SERVER_CLIENTS_MAX &&
	       (c->state != CLIENT_WAITS || c->is.id != id))
		c++;
	if (c == s->clients + SERVER_CLIENTS_MAX)
		return;
	buf_put(&c->answer, data, len);
	if (buf_err(&c->answer) || !len) {
		drop(s, c);
		return;
	}
	c->state = CLIENT_LISTENS;
	c->until_ns = clock_now() + SERVER_ANSWER_NS;
	expect(s, c, EPOLLOUT);
	send_some(s, c);
}

int server_fd(const struct server *s)
{
	return s->epoll_fd;
}

void server_stats(const struct server *s, struct server_stats *ret)
{
	unsigned i;

	*ret = s->stats;
	for (i = 0; i < SERVER_CLIENTS_MAX; i++)
		ret->clients += s->clients[i].state != CLIENT_NONE;
}

/* ---- life ---------------------------------------------------------------- */

int server_open(struct server **ret, int listen_fd,
		void (*ask)(void *arg, const struct server_client *c,
			    char *line),
		void *arg)
{
	struct server *s = calloc(1, sizeof(*s));
	struct epoll_event ev = {.events = EPOLLIN};
	int err = 0;

	if (!s)
		return -ENOMEM;
	s->listen_fd = listen_fd;
	s->ask = ask;
	s->arg = arg;
	s->owner = geteuid();
	s->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (s->epoll_fd < 0 ||
	    epoll_ctl(s->epoll_fd, EPOLL_CTL_ADD, listen_fd, &ev))
		err = -errno;
	if (err) {
		server_close(s);
		return err;
	}
	*ret = s;
	return 0;
}

void server_close(struct server *s)
{
	unsigned i;

	if (!s)
		return;
	for (i = 0; i < SERVER_CLIENTS_MAX; i++)
		if (s->clients[i].state != CLIENT_NONE)
			hang_up(&s->clients[i]);
	if (s->epoll_fd >= 0)
		close(s->epoll_fd);
	free(s);
}
