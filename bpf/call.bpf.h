/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * call.bpf.h - what a system call is to the syscall source: which of them are
 * recorded, how they are told apart, and how one fills its event.
 */
#ifndef WEIR_CALL_BPF_H
#define WEIR_CALL_BPF_H

#include "flavors.h"
#include "peek.bpf.h"
#include "strings.bpf.h"
#include "syscalls_ia32.h"
#include "weir.bpf.h"

enum call_mode {
	CALL_NEVER = 0,
	CALL_ALWAYS = 1,
	CALL_SLOW = 2, /* when slower than syscall_slower */
};

#define CALL_NUMBERS 512
#define CALL_OTHER   (CALL_NUMBERS - 1) /* any number not in syscalls.h */
#define ARGS	     6

/*
 * Set by user/source.c, see weir.bpf.h: what to record of each number. Those
 * without a row in syscalls.h get the mode of CALL_OTHER, which is also that
 * of larger numbers and of 32-bit calls that no 64-bit one does the same as.
 */
const volatile __u8 syscall_mode[CALL_NUMBERS];
const volatile __u64 syscall_slower; /* ns; 0: CALL_SLOW is CALL_NEVER */

/* A call that was entered, by a task or through io_uring. */
struct call {
	__u64 since; /* when it was entered, monotonic ns; 0: inside of none */
	__u32 nr;    /* as it is recorded: true_nr() */
	__u8 compat; /* a 32-bit call */
	__u8 log2;   /* one of 2^n that it stands for */
	__u8 mode;   /* enum call_mode */
	__u8 named;  /* as of its trait */
	__u64 args[ARGS]; /* 0 beyond those that it takes */
};

/* ---- the filter ---------------------------------------------------------- */

WEIR_FILTERED(syscall_done, EV_SYSCALL_DONE, 1)
WEIR_FILTERED(syscall_enter, EV_SYSCALL_ENTER, 0)

/* weir_wants_syscall_done() of a call that is not the current task's: clauses
 * about the name of the task hold. */
static __noinline bool wants_others_done(const struct weir_hdr *h)
{
	return weir_filter_passes(&weir_filter_syscall_done, WEIR_CLAUSES, h,
				  NULL);
}

/*
 * What both events of a call begin with; its entry knows it, but for the tid:
 * an exec gives a thread that of its leader.
 */
struct call_head {
	struct weir_hdr h;
	__u32 nr;
	__u32 compat;
};

#define AT_PID __builtin_offsetof(struct call_head, h.pid)
#define AT_NR  __builtin_offsetof(struct call_head, nr)

_Static_assert(AT_NR == __builtin_offsetof(struct ev_syscall_done, name),
	       "head");
_Static_assert(AT_NR == __builtin_offsetof(struct ev_syscall_enter, name),
	       "head");

WEIR_EARLY(entry, syscall_done, AT_PID, AT_NR)
WEIR_EARLY(entry, syscall_enter, AT_PID, AT_NR)
WEIR_EARLY_NUMBER(exit, syscall_done, AT_PID);
WEIR_EARLY_NUMBER(exit, syscall_enter, AT_PID);
WEIR_EARLY_NUMBER(result, syscall_done,
		  __builtin_offsetof(struct ev_syscall_done, ret));
WEIR_EARLY_NUMBER(span, syscall_done,
		  __builtin_offsetof(struct ev_syscall_done, duration));

/*
 * May a call @nr by @pid, entered now, become an event that is wanted? All that
 * is asked about are these two: with no filter on them it may.
 */
static __always_inline bool wanted_at_entry(__u32 pid, __u32 nr)
{
	struct call_head head;

	head.h.pid = pid;
	head.nr = nr;
	return weir_early(entry, syscall_done, &head) ||
	       weir_early(entry, syscall_enter, &head);
}

/* The same for any call of @pid, whatever its number. */
static __always_inline bool wanted_at_exit(__u32 pid)
{
	return weir_early_number(exit, syscall_done, pid) ||
	       weir_early_number(exit, syscall_enter, pid);
}

/*
 * The filter, asked about an event whose strings have not been read yet. Where
 * there is one the duration ends here, so that what it saw is what is recorded.
 * @since: when it was entered; 0: unknown, and so is the duration
 * @own:   it is the current task's
 * @ret_span: for weir_emit_span(): where the span is that the stamp ends; 0
 *
 * Return: is the event wanted? If not it is counted as filtered.
 */
static __always_inline bool wants_named(struct ev_syscall_done *ev,
					const __u64 since, const bool own,
					__u32 *ret_span)
{
	bool yes;

	ev->duration = since;
	*ret_span = offsetof(struct ev_syscall_done, duration);
	if (!weir_filter_syscall_done.used)
		return true;
	*ret_span = 0;
	if (since)
		ev->duration = bpf_ktime_get_ns() - since;
	ev->h.cpu = bpf_get_smp_processor_id();
	yes = own ? weir_wants_syscall_done(&ev->h) : wants_others_done(&ev->h);
	if (!yes)
		weir_count_filtered();
	return yes;
}

/* ---- numbers ------------------------------------------------------------- */

/* One of these calls returns a descriptor of a file that it opens, which has a
 * name to be told. */
#define OPENS_FILE(nr)                                                         \
	((nr) == WEIR_SYS_open || (nr) == WEIR_SYS_creat ||                    \
	 (nr) == WEIR_SYS_openat || (nr) == WEIR_SYS_openat2 ||                \
	 (nr) == WEIR_SYS_open_by_handle_at || (nr) == WEIR_SYS_open_tree ||   \
	 (nr) == WEIR_SYS_open_tree_attr || (nr) == WEIR_SYS_mq_open ||        \
	 (nr) == WEIR_SYS_memfd_create)

#define IS_EXEC(nr) ((nr) == WEIR_SYS_execve || (nr) == WEIR_SYS_execveat)

/*
 * What its row in syscalls.h says of a call, worked out when this is compiled:
 * asking the row for each call would be most of what a call costs. All zero,
 * of numbers without a row: it may take anything, and has no names.
 */
struct trait {
	__u8 unused;  /* of the six arguments: the last ones */
	__u8 named;   /* there are paths, or a file it opens or executes */
	__u8 path[2]; /* which arguments are paths, from 1; 0: none */
};

#define IS_PATH(sig, i) ((sig "\0\0\0\0\0")[i] == 's')
#define FIRST_PATH(sig)                                                        \
	(IS_PATH(sig, 0)   ? 1                                                 \
	 : IS_PATH(sig, 1) ? 2                                                 \
	 : IS_PATH(sig, 2) ? 3                                                 \
	 : IS_PATH(sig, 3) ? 4                                                 \
	 : IS_PATH(sig, 4) ? 5                                                 \
	 : IS_PATH(sig, 5) ? 6                                                 \
			   : 0)
#define IS_SECOND(sig, i) (IS_PATH(sig, i) && FIRST_PATH(sig) <= (i))
#define SECOND_PATH(sig)                                                       \
	(IS_SECOND(sig, 1)   ? 2                                               \
	 : IS_SECOND(sig, 2) ? 3                                               \
	 : IS_SECOND(sig, 3) ? 4                                               \
	 : IS_SECOND(sig, 4) ? 5                                               \
	 : IS_SECOND(sig, 5) ? 6                                               \
			     : 0)

static const struct trait traits[CALL_NUMBERS] = {
#define TRAIT(nr, name, sig, class)                                            \
	[nr] = {ARGS - (sizeof(sig) - 1),                                      \
		FIRST_PATH(sig) || OPENS_FILE(nr) || IS_EXEC(nr),              \
		{FIRST_PATH(sig), SECOND_PATH(sig)}},
	WEIR_SYSCALLS(TRAIT)
#undef TRAIT
};

#define TS_COMPAT 0x0002      /* arch/x86/include/asm/thread_info.h */
#define NR_NONE	  ((__u32)-1) /* what rt_sigreturn leaves at its exit */

/* int $0x80 is a 32-bit call from 64-bit code too: cs would not tell. */
static __always_inline bool in_compat(struct task_struct *t)
{
	return weir_get(t, thread_info.status) & TS_COMPAT;
}

/* The number of the same 64-bit call, plus 1; 0: there is none. */
static const __u16 ia32_numbers[CALL_NUMBERS] = {
#define SAME(nr, name) [nr] = WEIR_SYS_##name + 1,
	WEIR_SYSCALLS_IA32(SAME)
#undef SAME
};

/* What a 32-bit call is recorded as: its number is no other call's. */
static __always_inline __u32 ia32_nr(__u32 nr)
{
	__u32 same;

	if (nr >= WEIR_IA32_SAME)
		return nr;
	barrier_var(nr);
	same = ia32_numbers[nr & CALL_OTHER];
	return same ? same - 1 : nr + WEIR_IA32_ONLY;
}

/* What a call of @t is recorded as. */
static __always_inline __u32 true_nr(struct task_struct *t, __u32 nr)
{
	return in_compat(t) ? ia32_nr(nr) : nr;
}

/*
 * Where @nr stands in tables of CALL_NUMBERS: CALL_OTHER for what is beyond
 * them, as are x32 calls (bit 30) and those of 32 bits alone (WEIR_IA32_ONLY).
 */
static __always_inline __u32 call_index(__u32 nr)
{
	if (nr >= CALL_NUMBERS)
		nr = CALL_OTHER;
	barrier_var(nr); /* clang knows the range, the verifier not */
	return nr & CALL_OTHER;
}

/* What is recorded of @nr. Return: enum call_mode; CALL_SLOW only where there
 * is a bound. */
static __always_inline __u32 call_mode(__u32 nr)
{
	__u32 mode = syscall_mode[call_index(nr)];

	return mode == CALL_SLOW && !syscall_slower ? CALL_NEVER : mode;
}

/* No exit follows its entry: it ends the task, which task_exit tells. */
static __always_inline bool never_returns(__u32 nr)
{
	return nr == WEIR_SYS_exit || nr == WEIR_SYS_exit_group;
}

static __always_inline bool is_exec(__u32 nr)
{
	return IS_EXEC(nr);
}

/* The child returns from it as well, with 0. */
static __always_inline bool is_fork(__u32 nr)
{
	return nr == WEIR_SYS_clone || nr == WEIR_SYS_fork ||
	       nr == WEIR_SYS_vfork || nr == WEIR_SYS_clone3;
}

/* Is its number at the exit not surely that of the entry? See is_same(). */
static __always_inline bool changes_number(__u32 nr)
{
	return is_exec(nr) || nr == WEIR_SYS_rt_sigreturn;
}

static __always_inline bool opens_file(__u32 nr)
{
	return OPENS_FILE(nr);
}

/*
 * May a call that ends now become an event that is wanted, for all that its
 * result and the time it took say? Where only failures or slow calls are, most
 * end here, before anything of an event is put together.
 */
static __always_inline bool wanted_at_end(const struct call *c, __s64 ret)
{
	__u64 span = 0;

	if (!weir_early_number(result, syscall_done, ret))
		return false;
	if (!weir_span_syscall_done.used)
		return true;
	if (c->since)
		span = bpf_ktime_get_ns() - c->since;
	return weir_early_number(span, syscall_done, span);
}

/* Has it been inside for syscall_slower ns? Not, where its entry was not seen.
 */
static __always_inline bool is_slow(const struct call *c)
{
	return c->since && bpf_ktime_get_ns() - c->since >= syscall_slower;
}

/* ---- its event ----------------------------------------------------------- */

/* What syscalls.h says of it; all zero of a number without a row. */
static __always_inline const struct trait *call_trait(const struct call *c)
{
	return &traits[call_index(c->nr)];
}

static __always_inline void fill_args(__u64 *args, const struct call *c)
{
	int i;

#pragma unroll
	for (i = 0; i < ARGS; i++)
		args[i] = c->args[i];
}

/*
 * All but duration and strings, in a record whose header is set. @ret: as the
 * kernel returns it, -4095..-1 a negative errno.
 */
static __always_inline void fill_done(struct ev_syscall_done *ev,
				      const struct call *c, __s64 ret)
{
	ev->name = c->nr;
	ev->compat = c->compat;
	ev->ret = ret;
	fill_args(ev->args, c);
	weir_weigh(&ev->h, c->log2);
	if (!c->since)
		ev->h.flags |= WEIR_F_PARTIAL;
}

/* A 64-bit call that was noted, and has no names: all but the header. */
static __always_inline void fill_plain(struct ev_syscall_done *ev,
				       const struct call *c, __s64 ret)
{
	ev->name = c->nr;
	ev->compat = 0;
	fill_args(ev->args, c);
	ev->ret = ret;
	ev->duration = ev->h.ts - c->since;
	weir_weigh(&ev->h, c->log2);
	weir_no_str(&ev->path);
	weir_no_str(&ev->path2);
	weir_no_str(&ev->file);
}

/* No string in the record: unknown where there is one (@is_there), else empty.
 */
static __always_inline void put_unknown(struct weir_str *s, bool is_there)
{
	weir_no_str(s);
	if (is_there)
		s->full = WEIR_STR_UNKNOWN;
}

/*
 * One that has not ended when the recording does
 * @who:   whose, as bpf_get_current_pid_tgid() says it
 * @flags: WEIR_F_* to be added
 *
 * From iterators alone. Return: 0, to go on with the next.
 */
static __always_inline int emit_inside(__u64 who, const struct call *c,
				       __u16 flags)
{
	struct ev_syscall_enter image, *ev;

	ev = weir_draft_begun(syscall_enter, EV_SYSCALL_ENTER, &image, who);
	if (!ev)
		return 0;
	ev->h.flags |= flags;
	weir_weigh(&ev->h, c->log2);
	ev->name = c->nr;
	ev->compat = c->compat;
	fill_args(ev->args, c);
	ev->since = c->since;
	ev->duration = ev->h.ts - c->since;
	weir_commit(syscall_enter, EV_SYSCALL_ENTER, ev);
	return 0;
}

/* ---- files: only where strings can be read --------------------------------
 */

/* A field of @p, by load where there is a @type to cast to (the caller's
 * variable), else as weir_get(). */
#define file_get(p, field)                                                     \
	(type ? weir_peek(p, field, type) : weir_get(p, field))

/*
 * Has it more than the one reference that it was opened with? f_ref counts from
 * 0 on (include/linux/file_ref.h, 6.13), f_count from 1.
 */
static __always_inline bool file_is_shared(const void *file, const __u32 type)
{
	const struct file___count *old = file;
	const struct file___ref *now = file;

	if (bpf_core_field_exists(now->f_ref))
		return weir_peek(now, f_ref.refcnt.counter, type) > 0;
	return weir_peek(old, f_count.counter, type) > 1;
}

/*
 * The struct file that the current task has just opened as descriptor @fd; 0:
 * that is not known. Until its call ends another thread can put another file in
 * its place: by dup2(), which that one shows, having two references.
 *
 * A function of its own to the verifier: for each pointer that it sees loaded
 * from a task it searches the kernel's types by name (from Linux 6.3 on,
 * btf_nested_type_is_trusted()). Where it can be peeked at there is no search,
 * and else it is to see this one only once.
 */
__noinline __u64 file_of_fd(__u32 fd)
{
	const __u32 type = weir_word_type;
	struct task_struct *t = weir_current();
	struct files_struct *files;
	struct fdtable *fdt;
	__u64 file;

	if (!weir_strings)
		return 0;
	files = file_get(t, files);
	fdt = file_get(files, fdt);
	if (fd >= file_get(fdt, max_fds))
		return 0;
	file = weir_word_at(file_get(fdt, fd) + fd, type);
	return file && !file_is_shared((void *)file, type) ? file : 0;
}

/* The struct file that @t executes, the current task; 0: it has no memory. */
static __always_inline __u64 file_of_exec(struct task_struct *t)
{
	return (__u64)BPF_CORE_READ(t, mm, exe_file);
}

/*
 * The path given to an exec that succeeded. Its memory is gone, but the
 * kernel's copy lies on the new stack, behind the environment (fs/exec.c).
 * Return: an address of the task's.
 */
static __always_inline __u64 path_of_exec(struct task_struct *t)
{
	return BPF_CORE_READ(t, mm, env_end);
}

#endif
