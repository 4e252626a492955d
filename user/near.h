/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * near.h - the known name that a mistyped one is closest to.
 *
 * Candidates are tried one after the other, wherever they come from; the best
 * is borrowed from the caller. Distance is Levenshtein's with swapped
 * neighbours counted once, case ignored.
 */
#ifndef WEIR_NEAR_H
#define WEIR_NEAR_H

#include <stddef.h>

struct near {
	const char *word; /* as typed, borrowed */
	size_t len;
	const char *best;  /* closest so far, borrowed; NULL: none close */
	unsigned distance; /* of @best */
};

/** near_init - look for what is close to the @len bytes at @word. */
void near_init(struct near *n, const char *word, size_t len);

/**
 * near_try - is @name closer than the best so far? Of equals the first stays.
 * @name: borrowed, as long as near_best() is asked for
 *
 * What begins with the word, of three letters or more, is as close as one
 * letter off. Words and names of more than 64 letters are never close.
 */
void near_try(struct near *n, const char *name);

/**
 * near_best - Return: the closest name tried, or NULL when none is so close
 * that it is likely to be meant: a third of its letters may differ.
 */
const char *near_best(const struct near *n);

#endif
