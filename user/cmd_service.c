// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_service.c - a recording as a service: readiness, watchdog, reload.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "cmd_capture.h"

/* One that could be lost: then SIGHUP says so. */
static bool has_terminal(void)
{
	int fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int service_open(struct capture *c)
{
	int err = notify_open(&c->notify);

	c->rotates = !has_terminal();
	return err ? fail("cannot reach NOTIFY_SOCKET: %s", strerror(-err))
		   : EXIT_OK;
}

/* That weir lives is said while events get on, not because it has a clock. */
void service_tell(struct capture *c, uint64_t now)
{
	struct recorder_status s;

	if (!c->notify.every_ns || now - c->told_ns < c->notify.every_ns / 4)
		return;
	recorder_status(c->recorder, &s);
	if (s.rounds == c->told_rounds)
		return;
	c->told_rounds = s.rounds;
	c->told_ns = now;
	notify_say(&c->notify,
		   "WATCHDOG=1\nSTATUS=captured %llu events, lost %llu",
		   (unsigned long long)s.events, (unsigned long long)s.lost);
}
