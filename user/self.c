// SPDX-License-Identifier: BSD-2-Clause
#include "self.h"

#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "clock.h"

uint64_t self_cpu_ns(void)
{
	return clock_read(CLOCK_PROCESS_CPUTIME_ID);
}

uint64_t self_thread_cpu_ns(pthread_t thread)
{
	clockid_t id;

	return pthread_getcpuclockid(thread, &id) ? 0 : clock_read(id);
}

unsigned self_cpus(void)
{
	cpu_set_t set;

	if (sched_getaffinity(0, sizeof(set), &set))
		return 1; /* there are more than the set has room for */
	return (unsigned)CPU_COUNT(&set);
}

/* proc(5): statm counts pages; the second number is resident. */
uint64_t self_rss(void)
{
	FILE *f = fopen("/proc/self/statm", "re");
	unsigned long pages = 0;

	if (!f)
		return 0;
	if (fscanf(f, "%*u %lu", &pages) != 1)
		pages = 0;
	fclose(f);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}
