/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * clock.h - the one clock events are stamped with, and its relation to the
 * wall. bpf_ktime_get_ns() is CLOCK_MONOTONIC (include/uapi/linux/bpf.h).
 */
#ifndef WEIR_CLOCK_H
#define WEIR_CLOCK_H

#include <stdint.h>
#include <time.h>

#define NS_PER_US 1000ULL
#define NS_PER_MS 1000000ULL
#define NS_PER_S  1000000000ULL

/** clock_read - a clock of clock_gettime(2), ns; one that there is. */
static inline uint64_t clock_read(clockid_t id)
{
	struct timespec ts;

	clock_gettime(id, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/** clock_now - CLOCK_MONOTONIC, ns: stands still while the host sleeps. */
static inline uint64_t clock_now(void)
{
	return clock_read(CLOCK_MONOTONIC);
}

/**
 * clock_wall_offset - realtime - monotonic, ns
 *
 * From the narrowest of eight bracketed readings; good to about 100 ns. It
 * changes when the clock is set, or NTP steps it, and not while that slews it:
 * this moves both clocks (clock_gettime(2)).
 * Thread: any.
 */
int64_t clock_wall_offset(void);

/** clock_sleep - sleep @ns, or until a signal that is handled. */
static inline void clock_sleep(uint64_t ns)
{
	struct timespec ts = {
		.tv_sec = (time_t)(ns / NS_PER_S),
		.tv_nsec = (long)(ns % NS_PER_S),
	};

	nanosleep(&ts, NULL);
}

#endif
