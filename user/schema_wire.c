// SPDX-License-Identifier: BSD-2-Clause
/*
 * schema_wire.c - the table as bytes, for the SCHEMA frame of an archive.
 *
 *   schema  := version:u8 sources enums kinds
 *   sources := n { name help }
 *   enums   := n { name n { value name } }
 *   kinds   := n { number size source name help text
 *                  n { offset size count type meaning enum name help } }
 *   string  := n bytes, no NUL among them
 *
 * Numbers are unsigned LEB128. The first value of an enum is zigzag-coded,
 * each later one is the distance from the one before it. `source` counts the
 * sources from 0, `enum` the enums from 1; 0 is none. A meaning that is not
 * known is a plain number, so that a new meaning needs no new version.
 */
#include <errno.h>
#include <string.h>

#include "arena.h"
#include "schema.h"

#define WIRE_VERSION 1
#define VARINT_MAX   10 /* bytes of 64 bits, 7 in each */

/* ---- writing ------------------------------------------------------------- */

static void put_varint(struct buf *b, uint64_t v)
{
	uint8_t bytes[VARINT_MAX];
	size_t n = 0;

	while (v >= 0x80) {
		bytes[n++] = (uint8_t)(v | 0x80);
		v >>= 7;
	}
	bytes[n++] = (uint8_t)v;
	buf_put(b, bytes, n);
}

static void put_string(struct buf *b, const char *text)
{
	size_t len = strlen(text);

	put_varint(b, len);
	buf_put(b, text, len);
}

static uint64_t zigzag(int64_t v)
{
	return (uint64_t)v << 1 ^ (uint64_t)(v >> 63);
}

static void put_enum(struct buf *b, const struct schema_enum *e)
{
	uint32_t i;

	put_string(b, e->name);
	put_varint(b, e->count);
	for (i = 0; i < e->count; i++) {
		int64_t v = e->values[i].value;

		if (i)
			put_varint(b, (uint64_t)v -
					      (uint64_t)e->values[i - 1].value);
		else
			put_varint(b, zigzag(v));
		put_string(b, e->values[i].name);
	}
}

/* Which enum of the table it is, from 1; 0: none. */
static unsigned enum_index(const struct schema *s, const struct schema_enum *e)
{
	unsigned i;

	for (i = 0; i < schema_enum_count(s); i++)
		if (schema_enum(s, i) == e)
			return i + 1;
	return 0;
}

static unsigned source_index(const struct schema *s, const char *name)
{
	unsigned i = 0;

	while (strcmp(schema_source(s, i)->name, name) != 0)
		i++;
	return i;
}

static void put_field(struct buf *b, const struct schema *s,
		      const struct schema_field *f)
{
	put_varint(b, f->offset);
	put_varint(b, f->size);
	put_varint(b, f->count);
	put_varint(b, f->type);
	put_varint(b, f->meaning);
	put_varint(b, enum_index(s, f->names));
	put_string(b, f->name);
	put_string(b, f->help);
}

static void put_kind(struct buf *b, const struct schema *s,
		     const struct schema_kind *k)
{
	unsigned i;

	put_varint(b, k->number);
	put_varint(b, k->size);
	put_varint(b, source_index(s, k->source));
	put_string(b, k->name);
	put_string(b, k->help);
	put_string(b, k->text);
	put_varint(b, k->field_count);
	for (i = 0; i < k->field_count; i++)
		put_field(b, s, &k->fields[i]);
}

static void put_kinds(struct buf *b, const struct schema *s)
{
	unsigned i, n = 0;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		n += schema_kind(s, i) != NULL;
	put_varint(b, n);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(s, i))
			put_kind(b, s, schema_kind(s, i));
}

void schema_encode(const struct schema *s, struct buf *b)
{
	unsigned i;

	buf_putc(b, WIRE_VERSION);
	put_varint(b, schema_source_count(s));
	for (i = 0; i < schema_source_count(s); i++) {
		put_string(b, schema_source(s, i)->name);
		put_string(b, schema_source(s, i)->help);
	}
	put_varint(b, schema_enum_count(s));
	for (i = 0; i < schema_enum_count(s); i++)
		put_enum(b, schema_enum(s, i));
	put_kinds(b, s);
}

/* ---- reading ------------------------------------------------------------- */

/* @err is latched: after it every read gives 0 or "". */
struct reader {
	const uint8_t *p, *end;
	struct arena scratch;
	struct schema *schema;
	int err;
};

static void fail(struct reader *r, int err)
{
	if (!r->err)
		r->err = err;
	r->p = r->end;
}

static uint64_t get_varint(struct reader *r)
{
	uint64_t v = 0;
	unsigned shift;

	for (shift = 0; shift < 64 && r->p < r->end; shift += 7) {
		uint8_t c = *r->p++;

		if (shift == 63 && c > 1)
			break;
		v |= (uint64_t)(c & 0x7f) << shift;
		if (!(c & 0x80))
			return v;
	}
	fail(r, -EBADMSG);
	return 0;
}

static uint64_t get_upto(struct reader *r, uint64_t max)
{
	uint64_t v = get_varint(r);

	if (v <= max)
		return v;
	fail(r, -EBADMSG);
	return 0;
}

/* How many items follow, each of at least @item bytes: they must be there. */
static uint32_t get_count(struct reader *r, size_t item, uint64_t max)
{
	uint64_t n = get_upto(r, max);

	if (n <= (size_t)(r->end - r->p) / item)
		return (uint32_t)n;
	fail(r, -EBADMSG);
	return 0;
}

static const char *get_string(struct reader *r)
{
	size_t len = get_count(r, 1, SCHEMA_HELP_MAX);
	const uint8_t *p = r->p;
	char *copy;

	if (len && memchr(p, '\0', len)) {
		fail(r, -EBADMSG);
		return "";
	}
	r->p += len;
	copy = arena_copy(&r->scratch, p, len);
	if (!copy)
		fail(r, -ENOMEM);
	return copy ? copy : "";
}

/* What the table's own checks refuse is damage here. */
static void take(struct reader *r, int err)
{
	if (err)
		fail(r, err == -ENOMEM ? err : -EBADMSG);
}

static void get_sources(struct reader *r)
{
	uint32_t n = get_count(r, 2, SCHEMA_SOURCES_MAX);
	struct schema_source src;

	for (; n && !r->err; n--) {
		src.name = get_string(r);
		src.help = get_string(r);
		take(r, schema_add_source(r->schema, &src));
	}
}

static struct schema_enumerator *get_values(struct reader *r, uint32_t n)
{
	struct schema_enumerator *v;
	uint64_t value = 0;
	uint32_t i;

	v = arena_array(&r->scratch, n, sizeof(*v));
	for (i = 0; v && i < n && !r->err; i++) {
		if (i) {
			value += get_varint(r);
		} else {
			value = get_varint(r);
			value = value >> 1 ^ (0 - (value & 1));
		}
		v[i].value = (int64_t)value;
		v[i].name = get_string(r);
	}
	if (!v)
		fail(r, -ENOMEM);
	return v;
}

static void get_enums(struct reader *r, const struct schema_enum **enums,
		      uint32_t *ret_count)
{
	uint32_t i, n = get_count(r, 2, SCHEMA_ENUMS_MAX);
	struct schema_enum e;

	for (i = 0; i < n && !r->err; i++) {
		e.name = get_string(r);
		e.count = get_count(r, 2, UINT32_MAX);
		e.values = get_values(r, e.count);
		if (!r->err)
			take(r, schema_add_enum(r->schema, &e, &enums[i]));
	}
	*ret_count = n;
}

static void get_field(struct reader *r, const struct schema_enum **enums,
		      uint32_t enum_count, struct schema_field *f)
{
	uint64_t i;

	f->offset = (uint16_t)get_upto(r, UINT16_MAX);
	f->size = (uint16_t)get_upto(r, UINT16_MAX);
	f->count = (uint16_t)get_upto(r, UINT16_MAX);
	f->type = (uint8_t)get_upto(r, FIELD_TYPES - 1);
	i = get_varint(r);
	f->meaning = (uint8_t)(i < MEANINGS ? i : MEANING_NONE);
	i = get_upto(r, enum_count);
	f->names = i ? enums[i - 1] : NULL;
	f->name = get_string(r);
	f->help = get_string(r);
}

static void get_kind(struct reader *r, const struct schema_enum **enums,
		     uint32_t enum_count)
{
	struct schema_field fields[SCHEMA_FIELDS_MAX] = {0};
	struct schema_kind k = {.fields = fields};
	const struct schema_source *src;
	unsigned i;

	k.number = (uint16_t)get_upto(r, SCHEMA_KINDS_MAX - 1);
	k.size = (uint16_t)get_upto(r, UINT16_MAX);
	src = schema_source(r->schema,
			    (unsigned)get_upto(r, SCHEMA_SOURCES_MAX - 1));
	k.name = get_string(r);
	k.help = get_string(r);
	k.text = get_string(r);
	k.field_count = (uint16_t)get_count(r, 8, SCHEMA_FIELDS_MAX);
	for (i = 0; i < k.field_count && !r->err; i++)
		get_field(r, enums, enum_count, &fields[i]);
	k.source = src ? src->name : "";
	if (!r->err)
		take(r, schema_add_kind(r->schema, &k, NULL));
}

static void get_schema(struct reader *r)
{
	const struct schema_enum *enums[SCHEMA_ENUMS_MAX] = {0};
	uint32_t n, enum_count;

	get_sources(r);
	get_enums(r, enums, &enum_count);
	for (n = get_count(r, 7, SCHEMA_KINDS_MAX); n && !r->err; n--)
		get_kind(r, enums, enum_count);
	if (r->p != r->end)
		fail(r, -EBADMSG);
}

int schema_decode(struct schema **ret, const void *data, size_t len)
{
	struct reader r = {.p = data, .end = (const uint8_t *)data + len};

	if (!len)
		return -EBADMSG;
	if (*r.p > WIRE_VERSION)
		return -EPROTONOSUPPORT;
	if (*r.p++ != WIRE_VERSION)
		return -EBADMSG;
	r.err = schema_new(&r.schema);
	if (!r.err)
		get_schema(&r);
	arena_done(&r.scratch);
	if (r.err)
		schema_free(r.schema);
	else
		*ret = r.schema;
	return r.err;
}
