// SPDX-License-Identifier: GPL-2.0-only
/*
 * sched.bpf.c - who has which CPU, who waits for one, and who wakes whom.
 *
 * The hottest hooks there are, so: direct loads only (no helper that
 * lockdown=confidentiality refuses), and of maps two arrays. All three hooks
 * run with a run queue or a task locked and interrupts off: never preempted,
 * so one program serves all kernels.
 *
 * weir's own process: its wakeups and its switches with the idle task are not
 * recorded; a switch between weir and another task is, or that task's times
 * would be wrong.
 */
#define WEIR_RING_BYTES (8 << 20)
#define WEIR_BY_DEFAULT 0
#define WEIR_VALUE	1

#include "flavors.h"
#include "weir.bpf.h"

WEIR_SOURCE(sched, "the scheduler: context switches, wakeups, migrations");
WEIR_FILTERED(sched_switch, EV_SCHED_SWITCH, 1)
WEIR_FILTERED(sched_wakeup, EV_SCHED_WAKEUP, 1)
WEIR_FILTERED(sched_migrate, EV_SCHED_MIGRATE, 1)

#define PF_KTHREAD 0x00200000 /* include/linux/sched.h */

const volatile __u32 args_sched_switch;

/* Who has a CPU, and since when. */
struct holder {
	__u64 task;  /* struct task_struct *, to be compared; 0: not seen yet */
	__u64 since; /* by the run queue's clock */
	__u32 pid;   /* its process */
};

/* Of each CPU, as of the last switch that was seen there. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct holder);
} holders SEC(".maps");

/*
 * All that a task had waited when it last got a CPU, by the low bits of its
 * tid; the tid's other bits stand above the time (2^58 ns are nine years).
 */
#define TID_BITS  22 /* PID_MAX_LIMIT, include/linux/threads.h */
#define SLOT_BITS 16
#define WAIT_BITS (64 - (TID_BITS - SLOT_BITS))
#define WAIT_MASK ((1ULL << WAIT_BITS) - 1)

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1 << SLOT_BITS);
	__type(key, __u32);
	__type(value, __u64);
} waits SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

/* ---- what concerns the recording ----------------------------------------- */

static __always_inline bool follows(__u32 a, __u32 b)
{
	if (!weir_follow || bpf_map_lookup_elem(&followed, &a) ||
	    bpf_map_lookup_elem(&followed, &b))
		return true;
	weir_count_filtered();
	return false;
}

static __always_inline bool idle_or_self(__u32 pid)
{
	return !pid || weir_is_own(pid);
}

/*
 * Who stops a CPU that is taken offline: migration/N, which seems to have the
 * highest priority of all (sched_set_stop_task(), kernel/sched/core.c). That
 * the CPU goes from there to its idle task is shown to nobody: tracepoints are
 * silent where cpu_online() is not (include/linux/tracepoint.h), which is no
 * loss.
 */
static __always_inline bool has_stopped(const struct holder *was, __u32 to)
{
	struct task_struct *t = (struct task_struct *)was->task;

	return weir_strings && !to && !BPF_CORE_READ(t, prio) &&
	       BPF_CORE_READ(t, flags) & PF_KTHREAD;
}

/*
 * Who leaves a CPU is who got it last, or a switch between the two was shown to
 * no program: counted, as no other hook can be. (Some kernels run no programs
 * while certain tasks are on a CPU: a build of 6.18 for microVMs none while a
 * thread of process 1 is, interrupts and all; recursion_misses stays 0.)
 * @to: process of who leaves
 */
static __always_inline void miss_switch(const struct holder *was, __u32 to)
{
	if ((idle_or_self(was->pid) && idle_or_self(to)) ||
	    has_stopped(was, to))
		return;
	if (!weir_follow || bpf_map_lookup_elem(&followed, &was->pid) ||
	    bpf_map_lookup_elem(&followed, &to))
		weir_count_missed();
}

/* ---- times --------------------------------------------------------------- */

/*
 * The clock of this CPU's run queue, as of this switch; 0 where groups of
 * tasks cannot be scheduled (CONFIG_FAIR_GROUP_SCHED). The variable runqueues
 * would lead there too, but not on kernels that keep only functions in
 * kallsyms, nor on 5.10.
 */
static __always_inline __u64 rq_clock(struct task_struct *prev)
{
	if (bpf_core_field_exists(prev->se.cfs_rq))
		return prev->se.cfs_rq->rq->clock;
	return 0;
}

/*
 * How long @prev has had this CPU, which @next gets; 0 where its beginning was
 * not seen.
 */
static __always_inline __u64 take_ran(struct task_struct *prev,
				      struct task_struct *next, __u64 now)
{
	__u32 zero = 0;
	struct holder *h = bpf_map_lookup_elem(&holders, &zero), was;

	if (!h)
		return 0;
	was = *h;
	h->task = (__u64)next;
	h->since = now;
	h->pid = next->tgid;
	if (was.task == (__u64)prev)
		return now > was.since ? now - was.since : 0;
	if (was.task)
		miss_switch(&was, prev->tgid);
	return 0;
}

/*
 * Run-queue delay of the task that gets the CPU, as the kernel accounts it.
 *
 * last_queued is when it entered this CPU's queue: the hook comes before
 * sched_info_arrive(), which clears it. What it waited in the queue of another
 * CPU, before it was moved, is in run_delay by then. So: all it has waited in
 * its life less what that was the last time; where that is not known (not
 * seen yet, or tids that share a slot), the time in this queue alone.
 */
static __always_inline __u64 take_waited(struct task_struct *t, __u64 now)
{
	__u32 tid = t->pid, slot = tid & ((1 << SLOT_BITS) - 1);
	__u64 tag = (__u64)(tid >> SLOT_BITS) << WAIT_BITS;
	__u64 queued, here, all, last, *seen;

	if (!tid || !bpf_core_field_exists(t->sched_info.last_queued))
		return 0;
	queued = t->sched_info.last_queued;
	here = queued && now > queued ? now - queued : 0;
	all = (t->sched_info.run_delay + here) & WAIT_MASK;
	seen = bpf_map_lookup_elem(&waits, &slot);
	if (!seen)
		return here;
	last = *seen;
	*seen = tag | all;
	if (!t->sched_info.pcount)
		return all;
	if (!last || (last & ~WAIT_MASK) != tag || (last & WAIT_MASK) > all)
		return here;
	return all - (last & WAIT_MASK);
}

/* ---- hooks --------------------------------------------------------------- */

static __always_inline int on_switch(bool preempt, struct task_struct *prev,
				     struct task_struct *next, __u32 state)
{
	__u32 pid = prev->tgid, next_pid = next->tgid;
	__u64 clock = rq_clock(prev);
	__u64 ran = take_ran(prev, next, clock ? clock : bpf_ktime_get_ns());
	__u64 waited = clock ? take_waited(next, clock) : 0;
	struct ev_sched_switch image, *ev;

	if (idle_or_self(pid) && idle_or_self(next_pid))
		return 1;
	if (!follows(pid, next_pid))
		return 1;
	ev = weir_draft(sched_switch, EV_SCHED_SWITCH, &image,
			weir_who(pid, prev->pid));
	if (!ev)
		return 1;
	ev->h.flags |= ran ? 0 : WEIR_F_PARTIAL;
	ev->ran = ran;
	ev->waited = waited;
	ev->next_pid = next_pid;
	ev->next_tid = next->pid;
	ev->prev_state = preempt ? 0 : state;
	ev->preempted = pid && (preempt || !state);
	return weir_commit(sched_switch, EV_SCHED_SWITCH, ev);
}

/* 5.18 added prev_state: before, a wakeup could overtake what is read here. */
WEIR_HOOK("tp_btf/sched_switch", "sched_switch")
int sched__switch(__u64 *ctx)
{
	struct task_struct *prev = (void *)ctx[1];
	struct task_struct *next = (void *)ctx[2];

	if (args_sched_switch > 3)
		return on_switch(ctx[0], prev, next, ctx[3]);
	return on_switch(ctx[0], prev, next, task_state(prev));
}

/*
 * The waker is the current task: for a wakeup from an interrupt the one that
 * was interrupted, as everywhere in Linux tracing.
 */
WEIR_HOOK("tp_btf/sched_waking", "sched_wakeup")
int BPF_PROG(sched__wakeup, struct task_struct *t)
{
	__u64 who = bpf_get_current_pid_tgid();
	__u32 waker = who >> 32, pid = t->tgid;
	struct ev_sched_wakeup image, *ev;

	if (weir_is_own(pid) || weir_is_own(waker))
		return 1;
	if (!follows(waker, pid))
		return 1;
	ev = weir_draft(sched_wakeup, EV_SCHED_WAKEUP, &image, who);
	if (!ev)
		return 1;
	ev->target_pid = pid;
	ev->target_tid = t->pid;
	ev->target_cpu = task_cpu(t);
	ev->prio = t->prio;
	return weir_commit(sched_wakeup, EV_SCHED_WAKEUP, ev);
}

WEIR_HOOK("tp_btf/sched_migrate_task", "sched_migrate")
int BPF_PROG(sched__migrate, struct task_struct *t, int to)
{
	struct ev_sched_migrate image, *ev;

	if (!weir_admit(t->tgid))
		return 1;
	ev = weir_draft(sched_migrate, EV_SCHED_MIGRATE, &image,
			bpf_get_current_pid_tgid());
	if (!ev)
		return 1;
	ev->target_pid = t->tgid;
	ev->target_tid = t->pid;
	ev->from_cpu = task_cpu(t);
	ev->to_cpu = to;
	return weir_commit(sched_migrate, EV_SCHED_MIGRATE, ev);
}
