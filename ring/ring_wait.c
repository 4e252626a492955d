// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_wait.c - the consumer's sleep, the only place where anybody waits.
 *
 * A timed sleep and not a futex: to be woken, the producer would have to
 * publish and then look whether somebody sleeps, a store-load fence for each
 * record. Napping costs 3 % of a core at 1 million records/s, a futex for each
 * record 22 %.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include "ring.h"

#include <poll.h>
#include <time.h>

#define NS_PER_S 1000000000ull

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/* Sleep; true if a signal cut it short. Notices a watched process's end. */
static bool nap(struct ring_consumer *c, uint64_t ns)
{
	struct pollfd pfd = {.fd = c->pidfd, .events = POLLIN};
	struct timespec ts = {(time_t)(ns / NS_PER_S), (long)(ns % NS_PER_S)};
	int n = ppoll(&pfd, 1, &ts, NULL);

	if (n > 0)
		c->dead = true;
	return n < 0;
}

/*
 * Sleep twice as long if too little came meanwhile, half as long if more than
 * a quarter of the ring did.
 */
static void adapt_nap(struct ring_consumer *c, uint64_t min_bytes)
{
	uint64_t avail = ring_avail(c), ns = c->nap_ns;

	if (avail > c->mask / 4)
		ns /= 2;
	else if (avail < min_bytes)
		ns *= 2;
	if (ns < c->nap_min_ns)
		ns = c->nap_min_ns;
	c->nap_ns = ns < c->nap_max_ns ? ns : c->nap_max_ns;
}

int ring_wait(struct ring_consumer *c, uint64_t min_bytes, uint64_t timeout_ns)
{
	uint64_t now, deadline = 0;
	int r;

	ring_release(c);
	while ((r = ring_poll(c, min_bytes)) == RING_EMPTY) {
		now = now_ns();
		if (!deadline)
			deadline = now + timeout_ns < now ? UINT64_MAX
							  : now + timeout_ns;
		if (now >= deadline)
			return RING_TIMEOUT;
		if (nap(c, c->nap_ns < deadline - now ? c->nap_ns
						      : deadline - now))
			return RING_TIMEOUT;
		adapt_nap(c, min_bytes);
	}
	return r;
}
