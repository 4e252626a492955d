// SPDX-License-Identifier: BSD-2-Clause
#include "fast_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define SLOTS_MIN 1024

static uint64_t hash_of(const void *data, size_t len)
{
	const uint8_t *p = data;
	uint64_t h = len, word;

	for (; len >= sizeof(word); len -= sizeof(word), p += sizeof(word)) {
		memcpy(&word, p, sizeof(word));
		h = hash_u64(h ^ word);
	}
	word = 0;
	if (len)
		memcpy(&word, p, len);
	return hash_u64(h ^ word);
}

static int grow_slots(struct fast_texts *t)
{
	uint32_t slots = t->slots ? t->slots * 2 : SLOTS_MIN, i, at;
	uint32_t *slot = calloc(slots, sizeof(*slot));

	if (!slot)
		return -ENOMEM;
	for (i = 1; i < t->count; i++) {
		at = (uint32_t)t->hash[i] & (slots - 1);
		while (slot[at])
			at = (at + 1) & (slots - 1);
		slot[at] = i;
	}
	free(t->slot);
	t->slot = slot;
	t->slots = slots;
	return 0;
}

static int grow(struct fast_texts *t)
{
	uint32_t cap = t->cap ? t->cap * 2 : SLOTS_MIN;
	void *text, *hash;

	if (t->count >= t->slots / 2 && grow_slots(t))
		return -ENOMEM;
	if (t->count < t->cap)
		return 0;
	text = reallocarray(t->text, cap, sizeof(*t->text));
	if (text)
		t->text = text;
	hash = reallocarray(t->hash, cap, sizeof(*t->hash));
	if (hash)
		t->hash = hash;
	if (!text || !hash)
		return -ENOMEM;
	t->cap = cap;
	if (!t->count) /* what stands for none */
		t->text[t->count++] = (struct fast_text){"", 0};
	return 0;
}

static int add(struct fast_texts *t, const void *data, size_t len,
	       uint64_t hash, uint32_t *slot)
{
	uint64_t max = t->bytes_max ? t->bytes_max : FAST_TEXT_BYTES;
	char *copy;

	t->bytes += len + 1;
	if (t->bytes > max || t->count > UINT32_MAX / 4)
		return -EOPNOTSUPP;
	copy = arena_copy(&t->arena, data, len);
	if (!copy)
		return -ENOMEM;
	t->text[t->count] = (struct fast_text){copy, (uint32_t)len};
	t->hash[t->count] = hash;
	*slot = t->count++;
	return 0;
}

int fast_texts_number(struct fast_texts *t, const void *data, size_t len,
		      uint32_t *ret)
{
	uint64_t hash = hash_of(data, len);
	const struct fast_text *text;
	uint32_t *slot;
	int err = grow(t);

	if (err)
		return err;
	slot = &t->slot[hash & (t->slots - 1)];
	while (*slot) {
		text = &t->text[*slot];
		if (t->hash[*slot] == hash && text->len == len &&
		    !memcmp(text->data, data, len))
			break;
		slot = &t->slot[(slot - t->slot + 1) & (t->slots - 1)];
	}
	if (!*slot)
		err = add(t, data, len, hash, slot);
	*ret = *slot;
	return err;
}

int fast_text_compare(const struct fast_text *a, const struct fast_text *b)
{
	uint32_t len = a->len < b->len ? a->len : b->len;
	int rc = memcmp(a->data, b->data, len);

	return rc ? rc : (a->len > b->len) - (a->len < b->len);
}

void fast_texts_done(struct fast_texts *t)
{
	arena_done(&t->arena);
	free(t->text);
	free(t->hash);
	free(t->slot);
	memset(t, 0, sizeof(*t));
}
