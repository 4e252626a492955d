// SPDX-License-Identifier: BSD-2-Clause
#include "columns_strings.h"

#include <errno.h>
#include <string.h>
#include <sys/random.h>

#define SLOTS_MIN 4096 /* a power of two */

/* ---- the hash ---------------------------------------------------------------
 *
 * Anybody on the host chooses names, and could choose such that fall into one
 * slot: so much work for each that the block is written late, and others lost.
 * Hence a seed that nobody knows, and a hash whose collisions depend on it: two
 * words at a time by a folded multiplication (as wyhash, Wang Yi, public
 * domain).
 */

static void make_seed(struct strings *s)
{
	if (s->seed[0])
		return;
	if (getrandom(s->seed, sizeof(s->seed), GRND_NONBLOCK) < 0)
		s->seed[0] = s->seed[1] = (uintptr_t)s; /* early in the boot */
	s->seed[0] |= 1;
	s->seed[1] |= 1;
}

static uint64_t fold(uint64_t a, uint64_t b)
{
	unsigned __int128 p = (unsigned __int128)a * b;

	return (uint64_t)p ^ (uint64_t)(p >> 64);
}

static uint64_t load(const char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* The last words, which overlap; of less than one the bytes. */
static void load_rest(const char *p, uint32_t len, uint64_t *x, uint64_t *y)
{
	uint32_t i;

	*x = *y = 0;
	if (len >= sizeof(*x)) {
		*x = load(p);
		*y = load(p + len - sizeof(*y));
		return;
	}
	for (i = 0; i < len; i++)
		*x = *x << 8 | (uint8_t)p[i];
}

static uint32_t hash_bytes(const struct strings *s, const char *data,
			   uint32_t len)
{
	uint64_t h = s->seed[0], last = s->seed[1] ^ len, x, y;

	for (; len > 2 * sizeof(x); data += 2 * sizeof(x)) {
		h = fold(load(data) ^ s->seed[1], load(data + sizeof(x)) ^ h);
		len -= 2 * sizeof(x);
	}
	load_rest(data, len, &x, &y);
	h = fold(x ^ s->seed[1], y ^ h);
	return (uint32_t)fold(h, last);
}

/* ---- the table ----------------------------------------------------------- */

static uint32_t *slots(const struct strings *s)
{
	return (uint32_t *)s->slots.data;
}

static struct string_entry *entries(const struct strings *s)
{
	return (struct string_entry *)s->entries.data;
}

static int clear_slots(struct strings *s, uint32_t count)
{
	void *mem;

	buf_reset(&s->slots);
	mem = buf_space(&s->slots, count * sizeof(uint32_t));
	if (!mem)
		return -ENOMEM;
	memset(mem, 0, count * sizeof(uint32_t));
	s->mask = count - 1;
	return 0;
}

int strings_reset(struct strings *s)
{
	buf_reset(&s->entries);
	s->count = 0;
	s->placed = 0;
	buf_reset(&s->bytes);
	buf_reset(&s->order);
	make_seed(s);
	return clear_slots(s, SLOTS_MIN);
}

void strings_done(struct strings *s)
{
	buf_done(&s->entries);
	buf_done(&s->slots);
	buf_done(&s->bytes);
	buf_done(&s->order);
}

static int grow(struct strings *s)
{
	uint32_t i, at;
	int err = clear_slots(s, 2 * (s->mask + 1));

	for (i = 0; i < s->count && !err; i++) {
		at = entries(s)[i].hash & s->mask;
		while (slots(s)[at])
			at = (at + 1) & s->mask;
		slots(s)[at] = i + 1;
	}
	return err;
}

uint32_t strings_number(struct strings *s, const char *data, uint32_t len)
{
	struct string_entry e = {0, len, hash_bytes(s, data, len), 0};
	uint32_t at = e.hash & s->mask, number;

	while ((number = slots(s)[at])) {
		const struct string_entry *old = &entries(s)[number - 1];

		if (old->hash == e.hash && old->len == len &&
		    !memcmp(s->bytes.data + old->at, data, len))
			return number - 1;
		at = (at + 1) & s->mask;
	}
	e.at = (uint32_t)s->bytes.len;
	buf_put(&s->bytes, data, len);
	buf_put(&s->entries, &e, sizeof(e));
	if (buf_err(&s->entries) || buf_err(&s->bytes))
		return UINT32_MAX;
	slots(s)[at] = ++s->count;
	if (s->count > s->mask / 2 && grow(s))
		return UINT32_MAX;
	return s->count - 1;
}

uint32_t strings_place(struct strings *s, uint32_t number)
{
	struct string_entry *e;

	if (number >= s->count)
		return UINT32_MAX;
	e = &entries(s)[number];
	if (!e->place) {
		buf_put(&s->order, &number, sizeof(number));
		if (buf_err(&s->order))
			return UINT32_MAX;
		e->place = ++s->placed;
	}
	return e->place - 1;
}

const struct string_entry *strings_at(const struct strings *s, uint32_t place)
{
	return &entries(s)[((const uint32_t *)s->order.data)[place]];
}
