// SPDX-License-Identifier: BSD-2-Clause
/*
 * trace_drain INSTANCE PREFIX - move what a tracefs instance records to files
 *
 * What `trace-cmd record` does, where it cannot run: the pages of each CPU's
 * per_cpu/cpuN/trace_pipe_raw are spliced to PREFIX.cpuN, whole pages at first,
 * and after SIGINT or SIGTERM all that is left. `trace-cmd restore` makes a
 * trace.dat of these files. To be stopped after the instance's tracing_on was
 * set to 0, or it might never find an end.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CPUS_MAX   1024
#define PIPE_BYTES (1 << 20)
#define PAUSE_US   5000

struct cpu {
	int from;
	int to;
};

static struct cpu cpus[CPUS_MAX];
static int cpu_count;
static int through[2]; /* a pipe: splice(2) needs one */
static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	(void)sig;
	stop = 1;
}

static int die(const char *what)
{
	fprintf(stderr, "trace_drain: %s: %s\n", what, strerror(errno));
	exit(1);
}

static bool cpu_open(const char *instance, const char *prefix, int n)
{
	char path[4096];

	snprintf(path, sizeof(path), "%s/per_cpu/cpu%d/trace_pipe_raw",
		 instance, n);
	cpus[n].from = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (cpus[n].from < 0 && errno == ENOENT)
		return false;
	if (cpus[n].from < 0)
		die(path);
	snprintf(path, sizeof(path), "%s.cpu%d", prefix, n);
	cpus[n].to = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (cpus[n].to < 0)
		die(path);
	return true;
}

static void put(struct cpu *c, ssize_t bytes)
{
	ssize_t n;

	for (; bytes > 0; bytes -= n) {
		n = splice(through[0], NULL, c->to, NULL, bytes, SPLICE_F_MOVE);
		if (n <= 0)
			die("splice to a file");
	}
}

/* Return: whether there was anything */
static bool move_pages(struct cpu *c)
{
	ssize_t n = splice(c->from, NULL, through[1], NULL, PIPE_BYTES,
			   SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		die("splice from trace_pipe_raw");
	if (n > 0)
		put(c, n);
	return n > 0;
}

/* splice takes whole pages only; read takes the last, and fills it up */
static void move_rest(struct cpu *c)
{
	char page[65536];
	ssize_t n;

	while (move_pages(c))
		;
	while ((n = read(c->from, page, getpagesize())) > 0)
		if (write(c->to, page, n) != n)
			die("write");
}

static void drain(void)
{
	bool any;

	while (!stop) {
		any = false;
		for (int i = 0; i < cpu_count; i++)
			any |= move_pages(&cpus[i]);
		if (!any)
			usleep(PAUSE_US);
	}
	for (int i = 0; i < cpu_count; i++)
		move_rest(&cpus[i]);
}

int main(int argc, char **argv)
{
	struct sigaction act = {.sa_handler = on_signal};

	if (argc != 3) {
		fprintf(stderr, "usage: trace_drain INSTANCE PREFIX\n");
		return 2;
	}
	sigaction(SIGINT, &act, NULL);
	sigaction(SIGTERM, &act, NULL);
	while (cpu_count < CPUS_MAX && cpu_open(argv[1], argv[2], cpu_count))
		cpu_count++;
	if (!cpu_count)
		die(argv[1]);
	if (pipe2(through, O_CLOEXEC) ||
	    fcntl(through[1], F_SETPIPE_SZ, PIPE_BYTES) < 0)
		die("pipe");
	puts("draining");
	fflush(stdout);
	drain();
	return 0;
}
