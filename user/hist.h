/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * hist.h - how often which numbers came, in little memory.
 *
 * Log-linear, after HdrHistogram (Tene): 128 buckets for each power of two, so
 * that numbers below 256 are exact and larger ones within 1/256. An octave's
 * buckets are made when something falls into it: 1 KiB each. All zero is an
 * empty one. Thread: the owner's only.
 */
#ifndef WEIR_HIST_H
#define WEIR_HIST_H

#include <stddef.h>
#include <stdint.h>

#define HIST_SUB_BITS 7
#define HIST_OCTAVES  (64 - HIST_SUB_BITS + 1)
#define HIST_LOG2     65 /* 0, and one for each power of two */

struct hist {
	uint64_t count, min, max;	/* exact; of none all 0 */
	unsigned __int128 sum;		/* exact */
	uint64_t *octave[HIST_OCTAVES]; /* owned, or NULL */
};

/** hist_add - count @v. Return: 0; -ENOMEM it is not counted. */
int hist_add(struct hist *h, uint64_t v);

/**
 * hist_add_all - count @n of them
 *
 * Takes some 30 KiB of stack where there are many.
 * Return: 0; -ENOMEM some are not counted.
 */
int hist_add_all(struct hist *h, const uint64_t *v, size_t n);

/**
 * hist_merge - count all that @from has, too
 * Return: 0; -ENOMEM: buckets may have some of it, count, sum, min and max have
 * none; to be freed.
 */
int hist_merge(struct hist *h, const struct hist *from);

/** hist_mean - Return: that of the numbers, not of buckets; 0 when empty. */
double hist_mean(const struct hist *h);

/**
 * hist_quantile - the number that a share of @q (0..1) does not exceed
 *
 * The nearest-rank one, as the middle of its bucket, but never below min or
 * above max; of @q 1 it is max itself. Return: 0 when empty.
 */
uint64_t hist_quantile(const struct hist *h, double q);

/**
 * hist_log2 - how many fell into each power of two
 * @ret: [0] counts 0, [i] those from 2^(i-1) to 2^i - 1
 */
void hist_log2(const struct hist *h, uint64_t ret[HIST_LOG2]);

/** hist_done - free it, not @h itself; empty and usable again. */
void hist_done(struct hist *h);

#endif
