// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_wait_test.c - enough, too little, too late, nobody there any more.
 */
#include "../stress/ring_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MS 1000000ull /* ns */

struct pair {
	struct ring_producer *p;
	struct ring_consumer *c;
};

static struct pair pair_new(size_t size)
{
	struct pair r = {0};

	assert_int_equal(ring_new_pair(&r.p, &r.c, size, 0), 0);
	return r;
}

static void pair_close(struct pair *r)
{
	ring_producer_close(r->p);
	ring_consumer_close(r->c);
}

static void wait_tells_enough_from_some_from_none(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	assert_int_equal(ring_wait(r.c, 0, 0), RING_TIMEOUT);
	assert_int_equal(ring_wait(r.c, 1, 2 * MS), RING_TIMEOUT);
	assert_int_equal(ring_poll(r.c, 0), RING_EMPTY);
	ring_write(r.p, 0, "x", 1);
	assert_int_equal(ring_wait(r.c, 0, 0), RING_OK);
	assert_int_equal(ring_wait(r.c, 16, 0), RING_OK);
	assert_int_equal(ring_wait(r.c, 17, 0), RING_TIMEOUT);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	while (ring_space(r.p) > 512)
		ring_write(r.p, 0, NULL, 0);
	assert_int_equal(ring_wait(r.c, UINT64_MAX, UINT64_MAX), RING_OK);
	pair_close(&r);
}

static void wait_gives_back_what_was_read(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	ring_write(r.p, 0, "x", 1);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	ring_next(r.c);
	assert_int_equal(ring_space(r.p), 1008);
	assert_int_equal(ring_wait(r.c, 1, 0), RING_TIMEOUT);
	assert_int_equal(ring_space(r.p), 1024);
	pair_close(&r);
}

static void closed_producer_leaves_the_rest_readable(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	ring_write(r.p, 7, "last", 4);
	ring_producer_close(r.p);
	assert_int_equal(ring_wait(r.c, 1, UINT64_MAX), RING_OK);
	assert_int_equal(ring_wait(r.c, 512, UINT64_MAX), RING_PEER_DEAD);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	assert_int_equal(rec.type, 7);
	ring_next(r.c);
	assert_int_equal(ring_wait(r.c, 1, UINT64_MAX), RING_PEER_DEAD);
	ring_consumer_close(r.c);
}

static void *write_after_a_while(void *arg)
{
	usleep(3000);
	nth_write(arg, 1);
	return NULL;
}

static void wait_notices_what_another_thread_writes(void **state)
{
	struct pair r = pair_new(4096);
	pthread_t t;

	(void)state;
	pthread_create(&t, NULL, write_after_a_while, r.p);
	assert_int_equal(ring_wait(r.c, 8, 60000 * MS), RING_OK);
	pthread_join(t, NULL);
	pair_close(&r);
}

static void watched_process_that_dies_ends_the_wait(void **state)
{
	struct pair r = pair_new(4096);
	pid_t pid = fork();
	int pidfd;

	(void)state;
	if (!pid) {
		pause();
		_exit(0);
	}
	pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	assert_true(pidfd >= 0);
	ring_watch(r.c, pidfd);
	assert_int_equal(ring_wait(r.c, 1, 3 * MS), RING_TIMEOUT);
	kill(pid, SIGKILL);
	assert_int_equal(ring_wait(r.c, 1, UINT64_MAX), RING_PEER_DEAD);
	waitpid(pid, NULL, 0);
	close(pidfd);
	ring_watch(r.c, -1);
	assert_int_equal(ring_wait(r.c, 1, 0), RING_TIMEOUT);
	pair_close(&r);
}

static void ignore_signal(int sig)
{
	(void)sig;
}

static void signal_ends_the_wait(void **state)
{
	struct sigaction sa = {.sa_handler = ignore_signal};
	struct pair r = pair_new(4096);
	sigset_t set, old;

	(void)state;
	sigaction(SIGALRM, &sa, NULL);
	sigemptyset(&set);
	sigaddset(&set, SIGALRM);
	pthread_sigmask(SIG_UNBLOCK, &set, &old);
	ring_set_nap(r.c, 60000 * MS, 0);
	ualarm(20000, 20000); /* again and again: one may come too early */
	assert_int_equal(ring_wait(r.c, 1, UINT64_MAX), RING_TIMEOUT);
	ualarm(0, 0);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	pair_close(&r);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(wait_tells_enough_from_some_from_none),
		T(wait_gives_back_what_was_read),
		T(closed_producer_leaves_the_rest_readable),
		T(wait_notices_what_another_thread_writes),
		T(watched_process_that_dies_ends_the_wait),
		T(signal_ends_the_wait),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
