/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sums.h - what many numbers have in common, two at a time.
 */
#ifndef WEIR_SUMS_H
#define WEIR_SUMS_H

#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Of numbers below 2^SUMS_BITS, up to SUMS_MAX of them, all of it is so: a sum
 * of these is below 2^63. Of larger ones only @any, see sums_hold().
 */
struct sums {
	uint64_t any; /* bits that some of them have: this is so of all */
	uint64_t sum, min, max;
};

#define SUMS_BITS 43
#define SUMS_MAX  (1U << 20)

/*
 * Numbers of 52 bits, beside such an exponent, are doubles in their order:
 * 2^52 and so much (IEEE 754 binary64). SSE2 has min and max of doubles, not of
 * 64-bit integers.
 */
#define SUMS_EXPONENT 0x4330000000000000ULL

/** sums_of - of @n numbers, one at least; aligned as such. */
static inline struct sums sums_of(const uint64_t *v, size_t n)
{
	__m128i first = _mm_set1_epi64x((int64_t)v[0]), any = first, x;
	__m128i sum = _mm_setzero_si128();
	__m128i one = _mm_set1_epi64x((int64_t)SUMS_EXPONENT);
	__m128d min = _mm_castsi128_pd(_mm_or_si128(first, one)), max = min, d;
	uint64_t s[2], a[2], lo[2], hi[2];
	size_t i;

	for (i = n & 1; i < n; i += 2) {
		x = _mm_loadu_si128((const void *)(v + i));
		sum = _mm_add_epi64(sum, x);
		any = _mm_or_si128(any, x);
		d = _mm_castsi128_pd(_mm_or_si128(x, one));
		min = _mm_min_pd(min, d);
		max = _mm_max_pd(max, d);
	}
	_mm_storeu_si128((void *)s, sum);
	_mm_storeu_si128((void *)a, any);
	_mm_storeu_pd((void *)lo, min);
	_mm_storeu_pd((void *)hi, max);
	return (struct sums){
		.any = a[0] | a[1],
		.sum = s[0] + s[1] + (n & 1 ? v[0] : 0),
		.min = (lo[0] < lo[1] ? lo[0] : lo[1]) & ~SUMS_EXPONENT,
		.max = (hi[0] > hi[1] ? hi[0] : hi[1]) & ~SUMS_EXPONENT,
	};
}

/** sums_hold - are sum, min and max those of the @n numbers? Else they are
 * nothing. */
static inline bool sums_hold(const struct sums *s, size_t n)
{
	return n <= SUMS_MAX && !(s->any >> SUMS_BITS);
}

#endif
