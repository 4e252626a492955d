// SPDX-License-Identifier: BSD-2-Clause
#include "filter_place.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct cnf both(struct maker *m, bool all, struct cnf a, struct cnf b)
{
	return all ? cnf_and(a, b) : cnf_or(&m->arena, a, b);
}

/* ---- numbers ------------------------------------------------------------- */

struct range domain_of(const struct place *p)
{
	wide one = 1;

	if (p->flags & WEIR_CLAUSE_SIGNED)
		return (struct range){-(one << (8 * p->size - 1)),
				      (one << (8 * p->size - 1)) - 1};
	return (struct range){0, (one << (8 * p->size)) - 1};
}

struct cnf in_range(struct maker *m, const struct place *p, struct range r,
		    bool inverse)
{
	struct range all = domain_of(p);
	struct weir_clause c = {
		.offset = p->offset,
		.size = (uint8_t)p->size,
		.flags = p->flags,
		.mask = UINT64_MAX,
	};

	r.lo = r.lo < all.lo ? all.lo : r.lo;
	r.hi = r.hi > all.hi ? all.hi : r.hi;
	if (r.lo > r.hi)
		return cnf_constant(inverse);
	if (r.lo == all.lo && r.hi == all.hi)
		return cnf_constant(!inverse);
	c.lo = (uint64_t)(inverse ? r.hi + 1 : r.lo);
	c.span = (uint64_t)(inverse ? r.lo - 1 : r.hi) - c.lo;
	return cnf_clause(&m->arena, &c);
}

/* ---- sets ---------------------------------------------------------------- */

int add_key(struct maker *m, uint64_t a, uint64_t b)
{
	struct clauses *out = m->out;
	struct weir_set_key *keys;

	keys = reallocarray(out->keys, out->key_count + 1, sizeof(*keys));
	if (!keys) {
		m->failed = true;
		return -ENOMEM;
	}
	out->keys = keys;
	keys[out->key_count++] = (struct weir_set_key){
		.word = {a, b},
		.set = m->target->first_set + out->set_count,
	};
	return 0;
}

struct cnf in_set(struct maker *m, const struct place *p, uint8_t flags)
{
	struct weir_clause c = {
		.offset = p->offset,
		.size = (uint8_t)p->size,
		.flags = p->flags | flags,
		.set = m->target->first_set + m->out->set_count++,
	};

	return cnf_clause(&m->arena, &c);
}

static struct cnf in_bitmap(struct maker *m, const struct place *p,
			    const struct range *r, size_t count, uint8_t flags)
{
	struct weir_clause c = {
		.offset = p->offset,
		.size = (uint8_t)p->size,
		.flags = p->flags | flags | WEIR_CLAUSE_BITS,
	};
	size_t i;
	wide n;

	m->bits_used = true;
	for (i = 0; i < count; i++)
		for (n = r[i].lo; n <= r[i].hi; n++)
			m->out->filter.bits[n / 64] |= 1ULL << (n % 64);
	return cnf_clause(&m->arena, &c);
}

static struct cnf in_many(struct maker *m, const struct place *p,
			  const struct range *r, size_t count, bool inverse)
{
	uint8_t flags = inverse ? WEIR_CLAUSE_NOT : 0;
	size_t i;
	wide n;

	if (!m->bits_used && r[0].lo >= 0 && r[count - 1].hi < WEIR_FILTER_BITS)
		return in_bitmap(m, p, r, count, flags);
	for (i = 0; i < count; i++)
		for (n = r[i].lo; n <= r[i].hi; n++)
			if (add_key(m, (uint64_t)n, 0))
				return cnf_unknown();
	return in_set(m, p, flags | WEIR_CLAUSE_SET);
}

static int by_lo(const void *a, const void *b)
{
	const struct range *x = a, *y = b;

	return (x->lo > y->lo) - (x->lo < y->lo);
}

/* Drop what the number cannot be, join neighbours. Return: how many are left */
static size_t tidy(const struct place *p, struct range *r, size_t count)
{
	struct range all = domain_of(p);
	size_t i, n = 0;

	qsort(r, count, sizeof(*r), by_lo);
	for (i = 0; i < count; i++) {
		if (r[i].lo < all.lo || r[i].lo > all.hi)
			continue;
		if (n && r[i].lo <= r[n - 1].hi + 1)
			r[n - 1].hi = r[i].hi;
		else
			r[n++] = r[i];
	}
	return n;
}

struct cnf one_of(struct maker *m, const struct place *p, struct range *r,
		  size_t count, bool inverse)
{
	struct cnf c = cnf_constant(inverse), next;
	size_t i;

	count = tidy(p, r, count);
	if (count > RANGES_MAX)
		return in_many(m, p, r, count, inverse);
	for (i = 0; i < count; i++) {
		next = in_range(m, p, r[i], inverse);
		c = both(m, inverse, c, next);
	}
	return c;
}

/* ---- bytes --------------------------------------------------------------- */

/* The largest number that is aligned at @at, inside of @p. */
static uint8_t chunk_size(const struct place *p, size_t at)
{
	uint8_t size = 8;

	while ((p->offset + at) % size || at + size > p->size)
		size /= 2;
	return size;
}

static struct cnf chunk(struct maker *m, const struct place *p, size_t at,
			uint64_t value, uint64_t mask, bool inverse)
{
	struct weir_clause c = {
		.offset = (uint16_t)(p->offset + at),
		.size = chunk_size(p, at),
		.flags = p->flags,
		.mask = mask,
		.lo = (value & mask) + inverse,
		.span = inverse ? UINT64_MAX - 1 : 0,
	};

	return cnf_clause(&m->arena, &c);
}

struct cnf bytes_are(struct maker *m, const struct place *p,
		     const uint8_t *bytes, const uint8_t *mask, size_t n,
		     bool inverse)
{
	struct cnf c = cnf_constant(!inverse), next;
	uint64_t value, bits;
	size_t at, len;

	for (at = 0; at < n; at += chunk_size(p, at)) {
		len = chunk_size(p, at);
		len = len < n - at ? len : n - at;
		value = bits = 0;
		memcpy(&value, bytes + at, len); /* little-endian, as BPF is */
		memcpy(&bits, mask + at, len);
		if (!bits)
			continue;
		next = chunk(m, p, at, value, bits, inverse);
		c = both(m, !inverse, c, next);
	}
	return c;
}

/* ---- texts --------------------------------------------------------------- */

#define TEXT_MAX 64 /* of a field of characters */

struct cnf text_is(struct maker *m, const struct place *p, const char *text,
		   size_t len, bool prefix, bool inverse)
{
	uint8_t bytes[TEXT_MAX + 1] = {0}, mask[TEXT_MAX + 1];

	if (len > p->size || memchr(text, '\0', len))
		return cnf_constant(inverse);
	if (p->size > TEXT_MAX)
		return cnf_unknown();
	memcpy(bytes, text, len);
	memset(mask, 0xff, sizeof(mask));
	return bytes_are(m, p, bytes, mask, len + (!prefix && len < p->size),
			 inverse);
}
