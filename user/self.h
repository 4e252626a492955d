/* SPDX-License-Identifier: BSD-2-Clause */
/* self.h - what this process itself uses. Thread: any. */
#ifndef WEIR_SELF_H
#define WEIR_SELF_H

#include <pthread.h>
#include <stdint.h>

/** self_cpu_ns - user and system time of all threads, ns. */
uint64_t self_cpu_ns(void);

/** self_thread_cpu_ns - of a thread that has not been joined. */
uint64_t self_thread_cpu_ns(pthread_t thread);

/** self_cpus - that its threads may run on, 1 at least. */
unsigned self_cpus(void);

/** self_rss - resident bytes, shared mappings included; 0 unknown. */
uint64_t self_rss(void);

#endif
