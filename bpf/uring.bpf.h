/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uring.bpf.h - what is asked of the kernel through io_uring, recorded as the
 * system calls that do the same.
 *
 * A request passes by no system call hook. It is noted when it is submitted,
 * and recorded, on behalf of the task that submitted it, when it completes.
 * Paths are not claims here: they are the kernel's own copies.
 */
#ifndef WEIR_URING_BPF_H
#define WEIR_URING_BPF_H

#include "call.bpf.h"
#include "path.bpf.h"
#include "uring.h"

/* Set by the loader: how many arguments these have in the running kernel. */
const volatile __u32 args_io_uring_submit_req; /* 6.3 */
const volatile __u32 args_io_uring_submit_sqe; /* before; 2 from 6.0 on */
const volatile __u32 args_io_uring_complete;   /* 7, or 3 from 6.13 on */

/* Scratch records of the hooks here; no iterator of this source has one. */
#define SLOT_SUBMIT   WEIR_SLOT_ITER
#define SLOT_COMPLETE WEIR_SLOT_MOVE

#define REQUESTS_MAX	  16384 /* at a time; others: record_unseen() */
#define REQUEST_PATHS_MAX 1024
#define REQUEST_PATH	  256 /* bytes kept of a path */

/* A request on its way, from its submission to its last completion. */
struct uring_request {
	struct call call;
	__u32 pid; /* of who submitted it */
	__u32 tid;
	__u32 paths;  /* are in request_paths */
	__u16 direct; /* opens into a table of its own: no descriptor */
	__u16 told;   /* to be inside at the end */
};

/* Its first and second path, "" for none: the value is put together in a
 * scratch record, which is larger. */
struct request_paths {
	char path[2][REQUEST_PATH + 8]; /* NUL, and to a multiple of 8 */
};

/*
 * By struct io_kiocb. Some end without a completion, or with one that no hook
 * sees, as where it finds no room (io_req_cqe_overflow()): they stay until
 * their memory is used again.
 */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, REQUESTS_MAX);
	__type(key, __u64);
	__type(value, struct uring_request);
} requests SEC(".maps");

/* LRU: of many at a time, the paths of the oldest are not known. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, REQUEST_PATHS_MAX);
	__type(key, __u64);
	__type(value, struct request_paths);
} request_paths SEC(".maps");

/* ---- operations ---------------------------------------------------------- */

/* The call that does the same, plus 1; 0: none does. */
static const __u16 operations[256] = {
#define AS(op, call) [op] = WEIR_SYS_##call + 1
	AS(IORING_OP_READV, preadv),
	AS(IORING_OP_WRITEV, pwritev),
	AS(IORING_OP_FSYNC, fsync),
	AS(IORING_OP_READ_FIXED, pread64),
	AS(IORING_OP_WRITE_FIXED, pwrite64),
	AS(IORING_OP_POLL_ADD, poll),
	AS(IORING_OP_SYNC_FILE_RANGE, sync_file_range),
	AS(IORING_OP_SENDMSG, sendmsg),
	AS(IORING_OP_RECVMSG, recvmsg),
	AS(IORING_OP_ACCEPT, accept4),
	AS(IORING_OP_CONNECT, connect),
	AS(IORING_OP_FALLOCATE, fallocate),
	AS(IORING_OP_OPENAT, openat),
	AS(IORING_OP_CLOSE, close),
	AS(IORING_OP_STATX, statx),
	AS(IORING_OP_READ, pread64),
	AS(IORING_OP_WRITE, pwrite64),
	AS(IORING_OP_FADVISE, fadvise64),
	AS(IORING_OP_MADVISE, madvise),
	AS(IORING_OP_SEND, sendto),
	AS(IORING_OP_RECV, recvfrom),
	AS(IORING_OP_OPENAT2, openat2),
	AS(IORING_OP_EPOLL_CTL, epoll_ctl),
	AS(IORING_OP_SPLICE, splice),
	AS(IORING_OP_TEE, tee),
	AS(IORING_OP_SHUTDOWN, shutdown),
	AS(IORING_OP_RENAMEAT, renameat2),
	AS(IORING_OP_UNLINKAT, unlinkat),
	AS(IORING_OP_MKDIRAT, mkdirat),
	AS(IORING_OP_SYMLINKAT, symlinkat),
	AS(IORING_OP_LINKAT, linkat),
	AS(IORING_OP_FSETXATTR, fsetxattr),
	AS(IORING_OP_SETXATTR, setxattr),
	AS(IORING_OP_FGETXATTR, fgetxattr),
	AS(IORING_OP_GETXATTR, getxattr),
	AS(IORING_OP_SOCKET, socket),
	AS(IORING_OP_SEND_ZC, sendto),
	AS(IORING_OP_SENDMSG_ZC, sendmsg),
	AS(IORING_OP_READ_MULTISHOT, read),
	AS(IORING_OP_WAITID, waitid),
	AS(IORING_OP_FUTEX_WAIT, futex_wait),
	AS(IORING_OP_FUTEX_WAKE, futex_wake),
	AS(IORING_OP_FUTEX_WAITV, futex_waitv),
	AS(IORING_OP_FTRUNCATE, ftruncate),
	AS(IORING_OP_BIND, bind),
	AS(IORING_OP_LISTEN, listen),
	AS(IORING_OP_RECV_ZC, recvfrom),
	AS(IORING_OP_EPOLL_WAIT, epoll_wait),
	AS(IORING_OP_READV_FIXED, preadv),
	AS(IORING_OP_WRITEV_FIXED, pwritev),
	AS(IORING_OP_PIPE, pipe2),
#undef AS
};

/* What an operation is recorded as: io_uring_enter where no call does the same,
 * its first argument then being the operation. */
static __always_inline __u32 operation_nr(__u8 op)
{
	return operations[op] ? operations[op] - 1 : WEIR_SYS_io_uring_enter;
}

/*
 * What was asked for lies at the start of the request, laid out as the
 * operation wants it (io_kiocb.cmd): struct io_open and io_close of the
 * kernel's io_uring/openclose.c, io_rename, io_unlink, io_mkdir and io_link of
 * fs.c, io_rw of rw.c, io_sr_msg, io_accept, io_connect and io_socket of net.c;
 * before 6.0 all of fs/io_uring.c. (type, field) of what is there; the
 * ___delayed ones have their paths where they are read late (vmlinux/uring.h).
 */
#define asked(req, type, field) BPF_CORE_READ((struct type *)(req), field)
#define asked_path(req, type, field)                                           \
	((req) +                                                               \
	 (bpf_core_field_exists(struct type, field)                            \
		  ? bpf_core_field_offset(struct type, field)                  \
		  : bpf_core_field_offset(struct type##___delayed, field)))

/* ask_*() - the arguments of the call that does the same, as far as the request
 * tells; else 0, as is a descriptor of the ring's own table. */
static __always_inline void ask_open(struct uring_request *r, void *req)
{
	r->call.args[0] = (__u32)asked(req, io_open, dfd);
	r->direct = asked(req, io_open, file_slot);
	if (r->call.nr == WEIR_SYS_openat2)
		return;
	r->call.args[2] = asked(req, io_open, how.flags);
	r->call.args[3] = asked(req, io_open, how.mode);
}

static __always_inline void ask_rename(struct uring_request *r, void *req)
{
	r->call.args[0] = (__u32)asked(req, io_rename, old_dfd);
	r->call.args[2] = (__u32)asked(req, io_rename, new_dfd);
	r->call.args[4] = asked(req, io_rename, flags);
}

static __always_inline void ask_link(struct uring_request *r, void *req)
{
	if (!bpf_core_type_exists(struct io_link))
		return;
	if (r->call.nr == WEIR_SYS_symlinkat) {
		r->call.args[1] = (__u32)asked(req, io_link, new_dfd);
		return;
	}
	r->call.args[0] = (__u32)asked(req, io_link, old_dfd);
	r->call.args[2] = (__u32)asked(req, io_link, new_dfd);
	r->call.args[4] = asked(req, io_link, flags);
}

/* Operations on a file: its descriptor, unless it is of the ring's own table */
static __always_inline void ask_file(struct uring_request *r,
				     struct io_kiocb *req)
{
	if (bpf_core_field_exists(req->cqe.fd) &&
	    !(BPF_CORE_READ(req, flags) & REQ_F_FIXED_FILE))
		r->call.args[0] = (__u32)BPF_CORE_READ(req, cqe.fd);
}

/* An argument that some kernels keep elsewhere, or not at all: 0 there. */
#define ask_arg(r, i, req, type, field)                                        \
	do {                                                                   \
		if (bpf_core_field_exists(struct type, field))                 \
			(r)->call.args[i] = (__u64)asked(req, type, field);    \
	} while (0)

/* pread64(), preadv() and those that write: the buffer or vector, and where. */
static __always_inline void ask_rw(struct uring_request *r, void *req)
{
	ask_arg(r, 1, req, io_rw, addr);
	ask_arg(r, 2, req, io_rw, len);
	ask_arg(r, 3, req, io_rw, kiocb.ki_pos);
}

/* sendto(), recvfrom() */
static __always_inline void ask_transfer(struct uring_request *r, void *req)
{
	ask_arg(r, 1, req, io_sr_msg, buf);
	ask_arg(r, 2, req, io_sr_msg, len);
	ask_arg(r, 3, req, io_sr_msg, msg_flags);
}

/* sendmsg(), recvmsg() */
static __always_inline void ask_message(struct uring_request *r, void *req)
{
	ask_arg(r, 1, req, io_sr_msg, buf);
	ask_arg(r, 2, req, io_sr_msg, msg_flags);
}

static __always_inline void ask_accept(struct uring_request *r, void *req)
{
	ask_arg(r, 1, req, io_accept, addr);
	ask_arg(r, 2, req, io_accept, addr_len);
	ask_arg(r, 3, req, io_accept, flags);
}

static __always_inline void ask_connect(struct uring_request *r, void *req)
{
	ask_arg(r, 1, req, io_connect, addr);
	ask_arg(r, 2, req, io_connect, addr_len);
}

/* What the other operations have as a descriptor is its family. */
static __always_inline void ask_socket(struct uring_request *r, void *req)
{
	ask_arg(r, 0, req, io_socket, domain);
	ask_arg(r, 1, req, io_socket, type);
	ask_arg(r, 2, req, io_socket, protocol);
}

/* Those that are no more than a file and what is done to it. */
static __always_inline void ask_io(struct uring_request *r,
				   struct io_kiocb *req)
{
	ask_file(r, req);
	switch (r->call.nr) {
	case WEIR_SYS_pread64:
	case WEIR_SYS_pwrite64:
	case WEIR_SYS_preadv:
	case WEIR_SYS_pwritev:
		ask_rw(r, req);
		break;
	case WEIR_SYS_sendto:
	case WEIR_SYS_recvfrom:
		ask_transfer(r, req);
		break;
	case WEIR_SYS_sendmsg:
	case WEIR_SYS_recvmsg:
		ask_message(r, req);
		break;
	case WEIR_SYS_accept4:
		ask_accept(r, req);
		break;
	case WEIR_SYS_connect:
		ask_connect(r, req);
	}
}

/* All arguments of what r->call.nr says, but paths: these are not addresses of
 * the caller any more. */
static __always_inline void ask(struct uring_request *r, struct io_kiocb *req)
{
	switch (r->call.nr) {
	case WEIR_SYS_openat:
	case WEIR_SYS_openat2:
		ask_open(r, req);
		break;
	case WEIR_SYS_unlinkat:
		r->call.args[0] = (__u32)asked(req, io_unlink, dfd);
		r->call.args[2] = asked(req, io_unlink, flags);
		break;
	case WEIR_SYS_mkdirat:
		r->call.args[0] = (__u32)asked(req, io_mkdir, dfd);
		r->call.args[2] = asked(req, io_mkdir, mode);
		break;
	case WEIR_SYS_renameat2:
		ask_rename(r, req);
		break;
	case WEIR_SYS_linkat:
	case WEIR_SYS_symlinkat:
		ask_link(r, req);
		break;
	case WEIR_SYS_close:
		r->call.args[0] = (__u32)asked(req, io_close, fd);
		break;
	case WEIR_SYS_socket:
		ask_socket(r, req);
		break;
	case WEIR_SYS_io_uring_enter:
		r->call.args[0] = BPF_CORE_READ(req, opcode);
		break;
	default:
		ask_io(r, req);
	}
}

/* Where the request points to its first and second path, each a struct filename
 * (include/linux/fs.h); NULL: nowhere. */
static __always_inline void *first_path(__u32 nr, void *req)
{
	if (nr == WEIR_SYS_openat || nr == WEIR_SYS_openat2)
		return asked_path(req, io_open, filename);
	if (nr == WEIR_SYS_unlinkat)
		return asked_path(req, io_unlink, filename);
	if (nr == WEIR_SYS_mkdirat)
		return asked_path(req, io_mkdir, filename);
	if (nr == WEIR_SYS_renameat2)
		return asked_path(req, io_rename, oldpath);
	if ((nr == WEIR_SYS_linkat || nr == WEIR_SYS_symlinkat) &&
	    bpf_core_type_exists(struct io_link))
		return asked_path(req, io_link, oldpath);
	return NULL;
}

static __always_inline void *second_path(__u32 nr, void *req)
{
	if (nr == WEIR_SYS_renameat2)
		return asked_path(req, io_rename, newpath);
	if ((nr == WEIR_SYS_linkat || nr == WEIR_SYS_symlinkat) &&
	    bpf_core_type_exists(struct io_link))
		return asked_path(req, io_link, newpath);
	return NULL;
}

/* Copy a path, at most REQUEST_PATH bytes and a NUL; "" where it cannot be
 * read. */
static __always_inline void keep_path(char *to, void *at)
{
	struct filename *name = NULL;

	to[0] = 0;
	if (!at)
		return;
	bpf_probe_read_kernel(&name, sizeof(name), at);
	bpf_probe_read_kernel_str(to, REQUEST_PATH + 1,
				  BPF_CORE_READ(name, name));
}

/* When it is submitted: the kernel frees its copies before it completes it.
 * r->paths says if they were kept. */
static __always_inline void keep_paths(struct uring_request *r, __u64 key)
{
	__u32 nr = r->call.nr, slot = SLOT_SUBMIT;
	struct request_paths *p = bpf_map_lookup_elem(&scratch, &slot);
	void *first = first_path(nr, (void *)key);

	if (!p || !first)
		return;
	keep_path(p->path[0], first);
	keep_path(p->path[1], second_path(nr, (void *)key));
	r->paths = !bpf_map_update_elem(&request_paths, &key, p, BPF_ANY);
}

/* ---- the event ----------------------------------------------------------- */

/* Append one; of REQUEST_PATH bytes it may have been cut, and says so. */
static __always_inline __u32 put_kept(void *base, struct weir_str *s, __u32 pos,
				      const char *kept)
{
	weir_no_str(s);
	if (!kept[0])
		return pos;
	pos = weir_put_str(base, s, pos, kept, WEIR_FROM_KERNEL);
	if (s->len == REQUEST_PATH)
		s->full = REQUEST_PATH + 1;
	return pos;
}

/* One that was not kept, or no more, is unknown. */
static __always_inline __u32 put_kept_paths(struct ev_syscall_done *ev,
					    __u32 pos,
					    const struct uring_request *r,
					    __u64 key)
{
	const struct trait *trait = call_trait(&r->call);
	struct request_paths *p = NULL;

	put_unknown(&ev->path, trait->path[0]);
	put_unknown(&ev->path2, trait->path[1]);
	if (r->paths)
		p = bpf_map_lookup_elem(&request_paths, &key);
	if (!p)
		return pos;
	pos = put_kept(ev, &ev->path, pos, p->path[0]);
	return put_kept(ev, &ev->path2, pos, p->path[1]);
}

/* It opened @ret for the task that completes it: mostly, not always, itself. */
static __always_inline __u64 request_file(const struct uring_request *r,
					  __s64 ret)
{
	struct task_struct *t = weir_current();

	if (!r->call.since || ret < 0 || r->direct || !opens_file(r->call.nr) ||
	    (__u32)weir_get(t, tgid) != r->pid)
		return 0;
	return file_of_fd(ret);
}

/*
 * emit_request - an event of a request that is over
 * @ret:  its result, as the call would have returned it
 * @slot: scratch record to use
 *
 * Return: 1, as a program on a hook.
 */
static __always_inline int emit_request(const struct uring_request *r,
					__u64 key, __s64 ret, __u32 slot)
{
	struct ev_syscall_done *ev = weir_begin_of(slot,
						   weir_who(r->pid, r->tid));
	__u64 file = request_file(r, ret);
	__u32 len = sizeof(*ev), span;

	if (!ev)
		return 1;
	ev->h.flags = WEIR_F_URING;
	fill_done(ev, &r->call, ret);
	if (!wants_named(ev, r->call.since, false, &span))
		return 1;
	len = put_kept_paths(ev, len, r, key);
	if (file)
		len = weir_put_file(ev, &ev->file, len, file, slot);
	else
		put_unknown(&ev->file, ret >= 0 && opens_file(r->call.nr));
	return weir_emit_span(&ev->h, slot, EV_SYSCALL_DONE, len, span);
}

/* The same, if it is to be recorded: slow enough, of a process that is. */
static __always_inline void record_request(const struct uring_request *r,
					   __u64 key, __s64 ret, __u32 slot)
{
	if (call_mode(r->call.nr) == CALL_SLOW && !is_slow(&r->call))
		return;
	if (weir_admit(r->pid))
		emit_request(r, key, ret, slot);
}

/*
 * One whose completion was not seen, or would not be: result and time are
 * unknown. Whether it was slow is, too: then it is one that was missed.
 */
static __always_inline void record_unseen(struct uring_request *r, __u64 key,
					  bool maybe_slow)
{
	r->call.since = 0;
	if (call_mode(r->call.nr) != CALL_SLOW)
		record_request(r, key, 0, SLOT_SUBMIT);
	else if (maybe_slow && weir_admit(r->pid))
		weir_count_missed();
}

/* ---- submission and completion ------------------------------------------- */

/* Nothing is kept of it any more; @r is not used after that. */
static __always_inline void forget(const struct uring_request *r, __u64 key)
{
	if (r->paths)
		bpf_map_delete_elem(&request_paths, &key);
	bpf_map_delete_elem(&requests, &key);
}

/* Does its completion come past us, and tell which request it is? */
static __always_inline bool is_completed(struct io_kiocb *req)
{
	if (!args_io_uring_submit_req && args_io_uring_complete != 7)
		return false;
	return !(BPF_CORE_READ(req, flags) & REQ_F_CQE_SKIP);
}

/* As weir_shed(), of one that is to be recorded only if it is slow, too. Whom
 * it does not concern is told when it completes. */
static __always_inline int request_turn(__u32 pid, __u32 nr)
{
	if (!weir_budget || weir_is_own(pid) ||
	    (weir_follow && !bpf_map_lookup_elem(&followed, &pid)))
		return 0;
	return call_mode(nr) == CALL_ALWAYS ? weir_shed() : weir_turn();
}

/* A request begins: that which had its memory before has ended, unseen. */
static __always_inline void end_unseen(__u64 key)
{
	struct uring_request *old = bpf_map_lookup_elem(&requests, &key);

	if (!old)
		return;
	if (!old->told)
		record_unseen(old, key, is_slow(&old->call));
	forget(old, key);
}

/*
 * on_submit - a request is submitted, by the current task
 *
 * What will not be seen to complete is recorded now. Where strings cannot be
 * read none of io_uring is recorded. Return: 1.
 */
static __always_inline int on_submit(struct io_kiocb *req)
{
	__u64 key = (__u64)req, id = bpf_get_current_pid_tgid();
	struct uring_request r = {};
	bool waits;
	int turn;

	if (!weir_strings)
		return 1;
	end_unseen(key);
	r.call.nr = operation_nr(BPF_CORE_READ(req, opcode));
	if (call_mode(r.call.nr) == CALL_NEVER)
		return 1;
	r.pid = id >> 32;
	r.tid = id;
	if (!wanted_at_entry(r.pid, r.call.nr)) {
		if (call_mode(r.call.nr) == CALL_ALWAYS)
			weir_count_filtered();
		return 1;
	}
	turn = request_turn(r.pid, r.call.nr);
	if (turn < 0)
		return 1;
	r.call.log2 = turn;
	ask(&r, req);
	keep_paths(&r, key);
	waits = is_completed(req);
	r.call.since = bpf_ktime_get_ns();
	if (waits && !bpf_map_update_elem(&requests, &key, &r, BPF_ANY))
		return 1;
	record_unseen(&r, key, waits);
	forget(&r, key);
	return 1;
}

/*
 * on_complete - a completion is posted
 * @key:   its struct io_kiocb
 * @res:   as the call would have returned it
 * @flags: IORING_CQE_F_* (include/uapi/linux/io_uring.h)
 *
 * One event for each; with F_MORE the next one's time begins here. Return: 1.
 */
static __always_inline int on_complete(__u64 key, __s32 res, __u32 flags)
{
	struct uring_request *r;

	if (!weir_strings)
		return 1;
	r = bpf_map_lookup_elem(&requests, &key);
	if (!r || r->told)
		return 1;
	if (!(flags & IORING_CQE_F_NOTIF)) /* the result came before it */
		record_request(r, key, res, SLOT_COMPLETE);
	if (flags & IORING_CQE_F_MORE)
		r->call.since = bpf_ktime_get_ns();
	else
		forget(r, key);
	return 1;
}

/* ---- still inside -------------------------------------------------------- */

/*
 * Run at the end of recording, the hooks still attached: what completes from
 * here on was inside at the end. Of those whose completion is never seen nobody
 * knows that they were not. Return: as syscall__inside_end().
 */
SEC("iter/bpf_map_elem")
int syscall__requests_end(struct bpf_iter__bpf_map_elem *ctx)
{
	const __u64 *at = ctx->key;
	struct uring_request *r;
	__u64 key;

	if (!weir_strings || !at)
		return 0;
	if (!weir_room())
		return 1;
	key = *at;
	r = bpf_map_lookup_elem(&requests, &key);
	if (!r)
		return 0;
	r->told = 1;
	if (call_mode(r->call.nr) == CALL_SLOW && !is_slow(&r->call))
		return 0;
	if (weir_admit(r->pid))
		emit_inside(weir_who(r->pid, r->tid), &r->call, WEIR_F_URING);
	return 0;
}

#endif
