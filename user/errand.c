// SPDX-License-Identifier: BSD-2-Clause
#include "errand.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <pthread.h>
#include <seccomp.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "confine.h"

/* What is asked: a signal's number, or one of these. */
#define STATS_ON    1000
#define STATS_OFF   1001
#define UNPIN_LINKS 1002
#define UNPIN_ALL   1003
#define CLEAR	    1004

struct errand {
	pid_t pid;
	int fd;
	pthread_mutex_t mutex; /* one question at a time */
};

/* ---- the process --------------------------------------------------------- */

struct server {
	int fd;
	int stats_fd; /* holds the statistics on; -1: off */
	struct errand_options o;
};

static int stats_on(struct server *s)
{
	union bpf_attr attr = {.enable_stats = {BPF_STATS_RUN_TIME}};

	if (s->stats_fd < 0)
		s->stats_fd = (int)syscall(SYS_bpf, BPF_ENABLE_STATS, &attr,
					   sizeof(attr));
	return s->stats_fd < 0 ? -errno : 0;
}

static int stats_off(struct server *s)
{
	if (s->stats_fd >= 0)
		close(s->stats_fd);
	s->stats_fd = -1;
	return 0;
}

static int unpin(const struct server *s, char sort)
{
	int n = pin_remove(s->o.pin, sort);

	if (n < 0 || sort)
		return n < 0 ? n : 0;
	return pin_remove_dir(s->o.pin);
}

static int clear(const struct server *s)
{
	if (!s->o.dir)
		return 0;
	return unlinkat(s->o.at, s->o.dir, AT_REMOVEDIR) ? -errno : 0;
}

static int answer(struct server *s, int32_t asked)
{
	if (asked == STATS_ON)
		return stats_on(s);
	if (asked == STATS_OFF)
		return stats_off(s);
	if (asked == UNPIN_LINKS || asked == UNPIN_ALL)
		return unpin(s, asked == UNPIN_LINKS ? PIN_LINK : 0);
	if (asked == CLEAR)
		return clear(s);
	return syscall(SYS_pidfd_send_signal, s->o.pidfd, asked, NULL, 0)
		       ? -errno
		       : 0;
}

static int allow_at(scmp_filter_ctx filter, int call, int fd)
{
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, call, 1,
				SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)fd, 0));
}

static int allow_unpin(scmp_filter_ctx filter, const struct pin *p)
{
	int err = allow_at(filter, SCMP_SYS(lseek), p->fd);

	if (!err)
		err = allow_at(filter, SCMP_SYS(getdents64), p->fd);
	if (!err)
		err = allow_at(filter, SCMP_SYS(unlinkat), p->fd);
	if (!err)
		err = allow_at(filter, SCMP_SYS(unlinkat), p->root);
	if (!err)
		err = allow_at(filter, SCMP_SYS(unlinkat), p->top);
	return err;
}

static int allow(void *filter, const void *arg)
{
	const struct server *s = arg;
	int err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(read), 0);

	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(write),
				       0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(close),
				       0);
	if (!err)
		err = seccomp_rule_add(filter, SCMP_ACT_ALLOW,
				       SCMP_SYS(exit_group), 0);
	if (!err)
		err = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(bpf), 1,
			SCMP_A0(SCMP_CMP_EQ, BPF_ENABLE_STATS, 0));
	if (!err && s->o.pidfd >= 0)
		err = allow_at(filter, SCMP_SYS(pidfd_send_signal), s->o.pidfd);
	if (!err && s->o.pin->fd >= 0)
		err = allow_unpin(filter, s->o.pin);
	if (!err && s->o.dir)
		err = seccomp_rule_add(
			filter, SCMP_ACT_ALLOW, SCMP_SYS(unlinkat), 2,
			SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)s->o.at, 0),
			SCMP_A2(SCMP_CMP_EQ, AT_REMOVEDIR, 0));
	return err;
}

static int by_number(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

static void close_others(const struct server *s)
{
	const struct pin *p = s->o.pin;
	int keep[] = {s->fd, s->o.pidfd, p->fd, p->root, p->top, s->o.at};
	const size_t count = sizeof(keep) / sizeof(keep[0]);
	unsigned from = 0;
	size_t i;

	qsort(keep, count, sizeof(keep[0]), by_number);
	for (i = 0; i < count; i++) {
		if (keep[i] > (int)from)
			syscall(SYS_close_range, from, keep[i] - 1, 0);
		if (keep[i] >= 0)
			from = (unsigned)keep[i] + 1;
	}
	syscall(SYS_close_range, from, ~0U, 0);
}

/* Never returns. */
static void serve(struct server *s)
{
	static const int keep[] = {CAP_SYS_ADMIN, CAP_KILL};
	int32_t asked, result;
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
	close_others(s);
	prctl(PR_SET_NAME, "weir-errand", 0, 0, 0);
	/* Of what it may remove, system calls are all it may not have. */
	if (confine_quiet() ||
	    (s->o.pin->fd < 0 && !s->o.dir && confine_files(NULL, 0, false)) ||
	    confine_capabilities(keep, geteuid() ? 0 : 2) ||
	    confine_calls_to(allow, s))
		_exit(1);
	while (read(s->fd, &asked, sizeof(asked)) == sizeof(asked)) {
		result = answer(s, asked);
		if (write(s->fd, &result, sizeof(result)) < 0)
			break;
	}
	_exit(0);
}

/* ---- weir's side --------------------------------------------------------- */

static int fork_server(struct errand *e, const struct errand_options *o)
{
	struct server s = {.stats_fd = -1, .o = *o};
	int fds[2], err = 0;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds))
		return -errno;
	e->pid = fork();
	if (e->pid < 0)
		err = -errno;
	s.fd = fds[1];
	if (!e->pid)
		serve(&s);
	close(fds[1]);
	if (err)
		close(fds[0]);
	e->fd = fds[0];
	return err;
}

int errand_start(struct errand **ret, const struct errand_options *o)
{
	struct errand *e = calloc(1, sizeof(*e));
	int err;

	if (!e)
		return -ENOMEM;
	err = fork_server(e, o);
	if (err) {
		free(e);
		return err;
	}
	pthread_mutex_init(&e->mutex, NULL);
	*ret = e;
	return 0;
}

pid_t errand_pid(const struct errand *e)
{
	return e ? e->pid : 0;
}

static int ask(struct errand *e, int32_t what)
{
	int32_t result = -EPIPE;

	pthread_mutex_lock(&e->mutex);
	if (write(e->fd, &what, sizeof(what)) != sizeof(what) ||
	    read(e->fd, &result, sizeof(result)) != sizeof(result))
		result = -EPIPE;
	pthread_mutex_unlock(&e->mutex);
	return result;
}

int errand_measure(struct errand *e, bool on)
{
	return ask(e, on ? STATS_ON : STATS_OFF);
}

int errand_signal(struct errand *e, int sig)
{
	return ask(e, sig);
}

int errand_unpin(struct errand *e, bool links)
{
	return ask(e, links ? UNPIN_LINKS : UNPIN_ALL);
}

int errand_clear(struct errand *e)
{
	return ask(e, CLEAR);
}

void errand_done(struct errand *e)
{
	if (!e)
		return;
	close(e->fd);
	while (waitpid(e->pid, NULL, 0) < 0 && errno == EINTR)
		;
	pthread_mutex_destroy(&e->mutex);
	free(e);
}
