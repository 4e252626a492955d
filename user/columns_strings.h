/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_strings.h - the dictionary of a block while it is written: every
 * distinct byte string once, numbered in the order they come. On disk they are
 * in the order of their places, which they get one by one.
 */
#ifndef WEIR_COLUMNS_STRINGS_H
#define WEIR_COLUMNS_STRINGS_H

#include "buf.h"

struct string_entry {
	uint32_t at; /* in the bytes of all */
	uint32_t len;
	uint32_t hash;
	uint32_t place; /* plus one; 0 none yet */
};

/* All zero is an empty dictionary. */
struct strings {
	struct buf entries; /* of struct string_entry */
	struct buf slots;   /* of uint32_t: number plus one, 0 free */
	struct buf bytes;   /* of all, one after the other */
	struct buf order;   /* of uint32_t: number by place */
	uint32_t count, mask;
	uint32_t placed;  /* so many have a place */
	uint64_t seed[2]; /* of the hash: random, or zero: not yet */
};

/**
 * strings_reset - forget all of them, keep the memory; before the first, too
 *
 * The first time it takes a seed from getrandom(2), without waiting for one.
 * Return: 0; -ENOMEM.
 */
int strings_reset(struct strings *s);

/** strings_done - free all; safe on a zeroed one. */
void strings_done(struct strings *s);

/**
 * strings_number - the number of a string, a new one if need be; copied
 * Return: it; UINT32_MAX: no memory.
 */
uint32_t strings_number(struct strings *s, const char *data, uint32_t len);

/**
 * strings_place - the place of a string, the next one if it has none
 * Return: it; UINT32_MAX: no memory, or none for its number.
 */
uint32_t strings_place(struct strings *s, uint32_t number);

/** strings_err - Return: 0; -ENOMEM: some string has no number, or place. */
static inline int strings_err(const struct strings *s)
{
	int err = buf_err(&s->entries);

	err = err ? err : buf_err(&s->bytes);
	return err ? err : buf_err(&s->order);
}

/** strings_at - Return: the entry at a place below placed; valid until the
 * next strings_number(). */
const struct string_entry *strings_at(const struct strings *s, uint32_t place);

#endif
