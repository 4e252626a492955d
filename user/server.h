/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * server.h - answers questions on a unix socket, from a loop that does other
 * things as well.
 *
 * A client sends one line and gets one answer, then the connection ends.
 * Nothing here ever blocks, and no client can cost more than its share: only
 * root and who opened it are heard (SO_PEERCRED), whoever this process becomes
 * later; so many at a time,
 * a line is bounded, and who is slow is dropped.
 * Thread: one.
 */
#ifndef WEIR_SERVER_H
#define WEIR_SERVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define SERVER_CLIENTS_MAX 16
#define SERVER_LINE_MAX	   8192		 /* bytes of a question */
#define SERVER_ASK_NS	   2000000000ULL /* so long one may take to ask */
#define SERVER_ANSWER_NS   5000000000ULL /* and to read the answer */

struct server;

struct server_client {
	uint64_t id; /* never used again */
	uid_t uid;
	pid_t pid;
};

/**
 * server_open - @listen_fd is borrowed, non-blocking
 * @ask: called for each question, without its newline, which it may change;
 * both are valid inside it. It calls server_answer(), now or later
 *
 * Return: 0; -ENOMEM; -errno of epoll_create1(2).
 */
int server_open(struct server **ret, int listen_fd,
		void (*ask)(void *arg, const struct server_client *c,
			    char *line),
		void *arg);

/** server_fd - to be polled: readable when server_run() has something to do. */
int server_fd(const struct server *s);

/** server_run - do what can be done now, and drop who is late. Call it now and
 * then even when nothing is readable. Calls @ask. */
void server_run(struct server *s);

/** server_answer - send @len bytes, copied, to client @id, and hang up when
 * they are read; one that has gone, or was answered: no-op. Without bytes it is
 * dropped. */
void server_answer(struct server *s, uint64_t id, const void *data, size_t len);

struct server_stats {
	uint64_t accepted, answered;
	uint64_t refused; /* other users, one too many */
	uint64_t dropped; /* slow, or no question */
	unsigned clients;
};

/** server_stats - counted since it was opened. */
void server_stats(const struct server *s, struct server_stats *ret);

/** server_close - hang up on all; the listening socket stays the caller's.
 * NULL-safe. */
void server_close(struct server *s);

#endif
