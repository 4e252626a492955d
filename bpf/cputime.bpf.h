/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cputime.bpf.h - the CPU time of the task that ends, as wait4(2) will tell it.
 *
 * utime and stime of a task are counted in whole ticks, by what it was found
 * doing: most short programs have none, and some that ran for a millisecond
 * four. The scheduler measures what a task ran, and the kernel divides that by
 * the ticks (cputime_adjust(), kernel/sched/cputime.c). So does this.
 *
 * What it ran since the scheduler last looked, at most a tick ago, has to be
 * added. That instant is of the run queue's clock, which no program can ask.
 * But it has just been brought up to date, under its lock, where a new task is
 * woken: what CLOCK_MONOTONIC was ahead of it then is taken to be so still.
 */
#ifndef WEIR_CPUTIME_BPF_H
#define WEIR_CPUTIME_BPF_H

#include "flavors.h"
#include "weir.bpf.h"

#define CPUS_MAX 4096	  /* on others what a task ran last is not added */
#define TICK_MAX 10000000 /* ns: CONFIG_HZ=100 */

/* By CPU: CLOCK_MONOTONIC less its run queue's clock; 0: not known yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, CPUS_MAX);
	__type(key, __u32);
	__type(value, __u64);
} clock_ahead SEC(".maps");

/*
 * cputime_note - learn how far the clock of a run queue is behind
 * @t: woken for the first time, its run queue locked and its clock up to date
 *     (wake_up_new_task(), kernel/sched/core.c)
 *
 * Without CONFIG_FAIR_GROUP_SCHED there is no way to the run queue: no-op.
 */
static __always_inline void cputime_note(struct task_struct *t)
{
	__u32 cpu = task_cpu(t);
	__u64 *ahead = bpf_map_lookup_elem(&clock_ahead, &cpu);

	if (ahead && bpf_core_field_exists(t->se.cfs_rq))
		*ahead = bpf_ktime_get_ns() - t->se.cfs_rq->rq->clock_task;
}

/*
 * cputime_ran - what @t, the current task, has run until @now
 * @now: monotonic ns
 *
 * sum_exec_runtime, and what has passed since exec_start, a tick at most: the
 * kernel brings both up to date in update_curr() (kernel/sched/fair.c).
 * Return: ns.
 */
static __always_inline __u64 cputime_ran(struct task_struct *t, __u64 now)
{
	__u32 cpu = bpf_get_smp_processor_id();
	__u64 *ahead = bpf_map_lookup_elem(&clock_ahead, &cpu);
	__u64 ran = t->se.sum_exec_runtime;
	__s64 since;

	if (!ahead || !*ahead)
		return ran;
	since = now - *ahead - t->se.exec_start;
	if (since < 0)
		since = 0;
	return ran + (since < TICK_MAX ? since : TICK_MAX);
}

/* @ran * @part / @all, in 64 bits: to 1 us, of more than an hour to 1 ms. */
static __always_inline __u64 cputime_share(__u64 ran, __u64 part, __u64 all)
{
	__u32 shift = (ran | all) >> 42 ? 20 : 10;
	__u64 share;

	all >>= shift;
	share = all ? (ran >> shift) * (part >> shift) / all << shift : 0;
	return share < ran ? share : ran;
}

/*
 * cputime_kernel - what of @ran, ns, was in the kernel
 *
 * By the share of ticks, as cputime_adjust() has it: all of it where no tick
 * found it in user mode, none where none found it in the kernel.
 */
static __always_inline __u64 cputime_kernel(struct task_struct *t, __u64 ran)
{
	__u64 user = t->utime, kernel = t->stime;

	if (!kernel)
		return 0;
	if (!user)
		return ran;
	return cputime_share(ran, kernel, user + kernel);
}

#endif
