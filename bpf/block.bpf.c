// SPDX-License-Identifier: GPL-2.0-only
/*
 * block.bpf.c - block requests: what a device was asked for, how long that
 * waited in the kernel, and how long the device took.
 *
 * Issue and completion are paired by the address of the request, which is its
 * own until it completes. Drivers that take bios directly (device mapper, md,
 * zram) make no requests: their work shows on the disks below them.
 *
 * The task is the one that made the request: that inserted it into a queue,
 * or issued it directly. Where the device was busy, some other task issues what
 * this one inserted. For buffered writes it is the kernel's writeback thread.
 */
#define WEIR_RING_BYTES (4 << 20)
#define WEIR_VALUE	3

#include "flavors.h"
#include "weir.bpf.h"

WEIR_SOURCE(block, "block requests, from issue to completion");
WEIR_FILTERED(block_io, EV_BLOCK_IO, 0)

/* 5.11, and stable 5.10, took the queue from before the request. */
const volatile __u32 args_block_rq_insert;
const volatile __u32 args_block_rq_issue;
const volatile __u32 args_block_rq_requeue;

/*
 * Queued or in flight. Also those that do not concern the recording, or their
 * completion would look like that of a request issued before it began.
 */
struct io {
	__u64 start;  /* when it was made, 0: not stamped */
	__u64 issued; /* for the first time; 0: still queued */
	__u64 sector;
	__u32 bytes;
	__u32 requeues;
	__u32 pid, tid;
	__s32 error; /* of a part that completed before the rest */
	__u32 admitted;
};

#define IO_MAX 16384

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, IO_MAX);
	__type(key, __u64);
	__type(value, struct io);
} in_flight SEC(".maps");

/* One of the uses of a request's memory. */
struct use {
	__u64 rq;
	__u64 issued;
};

/* Those just counted as missed: by a reuse, or by the walk at the end. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 1024);
	__type(key, struct use);
	__type(value, __u8);
} counted SEC(".maps");

char LICENSE[] SEC("license") = "GPL";

/* ---- what the kernel's numbers mean -------------------------------------- */

#define OP_MASK	  0xff	      /* REQ_OP_MASK, include/linux/blk_types.h */
#define NO_SECTOR ((__u64)-1) /* a passthrough request has none */

static __always_inline enum weir_block_op op_of(__u32 cmd_flags)
{
	__u32 op = cmd_flags & OP_MASK;

	if (op < 6)
		return op;
	if (is_req_op(op, ZONE_APPEND))
		return WEIR_BLOCK_OP_ZONE_APPEND;
	if (is_req_op(op, ZONE_OPEN))
		return WEIR_BLOCK_OP_ZONE_OPEN;
	if (is_req_op(op, ZONE_CLOSE))
		return WEIR_BLOCK_OP_ZONE_CLOSE;
	if (is_req_op(op, ZONE_FINISH))
		return WEIR_BLOCK_OP_ZONE_FINISH;
	if (is_req_op(op, ZONE_RESET))
		return WEIR_BLOCK_OP_ZONE_RESET;
	if (is_req_op(op, ZONE_RESET_ALL))
		return WEIR_BLOCK_OP_ZONE_RESET_ALL;
	if (is_req_opf(op, WRITE_SAME))
		return WEIR_BLOCK_OP_WRITE_SAME;
	return op;
}

/* block/blk-core.c, blk_errors[], by the numbers of 5.16 to 6.9 */
#define STATUS_MAX 31
const __u8 errno_of_status[STATUS_MAX + 1] = {
	0, 95, 110, 28, 67, 121, 52, 61, 84, 12, /* OK .. RESOURCE */
	5, 78, 11,  16, 5,  109, 75, 19, 62,	 /* .. DURATION_LIMIT */
	5, 22,					 /* from 6.11: INVAL */
};
#define STATUS_ZONE_RESOURCE 14 /* removed in 6.10, what follows moved down */
#define EIO		     5
#define EEXIST		     17

/* A completion says how it went by a negative errno, from 5.16 by status. */
static __always_inline __s32 errno_of(int error)
{
	struct block_device___flags *bdev = NULL;
	__u32 status = error;
	__s32 known;

	if (error <= 0)
		return -error;
	if (status >= STATUS_ZONE_RESOURCE &&
	    bpf_core_field_exists(bdev->__bd_flags))
		status++;
	known = errno_of_status[status & STATUS_MAX];
	return known ? known : EIO;
}

/* ---- insert, issue and requeue --------------------------------------------
 */

/* A request by the current task, not yet issued. */
static __always_inline void io_fill(struct io *io, const struct request *rq)
{
	__u64 id = bpf_get_current_pid_tgid();

	io->start = rq->start_time_ns;
	io->pid = id >> 32;
	io->tid = id;
	io->admitted = weir_admit(io->pid);
}

static __always_inline void io_issue(struct io *io, const struct request *rq)
{
	io->sector = rq->__sector;
	io->bytes = rq->__data_len;
	io->issued = bpf_ktime_get_ns();
}

/*
 * Is this what is known of a request? One that was sent back keeps its first
 * times; any other that has been issued is an old one, whose completion was
 * not seen.
 */
static __always_inline bool io_is_of(const struct io *io,
				     const struct request *rq)
{
	return io && io->start == rq->start_time_ns &&
	       (io->requeues || !io->issued);
}

/* Once, though two may come upon the same one at the same time. */
static __always_inline void io_missed(__u64 key, const struct io *io)
{
	struct use use = {.rq = key, .issued = io->issued};
	__u8 yes = 1;

	if (bpf_map_update_elem(&counted, &use, &yes, BPF_NOEXIST) != -EEXIST)
		weir_count_missed();
}

/*
 * Was this request issued for an earlier use of its memory? Then that one has
 * completed, and the kernel did not run our program (sched.bpf.c,
 * miss_switch()). Where the kernel does not stamp requests, with iostats off,
 * this cannot be seen. Of memory that nobody uses again block__in_flight_end()
 * tells.
 */
static __always_inline void io_forget(const struct io *io,
				      const struct request *rq)
{
	if (io && io->issued && io->admitted && io->start != rq->start_time_ns)
		io_missed((__u64)rq, io);
}

/*
 * When the map is full, a completion tells of the request all the same,
 * without its times; but not to whom it matters, where only some processes
 * are followed: then it is lost.
 */
static __always_inline void io_keep(__u64 key, const struct io *io)
{
	struct weir_account *a;

	if (!bpf_map_update_elem(&in_flight, &key, io, BPF_ANY) ||
	    !weir_follow || !io->admitted)
		return;
	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		weir_count_lost(a);
}

static __always_inline int on_insert(struct request *rq)
{
	__u64 key = (__u64)rq;
	struct io *known = bpf_map_lookup_elem(&in_flight, &key), io = {};

	if (io_is_of(known, rq))
		return 1;
	io_forget(known, rq);
	io_fill(&io, rq);
	io_keep(key, &io);
	return 1;
}

static __always_inline int on_issue(struct request *rq)
{
	__u64 key = (__u64)rq;
	struct io *known = bpf_map_lookup_elem(&in_flight, &key), io = {};

	if (io_is_of(known, rq)) {
		if (!known->issued)
			io_issue(known, rq);
		return 1;
	}
	io_forget(known, rq);
	io_fill(&io, rq);
	io_issue(&io, rq);
	io_keep(key, &io);
	return 1;
}

SEC("tp_btf/block_rq_insert")
int block__insert(__u64 *ctx)
{
	if (args_block_rq_insert > 1)
		return on_insert((struct request *)ctx[1]);
	return on_insert((struct request *)ctx[0]);
}

SEC("tp_btf/block_rq_issue")
int block__issue(__u64 *ctx)
{
	if (args_block_rq_issue > 1)
		return on_issue((struct request *)ctx[1]);
	return on_issue((struct request *)ctx[0]);
}

static __always_inline int on_requeue(struct request *rq)
{
	__u64 key = (__u64)rq;
	struct io *io = bpf_map_lookup_elem(&in_flight, &key);

	if (io)
		io->requeues++;
	return 1;
}

SEC("tp_btf/block_rq_requeue")
int block__requeue(__u64 *ctx)
{
	if (args_block_rq_requeue > 1)
		return on_requeue((struct request *)ctx[1]);
	return on_requeue((struct request *)ctx[0]);
}

/* ---- completion ---------------------------------------------------------- */

static __always_inline void set_disk(struct ev_block_io *ev,
				     const struct gendisk *disk)
{
	const __u64 *from = (const void *)disk->disk_name;
	__u64 *to = (void *)ev->disk;
	__u32 i;

#pragma unroll
	for (i = 0; i < sizeof(ev->disk) / sizeof(*to); i++)
		to[i] = disk ? from[i] : 0;
	ev->dev = disk ? disk->major << 20 | disk->first_minor : 0;
}

static __always_inline void set_times(struct ev_block_io *ev,
				      const struct io *io)
{
	ev->queued = 0;
	ev->service = 0;
	if (!io->issued)
		ev->h.flags |= WEIR_F_PARTIAL;
	else
		ev->service = ev->h.ts - io->issued;
	if (io->start && io->start < io->issued)
		ev->queued = io->issued - io->start;
	ev->latency = ev->queued + ev->service;
}

static __always_inline int put_io(struct request *rq, const struct io *io,
				  __s32 error)
{
	const struct gendisk *disk = request_disk(rq);
	struct ev_block_io image, *ev;

	ev = weir_draft(block_io, EV_BLOCK_IO, &image,
			weir_who(io->pid, io->tid));
	if (!ev)
		return 1;
	set_disk(ev, disk);
	ev->op = op_of(rq->cmd_flags);
	ev->sector = io->sector == NO_SECTOR ? 0 : io->sector;
	ev->bytes = io->bytes;
	ev->flags = rq->cmd_flags;
	ev->error = io->error ? io->error : error;
	ev->requeues = io->requeues;
	set_times(ev, io);
	return weir_commit(block_io, EV_BLOCK_IO, ev);
}

/*
 * A request whose issue was not seen: issued before the recording, or failed
 * before it reached the driver. (Those that the kernel puts together from
 * flushes end once more, with nothing left to do: nothing to tell either.)
 */
static __always_inline struct io unknown_io(struct request *rq)
{
	struct io io = {
		.sector = rq->__sector,
		.bytes = rq->__data_len,
	};

	if (io.bytes || (rq->cmd_flags & OP_MASK) == WEIR_BLOCK_OP_FLUSH)
		io.admitted = weir_admit(0);
	return io;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(block__complete, struct request *rq, int error, unsigned int bytes)
{
	__u64 key = (__u64)rq;
	struct io *seen = bpf_map_lookup_elem(&in_flight, &key), io;

	error = errno_of(error);
	if (bytes < rq->__data_len) {
		if (seen && !seen->error)
			seen->error = error;
		return 1;
	}
	io = seen ? *seen : unknown_io(rq);
	if (seen) {
		seen->admitted = 0; /* the map may be busy, and keep it */
		bpf_map_delete_elem(&in_flight, &key);
	}
	return io.admitted ? put_io(rq, &io, error) : 1;
}

/* ---- completed, and not seen --------------------------------------------- */

/*
 * Has this use of a request's memory ended? The kernel refers to it from before
 * the hook of its insertion until after that of its completion, then no more
 * (blk_mq_free_request()); it stamps the next use before that is inserted. One
 * that was sent back may be merged, which changes its stamp.
 */
static __always_inline bool io_ended(const struct request *rq,
				     const struct io *io)
{
	__u64 start;
	__u32 refs;

	if (!bpf_core_field_exists(rq->ref) ||
	    bpf_probe_read_kernel(&refs, sizeof(refs), &rq->ref))
		return false;
	if (!refs || io->requeues)
		return !refs;
	return !bpf_probe_read_kernel(&start, sizeof(start),
				      &rq->start_time_ns) &&
	       start != io->start;
}

/* A completion that was seen has taken it out before the request ended. */
static __always_inline bool io_is_left(__u64 key, const struct io *io)
{
	const struct io *known = bpf_map_lookup_elem(&in_flight, &key);

	return known && known->issued == io->issued && known->admitted;
}

/*
 * Run at the end of recording, the hooks still attached. What completes from
 * here on counts as in flight when the recording ended.
 */
SEC("iter/bpf_map_elem")
int block__in_flight_end(struct bpf_iter__bpf_map_elem *ctx)
{
	const __u64 *key = ctx->key;
	const struct io *value = ctx->value;
	struct io io;

	if (!weir_strings || !key || !value)
		return 0;
	io = *value;
	if (io.issued && io.admitted &&
	    io_ended((const struct request *)*key, &io) &&
	    io_is_left(*key, &io))
		io_missed(*key, &io);
	return 0;
}
