/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_ring.bpf.h - beside a source's mini-buffer, a small ring for each CPU
 * that has one producer: a way out that needs no lock.
 *
 * bpf_ringbuf_reserve() takes a spinlock with interrupts off, and gives the
 * record back by an exchange (kernel/bpf/ringbuf.c): most of what a short
 * record costs. Where one program alone writes, which the kernel does not enter
 * again on the same CPU, neither is needed. What finds no room here goes
 * through the mini-buffer, and so does a record now and then that is to wake
 * the reader, which an array cannot.
 *
 * The layout is that of the kernel's ring buffer, so that user/kring.h reads
 * both. A record is marked busy before the position moves past it, and that
 * before its time is read: what the aggregator's order rests on. No record
 * wraps: one that begins near the end goes on in the slack behind it.
 */
#ifndef WEIR_CPU_RING_BPF_H
#define WEIR_CPU_RING_BPF_H

#include "weir.bpf.h"

#define CPU_RING_PAGE 4096
#define CPU_RING_BUSY (1U << 31) /* BPF_RINGBUF_BUSY_BIT */

/* Set by user/source_load.c: bytes of each, 2^n, and log2 of a quarter. */
const volatile __u32 weir_cpu_ring_bytes = CPU_RING_PAGE;
const volatile __u32 weir_cpu_ring_quarter = 10;

struct cpu_ring {
	__u64 head; /* the consumer's, written by user space */
	__u8 pad[CPU_RING_PAGE - 8];
	__u64 tail;
	__u32 level; /* quarters that were full at the last record */
	__u8 pad2[CPU_RING_PAGE - 12];
	__u8 data[];
};

struct cpu_record {
	__u32 len; /* and CPU_RING_BUSY */
	__u32 zero;
	struct weir_hdr h;
};

/* struct cpu_ring by CPU, and one page of slack: user/source_load.c sizes it.
 */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__uint(key_size, sizeof(__u32));
	__uint(value_size, 4 * CPU_RING_PAGE);
} cpu_rings SEC(".maps");

/* Has it come to another quarter? Then the reader is to be woken. */
static __always_inline bool cpu_ring_wakes(struct cpu_ring *ring, __u64 used)
{
	__u32 level = used >> weir_cpu_ring_quarter, before = ring->level;

	if (level == before)
		return false;
	ring->level = level;
	return level > before;
}

/* Leaves room for one more: cpu_ring_submit() touches it. */
static __always_inline void *cpu_ring_reserve(__u16 kind, const __u64 size,
					      __u64 who)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct cpu_ring *ring = bpf_map_lookup_elem(&cpu_rings, &cpu);
	struct weir_account *a = weir_account_here(cpu);
	struct cpu_record *rec;
	__u64 tail, used;

	if (!ring || !a || (weir_pinned && weir_is_stopped()))
		return NULL;
	tail = ring->tail;
	used = tail - *(volatile __u64 *)&ring->head;
	if (used + 2 * (8 + size) > weir_cpu_ring_bytes)
		return NULL;
	if (cpu_ring_wakes(ring, used)) {
		a->wakes = 1;
		return NULL;
	}
	rec = (void *)ring->data + (tail & (weir_cpu_ring_bytes - 1));
	*(volatile __u32 *)&rec->len = size | CPU_RING_BUSY;
	*(volatile __u64 *)&ring->tail = tail + 8 + size;
	weir_stamp(&rec->h, a, cpu, kind, size, who);
	return &rec->h;
}

/*
 * weir_cpu_reserve - weir_reserve_of() for a program as said above
 *
 * Return: struct ev_<name> *, to be given to weir_cpu_submit(); NULL: it is to
 * go through weir_reserve_of().
 */
#define weir_cpu_reserve(name, kind, who)                                      \
	((struct ev_##name *)cpu_ring_reserve(kind, sizeof(struct ev_##name),  \
					      who))

/*
 * A plain store: x86 makes stores visible in their order. The next record's
 * lines are with the reader, who had them last: they are asked for now, and not
 * when that record is reserved and waits for them at its barrier.
 */
static __always_inline void cpu_ring_submit(void *h, __u32 size)
{
	struct cpu_record *rec = h - offsetof(struct cpu_record, h);

	barrier();
	*(volatile __u32 *)&rec->len = size;
	rec = (void *)&rec->h + size;
	*(volatile __u32 *)&rec->zero = 0;
	*(volatile __u64 *)((void *)rec + size) = 0;
}

#define weir_cpu_submit(ev) cpu_ring_submit(ev, sizeof(*(ev)))

#endif
