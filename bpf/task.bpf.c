// SPDX-License-Identifier: GPL-2.0-only
/*
 * task.bpf.c - the life of tasks: fork, exec, exit, rename, signals, cgroups,
 * and what was alive when recording began.
 *
 * The repo's task table is made of these events alone (but for signals), so
 * this source is never shed or filtered in the kernel, and has a mini-buffer
 * that no flood of another source can fill.
 */
#define WEIR_SLOTS 6

#include "alive.bpf.h"
#include "cputime.bpf.h"
#include "flavors.h"
#include "follow.bpf.h"
#include "path.bpf.h"
#include "weir.bpf.h"

WEIR_SOURCE(task, "life of tasks: fork, exec, exit, rename, signals");
WEIR_EVENT(task_fork, EV_TASK_FORK);
WEIR_EVENT(task_exec, EV_TASK_EXEC);
WEIR_EVENT(task_exit, EV_TASK_EXIT);
WEIR_EVENT(task_rename, EV_TASK_RENAME);
WEIR_FILTERED(task_signal, EV_TASK_SIGNAL, 1)
WEIR_EVENT(task_alive, EV_TASK_ALIVE);
WEIR_EVENT(task_cgroup, EV_TASK_CGROUP);
WEIR_EVENT(cgroup_path, EV_CGROUP_PATH);
WEIR_EVENT(cgroup_gone, EV_CGROUP_GONE);

#define EXIT_CORE  0x80 /* wait(2): core dumped */
#define PAGE_BYTES 4096 /* x86-64 */
#define EEXIST	   17

/* include/uapi/asm-generic/siginfo.h, signal.h */
#define SI_USER	  0
#define SI_KERNEL 0x80
#define SI_TIMER  (-2)
#define SIGALRM	  14

/* 6.16 says which thread is the last of its process. */
const volatile __u32 args_sched_process_exit;

/* A process, even if its number becomes another's. */
struct process {
	__u64 start_time; /* of its leader */
	__u64 pid;
};

/* Those of which some thread was the last, where the kernel does not say. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct process);
	__type(value, __u8);
} ended SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

/* ---- fork ---------------------------------------------------------------- */

/*
 * Every new task is woken once, by its parent, in wake_up_new_task(), before
 * it can run. That hook has the task at hand and runs with the run queue
 * locked, so it is never preempted and one program serves all kernels.
 */
SEC("tp_btf/sched_wakeup_new")
int BPF_PROG(task__fork, struct task_struct *child)
{
	struct cgroup *cg = task_cgroup(child);
	__u32 parent = bpf_get_current_pid_tgid() >> 32;
	__u32 pid = child->tgid;
	struct ev_task_fork *ev;

	cputime_note(child);
	if (weir_follow)
		follow_child(child, parent);
	if (!weir_admit(pid))
		return 1;
	meet_current(WEIR_SLOT_FORK);
	see_cgroup(cg, WEIR_SLOT_FORK);
	ev = weir_reserve(task_fork, EV_TASK_FORK);
	if (!ev)
		return 1;
	ev->child_pid = pid;
	ev->child_tid = child->pid;
	ev->start_time = child->start_time;
	ev->cgroup = cgroup_id(cg);
	ev->uid = task_uid(child);
	ev->ppid = task_ppid(child);
	__builtin_memcpy(ev->child_comm, child->comm, WEIR_COMM_LEN);
	return weir_submit(ev);
}

/* ---- exec ---------------------------------------------------------------- */

/* argv lies between arg_start and arg_end, its words ended by NULs. */
static __always_inline __u32 put_argv(void *base, struct weir_str *s, __u32 pos,
				      struct mm_struct *mm)
{
	unsigned long start = get(mm, arg_start);
	unsigned long full = get(mm, arg_end) - start;
	__u32 at = weir_tail(pos), len;

	s->off = at;
	s->len = 0;
	s->full = full < WEIR_STR_UNKNOWN ? full : WEIR_STR_UNKNOWN - 1;
	if (!weir_strings || !at)
		return pos;
	len = full < WEIR_STR_MAX ? full : WEIR_STR_MAX;
	len &= 2 * WEIR_STR_MAX - 1;
	if (len > WEIR_STR_MAX ||
	    bpf_probe_read_user(base + at, len, (void *)start))
		return pos;
	s->len = len;
	return at + len;
}

static __always_inline int on_exec(struct task_struct *t, const char *filename,
				   __u32 old_tid, __u32 argc)
{
	struct cgroup *cg = task_cgroup(t);
	struct mm_struct *mm = get(t, mm);
	struct ev_task_exec *ev;
	__u32 len = sizeof(*ev);

	if (!weir_admit(t->tgid))
		return 1;
	see_cgroup(cg, WEIR_SLOT_HOOK);
	ev = weir_begin(WEIR_SLOT_HOOK);
	if (!ev)
		return 1;
	ev->start_time = t->start_time;
	ev->cgroup = cgroup_id(cg);
	ev->uid = task_uid(t);
	ev->ppid = task_ppid(t);
	ev->old_tid = old_tid;
	ev->argc = argc;
	bpf_get_current_comm(ev->new_comm, sizeof(ev->new_comm));
	len = weir_put_str(ev, &ev->filename, len, filename, WEIR_FROM_KERNEL);
	len = put_exe(ev, &ev->file, len, mm, WEIR_SLOT_HOOK);
	len = put_argv(ev, &ev->argv, len, mm);
	return weir_emit(&ev->h, WEIR_SLOT_HOOK, EV_TASK_EXEC, len);
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(task__exec, struct task_struct *p, pid_t old_pid,
	     struct linux_binprm *bprm)
{
	return on_exec(p, bprm->filename, old_pid, bprm->argc);
}

SEC("tp/sched/sched_process_exec")
int task__exec_tp(struct trace_event_raw_sched_process_exec *ctx)
{
	__u32 at = ctx->__data_loc_filename & 0xffff;

	return on_exec(bpf_get_current_task_btf(), (void *)ctx + at,
		       ctx->old_pid, 0);
}

/* ---- exit ---------------------------------------------------------------- */

/*
 * Threads of a process that end at the same time all find that none is alive,
 * as each has said so of itself before it comes here. Then the first is taken
 * for the last.
 */
static __always_inline bool is_last(struct task_struct *t)
{
	struct task_struct *leader = get(t, group_leader);
	struct process p = {
		.start_time = get(leader, start_time),
		.pid = t->tgid,
	};
	__u8 yes = 1;

	return args_sched_process_exit > 1 ||
	       bpf_map_update_elem(&ended, &p, &yes, BPF_NOEXIST) != -EEXIST;
}

static __always_inline void fill_exit(struct ev_task_exit *ev,
				      struct task_struct *t, bool last)
{
	struct signal_struct *sig = get(t, signal);
	__u32 code = t->exit_code;
	__u64 ran = cputime_ran(t, ev->h.ts);

	ev->start_time = t->start_time;
	ev->lifetime = ev->h.ts - ev->start_time;
	ev->exit_code = code >> 8 & 0xff;
	ev->signal = code & 0x7f;
	ev->core = !!(code & EXIT_CORE);
	ev->stime = cputime_kernel(t, ran);
	ev->utime = ran - ev->stime;
	ev->max_rss = last ? get(sig, maxrss) * PAGE_BYTES : 0;
	ev->last = last;
}

static __always_inline int on_exit(struct task_struct *t, bool ends)
{
	struct ev_task_exit *ev;
	__u32 pid = t->tgid;
	bool met;

	/* That one is recorded: whoever comes next is to know that it ended. */
	if (weir_pinned && ends)
		weir_forget_own(pid);
	met = part(t) && !why_followed(pid);
	if (!met && !weir_admit(pid))
		return 1;
	if (weir_follow && ends)
		follow_to_end(pid);
	introduce(t);
	ends = ends && is_last(t);
	ev = weir_reserve(task_exit, EV_TASK_EXIT);
	if (!ev)
		return 1;
	if (met)
		ev->h.flags = WEIR_F_CONTEXT;
	fill_exit(ev, t, ends);
	return weir_submit(ev);
}

SEC("tp_btf/sched_process_exit")
int task__exit(__u64 *ctx)
{
	struct task_struct *t = (void *)ctx[0];
	struct signal_struct *sig;

	if (args_sched_process_exit > 1)
		return on_exit(t, ctx[1]);
	sig = get(t, signal);
	return on_exit(t, get(sig, live.counter) == 0);
}

SEC("tp/sched/sched_process_exit")
int task__exit_tp(struct trace_event_raw_sched_process_exit *ctx)
{
	return on_exit(bpf_get_current_task_btf(), ctx->group_dead);
}

/*
 * A task is gone for good: if it led a process, which has its number, no thread
 * is left of that either. A raw program on all kernels: it interrupts others,
 * where a tp one would be skipped (bpf_prog_active), and cannot be preempted
 * but on PREEMPT_RT.
 */
SEC("tp_btf/sched_process_free")
int BPF_PROG(task__free_followed, struct task_struct *t)
{
	if (why_followed(t->pid) & WEIR_FOLLOW_ENDED)
		unfollow(t->pid);
	return 1;
}

/* ---- rename, signal, cgroup ---------------------------------------------- */

SEC("tp_btf/task_rename")
int BPF_PROG(task__rename, struct task_struct *t, const char *comm)
{
	struct ev_task_rename *ev;

	if (!weir_admit(t->tgid))
		return 1;
	introduce_current();
	ev = weir_reserve(task_rename, EV_TASK_RENAME);
	if (!ev)
		return 1;
	ev->target_pid = t->tgid;
	ev->target_tid = t->pid;
	__builtin_memset(ev->new_comm, 0, WEIR_COMM_LEN);
	if (weir_strings)
		bpf_probe_read_kernel_str(ev->new_comm, WEIR_COMM_LEN, comm);
	return weir_submit(ev);
}

/* Also SEND_SIG_NOINFO, NULL: include/linux/signal.h */
#define SEND_SIG_PRIV ((const struct kernel_siginfo *)1)

static __always_inline bool has_siginfo(const struct kernel_siginfo *info)
{
	return info > SEND_SIG_PRIV;
}

static __always_inline __s32 signal_code(const struct kernel_siginfo *info)
{
	/* A number to many verifiers: only helpers read there */
	if (has_siginfo(info))
		return weir_strings ? BPF_CORE_READ(info, si_code) : SI_KERNEL;
	return info ? SI_KERNEL : SI_USER;
}

/*
 * A timer goes off while some other task runs, or none: what it sends is sent
 * by who has it, which is whom it is sent to. (setitimer(), alarm():
 * it_real_fn(), kernel/time/itimer.c.)
 */
static __always_inline bool
is_of_timer(int sig, const struct kernel_siginfo *info, __s32 code)
{
	return code == SI_TIMER || (sig == SIGALRM && info == SEND_SIG_PRIV);
}

WEIR_HOOK("tp_btf/signal_generate", "task_signal")
int BPF_PROG(task__signal, int sig, struct kernel_siginfo *info,
	     struct task_struct *t, int group, int result)
{
	__u64 who = bpf_get_current_pid_tgid();
	__s32 code = signal_code(info);
	struct ev_task_signal image, *ev;

	if (!weir_admit(t->tgid))
		return 1;
	if (is_of_timer(sig, info, code)) {
		who = weir_who(t->tgid, t->pid);
		introduce(t);
	} else {
		meet_current(WEIR_SLOT_SEND);
	}
	ev = weir_draft(task_signal, EV_TASK_SIGNAL, &image, who);
	if (!ev)
		return 1;
	ev->signal = sig;
	ev->code = code;
	if (has_siginfo(info) && !weir_strings)
		ev->h.flags = WEIR_F_PARTIAL;
	ev->target_pid = t->tgid;
	ev->target_tid = t->pid;
	ev->group = group;
	ev->result = result;
	return weir_commit(task_signal, EV_TASK_SIGNAL, ev);
}

/* It may be new here, or leave with its next step: nobody else tells. */
static __always_inline void follow_moved(struct task_struct *t)
{
	__u32 had = why_followed(t->tgid), pid = t->tgid;
	__u32 why = had & ~WEIR_FOLLOW_CGROUP;

	if (is_in_cgroups(t))
		why |= WEIR_FOLLOW_CGROUP;
	if (why != had && why)
		follow(pid, why);
	else if (why != had)
		unfollow(pid);
	if (why && !had)
		say_alive(t, WEIR_SLOT_MOVE);
}

/* Called with trace_cgroup_path_lock held, a spinlock_t. */
SEC("tp_btf/cgroup_attach_task")
int BPF_PROG(task__cgroup, struct cgroup *to, const char *path,
	     struct task_struct *t)
{
	struct ev_task_cgroup *ev;
	struct cgroup *cg;

	if (weir_follow_cgroups)
		follow_moved(t);
	if (!weir_admit(t->tgid))
		return 1;
	meet_current(WEIR_SLOT_MOVE);
	cg = task_cgroup(t);
	see_cgroup(cg, WEIR_SLOT_MOVE);
	ev = weir_reserve(task_cgroup, EV_TASK_CGROUP);
	if (!ev)
		return 1;
	ev->target_pid = t->tgid;
	ev->target_tid = t->pid;
	ev->cgroup = cgroup_id(cg);
	return weir_submit(ev);
}

/* Whose path was told. Called as the one above. */
SEC("tp_btf/cgroup_rmdir")
int BPF_PROG(task__rmdir, struct cgroup *cg)
{
	__u64 id = cgroup_id(cg), *root, who = bpf_get_current_pid_tgid();
	struct ev_cgroup_gone *ev;

	root = bpf_map_lookup_elem(&cgroups_seen, &id);
	if (!root || *root != (__u64)get(cg, root))
		return 1;
	ev = weir_reserve_of(cgroup_gone, EV_CGROUP_GONE, who);
	if (!ev)
		return 1;
	if (!weir_admit(who >> 32))
		ev->h.flags = WEIR_F_CONTEXT;
	ev->cgroup = id;
	bpf_map_delete_elem(&cgroups_seen, &id);
	return weir_submit(ev);
}

/* ---- whom those followed have to do with ----------------------------------
 */

/* What the source sched tells of these has two tasks, of which one is followed.
 * Its hooks are attached later, and so run after these. */
static __always_inline int meet_current_of(struct task_struct *t)
{
	if (why_followed(t->tgid))
		meet_current(WEIR_SLOT_MEET);
	return 1;
}

WEIR_HOOK("tp_btf/sched_switch", "sched_switch")
int BPF_PROG(task__switch_followed, bool preempt, struct task_struct *prev,
	     struct task_struct *next)
{
	if (why_followed(prev->tgid))
		meet(next, WEIR_SLOT_MEET);
	else if (why_followed(next->tgid))
		meet(prev, WEIR_SLOT_MEET);
	return 1;
}

WEIR_HOOK("tp_btf/sched_waking", "sched_wakeup")
int BPF_PROG(task__waking_followed, struct task_struct *t)
{
	if (why_followed(bpf_get_current_pid_tgid() >> 32))
		meet(t, WEIR_SLOT_MEET);
	return meet_current_of(t);
}

WEIR_HOOK("tp_btf/sched_migrate_task", "sched_migrate")
int BPF_PROG(task__migrate_followed, struct task_struct *t)
{
	return meet_current_of(t);
}

/* ---- what was alive ------------------------------------------------------ */

/*
 * Run once the hooks above are attached. Its events enter the same stream, so
 * no fork or exit falls between the two; a task seen twice is one task (tid
 * and start time). Return: 0 go on, 1 try this task again when there is room.
 */
SEC("iter/task")
int task__alive(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;

	if (!t) {
		weir_walked = true;
		return 0;
	}
	if (!weir_room())
		return 1;
	if (weir_follow_trees || weir_follow_cgroups)
		follow_alive(t);
	say_alive(t, WEIR_SLOT_ITER);
	return 0;
}
