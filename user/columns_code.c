// SPDX-License-Identifier: BSD-2-Clause
#include "columns_code.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#define SYMBOLS	   256
#define LANES	   4
#define CODES	   (1U << CODE_BITS)
#define DEPTH_MAX  32 /* of the best tree: 2^16 bytes make 23 at most */
#define ROUND	   4  /* codes that are surely in 57 bits */
#define RADIX_BITS 8  /* two times that are enough for any count */
#define RADIX	   (1U << RADIX_BITS)

static inline uint64_t load_high_first(const uint8_t *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return __builtin_bswap64(x);
}

/* ---- which codes ---------------------------------------------------------
 */

struct code {
	uint32_t count[SYMBOLS]; /* of each byte */
	uint8_t bits[SYMBOLS];	 /* 0: it has no code */
	uint16_t code[SYMBOLS];
	uint8_t rare[SYMBOLS]; /* bytes that are there, rare ones first */
	unsigned used;	       /* so many */
};

static void count_bytes(struct code *c, const uint8_t *data, size_t len)
{
	uint32_t more[3][SYMBOLS] = {0};
	size_t i;

	memset(c->count, 0, sizeof(c->count));
	for (i = 0; i + 4 <= len; i += 4) {
		c->count[data[i]]++;
		more[0][data[i + 1]]++;
		more[1][data[i + 2]]++;
		more[2][data[i + 3]]++;
	}
	for (; i < len; i++)
		c->count[data[i]]++;
	for (i = 0; i < SYMBOLS; i++)
		c->count[i] += more[0][i] + more[1][i] + more[2][i];
}

/* One pass of a radix sort. */
static void sort_by(const struct code *c, unsigned shift, const uint8_t *from,
		    uint8_t *to)
{
	uint16_t at[RADIX] = {0};
	unsigned i, sum = 0, n;

	for (i = 0; i < c->used; i++)
		at[c->count[from[i]] >> shift & (RADIX - 1)]++;
	for (i = 0; i < RADIX; i++) {
		n = at[i];
		at[i] = (uint16_t)sum;
		sum += n;
	}
	for (i = 0; i < c->used; i++)
		to[at[c->count[from[i]] >> shift & (RADIX - 1)]++] = from[i];
}

/* As few passes as the largest count takes; most are small. */
static void sort_bytes(struct code *c)
{
	uint8_t there[SYMBOLS], half[SYMBOLS];
	unsigned i, some = 0;

	c->used = 0;
	for (i = 0; i < SYMBOLS; i++) {
		there[c->used] = (uint8_t)i;
		c->used += c->count[i] != 0;
		some |= c->count[i];
	}
	if (some >> RADIX_BITS == 0) {
		sort_by(c, 0, there, c->rare);
		return;
	}
	sort_by(c, 0, there, half);
	sort_by(c, RADIX_BITS, half, c->rare);
}

/* The first two passes of Moffat and Katajainen: depths of inner nodes. */
static void find_depths(const struct code *c, int a[SYMBOLS])
{
	int n = (int)c->used, root = 0, leaf = 2, next;

	for (next = 0; next < n; next++)
		a[next] = (int)c->count[c->rare[next]];
	a[0] += a[1];
	for (next = 1; next < n - 1; next++) {
		if (leaf >= n || a[root] < a[leaf]) {
			a[next] = a[root];
			a[root++] = next;
		} else {
			a[next] = a[leaf++];
		}
		if (leaf >= n || (root < next && a[root] < a[leaf])) {
			a[next] += a[root];
			a[root++] = next;
		} else {
			a[next] += a[leaf++];
		}
	}
	a[n - 2] = 0;
	for (next = n - 3; next >= 0; next--)
		a[next] = a[a[next]] + 1;
}

/* The third: how many codes there are of each length. */
static void count_leaves(const struct code *c, unsigned leaves[DEPTH_MAX])
{
	int a[SYMBOLS], root = (int)c->used - 2;
	unsigned open = 1, inner, depth;

	find_depths(c, a);
	for (depth = 0; open; depth++) {
		for (inner = 0; root >= 0 && a[root] == (int)depth; root--)
			inner++;
		leaves[depth] = open - inner;
		open = 2 * inner;
	}
}

/* Two of the longest become one, one of a shorter length becomes two. */
static void shorten(unsigned leaves[DEPTH_MAX])
{
	unsigned i, k;

	for (i = DEPTH_MAX - 1; i > CODE_BITS; i--) {
		while (leaves[i]) {
			k = i - 2;
			while (!leaves[k])
				k--;
			leaves[i] -= 2;
			leaves[i - 1]++;
			leaves[k + 1] += 2;
			leaves[k]--;
		}
	}
}

/* Shorter ones first, of equal length by byte. Return: whether that fits. */
static bool number_codes(struct code *c)
{
	unsigned leaves[CODE_BITS + 1] = {0}, next[CODE_BITS + 1], i;
	unsigned code = 0;

	for (i = 0; i < SYMBOLS; i++)
		leaves[c->bits[i]]++;
	for (i = 1; i <= CODE_BITS; i++) {
		next[i] = code;
		code = (code + leaves[i]) << 1;
	}
	for (i = 0; i < SYMBOLS; i++)
		if (c->bits[i])
			c->code[i] = (uint16_t)next[c->bits[i]]++;
	return code == 2 * CODES;
}

static void make_code(struct code *c)
{
	unsigned leaves[DEPTH_MAX] = {0}, bits = CODE_BITS, i;

	sort_bytes(c);
	count_leaves(c, leaves);
	shorten(leaves);
	memset(c->bits, 0, sizeof(c->bits));
	for (i = 0; i < c->used; i++) {
		while (!leaves[bits])
			bits--;
		leaves[bits]--;
		c->bits[c->rare[i]] = (uint8_t)bits;
	}
	number_codes(c);
}

/* ---- putting ---------------------------------------------------------------
 */

struct bits_out {
	uint8_t *at;
	uint64_t held;
	unsigned count; /* of those held; below 8 after flush() */
};

static inline void put_bits(struct bits_out *o, unsigned x, unsigned bits)
{
	o->held = o->held << bits | x;
	o->count += bits;
}

/* There is at least one bit. */
static inline void flush(struct bits_out *o)
{
	uint64_t x = __builtin_bswap64(o->held << (64 - o->count));

	memcpy(o->at, &x, sizeof(x));
	o->at += o->count >> 3;
	o->count &= 7;
}

static void put_lengths(const struct code *c, struct bits_out *o)
{
	unsigned first = 0, last = SYMBOLS - 1, before = CODE_FIRST, i;

	while (!c->bits[first])
		first++;
	while (!c->bits[last])
		last--;
	put_bits(o, first << 8 | last, 16);
	for (i = first; i <= last; i++) {
		unsigned bits = c->bits[i];

		if (!bits)
			put_bits(o, 6, 3);
		else if (bits == before)
			put_bits(o, 0, 1);
		else if (bits == before + 1 || bits + 1 == before)
			put_bits(o, bits > before ? 4 : 5, 3);
		else
			put_bits(o, 7 << 4 | bits, 7);
		before = bits ? bits : before;
		flush(o);
	}
	o->at += o->count != 0;
}

static uint8_t *put_lane(const struct code *c, const uint8_t *data, size_t len,
			 uint8_t *to)
{
	struct bits_out o = {.at = to};
	size_t i;

	for (i = 0; i + ROUND <= len; i += ROUND) {
		put_bits(&o, c->code[data[i]], c->bits[data[i]]);
		put_bits(&o, c->code[data[i + 1]], c->bits[data[i + 1]]);
		put_bits(&o, c->code[data[i + 2]], c->bits[data[i + 2]]);
		put_bits(&o, c->code[data[i + 3]], c->bits[data[i + 3]]);
		flush(&o);
	}
	for (; i < len; i++) {
		put_bits(&o, c->code[data[i]], c->bits[data[i]]);
		flush(&o);
	}
	return o.at + (o.count != 0);
}

/* Bytes that all lanes take, at most. */
static size_t lanes_len(const struct code *c)
{
	size_t bits = 0;
	unsigned i;

	for (i = 0; i < SYMBOLS; i++)
		bits += (size_t)c->count[i] * c->bits[i];
	return bits / 8 + LANES;
}

/* Bytes that the length of a lane takes. */
static unsigned len_size(size_t quarter)
{
	return quarter * CODE_BITS < 8 * 256 ? 1 : 2;
}

size_t code_put(const uint8_t *data, size_t len, uint8_t *to)
{
	size_t quarter = (len + LANES - 1) / LANES, done = 0, n;
	unsigned size = len_size(quarter), i;
	struct bits_out o = {.at = to + (LANES - 1) * size};
	uint8_t *end;
	struct code c;

	count_bytes(&c, data, len);
	make_code(&c);
	put_lengths(&c, &o);
	if ((size_t)(o.at - to) + lanes_len(&c) >= len)
		return 0;
	for (i = 0; i < LANES; i++, done += quarter) {
		n = len - done < quarter ? len - done : quarter;
		end = put_lane(&c, data + done, n, o.at);
		n = (size_t)(end - o.at);
		if (i < LANES - 1)
			memcpy(to + i * size, &n, size);
		o.at = end;
	}
	return (size_t)(o.at - to);
}

/* ---- getting ---------------------------------------------------------------
 */

struct bits_in {
	const uint8_t *at;
	size_t len;
};

/* From a bit on, high ones first; zeros behind the end. */
static inline uint64_t peek(const struct bits_in *b, size_t bit)
{
	size_t byte = bit >> 3, i;
	uint64_t x = 0;

	if (byte + sizeof(x) <= b->len)
		return load_high_first(b->at + byte) << (bit & 7);
	for (i = 0; i < sizeof(x) && byte + i < b->len; i++)
		x |= (uint64_t)b->at[byte + i] << (56 - 8 * i);
	return x << (bit & 7);
}

/* Return: how many bits it takes to say the length of the next code. */
static unsigned get_length(uint64_t x, unsigned *before, uint8_t *ret)
{
	unsigned what = (unsigned)(x >> 61), bits = *before;

	if (what == 6) {
		*ret = 0;
		return 3;
	}
	if (what == 7)
		bits = x >> 57 & 15;
	else if (what >= 4)
		bits = what == 4 ? bits + 1 : bits - 1;
	*before = bits;
	*ret = (uint8_t)bits;
	return what == 7 ? 7 : what < 4 ? 1 : 3;
}

/* Return: bytes that the lengths take; 0: they are no code. */
static size_t get_lengths(struct code *c, const struct bits_in *b)
{
	unsigned before = CODE_FIRST, i;
	size_t bit = 16;

	if (b->len < 2)
		return 0;
	memset(c->bits, 0, sizeof(c->bits));
	for (i = b->at[0]; i <= b->at[1]; i++) {
		bit += get_length(peek(b, bit), &before, &c->bits[i]);
		if (before < 1 || before > CODE_BITS)
			return 0;
	}
	return number_codes(c) && bit <= 8 * b->len ? (bit + 7) / 8 : 0;
}

/* Of any bits that begin with a code: its byte, and above that its length. */
static void make_table(const struct code *c, uint16_t table[CODES])
{
	unsigned i, k, shift;

	for (i = 0; i < SYMBOLS; i++) {
		if (!c->bits[i])
			continue;
		shift = CODE_BITS - c->bits[i];
		for (k = 0; k < 1U << shift; k++)
			table[((unsigned)c->code[i] << shift) + k] =
				(uint16_t)(c->bits[i] << 8 | i);
	}
}

struct lanes {
	struct bits_in in;
	size_t bit[LANES], end[LANES]; /* of each: next, end (a byte) */
	uint16_t table[CODES];
};

static inline uint8_t get_one(const struct lanes *l, uint64_t *x, size_t *bit)
{
	uint16_t t = l->table[*x >> (64 - CODE_BITS)];

	*x <<= t >> 8;
	*bit += t >> 8;
	return (uint8_t)t;
}

static bool is_inside(const struct lanes *l, const size_t bit[LANES])
{
	size_t last = 8 * (l->in.len - sizeof(uint64_t));

	return bit[0] <= last && bit[1] <= last && bit[2] <= last &&
	       bit[3] <= last;
}

/* All lanes at once, as far as 8 bytes can be read. Return: how far. */
static size_t get_rounds(struct lanes *l, uint8_t *to, size_t quarter, size_t n)
{
	const uint8_t *at = l->in.at;
	size_t bit[LANES], i = 0;
	uint64_t x[LANES];
	unsigned k, r;

	if (l->in.len < sizeof(*x))
		return 0;
	memcpy(bit, l->bit, sizeof(bit));
	for (; i + ROUND <= n && is_inside(l, bit); i += ROUND) {
#pragma GCC unroll 4
		for (k = 0; k < LANES; k++)
			x[k] = load_high_first(at + (bit[k] >> 3))
			       << (bit[k] & 7);
#pragma GCC unroll 4
		for (r = 0; r < ROUND; r++)
#pragma GCC unroll 4
			for (k = 0; k < LANES; k++)
				to[k * quarter + i + r] = get_one(l, &x[k],
								  &bit[k]);
	}
	memcpy(l->bit, bit, sizeof(bit));
	return i;
}

static int get_lanes(struct lanes *l, uint8_t *to, size_t len)
{
	size_t quarter = (len + LANES - 1) / LANES, i, n, from;
	unsigned k;
	uint64_t x;

	from = get_rounds(l, to, quarter, len - (LANES - 1) * quarter);
	for (k = 0; k < LANES; k++) {
		n = k < LANES - 1 ? quarter : len - k * quarter;
		for (i = from; i < n; i++) {
			x = peek(&l->in, l->bit[k]);
			to[k * quarter + i] = get_one(l, &x, &l->bit[k]);
		}
		if ((l->bit[k] + 7) / 8 != l->end[k])
			return -EBADMSG;
	}
	return 0;
}

int code_get(const uint8_t *code, size_t code_len, uint8_t *to, size_t len)
{
	unsigned size = len_size((len + LANES - 1) / LANES), k;
	struct bits_in lengths;
	struct lanes l;
	size_t at, n;
	struct code c;

	if (len < CODE_MIN || len > CODE_MAX || code_len < LANES * size)
		return -EBADMSG;
	l.in = (struct bits_in){code, code_len};
	lengths.at = code + (LANES - 1) * size;
	lengths.len = code_len - (LANES - 1) * size;
	at = get_lengths(&c, &lengths);
	if (!at)
		return -EBADMSG;
	at += (LANES - 1) * size;
	for (k = 0; k < LANES; k++) {
		n = 0;
		memcpy(&n, code + k * size, size);
		if (k == LANES - 1)
			n = code_len - at;
		if (n > code_len - at)
			return -EBADMSG;
		l.bit[k] = 8 * at;
		at += n;
		l.end[k] = at;
	}
	make_table(&c, l.table);
	return get_lanes(&l, to, len);
}
