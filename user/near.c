// SPDX-License-Identifier: BSD-2-Clause
/*
 * near.c - edit distance over three rows; see near.h.
 *
 * Optimal string alignment: R. A. Wagner, M. J. Fischer (1974), with the
 * transposition of F. J. Damerau (1964).
 */
#include "near.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

#define NEAR_LEN_MAX 64 /* longer names are not suggested */

static unsigned lower(unsigned char c)
{
	return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static unsigned min3(unsigned a, unsigned b, unsigned c)
{
	unsigned m = a < b ? a : b;

	return m < c ? m : c;
}

/* One cell: rows are indexed by letters of @b, @old is two letters back. */
static unsigned cell(const char *a, const char *b, size_t i, size_t j,
		     const unsigned *row, const unsigned *last,
		     const unsigned *old)
{
	unsigned differ = lower(a[i - 1]) != lower(b[j - 1]);
	unsigned d = min3(last[j] + 1, row[j - 1] + 1, last[j - 1] + differ);

	if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
	    lower(a[i - 2]) == lower(b[j - 1]) && old[j - 2] + 1 < d)
		d = old[j - 2] + 1;
	return d;
}

static unsigned distance(const char *a, size_t alen, const char *b, size_t blen)
{
	unsigned rows[3][NEAR_LEN_MAX + 1];
	size_t i, j;

	for (j = 0; j <= blen; j++)
		rows[0][j] = j;
	for (i = 1; i <= alen; i++) {
		unsigned *row = rows[i % 3], *last = rows[(i + 2) % 3];

		row[0] = i;
		for (j = 1; j <= blen; j++)
			row[j] = cell(a, b, i, j, row, last, rows[(i + 1) % 3]);
	}
	return rows[alen % 3][blen];
}

void near_init(struct near *n, const char *word, size_t len)
{
	n->word = word;
	n->len = len;
	n->best = NULL;
	n->distance = UINT_MAX;
}

void near_try(struct near *n, const char *name)
{
	size_t len = strlen(name);
	unsigned d;

	if (n->len > NEAR_LEN_MAX || len > NEAR_LEN_MAX)
		return;
	d = distance(n->word, n->len, name, len);
	if (n->len > 2 && len > n->len && !strncasecmp(name, n->word, n->len))
		d = 1; /* a beginning of it */
	if (d < n->distance && d <= (len + 2) / 3) {
		n->distance = d;
		n->best = name;
	}
}

const char *near_best(const struct near *n)
{
	return n->best;
}
