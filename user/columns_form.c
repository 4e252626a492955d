// SPDX-License-Identifier: BSD-2-Clause
#include "columns_form.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define SLACK	   16 /* bytes behind scratch that may be read */
#define LOG_PLAIN  8  /* numbers below are their own symbols */
#define LOG_ESCAPE 255
#define LOG_MAX	   33	 /* numbers below 2^33 have a symbol */
#define DICT_MAX   4096	 /* distinct numbers at most */
#define DICT_SLOTS 16384 /* of the hash table: a power of two */

static uint64_t *words(struct packer *p, size_t n)
{
	buf_reset(&p->words);
	return buf_space(&p->words, (n + 1) * sizeof(uint64_t));
}

static uint8_t *bytes(struct packer *p, size_t n)
{
	buf_reset(&p->bytes);
	return buf_space(&p->bytes, n + SLACK);
}

static unsigned width_of(uint64_t max)
{
	return max ? (unsigned)(63 - __builtin_clzll(max)) / 8 + 1 : 0;
}

static void latch(struct buf *to)
{
	to->err = -ENOMEM;
}

/* ---- planes ----------------------------------------------------------------
 */

static void put_planes(struct packer *p, const uint64_t *v, size_t n,
		       const struct column_head *h, struct buf *to)
{
	uint8_t *plane = bytes(p, n);
	uint64_t base = h->base;
	unsigned k;
	size_t i;

	if (!plane) {
		latch(to);
		return;
	}
	for (k = 0; k < h->width; k++) {
		for (i = 0; i < n; i++)
			plane[i] = (uint8_t)((v[i] - base) >> 8 * k);
		chunk_put(p, plane, n, to);
	}
}

static void join_planes(const uint8_t *b, unsigned width, uint64_t base,
			uint64_t *v, size_t n)
{
	const uint8_t *c = b + n, *d = c + n;
	unsigned k;
	size_t i;

	switch (width) {
	case 1:
		for (i = 0; i < n; i++)
			v[i] = base + b[i];
		return;
	case 2:
		for (i = 0; i < n; i++)
			v[i] = base + (b[i] | (uint64_t)c[i] << 8);
		return;
	case 3:
		for (i = 0; i < n; i++)
			v[i] = base + (b[i] | (uint64_t)c[i] << 8 |
				       (uint64_t)d[i] << 16);
		return;
	}
	for (i = 0; i < n; i++)
		v[i] = base;
	for (k = 0; k < width; k++)
		for (i = 0; i < n; i++)
			v[i] += (uint64_t)b[k * n + i] << 8 * k;
}

static int get_planes(struct packer *p, const struct column_head *h,
		      struct cursor *c, uint64_t *v, size_t n)
{
	unsigned k;
	uint8_t *b;
	int err;

	if (h->width > sizeof(*v))
		return -EBADMSG;
	b = bytes(p, n * h->width);
	if (!b)
		return -ENOMEM;
	for (k = 0; k < h->width; k++) {
		err = chunk_get(p, c, b + k * n, n);
		if (err)
			return err;
	}
	join_planes(b, h->width, h->base, v, n);
	return 0;
}

/* ---- logarithms ------------------------------------------------------------
 */

static unsigned log_symbol(uint64_t x, unsigned *ret_bits)
{
	unsigned e;

	*ret_bits = 0;
	if (x < LOG_PLAIN)
		return (unsigned)x;
	e = 63 - (unsigned)__builtin_clzll(x);
	if (e >= LOG_MAX) {
		*ret_bits = 64;
		return LOG_ESCAPE;
	}
	*ret_bits = e - 3;
	return (e - 2) << 3 | ((x >> (e - 3)) & 7);
}

static unsigned log_bits(unsigned symbol)
{
	if (symbol == LOG_ESCAPE)
		return 64;
	return symbol < 2 * LOG_PLAIN ? 0 : (symbol >> 3) - 1;
}

static uint64_t log_base(unsigned symbol)
{
	if (symbol < LOG_PLAIN)
		return symbol;
	if (symbol == LOG_ESCAPE)
		return 0;
	return (uint64_t)(LOG_PLAIN | (symbol & 7)) << ((symbol >> 3) - 1);
}

/* Bits on their way to bytes. */
struct bit_writer {
	uint8_t *at;
	uint64_t held;
	unsigned count; /* below 32 between calls */
};

static inline void put_bits(struct bit_writer *w, uint64_t x, unsigned bits)
{
	uint32_t out;

	w->held |= (x & ((1ULL << bits) - 1)) << w->count;
	w->count += bits;
	if (w->count < 32)
		return;
	out = (uint32_t)w->held;
	memcpy(w->at, &out, sizeof(out));
	w->at += sizeof(out);
	w->held >>= 32;
	w->count -= 32;
}

static size_t end_bits(struct bit_writer *w, const uint8_t *start)
{
	memcpy(w->at, &w->held, sizeof(w->held));
	return (size_t)(w->at - start) + (w->count + 7) / 8;
}

static void put_log(struct packer *p, const uint64_t *v, size_t n,
		    struct buf *to)
{
	uint8_t *symbol = bytes(p, n), *rest = (uint8_t *)words(p, n + 1);
	struct bit_writer w = {.at = rest};
	size_t i, len;

	if (!symbol || !rest) {
		latch(to);
		return;
	}
	for (i = 0; i < n; i++) {
		unsigned bits;

		symbol[i] = (uint8_t)log_symbol(v[i], &bits);
		if (bits == 64) {
			put_bits(&w, v[i], 32);
			put_bits(&w, v[i] >> 32, 32);
		} else {
			put_bits(&w, v[i], bits);
		}
	}
	len = end_bits(&w, rest);
	chunk_put(p, symbol, n, to);
	put_varint(to, (uint64_t)len);
	buf_put(to, rest, len);
}

/* @bit: where to begin; SLACK bytes behind them may be read. */
static inline uint64_t bits_at(const uint8_t *rest, size_t bit, unsigned bits)
{
	uint64_t x;

	memcpy(&x, rest + (bit >> 3), sizeof(x));
	return (x >> (bit & 7)) & ((1ULL << bits) - 1);
}

static void join_log(const uint8_t *symbol, const uint8_t *rest, uint64_t *v,
		     size_t n)
{
	uint64_t base[256];
	uint8_t bits[256];
	size_t i, at = 0;

	for (i = 0; i < 256; i++) {
		base[i] = log_base((unsigned)i);
		bits[i] = (uint8_t)log_bits((unsigned)i);
	}
	for (i = 0; i < n; i++) {
		unsigned s = symbol[i];

		if (s != LOG_ESCAPE)
			v[i] = base[s] + bits_at(rest, at, bits[s]);
		else
			v[i] = bits_at(rest, at, 32) |
			       bits_at(rest, at + 32, 32) << 32;
		at += bits[s];
	}
}

/* Bytes that the open bits of all symbols take. */
static size_t log_rest(const uint8_t *symbol, size_t n)
{
	size_t count[256] = {0}, i, bits = 0;

	for (i = 0; i < n; i++)
		count[symbol[i]]++;
	for (i = 0; i < 256; i++)
		bits += count[i] * log_bits((unsigned)i);
	return (bits + 7) / 8;
}

static int get_log(struct packer *p, struct cursor *c, uint64_t *v, size_t n)
{
	uint8_t *symbol = bytes(p, n), *rest;
	bool bad = false;
	uint64_t len;
	int err;

	if (!symbol)
		return -ENOMEM;
	err = chunk_get(p, c, symbol, n);
	if (err)
		return err;
	len = get_varint(c, &bad);
	if (bad || len > (size_t)(c->end - c->at) || len != log_rest(symbol, n))
		return -EBADMSG;
	rest = (uint8_t *)words(p, len / sizeof(uint64_t) + 3);
	if (!rest)
		return -ENOMEM;
	memcpy(rest, c->at, len);
	memset(rest + len, 0, SLACK);
	c->at += len;
	join_log(symbol, rest, v, n);
	return 0;
}

/* ---- dictionaries ----------------------------------------------------------
 */

/* Open addressing; index 0 is a free slot. */
struct dict {
	uint64_t key[DICT_SLOTS];
	uint16_t index[DICT_SLOTS]; /* plus one */
	uint64_t value[DICT_MAX];
	uint16_t rank[DICT_MAX];
	size_t count;
};

static size_t dict_slot(const struct dict *d, uint64_t x)
{
	size_t at = hash_u64(x) & (DICT_SLOTS - 1);

	while (d->index[at] && d->key[at] != x)
		at = (at + 1) & (DICT_SLOTS - 1);
	return at;
}

/* Return: false when there are too many distinct ones. */
static bool dict_fill(struct dict *d, const uint64_t *v, size_t n)
{
	size_t max = n / 2 < DICT_MAX ? n / 2 : DICT_MAX, i;

	memset(d->index, 0, sizeof(d->index));
	d->count = 0;
	for (i = 0; i < n; i++) {
		size_t at = dict_slot(d, v[i]);

		if (d->index[at])
			continue;
		if (d->count == max)
			return false;
		d->key[at] = v[i];
		d->value[d->count] = v[i];
		d->index[at] = (uint16_t)++d->count;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Sort; a value's rank is what stands for it. */
static void dict_sort(struct dict *d)
{
	size_t i;

	qsort(d->value, d->count, sizeof(*d->value), by_value);
	for (i = 0; i < d->count; i++)
		d->rank[d->index[dict_slot(d, d->value[i])] - 1] = (uint16_t)i;
}

static void put_index(struct packer *p, const struct dict *d, const uint64_t *v,
		      size_t n, unsigned width, struct buf *to)
{
	uint8_t *low = bytes(p, 2 * n), *high;
	size_t i;

	if (!low) {
		latch(to);
		return;
	}
	high = low + n;
	for (i = 0; i < n; i++) {
		uint16_t r = d->rank[d->index[dict_slot(d, v[i])] - 1];

		low[i] = (uint8_t)r;
		high[i] = (uint8_t)(r >> 8);
	}
	chunk_put(p, low, n, to);
	if (width > 1)
		chunk_put(p, high, n, to);
}

static bool put_dict(struct packer *p, const uint64_t *v, size_t n,
		     struct column_head *h, struct buf *to)
{
	struct dict *d;
	uint64_t *step;
	size_t i;

	buf_reset(&p->table);
	d = buf_space(&p->table, sizeof(*d));
	if (!d || !dict_fill(d, v, n))
		return false;
	dict_sort(d);
	*h = (struct column_head){FORM_DICT, d->count > 256 ? 2 : 1, d->count};
	step = words(p, d->count);
	if (!step)
		return false;
	for (i = 0; i < d->count; i++)
		step[i] = d->value[i] - (i ? d->value[i - 1] : 0);
	column_put_within(p, step, d->count, FORM_PLANES, to);
	put_index(p, d, v, n, h->width, to);
	return true;
}

static int get_dict(struct packer *p, const struct column_head *h,
		    struct cursor *c, uint64_t *v, size_t n)
{
	struct column_head index = {FORM_PLANES, h->width, 0};
	uint64_t *value;
	size_t i, count = h->base;
	int err;

	if (count > n || count > DICT_MAX || h->width > 2)
		return -EBADMSG;
	buf_reset(&p->table);
	value = buf_space(&p->table, (count + 1) * sizeof(*value));
	if (!value)
		return -ENOMEM;
	err = column_get_within(p, c, value, count);
	if (!err)
		err = get_planes(p, &index, c, v, n);
	if (err)
		return err;
	for (i = 1; i < count; i++)
		value[i] += value[i - 1];
	for (i = 0; i < n; i++) {
		if (v[i] >= count)
			return -EBADMSG;
		v[i] = value[v[i]];
	}
	return 0;
}

/* ---- runs ------------------------------------------------------------------
 */

static size_t count_runs(const uint64_t *v, size_t n)
{
	size_t i, count = n != 0;

	for (i = 1; i < n; i++)
		count += v[i] != v[i - 1];
	return count;
}

static bool put_runs(struct packer *p, const uint64_t *v, size_t n,
		     struct column_head *h, struct buf *to)
{
	size_t count = count_runs(v, n), i, k = 0;
	uint64_t *value, *length;

	if (count > n / 4)
		return false;
	buf_reset(&p->table);
	value = buf_space(&p->table, 2 * (count + 1) * sizeof(*value));
	if (!value)
		return false;
	length = value + count;
	for (i = 0; i < n; i++) {
		if (i && v[i] == v[i - 1]) {
			length[k - 1]++;
			continue;
		}
		value[k] = v[i];
		length[k++] = 0;
	}
	*h = (struct column_head){FORM_RUNS, 0, count};
	column_put_within(p, value, count, FORM_PLANES, to);
	column_put_within(p, length, count, FORM_LOG, to);
	return true;
}

static int get_runs(struct packer *p, const struct column_head *h,
		    struct cursor *c, uint64_t *v, size_t n)
{
	size_t count = h->base, i, k, at = 0;
	uint64_t *value, *length;
	int err;

	if (count > n)
		return -EBADMSG;
	buf_reset(&p->table);
	value = buf_space(&p->table, 2 * (count + 1) * sizeof(*value));
	if (!value)
		return -ENOMEM;
	length = value + count;
	err = column_get_within(p, c, value, count);
	if (!err)
		err = column_get_within(p, c, length, count);
	for (k = 0; k < count && !err; k++) {
		if (length[k] >= n - at)
			return -EBADMSG;
		for (i = 0; i <= length[k]; i++)
			v[at + i] = value[k];
		at += i;
	}
	return err ? err : at == n ? 0 : -EBADMSG;
}

/* ---- any of them -----------------------------------------------------------
 */

/* Only forms without scratch of their own are within others. */
static bool is_within(unsigned form)
{
	return form == FORM_CONST || form == FORM_PLANES || form == FORM_LOG;
}

void column_put(struct packer *p, const uint64_t *v, size_t n,
		struct column_head *h, struct buf *to)
{
	uint64_t min = n ? v[0] : 0, max = min;
	size_t i;

	for (i = 1; i < n; i++) {
		min = v[i] < min ? v[i] : min;
		max = v[i] > max ? v[i] : max;
	}
	if (min == max) {
		*h = (struct column_head){FORM_CONST, 0, min};
		return;
	}
	if (h->form == FORM_DICT && put_dict(p, v, n, h, to))
		return;
	if (h->form == FORM_RUNS && put_runs(p, v, n, h, to))
		return;
	if (h->form == FORM_LOG) {
		*h = (struct column_head){FORM_LOG, 0, 0};
		put_log(p, v, n, to);
		return;
	}
	/* a base that takes no byte off is no help to who looks for matches */
	if (width_of(max) == width_of(max - min))
		min = 0;
	*h = (struct column_head){FORM_PLANES, (uint8_t)width_of(max - min),
				  min};
	put_planes(p, v, n, h, to);
}

int column_get(struct packer *p, const struct column_head *h, struct cursor *c,
	       uint64_t *v, size_t n)
{
	size_t i;

	switch (h->form) {
	case FORM_CONST:
		for (i = 0; i < n; i++)
			v[i] = h->base;
		return 0;
	case FORM_PLANES:
		return get_planes(p, h, c, v, n);
	case FORM_LOG:
		return get_log(p, c, v, n);
	case FORM_DICT:
		return get_dict(p, h, c, v, n);
	case FORM_RUNS:
		return get_runs(p, h, c, v, n);
	default:
		return -EPROTONOSUPPORT;
	}
}

/*
 * @v may be in p->words, which FORM_LOG overwrites: callers that put words
 * there ask for FORM_PLANES.
 */
void column_put_within(struct packer *p, const uint64_t *v, size_t n,
		       enum column_form wish, struct buf *to)
{
	struct column_head h = {.form = (uint8_t)wish};
	struct buf data = {0};

	column_put(p, v, n, &h, &data);
	put_varint(to, h.form);
	put_varint(to, h.width);
	put_varint(to, h.base);
	buf_put(to, data.data, data.len);
	if (buf_err(&data))
		latch(to);
	buf_done(&data);
}

int column_get_within(struct packer *p, struct cursor *c, uint64_t *v, size_t n)
{
	struct column_head h;
	bool bad = false;
	uint64_t form = get_varint(c, &bad), width = get_varint(c, &bad);

	h.base = get_varint(c, &bad);
	if (bad || !is_within((unsigned)form) || form > FORMS || width > 8)
		return -EBADMSG;
	h.form = (uint8_t)form;
	h.width = (uint8_t)width;
	return column_get(p, &h, c, v, n);
}
