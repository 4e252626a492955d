// SPDX-License-Identifier: BSD-2-Clause
#include "account.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "hash.h"

/* Acquire: none of the counters that follow is older than this one. */
static uint64_t counter(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_ACQUIRE);
}

static void read_kernel(struct account_row *to, const struct account_row *from)
{
	to->submitted = counter(&from->submitted);
	to->lost_kernel = counter(&from->lost_kernel);
	to->filtered = counter(&from->filtered);
	to->shed = counter(&from->shed);
	to->missed = counter(&from->missed);
}

void account_read(struct account_row *to, const struct account_row *from)
{
	memcpy(to->source, from->source, sizeof(to->source));
	to->cpu = from->cpu;
	to->zero = 0;
	to->kept = counter(&from->kept);
	to->lost_archive = counter(&from->lost_archive);
	to->context = counter(&from->context);
	to->rejected = counter(&from->rejected);
	to->lost_main = counter(&from->lost_main);
	to->late = counter(&from->late);
	to->delivered = counter(&from->delivered);
	read_kernel(to, from);
}

void account_snapshot(struct account_row *to, const struct account_row *from,
		      size_t count, void (*refresh)(void *arg), void *arg)
{
	size_t i;

	for (i = 0; i < count; i++)
		account_read(&to[i], &from[i]);
	refresh(arg);
	for (i = 0; i < count; i++)
		read_kernel(&to[i], &from[i]);
}

uint64_t account_lost(const struct account_row *r)
{
	return r->lost_kernel + r->lost_main + r->lost_archive;
}

void account_add(struct account_row *to, const struct account_row *from)
{
	to->submitted += from->submitted;
	to->filtered += from->filtered;
	to->shed += from->shed;
	to->lost_kernel += from->lost_kernel;
	to->missed += from->missed;
	to->delivered += from->delivered;
	to->lost_main += from->lost_main;
	to->late += from->late;
	to->rejected += from->rejected;
	to->context += from->context;
	to->kept += from->kept;
	to->lost_archive += from->lost_archive;
}

static uint64_t passed_on(const struct account_row *r)
{
	return r->kept + r->rejected + r->lost_main + r->lost_archive;
}

int account_check(const struct account_row *r, int final, const char **why)
{
	const char *broken = NULL;

	if (r->delivered > r->submitted)
		broken = "more delivered than submitted";
	else if (final && r->delivered < r->submitted)
		broken = "submitted, but never delivered";
	else if (passed_on(r) > r->delivered)
		broken = "more kept, rejected and lost than delivered";
	else if (final && passed_on(r) < r->delivered)
		broken = "delivered, but neither kept, rejected nor lost";
	else if (r->context > r->rejected)
		broken = "more context than rejected";
	if (!broken)
		return 0;
	*why = broken;
	return -EBADMSG;
}

/* ---- rows by source and CPU ---------------------------------------------- */

#define SLOTS_MIN 256

static uint64_t hash_row(const struct account_map *m,
			 const struct account_row *r)
{
	uint64_t part[2] = {0}; /* zeros behind the name, whatever is there */

	strncpy((char *)part, r->source, sizeof(part));
	return hash_u64(hash_u64(part[0] ^ m->seed) ^ hash_u64(part[1]) ^
			r->cpu);
}

static bool is_row(const struct account_row *a, const struct account_row *b)
{
	return a->cpu == b->cpu &&
	       !strncmp(a->source, b->source, sizeof(a->source));
}

/* Where it is, or the free one where it belongs. */
static size_t slot_of(const struct account_map *m,
		      const struct account_row *rows,
		      const struct account_row *like)
{
	size_t at = hash_row(m, like) & (m->slots - 1);

	while (m->slot[at] && !is_row(&rows[m->slot[at] - 1], like))
		at = (at + 1) & (m->slots - 1);
	return at;
}

static int grow(struct account_map *m, const struct account_row *rows)
{
	struct account_map old = *m;
	size_t i;

	m->slots = old.slots ? 2 * old.slots : SLOTS_MIN;
	m->slot = calloc(m->slots, sizeof(*m->slot));
	if (!m->slot) {
		*m = old;
		return -ENOMEM;
	}
	if (!old.slots &&
	    getrandom(&m->seed, sizeof(m->seed), GRND_NONBLOCK) < 0)
		m->seed = (uintptr_t)m->slot;
	for (i = 0; i < old.slots; i++)
		if (old.slot[i])
			m->slot[slot_of(m, rows, &rows[old.slot[i] - 1])] =
				old.slot[i];
	free(old.slot);
	return 0;
}

size_t account_map_find(const struct account_map *m,
			const struct account_row *rows,
			const struct account_row *like)
{
	size_t at = m->slots ? slot_of(m, rows, like) : 0;

	return m->slots && m->slot[at] ? m->slot[at] - 1 : ACCOUNT_NO_ROW;
}

int account_map_add(struct account_map *m, const struct account_row *rows,
		    size_t i)
{
	if (2 * m->count >= m->slots && grow(m, rows))
		return -ENOMEM;
	m->slot[slot_of(m, rows, &rows[i])] = (uint32_t)i + 1;
	m->count++;
	return 0;
}

void account_map_done(struct account_map *m)
{
	free(m->slot);
	*m = (struct account_map){0};
}
