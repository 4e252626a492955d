// SPDX-License-Identifier: BSD-2-Clause
#include "filter_cnf.h"

#include <stddef.h>
#include <string.h>

struct cnf cnf_constant(bool always)
{
	return (struct cnf){.exact = true, .never = !always};
}

struct cnf cnf_unknown(void)
{
	return (struct cnf){0};
}

static bool is_always(struct cnf c)
{
	return !c.count && c.exact && !c.never;
}

static void push(struct cnf *c, struct group *g)
{
	g->next = c->first;
	c->first = g;
	c->count++;
}

struct cnf cnf_clause(struct arena *arena, const struct weir_clause *clause)
{
	struct cnf c = {.exact = true};
	struct group *g = arena_alloc(arena, sizeof(*g));

	if (!g)
		return cnf_unknown();
	g->count = 1;
	g->clauses[0] = *clause;
	push(&c, g);
	return c;
}

struct cnf cnf_and(struct cnf a, struct cnf b)
{
	struct group *g;

	if (a.never || b.never)
		return cnf_constant(false);
	a.exact = a.exact && b.exact;
	while (b.first) {
		g = b.first;
		b.first = g->next;
		if (a.count == CNF_GROUPS)
			a.exact = false;
		else
			push(&a, g);
	}
	return a;
}

/* All alternatives of both; NULL when they are too many. */
static struct group *join(struct arena *arena, const struct group *a,
			  const struct group *b)
{
	struct group *g;

	if (a->count + b->count > WEIR_CLAUSES)
		return NULL;
	g = arena_alloc(arena, sizeof(*g));
	if (!g)
		return NULL;
	g->count = a->count + b->count;
	memcpy(g->clauses, a->clauses, a->count * sizeof(*g->clauses));
	memcpy(g->clauses + a->count, b->clauses,
	       b->count * sizeof(*g->clauses));
	return g;
}

/* (A and B) or (C and D): (A or C) and (A or D) and (B or C) and (B or D) */
struct cnf cnf_or(struct arena *arena, struct cnf a, struct cnf b)
{
	struct cnf c = {.exact = a.exact && b.exact};
	const struct group *x, *y;
	struct group *g;

	if (a.never || is_always(b))
		return b;
	if (b.never || is_always(a))
		return a;
	for (x = a.first; x; x = x->next) {
		for (y = b.first; y; y = y->next) {
			g = c.count < CNF_GROUPS ? join(arena, x, y) : NULL;
			if (g)
				push(&c, g);
			else
				c.exact = false;
		}
	}
	return c;
}

/* Reads of the record are cheapest, look-ups in a map dear. */
static unsigned cost(const struct group *g)
{
	unsigned i, sum = 0;

	for (i = 0; i < g->count; i++) {
		sum += 1;
		if (g->clauses[i].flags & WEIR_CLAUSE_COMM)
			sum += 8;
		if (g->clauses[i].flags & WEIR_CLAUSE_SET)
			sum += 64;
	}
	return sum;
}

static struct group *take_cheapest(struct cnf *c)
{
	struct group **p, **best = &c->first, *g;

	for (p = &c->first; *p; p = &(*p)->next)
		if (cost(*p) <= cost(*best)) /* of equals the first pushed */
			best = p;
	g = *best;
	*best = g->next;
	return g;
}

bool cnf_flatten(struct cnf c, struct weir_clause *ret, unsigned max)
{
	bool all = true;
	unsigned i, n = 0;
	struct group *g;

	while (c.first) {
		g = take_cheapest(&c);
		if (n + g->count > max) {
			all = false;
			continue;
		}
		for (i = 0; i < g->count; i++) {
			ret[n] = g->clauses[i];
			ret[n++].flags |= WEIR_CLAUSE_USED;
		}
		ret[n - 1].flags |= WEIR_CLAUSE_LAST;
	}
	return all;
}
