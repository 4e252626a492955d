/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * utf8.h - which bytes may reach a reader as they are.
 *
 * Only well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates) of
 * characters that a terminal draws and does not act on.
 */
#ifndef WEIR_UTF8_H
#define WEIR_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/**
 * utf8_next - decode one character
 * @s:      at least one byte
 * @len:    bytes there
 * @ret_cp: the code point
 * Return: its length, 1..4; 0 when @s does not begin with a well-formed one
 * (@ret_cp is untouched then).
 */
unsigned utf8_next(const uint8_t *s, size_t len, uint32_t *ret_cp);

/**
 * utf8_is_drawn - may it be shown as it is?
 *
 * Not C0, C1 and DEL, not what changes the direction of text (Unicode's
 * Bidi_Control: U+061C, U+200E, U+200F, U+202A to U+202E, U+2066 to U+2069),
 * and not the line and paragraph separators (U+2028, U+2029).
 */
bool utf8_is_drawn(uint32_t cp);

/** utf8_is_clean - true when all @len bytes are well formed and drawn; of none,
 * too. A newline is not. */
bool utf8_is_clean(const char *s, size_t len);

#endif
