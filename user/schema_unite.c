// SPDX-License-Identifier: BSD-2-Clause
/*
 * schema_unite.c - one table of several, so that records of all of them can be
 * read side by side; see schema.h.
 */
#include <errno.h>
#include <string.h>

#include "schema.h"

static bool fields_equal(const struct schema_field *a,
			 const struct schema_field *b)
{
	return !strcmp(a->name, b->name) && a->offset == b->offset &&
	       a->size == b->size && a->count == b->count &&
	       a->type == b->type && a->meaning == b->meaning &&
	       a->names == b->names;
}

static bool kinds_equal(const struct schema_kind *a,
			const struct schema_kind *b)
{
	unsigned i;

	if (strcmp(a->source, b->source) != 0 || strcmp(a->text, b->text) ||
	    a->size != b->size || a->field_count != b->field_count)
		return false;
	for (i = 0; i < a->field_count; i++)
		if (!fields_equal(&a->fields[i], &b->fields[i]))
			return false;
	return true;
}

static const struct schema_kind *find_equal(const struct schema *s,
					    const struct schema_kind *like)
{
	const struct schema_kind *k = schema_kind_by_name(s, like->name);

	while (k && !kinds_equal(k, like))
		k = k->variant;
	return k;
}

/* Its own, or the highest that is free. Return: 0 when none is. */
static unsigned free_number(const struct schema *s, unsigned number)
{
	if (!schema_kind(s, number))
		return number;
	number = SCHEMA_KINDS_MAX - 1;
	while (number && schema_kind(s, number))
		number--;
	return number;
}

/* What their values are called becomes ours: equal enums are one. */
static int copy_fields(struct schema *s, const struct schema_kind *k,
		       struct schema_field *ret)
{
	unsigned i;
	int err = 0;

	for (i = 0; i < k->field_count && !err; i++) {
		ret[i] = k->fields[i];
		if (ret[i].names)
			err = schema_add_enum(s, k->fields[i].names,
					      &ret[i].names);
	}
	return err;
}

static int unite_kind(struct schema *s, const struct schema_kind *k,
		      uint16_t *ret_number)
{
	struct schema_field fields[SCHEMA_FIELDS_MAX];
	struct schema_kind ours = *k;
	const struct schema_kind *known;
	int err = copy_fields(s, k, fields);

	if (err)
		return err;
	ours.fields = fields;
	known = find_equal(s, &ours);
	ours.number = (uint16_t)(known ? known->number
				       : free_number(s, k->number));
	*ret_number = ours.number;
	if (known)
		return 0;
	return ours.number ? schema_add_variant(s, &ours) : -E2BIG;
}

static int unite_sources(struct schema *s, const struct schema *from)
{
	const struct schema_source *src;
	unsigned i;
	int err = 0;

	for (i = 0; i < schema_source_count(from) && !err; i++) {
		src = schema_source(from, i);
		if (!schema_source_by_name(s, src->name))
			err = schema_add_source(s, src);
	}
	return err;
}

int schema_unite(struct schema *s, const struct schema *from,
		 uint16_t number[SCHEMA_KINDS_MAX])
{
	int err = unite_sources(s, from);
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX && !err; i++) {
		number[i] = 0;
		if (schema_kind(from, i))
			err = unite_kind(s, schema_kind(from, i), &number[i]);
	}
	return err == -EINVAL ? -E2BIG : err;
}
