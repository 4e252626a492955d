// SPDX-License-Identifier: BSD-2-Clause
#include "utf8.h"

/* Bytes of the sequence that @c begins, and the smallest value it may hold. */
static unsigned lead(uint8_t c, uint32_t *ret_bits, uint32_t *ret_min)
{
	if (c >= 0xc2 && c <= 0xdf) {
		*ret_bits = c & 0x1f;
		*ret_min = 0x80;
		return 2;
	}
	if (c >= 0xe0 && c <= 0xef) {
		*ret_bits = c & 0x0f;
		*ret_min = 0x800;
		return 3;
	}
	if (c >= 0xf0 && c <= 0xf4) {
		*ret_bits = c & 0x07;
		*ret_min = 0x10000;
		return 4;
	}
	return 0;
}

unsigned utf8_next(const uint8_t *s, size_t len, uint32_t *ret_cp)
{
	uint32_t cp, min;
	unsigned n, i;

	if (s[0] < 0x80) {
		*ret_cp = s[0];
		return 1;
	}
	n = lead(s[0], &cp, &min);
	if (!n || n > len)
		return 0;
	for (i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		cp = cp << 6 | (s[i] & 0x3f);
	}
	if (cp < min || cp > 0x10ffff || (cp >= 0xd800 && cp <= 0xdfff))
		return 0;
	*ret_cp = cp;
	return n;
}

bool utf8_is_drawn(uint32_t cp)
{
	if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
		return false;
	if (cp < 0x61c)
		return true;
	if (cp == 0x61c || cp == 0x200e || cp == 0x200f)
		return false;
	if (cp >= 0x2028 && cp <= 0x202e)
		return false;
	return cp < 0x2066 || cp > 0x2069;
}

bool utf8_is_clean(const char *s, size_t len)
{
	const uint8_t *p = (const uint8_t *)s;
	size_t at = 0;
	uint32_t cp;
	unsigned n;

	while (at < len) {
		n = utf8_next(p + at, len - at, &cp);
		if (!n || !utf8_is_drawn(cp))
			return false;
		at += n;
	}
	return true;
}
