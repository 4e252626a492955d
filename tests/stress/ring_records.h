/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_records.h - numbered records for the ring's tests: type, length and
 * bytes all follow from the number, so any of them can be checked alone.
 *
 * Lengths come from a hash, not from a short pattern that happens to fit the
 * ring. Bytes are an arithmetic sequence: a byte shifted, torn or left over
 * from another lap does not fit.
 */
#ifndef WEIR_TESTS_RING_RECORDS_H
#define WEIR_TESTS_RING_RECORDS_H

#include "../../ring/ring.h"

#define NTH_MAX 512u /* bytes; longest record made here */

static inline uint64_t nth_hash(uint64_t v)
{
	/* splitmix64's finaliser, Steele, Lea, Flood 2014 */
	v = (v ^ v >> 30) * 0xbf58476d1ce4e5b9ull;
	v = (v ^ v >> 27) * 0x94d049bb133111ebull;
	return v ^ v >> 31;
}

/** nth_len - length of record @seq in a ring of records up to @max bytes */
static inline size_t nth_len(uint64_t seq, size_t max)
{
	return nth_hash(seq + 1) % ((max < NTH_MAX ? max : NTH_MAX) + 1);
}

static inline unsigned char nth_byte(uint64_t seq, size_t i)
{
	return (unsigned char)(seq * 31 + i * 7 + 1);
}

/** nth_fill - the bytes of record @seq */
static inline void nth_fill(unsigned char *buf, size_t len, uint64_t seq)
{
	for (size_t i = 0; i < len; i++)
		buf[i] = nth_byte(seq, i);
}

/** nth_write - append record @seq; returns what ring_write() does */
static inline int nth_write(struct ring_producer *p, uint64_t seq)
{
	size_t len = nth_len(seq, ring_max(p));
	unsigned char buf[NTH_MAX];

	nth_fill(buf, len, seq);
	return ring_write(p, (uint16_t)seq, buf, len);
}

/** nth_ok - is @rec record @seq to the last byte? */
static inline bool nth_ok(const struct ring_record *rec, uint64_t seq,
			  size_t max)
{
	const unsigned char *b = (const unsigned char *)rec->data;

	if (rec->type != (uint16_t)seq || rec->len != nth_len(seq, max))
		return false;
	for (size_t i = 0; i < rec->len; i++)
		if (b[i] != nth_byte(seq, i))
			return false;
	return true;
}

#endif /* WEIR_TESTS_RING_RECORDS_H */
