// SPDX-License-Identifier: BSD-2-Clause
#include "glob.h"

#include <stdint.h>
#include <string.h>

/* One set: what stands between [ and ]. */
struct set {
	const uint8_t *p, *end;
	bool inverted;
};

/* Length of the set at @p, brackets included; 0: it is none. */
static size_t find_set(const uint8_t *p, const uint8_t *end, struct set *ret)
{
	const uint8_t *close;

	ret->inverted = p + 1 < end && (p[1] == '!' || p[1] == '^');
	ret->p = p + 1 + ret->inverted;
	/* a ] that comes first is a member */
	if (ret->p + 1 >= end)
		return 0;
	close = memchr(ret->p + 1, ']', (size_t)(end - ret->p - 1));
	if (!close)
		return 0;
	ret->end = close;
	return (size_t)(close + 1 - p);
}

static bool in_set(const struct set *set, uint8_t c)
{
	const uint8_t *p = set->p;

	while (p < set->end) {
		if (p + 2 < set->end && p[1] == '-') {
			if (c >= p[0] && c <= p[2])
				return !set->inverted;
			p += 3;
		} else {
			if (c == *p)
				return !set->inverted;
			p++;
		}
	}
	return set->inverted;
}

/* Match one byte. Return: length of the pattern's piece, or 0: no match. */
static size_t match_one(const uint8_t *p, const uint8_t *end, uint8_t c)
{
	struct set set;
	size_t len;

	if (*p == '?')
		return 1;
	if (*p == '\\' && p + 1 < end)
		return p[1] == c ? 2 : 0;
	if (*p == '[') {
		len = find_set(p, end, &set);
		if (len)
			return in_set(&set, c) ? len : 0;
	}
	return *p == c;
}

bool glob_match(const char *pattern, size_t pattern_len, const void *text,
		size_t text_len)
{
	const uint8_t *p = (const uint8_t *)pattern, *end = p + pattern_len;
	const uint8_t *t = text, *t_end = t + text_len;
	const uint8_t *star = NULL, *star_t = NULL;
	size_t len;

	while (t < t_end) {
		if (p < end && *p == '*') {
			star = ++p;
			star_t = t;
			continue;
		}
		len = p < end ? match_one(p, end, *t ? *t : ' ') : 0;
		if (len) {
			p += len;
			t++;
		} else if (star) {
			/* let the last star take one byte more */
			p = star;
			t = ++star_t;
		} else {
			return false;
		}
	}
	while (p < end && *p == '*')
		p++;
	return p == end;
}
