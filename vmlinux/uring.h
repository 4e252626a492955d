/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * uring.h - the kernel types of io_uring that weir touches, see vmlinux.h.
 *
 * What an operation was asked to do lies at the start of its request, in a
 * type of the operation's own.
 */
#ifndef WEIR_URING_TYPES_H
#define WEIR_URING_TYPES_H

#include "vmlinux.h"

/* include/uapi/linux/io_uring.h: values are ABI */
enum io_uring_op {
	IORING_OP_READV = 1,
	IORING_OP_WRITEV = 2,
	IORING_OP_FSYNC = 3,
	IORING_OP_READ_FIXED = 4,
	IORING_OP_WRITE_FIXED = 5,
	IORING_OP_POLL_ADD = 6,
	IORING_OP_SYNC_FILE_RANGE = 8,
	IORING_OP_SENDMSG = 9,
	IORING_OP_RECVMSG = 10,
	IORING_OP_ACCEPT = 13,
	IORING_OP_CONNECT = 16,
	IORING_OP_FALLOCATE = 17,
	IORING_OP_OPENAT = 18,
	IORING_OP_CLOSE = 19,
	IORING_OP_STATX = 21,
	IORING_OP_READ = 22,
	IORING_OP_WRITE = 23,
	IORING_OP_FADVISE = 24,
	IORING_OP_MADVISE = 25,
	IORING_OP_SEND = 26,
	IORING_OP_RECV = 27,
	IORING_OP_OPENAT2 = 28,
	IORING_OP_EPOLL_CTL = 29,
	IORING_OP_SPLICE = 30,
	IORING_OP_TEE = 33,
	IORING_OP_SHUTDOWN = 34,
	IORING_OP_RENAMEAT = 35,
	IORING_OP_UNLINKAT = 36,
	IORING_OP_MKDIRAT = 37,
	IORING_OP_SYMLINKAT = 38,
	IORING_OP_LINKAT = 39,
	IORING_OP_FSETXATTR = 41,
	IORING_OP_SETXATTR = 42,
	IORING_OP_FGETXATTR = 43,
	IORING_OP_GETXATTR = 44,
	IORING_OP_SOCKET = 45,
	IORING_OP_SEND_ZC = 47,
	IORING_OP_SENDMSG_ZC = 48,
	IORING_OP_READ_MULTISHOT = 49,
	IORING_OP_WAITID = 50,
	IORING_OP_FUTEX_WAIT = 51,
	IORING_OP_FUTEX_WAKE = 52,
	IORING_OP_FUTEX_WAITV = 53,
	IORING_OP_FTRUNCATE = 55,
	IORING_OP_BIND = 56,
	IORING_OP_LISTEN = 57,
	IORING_OP_RECV_ZC = 58,
	IORING_OP_EPOLL_WAIT = 59,
	IORING_OP_READV_FIXED = 60,
	IORING_OP_WRITEV_FIXED = 61,
	IORING_OP_PIPE = 62,
};

enum {
	IORING_CQE_F_MORE = 1 << 1,
	IORING_CQE_F_NOTIF = 1 << 3,
	/* bits of a request's flags that are those of its submission entry */
	REQ_F_FIXED_FILE = 1 << 0,
	REQ_F_CQE_SKIP = 1 << 6,
};

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

/* 5.19 brought it; before, a request does not keep its descriptor */
struct io_cqe {
	int fd;
};

struct io_kiocb {
	__u8 opcode;
	__u32 flags; /* 64 bits from 6.9 on; little endian */
	struct io_cqe cqe;
};

struct io_uring_cqe {
	__s32 res;
	__u32 flags;
};

struct filename {
	const char *name;
};

struct open_how {
	__u64 flags;
	__u64 mode;
};

struct io_open {
	int dfd;
	__u32 file_slot;
	struct filename *filename;
	struct open_how how;
};

struct io_close {
	int fd;
};

struct kiocb {
	__s64 ki_pos;
};

struct io_rw {
	struct kiocb kiocb;
	__u64 addr;
	__u32 len;
};

struct io_sr_msg {
	void *buf; /* in a union, with the pointer to a msghdr */
	int len;
	unsigned int msg_flags;
};

struct io_accept {
	void *addr;
	void *addr_len;
	int flags;
};

struct io_connect {
	void *addr;
	int addr_len;
};

struct io_socket {
	int domain;
	int type;
	int protocol;
};

struct io_unlink {
	int dfd;
	int flags;
	struct filename *filename;
};

struct io_mkdir {
	int dfd;
	umode_t mode;
	struct filename *filename;
};

struct io_rename {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};

/* 6.0 made one of io_symlink and io_hardlink */
struct io_link {
	int old_dfd;
	int new_dfd;
	struct filename *oldpath;
	struct filename *newpath;
	int flags;
};

/* 7.0 put the pointers to names into a struct of their own */
struct delayed_filename {
	struct filename *__incomplete_filename;
};

struct io_open___delayed {
	struct delayed_filename filename;
};

struct io_unlink___delayed {
	struct delayed_filename filename;
};

struct io_mkdir___delayed {
	struct delayed_filename filename;
};

struct io_rename___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct io_link___delayed {
	struct delayed_filename oldpath;
	struct delayed_filename newpath;
};

struct trace_event_raw_io_uring_submit_req {
	struct trace_entry ent;
	void *req;
};

struct trace_event_raw_io_uring_complete {
	struct trace_entry ent;
	void *req;
	int res;
	unsigned int cflags;
};

#pragma clang attribute pop

#endif
