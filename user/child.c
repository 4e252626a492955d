// SPDX-License-Identifier: BSD-2-Clause
/*
 * child.c - fork now, exec later; see child.h.
 */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define SHELL_SIGNAL_BASE 128
#define NOT_RELEASED	  125
#define DEFAULT_PATH	  "/bin:/usr/bin" /* confstr(_CS_PATH) of glibc */

static void close_fd(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

static ssize_t read_all(int fd, void *to, size_t len)
{
	ssize_t n;

	do
		n = read(fd, to, len);
	while (n < 0 && errno == EINTR);
	return n;
}

static bool is_program(const char *path)
{
	struct stat st;

	return !stat(path, &st) && S_ISREG(st.st_mode) &&
	       !faccessat(AT_FDCWD, path, X_OK, AT_EACCESS);
}

/*
 * Look @name up as execvp(3) does, so that its attempts in vain are not the
 * first events of the recording. Return: false when it is not to be found.
 */
static bool find_program(const char *name, char *path, size_t size)
{
	const char *dirs = getenv("PATH");
	size_t len;
	int n;

	if (strchr(name, '/') || !*name)
		return false;
	for (dirs = dirs ? dirs : DEFAULT_PATH; dirs; dirs += len + 1) {
		len = strcspn(dirs, ":");
		n = snprintf(path, size, "%.*s%s%s", (int)len, dirs,
			     len ? "/" : "", name);
		if (n > 0 && (size_t)n < size && is_program(path))
			return true;
		if (!dirs[len])
			break;
	}
	return false;
}

/* In the child. Never returns. */
static void hold_and_exec(int go_fd, int exec_fd, char *const *argv)
{
	char path[PATH_MAX], byte;
	bool found = find_program(argv[0], path, sizeof(path));
	int err;

	if (read_all(go_fd, &byte, 1) != 1)
		_exit(NOT_RELEASED);
	if (found)
		execv(path, argv);
	execvp(argv[0], argv); /* a path, no program, or a script without #! */
	err = errno;
	if (write(exec_fd, &err, sizeof(err)) != sizeof(err))
		_exit(NOT_RELEASED);
	_exit(NOT_RELEASED);
}

static int fork_held(struct child *c, int go[2], int exec[2], char *const *argv)
{
	c->pid = fork();
	if (c->pid < 0)
		return -errno;
	if (!c->pid) {
		close(go[1]);
		close(exec[0]);
		hold_and_exec(go[0], exec[1], argv);
	}
	c->pidfd = (int)syscall(SYS_pidfd_open, c->pid, 0);
	return c->pidfd < 0 ? -errno : 0;
}

int child_start(struct child *c, char *const *argv)
{
	int go[2] = {-1, -1}, exec[2] = {-1, -1};
	int err = 0;

	*c = (struct child){.pidfd = -1, .go_fd = -1, .exec_fd = -1};
	if (pipe2(go, O_CLOEXEC) || pipe2(exec, O_CLOEXEC))
		err = -errno;
	if (!err)
		err = fork_held(c, go, exec, argv);
	close_fd(&go[0]);
	close_fd(&exec[1]);
	c->go_fd = go[1];
	c->exec_fd = exec[0];
	if (err)
		child_done(c);
	return err;
}

int child_release(struct child *c)
{
	int err = 0;

	if (write(c->go_fd, "", 1) != 1)
		return -errno;
	close_fd(&c->go_fd);
	if (read_all(c->exec_fd, &err, sizeof(err)) != sizeof(err))
		err = 0;
	close_fd(&c->exec_fd);
	if (err)
		child_wait(c, true);
	return -err;
}

bool child_wait(struct child *c, bool block)
{
	pid_t pid;

	if (c->ended || c->pid <= 0)
		return c->ended;
	do
		pid = waitpid(c->pid, &c->status, block ? 0 : WNOHANG);
	while (pid < 0 && errno == EINTR);
	c->ended = pid != 0;
	return c->ended;
}

int child_exit_code(const struct child *c)
{
	return WIFSIGNALED(c->status) ? SHELL_SIGNAL_BASE + WTERMSIG(c->status)
				      : WEXITSTATUS(c->status);
}

void child_done(struct child *c)
{
	bool held = c->go_fd >= 0 && c->pid > 0;

	close_fd(&c->go_fd);
	close_fd(&c->exec_fd);
	if (held)
		child_wait(c, true);
	close_fd(&c->pidfd);
	c->pid = 0;
}
