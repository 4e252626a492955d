// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_write.h"

#define CPUS	   65536 /* weir_hdr.cpu */
#define AHEAD	   2048	 /* bytes to fetch before they are looked at */
#define GROUP_ROWS 512	 /* keys with fewer have no group of their own */
#define SLOTS_MIN  512

/* What is known of kinds and CPUs while records are looked at. */
struct scan {
	struct writing *w;
	uint16_t part_of[SCHEMA_KINDS_MAX]; /* plus one */
	uint16_t *run_of;		    /* CPUS of them, plus one */
};

/* ---- kinds and keys ------------------------------------------------------ */

/* Do the strings follow the struct, in order, and nothing else? */
static inline bool fits(const struct plan *p, const struct weir_hdr *h)
{
	unsigned end = p->size, i;

	if (h->len < end)
		return false;
	for (i = 0; i < p->str_count; i++) {
		struct weir_str s;

		memcpy(&s, (const char *)h + p->str[i], sizeof(s));
		if (s.len && s.off != end)
			return false;
		end += s.len;
	}
	return end == h->len;
}

/* Return: number of the part plus one; 0 no memory. */
static uint16_t add_part(struct scan *s, const struct plan *plan)
{
	size_t keys = plan->key >= 0 ? KEYS + 1 : 1;
	struct columns *c = s->w->c;
	uint32_t i = (uint32_t)c->head.parts;
	uint16_t *of_key = pool_zero(&c->block, keys, sizeof(*of_key));

	if (!of_key)
		return 0;
	c->head.parts++;
	c->part[i] = (struct part){
		.plan = plan, .kind = plan->kind, .check = plan->check};
	s->w->slots[i].of_key = of_key;
	return s->part_of[plan->kind] = (uint16_t)(i + 1);
}

static uint16_t add_slot(struct writing *w, uint32_t part, uint32_t key)
{
	uint32_t room = w->slot_room ? 2 * w->slot_room : SLOTS_MIN;
	struct slot *more;

	if (w->slot_count == w->slot_room) {
		if (w->slot_count >= SLOTS_MAX)
			return 0;
		more = pool_alloc(&w->c->block, room, sizeof(*more));
		if (!more)
			return 0;
		if (w->slot_count)
			memcpy(more, w->slot, w->slot_count * sizeof(*more));
		w->slot = more;
		w->slot_room = room;
	}
	w->slot[w->slot_count++] = (struct slot){.part = part, .key = key};
	return (uint16_t)w->slot_count;
}

static uint32_t key_of(const struct plan *plan, const struct weir_hdr *h)
{
	uint64_t key = load_number((const char *)h + plan->key_offset,
				   plan->key_size);

	return key < KEYS ? (uint32_t)key : KEYS;
}

/* Return: the record's slot plus one; 0 no memory. */
static inline uint16_t slot_for(struct scan *s, const struct weir_hdr *h)
{
	const struct plan *plan = plans_find(s->w->c->plans, h->kind);
	uint32_t part, key;
	uint16_t *slot;

	if (!plan || !plan->kind || !fits(plan, h))
		plan = plans_find(s->w->c->plans, PLAN_WHOLE);
	part = s->part_of[plan->kind];
	if (!part && !(part = add_part(s, plan)))
		return 0;
	key = plan->key >= 0 ? key_of(plan, h) : 0;
	slot = &s->w->slots[part - 1].of_key[key];
	if (!*slot)
		*slot = add_slot(s->w, part - 1, key);
	return *slot;
}

/* ---- CPUs ---------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* Runs in the order of their CPUs, not of their first event. */
static int sort_runs(struct scan *s)
{
	struct writing *w = s->w;
	uint32_t runs = (uint32_t)w->c->head.runs, i;
	uint16_t *now = pool_alloc(&w->c->block, runs, sizeof(*now));
	uint64_t *cpu = pool_alloc(&w->c->block, runs, sizeof(*cpu));
	uint64_t *rows = pool_zero(&w->c->block, runs, sizeof(*rows));

	if (!now || !cpu || !rows)
		return -ENOMEM;
	memcpy(cpu, w->cpu, runs * sizeof(*cpu));
	qsort(cpu, runs, sizeof(*cpu), by_number);
	for (i = 0; i < runs; i++)
		now[s->run_of[cpu[i]] - 1] = (uint16_t)i;
	for (i = 0; i < w->n; i++) {
		w->came[i].run = now[w->came[i].run];
		rows[w->came[i].run]++;
	}
	w->cpu = cpu;
	w->run_rows = rows;
	return 0;
}

/* ---- records ------------------------------------------------------------- */

/* Return: 0; -E2BIG; -ENOMEM. */
static int look_at(struct scan *s, const struct weir_hdr *h, struct came *r)
{
	struct writing *w = s->w;
	uint16_t *run = &s->run_of[h->cpu], slot = slot_for(s, h);

	if (!slot)
		return -ENOMEM;
	if (!*run) {
		if (w->c->head.runs + 1 >= UINT16_MAX)
			return -E2BIG;
		w->cpu[w->c->head.runs++] = h->cpu;
		*run = (uint16_t)w->c->head.runs;
	}
	w->slot[slot - 1].rows++;
	if (h->ts < w->c->head.base_ns)
		w->c->head.base_ns = h->ts;
	r->ts = h->ts;
	r->task = (uint64_t)h->pid << 32 | h->tid;
	r->run = (uint16_t)(*run - 1);
	r->slot = (uint16_t)(slot - 1);
	return 0;
}

static int look_at_all(struct scan *s, const struct buf *rows)
{
	struct writing *w = s->w;
	size_t at = 0;
	int err = 0;

	while (rows->len - at >= sizeof(struct weir_hdr) && !err) {
		const struct weir_hdr *h =
			(const struct weir_hdr *)(rows->data + at);
		size_t len = h->len;

		__builtin_prefetch(rows->data + at + AHEAD);
		if (len < sizeof(*h) || len > rows->len - at ||
		    w->n == ROWS_MAX)
			return -E2BIG;
		w->came[w->n].start = (uint32_t)at;
		err = look_at(s, h, &w->came[w->n++]);
		at += (len + ROW_ALIGN - 1) & ~(size_t)(ROW_ALIGN - 1);
		if (at > rows->len)
			return -E2BIG;
	}
	return err ? err : at == rows->len && w->n ? 0 : -E2BIG;
}

static size_t rows_at_most(const struct buf *rows)
{
	size_t n = rows->len / sizeof(struct weir_hdr) + 1;

	return n < ROWS_MAX ? n : ROWS_MAX;
}

/* ---- groups -------------------------------------------------------------- */

static uint32_t own_groups(const struct writing *w, uint32_t part)
{
	uint32_t i, n = 0;

	for (i = 0; i < w->slot_count; i++)
		n += w->slot[i].part == part && w->slot[i].key < KEYS &&
		     w->slot[i].rows >= GROUP_ROWS;
	return n;
}

/* Keys with many rows get a group each; the others share the last one. */
static int group_part(struct writing *w, uint32_t part)
{
	struct columns *c = w->c;
	struct part *p = &c->part[part];
	bool keyed = p->plan->key >= 0;
	uint32_t own = keyed ? own_groups(w, part) : 0, i, k = 0, rest = 0;

	p->first_group = c->group_count;
	p->group_count = own + 1;
	p->group = pool_zero(&c->block, own + 1, sizeof(*p->group));
	if (!p->group)
		return -ENOMEM;
	for (i = 0; i <= (keyed ? KEYS : 0); i++) {
		uint16_t slot = w->slots[part].of_key[i];
		struct slot *s = &w->slot[slot - !!slot];

		if (!slot)
			continue;
		p->rows += s->rows;
		s->is_context = p->plan->is_context;
		if (!keyed || i == KEYS || s->rows < GROUP_ROWS) {
			s->group = p->first_group + own;
			rest += s->rows;
			continue;
		}
		s->group = p->first_group + k;
		p->group[k++] = (struct group){.key = i, .rows = s->rows};
	}
	p->group[own].rows = rest;
	c->group_count += own + 1;
	return c->group_count < GROUPS_MAX ? 0 : -E2BIG;
}

/* ---- all of it ----------------------------------------------------------- */

int write_scan(struct writing *w, const struct buf *rows)
{
	struct pool *p = &w->c->block;
	struct scan s = {.w = w};
	uint32_t i;
	int err;

	w->rows = rows->data;
	w->c->head.base_ns = UINT64_MAX;
	w->came = pool_alloc(p, rows_at_most(rows), sizeof(*w->came));
	w->cpu = pool_alloc(p, rows_at_most(rows), sizeof(*w->cpu));
	s.run_of = pool_zero(p, CPUS, sizeof(*s.run_of));
	if (!w->came || !w->cpu || !s.run_of)
		return -ENOMEM;
	err = look_at_all(&s, rows);
	if (!err)
		err = sort_runs(&s);
	for (i = 0; i < w->c->head.parts && !err; i++)
		err = group_part(w, i);
	w->c->head.rows = w->n;
	return err;
}
