// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot_account.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "losses.h"

static struct account_row *row_at(struct snapshot_account *a, unsigned source,
				  uint32_t cpu)
{
	if (cpu > a->cpus)
		cpu = a->cpus; /* of any CPU */
	return &a->rows[(size_t)source * (a->cpus + 1) + cpu];
}

static struct account_row *row_named(struct snapshot_account *a,
				     const char *source, size_t len,
				     uint32_t cpu)
{
	unsigned i, count = schema_source_count(a->schema);
	const char *name;

	for (i = 0; i < count; i++) {
		name = schema_source(a->schema, i)->name;
		if (strlen(name) == len && !memcmp(name, source, len))
			return row_at(a, i, cpu);
	}
	return NULL;
}

static void name_rows(struct snapshot_account *a)
{
	unsigned i, cpu, count = schema_source_count(a->schema);
	struct account_row *row = a->rows;

	for (i = 0; i < count; i++) {
		for (cpu = 0; cpu <= a->cpus; cpu++, row++) {
			snprintf(row->source, sizeof(row->source), "%s",
				 schema_source(a->schema, i)->name);
			row->cpu = cpu < a->cpus ? cpu : ACCOUNT_ANY_CPU;
		}
	}
}

int snapshot_account_init(struct snapshot_account *a,
			  const struct schema *schema)
{
	*a = (struct snapshot_account){.schema = schema};
	a->cpus = (unsigned)sysconf(_SC_NPROCESSORS_CONF);
	a->rows = calloc(schema_source_count(schema) * (a->cpus + 1) + 1,
			 sizeof(*a->rows));
	if (!a->rows)
		return -ENOMEM;
	name_rows(a);
	losses_map(schema, a->source_of);
	bound_init(&a->of, schema, "gap", "of");
	bound_init(&a->stage, schema, "gap", "stage");
	bound_init(&a->on_cpu, schema, "gap", "on_cpu");
	bound_init(&a->count, schema, "gap", "count");
	return 0;
}

void snapshot_account_done(struct snapshot_account *a)
{
	free(a->rows);
	a->rows = NULL;
}

bool snapshot_account_is_gap(const struct snapshot_account *a,
			     const struct event *ev)
{
	return a->count.kind && a->count.kind->number == ev->kind->number;
}

/* What was lost on the way to the archive beside is here nevertheless. */
static void add_gap(struct snapshot_account *a, const struct event *ev)
{
	struct field_bytes of = bound_bytes(&a->of, ev);
	uint64_t n = bound_u64(&a->count, ev, 0);
	struct account_row *row;

	a->lost += n;
	row = row_named(a, (const char *)of.data, of.len,
			(uint32_t)bound_u64(&a->on_cpu, ev, ACCOUNT_ANY_CPU));
	if (!row)
		return;
	switch (bound_u64(&a->stage, ev, 0)) {
	case WEIR_STAGE_HOOK:
		row->missed += n;
		break;
	case WEIR_STAGE_KERNEL_RING:
		row->lost_kernel += n;
		break;
	case WEIR_STAGE_MAIN_RING:
		row->submitted += n;
		row->delivered += n;
		row->lost_main += n;
		break;
	}
}

void snapshot_account_add(struct snapshot_account *a, const struct event *ev)
{
	struct account_row *row;

	row = row_at(a, a->source_of[ev->h->kind % SCHEMA_KINDS_MAX],
		     ev->h->cpu);
	row->submitted++;
	row->delivered++;
	if (ev->h->flags & WEIR_F_CONTEXT) {
		row->rejected++;
		row->context++;
	} else {
		row->kept++;
		a->events++;
	}
	if (snapshot_account_is_gap(a, ev))
		add_gap(a, ev);
}

void snapshot_account_lost(struct snapshot_account *a, const char *source,
			   uint32_t cpu, uint64_t n)
{
	struct account_row *row = row_named(a, source, strlen(source), cpu);

	if (!row || row->kept < n)
		return;
	row->kept -= n;
	row->lost_archive += n;
	a->events -= n;
	a->lost += n;
}

size_t snapshot_account_rows(const struct snapshot_account *a,
			     const struct account_row **ret)
{
	*ret = a->rows;
	return schema_source_count(a->schema) * (a->cpus + 1);
}
