/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_text.h - the strings of an answer, each once, as numbers.
 *
 * Number 0 stands for no string (NULL); equal strings have equal numbers. What
 * is there stays where it is until fast_texts_done(). Thread: the owner's only.
 */
#ifndef WEIR_FAST_TEXT_H
#define WEIR_FAST_TEXT_H

#include "arena.h"

#include <stdint.h>

#define FAST_TEXT_BYTES                                                        \
	(48U << 20) /* more are a matter for a sorter on disk                  \
		     */

struct fast_text {
	const char *data; /* a NUL follows */
	uint32_t len;
};

/* All zero has no strings. */
struct fast_texts {
	struct arena arena;
	struct fast_text *text; /* by number */
	uint64_t *hash;		/* of each */
	uint32_t count, cap;
	uint32_t *slot; /* numbers by hash; a power of two of them */
	uint32_t slots;
	uint64_t bytes, bytes_max; /* of all; 0: FAST_TEXT_BYTES */
};

/** fast_texts_done - free all; empty and usable again. */
void fast_texts_done(struct fast_texts *t);

/**
 * fast_texts_number - the number of a string, a new one if need be; copied
 * Return: 0; -ENOMEM; -EOPNOTSUPP there are too many: bytes_max, with a NUL
 * for each.
 */
int fast_texts_number(struct fast_texts *t, const void *data, size_t len,
		      uint32_t *ret);

/** fast_text_compare - by bytes, then length, as SQLite's BINARY.
 * Return: <0, 0, >0. */
int fast_text_compare(const struct fast_text *a, const struct fast_text *b);

#endif
