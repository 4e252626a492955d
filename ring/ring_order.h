/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_order.h - every access of the ring to shared memory, and its order.
 *
 * The ring is correct because of the eight ordered operations below and of
 * nothing else; all other accesses are relaxed or private. Each comes in a
 * pair, and each says what it orders. tests/stress/ring_model.cpp replaces
 * this header by one with the same names over a memory-model simulator,
 * compiles ring.c unchanged against it, and proves that no order here can be
 * weakened.
 *
 *   store by one side       read by the other       what is handed over
 *   ring_publish_tail()     ring_fetch_tail()       bytes of a record
 *   ring_publish_head()     ring_fetch_head()       room to write into
 *   ring_fence_overwrite()  ring_fence_copied()     "these are being changed"
 *   ring_publish_closed()   ring_fetch_closed()     "tail will not move again"
 *
 * Sources: C11 7.17; H.-J. Boehm, "Can seqlocks get along with programming
 * language memory models?" (MSPC 2012) for the pair of fences.
 */
#ifndef WEIR_RING_ORDER_H
#define WEIR_RING_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* Bytes between words of different writers: two cache lines (prefetch pair). */
#define RING_LINE 128

/* Bytes that ring_expect() looks ahead; 512 to 2048 do as well. */
#define RING_AHEAD 1024

/* A 64-bit word both sides can see; touched only by the functions below. */
typedef uint64_t ring_word;

/* Such a word that is only reported, and that nothing depends on. */
typedef uint64_t ring_counter;

/**
 * ring_publish_tail - producer: make all records below @tail visible
 *
 * Release: orders header, payload and block note of the record before it.
 */
static inline void ring_publish_tail(ring_word *w, uint64_t tail)
{
	__atomic_store_n(w, tail, __ATOMIC_RELEASE);
}

/**
 * ring_fetch_tail - consumer, observer: learn up to where records are whole
 *
 * Acquire: orders every read of those records after it.
 */
static inline uint64_t ring_fetch_tail(const ring_word *w)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE);
}

/**
 * ring_publish_head - consumer: give everything below @head back
 *
 * Release: orders the last read of those bytes before it.
 */
static inline void ring_publish_head(ring_word *w, uint64_t head)
{
	__atomic_store_n(w, head, __ATOMIC_RELEASE);
}

/**
 * ring_fetch_head - producer: learn how much room there is
 *
 * Acquire: orders the first write into that room after it.
 */
static inline uint64_t ring_fetch_head(const ring_word *w)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE);
}

/**
 * ring_fence_overwrite - producer, overwrite mode: after wbeg was raised
 *
 * Release fence: orders the store of wbeg before the first byte written below
 * it, so that who sees such a byte sees wbeg too.
 */
static inline void ring_fence_overwrite(void)
{
	__atomic_thread_fence(__ATOMIC_RELEASE);
}

/**
 * ring_fence_copied - observer: between copying a block and re-reading wbeg
 *
 * Acquire fence: orders the reads of the copy before the read of wbeg.
 */
static inline void ring_fence_copied(void)
{
	__atomic_thread_fence(__ATOMIC_ACQUIRE);
}

/**
 * ring_publish_closed - producer: say that it has gone, or has come back
 *
 * Release: orders the last publish of tail before it.
 */
static inline void ring_publish_closed(ring_word *w, uint64_t closed)
{
	__atomic_store_n(w, closed, __ATOMIC_RELEASE);
}

/**
 * ring_fetch_closed - consumer: has the producer gone?
 *
 * Acquire: orders the look at tail that follows after it; so "gone, and empty"
 * means that nothing was left behind.
 */
static inline uint64_t ring_fetch_closed(const ring_word *w)
{
	return __atomic_load_n(w, __ATOMIC_ACQUIRE);
}

/** ring_count - store a counter */
static inline void ring_count(ring_counter *w, uint64_t v)
{
	__atomic_store_n(w, v, __ATOMIC_RELAXED);
}

/** ring_counted - read a counter */
static inline uint64_t ring_counted(const ring_counter *w)
{
	return __atomic_load_n(w, __ATOMIC_RELAXED);
}

/** ring_set - store a word that orders nothing by itself (notes, wbeg) */
static inline void ring_set(ring_word *w, uint64_t v)
{
	__atomic_store_n(w, v, __ATOMIC_RELAXED);
}

/** ring_get - read a word that orders nothing, exactly once */
static inline uint64_t ring_get(const ring_word *w)
{
	return __atomic_load_n(w, __ATOMIC_RELAXED);
}

/** ring_header_set - store a record header, a single 64-bit word */
static inline void ring_header_set(unsigned char *rec, uint64_t header)
{
	__atomic_store_n((uint64_t *)(void *)rec, header, __ATOMIC_RELAXED);
}

/**
 * ring_header_get - read a record header, exactly once
 *
 * A hostile producer can change it at any moment: what is checked must be the
 * value that is used, hence one load into a local.
 */
static inline uint64_t ring_header_get(const unsigned char *rec)
{
	return __atomic_load_n((const uint64_t *)(const void *)rec,
			       __ATOMIC_RELAXED);
}

/**
 * ring_expect - producer: what lies @RING_AHEAD bytes behind @at is next
 *
 * Orders nothing. The line is fetched to be written, so that the store that
 * comes to it does not wait until the consumer's core has let go; what the
 * processor prefetches by itself it fetches to read. prefetchw needs no
 * check: it is a no-op where it is unknown (Intel SDM vol. 2, PREFETCHW), and
 * faults nowhere.
 */
static inline void ring_expect(const unsigned char *at)
{
#ifdef __x86_64__
	__asm__ volatile("prefetchw %0" : : "m"(at[RING_AHEAD]));
#else
	__builtin_prefetch(at + RING_AHEAD, 1);
#endif
}

#ifdef RING_TSAN
/*
 * In overwrite mode producer and observer touch the same bytes at the same
 * time by design, and the observer throws such copies away. By the letter of
 * C11 that is a race unless each access is atomic; copying by relaxed words
 * makes it legal at 0.5-0.8 times the speed. ThreadSanitizer needs it, the
 * machines do not.
 */
static inline size_t ring_unit(const unsigned char *at, size_t left)
{
	return (uintptr_t)at % 8 || left < 8 ? 1 : 8;
}

/** ring_words_in - copy into a ring, by relaxed words; @src is the caller's. */
static inline void ring_words_in(unsigned char *dst, const void *src,
				 size_t len)
{
	const unsigned char *s = (const unsigned char *)src;
	uint64_t w;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = ring_unit(dst + i, len - i);
		memcpy(&w, s + i, n);
		if (n == 8)
			ring_header_set(dst + i, w);
		else
			__atomic_store_n(dst + i, s[i], __ATOMIC_RELAXED);
	}
}

/** ring_words_out - copy out of a ring; what comes may be torn. */
static inline void ring_words_out(void *dst, const unsigned char *src,
				  size_t len)
{
	unsigned char *d = (unsigned char *)dst;
	uint64_t w;
	size_t i, n;

	for (i = 0; i < len; i += n) {
		n = ring_unit(src + i, len - i);
		w = n == 8 ? ring_header_get(src + i)
			   : __atomic_load_n(src + i, __ATOMIC_RELAXED);
		memcpy(d + i, &w, n);
	}
}
#else
#define ring_words_in  memcpy
#define ring_words_out memcpy
#endif

/**
 * ring_copy_in - copy a payload into the ring
 * @raced: overwrite mode: an observer may be reading there right now
 */
static inline void ring_copy_in(unsigned char *dst, const void *src, size_t len,
				bool raced)
{
	if (raced)
		ring_words_in(dst, src, len);
	else
		memcpy(dst, src, len);
}

/**
 * ring_copy_out - copy bytes out of the ring
 * @raced: overwrite mode: the producer may be writing there right now
 */
static inline void ring_copy_out(void *dst, const unsigned char *src,
				 size_t len, bool raced)
{
	if (raced)
		ring_words_out(dst, src, len);
	else
		memcpy(dst, src, len);
}

#endif /* WEIR_RING_ORDER_H */
