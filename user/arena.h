/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * arena.h - memory that is handed out bit by bit and freed all at once.
 *
 * What lives as long as its owner (a schema's table, a compiled filter) comes
 * from one. Nothing is ever freed alone, and nothing moves; the struct itself
 * may, as for an owner that lives in its own arena. Not thread-safe. Taken from
 * the system 8 KiB at a time, or more where one piece is larger.
 */
#ifndef WEIR_ARENA_H
#define WEIR_ARENA_H

#include <stddef.h>

struct arena_chunk;

/* All zero is an empty arena. */
struct arena {
	struct arena_chunk *chunks; /* newest first */
};

/**
 * arena_alloc - @size zeroed bytes, aligned for any type (16)
 * Return: the bytes; NULL when memory ran out. A @size of 0 is valid.
 */
void *arena_alloc(struct arena *a, size_t size);

/** arena_array - as arena_alloc for @n items, NULL on overflow as well. */
void *arena_array(struct arena *a, size_t n, size_t size);

/** arena_copy - Return: a copy of @len bytes and a NUL; NULL: no memory. */
char *arena_copy(struct arena *a, const void *data, size_t len);

/** arena_printf - Return: the formatted string; NULL: no memory. */
char *arena_printf(struct arena *a, const char *fmt, ...)
	__attribute__((format(printf, 2, 3)));

/** arena_done - free all of it; @a is empty and usable again. */
void arena_done(struct arena *a);

#endif
