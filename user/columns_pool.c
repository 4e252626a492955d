// SPDX-License-Identifier: BSD-2-Clause
#include "columns_pool.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define CHUNK_MIN (1U << 20)
#define ALIGN	  16

/* The next chunk that has @len bytes; smaller ones are passed over. */
static bool next_chunk(struct pool *p, size_t len)
{
	size_t cap = len > CHUNK_MIN ? len : CHUNK_MIN;

	p->used = 0;
	while (p->at + 1 < p->count)
		if (p->chunk[++p->at].cap >= len)
			return true;
	if (p->count == POOL_CHUNKS || cap > POOL_MAX - p->total)
		return false;
	/* grows with what is there, so that there are few */
	if (cap < p->total / 2 && p->total / 2 <= POOL_MAX - p->total)
		cap = p->total / 2;
	p->at = p->count;
	p->chunk[p->at].mem = malloc(cap);
	if (!p->chunk[p->at].mem)
		return false;
	p->chunk[p->at].cap = cap;
	p->total += cap;
	p->count++;
	return true;
}

void *pool_alloc(struct pool *p, size_t n, size_t size)
{
	size_t len;
	void *mem;

	if (__builtin_mul_overflow(n, size, &len) || len > POOL_MAX)
		return NULL;
	len = (len + ALIGN) & ~(size_t)(ALIGN - 1);
	if ((!p->count || len > p->chunk[p->at].cap - p->used) &&
	    !next_chunk(p, len))
		return NULL;
	mem = p->chunk[p->at].mem + p->used;
	p->used += len;
	return mem;
}

void *pool_zero(struct pool *p, size_t n, size_t size)
{
	void *mem = pool_alloc(p, n, size);

	return mem ? memset(mem, 0, n * size) : NULL;
}

void pool_reset(struct pool *p)
{
	p->at = 0;
	p->used = 0;
}

void pool_done(struct pool *p)
{
	while (p->count)
		free(p->chunk[--p->count].mem);
	*p = (struct pool){0};
}
