// SPDX-License-Identifier: GPL-2.0-only
/*
 * syscall.bpf.c - system calls: one event for each, made at its exit from
 * what was noted at its entry, and one for each still inside at the end.
 *
 * Number and arguments are those of the entry: registers change inside (exec
 * clears them, rt_sigreturn loads others). Strings are read at the exit and
 * are claims; `file` is what the kernel's own objects say.
 */
#define WEIR_RING_BYTES (4 << 20)
#define WEIR_VALUE	2
#define WEIR_SLOTS	3 /* see uring.bpf.h */
#include "call.bpf.h"
#include "cpu_ring.bpf.h"
#include "path.bpf.h"
#include "uring.bpf.h"

WEIR_SOURCE(syscall, "system calls, from enter to exit");

WEIR_KNOB(bool, weir_task_storage, 1); /* user/kernel.h */

/*
 * The call that a task is inside of. One of the two is used; the loader does
 * not create the other.
 */
struct {
	__uint(type, BPF_MAP_TYPE_TASK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct call);
} calls SEC(".maps");

/* By task_struct: an exec changes the tid of a thread that does not lead. */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, struct call);
} calls_by_task SEC(".maps");

/*
 * With a budget: by the low bits of its tid, the task whose last call was noted
 * at its entry. So the exit of one that was not, of most of a flood, is told
 * from this alone. Where two tasks share a slot, a call can be shed that was
 * noted.
 */
#define NOTED_SLOTS 65536

struct noted {
	__u32 tid[NOTED_SLOTS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct noted);
} noted_to_shed SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

static __always_inline __u64 task_who(const struct task_struct *t)
{
	return weir_who(weir_get(t, tgid), weir_get(t, pid));
}

/* ---- what a task is inside of -------------------------------------------- */

static __always_inline struct call *call_find(struct task_struct *t)
{
	__u64 key = (__u64)t;

	if (weir_task_storage)
		return bpf_task_storage_get(&calls, t, 0, 0);
	return bpf_map_lookup_elem(&calls_by_task, &key);
}

static __always_inline struct call *call_make(struct task_struct *t)
{
	__u64 key = (__u64)t;

	if (weir_task_storage)
		return bpf_task_storage_get(&calls, t, 0,
					    BPF_LOCAL_STORAGE_GET_F_CREATE);
	struct call none = {};
	bpf_map_update_elem(&calls_by_task, &key, &none, BPF_ANY);
	return bpf_map_lookup_elem(&calls_by_task, &key);
}

/* Killed tasks come past here as well: no entry outlives its task. */
static __always_inline void call_end(struct task_struct *t, struct call *c)
{
	__u64 key = (__u64)t;

	c->since = 0;
	if (!weir_task_storage)
		bpf_map_delete_elem(&calls_by_task, &key);
}

/*
 * Registers that the call does not take hold anything: 0. Where a 32-bit call
 * takes other arguments than the 64-bit one (an offset in two of them), what
 * it was given is shown as it is.
 */
static __always_inline void call_fill(struct call *c, __u32 nr, bool compat,
				      __u32 mode, const struct pt_regs *regs)
{
	const struct trait *trait = &traits[call_index(nr)];
	__u32 taken = ARGS - trait->unused;

	c->nr = nr;
	c->compat = compat;
	c->log2 = 0;
	c->mode = mode;
	c->named = trait->named;
	if (compat) {
		c->args[0] = (__u32)regs->bx;
		c->args[1] = (__u32)regs->cx;
		c->args[2] = (__u32)regs->dx;
		c->args[3] = (__u32)regs->si;
		c->args[4] = (__u32)regs->di;
		c->args[5] = (__u32)regs->bp;
		return;
	}
	c->args[0] = taken > 0 ? regs->di : 0;
	c->args[1] = taken > 1 ? regs->si : 0;
	c->args[2] = taken > 2 ? regs->dx : 0;
	c->args[3] = taken > 3 ? regs->r10 : 0;
	c->args[4] = taken > 4 ? regs->r8 : 0;
	c->args[5] = taken > 5 ? regs->r9 : 0;
}

/* A `tp` program is not given the registers, but may ask for them (5.15). */
static __always_inline const struct pt_regs *current_regs(void)
{
	struct task_struct *t = bpf_get_current_task_btf();

	return (const struct pt_regs *)bpf_task_pt_regs(t);
}

/* ---- the budget ---------------------------------------------------------- */

/* Where the current task's is; NULL: never. */
static __always_inline __u32 *noted_slot(__u32 tid)
{
	struct noted *n;
	__u32 zero = 0;

	n = bpf_map_lookup_elem(&noted_to_shed, &zero);
	return n ? &n->tid[tid % NOTED_SLOTS] : NULL;
}

/* A call begins: is it its turn? Return: as weir_turn(). */
static __always_inline int call_turn(__u32 tid)
{
	int turn = weir_turn();
	__u32 *slot;

	if (!weir_budget)
		return 0;
	slot = noted_slot(tid);
	if (!slot)
		return turn;
	if (turn >= 0)
		*slot = tid;
	else if (*slot == tid)
		*slot = 0;
	return turn;
}

/* A call ends: was it shed when it began? */
static __always_inline bool call_was_shed(__u32 tid)
{
	__u32 *slot;

	if (!weir_sheds())
		return false;
	slot = noted_slot(tid);
	return slot && *slot != tid;
}

/* ---- whose calls --------------------------------------------------------- */

static __always_inline bool is_followed(__u32 pid)
{
	return !weir_follow || bpf_map_lookup_elem(&followed, &pid);
}

/* Of a process that is recorded at all. */
static __always_inline bool is_of_interest(__u32 pid)
{
	return !weir_is_own(pid) && is_followed(pid);
}

/*
 * Is a call that is over, and of which nothing was noted, an event that was
 * refused? It is not known to be one where calls are kept only when they are
 * slow, nor of forks as they look to the child.
 */
static __always_inline bool is_event(__u32 nr, __s64 ret)
{
	return nr != NR_NONE && call_mode(nr) == CALL_ALWAYS &&
	       (ret || !is_fork(nr));
}

static __always_inline int refuse(__u32 pid, __u32 nr, __s64 ret)
{
	if (!weir_is_own(pid) && is_event(nr, ret))
		weir_count_refused();
	return 1;
}

/* The same by the budget, unless the filter did so before it was asked. */
static __always_inline int shed(__u32 pid, __u32 nr, __s64 ret)
{
	if (!wanted_at_entry(pid, nr))
		return refuse(pid, nr, ret);
	if (is_event(nr, ret))
		weir_count_passed();
	return 1;
}

/* ---- enter --------------------------------------------------------------- */

/*
 * Most calls of a host that is filtered end here and at the beginning of
 * on_exit(). Those whose number may be another at the exit are told there.
 */
static __always_inline int on_enter(const struct pt_regs *regs, __u32 nr)
{
	struct task_struct *t = weir_current();
	__u32 pid = weir_get(t, tgid);
	__u32 mode;
	struct call *c;
	bool compat;
	int turn;

	if (!wanted_at_exit(pid) || !is_of_interest(pid))
		return 1;
	compat = in_compat(t);
	if (compat)
		nr = ia32_nr(nr);
	mode = call_mode(nr);
	if (mode == CALL_NEVER || never_returns(nr))
		return 1;
	if (!wanted_at_entry(pid, nr) && !changes_number(nr))
		return 1;
	turn = call_turn(weir_get(t, pid));
	if (turn < 0)
		return 1; /* its exit will count it */
	c = call_make(t);
	if (!c) {
		/* Its exit will say so; but whether it was slow nobody can. */
		if (mode == CALL_SLOW)
			weir_count_missed();
		return 1;
	}
	call_fill(c, nr, compat, mode, regs);
	c->log2 = turn;
	c->since = bpf_ktime_get_ns();
	return 1;
}

SEC("tp_btf/sys_enter")
int BPF_PROG(syscall__enter, struct pt_regs *regs, long nr)
{
	return on_enter(regs, nr);
}

SEC("tp/raw_syscalls/sys_enter")
int syscall__enter_tp(struct trace_event_raw_sys_enter *ctx)
{
	return on_enter(current_regs(), ctx->id);
}

/* ---- exit ---------------------------------------------------------------- */

/* The argument that is the @nth path, from 0; 0 when there is none. */
static __always_inline __u64 path_arg(const struct call *c, int nth)
{
	__u32 which = call_trait(c)->path[nth] - 1;

	barrier_var(which); /* clang knows the range, the verifier not */
	return which < ARGS ? c->args[which] : 0;
}

/* Where there are no strings. */
static __always_inline void put_none(struct weir_str *s, bool is_there)
{
	put_unknown(s, !weir_strings && is_there);
}

/* Is there a file to be named, when it succeeds? */
static __always_inline bool gets_file(const struct call *c)
{
	return opens_file(c->nr) || is_exec(c->nr);
}

static __always_inline int emit_plain(struct task_struct *t,
				      const struct call *c, __s64 ret)
{
	struct ev_syscall_done image, *ev;

	ev = weir_draft_begun(syscall_done, EV_SYSCALL_DONE, &image,
			      task_who(t));
	if (!ev)
		return 1;
	fill_done(ev, c, ret);
	ev->duration = c->since ? ev->h.ts - c->since : 0;
	put_none(&ev->path, path_arg(c, 0));
	put_none(&ev->path2, path_arg(c, 1));
	put_none(&ev->file, ret >= 0 && gets_file(c));
	return weir_commit_by(syscall_done, EV_SYSCALL_DONE, ev,
			      cpu_ring_commit);
}

static __always_inline __u32 put_path(void *base, struct weir_str *s, __u32 pos,
				      __u64 path)
{
	if (path)
		return weir_put_str(base, s, pos, (void *)path, WEIR_FROM_USER);
	weir_no_str(s);
	return pos;
}

static __always_inline int emit_named(struct task_struct *t,
				      const struct call *c, __s64 ret)
{
	bool exec = is_exec(c->nr) && ret == 0;
	struct ev_syscall_done *ev = weir_begin_of(WEIR_SLOT_HOOK, task_who(t));
	__u32 len = sizeof(*ev), span;
	__u64 file = 0;

	if (!ev)
		return 1;
	fill_done(ev, c, ret);
	if (!wants_named(ev, c->since, true, &span))
		return 1;
	len = put_path(ev, &ev->path, len,
		       exec ? path_of_exec(t) : path_arg(c, 0));
	len = put_path(ev, &ev->path2, len, path_arg(c, 1));
	if (exec)
		file = file_of_exec(t);
	else if (opens_file(c->nr) && ret >= 0)
		file = file_of_fd(ret);
	if (file)
		len = weir_put_file(ev, &ev->file, len, file, WEIR_SLOT_HOOK);
	else
		put_unknown(&ev->file, ret >= 0 && gets_file(c));
	ev->h.kind = EV_SYSCALL_DONE;
	if (!weir_cpu_emit(WEIR_SLOT_HOOK, len, span))
		weir_emit_slot(WEIR_SLOT_HOOK, len, span);
	return 1;
}

/* Does how it ended say that it is not to be recorded? Counted, if an event. */
static __always_inline bool ends_for_nobody(const struct call *c, __s64 ret)
{
	if (c->mode == CALL_SLOW && !is_slow(c))
		return true;
	if (wanted_at_end(c, ret))
		return false;
	weir_count_refused();
	return true;
}

static __always_inline void record(struct task_struct *t, const struct call *c,
				   __s64 ret)
{
	if (ends_for_nobody(c, ret))
		return;
	if (weir_strings && c->named)
		emit_named(t, c, ret);
	else
		emit_plain(t, c, ret);
}

/* Exec of a 32-bit program by a 64-bit one changes the number: always execve */
static __always_inline bool is_same(const struct call *c, __u32 nr)
{
	return c->since && (c->nr == nr || nr == NR_NONE || is_exec(c->nr));
}

/*
 * An exit whose entry was not seen: the call began before recording, or was
 * refused by seccomp before it began, or is the kernel's own exec of a helper
 * (modprobe). A child does not return from the fork that its parent called.
 * Return: is it to be recorded?
 */
static __always_inline bool call_missed(struct call *c, __u32 nr, bool compat,
					const struct pt_regs *regs, __s64 ret)
{
	if (nr == NR_NONE || call_mode(nr) != CALL_ALWAYS)
		return false;
	if (ret == 0 && is_fork(nr))
		return false;
	c->since = 0;
	call_fill(c, nr, compat, CALL_ALWAYS, regs);
	return true;
}

static __always_inline void record_plain(struct task_struct *t,
					 const struct call *c, __s64 ret)
{
	__u64 who = task_who(t);
	struct ev_syscall_done *ev;

	ev = weir_cpu_reserve(syscall_done, EV_SYSCALL_DONE, who);
	if (ev) {
		fill_plain(ev, c, ret);
		weir_cpu_submit(ev);
		return;
	}
	ev = weir_reserve_of(syscall_done, EV_SYSCALL_DONE, who);
	if (!ev)
		return;
	fill_plain(ev, c, ret);
	weir_submit(ev);
}

/*
 * A 64-bit call that was noted: its number and mode are not looked up once
 * more. Return: is that all? Not where there are names, or more for a filter to
 * ask.
 */
static __always_inline bool end_plain(struct task_struct *t, struct call *c,
				      __s64 ret)
{
	if (ends_for_nobody(c, ret))
		;
	else if (!c->named && !weir_filter_syscall_done.used)
		record_plain(t, c, ret);
	else
		return false;
	call_end(t, c);
	return true;
}

/* Any other. It is copied, for the verifier to see but one sort of it. */
static __always_inline int on_exit_asking(struct task_struct *t, struct call *c,
					  const struct pt_regs *regs, __u32 nr,
					  __s64 ret)
{
	__u32 pid = weir_get(t, tgid);
	struct call copy;

	nr = true_nr(t, nr);
	if (weir_is_own(pid) || (call_mode(nr) == CALL_NEVER && nr != NR_NONE))
		return 1;
	if (call_was_shed(weir_get(t, pid)) && !is_exec(nr))
		return shed(pid, nr, ret);
	if (!c)
		c = call_find(t);
	if (c && is_same(c, nr)) {
		copy = *c;
		call_end(t, c);
	} else {
		if (!wanted_at_entry(pid, nr))
			return refuse(pid, nr, ret); /* most often, at entry */
		if (weir_sheds())
			return shed(pid, nr, ret);
		if (!call_missed(&copy, nr, in_compat(t), regs, ret))
			return 1;
	}
	record(t, &copy, ret);
	return 1;
}

static __always_inline int on_exit(const struct pt_regs *regs, __u32 nr,
				   __s64 ret)
{
	struct task_struct *t = weir_current();
	__u32 pid = weir_get(t, tgid);
	struct call *c = NULL;

	if (!wanted_at_exit(pid) || !is_followed(pid))
		return refuse(pid, true_nr(t, nr), ret);
	if (!call_was_shed(weir_get(t, pid))) {
		c = call_find(t);
		if (c && c->since && !c->compat && c->nr == nr &&
		    end_plain(t, c, ret))
			return 1;
	}
	return on_exit_asking(t, c, regs, nr, ret);
}

SEC("tp_btf/sys_exit")
int BPF_PROG(syscall__exit, struct pt_regs *regs, long ret)
{
	return on_exit(regs, regs->orig_ax, ret);
}

SEC("tp/raw_syscalls/sys_exit")
int syscall__exit_tp(struct trace_event_raw_sys_exit *ctx)
{
	return on_exit(current_regs(), ctx->id, ctx->ret);
}

/* ---- still inside -------------------------------------------------------- */

/* False when it left the call, or did not stay long enough to be recorded. */
static __always_inline bool still_inside(struct call *copy, struct call *c)
{
	*copy = *c;
	if (!copy->since || *(volatile __u64 *)&c->since != copy->since)
		return false;
	return call_mode(copy->nr) != CALL_SLOW || is_slow(copy);
}

/*
 * Run at the end of recording, when no hook records any more: what is left
 * then was inside at the end. Hooks that were pinned may run on for a while: a
 * task that leaves its call meanwhile clears `since` first, and is passed over.
 * Return: 0 go on, 1 try this task again when there is room.
 */
SEC("iter/task")
int syscall__inside_end(struct bpf_iter__task *ctx)
{
	struct task_struct *t = ctx->task;
	struct call *c, copy;

	if (!t)
		return 0;
	if (!weir_room())
		return 1;
	c = call_find(t);
	if (!c || !still_inside(&copy, c) || !weir_admit(t->tgid))
		return 0;
	return emit_inside(task_who(t), &copy, 0);
}

/* ---- io_uring ------------------------------------------------------------ */

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(syscall__uring_submit, struct io_kiocb *req)
{
	return on_submit(req);
}

SEC("tp/io_uring/io_uring_submit_req")
int syscall__uring_submit_tp(struct trace_event_raw_io_uring_submit_req *ctx)
{
	return on_submit(ctx->req);
}

/* Its name before 6.3: (req, …) from 6.0 on, (ctx, req, …) from 5.14 on. */
SEC("tp_btf/io_uring_submit_sqe")
int syscall__uring_submit_sqe(__u64 *ctx)
{
	if (args_io_uring_submit_sqe == 2)
		return on_submit((void *)ctx[0]);
	if (args_io_uring_submit_sqe == 7)
		return on_submit((void *)ctx[1]);
	return 1;
}

/*
 * (ctx, req, user_data, res, cflags, extra1, extra2) from 5.18 on, (ctx, req,
 * cqe) from 6.13 on; before, it does not say which request.
 */
SEC("tp_btf/io_uring_complete")
int syscall__uring_complete(__u64 *ctx)
{
	struct io_uring_cqe *cqe;

	if (args_io_uring_complete == 7)
		return on_complete(ctx[1], ctx[3], ctx[4]);
	if (args_io_uring_complete != 3 || !args_io_uring_submit_req)
		return 1;
	cqe = (void *)ctx[2];
	return on_complete(ctx[1], cqe->res, cqe->flags);
}

SEC("tp/io_uring/io_uring_complete")
int syscall__uring_complete_tp(struct trace_event_raw_io_uring_complete *ctx)
{
	return on_complete((__u64)ctx->req, ctx->res, ctx->cflags);
}
