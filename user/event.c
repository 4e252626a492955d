// SPDX-License-Identifier: BSD-2-Clause
#include "event.h"

#include <errno.h>
#include <string.h>

static struct weir_str descriptor(const struct event *ev,
				  const struct schema_field *f)
{
	struct weir_str s;

	memcpy(&s, (const uint8_t *)ev->h + f->offset, sizeof(s));
	return s;
}

static bool strings_are_inside(const struct event *ev)
{
	unsigned i;

	for (i = 0; i < ev->kind->field_count; i++) {
		const struct schema_field *f = &ev->kind->fields[i];
		struct weir_str s;

		if (f->type != FIELD_STR)
			continue;
		s = descriptor(ev, f);
		if (s.len && (s.off < ev->kind->size || s.off > ev->len ||
			      s.len > ev->len - s.off))
			return false;
	}
	return true;
}

int event_init(struct event *ev, const struct schema *s, const void *data,
	       size_t len)
{
	const struct weir_hdr *h = data;
	struct event e = {.h = h};

	if (len < sizeof(*h) || h->len > len)
		return -EBADMSG;
	e.kind = schema_kind(s, h->kind);
	if (!e.kind || h->len < e.kind->size)
		return -EBADMSG;
	e.len = h->len;
	if (e.kind->str_count && !strings_are_inside(&e))
		return -EBADMSG;
	*ev = e;
	return 0;
}

uint64_t field_u64(const struct event *ev, const struct schema_field *f,
		   unsigned i)
{
	const uint8_t *p = (const uint8_t *)ev->h + f->offset;
	unsigned size = f->count == 1 ? f->size : f->size / f->count;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	p += (size_t)i * size;
	switch (size) {
	case 1:
		return *p;
	case 2:
		memcpy(&v16, p, sizeof(v16));
		return v16;
	case 4:
		memcpy(&v32, p, sizeof(v32));
		return v32;
	default:
		memcpy(&v64, p, sizeof(v64));
		return v64;
	}
}

int64_t field_s64(const struct event *ev, const struct schema_field *f,
		  unsigned i)
{
	uint64_t v = field_u64(ev, f, i);

	return f->type != FIELD_INT ? (int64_t)v
				    : field_extend(v, f->size / f->count);
}

struct field_bytes field_bytes(const struct event *ev,
			       const struct schema_field *f)
{
	const uint8_t *rec = (const uint8_t *)ev->h, *p = rec + f->offset;
	struct weir_str s;
	uint32_t len = f->size;

	if (f->type == FIELD_STR) {
		s = descriptor(ev, f);
		return (struct field_bytes){s.len ? rec + s.off : rec, s.len,
					    s.full};
	}
	if (f->type == FIELD_CHARS)
		len = (uint32_t)strnlen((const char *)p, f->size);
	return (struct field_bytes){p, len, len};
}

bool field_is_empty(const struct event *ev, const struct schema_field *f)
{
	unsigned i;

	switch (f->type) {
	case FIELD_CHARS:
		return field_bytes(ev, f).len == 0;
	case FIELD_STR:
		return descriptor(ev, f).len == 0;
	case FIELD_BYTES:
		for (i = 0; i < f->size; i++)
			if (field_bytes(ev, f).data[i])
				return false;
		return true;
	default:
		for (i = 0; i < f->count; i++)
			if (field_u64(ev, f, i))
				return false;
		return true;
	}
}

bool bound_init(struct bound *b, const struct schema *s, const char *kind,
		const char *field)
{
	const struct schema_kind *k = schema_kind_by_name(s, kind);

	b->field = NULL;
	for (; k && !b->field; k = k->variant) {
		b->field = schema_field(k, field);
		b->kind = k;
	}
	if (!b->field)
		b->kind = NULL;
	return b->field != NULL;
}

const struct schema_field *bound_in(const struct bound *b,
				    const struct schema_kind *k)
{
	if (!b->field || k->number == b->kind->number)
		return b->field;
	return k->first == b->kind->first ? schema_field(k, b->field->name)
					  : NULL;
}

uint64_t bound_u64(const struct bound *b, const struct event *ev,
		   uint64_t fallback)
{
	const struct schema_field *f = bound_in(b, ev->kind);

	if (!f || f->type > FIELD_INT)
		return fallback;
	return (uint64_t)field_s64(ev, f, 0);
}

struct field_bytes bound_bytes(const struct bound *b, const struct event *ev)
{
	const struct schema_field *f = bound_in(b, ev->kind);

	if (!f || f->type < FIELD_CHARS)
		return (struct field_bytes){NULL, 0, 0};
	return field_bytes(ev, f);
}
