/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model_schema.h - a schema made by hand, and records of it, for the tests
 * and the fuzz targets of the model. One kind has a field of every meaning.
 */
#ifndef WEIR_TEST_MODEL_SCHEMA_H
#define WEIR_TEST_MODEL_SCHEMA_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/event.h"

#define RECORD_MAX 16384

/* What is made here is right, or the test itself is wrong. */
static inline void model_must(bool ok, const char *what)
{
	if (ok)
		return;
	fprintf(stderr, "model: %s\n", what);
	abort();
}

/* ---- a schema made by hand ----------------------------------------------- */

static const struct schema_enumerator model_colours[] = {
	{-1, "ultra"},
	{0, "red"},
	{1, "green"},
	{7, "blue"},
};

static const struct schema_enum model_colour = {"weir_colour", 4,
						model_colours};

#define NUMBER(field, at, bytes, n, kind, means)                               \
	{                                                                      \
		.name = #field, .help = "the " #field, .offset = at,           \
		.size = bytes, .count = n, .type = kind, .meaning = means      \
	}
#define ONE(field, at, bytes, kind, means)                                     \
	NUMBER(field, at, bytes, 1, kind, means)

static const struct schema_field model_all[] = {
	ONE(plain, 24, 4, FIELD_UINT, MEANING_NONE),
	ONE(negative, 28, 4, FIELD_INT, MEANING_NONE),
	ONE(small, 32, 1, FIELD_INT, MEANING_NONE),
	ONE(flag, 33, 1, FIELD_UINT, MEANING_BOOL),
	ONE(port, 34, 2, FIELD_UINT, MEANING_PORT),
	ONE(colour, 36, 4, FIELD_INT, MEANING_NONE),
	ONE(when, 40, 8, FIELD_UINT, MEANING_TIME),
	ONE(span, 48, 8, FIELD_UINT, MEANING_NS),
	ONE(other_pid, 56, 4, FIELD_UINT, MEANING_PID),
	ONE(other_tid, 60, 4, FIELD_UINT, MEANING_TID),
	ONE(user, 64, 4, FIELD_UINT, MEANING_UID),
	ONE(error, 68, 4, FIELD_INT, MEANING_ERRNO),
	ONE(size, 72, 8, FIELD_UINT, MEANING_BYTES),
	ONE(number, 80, 8, FIELD_UINT, MEANING_COUNT),
	ONE(ret, 88, 8, FIELD_INT, MEANING_RET),
	ONE(on_cpu, 96, 4, FIELD_UINT, MEANING_CPU),
	ONE(dev, 100, 4, FIELD_UINT, MEANING_DEV),
	ONE(group, 104, 8, FIELD_UINT, MEANING_CGROUP),
	ONE(addr, 112, 16, FIELD_BYTES, MEANING_IP),
	ONE(sector, 128, 8, FIELD_UINT, MEANING_SECTOR),
	ONE(sig, 136, 4, FIELD_INT, MEANING_SIGNAL),
	ONE(state, 140, 4, FIELD_UINT, MEANING_STATE),
	ONE(bits, 144, 8, FIELD_UINT, MEANING_HEX),
	ONE(value, 152, 8, FIELD_INT, MEANING_VALUE),
	NUMBER(list, 160, 8, 4, FIELD_UINT, MEANING_NONE),
	ONE(raw, 168, 4, FIELD_BYTES, MEANING_NONE),
	ONE(chars, 172, 12, FIELD_CHARS, MEANING_NONE),
	ONE(text, 184, 8, FIELD_STR, MEANING_NONE),
	ONE(argv, 192, 8, FIELD_STR, MEANING_ARGV),
};

#define MODEL_FIELDS (sizeof(model_all) / sizeof(*model_all))

static const struct schema_field model_call[] = {
	ONE(name, 24, 4, FIELD_UINT, MEANING_NONE),
	ONE(compat, 28, 4, FIELD_UINT, MEANING_NONE),
	NUMBER(args, 32, 48, 6, FIELD_UINT, MEANING_ARGS),
	ONE(path, 80, 8, FIELD_STR, MEANING_NONE),
	ONE(path2, 88, 8, FIELD_STR, MEANING_NONE),
};

static const struct schema_field model_disk[] = {
	ONE(disk, 24, 16, FIELD_CHARS, MEANING_NONE),
	ONE(latency, 40, 8, FIELD_UINT, MEANING_NS),
	ONE(name, 48, 8, FIELD_CHARS, MEANING_NONE),
};

#define EV_MODEL_ALL  1
#define EV_MODEL_CALL 2
#define EV_MODEL_DISK 3

static inline void model_add(struct schema *s, unsigned number,
			     const char *source, const char *name,
			     const char *text, uint16_t size,
			     const struct schema_field *fields, unsigned count)
{
	struct schema_kind k = {
		.name = name,
		.source = source,
		.help = "help",
		.text = text,
		.number = (uint16_t)number,
		.size = size,
		.field_count = (uint16_t)count,
		.fields = fields,
	};
	const char *why = "";

	model_must(!schema_add_kind(s, &k, &why), why);
}

/* Its kind model_all with @text as the template of the human line. */
static inline struct schema *model_schema_with(const char *text)
{
	struct schema_source model = {"model", "for tests"};
	struct schema_source block = {"disk", "another"};
	struct schema_field all[MODEL_FIELDS];
	const struct schema_enum *colour;
	struct schema *s;

	model_must(!schema_new(&s), "schema_new");
	model_must(!schema_add_source(s, &model), "model");
	model_must(!schema_add_source(s, &block), "disk");
	model_must(!schema_add_enum(s, &model_colour, &colour), "colour");
	memcpy(all, model_all, sizeof(all));
	all[5].names = colour;
	model_add(s, EV_MODEL_ALL, "model", "model_all", text, 200, all,
		  MODEL_FIELDS);
	model_add(s, EV_MODEL_CALL, "model", "model_call", "call({args})", 96,
		  model_call, 5);
	model_add(s, EV_MODEL_DISK, "disk", "model_disk", "", 56, model_disk,
		  3);
	return s;
}

static inline struct schema *model_schema(void)
{
	return model_schema_with("");
}

/* ---- records ------------------------------------------------------------- */

struct record {
	_Alignas(8) uint8_t data[RECORD_MAX];
	const struct schema_kind *kind;
};

static inline struct weir_hdr *record_hdr(struct record *r)
{
	return (struct weir_hdr *)r->data;
}

/* An empty record of the kind called @kind, on cpu 1, by pid 812. */
static inline void record_begin(struct record *r, const struct schema *s,
				const char *kind)
{
	struct weir_hdr *h = record_hdr(r);

	memset(r->data, 0, sizeof(r->data));
	r->kind = schema_kind_by_name(s, kind);
	model_must(r->kind != NULL, kind);
	h->ts = 5000000000ULL;
	h->kind = r->kind->number;
	h->cpu = 1;
	h->pid = 812;
	h->tid = 812;
	h->len = r->kind->size;
}

static inline const struct schema_field *record_field(const struct record *r,
						      const char *name)
{
	const struct schema_field *f = schema_field(r->kind, name);

	model_must(f != NULL, name);
	return f;
}

/* Element @i of a number. */
static inline void record_put(struct record *r, const char *field, unsigned i,
			      uint64_t v)
{
	const struct schema_field *f = record_field(r, field);
	size_t each = f->size / f->count;

	memcpy(r->data + f->offset + i * each, &v, each);
}

static inline void record_set(struct record *r, const char *field, uint64_t v)
{
	record_put(r, field, 0, v);
}

static inline void record_bytes(struct record *r, const char *field,
				const void *data, size_t len)
{
	memcpy(r->data + record_field(r, field)->offset, data, len);
}

/* A string in the tail whose true length is @full. */
static inline void record_str(struct record *r, const char *field,
			      const void *data, size_t len, uint32_t full)
{
	struct weir_hdr *h = record_hdr(r);
	struct weir_str s = {h->len, (uint16_t)len, full};

	memcpy(r->data + h->len, data, len);
	h->len = (uint16_t)(h->len + len);
	record_bytes(r, field, &s, sizeof(s));
}

static inline void record_text(struct record *r, const char *field,
			       const char *text)
{
	record_str(r, field, text, strlen(text), (uint32_t)strlen(text));
}

static inline struct event record_event(const struct record *r,
					const struct schema *s)
{
	struct event ev;

	model_must(!event_init(&ev, s, r->data, sizeof(r->data)), "event_init");
	return ev;
}

#endif
