// SPDX-License-Identifier: BSD-2-Clause
#include "names.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

/* include/linux/errno.h: never meant for user space, seen in a trace */
#define KERNEL_ERRNO_FIRST 512
static const char *const kernel_errnos[] = {
	"ERESTARTSYS",
	"ERESTARTNOINTR",
	"ERESTARTNOHAND",
	"ENOIOCTLCMD",
	"ERESTART_RESTARTBLOCK",
	"EPROBE_DEFER",
	"EOPENSTALE",
	"ENOPARAM",
	NULL,
	"EBADHANDLE",
	"ENOTSYNC",
	"EBADCOOKIE",
	"ENOTSUPP",
	"ETOOSMALL",
	"ESERVERFAULT",
	"EBADTYPE",
	"EJUKEBOX",
	"EIOCBQUEUED",
	"ERECALLCONFLICT",
	"ENOGRACE",
};

static const struct {
	const char *name;
	int number;
} errno_aliases[] = {
	{"EWOULDBLOCK", EWOULDBLOCK},
	{"EDEADLOCK", EDEADLOCK},
	{"ENOTSUP", ENOTSUP},
	{"EOPNOTSUPP", EOPNOTSUPP},
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

const char *errno_name(uint64_t number)
{
	if (number >= KERNEL_ERRNO_FIRST) {
		number -= KERNEL_ERRNO_FIRST;
		return number < COUNT(kernel_errnos) ? kernel_errnos[number]
						     : NULL;
	}
	return number ? strerrorname_np((int)number) : NULL;
}

static int is(const char *known, const char *name, size_t len)
{
	return known && strlen(known) == len && !strncasecmp(known, name, len);
}

int errno_by_name(const char *name, size_t len, int64_t *ret_number)
{
	size_t i;

	for (i = 0; i < COUNT(errno_aliases); i++) {
		if (is(errno_aliases[i].name, name, len)) {
			*ret_number = errno_aliases[i].number;
			return 0;
		}
	}
	for (i = 1; i <= ERRNO_MAX; i++) {
		if (is(errno_name(i), name, len)) {
			*ret_number = (int64_t)i;
			return 0;
		}
	}
	return -ENOENT;
}

const char *signal_name(int64_t number, char scratch[16])
{
	const char *abbrev;
	char *end;

	if (number <= 0 || number > SIGNAL_MAX)
		return NULL;
	abbrev = sigabbrev_np((int)number);
	if (!abbrev && number < SIGRTMIN)
		return NULL;
	end = stpcpy(stpcpy(scratch, "SIG"), abbrev ? abbrev : "RTMIN");
	number -= SIGRTMIN;
	if (abbrev || !number)
		return scratch;
	*end++ = '+';
	if (number >= 10)
		*end++ = (char)('0' + number / 10);
	*end++ = (char)('0' + number % 10);
	*end = '\0';
	return scratch;
}

/* Those that have two names, by the one that signal_name() does not give. */
static const struct {
	const char *name;
	int number;
} signal_aliases[] = {
	{"SIGIO", SIGIO},
	{"SIGIOT", SIGIOT},
	{"SIGCLD", SIGCHLD},
};

/* "SIGRTMAX", "SIGRTMAX-3": as kill -l and signal(7) count from the end. */
static const char *name_from_end(int64_t number, char scratch[16])
{
	int below = (int)(SIGRTMAX - number);

	if (number <= SIGRTMIN)
		return NULL;
	if (below)
		snprintf(scratch, 16, "SIGRTMAX-%d", below);
	else
		strcpy(scratch, "SIGRTMAX");
	return scratch;
}

/* With or without "SIG". */
static int is_signal(const char *known, const char *name, size_t len)
{
	return known && (is(known, name, len) || is(known + 3, name, len));
}

int signal_by_name(const char *name, size_t len, int64_t *ret_number)
{
	char scratch[16];
	size_t a;
	int64_t i;

	for (i = 1; i <= SIGNAL_MAX; i++) {
		if (is_signal(signal_name(i, scratch), name, len) ||
		    is_signal(name_from_end(i, scratch), name, len)) {
			*ret_number = i;
			return 0;
		}
	}
	for (a = 0; a < COUNT(signal_aliases); a++) {
		if (is_signal(signal_aliases[a].name, name, len)) {
			*ret_number = signal_aliases[a].number;
			return 0;
		}
	}
	return -ENOENT;
}

#define TASK_UNINTERRUPTIBLE 0x0002
#define TASK_REPORT	     0x007f
#define TASK_NOLOAD	     0x0400
#define TASK_RTLOCK_WAIT     0x1000
#define TASK_FROZEN	     0x8000
#define TASK_IDLE	     (TASK_UNINTERRUPTIBLE | TASK_NOLOAD)

char state_letter(uint64_t bits)
{
	unsigned reported = bits & TASK_REPORT, i = 0;

	if ((bits & TASK_IDLE) == TASK_IDLE)
		return 'I';
	if (bits & (TASK_RTLOCK_WAIT | TASK_FROZEN))
		return 'D';
	while (reported >> i)
		i++;
	return "RSDTtXZP"[i];
}
