// SPDX-License-Identifier: BSD-2-Clause
#include "columns_strings.h"

#include <errno.h>
#include <string.h>

#include "hash.h"

#define SLOTS_MIN 4096 /* a power of two */

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
	return clear_slots(s, SLOTS_MIN);
}

void strings_done(struct strings *s)
{
	buf_done(&s->entries);
	buf_done(&s->slots);
	buf_done(&s->bytes);
	buf_done(&s->order);
}

static uint32_t hash_bytes(const char *data, uint32_t len)
{
	uint64_t h = len * 0x9e3779b97f4a7c15ULL, x;
	uint32_t i;

	for (i = 0; i + sizeof(x) <= len; i += sizeof(x)) {
		memcpy(&x, data + i, sizeof(x));
		h = ((h << 5 | h >> 59) ^ x) * 0x9fb21c651e98df25ULL;
	}
	for (x = 0; i < len; i++)
		x = x << 8 | (uint8_t)data[i];
	return (uint32_t)hash_u64(h ^ x);
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
	struct string_entry e = {0, len, hash_bytes(data, len), 0};
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
