// SPDX-License-Identifier: BSD-2-Clause
/*
 * vm_load.c - make an exactly known number of events, and nothing like them
 *
 * Run inside a guest under `weir record -- vm_load …`; the counts asked for are
 * the truth that the archive is held against. The program is static, so the
 * dynamic loader adds no opens, and it makes each counted event in one place.
 *
 *	vm_load info             kernel, CPUs, BTF: the machine it runs on
 *	vm_load calls THREADS N  N times getppid in each of THREADS threads
 *	vm_load opens FILE N     N opens of FILE for reading
 *	vm_load procs N          N times fork, exec (of itself) and exit 7
 *	vm_load tcp N            N loopback TCP connections, each closed
 *	vm_load blocks DEV N     N direct writes of 4096 bytes to DEV
 *
 * Exit code: 0 all were made; 1 one failed (a line on stderr says which);
 * 2 usage.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHILD_STATUS 7
#define MAX_THREADS  64
#define BLOCK_BYTES  4096

static int failed(const char *what)
{
	fprintf(stderr, "vm_load: %s: %s\n", what, strerror(errno));
	return 1;
}

static int info(char **arg)
{
	struct utsname u;
	struct stat st;

	(void)arg;
	if (uname(&u) || stat("/sys/kernel/btf/vmlinux", &st))
		return failed("/sys/kernel/btf/vmlinux");
	printf("%s, %ld CPUs, BTF of %lld bytes\n", u.release,
	       sysconf(_SC_NPROCESSORS_ONLN), (long long)st.st_size);
	return 0;
}

static void *call_thread(void *arg)
{
	for (long n = *(long *)arg; n > 0; n--)
		syscall(SYS_getppid);
	return NULL;
}

static int calls(char **arg)
{
	long threads = atol(arg[0]), n = atol(arg[1]);
	pthread_t thread[MAX_THREADS];

	if (threads > MAX_THREADS)
		threads = MAX_THREADS;
	for (long i = 0; i < threads; i++) {
		errno = pthread_create(&thread[i], NULL, call_thread, &n);
		if (errno)
			return failed("pthread_create");
	}
	for (long i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	return 0;
}

static int opens(char **arg)
{
	for (long n = atol(arg[1]); n > 0; n--) {
		int fd = open(arg[0], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			return failed(arg[0]);
		close(fd);
	}
	return 0;
}

static int child(char **arg)
{
	(void)arg;
	return CHILD_STATUS;
}

static int procs(char **arg)
{
	for (long n = atol(arg[0]); n > 0; n--) {
		pid_t pid = fork();
		int status;

		if (pid < 0)
			return failed("fork");
		if (!pid) {
			execl("/proc/self/exe", "vm_load", "child", NULL);
			_exit(127);
		}
		if (waitpid(pid, &status, 0) != pid ||
		    WEXITSTATUS(status) != CHILD_STATUS)
			return failed("child");
	}
	return 0;
}

/* One connection, both ends in this process. Return: 0, or 1 with a message. */
static int tcp_once(int listener, const struct sockaddr_in *to)
{
	int ret = 1, peer = -1, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || connect(fd, (const void *)to, sizeof(*to))) {
		failed("connect");
		goto out;
	}
	peer = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	if (peer < 0 || write(fd, "x", 1) != 1) {
		failed("accept");
		goto out;
	}
	ret = 0;
out:
	if (peer >= 0)
		close(peer);
	if (fd >= 0)
		close(fd);
	return ret;
}

static int tcp(char **arg)
{
	struct sockaddr_in sin = {
		.sin_family = AF_INET,
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK),
	};
	socklen_t len = sizeof(sin);
	int ret = 0, fd;

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0 || bind(fd, (void *)&sin, len) || listen(fd, 8) ||
	    getsockname(fd, (void *)&sin, &len))
		return failed("listen on loopback");
	for (long n = atol(arg[0]); n > 0 && !ret; n--)
		ret = tcp_once(fd, &sin);
	close(fd);
	return ret;
}

static int blocks(char **arg)
{
	static char page[BLOCK_BYTES] __attribute__((aligned(BLOCK_BYTES)));
	int fd = open(arg[0], O_WRONLY | O_DIRECT | O_CLOEXEC);

	if (fd < 0)
		return failed(arg[0]);
	for (long i = 0, n = atol(arg[1]); i < n; i++)
		if (pwrite(fd, page, sizeof(page), i * BLOCK_BYTES) !=
		    BLOCK_BYTES)
			return failed("pwrite");
	close(fd);
	return 0;
}

static const struct {
	const char *name;
	int args;
	int (*run)(char **arg);
} loads[] = {
	{"info", 0, info},     {"calls", 2, calls}, {"opens", 2, opens},
	{"procs", 1, procs},   {"child", 0, child}, {"tcp", 1, tcp},
	{"blocks", 2, blocks},
};

int main(int argc, char **argv)
{
	for (size_t i = 0; argc > 1 && i < sizeof(loads) / sizeof(*loads); i++)
		if (!strcmp(argv[1], loads[i].name) &&
		    argc == loads[i].args + 2)
			return loads[i].run(argv + 2);
	fputs("usage: vm_load info | calls THREADS N | opens FILE N |"
	      " procs N | tcp N | blocks DEV N\n",
	      stderr);
	return 2;
}
