/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_strings.h - the dictionary of a block while it is written: every
 * distinct byte string once, numbered in the order of first use.
 */
#ifndef WEIR_COLUMNS_STRINGS_H
#define WEIR_COLUMNS_STRINGS_H

#include "buf.h"

struct string_entry {
	uint32_t at; /* in the bytes of all */
	uint32_t len;
	uint32_t hash;
};

/* All zero is an empty dictionary. */
struct strings {
	struct buf entries; /* of struct string_entry */
	struct buf slots;   /* of uint32_t: number plus one, 0 free */
	struct buf bytes;   /* of all, one after the other */
	uint32_t count, mask;
};

/** strings_reset - forget all of them, keep the memory. Return: 0; -ENOMEM. */
int strings_reset(struct strings *s);
void strings_done(struct strings *s);

/**
 * strings_number - the number of a string, a new one if need be
 * Return: it; UINT32_MAX: no memory.
 */
uint32_t strings_number(struct strings *s, const char *data, uint32_t len);

/** strings_err - Return: 0; -ENOMEM: some string has no number. */
static inline int strings_err(const struct strings *s)
{
	int err = buf_err(&s->entries);

	return err ? err : buf_err(&s->bytes);
}

/** strings_get - Return: the entry of a number below count. */
const struct string_entry *strings_get(const struct strings *s,
				       uint32_t number);

#endif
