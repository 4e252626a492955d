/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - mixing for hash tables whose keys nobody chooses to hurt us.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <stdint.h>

/** hash_u64 - the finalizer of MurmurHash3 (Appleby, public domain). */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

#endif
