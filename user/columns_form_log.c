// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <string.h>

#include "columns_form_parts.h"

#define LOG_PLAIN	8 /* numbers below are their own symbols */
#define LOG_FINE	3 /* bits of the number in its symbol, up to … */
#define LOG_COARSE	24
#define LOG_LARGE	176 /* symbols of 2^24 and more */
#define LOG_MAX		40
#define LOG_BELOW	192 /* symbols of negative numbers: one bit up to … */
#define LOG_BELOW_LARGE 240
#define LOG_BELOW_MAX	39
#define LOG_ESCAPE	255

static unsigned log_below(uint64_t y, unsigned *ret_bits)
{
	unsigned e;

	*ret_bits = 0;
	if (y < 2)
		return LOG_BELOW + (unsigned)y;
	e = 63 - (unsigned)__builtin_clzll(y);
	*ret_bits = e;
	if (e >= LOG_COARSE)
		return e < LOG_BELOW_MAX ? LOG_BELOW_LARGE + e - LOG_COARSE
					 : LOG_ESCAPE;
	*ret_bits = e - 1;
	return LOG_BELOW + 2 * e + (unsigned)(y >> (e - 1) & 1);
}

/* Of any other number. */
static unsigned log_symbol(uint64_t x, unsigned *ret_bits)
{
	unsigned e;

	if (x >> 63)
		return log_below(~x, ret_bits);
	e = 63 - (unsigned)__builtin_clzll(x);
	*ret_bits = e;
	return e < LOG_MAX ? LOG_LARGE + e - LOG_COARSE : LOG_ESCAPE;
}

/* The symbol of a number below 2^24, without asking whether it is plain. */
static inline unsigned log_small(uint64_t x, unsigned *ret_bits)
{
	unsigned open = 63 - LOG_FINE -
			(unsigned)__builtin_clzll(x | LOG_PLAIN);

	*ret_bits = open;
	return (open << LOG_FINE) + (unsigned)(x >> open);
}

/* Bits that a symbol leaves open, and what they are XORed to. */
static unsigned log_open(unsigned symbol, uint64_t *ret_base)
{
	unsigned e = symbol;
	uint64_t half;

	*ret_base = symbol;
	if (symbol < LOG_PLAIN)
		return 0;
	if (symbol < LOG_LARGE) {
		e = (symbol >> LOG_FINE) - 1;
		*ret_base = (uint64_t)(LOG_PLAIN | (symbol & 7)) << e;
		return e;
	}
	if (symbol < LOG_BELOW) {
		e = symbol - LOG_LARGE + LOG_COARSE;
		*ret_base = 1ULL << e;
		return e;
	}
	if (symbol < LOG_BELOW + 2) {
		*ret_base = ~(uint64_t)(symbol - LOG_BELOW);
		return 0;
	}
	if (symbol < LOG_BELOW_LARGE) {
		e = (symbol - LOG_BELOW) / 2 - 1;
		half = (symbol - LOG_BELOW) & 1;
		*ret_base = ~((2 | half) << e);
		return e;
	}
	if (symbol < LOG_ESCAPE) {
		e = symbol - LOG_BELOW_LARGE + LOG_COARSE;
		*ret_base = ~(1ULL << e);
		return e;
	}
	*ret_base = 0;
	return 64;
}

/* Bits on their way to bytes. */
struct bit_writer {
	uint8_t *at;
	uint64_t held;
	unsigned count; /* below 8 between calls */
};

/* @bits: 56 at most. 8 bytes are written, some of them again later. */
static inline void put_bits(struct bit_writer *w, uint64_t x, unsigned bits)
{
	w->held |= (x & ((1ULL << bits) - 1)) << w->count;
	w->count += bits;
	memcpy(w->at, &w->held, sizeof(w->held));
	w->at += w->count >> 3;
	w->held >>= w->count & ~7U;
	w->count &= 7;
}

void put_log(struct packer *p, const uint64_t *v, size_t n, bool repeats,
	     struct buf *to)
{
	uint8_t *symbol = scratch(&p->bytes, n, 1);
	uint8_t *rest = scratch(&p->words, n, sizeof(*v));
	struct bit_writer w = {.at = rest};
	size_t i, len;

	if (!symbol || !rest) {
		latch(to);
		return;
	}
	for (i = 0; i < n; i++) {
		unsigned bits;

		if (!(v[i] >> LOG_COARSE)) {
			symbol[i] = (uint8_t)log_small(v[i], &bits);
			put_bits(&w, v[i], bits);
			continue;
		}
		symbol[i] = (uint8_t)log_symbol(v[i], &bits);
		if (symbol[i] != LOG_ESCAPE) {
			put_bits(&w, v[i] ^ (0 - (v[i] >> 63)), bits);
		} else {
			put_bits(&w, v[i], 32);
			put_bits(&w, v[i] >> 32, 32);
		}
	}
	len = (size_t)(w.at - rest) + (w.count != 0);
	if (repeats)
		chunk_put(p, symbol, n, to);
	else
		chunk_put_noise(symbol, n, to);
	put_varint(to, (uint64_t)len);
	buf_put(to, rest, len);
}

/* @bit: where to begin; SCRATCH_SLACK bytes behind them may be read. */
static inline uint64_t bits_at(const uint8_t *rest, size_t bit, unsigned bits)
{
	uint64_t x;

	memcpy(&x, rest + (bit >> 3), sizeof(x));
	return (x >> (bit & 7)) & ((1ULL << bits) - 1);
}

struct log_table {
	uint64_t base[256];
	uint8_t bits[256];
};

/* Made once. Return: NULL: no memory. */
static const struct log_table *log_table(struct packer *p)
{
	struct log_table *t = (struct log_table *)p->log.data;
	unsigned i;

	if (t)
		return t;
	t = buf_space(&p->log, sizeof(*t));
	for (i = 0; i < 256 && t; i++)
		t->bits[i] = (uint8_t)log_open(i, &t->base[i]);
	return t;
}

/* Return: whether the open bits are those of @len bytes. */
static bool join_log(const struct log_table *t, const uint8_t *symbol,
		     const uint8_t *rest, size_t len, uint64_t *v, size_t n)
{
	size_t i, at = 0;

	for (i = 0; i < n && at <= 8 * len; i++) {
		unsigned s = symbol[i];

		if (s != LOG_ESCAPE)
			v[i] = t->base[s] ^ bits_at(rest, at, t->bits[s]);
		else
			v[i] = bits_at(rest, at, 32) |
			       bits_at(rest, at + 32, 32) << 32;
		at += t->bits[s];
	}
	return (at + 7) / 8 == len;
}

/* The open bits, with SCRATCH_SLACK bytes behind them that may be read. */
static const uint8_t *with_slack(struct packer *p, const struct cursor *c,
				 size_t len)
{
	uint8_t *copy;

	if ((size_t)(c->end - c->at) >= len + SCRATCH_SLACK)
		return c->at;
	copy = scratch(&p->words, len, 1);
	if (!copy)
		return NULL;
	memcpy(copy, c->at, len);
	memset(copy + len, 0, SCRATCH_SLACK);
	return copy;
}

int get_log(struct packer *p, struct cursor *c, uint64_t *v, size_t n)
{
	uint8_t *symbol = scratch(&p->bytes, n, 1);
	const struct log_table *t = log_table(p);
	const uint8_t *rest;
	bool bad = false;
	uint64_t len;
	int err;

	if (!symbol || !t)
		return -ENOMEM;
	err = chunk_get(p, c, symbol, n);
	if (err)
		return err;
	len = get_varint(c, &bad);
	if (bad || len > (size_t)(c->end - c->at))
		return -EBADMSG;
	rest = with_slack(p, c, len);
	if (!rest)
		return -ENOMEM;
	c->at += len;
	return join_log(t, symbol, rest, len, v, n) ? 0 : -EBADMSG;
}
