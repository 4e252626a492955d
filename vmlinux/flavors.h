/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * flavors.h - kernel types whose shape changed between 5.10 and today. One
 * entry each, naming the release that changed it; libbpf ignores what follows
 * ___ in a type's name when it relocates.
 */
#ifndef WEIR_FLAVORS_H
#define WEIR_FLAVORS_H

#include "vmlinux.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

#pragma clang attribute push(__attribute__((preserve_access_index)),           \
			     apply_to = record)

/* 5.14 renamed task_struct.state to __state and made it unsigned int */
struct task_struct___state_old {
	volatile long state;
};

struct task_struct___state_new {
	unsigned int __state;
};

/* 5.16 moved task_struct.cpu into thread_info */
struct task_struct___cpu_old {
	unsigned int cpu;
};

struct thread_info___cpu_new {
	__u32 cpu;
};

/* 5.17 removed request.rq_disk; request_queue.disk came with 5.15 */
struct request___disk {
	struct gendisk *rq_disk;
};

/* 6.10 gave block_device __bd_flags, and renumbered blk_status_t from 14 on */
struct block_device___flags {
	atomic_t __bd_flags;
};

/* 6.13 replaced file.f_count, of one reference 1, by f_ref, of one 0 */
struct file___count {
	struct {
		long counter;
	} f_count;
};

struct file___ref {
	struct {
		struct {
			long counter;
		} refcnt;
	} f_ref;
};

/*
 * Numbers of block operations. 6.0 renamed enum req_opf to req_op; 5.18 removed
 * WRITE_SAME and gave its number to ZONE_APPEND; those of zones moved late in
 * 2025, also in stable kernels.
 */
enum req_op {
	REQ_OP_ZONE_APPEND = 7,
	REQ_OP_ZONE_OPEN = 11,
	REQ_OP_ZONE_CLOSE = 13,
	REQ_OP_ZONE_FINISH = 15,
	REQ_OP_ZONE_RESET = 17,
	REQ_OP_ZONE_RESET_ALL = 19,
};

enum req_opf {
	REQ_OP_WRITE_SAME___f = 7,
	REQ_OP_ZONE_OPEN___f = 11,
	REQ_OP_ZONE_CLOSE___f = 13,
	REQ_OP_ZONE_FINISH___f = 15,
	REQ_OP_ZONE_RESET___f = 17,
	REQ_OP_ZONE_RESET_ALL___f = 19,
	REQ_OP_ZONE_APPEND___f = 21,
};

/* 6.15 renamed kernfs_node.parent to __parent */
struct kernfs_node___old {
	struct kernfs_node *parent;
};

struct kernfs_node___new {
	struct kernfs_node *__parent;
};

#pragma clang attribute pop

/* Both need a pointer that the verifier knows: a hook's argument. */
static __always_inline __u32 task_state(struct task_struct *t)
{
	struct task_struct___state_new *n = (void *)t;
	struct task_struct___state_old *o = (void *)t;

	return bpf_core_field_exists(n->__state) ? n->__state : o->state;
}

static __always_inline __u32 task_cpu(struct task_struct *t)
{
	struct thread_info___cpu_new *n = (void *)&t->thread_info;
	struct task_struct___cpu_old *o = (void *)t;

	return bpf_core_field_exists(n->cpu) ? n->cpu : o->cpu;
}

static __always_inline struct gendisk *request_disk(struct request *rq)
{
	struct request___disk *o = (void *)rq;

	return bpf_core_field_exists(o->rq_disk) ? o->rq_disk : rq->q->disk;
}

/* Is @op REQ_OP_@name here? */
#define is_req_op(op, name)                                                    \
	((bpf_core_enum_value_exists(enum req_op, REQ_OP_##name) &&            \
	  (op) == bpf_core_enum_value(enum req_op, REQ_OP_##name)) ||          \
	 is_req_opf(op, name))
#define is_req_opf(op, name)                                                   \
	(bpf_core_enum_value_exists(enum req_opf, REQ_OP_##name##___f) &&      \
	 (op) == bpf_core_enum_value(enum req_opf, REQ_OP_##name##___f))

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *k)
{
	struct kernfs_node___new *n = (void *)k;
	struct kernfs_node___old *o = (void *)k;

	if (bpf_core_field_exists(n->__parent))
		return BPF_CORE_READ(n, __parent);
	return BPF_CORE_READ(o, parent);
}

#endif
