/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * cpu_ring.bpf.h - beside a source's mini-buffer, a small ring for each CPU
 * that has one producer: a way out that needs no lock.
 *
 * bpf_ringbuf_reserve() takes a spinlock with interrupts off, and gives the
 * record back by an exchange (kernel/bpf/ringbuf.c): most of what a short
 * record costs. Where one program alone writes, which the kernel does not enter
 * again on the same CPU, neither is needed. What finds no room here goes
 * through the mini-buffer. That also wakes the reader, which an array cannot:
 * by a record that is given up at once, which costs no event its place.
 *
 * The layout is that of the kernel's ring buffer, so that user/kring.h reads
 * both. A record is marked busy before the position moves past it, and that
 * before its time is read: what the aggregator's order rests on. No record
 * wraps: one that begins near the end goes on in the slack behind it.
 */
#ifndef WEIR_CPU_RING_BPF_H
#define WEIR_CPU_RING_BPF_H

#include "strings.bpf.h"

#ifndef __TARGET_ARCH_x86
#error "where stores may change places cpu_ring_take() and _submit() do not do"
#endif

#define CPU_RING_PAGE 4096
#define CPU_RING_BUSY (1U << 31) /* BPF_RINGBUF_BUSY_BIT */

/* Set by user/source_load.c: bytes of each, 2^n, and log2 of half of it. */
const volatile __u32 weir_cpu_ring_bytes = CPU_RING_PAGE;
const volatile __u32 weir_cpu_ring_half = 11;

/*
 * Positions are bytes since creation and never wrap; a record lies at position
 * modulo weir_cpu_ring_bytes. Three pages of it (KRING_CPU_EXTRA in
 * user/kring.h): one for each position, as struct bpf_ringbuf has them
 * (kernel/bpf/ringbuf.c, 5.8), and one of slack behind @data.
 */
struct cpu_ring {
	__u64 head; /* the consumer's, written by user space */
	__u8 pad[CPU_RING_PAGE - 8];
	__u64 tail;
	__u32 level; /* halves that were full at the last record */
	__u8 pad2[CPU_RING_PAGE - 12];
	__u8 data[];
};

/* In place of the kernel's struct bpf_ringbuf_hdr. */
struct cpu_record {
	__u32 len;  /* of @h and what follows; and CPU_RING_BUSY */
	__u32 zero; /* where that has the page offset */
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

/*
 * Where the mini-buffer has no room for it the reader has been woken, four
 * times since it was empty (weir_wakes()).
 */
static __always_inline void cpu_ring_wake(__u32 cpu)
{
	void *ring = weir_ring(cpu), *none = NULL;

	if (ring)
		none = bpf_ringbuf_reserve(ring, 8, 0);
	if (none)
		bpf_ringbuf_discard(none, BPF_RB_FORCE_WAKEUP);
}

/* Has it come to be half full? Then the reader is woken. */
static __always_inline void cpu_ring_look(struct cpu_ring *ring, __u32 cpu,
					  __u64 used)
{
	__u32 level = used >> weir_cpu_ring_half, before = ring->level;

	if (level == before)
		return;
	ring->level = level;
	if (level > before)
		cpu_ring_wake(cpu);
}

/*
 * Reserve @size bytes, a multiple of 8 and at most CPU_RECORD_MAX. Leaves room
 * for as many more: cpu_ring_submit() touches them.
 *
 * Return: where the event goes, marked busy; NULL: no room, or recording has
 * ended. Nothing is counted here: the event is then tried in the mini-buffer.
 */
static __always_inline struct weir_hdr *cpu_ring_take(__u32 cpu, __u64 size)
{
	struct cpu_ring *ring = bpf_map_lookup_elem(&cpu_rings, &cpu);
	struct cpu_record *rec;
	__u64 tail, used;

	if (!ring || (weir_pinned && weir_is_stopped()))
		return NULL;
	tail = ring->tail;
	used = tail - *(volatile __u64 *)&ring->head;
	if (used + 2 * (8 + size) > weir_cpu_ring_bytes)
		return NULL;
	cpu_ring_look(ring, cpu, used);
	rec = (void *)ring->data + (tail & (weir_cpu_ring_bytes - 1));
	*(volatile __u32 *)&rec->len = size | CPU_RING_BUSY;
	*(volatile __u64 *)&ring->tail = tail + 8 + size;
	return &rec->h;
}

/* weir_cpu_reserve(), see there. @size: of the struct, a multiple of 8. */
static __always_inline void *cpu_ring_reserve(__u16 kind, const __u64 size,
					      __u64 who)
{
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	struct weir_hdr *h = a ? cpu_ring_take(cpu, size) : NULL;

	if (h)
		weir_stamp(h, a, cpu, kind, size, who);
	return h;
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
 * cpu_ring_submit - hand over the record whose event is at @h
 * @size: as reserved
 *
 * A plain store: x86 makes stores visible in their order (Intel SDM vol. 3A,
 * Memory Ordering). The next record's
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

/* weir_cpu_submit - hand over what weir_cpu_reserve() gave; it is gone then. */
#define weir_cpu_submit(ev) cpu_ring_submit(ev, sizeof(*(ev)))

/*
 * weir_commit_image() for a program as said above, for weir_commit_by():
 * through the mini-buffer where there is no room here. Return: 1.
 */
static __always_inline int cpu_ring_commit(const struct weir_hdr *image,
					   __u16 kind, const __u64 size)
{
	struct weir_hdr *h;

	h = cpu_ring_reserve(kind, size, weir_who(image->pid, image->tid));
	if (!h)
		return weir_commit_image(image, kind, size);
	h->flags = image->flags;
	__builtin_memcpy(h + 1, image + 1, size - sizeof(*h));
	cpu_ring_submit(h, size);
	return 1;
}

/* ---- records with strings ------------------------------------------------ */

#define CPU_RECORD_MAX	512 /* bytes; longer ones take the mini-buffer */
#define CPU_RECORD_STEP (4 * sizeof(__u64)) /* copied at once */

/* What is more than @size comes to lie behind the record, where it is free. */
static __always_inline void cpu_ring_copy(void *to, const void *from,
					  __u32 size)
{
	__u64 *t;
	const __u64 *f;
	__u32 i;

	for (i = 0; i < CPU_RECORD_MAX && i < size; i += CPU_RECORD_STEP) {
		t = to + i;
		f = from + i;
		t[0] = f[0];
		t[1] = f[1];
		t[2] = f[2];
		t[3] = f[3];
	}
}

/*
 * weir_cpu_emit - weir_emit_slot() for a program as said above
 *
 * @slot: scratch record, its kind, pid, tid and flags set
 * @len:  bytes of it
 * @span: as of weir_emit_span()
 *
 * In the order of weir_stamp(), but that the copy is made between its add and
 * the clock. Return: 1; 0 where it is to go through weir_emit_slot(): longer
 * than CPU_RECORD_MAX, or no room.
 */
__noinline int weir_cpu_emit(__u32 slot, __u32 len, __u32 span)
{
	struct weir_hdr *from = bpf_map_lookup_elem(&scratch, &slot), *h;
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	__u32 size = (len + 7) & -8U;

	if (!from || !a || size > CPU_RECORD_MAX)
		return 0;
	barrier_var(size); /* clang knows the range, the verifier not */
	size &= 2 * CPU_RECORD_MAX - 1;
	h = cpu_ring_take(cpu, size);
	if (!h)
		return 0;
	from->cpu = cpu;
	from->len = len;
	__sync_fetch_and_add(&a->submitted, 1);
	cpu_ring_copy(h, from, size);
	h->ts = bpf_ktime_get_ns();
	weir_end_span(h, span);
	cpu_ring_submit(h, size);
	return 1;
}

#endif
