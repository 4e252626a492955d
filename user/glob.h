/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * glob.h - shell patterns over bytes that need not end with a NUL.
 *
 * Written here because fnmatch(3) wants C strings, and because a record's
 * bytes are anyone's: time is bounded by the product of the two lengths.
 */
#ifndef WEIR_GLOB_H
#define WEIR_GLOB_H

#include <stdbool.h>
#include <stddef.h>

/**
 * glob_match - does the whole of @text match?
 *
 * * stands for any bytes, / among them, ? for one byte, [a-z] and [!a-z] for
 * one of a set, \x for x itself; a [ without its ] is itself. [^a-z] is
 * [!a-z]; a ] that comes first is a member. Bytes, not characters: ? is a part
 * of what is not ASCII. Case counts. A NUL in @text,
 * which separates the words of an argv, counts as a blank.
 */
bool glob_match(const char *pattern, size_t pattern_len, const void *text,
		size_t text_len);

#endif
