/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kring.h - the consumer's side of a BPF ring buffer, or of a ring laid out
 * like one (bpf/cpu_ring.bpf.h), record by record.
 *
 * libbpf's ring_buffer__poll() hands records to a callback and frees each at
 * once; the aggregator must look at positions, wait for a record that is
 * still being written without losing its place, and free many at a time. The
 * layout is the kernel's (kernel/bpf/ringbuf.c, 5.8 and later): a page with
 * the consumer's position, a page with the producer's, then the data twice in
 * a row; a record is { u32 len | BUSY | DISCARD, u32 page offset }, data, pad
 * to 8. The mapping stops one largest record into the second copy: mapped
 * pages count as resident. A CPU's ring has slack there instead.
 * Thread: the aggregator's only, unless said otherwise.
 */
#ifndef WEIR_KRING_H
#define WEIR_KRING_H

#include <stdbool.h>
#include <stdint.h>

#define KRING_RECORD_MAX 65536 /* bytes of one record, header included */

struct kring {
	uint64_t *head;	      /* consumer's position, ours to write */
	const uint64_t *tail; /* producer's position */
	const uint8_t *data;
	uint64_t bytes;	 /* power of two */
	uint64_t mapped; /* bytes at @tail */
};

enum kring_state {
	KRING_READY,
	KRING_DISCARDED,
	KRING_BUSY, /* reserved, not yet submitted */
};

/* Where one is. */
struct kring_place {
	int fd;		/* of the map, borrowed for the call */
	uint64_t bytes; /* power of two */
	uint64_t offset;
	uint64_t slack; /* mapped behind its data */
	bool of_cpu;	/* an array's: nobody can wait for it */
};

/** kring_of_map - Return: that of a ring buffer map of @bytes of data. */
struct kring_place kring_of_map(int fd, uint64_t bytes);

/* Of a value of an array map of CPUs' rings, beside the data: two positions,
 * and slack for a record. */
#define KRING_CPU_EXTRA (3 * 4096ULL)

/** kring_of_cpu - Return: that of @cpu, in an array map whose values are @bytes
 * of data and KRING_CPU_EXTRA each. */
struct kring_place kring_of_cpu(int fd, uint64_t bytes, unsigned cpu);

/** kring_open - map it, the consumer's page writable; @at is used for the call,
 * also its descriptor. Return: 0; -errno of mmap(2), nothing is mapped then. */
int kring_open(struct kring *k, const struct kring_place *at);

/** kring_done - unmap. Zeroed: no-op. */
void kring_done(struct kring *k);

/** kring_tail - what producers have reserved so far (acquire: the records
 * below are at least marked busy). */
static inline uint64_t kring_tail(const struct kring *k)
{
	return __atomic_load_n(k->tail, __ATOMIC_ACQUIRE);
}

/** kring_head - up to where it was freed: our own position. */
static inline uint64_t kring_head(const struct kring *k)
{
	return *k->head;
}

/** kring_used - bytes that were reserved and not yet freed. Thread: any. */
static inline uint64_t kring_used(const struct kring *k)
{
	uint64_t head = __atomic_load_n(k->head, __ATOMIC_RELAXED);
	uint64_t used = kring_tail(k) - head; /* of two moments */

	return used < k->bytes ? used : k->bytes;
}

/** kring_release - free everything below @pos (release: after our reads). */
static inline void kring_release(struct kring *k, uint64_t pos)
{
	__atomic_store_n(k->head, pos, __ATOMIC_RELEASE);
}

/**
 * kring_at - look at the record at @pos, which is below the tail
 * @ret_len:  payload bytes
 * @ret_next: position of the next record
 *
 * Bits 31 and 30 of the length are BPF_RINGBUF_BUSY_BIT and _DISCARD_BIT
 * (include/uapi/linux/bpf.h). Acquire: orders reads of the payload after it.
 * Return: KRING_BUSY, with both untouched; else what became of the record.
 */
static inline enum kring_state kring_at(const struct kring *k, uint64_t pos,
					uint32_t *ret_len, uint64_t *ret_next)
{
	const uint32_t *rec;
	uint32_t len;

	rec = (const uint32_t *)(k->data + (pos & (k->bytes - 1)));
	len = __atomic_load_n(rec, __ATOMIC_ACQUIRE); /* then its data */
	if (len & (1U << 31))
		return KRING_BUSY;
	*ret_len = len & ~(1U << 30);
	*ret_next = pos + ((8ULL + *ret_len + 7) & ~7ULL);
	return len & (1U << 30) ? KRING_DISCARDED : KRING_READY;
}

/** kring_data - payload of the record at @pos; in the ring, 8-aligned, valid
 * until it is released. */
static inline const void *kring_data(const struct kring *k, uint64_t pos)
{
	return k->data + (pos & (k->bytes - 1)) + 8;
}

#endif
