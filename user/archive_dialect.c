// SPDX-License-Identifier: BSD-2-Clause
#include "archive_dialect.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- dialects ------------------------------------------------------------ */

static void dialect_free(struct dialect *d)
{
	schema_free(d->schema);
	buf_done(&d->bytes);
	free(d);
}

/* Kinds that tasks.c binds: those of source task (task_*, cgroup_path). */
static void choose_context(struct dialect *d)
{
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		d->number[i] = (uint16_t)i;
		k = schema_kind(d->schema, i);
		if (!k || strcmp(k->source, "task"))
			continue;
		d->context[i] = true;
		d->context_kinds |= frame_kind_bit(i);
	}
}

static bool find(const struct dialects *d, const struct buf *bytes,
		 uint16_t *ret)
{
	unsigned i;

	for (i = 0; i < d->count; i++) {
		if (d->list[i]->bytes.len != bytes->len ||
		    memcmp(d->list[i]->bytes.data, bytes->data, bytes->len))
			continue;
		*ret = (uint16_t)i;
		return true;
	}
	return false;
}

static int append(struct dialects *d, struct dialect *new)
{
	struct dialect **grown = reallocarray(d->list, d->count + 1,
					      sizeof(*grown));

	if (!grown)
		return -ENOMEM;
	d->list = grown;
	d->list[d->count++] = new;
	return 0;
}

int dialects_add(struct dialects *d, struct buf *bytes, uint16_t *ret)
{
	struct dialect *new;
	int err;

	if (find(d, bytes, ret)) {
		buf_done(bytes);
		return 0;
	}
	new = calloc(1, sizeof(*new));
	if (!new) {
		buf_done(bytes);
		return -ENOMEM;
	}
	new->bytes = *bytes;
	*bytes = (struct buf){0};
	err = d->count == UINT16_MAX
		      ? -ENOMEM
		      : schema_decode(&new->schema, new->bytes.data,
				      new->bytes.len);
	if (!err)
		err = append(d, new);
	if (err) {
		dialect_free(new);
		return err;
	}
	choose_context(new);
	*ret = (uint16_t)(d->count - 1);
	return 0;
}

int dialects_unite(struct dialects *d)
{
	unsigned i = d->count;
	int err;

	if (d->count < 2)
		return 0;
	err = schema_new(&d->united);
	while (i-- && !err)
		err = schema_unite(d->united, d->list[i]->schema,
				   d->list[i]->number);
	return err == -E2BIG ? -EXDEV : err;
}

const struct schema *dialects_schema(const struct dialects *d)
{
	if (d->united)
		return d->united;
	return d->count ? d->list[0]->schema : NULL;
}

void dialects_done(struct dialects *d)
{
	while (d->count)
		dialect_free(d->list[--d->count]);
	free(d->list);
	schema_free(d->united);
	*d = (struct dialects){0};
}

/* ---- boots --------------------------------------------------------------- */

static const struct archive_file *nearest_known(const struct archive_list *l,
						size_t i)
{
	size_t j;

	for (j = i + 1; j-- > 0;)
		if (l->file[j].head_known)
			return &l->file[j];
	for (j = i + 1; j < l->count; j++)
		if (l->file[j].head_known)
			return &l->file[j];
	return &l->file[i];
}

int boots_find(struct boots *b, const struct archive_list *l, size_t i,
	       uint16_t *ret)
{
	const struct archive_file *f = nearest_known(l, i);
	struct boot *grown;
	unsigned n;

	for (n = b->count; n-- > 0;) {
		if (memcmp(b->list[n].id, f->head.boot_id,
			   sizeof(b->list[n].id)) != 0)
			continue;
		*ret = (uint16_t)n;
		return 0;
	}
	grown = b->count == UINT16_MAX
			? NULL
			: reallocarray(b->list, b->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	b->list = grown;
	*ret = (uint16_t)b->count;
	grown = &b->list[b->count++];
	memset(grown, 0, sizeof(*grown));
	memcpy(grown->id, f->head.boot_id, sizeof(grown->id));
	return 0;
}

void boots_clock(struct boots *b, unsigned i, int64_t wall_offset)
{
	struct boot *boot = &b->list[i];

	if (!boot->clocked || wall_offset < boot->offset_min)
		boot->offset_min = wall_offset;
	if (!boot->clocked || wall_offset > boot->offset_max)
		boot->offset_max = wall_offset;
	boot->wall_offset = wall_offset;
	boot->clocked = true;
}

int64_t boots_shift(const struct boots *b, unsigned i)
{
	if (!b->list[i].clocked || !b->list[0].clocked)
		return 0;
	return (int64_t)((uint64_t)b->list[i].wall_offset -
			 (uint64_t)b->list[0].wall_offset);
}

void boots_done(struct boots *b)
{
	free(b->list);
	*b = (struct boots){0};
}
