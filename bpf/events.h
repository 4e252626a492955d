/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * events.h - the schema: what a field can mean, the header of every event,
 * the event kinds, and one struct for each of them.
 *
 * These structs are the only description of an event. Their BTF, which clang
 * puts into every BPF object, is read once at load (user/schema_btf.c); text,
 * JSON, CSV, filters and archives work from the table made of it, and that
 * table travels in every archive. So:
 *  - what a field means is its type (a typedef below, or an enum); its one
 *    line of help is WEIR_DOC(), the human line of a kind WEIR_TEXT();
 *  - char[N] is a NUL-padded string, struct weir_str a string in the record's
 *    tail; otherwise integers and one-dimensional arrays of them: no
 *    bit-fields, no unions, no nested structs or arrays, no padding;
 *  - kind numbers are append-only: an archive outlives the program.
 *
 * Included by BPF programs (after vmlinux.h) and by user space.
 */
#ifndef WEIR_EVENTS_H
#define WEIR_EVENTS_H

#ifndef __VMLINUX_H__
#include <linux/types.h>
#endif

#if defined(__clang__) && defined(__bpf__)
#define WEIR_DOC(text)	       __attribute__((btf_decl_tag("doc:" text)))
#define WEIR_TEXT(text)	       __attribute__((btf_decl_tag("text:" text)))
#define WEIR_KERNEL_ENUM(name) __attribute__((btf_decl_tag("kenum:" name)))
#else
#define WEIR_DOC(text)
#define WEIR_TEXT(text)
#define WEIR_KERNEL_ENUM(name)
#endif

#pragma GCC diagnostic push
#pragma GCC diagnostic error "-Wpadded"

/*
 * Meanings. The name without weir_ and _t is the meaning that `weir list
 * fields` prints and that a renderer keys on (meaning_by_name() in
 * user/schema.c).
 */
typedef __u64 weir_time_t;   /* instant, ns of CLOCK_MONOTONIC */
typedef __u64 weir_ns_t;     /* span, ns */
typedef __u32 weir_pid_t;    /* process: the kernel's tgid */
typedef __u32 weir_tid_t;    /* thread: the kernel's pid */
typedef __u32 weir_uid_t;    /* user or group id, initial namespace */
typedef __u64 weir_bytes_t;  /* size or amount, bytes */
typedef __u64 weir_count_t;  /* how many */
typedef __s32 weir_errno_t;  /* 0 or a positive errno */
typedef __s64 weir_ret_t;    /* >= 0 a value, -4095..-1 a negative errno */
typedef __u32 weir_cpu_t;    /* CPU number */
typedef __u64 weir_cgroup_t; /* cgroup id: kernfs node id */
typedef __u8 weir_ip_t[16];  /* IPv6, or IPv4 as ::ffff:a.b.c.d */
typedef __u16 weir_port_t;   /* port, host byte order */
typedef __u32 weir_dev_t;    /* device: major << 20 | minor */
typedef __u64 weir_sector_t; /* position, 512-byte sectors */
typedef __s32 weir_signal_t; /* signal number */
typedef __u32 weir_state_t;  /* task state bits, include/linux/sched.h */
typedef __u64 weir_hex_t;    /* flags, addresses: printed as hex */
typedef __u32 weir_bool_t;   /* 0 or 1 */
typedef __u64 weir_args_t;   /* syscall arguments, see bpf/syscalls.h */
typedef __s64 weir_value_t;  /* number whose unit is the `unit` field */

/*
 * A string in the record's tail: @len bytes at @off from the start of the
 * record. @full is its true length, larger than @len when it was cut, by one
 * where no more is known than that; or WEIR_STR_UNKNOWN when it could not be
 * read (then @len is 0).
 */
struct weir_str {
	__u16 off;
	__u16 len;
	__u32 full;
};
typedef struct weir_str weir_argv_t; /* words, each ended by a NUL */

#define WEIR_STR_UNKNOWN 0xffffffffU
#define WEIR_STR_MAX	 4096 /* bytes kept of one string */
#define WEIR_COMM_LEN	 16   /* TASK_COMM_LEN, include/linux/sched.h */

/* weir_hdr.flags, their lower bits. On disk: append only. */
#define WEIR_F_LATE    0x0001 /* came after a later event had passed on */
#define WEIR_F_CONTEXT 0x0002 /* kept for its state; the filter said no */
#define WEIR_F_PARTIAL 0x0004 /* spans (began before) or fields unknown */
#define WEIR_F_URING   0x0008 /* submitted through io_uring */
#define WEIR_F_STALLED 0x0010 /* order not guaranteed around here */

/*
 * The upper bits: how many events this one stands for, as a power of two. More
 * than one where a budget made its source record one in so many only.
 */
#define WEIR_F_MARKS	   0x07ff
#define WEIR_WEIGHT_SHIFT  11
#define WEIR_WEIGHT(flags) (1ULL << ((flags) >> WEIR_WEIGHT_SHIFT))

/*
 * First in every event. @ts is read after the record was reserved, which is
 * what lets the aggregator order events (user/aggregator.h). @pid and @tid are
 * those of the initial pid namespace; 0 is the idle task, or that nobody is
 * known. A record begins at a multiple of 8; numbers are little-endian.
 */
struct weir_hdr {
	weir_time_t ts;
	__u16 kind;	/* enum weir_kind */
	__u16 cpu;	/* that ran the program */
	__u16 len;	/* bytes used: header, struct and tail */
	__u16 flags;	/* WEIR_F_* */
	weir_pid_t pid; /* on whose behalf */
	weir_tid_t tid;
};

/*
 * Numbers of kinds, sixteen for each source. On disk: append only, none is ever
 * used again. 0 is no kind.
 */
enum weir_kind {
	/* task: the life of tasks; never shed */
	EV_TASK_FORK = 1,
	EV_TASK_EXEC = 2,
	EV_TASK_EXIT = 3,
	EV_TASK_RENAME = 4,
	EV_TASK_SIGNAL = 5,
	EV_TASK_ALIVE = 6,
	EV_TASK_CGROUP = 7,
	EV_CGROUP_PATH = 8,
	EV_CGROUP_GONE = 9,
	/* sched */
	EV_SCHED_SWITCH = 16,
	EV_SCHED_WAKEUP = 17,
	EV_SCHED_MIGRATE = 18,
	/* syscall */
	EV_SYSCALL_DONE = 32,
	EV_SYSCALL_ENTER = 33,
	/* block */
	EV_BLOCK_IO = 48,
	/* net */
	EV_NET_CONNECT = 64,
	EV_NET_ACCEPT = 65,
	EV_NET_CLOSE = 66,
	EV_NET_LISTEN = 67,
	EV_NET_RETRANSMIT = 68,
	EV_NET_RESET = 69,
	EV_NET_DROP = 70,
	/* repo */
	EV_REPO_METRIC = 112,
	EV_REPO_LOG = 113,
	EV_GAP = 114,
	EV_CLOCK = 115,
	EV_REPO_SHED = 116,
	/* outside this tree: examples, private sources */
	EV_PRIVATE = 224,
	EV_MAX = 256,
};

/*
 * What follows says of each kind the hook it is made at, and what its fields
 * leave open. Instants and spans are CLOCK_MONOTONIC ns; a span or an instant
 * that is not known is 0, mostly with WEIR_F_PARTIAL.
 */

/* ---- task ---------------------------------------------------------------- */

/*
 * sched_wakeup_new (kernel/sched/core.c, wake_up_new_task()): in the parent,
 * before the child can run. Of a thread child_pid is the parent's pid. ppid is
 * that of real_parent, which CLONE_PARENT makes another than the header's.
 */
struct ev_task_fork {
	struct weir_hdr h;
	weir_pid_t child_pid WEIR_DOC("process of the new task");
	weir_tid_t child_tid WEIR_DOC("the new task");
	weir_time_t start_time WEIR_DOC("its start: with the tid its identity");
	weir_cgroup_t cgroup WEIR_DOC("its cgroup");
	weir_uid_t uid WEIR_DOC("its user");
	weir_pid_t ppid WEIR_DOC("its parent process");
	char child_comm[WEIR_COMM_LEN] WEIR_DOC("its name");
} WEIR_TEXT("child={child_tid}") WEIR_DOC("a task was created");

/*
 * sched_process_exec (fs/exec.c): the new image is there, not yet run. argc is
 * known to raw programs alone, so below Linux 7.0. argv is read from the new
 * stack, its words as they lie there; where that fails it is empty, and .full
 * says how long it was.
 */
struct ev_task_exec {
	struct weir_hdr h;
	weir_time_t start_time WEIR_DOC("start of the task");
	weir_cgroup_t cgroup WEIR_DOC("its cgroup");
	weir_uid_t uid WEIR_DOC("effective user after the exec");
	weir_pid_t ppid WEIR_DOC("parent process");
	weir_tid_t old_tid WEIR_DOC("tid of the caller before the exec");
	__u32 argc WEIR_DOC("0 unless known");
	char new_comm[WEIR_COMM_LEN] WEIR_DOC("new name");
	struct weir_str filename WEIR_DOC("path as given to execve");
	struct weir_str file WEIR_DOC("file really executed, resolved");
	weir_argv_t argv WEIR_DOC("arguments, up to 4 KiB");
} WEIR_TEXT("{filename} {argv}[ uid={uid}] ppid={ppid}")
	WEIR_DOC("a process executed a program");

/*
 * sched_process_exit (kernel/exit.c, do_exit()). exit_code and signal are those
 * of wait(2), from task_struct.exit_code: threads of a process that was killed,
 * or called exit_group(2), have those of the group. lifetime counts from the
 * start of this task. utime and stime: cputime.bpf.h. max_rss is
 * signal_struct.maxrss, pages of 4096 bytes. Of threads that end at the same
 * time before Linux 6.16 the first is taken for the last. WEIR_F_CONTEXT: of
 * one that is not followed, see task_alive.
 */
struct ev_task_exit {
	struct weir_hdr h;
	weir_time_t start_time WEIR_DOC("start of the task");
	__s32 exit_code WEIR_DOC("status given to exit, 0..255");
	weir_signal_t signal WEIR_DOC("signal that killed it");
	weir_ns_t lifetime WEIR_DOC("from fork to exit");
	weir_ns_t utime WEIR_DOC("CPU time in user mode, as wait4 tells it");
	weir_ns_t stime WEIR_DOC("CPU time in the kernel, until here");
	weir_bytes_t
		max_rss WEIR_DOC("largest resident size of the process; of "
				 "its last thread only");
	weir_bool_t last WEIR_DOC("1: the last thread, the process ends");
	weir_bool_t core WEIR_DOC("1: a core dump was made");
} WEIR_TEXT("code={exit_code}[ signal={signal}] lifetime={lifetime}"
	    " utime={utime} stime={stime} max_rss={max_rss}[ last={last}]")
	WEIR_DOC("a task ended");

/*
 * task_rename (__set_task_comm()): by an exec, by prctl(PR_SET_NAME), or of
 * another thread of the process through /proc/PID/task/TID/comm. new_comm is
 * empty where strings cannot be read (lockdown=confidentiality).
 */
struct ev_task_rename {
	struct weir_hdr h;
	weir_pid_t target_pid WEIR_DOC("process of the renamed task");
	weir_tid_t target_tid WEIR_DOC("the renamed task");
	char new_comm[WEIR_COMM_LEN] WEIR_DOC("new name");
} WEIR_TEXT("{target_tid} {new_comm}") WEIR_DOC("a task changed its name");

struct ev_task_signal {
	struct weir_hdr h; /* pid, tid: who sent it; a timer's: who has it */
	weir_signal_t signal WEIR_DOC("signal sent");
	__s32 code WEIR_DOC("si_code: who sent it (signal.h)");
	weir_pid_t target_pid WEIR_DOC("process it was sent to");
	weir_tid_t target_tid WEIR_DOC("task it was sent to");
	__s32 result WEIR_DOC("0 queued, 1 ignored, 2 already pending, 3-4 "
			      "overflow (trace/events/signal.h)");
	weir_bool_t group WEIR_DOC("1: to the process, 0: to the thread");
} WEIR_TEXT("{signal} -> {target_pid}[ result={result}]")
	WEIR_DOC("a signal was sent by a task, or by its own timer");

/*
 * Always flagged WEIR_F_CONTEXT: from an iterator over all tasks when recording
 * begins, of one that does something before that comes to it (without its
 * file), of one that is moved into a cgroup that is followed, of one that is
 * not followed and has to do with one that is (sends it a signal, wakes it,
 * leaves the CPU to it) as it is then called, and from
 * tasks_state() at the head of a segment and of a window's keyframe, stamped as
 * of then. argv is empty.
 */
struct ev_task_alive {
	struct weir_hdr h;
	weir_time_t start_time WEIR_DOC("start of the task");
	weir_cgroup_t cgroup WEIR_DOC("its cgroup");
	weir_pid_t ppid WEIR_DOC("parent process");
	weir_uid_t uid WEIR_DOC("effective user");
	weir_bool_t exiting WEIR_DOC("1: already on its way out");
	weir_bool_t kthread WEIR_DOC("1: kernel thread");
	char task_comm[WEIR_COMM_LEN] WEIR_DOC("name");
	struct weir_str file WEIR_DOC("file it executes, resolved");
	weir_argv_t argv WEIR_DOC("arguments, where known");
} WEIR_TEXT("{task_comm} ppid={ppid} uid={uid}[ {file}]")
	WEIR_DOC("a task that ran when recording, or a segment, began");

/*
 * cgroup_attach_task (kernel/cgroup/cgroup.c). Which hierarchy cgroup is of:
 * task_cgroup() in follow.bpf.h.
 */
struct ev_task_cgroup {
	struct weir_hdr h;
	weir_pid_t target_pid WEIR_DOC("process moved");
	weir_tid_t target_tid WEIR_DOC("task moved");
	weir_cgroup_t cgroup WEIR_DOC("where to");
} WEIR_TEXT("{target_tid} -> {cgroup}")
	WEIR_DOC("a task was moved to another cgroup");

/*
 * Always flagged WEIR_F_CONTEXT; before the event that names the cgroup first.
 * Again when some 16,384 others were named since, and from tasks_state().
 */
struct ev_cgroup_path {
	struct weir_hdr h;
	weir_cgroup_t cgroup WEIR_DOC("cgroup id");
	struct weir_str path WEIR_DOC("its path in its hierarchy");
} WEIR_TEXT("{cgroup} {path}")
	WEIR_DOC("path of a cgroup, once, when first seen");

struct ev_cgroup_gone {
	struct weir_hdr h; /* pid, tid: who removed it */
	weir_cgroup_t cgroup WEIR_DOC("which");
} WEIR_TEXT("{cgroup}") WEIR_DOC("a cgroup whose path was told is removed");

/* ---- sched --------------------------------------------------------------- */

/*
 * sched_switch, with the run queue locked. ran counts from when the leaving
 * task got this CPU; 0, and WEIR_F_PARTIAL, where that was not seen: at the
 * first, and behind one that no program was shown (a gap tells). waited is what
 * the kernel accounts (sched_info.run_delay), 0 without CONFIG_SCHED_INFO or
 * CONFIG_FAIR_GROUP_SCHED, and of the idle task. prev_state is 0 for a task
 * that was preempted.
 */
struct ev_sched_switch {
	struct weir_hdr h; /* pid, tid: the task that leaves the CPU */
	weir_ns_t ran WEIR_DOC("time the leaving task had the CPU");
	weir_ns_t waited WEIR_DOC("run-queue delay of the next task");
	weir_pid_t next_pid WEIR_DOC("process that gets the CPU");
	weir_tid_t next_tid WEIR_DOC("task that gets the CPU");
	weir_state_t prev_state WEIR_DOC("why the leaving task leaves");
	weir_bool_t preempted WEIR_DOC("1: it would have gone on");
} WEIR_TEXT("{prev_state} ran={ran} -> {next_tid} waited={waited}")
	WEIR_DOC("a CPU changed from one task to another");

struct ev_sched_wakeup {
	struct weir_hdr h; /* pid, tid: the waker */
	weir_pid_t target_pid WEIR_DOC("process woken");
	weir_tid_t target_tid WEIR_DOC("task woken");
	weir_cpu_t target_cpu WEIR_DOC("CPU it last ran on");
	__s32 prio WEIR_DOC("its kernel priority");
} WEIR_TEXT("-> {target_tid} cpu={target_cpu}")
	WEIR_DOC("a task was woken (sched_waking: in the waker's context)");

struct ev_sched_migrate {
	struct weir_hdr h;
	weir_pid_t target_pid WEIR_DOC("process moved");
	weir_tid_t target_tid WEIR_DOC("task moved");
	weir_cpu_t from_cpu WEIR_DOC("CPU it leaves");
	weir_cpu_t to_cpu WEIR_DOC("CPU it goes to");
} WEIR_TEXT("{target_tid} cpu {from_cpu} -> {to_cpu}")
	WEIR_DOC("a task was moved to another CPU");

/* ---- syscall ------------------------------------------------------------- */

#include "syscalls.h"

/*
 * sys_exit, or io_uring_complete (WEIR_F_URING). Number and arguments are those
 * of the entry, arguments that the call does not take 0. path and path2 are
 * what the caller's memory held at the exit, so claims; of io_uring the
 * kernel's copies. file is of calls that opened or executed one (path.bpf.h).
 * Where the entry was not seen duration is 0, and WEIR_F_PARTIAL set.
 */
struct ev_syscall_done {
	struct weir_hdr h;
	enum weir_syscall name WEIR_DOC("syscall");
	__u32 compat WEIR_DOC("1: 32-bit call, named as the 64-bit one");
	weir_args_t args[6] WEIR_DOC("arguments as given");
	weir_ret_t ret WEIR_DOC("result, or error by name; ERESTART*: a signal "
				"came, it is begun again or fails with EINTR");
	weir_ns_t duration WEIR_DOC("from enter to exit");
	struct weir_str path WEIR_DOC("first path argument, claimed");
	struct weir_str path2 WEIR_DOC("second path argument, claimed");
	struct weir_str file WEIR_DOC("file the kernel really opened");
} WEIR_TEXT("{name}({args}) = {ret}[ file={file}] <{duration}>")
	WEIR_DOC("a system call, from enter to exit");

/* From an iterator over all tasks, or io_uring requests, when recording ends.
 */
struct ev_syscall_enter {
	struct weir_hdr h;
	enum weir_syscall name WEIR_DOC("syscall");
	__u32 compat WEIR_DOC("1: 32-bit call, named as the 64-bit one");
	weir_args_t args[6] WEIR_DOC("arguments as given");
	weir_time_t since WEIR_DOC("when it was entered");
	weir_ns_t duration WEIR_DOC("time inside so far");
} WEIR_TEXT("{name}({args}) unfinished <{duration}>")
	WEIR_DOC("a system call still inside when recording ended");

/* ---- block --------------------------------------------------------------- */

/*
 * The kernel's enum req_op (include/linux/blk_types.h, 6.16), by value. Other
 * kernels number some of them differently; block.bpf.c translates.
 */
enum weir_block_op {
	WEIR_BLOCK_OP_READ = 0,
	WEIR_BLOCK_OP_WRITE = 1,
	WEIR_BLOCK_OP_FLUSH = 2,
	WEIR_BLOCK_OP_DISCARD = 3,
	WEIR_BLOCK_OP_SECURE_ERASE = 5,
	WEIR_BLOCK_OP_ZONE_APPEND = 7,
	WEIR_BLOCK_OP_WRITE_ZEROES = 9,
	WEIR_BLOCK_OP_ZONE_OPEN = 10,
	WEIR_BLOCK_OP_ZONE_CLOSE = 11,
	WEIR_BLOCK_OP_ZONE_FINISH = 12,
	WEIR_BLOCK_OP_ZONE_RESET = 13,
	WEIR_BLOCK_OP_ZONE_RESET_ALL = 15,
	WEIR_BLOCK_OP_DRV_IN = 34,
	WEIR_BLOCK_OP_DRV_OUT = 35,
	WEIR_BLOCK_OP_WRITE_SAME = 64, /* until 5.17 */
};

/*
 * block_rq_complete, of the whole request; parts that complete before only give
 * their error. dev is the disk's, not the partition's. queued counts from
 * request.start_time_ns to the first issue, and is 0 where the kernel does not
 * stamp (iostats off). Of a request whose issue was not seen there are no times
 * (WEIR_F_PARTIAL), and no task unless it was seen to be queued. sector is 0 of
 * a passthrough request. error: by blk_errors[] of block/blk-core.c.
 */
struct ev_block_io {
	struct weir_hdr h; /* pid, tid: the task that issued it */
	char disk[32] WEIR_DOC("disk name");
	weir_dev_t dev WEIR_DOC("device, major:minor");
	enum weir_block_op op WEIR_DOC("operation");
	weir_sector_t sector WEIR_DOC("first sector");
	weir_bytes_t bytes WEIR_DOC("size");
	weir_ns_t queued WEIR_DOC("from request to issue to the driver");
	weir_ns_t service WEIR_DOC("from issue to completion");
	weir_ns_t latency WEIR_DOC("queued and service together");
	weir_hex_t flags WEIR_DOC("the kernel's cmd_flags");
	weir_errno_t error WEIR_DOC("0, or what went wrong");
	__u32 requeues WEIR_DOC("times the driver sent it back");
} WEIR_TEXT("{disk} {op} {bytes} @{sector} queued={queued} service={service}"
	    "[ error={error}]")
	WEIR_DOC("a block request, from issue to completion");

/* ---- net ----------------------------------------------------------------- */

enum weir_family {
	WEIR_FAMILY_UNIX = 1,
	WEIR_FAMILY_INET = 2,
	WEIR_FAMILY_INET6 = 10,
};

/*
 * inet_sock_set_state, from TCP_SYN_SENT on; its task is the one that called
 * connect(2), 0 where that was not seen. Where the socket does not say why it
 * failed error is ECANCELED (closed before the answer) or EADDRNOTAVAIL (no SYN
 * was ever sent). duration 0 with WEIR_F_PARTIAL: begun before the recording.
 */
struct ev_net_connect {
	struct weir_hdr h; /* pid, tid: the task that connected */
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	weir_port_t rport WEIR_DOC("remote port");
	weir_ip_t laddr WEIR_DOC("local address");
	weir_ip_t raddr WEIR_DOC("remote address");
	weir_ns_t duration WEIR_DOC("time the handshake took");
	weir_errno_t error WEIR_DOC("0, or why it failed");
	__u32 netns WEIR_DOC("network namespace, inode number");
} WEIR_TEXT("{laddr}:{lport} -> {raddr}:{rport} handshake={duration}"
	    "[ error={error}]")
	WEIR_DOC("a TCP connection was made, or failed to be");

/*
 * inet_sock_set_state, from TCP_SYN_RECV to TCP_ESTABLISHED: before accept(2)
 * returns it. The listener is found by address and port (owner.bpf.h); backlog
 * is sk_ack_backlog of it, 0 when it is not known.
 */
struct ev_net_accept {
	struct weir_hdr h; /* pid, tid: the task that listens */
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	weir_port_t rport WEIR_DOC("remote port");
	weir_ip_t laddr WEIR_DOC("local address");
	weir_ip_t raddr WEIR_DOC("remote address");
	__u32 netns WEIR_DOC("network namespace, inode number");
	__u32 backlog WEIR_DOC("connections waiting to be accepted");
} WEIR_TEXT("{laddr}:{lport} <- {raddr}:{rport}[ backlog={backlog}]")
	WEIR_DOC("a TCP connection came in and was established");

/*
 * inet_sock_set_state, to TCP_CLOSE, of one that was established. sent and
 * received are payload, less SYN and FIN; rtt is srtt_us >> 3. duration is 0,
 * with WEIR_F_PARTIAL, where the beginning was not seen.
 */
struct ev_net_close {
	struct weir_hdr h; /* pid, tid: the task that owned it */
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	weir_port_t rport WEIR_DOC("remote port");
	weir_ip_t laddr WEIR_DOC("local address");
	weir_ip_t raddr WEIR_DOC("remote address");
	weir_ns_t duration WEIR_DOC("time it was established");
	weir_bytes_t sent WEIR_DOC("bytes sent and acknowledged");
	weir_bytes_t received WEIR_DOC("bytes received");
	weir_ns_t rtt WEIR_DOC("smoothed round-trip time at the end");
	weir_count_t retransmits WEIR_DOC("segments sent again");
	weir_errno_t error WEIR_DOC("0, or the socket's error");
	__u32 netns WEIR_DOC("network namespace, inode number");
} WEIR_TEXT("{laddr}:{lport} - {raddr}:{rport} {duration} sent={sent}"
	    " received={received} rtt={rtt}[ retransmits={retransmits}]"
	    "[ error={error}]") WEIR_DOC("a TCP connection ended");

/*
 * inet_sock_set_state, to TCP_LISTEN: by the current task. backlog is the limit
 * that the kernel took (sk_max_ack_backlog).
 */
struct ev_net_listen {
	struct weir_hdr h;
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	__u16 protocol WEIR_DOC("IP protocol number");
	weir_ip_t laddr WEIR_DOC("local address");
	__u32 backlog WEIR_DOC("how many connections may wait");
	__u32 netns WEIR_DOC("network namespace, inode number");
} WEIR_TEXT("{laddr}:{lport} backlog={backlog}")
	WEIR_DOC("a TCP socket began to listen");

/*
 * tcp_retransmit_skb, where it did not fail (6.17 and later tell), and
 * tcp_retransmit_synack, whose task is the listener's.
 */
struct ev_net_retransmit {
	struct weir_hdr h; /* pid, tid: the task that owns the socket */
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	weir_port_t rport WEIR_DOC("remote port");
	weir_ip_t laddr WEIR_DOC("local address");
	weir_ip_t raddr WEIR_DOC("remote address");
	__u32 state WEIR_DOC("TCP state, include/net/tcp_states.h");
	__u32 netns WEIR_DOC("network namespace, inode number");
} WEIR_TEXT("{laddr}:{lport} -> {raddr}:{rport}")
	WEIR_DOC("a TCP segment was sent again");

enum weir_direction {
	WEIR_DIRECTION_SENT = 1,
	WEIR_DIRECTION_RECEIVED = 2,
};

/*
 * tcp_send_reset and tcp_receive_reset. pid and tid: the task that owns the
 * socket, or did until just now; 0: none is known.
 */
struct ev_net_reset {
	struct weir_hdr h;
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("local port");
	weir_port_t rport WEIR_DOC("remote port");
	weir_ip_t laddr WEIR_DOC("local address");
	weir_ip_t raddr WEIR_DOC("remote address");
	enum weir_direction direction WEIR_DOC("sent or received");
	__u32 netns WEIR_DOC("network namespace, inode number");
} WEIR_TEXT("{direction} {laddr}:{lport} - {raddr}:{rport}")
	WEIR_DOC("a TCP reset was sent or received");

/*
 * kfree_skb, of IP packets alone, and not of what lay in a socket that was
 * closed (SKB_DROP_REASON_QUEUE_PURGE, 6.13 and later). pid and tid: who sent
 * it, had the connection or listened; else 0. reason is 0 before Linux 5.17.
 * bytes: the length that the IP header says.
 */
struct ev_net_drop {
	struct weir_hdr h;
	enum weir_family family WEIR_DOC("address family");
	weir_port_t lport WEIR_DOC("destination port");
	weir_port_t rport WEIR_DOC("source port");
	weir_ip_t laddr WEIR_DOC("destination address");
	weir_ip_t raddr WEIR_DOC("source address");
	__u32 reason WEIR_DOC("why, by the kernel's own names")
		WEIR_KERNEL_ENUM("skb_drop_reason");
	__u32 protocol WEIR_DOC("IP protocol number");
	weir_hex_t location WEIR_DOC("kernel address that dropped it");
	weir_bytes_t bytes WEIR_DOC("packet length");
} WEIR_TEXT("{raddr}:{rport} -> {laddr}:{lport} proto={protocol} {bytes}"
	    " reason={reason}") WEIR_DOC("the kernel dropped an IP packet");

/* ---- repo: weir about itself --------------------------------------------- */

enum weir_stage {
	WEIR_STAGE_HOOK = 1, /* the kernel skipped the program */
	WEIR_STAGE_KERNEL_RING = 2,
	WEIR_STAGE_MAIN_RING = 3,
	WEIR_STAGE_WINDOW = 4,
	WEIR_STAGE_ARCHIVE = 5,
};

enum weir_level {
	WEIR_LEVEL_ERROR = 1,
	WEIR_LEVEL_WARNING = 2,
	WEIR_LEVEL_INFO = 3,
};

/*
 * Always flagged WEIR_F_CONTEXT; value is in `unit`. Once a second and at the
 * end, the cost of programs each 10 s (user/repo_report.c).
 */
struct ev_repo_metric {
	struct weir_hdr h;
	char name[32] WEIR_DOC("what was measured");
	char of[32] WEIR_DOC("source or program it is about");
	char unit[8] WEIR_DOC("ns, bytes, events, 1/s, ppm");
	weir_value_t value WEIR_DOC("the value");
} WEIR_TEXT("{name}[ {of}] {value} {unit}")
	WEIR_DOC("a measurement of weir itself");

/* message is cut at 503 bytes. */
struct ev_repo_log {
	struct weir_hdr h;
	enum weir_level level WEIR_DOC("how bad");
	__u32 code WEIR_DOC("errno, or 0");
	struct weir_str message WEIR_DOC("what happened");
} WEIR_TEXT("{level} {message}") WEIR_DOC("a line of weir's own log");

/*
 * count events of that source are missing; no filter hides it. Times are 0
 * where nothing bounds them: of WEIR_STAGE_HOOK, by the kernel's own count.
 * Written after the loss was learnt of, so @h.ts is later than last.
 */
struct ev_gap {
	struct weir_hdr h; /* cpu: where it was lost */
	char of[16] WEIR_DOC("source that lost events");
	enum weir_stage stage WEIR_DOC("where they were lost");
	weir_cpu_t on_cpu WEIR_DOC("on which CPU; 4294967295: any");
	weir_count_t count WEIR_DOC("how many");
	weir_time_t first WEIR_DOC("not before");
	weir_time_t last WEIR_DOC("not after");
} WEIR_TEXT("{of} lost {count} at {stage} cpu={on_cpu} {first} .. {last}")
	WEIR_DOC("events were lost");

/*
 * Where the rate of a source changes, and once a second of what was shed since.
 * before is 0 where the rate has not changed.
 */
struct ev_repo_shed {
	struct weir_hdr h;
	char of[16] WEIR_DOC("source that records less to keep the budget");
	weir_count_t one_in WEIR_DOC("one event of so many is recorded now");
	weir_count_t before WEIR_DOC("one of so many was before");
	weir_count_t count WEIR_DOC("events shed since this was last told");
	weir_time_t first WEIR_DOC("these not before");
	weir_time_t last WEIR_DOC("not after");
	weir_count_t cost WEIR_DOC("what weir costs, millionths of one CPU");
	weir_count_t limit WEIR_DOC("what it may, by --budget; 0: any");
} WEIR_TEXT("{of} one in {one_in}[ after one in {before}] shed {count}"
	    " {first} .. {last} cost={cost}ppm limit={limit}ppm")
	WEIR_DOC("events were not recorded, to keep the budget");

/*
 * When recording begins, each 10 s, and at the end; always flagged
 * WEIR_F_CONTEXT. realtime and boottime: ns since the epoch, and since boot
 * with suspension.
 */
struct ev_clock {
	struct weir_hdr h;
	weir_time_t monotonic WEIR_DOC("CLOCK_MONOTONIC, ns");
	__u64 realtime WEIR_DOC("CLOCK_REALTIME at that instant, ns");
	__u64 boottime WEIR_DOC("CLOCK_BOOTTIME at that instant, ns");
} WEIR_TEXT("{monotonic} {realtime}") WEIR_DOC("what the wall clock said");

#pragma GCC diagnostic pop

/*
 * One slot for each source and CPU, in an array map that user space maps
 * (bpf/weir.bpf.h writes, user/source_measure.c reads, by relaxed loads). The
 * kernel's side of the account: attempted = submitted + filtered + refused +
 * shed + passed + lost.
 * @refused is @filtered, and @passed is @shed, counted apart by a program that
 * is alone to do so.
 * @missed is what a source finds to have happened without its program having
 * been run; what the kernel itself counts as such comes on top. Two cache
 * lines, so that CPUs do not share one.
 * @lost_seen is written by user space: the part of @lost it has reported, so
 * that @lost_first is the first loss since then or earlier, never later. So is
 * @shed_log2 (bpf/shed.bpf.h), what the budget allows.
 */
struct weir_account {
	__u64 submitted;
	__u64 filtered;
	__u64 shed;
	__u64 lost;
	__u64 lost_first; /* monotonic ns, of those not yet reported */
	__u64 lost_last;
	__u64 lost_seen;
	__u64 refused;
	__u64 missed;
	__u64 passed;
	__u64 asked;	  /* events that the budget was asked about, roughly */
	__u32 shed_log2;  /* record one in 2^n */
	__u32 drawn_log2; /* that of the turn at hand */
	__u32 skip;	  /* events to shed before the one that is recorded */
	__u32 rest;	  /* and behind it, in this turn */
	__u32 made;  /* bytes since it was looked whether to wake the reader */
	__u32 level; /* multiple of weir_wake_bytes that was found then */
	__u64 spare[2];
};

/* Stands for a function of the kernel's: bpf/peek.bpf.h, user/source_peek.c. */
#define WEIR_RDONLY_CAST 0x77656972

/*
 * Who records, where the programs outlive him (--pin). WEIR_NOBODY is no
 * process: he has died.
 */
#define WEIR_NOBODY (~0U)

enum weir_stop {
	WEIR_STOP_HOOKS = 1, /* nothing is recorded but by his iterators */
	WEIR_STOP_ALL = 2,
};

struct weir_own {
	__u32 recorder; /* tgid; WEIR_NOBODY */
	__u32 errand;	/* of the process that serves it (user/errand.h) */
	__u32 stopped;	/* enum weir_stop; 0: no */
	__u32 zero;
};

#endif
