// SPDX-License-Identifier: BSD-2-Clause
#include "verify_account.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "losses.h"
#include "segment.h"

#define TALLY_CPUS                                                             \
	8192 /* more than Linux has (NR_CPUS); one slot for others             \
	      */

static void forget_tallies(struct verify_account *v)
{
	unsigned i;

	memset(v->all_matched, 0, sizeof(v->all_matched));
	for (i = 0; i < SCHEMA_SOURCES_MAX; i++)
		if (v->tally[i])
			memset(v->tally[i], 0,
			       v->cpus[i] * sizeof(*v->tally[i]));
}

void verify_account_done(struct verify_account *v)
{
	unsigned i;

	for (i = 0; i < SCHEMA_SOURCES_MAX; i++)
		free(v->tally[i]);
	free(v->base);
	account_map_done(&v->base_map);
	*v = (struct verify_account){0};
}

void verify_account_begin(struct verify_account *v, const struct schema *schema)
{
	free(v->base);
	account_map_done(&v->base_map);
	v->base = NULL;
	v->base_count = 0;
	v->base_known = false;
	forget_tallies(v);
	verify_account_continue(v, schema);
}

void verify_account_continue(struct verify_account *v,
			     const struct schema *schema)
{
	v->schema = schema;
	losses_map(schema, v->source_of);
}

static int grow(struct verify_account *v, unsigned source, unsigned cpu)
{
	uint32_t cpus = cpu < 16 ? 16 : (cpu | (cpu >> 1)) + 1;
	struct tally *t;

	t = reallocarray(v->tally[source], cpus, sizeof(*t));
	if (!t)
		return -ENOMEM;
	memset(t + v->cpus[source], 0, (cpus - v->cpus[source]) * sizeof(*t));
	v->tally[source] = t;
	v->cpus[source] = cpus;
	return 0;
}

int verify_account_event(struct verify_account *v, const struct weir_hdr *h)
{
	unsigned source = v->source_of[h->kind % SCHEMA_KINDS_MAX];
	unsigned cpu = h->cpu < TALLY_CPUS ? h->cpu : TALLY_CPUS;

	if (cpu >= v->cpus[source] && grow(v, source, cpu))
		return -ENOMEM;
	if (h->flags & WEIR_F_CONTEXT)
		v->tally[source][cpu].context++;
	else
		v->tally[source][cpu].kept++;
	return 0;
}

/* ---- comparing --------------------------------------------------------- */

struct comparison {
	struct verify_account *v;
	void (*fn)(void *arg, const struct account_row *r, const char *what,
		   uint64_t missing);
	void *arg;
};

static const struct account_row *base_of(const struct verify_account *v,
					 const struct account_row *r)
{
	static const struct account_row none;
	size_t i = account_map_find(&v->base_map, v->base, r);

	return i == ACCOUNT_NO_ROW ? &none : &v->base[i];
}

static void take_one(struct tally *sum, struct tally *t)
{
	if (t->matched)
		return;
	sum->kept += t->kept;
	sum->context += t->context;
	t->matched = true;
}

/* Its own events; of ACCOUNT_ANY_CPU all that no other row has taken. */
static struct tally take_tally(struct verify_account *v,
			       const struct account_row *r)
{
	unsigned i, s, count = schema_source_count(v->schema);
	struct tally sum = {0};

	for (s = 0; s < count; s++) {
		if (strncmp(schema_source(v->schema, s)->name, r->source,
			    sizeof(r->source) - 1))
			continue;
		if (r->cpu < v->cpus[s])
			take_one(&sum, &v->tally[s][r->cpu]);
		if (r->cpu != ACCOUNT_ANY_CPU || v->all_matched[s])
			continue;
		for (i = 0; i < v->cpus[s]; i++)
			take_one(&sum, &v->tally[s][i]);
		v->all_matched[s] = true;
	}
	return sum;
}

static void compare(const struct comparison *c, const struct account_row *r,
		    uint64_t told, uint64_t there, const char *more,
		    const char *fewer)
{
	if (told < there)
		c->fn(c->arg, r, more, 0);
	else if (told > there)
		c->fn(c->arg, r, fewer, told - there);
}

static void compare_row(const struct comparison *c, const struct account_row *r)
{
	const struct account_row *base = base_of(c->v, r);
	struct tally t = take_tally(c->v, r);

	compare(c, r, r->kept - base->kept, t.kept,
		"more events than the account says were kept",
		"fewer events than the account says were kept");
	compare(c, r, r->context - base->context, t.context,
		"more context than the account says",
		"less context than the account says");
}

/* Rows of one CPU first: those of any CPU get what is left. */
static void compare_rows(const struct comparison *c,
			 const struct account_row *rows, size_t count)
{
	size_t i;

	for (i = 0; i < count; i++)
		if (rows[i].cpu != ACCOUNT_ANY_CPU)
			compare_row(c, &rows[i]);
	for (i = 0; i < count; i++)
		if (rows[i].cpu == ACCOUNT_ANY_CPU)
			compare_row(c, &rows[i]);
}

static void find_strays(const struct comparison *c)
{
	unsigned s, i, count = schema_source_count(c->v->schema);
	struct account_row r = {0};

	for (s = 0; s < count; s++) {
		for (i = 0; i < c->v->cpus[s]; i++) {
			const struct tally *t = &c->v->tally[s][i];

			if (t->matched || !(t->kept + t->context))
				continue;
			strncpy(r.source, schema_source(c->v->schema, s)->name,
				sizeof(r.source) - 1);
			r.cpu = i;
			c->fn(c->arg, &r, "events of which it knows nothing",
			      0);
		}
	}
}

static void check_equations(const struct comparison *c,
			    const struct account_row *rows, size_t count,
			    uint32_t flags)
{
	const char *why;
	size_t i;

	for (i = 0; i < count; i++)
		if (account_check(&rows[i], !!(flags & LOSS_END), &why))
			c->fn(c->arg, &rows[i], why, 0);
}

/* Of rows that are there twice the first counts. */
static int make_map(struct verify_account *v)
{
	size_t i;
	int err = 0;

	account_map_done(&v->base_map);
	for (i = 0; i < v->base_count && !err; i++)
		if (account_map_find(&v->base_map, v->base, &v->base[i]) ==
		    ACCOUNT_NO_ROW)
			err = account_map_add(&v->base_map, v->base, i);
	return err;
}

int verify_account_loss(struct verify_account *v, struct account_row *rows,
			size_t count, uint32_t flags,
			void (*fn)(void *arg, const struct account_row *r,
				   const char *what, uint64_t missing),
			void *arg)
{
	const struct comparison c = {v, fn, arg};

	check_equations(&c, rows, count, flags);
	if (v->base_known && !(flags & LOSS_BLIND)) {
		compare_rows(&c, rows, count);
		find_strays(&c);
	}
	free(v->base);
	v->base = rows;
	v->base_count = count;
	v->base_known = true;
	forget_tallies(v);
	return make_map(v);
}
