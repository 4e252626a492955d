// SPDX-License-Identifier: BSD-2-Clause
/*
 * ends.c - processes whose threads end at the same moment
 *
 *	ends N    N processes, one after the other, of two threads each
 *
 * Exit code: 0 made; 1 failed; 2 usage.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static pthread_barrier_t both;

static void *wait_for_the_end(void *arg)
{
	pthread_barrier_wait(&both);
	for (;;)
		pause();
	return arg;
}

/* The end of one thread is that of the other, on another CPU perhaps. */
static void end_together(void)
{
	pthread_t thread;

	pthread_barrier_init(&both, NULL, 2);
	if (pthread_create(&thread, NULL, wait_for_the_end, NULL))
		_exit(1);
	pthread_barrier_wait(&both);
	_exit(0);
}

static int one_process(void)
{
	pid_t pid = fork();
	int status;

	if (!pid)
		end_together();
	return pid < 0 || waitpid(pid, &status, 0) != pid || status;
}

int main(int argc, char **argv)
{
	long n;

	if (argc != 2) {
		fprintf(stderr, "usage: ends N\n");
		return 2;
	}
	for (n = atol(argv[1]); n > 0; n--)
		if (one_process())
			return 1;
	return 0;
}
