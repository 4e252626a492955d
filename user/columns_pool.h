/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_pool.h - memory of one block, handed out and taken back all at once.
 *
 * What was allocated for one block is used again for the next; nothing moves.
 * Chunks are of 1 MiB at least, and grow with what is there. Thread: one.
 */
#ifndef WEIR_COLUMNS_POOL_H
#define WEIR_COLUMNS_POOL_H

#include <stddef.h>
#include <stdint.h>

#define POOL_CHUNKS 48
#define POOL_MAX    (512U << 20) /* bytes, whatever a file says */

/* All zero is an empty pool. */
struct pool {
	struct {
		char *mem;
		size_t cap;
	} chunk[POOL_CHUNKS];
	unsigned count, at; /* chunks; the one in use */
	size_t used;	    /* of that one */
	size_t total;	    /* of all */
};

/**
 * pool_alloc - @n items, not zeroed, aligned to 16
 *
 * Of none too, a place of its own. Valid until pool_reset().
 * Return: them; NULL: no memory, more than POOL_MAX in all, or POOL_CHUNKS.
 */
void *pool_alloc(struct pool *p, size_t n, size_t size);

/** pool_zero - the same, zeroed. */
void *pool_zero(struct pool *p, size_t n, size_t size);

/** pool_reset - take all of it back, and keep the memory. */
void pool_reset(struct pool *p);

/** pool_done - free the memory; empty and usable again. */
void pool_done(struct pool *p);

#endif
