/* SPDX-License-Identifier: BSD-2-Clause */
/* self.h - what this process itself uses. Thread: any. */
#ifndef WEIR_SELF_H
#define WEIR_SELF_H

#include <pthread.h>
#include <stdint.h>

/** self_cpu_ns - user and system time of all threads, ns. */
uint64_t self_cpu_ns(void);

/** self_thread_cpu_ns - of a thread that has not been joined, ns; 0: unknown,
 * as of one that has ended. */
uint64_t self_thread_cpu_ns(pthread_t thread);

/**
 * self_cpus - Return: how many CPUs the calling thread may run on, 1 at least
 * (sched_getaffinity(2)); 1 where the host has more than CPU_SETSIZE.
 */
unsigned self_cpus(void);

/** self_rss - resident bytes, shared mappings included; 0 unknown. From
 * /proc/self/statm (proc(5)), in whole pages. */
uint64_t self_rss(void);

#endif
