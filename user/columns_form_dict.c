// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "columns_form_parts.h"

/* ---- dictionaries ----------------------------------------------------------
 */

#define DICT_MAX   1024 /* distinct numbers at most */
#define DICT_SLOTS 4096 /* of the hash table: a power of two */

/* Open addressing. What is of an earlier @round is a free slot. */
struct dict {
	struct {
		uint64_t key;
		uint32_t round;
		uint32_t number; /* by first use */
	} slot[DICT_SLOTS];
	uint64_t value[DICT_MAX]; /* by rank */
	uint16_t rank[DICT_MAX];  /* by number */
	uint32_t now;
	size_t count;
	uint64_t factor; /* odd, and random: anybody chooses numbers */
};

static inline size_t dict_slot(const struct dict *d, uint64_t x)
{
	size_t at = (x * d->factor) >> 52; /* 12 bits: DICT_SLOTS */

	while (d->slot[at].round == d->now && d->slot[at].key != x)
		at = (at + 1) & (DICT_SLOTS - 1);
	return at;
}

static struct dict *dict_begin(struct packer *p)
{
	struct dict *d = (struct dict *)p->dict.data;

	if (!d) {
		d = buf_space(&p->dict, sizeof(*d));
		if (!d)
			return NULL;
		memset(d, 0, sizeof(*d));
		if (getrandom(&d->factor, sizeof(d->factor), GRND_NONBLOCK) < 0)
			d->factor = 0x9e3779b97f4a7c15ULL; /* golden ratio */
		d->factor |= 1;
	}
	if (!++d->now) {
		memset(d->slot, 0, sizeof(d->slot));
		d->now = 1;
	}
	d->count = 0;
	return d;
}

/* The number of each value. Return: false when there are too many. */
static bool dict_fill(struct dict *d, const uint64_t *v, size_t n,
		      uint16_t *number)
{
	size_t max = n / 2 < DICT_MAX ? n / 2 : DICT_MAX, i;

	for (i = 0; i < n; i++) {
		size_t at;

		if (i && v[i] == v[i - 1]) {
			number[i] = number[i - 1];
			continue;
		}
		at = dict_slot(d, v[i]);
		if (d->slot[at].round != d->now) {
			if (d->count == max)
				return false;
			d->slot[at].round = d->now;
			d->slot[at].key = v[i];
			d->slot[at].number = (uint32_t)d->count;
			d->value[d->count++] = v[i];
		}
		number[i] = (uint16_t)d->slot[at].number;
	}
	return true;
}

static int by_value(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/*
 * Sort; a value's rank is what stands for it. In a hurry it is the order of
 * first use: readers do not mind.
 */
static void dict_sort(struct dict *d, bool hurry)
{
	size_t i;

	for (i = 0; i < d->count && hurry; i++)
		d->rank[i] = (uint16_t)i;
	if (hurry)
		return;
	qsort(d->value, d->count, sizeof(*d->value), by_value);
	for (i = 0; i < d->count; i++)
		d->rank[d->slot[dict_slot(d, d->value[i])].number] =
			(uint16_t)i;
}

static void put_index(struct packer *p, const struct dict *d,
		      const uint16_t *number, size_t n, struct buf *to)
{
	uint8_t *low = scratch(&p->bytes, 2 * n, 1), *high = low + n;
	size_t i;

	if (!low) {
		latch(to);
		return;
	}
	for (i = 0; i < n; i++)
		low[i] = (uint8_t)d->rank[number[i]];
	chunk_put(p, low, n, to);
	if (d->count <= 256)
		return;
	for (i = 0; i < n; i++)
		high[i] = (uint8_t)(d->rank[number[i]] >> 8);
	chunk_put(p, high, n, to);
}

bool put_dict(struct packer *p, const uint64_t *v, size_t n,
	      struct column_head *h, struct buf *to)
{
	uint16_t *number = scratch(&p->table, n, sizeof(*number));
	struct dict *d = dict_begin(p);
	uint64_t *step;
	size_t i;

	if (!d || !number || !dict_fill(d, v, n, number))
		return false;
	dict_sort(d, p->hurry);
	step = scratch(&p->words, d->count, sizeof(*step));
	if (!step)
		return false;
	*h = (struct column_head){FORM_DICT, d->count > 256 ? 2 : 1, d->count};
	for (i = 0; i < d->count; i++)
		step[i] = d->value[i] - (i ? d->value[i - 1] : 0);
	column_put_within(p, step, d->count, FORM_PLANES, to);
	put_index(p, d, number, n, to);
	return true;
}

/* Return: false when some index is none. */
static bool look_up(const uint64_t *value, size_t count, const uint8_t *low,
		    const uint8_t *high, uint64_t *v, size_t n)
{
	bool bad = false;
	size_t i, k;

	for (i = 0; i < n; i++) {
		k = (size_t)low[i] | (size_t)high[i] << 8;
		bad |= k >= count;
		v[i] = value[k < count ? k : 0];
	}
	return !bad;
}

int get_dict(struct packer *p, const struct column_head *h, struct cursor *c,
	     uint64_t *v, size_t n)
{
	size_t i, count = h->base;
	uint64_t *value;
	uint8_t *low;
	int err;

	if (!count || count > n || count > DICT_MAX || h->width < 1 ||
	    h->width > 2)
		return -EBADMSG;
	value = scratch(&p->table, count, sizeof(*value));
	if (!value)
		return -ENOMEM;
	err = column_get_within(p, c, value, count);
	low = scratch(&p->bytes, 2 * n, 1);
	if (!err)
		err = low ? chunk_get(p, c, low, n) : -ENOMEM;
	if (!err && h->width > 1)
		err = chunk_get(p, c, low + n, n);
	if (err)
		return err;
	if (h->width == 1)
		memset(low + n, 0, n);
	for (i = 1; i < count; i++)
		value[i] += value[i - 1];
	return look_up(value, count, low, low + n, v, n) ? 0 : -EBADMSG;
}

/* ---- runs ------------------------------------------------------------------
 */

/* Return: how many there are; more than @max when there are more. */
static size_t count_runs(const uint64_t *v, size_t n, size_t max)
{
	size_t i, count = n != 0;

	for (i = 1; i < n && count <= max; i++)
		count += v[i] != v[i - 1];
	return count;
}

bool put_runs(struct packer *p, const uint64_t *v, size_t n,
	      struct column_head *h, struct buf *to)
{
	size_t count = count_runs(v, n, n / 4), i, k = 0;
	uint64_t *value, *length;

	if (count > n / 4)
		return false;
	value = scratch(&p->table, 2 * count, sizeof(*value));
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

int get_runs(struct packer *p, const struct column_head *h, struct cursor *c,
	     uint64_t *v, size_t n)
{
	size_t count = h->base, i, k, at = 0;
	uint64_t *value, *length;
	int err;

	if (count > n)
		return -EBADMSG;
	value = scratch(&p->table, 2 * count, sizeof(*value));
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
