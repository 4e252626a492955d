/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_check.h - what the ring's stress programs share: a check that stays in
 * optimised builds and names its place, and cheap random numbers.
 */
#ifndef WEIR_TESTS_RING_CHECK_H
#define WEIR_TESTS_RING_CHECK_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define check(cond)                                                            \
	do {                                                                   \
		if (!(cond)) {                                                 \
			(void)fprintf(stderr, "%s:%d: %s\n", __FILE__,         \
				      __LINE__, #cond);                        \
			abort();                                               \
		}                                                              \
	} while (0)

#define MS 1000000ull /* ns */

/** rnd - next of a sequence (xorshift64, Marsaglia 2003); *x is not 0 */
static inline uint64_t rnd(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	*x ^= *x << 17;
	return *x;
}

#endif /* WEIR_TESTS_RING_CHECK_H */
