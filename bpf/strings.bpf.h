/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * strings.bpf.h - records with strings.
 *
 * bpf_ringbuf_reserve() wants a constant size, and the time stamp must come
 * after it. So an event with strings is put together in the CPU's scratch
 * record, then copied into a record of the next larger size class. Hooks that
 * use it run with preemption off (raw below 7.0, tp from there on), so one
 * scratch for each CPU and source is enough where the hook does not nest.
 */
#ifndef WEIR_STRINGS_BPF_H
#define WEIR_STRINGS_BPF_H

#include "weir.bpf.h"

/*
 * Bytes of a longest record. A string goes only where WEIR_STR_MAX bytes fit
 * (weir_tail()): behind two of full length a third one has no room, and is told
 * as unknown. The scratch record is longer by what is read before it is cut
 * (WEIR_STR_READ), and what the verifier thinks possible.
 */
#define WEIR_RECORD_MAX	 12288
#define WEIR_SCRATCH_MAX (WEIR_RECORD_MAX + WEIR_STR_MAX)

/*
 * weir_room - has the ring here room for a largest record? For iterators
 *
 * They can wait, by returning 1 to be called again (bpf_seq_read(),
 * kernel/bpf/bpf_iter.c), and leave room for hooks, which cannot.
 * Return: also false when there is no ring (weir_ring()).
 */
static __always_inline bool weir_room(void)
{
	void *ring = weir_ring(bpf_get_smp_processor_id());
	__u64 used, size;

	if (!ring)
		return false;
	used = bpf_ringbuf_query(ring, BPF_RB_AVAIL_DATA);
	size = bpf_ringbuf_query(ring, 1 /* BPF_RB_RING_SIZE */);
	return size - used > 4 * WEIR_RECORD_MAX || used < size / 2;
}

/*
 * Iterators can be preempted by hooks, so they have a slot of their own. So can
 * raw hooks from 7.0 on: those that have no tp twin and sleep on PREEMPT_RT
 * (MOVE), and all of them without tracefs. So each hook that fills a scratch
 * record has its own, or one that no other of its source has, as a source says
 * that has more than one.
 */
enum weir_slot {
	WEIR_SLOT_HOOK,
	WEIR_SLOT_ITER,
	WEIR_SLOT_MOVE,
	WEIR_SLOT_FORK,
	WEIR_SLOT_SEND,
	WEIR_SLOT_MEET,
};
#ifndef WEIR_SLOTS
#define WEIR_SLOTS 2
#endif

struct weir_scratch {
	__u8 data[WEIR_SCRATCH_MAX];
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_SLOTS);
	__type(key, __u32);
	__type(value, struct weir_scratch);
} scratch SEC(".maps");

/*
 * weir_begin_of - the CPU's scratch record of @slot, header filled for @who, as
 * bpf_get_current_pid_tgid() says it; never NULL in fact.
 *
 * Of the header kind, cpu, len and time come later (weir_emit_span()); what
 * else is in the record is left of an event before. It is the caller's until
 * another hook of this slot runs on this CPU.
 */
static __always_inline void *weir_begin_of(__u32 slot, __u64 who)
{
	struct weir_hdr *h = bpf_map_lookup_elem(&scratch, &slot);

	if (!h)
		return NULL;
	h->pid = who >> 32;
	h->tid = who;
	h->flags = 0;
	return h;
}

/* weir_begin - the same for the current task. */
static __always_inline void *weir_begin(__u32 slot)
{
	return weir_begin_of(slot, bpf_get_current_pid_tgid());
}

/* Where the next string goes, at most WEIR_STR_MAX bytes; 0 when that does not
 * fit any more. Strings are not aligned. */
static __always_inline __u32 weir_tail(__u32 pos)
{
	return pos <= WEIR_RECORD_MAX - WEIR_STR_MAX ? pos : 0;
}

enum weir_from { WEIR_FROM_KERNEL, WEIR_FROM_USER };

/* One more than is kept, to tell a string just as long from one cut there. */
#define WEIR_STR_READ (WEIR_STR_MAX + 1)

/*
 * weir_put_str - append a NUL-terminated string to the scratch record
 * @base: scratch record
 * @s:    descriptor inside it
 * @pos:  end of the record so far
 * @from: its address, of the kernel's or the current task's memory, by @where;
 *        NULL: unknown
 *
 * Return: new end of the record. A string that cannot be read (paged out, bad
 * address, helpers forbidden, no room left) is recorded as such, and @pos
 * returned; one cut at WEIR_STR_MAX - 1 has a @full that is its @len and one.
 */
static __always_inline __u32 weir_put_str(void *base, struct weir_str *s,
					  __u32 pos, const void *from,
					  enum weir_from where)
{
	__u32 at = weir_tail(pos);
	long n;

	s->off = at;
	s->len = 0;
	s->full = WEIR_STR_UNKNOWN;
	if (!weir_strings || !at || !from)
		return pos;
	if (where == WEIR_FROM_USER)
		n = bpf_probe_read_user_str(base + at, WEIR_STR_READ, from);
	else
		n = bpf_probe_read_kernel_str(base + at, WEIR_STR_READ, from);
	if (n <= 0 || n > WEIR_STR_READ)
		return pos;
	s->full = n - 1;
	if (n == WEIR_STR_READ)
		n = WEIR_STR_MAX;
	s->len = n - 1;
	return at + n - 1;
}

/* There is no string: it is empty, not unknown. */
static __always_inline void weir_no_str(struct weir_str *s)
{
	s->off = 0;
	s->len = 0;
	s->full = 0;
}

/* A copy too long to be unrolled: memory of a map, which the helper may read
 * where probe_read is allowed at all (weir_strings). */
static __always_inline void weir_copy(void *to, const void *from, __u32 size)
{
	bpf_probe_read_kernel(to, size, from);
}

#define WEIR_SMALL     256 /* up to here copied without a helper */
#define WEIR_SPAN_MASK (128 - sizeof(__u64))

/*
 * The instant at @span, in the smallest of records, becomes the time since
 * then; 0, unknown, stays.
 */
static __always_inline void weir_end_span(struct weir_hdr *h, __u32 span)
{
	__u64 *since;

	if (!span)
		return;
	barrier_var(span); /* the verifier is to see the range */
	since = (void *)h + (span & WEIR_SPAN_MASK);
	if (*since)
		*since = h->ts - *since;
}

/*
 * Return 1 from the caller, unless there is no room for a record of @size, a
 * constant of at least @len: what is more are old bytes of the scratch record,
 * behind the length that the header says, and are not passed on. In the
 * order of weir_stamp(), its copy being made between the add and the clock:
 * what is read meanwhile is time, and not the ring's memory.
 */
#define weir_emit_class(ring, a, base, len, span, size, flags)                 \
	do {                                                                   \
		struct weir_hdr *rec_ = bpf_ringbuf_reserve(ring, size, 0);    \
                                                                               \
		if (!rec_)                                                     \
			break;                                                 \
		__sync_fetch_and_add(&a->submitted, 1);                        \
		if ((size) <= WEIR_SMALL)                                      \
			__builtin_memcpy(rec_, base, size);                    \
		else                                                           \
			weir_copy(rec_, base, size);                           \
		rec_->ts = bpf_ktime_get_ns();                                 \
		weir_end_span(rec_, span);                                     \
		bpf_ringbuf_submit(rec_, flags);                               \
		return 1;                                                      \
	} while (0)

/*
 * weir_emit_slot - the same as weir_emit_span(), of the scratch record of @slot
 *
 * A function of its own to the verifier: what is in the record is nothing to
 * it, so that it is checked once and not for all that programs may have put
 * there. Where the helpers for strings are forbidden @len is at most 256, as no
 * event with strings has a longer struct. Return: 0 when it was lost, for lack
 * of room, and counted; 1 also when recording has ended.
 */
__noinline int weir_emit_slot(__u32 slot, __u32 len, __u32 span)
{
	struct weir_hdr *base = bpf_map_lookup_elem(&scratch, &slot);
	__u32 cpu = bpf_get_smp_processor_id();
	struct weir_account *a = weir_account_here(cpu);
	__u64 flags = weir_submit_flags(len);
	void *ring = weir_ring(cpu);

	if (!base || !a || !ring)
		return 1;
	base->cpu = cpu;
	base->len = len;
#define EMIT(size) weir_emit_class(ring, a, base, len, span, size, flags)
	if (len <= 128)
		EMIT(128);
	else if (len <= 160)
		EMIT(160);
	else if (len <= 192)
		EMIT(192);
	else if (len <= 256 || !weir_strings)
		EMIT(256);
	else if (len <= 512)
		EMIT(512);
	else if (len <= 1024)
		EMIT(1024);
	else if (len <= 2048)
		EMIT(2048);
	else if (len <= 4096)
		EMIT(4096);
	else
		EMIT(WEIR_RECORD_MAX);
#undef EMIT
	weir_count_lost(a);
	return 0;
}

/*
 * weir_emit_span - reserve, stamp and submit a copy of the scratch record
 * @h:    what weir_begin(@slot) gave; pid, tid and flags are set
 * @len:  its length, struct and strings
 * @span: offset of a weir_ns_t that holds the instant the event began (0:
 *        unknown), and is to hold the time from then to the stamp; 0: none. It
 *        lies in the first 128 bytes (WEIR_SPAN_MASK), at a multiple of 8
 *
 * Return: 1, what a program on a hook returns.
 */
static __always_inline int weir_emit_span(struct weir_hdr *h, __u32 slot,
					  __u16 kind, __u32 len, __u32 span)
{
	h->kind = kind;
	weir_emit_slot(slot, len, span);
	return 1;
}

/* weir_emit - the same for an event that spans no time. */
static __always_inline int weir_emit(struct weir_hdr *h, __u32 slot, __u16 kind,
				     __u32 len)
{
	return weir_emit_span(h, slot, kind, len, 0);
}

#endif
