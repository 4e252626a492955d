// SPDX-License-Identifier: BSD-2-Clause
/*
 * witness.c - do what a recording is then held against, and say what the
 * kernel said of it
 *
 *	witness spins N   N children that each take 2 ms of CPU time, every
 *other one in the kernel, and of each what wait4 says: "spun PID UTIME_US
 *STIME_US MAX_RSS_KB" witness timers N  N times each: a signal by setitimer, by
 *a POSIX timer, and by kill, to itself
 *
 * Exit code: 0 done; 1 failed; 2 usage.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SPIN_NS 2000000

static int failed(const char *what)
{
	fprintf(stderr, "witness: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Until this process has taken its CPU time, mostly of one of the two. */
static int spin(bool in_kernel)
{
	int fd = open("/dev/zero", O_RDONLY);
	struct timespec t;
	char zeros[65536];

	do {
		if (in_kernel && read(fd, zeros, sizeof(zeros)) < 0)
			return 1;
		for (volatile int i = 0; !in_kernel && i < 10000; i++)
			;
		clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	} while (!t.tv_sec && t.tv_nsec < SPIN_NS);
	return 0;
}

static long long us_of(const struct timeval *t)
{
	return t->tv_sec * 1000000LL + t->tv_usec;
}

static int spins(long n)
{
	struct rusage r;
	pid_t pid;

	setvbuf(stdout, NULL, _IOLBF, 0);
	while (n--) {
		pid = fork();
		if (pid < 0)
			return failed("fork");
		if (!pid)
			_exit(spin(n & 1));
		if (wait4(pid, NULL, 0, &r) != pid)
			return failed("wait4");
		printf("spun %d %lld %lld %ld\n", pid, us_of(&r.ru_utime),
		       us_of(&r.ru_stime), r.ru_maxrss);
	}
	return 0;
}

static int await(const sigset_t *set, int sig)
{
	return sigwaitinfo(set, NULL) == sig ? 0 : failed("sigwaitinfo");
}

static int timers(long n)
{
	struct itimerspec in_1ms = {.it_value.tv_nsec = 1000000};
	struct itimerval it = {.it_value.tv_usec = 1000};
	struct sigevent by_timer = {.sigev_notify = SIGEV_SIGNAL,
				    .sigev_signo = SIGRTMIN};
	sigset_t set;
	timer_t timer;
	int ret = 0;

	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	sigaddset(&set, SIGRTMIN);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	if (timer_create(CLOCK_MONOTONIC, &by_timer, &timer))
		return failed("timer_create");
	while (n-- && !ret) {
		setitimer(ITIMER_REAL, &it, NULL);
		ret |= await(&set, SIGALRM);
		timer_settime(timer, 0, &in_1ms, NULL);
		ret |= await(&set, SIGRTMIN);
		kill(getpid(), SIGUSR1);
		ret |= await(&set, SIGUSR1);
	}
	return ret;
}

int main(int argc, char **argv)
{
	if (argc == 3 && !strcmp(argv[1], "spins"))
		return spins(atol(argv[2]));
	if (argc == 3 && !strcmp(argv[1], "timers"))
		return timers(atol(argv[2]));
	fputs("usage: witness spins|timers N\n", stderr);
	return 2;
}
