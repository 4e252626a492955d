// SPDX-License-Identifier: BSD-2-Clause
/*
 * hist.c - see hist.h.
 */
#include "hist.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "sums.h"

#define SUBS (1U << HIST_SUB_BITS)
#define MANY 1024 /* numbers, for which it pays */

/* Numbers below SUBS are octave 0, and each octave from there on is one more.
 */
static inline unsigned octave_of(uint64_t v)
{
	return 64 - (unsigned)__builtin_clzll(v | (SUBS - 1)) - HIST_SUB_BITS;
}

/* Bits that a bucket of the octave does not tell apart. */
static inline unsigned shift_of(unsigned octave)
{
	return octave - !!octave;
}

/* The first number of a bucket. */
static uint64_t value_of(unsigned octave, unsigned sub)
{
	uint64_t base = octave ? SUBS : 0;

	return (base + sub) << shift_of(octave);
}

/* Return: the buckets of an octave, or NULL: no memory. */
static inline uint64_t *buckets_of(struct hist *h, unsigned octave)
{
	if (!h->octave[octave])
		h->octave[octave] = calloc(SUBS, sizeof(*h->octave[octave]));
	return h->octave[octave];
}

static inline unsigned sub_of(uint64_t v, unsigned octave)
{
	return (unsigned)(v >> shift_of(octave)) & (SUBS - 1);
}

static inline int count(struct hist *h, uint64_t v)
{
	unsigned o = octave_of(v);
	uint64_t *bucket = buckets_of(h, o);

	if (!bucket)
		return -ENOMEM;
	bucket[sub_of(v, o)]++;
	return 0;
}

/* What is known of numbers beside their buckets. */
static void sum_up(struct hist *h, const uint64_t *v, size_t n)
{
	struct sums s = sums_of(v, n);
	unsigned __int128 sum = s.sum;
	size_t i;

	if (!sums_hold(&s, n)) {
		sum = 0;
		s.min = s.max = v[0];
		for (i = 0; i < n; i++) {
			s.min = v[i] < s.min ? v[i] : s.min;
			s.max = v[i] > s.max ? v[i] : s.max;
			sum += v[i];
		}
	}
	if (!h->count || s.min < h->min)
		h->min = s.min;
	if (s.max > h->max)
		h->max = s.max;
	h->sum += sum;
	h->count += n;
}

int hist_add(struct hist *h, uint64_t v)
{
	int err = count(h, v);

	if (err)
		return err;
	if (!h->count++ || v < h->min)
		h->min = v;
	if (v > h->max)
		h->max = v;
	h->sum += v;
	return 0;
}

/*
 * Every other number into buckets of its own, as most fall into the same few:
 * a count waits for the one before it of the same bucket. Return: how many
 * were counted.
 */
static size_t count_many(struct hist *h, const uint64_t *v, size_t n)
{
	uint32_t odd[HIST_OCTAVES][SUBS];
	uint64_t seen = 0; /* octaves */
	unsigned o, k;
	size_t i;

	for (i = 0; i + 1 < n; i += 2) {
		o = octave_of(v[i]);
		if (!(seen >> o & 1)) {
			if (!buckets_of(h, o))
				break;
			memset(odd[o], 0, sizeof(odd[o]));
			seen |= 1ULL << o;
		}
		if (count(h, v[i + 1]))
			break;
		odd[o][sub_of(v[i], o)]++;
	}
	for (o = 0; seen; o++, seen >>= 1)
		for (k = 0; seen & 1 && k < SUBS; k++)
			h->octave[o][k] += odd[o][k];
	return i;
}

int hist_add_all(struct hist *h, const uint64_t *v, size_t n)
{
	size_t i = n < MANY ? 0 : count_many(h, v, n);

	for (; i < n; i++)
		if (count(h, v[i]))
			break;
	if (i)
		sum_up(h, v, i);
	return i < n ? -ENOMEM : 0;
}

int hist_merge(struct hist *h, const struct hist *from)
{
	unsigned o, i;

	if (!from->count)
		return 0;
	for (o = 0; o < HIST_OCTAVES; o++) {
		if (!from->octave[o])
			continue;
		if (!buckets_of(h, o))
			return -ENOMEM;
		for (i = 0; i < SUBS; i++)
			h->octave[o][i] += from->octave[o][i];
	}
	if (!h->count || from->min < h->min)
		h->min = from->min;
	if (from->max > h->max)
		h->max = from->max;
	h->count += from->count;
	h->sum += from->sum;
	return 0;
}

double hist_mean(const struct hist *h)
{
	return h->count ? (double)h->sum / (double)h->count : 0;
}

static uint64_t clamp(const struct hist *h, uint64_t v)
{
	if (v < h->min)
		return h->min;
	return v > h->max ? h->max : v;
}

uint64_t hist_quantile(const struct hist *h, double q)
{
	double exact = q * (double)h->count;
	uint64_t rank = (uint64_t)exact, seen = 0;
	unsigned o, i;

	if ((double)rank < exact)
		rank++;
	if (rank >= h->count)
		return h->max;
	for (o = 0; o < HIST_OCTAVES; o++) {
		for (i = 0; h->octave[o] && i < SUBS; i++) {
			seen += h->octave[o][i];
			if (seen && seen >= rank)
				return clamp(h, value_of(o, i) +
							((1ULL << shift_of(o)) -
							 1) / 2);
		}
	}
	return h->max;
}

void hist_log2(const struct hist *h, uint64_t ret[HIST_LOG2])
{
	unsigned o, i;
	uint64_t v;

	memset(ret, 0, HIST_LOG2 * sizeof(*ret));
	for (o = 0; o < HIST_OCTAVES; o++) {
		for (i = 0; h->octave[o] && i < SUBS; i++) {
			v = value_of(o, i);
			ret[v ? 64 - __builtin_clzll(v) : 0] += h->octave[o][i];
		}
	}
}

void hist_done(struct hist *h)
{
	unsigned o;

	for (o = 0; o < HIST_OCTAVES; o++)
		free(h->octave[o]);
	memset(h, 0, sizeof(*h));
}
