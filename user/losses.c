// SPDX-License-Identifier: BSD-2-Clause
#include "losses.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of one source and CPU. */
struct loss {
	uint64_t total;
	uint64_t untold;	/* since losses_tell() was last called */
	uint64_t first, last;	/* of those */
	uint64_t context;	/* flagged WEIR_F_CONTEXT, in all */
	uint64_t context_known; /* so many of them the account lacks already */
};

static unsigned loss_count(const struct losses *l)
{
	return schema_source_count(l->schema) * (l->cpus + 1);
}

static const char *loss_source(const struct losses *l, unsigned i)
{
	return schema_source(l->schema, i / (l->cpus + 1))->name;
}

static uint32_t loss_cpu(const struct losses *l, unsigned i)
{
	unsigned cpu = i % (l->cpus + 1);

	return cpu < l->cpus ? cpu : ACCOUNT_ANY_CPU;
}

void losses_map(const struct schema *s, uint8_t ret[SCHEMA_KINDS_MAX])
{
	unsigned i, j, count = schema_source_count(s);
	const struct schema_kind *k;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		ret[i] = 0;
		k = schema_kind(s, i);
		for (j = 0; k && j < count; j++)
			if (!strcmp(schema_source(s, j)->name, k->source))
				ret[i] = (uint8_t)j;
	}
}

/* One more than the highest number a CPU can have: of "0-3,5-7" that is 8. */
static unsigned possible_cpus(void)
{
	FILE *f = fopen("/sys/devices/system/cpu/possible", "re");
	char line[256] = "", *at = line;
	unsigned long last, cpus = 1;

	if (f && !fgets(line, sizeof(line), f))
		line[0] = '\0';
	if (f)
		fclose(f);
	while (*at) {
		last = strtoul(at, &at, 10);
		if (last >= cpus && last < UINT16_MAX)
			cpus = last + 1;
		at += *at != '\0';
	}
	return (unsigned)cpus;
}

int losses_init(struct losses *l, const struct schema *schema)
{
	*l = (struct losses){.schema = schema};
	l->cpus = possible_cpus();
	l->loss = calloc(loss_count(l) + 1, sizeof(*l->loss));
	if (!l->loss)
		return -ENOMEM;
	losses_map(schema, l->source_of);
	return 0;
}

void losses_done(struct losses *l)
{
	free(l->loss);
	free(l->rows);
	*l = (struct losses){0};
}

static struct loss *loss_of(struct losses *l, const struct weir_hdr *h)
{
	unsigned cpu = h->cpu < l->cpus ? h->cpu : l->cpus;
	unsigned source = l->source_of[h->kind % SCHEMA_KINDS_MAX];

	return &l->loss[source * (l->cpus + 1) + cpu];
}

static void count_one(struct loss *l, const struct weir_hdr *h)
{
	if (h->flags & WEIR_F_CONTEXT) {
		l->context++;
		return;
	}
	if (!l->untold++)
		l->first = l->last = h->ts;
	if (h->ts < l->first)
		l->first = h->ts;
	if (h->ts > l->last)
		l->last = h->ts;
	l->total++;
}

void losses_count(struct losses *l, const struct block *b)
{
	const struct weir_hdr *h;
	size_t at = 0;

	while ((h = block_next(b, &at)))
		count_one(loss_of(l, h), h);
}

void losses_tell(struct losses *l,
		 void (*fn)(void *arg, const char *source, uint32_t cpu,
			    uint64_t count, uint64_t first, uint64_t last),
		 void *arg)
{
	struct loss *one;
	uint64_t count;
	unsigned i;

	for (i = 0; i < loss_count(l); i++) {
		one = &l->loss[i];
		count = one->untold;
		one->untold = 0;
		if (count)
			fn(arg, loss_source(l, i), loss_cpu(l, i), count,
			   one->first, one->last);
	}
}

/* ---- as it goes to disk ------------------------------------------------ */

void losses_sums(const struct losses *l, struct buf *to)
{
	struct losses_sum sum;
	unsigned i;

	for (i = 0; i < loss_count(l); i++) {
		sum.total = l->loss[i].total;
		sum.context = l->loss[i].context;
		buf_put(to, &sum, sizeof(sum));
	}
}

void losses_known(struct losses *l, const struct buf *sums)
{
	const struct losses_sum *sum = (const void *)sums->data;
	unsigned i;

	for (i = 0; i < loss_count(l); i++) {
		l->loss[i].untold = l->loss[i].total - sum[i].total;
		l->loss[i].context_known = sum[i].context;
	}
}

static int make_rows(struct losses *l, size_t count)
{
	struct account_row *rows;

	if (count <= l->row_cap)
		return 0;
	rows = reallocarray(l->rows, count, sizeof(*rows));
	if (!rows)
		return -ENOMEM;
	l->rows = rows;
	l->row_cap = count;
	return 0;
}

static struct account_row *find_row(const struct losses *l, size_t count,
				    const char *source, uint32_t cpu)
{
	struct account_row *r;

	for (r = l->rows; r < l->rows + count; r++)
		if (r->cpu == cpu &&
		    !strncmp(r->source, source, sizeof(r->source) - 1))
			return r;
	return NULL;
}

static struct account_row *new_row(struct losses *l, size_t *count,
				   const char *source, uint32_t cpu)
{
	struct account_row *r = &l->rows[(*count)++];

	*r = (struct account_row){.cpu = cpu};
	snprintf(r->source, sizeof(r->source), "%s", source);
	return r;
}

/* Of events that no account knows. */
static void add_to_row(struct account_row *r, uint64_t lost)
{
	r->submitted += lost;
	r->delivered += lost;
	r->lost_archive += lost;
}

static uint64_t least(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

/* Move what the caller does not know of yet from kept to lost. */
static void correct_row(struct account_row *r, const struct loss *one)
{
	uint64_t lost = least(one->untold, r->kept);

	r->kept -= lost;
	r->lost_archive += lost;
	r->context -= least(one->context - one->context_known, r->context);
}

static void account_one(struct losses *l, unsigned i, size_t *count, bool blind)
{
	const struct loss *one = &l->loss[i];
	const char *source = loss_source(l, i);
	uint32_t cpu = loss_cpu(l, i);
	struct account_row *r;

	if (!one->total && !one->context)
		return;
	r = find_row(l, *count, source, cpu);
	if (!r && !blind)
		r = find_row(l, *count, source, ACCOUNT_ANY_CPU);
	if (r && !blind) {
		correct_row(r, one);
		return;
	}
	if (!r)
		r = new_row(l, count, source, cpu);
	add_to_row(r, blind ? one->total : one->untold);
}

int losses_account(struct losses *l, const struct account_row **rows,
		   size_t *count, bool blind)
{
	size_t i, n = *count;
	int err;

	err = make_rows(l, n + loss_count(l) + 1);
	if (err)
		return err;
	for (i = 0; i < n; i++)
		account_read(&l->rows[i], &(*rows)[i]);
	for (i = 0; i < loss_count(l); i++)
		account_one(l, (unsigned)i, &n, blind);
	*rows = l->rows;
	*count = n;
	return 0;
}
