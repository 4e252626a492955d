/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * notify.h - tell a service manager how weir is.
 *
 * The protocol of sd_notify(3), section NOTES: assignments, one a line, in one
 * datagram to the socket that $NOTIFY_SOCKET names. libsystemd opens a socket
 * for each message, which a confined process may not; this one is opened once,
 * before.
 */
#ifndef WEIR_NOTIFY_H
#define WEIR_NOTIFY_H

#include <stdint.h>

struct notify {
	int fd;		   /* -1: nobody asked */
	uint64_t every_ns; /* the watchdog wants a sign so often; 0: it does not
			    */
};

/**
 * notify_open - connect to who started us, if the environment says so
 *
 * $NOTIFY_SOCKET, $WATCHDOG_USEC and $WATCHDOG_PID (sd_watchdog_enabled(3)).
 * Return: 0, also when nobody asked; -EINVAL the environment makes no sense;
 * -errno of connect(2). @ret can be used in any case.
 */
int notify_open(struct notify *ret);

/** notify_say - send @fmt, lines NAME=VALUE, 511 bytes at most: longer ones are
 * not sent. Best effort, never waits. */
void notify_say(const struct notify *n, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** notify_done - close it. .fd -1: no-op. */
void notify_done(struct notify *n);

#endif
