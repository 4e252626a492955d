// SPDX-License-Identifier: BSD-2-Clause
#include "columns_plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "crc32c.h"

#define ELEMENTS_MAX 8 /* of an array taken apart; longer ones are bytes */
#define KEY_NAMES    8 /* a field with so many names groups the rows */

/* A plan being made. */
struct sketch {
	struct plan *p;
	struct plan_column column[PLAN_COLUMNS];
	bool full;
};

static struct plan_column *add(struct sketch *s, enum plan_type type,
			       unsigned field, unsigned offset, unsigned size)
{
	struct plan_column *c = &s->column[s->p->count];

	if (s->p->count == PLAN_COLUMNS) {
		s->full = true;
		return c - 1;
	}
	s->p->count++;
	*c = (struct plan_column){
		.type = (uint8_t)type,
		.size = type == PLAN_BYTES ? 8 : (uint8_t)size,
		.bytes = (uint16_t)size,
		.field = (uint16_t)field,
		.offset = (uint16_t)offset,
	};
	return c;
}

static void add_numbers(struct sketch *s, const struct schema_field *f,
			unsigned field)
{
	unsigned size = f->size / f->count, i;

	for (i = 0; i < f->count; i++) {
		struct plan_column *c = add(s, PLAN_NUMBER, field,
					    f->offset + i * size, size);

		c->element = (uint8_t)i;
		c->meaning = f->meaning;
		c->is_signed = f->type == FIELD_INT;
	}
	if (s->p->key < 0 && f->count == 1 && f->names &&
	    f->names->count >= KEY_NAMES)
		s->p->key = (int)s->p->count - 1;
}

static void add_field(struct sketch *s, const struct schema_field *f,
		      unsigned field)
{
	switch ((enum field_type)f->type) {
	case FIELD_UINT:
	case FIELD_INT:
		if (f->count <= ELEMENTS_MAX) {
			add_numbers(s, f, field);
			return;
		}
		break;
	case FIELD_STR:
		add(s, PLAN_STR, field, f->offset, sizeof(struct weir_str));
		add(s, PLAN_OFF, field, f->offset, 2);
		add(s, PLAN_FULL, field, f->offset + 4U, 4);
		s->p->str_count++;
		return;
	default:
		break;
	}
	add(s, PLAN_BYTES, field, f->offset, f->size);
}

/* Every byte, whether or not a field has it. */
static void add_fields(struct sketch *s, const struct schema_kind *k)
{
	unsigned at = sizeof(struct weir_hdr), i;

	for (i = 0; i < k->field_count; i++) {
		const struct schema_field *f = &k->fields[i];

		if (f->offset > at)
			add(s, PLAN_BYTES, PLAN_NO_FIELD, at, f->offset - at);
		add_field(s, f, i);
		at = f->offset + f->size;
	}
	if (at < k->size)
		add(s, PLAN_BYTES, PLAN_NO_FIELD, at, k->size - at);
}

static uint32_t checksum(const struct sketch *s)
{
	uint32_t crc = 0;
	unsigned i;

	for (i = 0; i < s->p->count; i++) {
		const struct plan_column *c = &s->column[i];
		uint16_t what[] = {c->type, c->size, c->bytes, c->offset};

		crc = crc32c(crc, what, sizeof(what));
	}
	return crc;
}

static void copy_columns(struct plan *p, const struct sketch *s)
{
	unsigned i, k = 0;

	for (i = 0; i < p->count; i++) {
		p->column[i] = s->column[i];
		if (p->column[i].type == PLAN_STR)
			p->str[k++] = p->column[i].offset;
	}
	if (p->key < 0)
		return;
	p->key_offset = p->column[p->key].offset;
	p->key_size = p->column[p->key].size;
}

static int keep(struct plans *ps, struct sketch *s)
{
	struct plan *p = arena_alloc(&ps->arena, sizeof(*p));

	if (s->full)
		return 0; /* none: such records are kept whole */
	if (!p)
		return -ENOMEM;
	*p = *s->p;
	p->check = checksum(s);
	p->column = arena_array(&ps->arena, p->count, sizeof(*p->column));
	p->str = arena_array(&ps->arena, p->str_count + 1, sizeof(*p->str));
	if (!p->column || !p->str)
		return -ENOMEM;
	copy_columns(p, s);
	ps->plan[p->kind] = p;
	return 0;
}

static int make(struct plans *ps, struct sketch *s, unsigned number,
		const struct schema_kind *k)
{
	struct plan p = {.kind = number, .key = -1};

	s->p = &p;
	s->full = false;
	p.size = k ? k->size : sizeof(struct weir_hdr);
	p.is_context = k && !strcmp(k->source, "task");
	add(s, PLAN_TIME, PLAN_NO_FIELD, 0, 8);
	add(s, PLAN_FLAGS, PLAN_NO_FIELD, 14, 2);
	if (k) {
		add_fields(s, k);
	} else {
		add(s, PLAN_KIND, PLAN_NO_FIELD, 8, 2);
		add(s, PLAN_REST, PLAN_NO_FIELD, p.size, 8);
	}
	return keep(ps, s);
}

int plans_new(struct plans **ret, const struct schema *schema)
{
	struct sketch *s = malloc(sizeof(*s));
	struct plans *ps = calloc(1, sizeof(*ps));
	int err = s && ps ? 0 : -ENOMEM;
	unsigned i;

	if (!err)
		err = make(ps, s, PLAN_WHOLE, NULL);
	for (i = 1; i < SCHEMA_KINDS_MAX && !err; i++)
		if (schema_kind(schema, i))
			err = make(ps, s, i, schema_kind(schema, i));
	free(s);
	if (err)
		plans_free(ps);
	else
		*ret = ps;
	return err;
}

void plans_free(struct plans *p)
{
	if (!p)
		return;
	arena_done(&p->arena);
	free(p);
}

int plan_find(const struct plan *p, unsigned field, unsigned element)
{
	unsigned i;

	for (i = 0; i < p->count; i++) {
		const struct plan_column *c = &p->column[i];

		if (c->field == field && c->element == element)
			return (int)i;
	}
	return -1;
}
