/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * control.h - how a running recorder is spoken to: `weir snapshot`, `weir
 * status`, signals.
 *
 * What is asked is in question.h. The answer is the exit code the client is to
 * have, for a snapshot a blank and where it was made, a newline, and what the
 * client is to print. To give it another name is up to the client, who has
 * rights that the recorder has not. Only the recorder's own user and root are
 * heard, see server.h. The metrics (metrics.h) are answered beside that, to
 * whoever reaches their port. Thread: the control thread.
 */
#ifndef WEIR_CONTROL_H
#define WEIR_CONTROL_H

#include "health.h"
#include "recorder.h"

/* Exit codes in an answer: those of weir, see cmd.h. */
#define CONTROL_OK     0
#define CONTROL_FAILED 1
#define CONTROL_WRONG  2
#define CONTROL_LOSSES 3

#define CONTROL_FDS_MAX 3

struct control;

/* Borrowed until control_close(), if not said otherwise. */
struct control_options {
	struct recorder *recorder;
	const char *name;    /* to be found by; NULL: the process id */
	const char *into;    /* archive, or NULL */
	const char *command; /* that is recorded, or NULL */
	int metrics_fd;	     /* of http_listen(), taken over; -1: none */
	/* called for each snapshot that has ended */
	void (*ended)(void *arg, const struct snapshot_result *r);
	void *arg;
};

/**
 * control_open - begin to listen: needs what rights that takes
 * @socket_error: 0, or why nobody can speak to it: errors of rundir_listen();
 *                all else works
 *
 * Return: 0; -ENOMEM.
 */
int control_open(struct control **ret, const struct control_options *o,
		 int *socket_error);

/** control_fds - to be polled for reading. Return: how many. */
unsigned control_fds(const struct control *c, int fds[CONTROL_FDS_MAX]);

/** control_run - answer who asks, tell of snapshots that have ended; never
 * blocks. When one of the descriptors is readable, and now and then. */
void control_run(struct control *c);

/** control_snapshot - ask for one on behalf of a signal. Return: as
 * flight_ask(); -ENOTSUP there is no window. */
int control_snapshot(struct control *c, const char *why);

/**
 * control_end - the recorder has stopped: tell of the last snapshots
 *
 * Clients that are there are served for a bounded time: 0.2 s at most.
 */
void control_end(struct control *c);

/** control_close - hang up, be found no more; also the metrics' socket.
 * NULL-safe. */
void control_close(struct control *c);

#endif
