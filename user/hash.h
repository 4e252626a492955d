/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hash.h - mixing for hash tables whose keys nobody chooses to hurt us: it has
 * no secret, so whoever picks the keys can have them all in one bucket.
 */
#ifndef WEIR_HASH_H
#define WEIR_HASH_H

#include <stdint.h>

/**
 * hash_u64 - the finalizer of MurmurHash3 (Appleby, public domain): fmix64
 *
 * One to one, and 0 for 0.
 */
static inline uint64_t hash_u64(uint64_t x)
{
	x ^= x >> 33;
	x *= 0xff51afd7ed558ccdULL;
	x ^= x >> 33;
	x *= 0xc4ceb9fe1a85ec53ULL;
	return x ^ x >> 33;
}

#endif
