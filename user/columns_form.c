// SPDX-License-Identifier: BSD-2-Clause
#include "columns_form.h"

#include <emmintrin.h> /* SSE2: every x86-64 has it */
#include <errno.h>
#include <string.h>

#include "columns_form_parts.h"

/* ---- signs -----------------------------------------------------------------
 */

static inline uint64_t zigzag(uint64_t x)
{
	return (x << 1) ^ (0 - (x >> 63));
}

static inline uint64_t unzigzag(uint64_t z)
{
	return (z >> 1) ^ (0 - (z & 1));
}

static const uint64_t *all_zigzag(struct packer *p, const uint64_t *v, size_t n)
{
	uint64_t *z = scratch(&p->signs, n, sizeof(*z));
	size_t i;

	for (i = 0; i < n && z; i++)
		z[i] = zigzag(v[i]);
	return z;
}

/* ---- planes ----------------------------------------------------------------
 */

/* Byte @k of each number. */
static void split_plane(const uint64_t *v, size_t n, unsigned k, uint8_t *to)
{
	__m128i low = _mm_set1_epi64x(0xff), by = _mm_cvtsi32_si128(8 * (int)k);
	__m128i x[8];
	size_t i;
	int j;

	for (i = 0; i + 16 <= n; i += 16) {
		for (j = 0; j < 8; j++) {
			x[j] = _mm_loadu_si128((const void *)(v + i + 2 * j));
			x[j] = _mm_and_si128(_mm_srl_epi64(x[j], by), low);
		}
		for (j = 0; j < 4; j++)
			x[j] = _mm_packs_epi32(x[2 * j], x[2 * j + 1]);
		x[0] = _mm_packs_epi32(x[0], x[1]);
		x[1] = _mm_packs_epi32(x[2], x[3]);
		x[0] = _mm_packus_epi16(x[0], x[1]);
		_mm_storeu_si128((void *)(to + i), x[0]);
	}
	for (; i < n; i++)
		to[i] = (uint8_t)(v[i] >> 8 * k);
}

/* Return: the bits that are not the same in all numbers. */
static uint64_t varying(const uint64_t *v, size_t n)
{
	uint64_t first = v[0], a = 0, b = 0;
	size_t i;

	for (i = 0; i + 2 <= n; i += 2) {
		a |= v[i] ^ first;
		b |= v[i + 1] ^ first;
	}
	return i < n ? a | b | (v[i] ^ first) : a | b;
}

static void put_planes(struct packer *p, const uint64_t *v, size_t n,
		       struct column_head *h, struct buf *to)
{
	uint64_t some = varying(v, n), base = v[0];
	uint8_t *plane = scratch(&p->bytes, n, 1);
	unsigned k;

	*h = (struct column_head){.form = FORM_PLANES};
	for (k = 0; k < sizeof(*v) && plane; k++) {
		if (!(some >> 8 * k & 0xff))
			continue;
		base &= ~(0xffULL << 8 * k);
		h->width |= (uint8_t)(1U << k);
		split_plane(v, n, k, plane);
		chunk_put(p, plane, n, to);
	}
	h->base = base;
	if (!plane)
		latch(to);
}

static void join_one(const uint8_t *b, unsigned shift, uint64_t base,
		     uint64_t *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		v[i] = base | (uint64_t)b[i] << shift;
}

static void join_two(const uint8_t *b, const uint8_t *c, uint64_t base,
		     uint64_t *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		v[i] = base | b[i] | (uint64_t)c[i] << 8;
}

static void join_more(const uint8_t *b, unsigned shift, uint64_t *v, size_t n)
{
	size_t i;

	for (i = 0; i < n; i++)
		v[i] |= (uint64_t)b[i] << shift;
}

static int get_planes(struct packer *p, const struct column_head *h,
		      struct cursor *c, uint64_t *v, size_t n)
{
	uint8_t *b = scratch(&p->bytes, 8 * n, 1);
	uint64_t base = h->base;
	unsigned k, at = 0, byte[8];
	int err;

	if (!b)
		return -ENOMEM;
	for (k = 0; k < 8; k++) {
		if (!(h->width >> k & 1))
			continue;
		base &= ~(0xffULL << 8 * k);
		err = chunk_get(p, c, b + at * n, n);
		if (err)
			return err;
		byte[at++] = k;
	}
	k = 0;
	if (at > 1 && byte[0] == 0 && byte[1] == 1)
		join_two(b, b + n, base, v, n), k = 2;
	else if (at)
		join_one(b, 8 * byte[0], base, v, n), k = 1;
	else
		join_one(memset(b, 0, n), 0, base, v, n);
	for (; k < at; k++)
		join_more(b + k * n, 8 * byte[k], v, n);
	return 0;
}

/* ---- any of them -----------------------------------------------------------
 */

static bool is_same(const uint64_t *v, size_t n)
{
	size_t i = 1;

	while (i < n && v[i] == v[0])
		i++;
	return i >= n;
}

void column_put(struct packer *p, const uint64_t *v, size_t n,
		struct column_head *h, bool is_signed, struct buf *to)
{
	if (is_same(v, n)) {
		uint64_t base = n ? v[0] : 0;

		*h = (struct column_head){FORM_CONST, 0,
					  is_signed ? zigzag(base) : base};
		return;
	}
	if (h->form == FORM_LOG || h->form == WISH_LOG_REPEATS) {
		put_log(p, v, n, h->form == WISH_LOG_REPEATS, to);
		*h = (struct column_head){.form = FORM_LOG};
		return;
	}
	if (is_signed)
		v = all_zigzag(p, v, n);
	if (!v)
		latch(to);
	else if ((h->form != FORM_DICT || !put_dict(p, v, n, h, to)) &&
		 (h->form != FORM_RUNS || !put_runs(p, v, n, h, to)))
		put_planes(p, v, n, h, to);
}

static int get(struct packer *p, const struct column_head *h, struct cursor *c,
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

int column_get(struct packer *p, const struct column_head *h, struct cursor *c,
	       bool is_signed, uint64_t *v, size_t n)
{
	int err = get(p, h, c, v, n);
	size_t i;

	if (err || !is_signed || h->form == FORM_LOG)
		return err;
	for (i = 0; i < n; i++)
		v[i] = unzigzag(v[i]);
	return 0;
}

/* Only forms without scratch of their own are within others. */
static bool is_within(uint64_t form)
{
	return form == FORM_CONST || form == FORM_PLANES || form == FORM_LOG;
}

/*
 * @v may be in p->words, which FORM_LOG overwrites: callers that put words
 * there ask for FORM_PLANES.
 */
void column_put_within(struct packer *p, const uint64_t *v, size_t n,
		       enum column_form wish, struct buf *to)
{
	struct column_head h = {.form = (uint8_t)wish};
	struct buf *data = &p->within;

	buf_reset(data);
	column_put(p, v, n, &h, false, data);
	put_varint(to, h.form);
	put_varint(to, h.width);
	put_varint(to, h.base);
	buf_put(to, data->data, data->len);
	if (buf_err(data))
		latch(to);
}

int column_get_within(struct packer *p, struct cursor *c, uint64_t *v, size_t n)
{
	bool bad = false;
	uint64_t form = get_varint(c, &bad), width = get_varint(c, &bad);
	struct column_head h = {(uint8_t)form, (uint8_t)width,
				get_varint(c, &bad)};

	if (bad || !is_within(form) || width > UINT8_MAX)
		return -EBADMSG;
	return get(p, &h, c, v, n);
}
