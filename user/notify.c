// SPDX-License-Identifier: BSD-2-Clause
#include "notify.h"

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#define MESSAGE_MAX 512

/* "/path", or "@name" in the abstract namespace. */
static int address(const char *name, struct sockaddr_un *ret, socklen_t *len)
{
	size_t n = strlen(name);

	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n < 2 || n >= sizeof(ret->sun_path) || !strchr("/@", name[0]))
		return -EINVAL;
	memcpy(ret->sun_path, name, n);
	if (name[0] == '@')
		ret->sun_path[0] = '\0';
	*len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n);
	return 0;
}

static int connect_to(const char *name)
{
	struct sockaddr_un to;
	socklen_t len;
	int fd, err = address(name, &to, &len);

	if (err)
		return err;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (struct sockaddr *)&to, len))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* sd_watchdog_enabled(3): microseconds, and for whom. */
static uint64_t watchdog_ns(void)
{
	const char *usec = getenv("WATCHDOG_USEC"),
		   *pid = getenv("WATCHDOG_PID");

	if (!usec || (pid && strtol(pid, NULL, 10) != getpid()))
		return 0;
	return strtoull(usec, NULL, 10) * 1000;
}

int notify_open(struct notify *ret)
{
	const char *name = getenv("NOTIFY_SOCKET");
	int fd;

	*ret = (struct notify){.fd = -1};
	if (!name)
		return 0;
	fd = connect_to(name);
	if (fd < 0)
		return fd;
	ret->fd = fd;
	ret->every_ns = watchdog_ns();
	return 0;
}

void notify_say(const struct notify *n, const char *fmt, ...)
{
	char text[MESSAGE_MAX];
	va_list args;
	int len;

	if (n->fd < 0)
		return;
	va_start(args, fmt);
	len = vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	if (len > 0 && (size_t)len < sizeof(text) &&
	    write(n->fd, text, (size_t)len) < 0)
		return; /* nobody listens any more */
}

void notify_done(struct notify *n)
{
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}
