// SPDX-License-Identifier: BSD-2-Clause
#include "fast_agg.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"
#include "sums.h"

#define GROUPS_MIN 64
#define HIST_BYTES (24U << 10) /* of one, as a rule */

/* Rows of a batch that are to be counted. */
struct chosen {
	struct fast_eval *e;
	const uint32_t *rows; /* or NULL: all */
	uint32_t count;
	const struct columns_turn *weight;
	bool one; /* they are all of group[0] */
};

static uint32_t row_at(const struct chosen *c, uint32_t i)
{
	return c->rows ? c->rows[i] : i;
}

/* ---- groups -------------------------------------------------------------- */

static uint64_t hash_key(const struct fast_groups *g, const int64_t *key,
			 const uint8_t *null)
{
	uint64_t h = 0;
	unsigned i;

	for (i = 0; i < g->q->keys; i++)
		h = hash_u64(h * 31 + (uint64_t)key[i] + null[i]);
	return h;
}

static size_t bytes_of(const struct fast_groups *g, uint32_t cap)
{
	return (size_t)cap *
		       (sizeof(*g->key) + sizeof(*g->null) +
			g->q->aggs * sizeof(*g->cell) + 2 * sizeof(*g->slot)) +
	       (size_t)g->hists * HIST_BYTES;
}

static int grow(struct fast_groups *g)
{
	uint32_t cap = g->cap ? g->cap * 2 : GROUPS_MIN, i, at;
	unsigned aggs = g->q->aggs ? g->q->aggs : 1;
	void *key = reallocarray(g->key, cap, sizeof(*g->key));
	void *null = reallocarray(g->null, cap, sizeof(*g->null));
	void *cell = reallocarray(g->cell, cap * (size_t)aggs,
				  sizeof(*g->cell));

	g->key = key ? key : g->key;
	g->null = null ? null : g->null;
	g->cell = cell ? cell : g->cell;
	free(g->slot);
	g->slots = cap * 2;
	g->slot = calloc(g->slots, sizeof(*g->slot));
	if (!key || !null || !cell || !g->slot)
		return -ENOMEM;
	if (bytes_of(g, cap) > g->bytes_max)
		return -EOPNOTSUPP;
	g->cap = cap;
	for (i = 0; i < g->count; i++) {
		at = (uint32_t)hash_key(g, g->key[i], g->null[i]) &
		     (g->slots - 1);
		while (g->slot[at])
			at = (at + 1) & (g->slots - 1);
		g->slot[at] = i + 1;
	}
	return 0;
}

static bool is_same(const struct fast_groups *g, uint32_t i, const int64_t *key,
		    const uint8_t *null)
{
	size_t n = g->q->keys;

	return !memcmp(g->key[i], key, n * sizeof(*key)) &&
	       !memcmp(g->null[i], null, n);
}

int fast_groups_find(struct fast_groups *g, const int64_t *key,
		     const uint8_t *null, uint32_t *ret)
{
	unsigned n = g->q->keys;
	uint32_t at;
	int err = g->count == g->cap ? grow(g) : 0;

	if (err)
		return err;
	at = (uint32_t)hash_key(g, key, null) & (g->slots - 1);
	while (g->slot[at] && !is_same(g, g->slot[at] - 1, key, null))
		at = (at + 1) & (g->slots - 1);
	if (!g->slot[at]) {
		memcpy(g->key[g->count], key, n * sizeof(*key));
		memcpy(g->null[g->count], null, n);
		memset(&g->cell[(size_t)g->count * g->q->aggs], 0,
		       g->q->aggs * sizeof(*g->cell));
		g->slot[at] = ++g->count;
	}
	*ret = g->slot[at] - 1;
	return 0;
}

/* ---- keys of a batch ----------------------------------------------------- */

static int key_at(struct fast_groups *g, const struct chosen *c, unsigned k,
		  const struct fast_vector *v, uint32_t row, int64_t *key,
		  uint8_t *null)
{
	const struct fast_expr *x = g->q->key[k];
	uint32_t number;
	int err;

	if (fast_expr_text(g->q, x)) {
		err = fast_eval_number(c->e, x, v, row, &number);
		*key = number;
		*null = !number;
		return err;
	}
	*null = v->same ? v->null : v->nulls && v->nulls[row];
	*key = *null ? 0 : v->same ? v->one : v->v[row];
	return 0;
}

static int keys_at(struct fast_groups *g, const struct chosen *c,
		   const struct fast_vector *v, uint32_t row, uint32_t *ret)
{
	int64_t key[FAST_KEYS];
	uint8_t null[FAST_KEYS];
	unsigned k;
	int err = 0;

	for (k = 0; k < g->q->keys && !err; k++)
		err = key_at(g, c, k, &v[k], row, &key[k], &null[k]);
	return err ? err : fast_groups_find(g, key, null, ret);
}

/* Has the row the same keys as the one before it? */
static bool repeats(const struct fast_groups *g, const struct fast_vector *v,
		    uint32_t row, uint32_t last)
{
	unsigned k;

	for (k = 0; k < g->q->keys; k++) {
		if (v[k].same)
			continue;
		if (v[k].v[row] != v[k].v[last] ||
		    (v[k].nulls && v[k].nulls[row] != v[k].nulls[last]))
			return false;
	}
	return true;
}

/*
 * Groups of the batch, by what the columns hold: texts need not be looked up
 * again, nor anything of them be compared.
 */
#define RECENT 1024

struct fast_recent {
	int64_t v[2];
	uint32_t batch, group;
};

/* The columns that tell keys apart, when two are enough. */
struct telling {
	const int64_t *v[2]; /* NULL: there are more */
};

static struct telling find_telling(const struct fast_groups *g,
				   const struct fast_vector *v)
{
	struct telling t = {{NULL, NULL}};
	unsigned k, n = 0;

	for (k = 0; k < g->q->keys; k++) {
		if (v[k].same)
			continue;
		if (v[k].nulls || n == 2)
			return (struct telling){{NULL, NULL}};
		t.v[n++] = v[k].v;
	}
	if (n == 1)
		t.v[1] = t.v[0];
	return t;
}

static inline struct fast_recent *recent_at(struct fast_groups *g, int64_t a,
					    int64_t b)
{
	return &g->recent[hash_u64((uint64_t)a + (uint64_t)b * 31) % RECENT];
}

static int group_at(struct fast_groups *g, const struct chosen *c,
		    const struct fast_vector *v, const struct telling *t,
		    uint32_t row, uint32_t *ret)
{
	struct fast_recent *r;
	int err;

	if (!t->v[0])
		return keys_at(g, c, v, row, ret);
	r = recent_at(g, t->v[0][row], t->v[1][row]);
	if (r->batch == g->batch && r->v[0] == t->v[0][row] &&
	    r->v[1] == t->v[1][row]) {
		*ret = r->group;
		return 0;
	}
	err = keys_at(g, c, v, row, ret);
	if (!err)
		*r = (struct fast_recent){
			{t->v[0][row], t->v[1][row]}, g->batch, *ret};
	return err;
}

static int room_for_groups(struct fast_groups *g, uint32_t count)
{
	void *p;

	if (count <= g->group_room)
		return 0;
	p = reallocarray(g->group, count, sizeof(*g->group));
	if (!p)
		return -ENOMEM;
	g->group = p;
	g->group_room = count;
	return 0;
}

static int find_groups(struct fast_groups *g, struct chosen *c)
{
	struct fast_vector v[FAST_KEYS];
	struct telling t;
	uint32_t i, last = 0;
	unsigned k;
	int err = room_for_groups(g, c->count);

	c->one = true;
	for (k = 0; k < g->q->keys && !err; k++) {
		err = fast_eval_value(c->e, g->q->key[k], &v[k]);
		c->one &= !err && v[k].same;
	}
	if (!err)
		err = keys_at(g, c, v, row_at(c, 0), &g->group[0]);
	last = row_at(c, 0);
	if (err || c->one)
		return err;
	t = find_telling(g, v);
	g->batch++;
	for (i = 1; i < c->count && !err; i++) {
		uint32_t row = row_at(c, i);

		if (repeats(g, v, row, last))
			g->group[i] = g->group[i - 1];
		else
			err = group_at(g, c, v, &t, row, &g->group[i]);
		last = row;
	}
	return err;
}

/* ---- aggregates ---------------------------------------------------------- */

static struct fast_cell *cell_at(const struct fast_groups *g,
				 const struct chosen *c, unsigned agg,
				 uint32_t i)
{
	return &g->cell[(size_t)g->group[c->one ? 0 : i] * g->q->aggs + agg];
}

static void count_all(struct fast_groups *g, const struct chosen *c,
		      unsigned agg)
{
	uint32_t i;

	if (c->one && !c->weight) {
		cell_at(g, c, agg, 0)->count += c->count;
		return;
	}
	for (i = 0; i < c->count; i++)
		cell_at(g, c, agg, i)->count +=
			c->weight ? c->weight[row_at(c, i)].rows : 1;
}

static void add_number(struct fast_cell *cell, int64_t v)
{
	if (!cell->count++ || v < cell->min)
		cell->min = v;
	if (cell->count == 1 || v > cell->max)
		cell->max = v;
	if (v < 0)
		cell->below += v;
	else
		cell->above += v;
}

int fast_groups_hist(struct fast_groups *g, struct fast_cell *cell)
{
	if (cell->hist)
		return 0;
	if (bytes_of(g, g->cap) > g->bytes_max)
		return -EOPNOTSUPP;
	cell->hist = calloc(1, sizeof(*cell->hist));
	g->hists++;
	return cell->hist ? 0 : -ENOMEM;
}

/* Of negative numbers SQLite is told that they are wrong. */
static int add_hist(struct fast_groups *g, struct fast_cell *cell,
		    const int64_t *v, uint32_t n)
{
	int err = fast_groups_hist(g, cell);

	cell->count += n;
	if (!err)
		err = hist_add_all(cell->hist, (const uint64_t *)v, n);
	return !err && cell->hist->max >> 63 ? -EOPNOTSUPP : err;
}

/* All rows, of one group, none of them NULL. Return: false: one by one. */
static bool add_plain(struct fast_cell *cell, const int64_t *v, uint32_t n)
{
	struct sums s = sums_of((const uint64_t *)v, n);

	if (!sums_hold(&s, n))
		return false;
	if (!cell->count || (int64_t)s.min < cell->min)
		cell->min = (int64_t)s.min;
	if (!cell->count || (int64_t)s.max > cell->max)
		cell->max = (int64_t)s.max;
	cell->count += n;
	cell->above += (int64_t)s.sum;
	return true;
}

static int add_one(struct fast_groups *g, unsigned agg, struct fast_cell *cell,
		   int64_t v)
{
	if (g->q->agg[agg].function == FAST_QUANTILE)
		return add_hist(g, cell, &v, 1);
	add_number(cell, v);
	return 0;
}

static int add_numbers(struct fast_groups *g, const struct chosen *c,
		       unsigned agg, const struct fast_vector *v)
{
	bool hist = g->q->agg[agg].function == FAST_QUANTILE;
	bool plain = c->one && !c->rows && !v->same && !v->nulls;
	struct fast_cell *first = cell_at(g, c, agg, 0);
	uint32_t i, row;
	int err = 0;

	if (plain && hist)
		return add_hist(g, first, v->v, c->count);
	if (plain && add_plain(first, v->v, c->count))
		return 0;
	for (i = 0; i < c->count && !err; i++) {
		row = row_at(c, i);
		if (v->same ? !v->null : !(v->nulls && v->nulls[row]))
			err = add_one(g, agg, cell_at(g, c, agg, i),
				      v->same ? v->one : v->v[row]);
	}
	return err;
}

static void add_text(const struct fast_groups *g, struct fast_cell *cell,
		     uint32_t number)
{
	const struct fast_text *t = g->texts->text;

	if (!cell->count++ || fast_text_compare(&t[number], &t[cell->min]) < 0)
		cell->min = number;
	if (cell->count == 1 ||
	    fast_text_compare(&t[number], &t[cell->max]) > 0)
		cell->max = number;
}

static int add_texts(struct fast_groups *g, const struct chosen *c,
		     unsigned agg, const struct fast_vector *v)
{
	const struct fast_expr *x = g->q->agg[agg].what;
	uint32_t i, number;
	int err = 0;

	for (i = 0; i < c->count && !err; i++) {
		err = fast_eval_number(c->e, x, v, row_at(c, i), &number);
		if (!err && number)
			add_text(g, cell_at(g, c, agg, i), number);
	}
	return err;
}

static int add_agg(struct fast_groups *g, const struct chosen *c, unsigned agg)
{
	const struct fast_agg *a = &g->q->agg[agg];
	struct fast_vector v;
	int err;

	if (!a->what) {
		count_all(g, c, agg);
		return 0;
	}
	err = fast_eval_value(c->e, a->what, &v);
	if (err)
		return err;
	return fast_expr_text(g->q, a->what) ? add_texts(g, c, agg, &v)
					     : add_numbers(g, c, agg, &v);
}

int fast_groups_add(struct fast_groups *g, struct fast_eval *e,
		    const uint32_t *rows, uint32_t count,
		    const struct columns_turn *weight)
{
	struct chosen c = {e, rows, count, weight, false};
	unsigned i;
	int err;

	if (!count)
		return 0;
	err = find_groups(g, &c);
	for (i = 0; i < g->q->aggs && !err; i++)
		err = add_agg(g, &c, i);
	return err;
}

/* ---- order --------------------------------------------------------------- */

/* NULL is before all others. */
static int compare_key(const struct fast_groups *g, unsigned k, uint32_t a,
		       uint32_t b)
{
	int64_t x = g->key[a][k], y = g->key[b][k];

	if (g->null[a][k] || g->null[b][k])
		return g->null[b][k] - g->null[a][k];
	if (fast_expr_text(g->q, g->q->key[k]))
		return fast_text_compare(&g->texts->text[x],
					 &g->texts->text[y]);
	return (x > y) - (x < y);
}

static int by_keys(const void *x, const void *y, void *arg)
{
	const struct fast_groups *g = arg;
	uint32_t a = *(const uint32_t *)x, b = *(const uint32_t *)y;
	unsigned k;
	int rc;

	for (k = 0; k < g->q->keys; k++) {
		rc = compare_key(g, k, a, b);
		if (rc)
			return g->q->descending[k] ? -rc : rc;
	}
	return 0;
}

int fast_groups_sort(struct fast_groups *g)
{
	uint32_t i;

	g->order = calloc(g->count + 1, sizeof(*g->order));
	if (!g->order)
		return -ENOMEM;
	for (i = 0; i < g->count; i++)
		g->order[i] = i;
	qsort_r(g->order, g->count, sizeof(*g->order), by_keys, g);
	return 0;
}

/* ---- life ---------------------------------------------------------------- */

int fast_groups_init(struct fast_groups *g, const struct fast_query *q,
		     struct fast_texts *texts)
{
	int64_t key[FAST_KEYS] = {0};
	uint8_t null[FAST_KEYS] = {0};
	uint32_t all;

	memset(g, 0, sizeof(*g));
	g->q = q;
	g->texts = texts;
	g->bytes_max = FAST_AGG_BYTES;
	g->recent = calloc(RECENT, sizeof(*g->recent));
	if (!g->recent)
		return -ENOMEM;
	if (q->keys)
		return 0;
	/* without keys there is one group, even of no rows */
	return fast_groups_find(g, key, null, &all);
}

static void free_hists(struct fast_groups *g)
{
	size_t i;

	for (i = 0; i < (size_t)g->count * g->q->aggs; i++) {
		if (g->cell[i].hist)
			hist_done(g->cell[i].hist);
		free(g->cell[i].hist);
	}
}

void fast_groups_done(struct fast_groups *g)
{
	if (g->q && g->cell)
		free_hists(g);
	free(g->key);
	free(g->null);
	free(g->cell);
	free(g->slot);
	free(g->order);
	free(g->group);
	free(g->recent);
	memset(g, 0, sizeof(*g));
}
