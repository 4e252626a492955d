// SPDX-License-Identifier: BSD-2-Clause
#include "schema.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "arena.h"
#include "template.h"
#include "utf8.h"

#define ENUMERATORS_MAX 65536
#define WHY_MAX		160

struct schema {
	struct arena arena;
	unsigned source_count, enum_count;
	const struct schema_source *sources[SCHEMA_SOURCES_MAX];
	const struct schema_enum *enums[SCHEMA_ENUMS_MAX];
	struct schema_kind *kinds[SCHEMA_KINDS_MAX];
};

/* clang-format off */
static const char *const meaning_names[MEANINGS] = {
	[MEANING_NONE] = "",
	[MEANING_TIME] = "time",
	[MEANING_NS] = "ns",
	[MEANING_PID] = "pid",
	[MEANING_TID] = "tid",
	[MEANING_UID] = "uid",
	[MEANING_BYTES] = "bytes",
	[MEANING_COUNT] = "count",
	[MEANING_ERRNO] = "errno",
	[MEANING_RET] = "ret",
	[MEANING_CPU] = "cpu",
	[MEANING_CGROUP] = "cgroup",
	[MEANING_IP] = "ip",
	[MEANING_PORT] = "port",
	[MEANING_DEV] = "dev",
	[MEANING_SECTOR] = "sector",
	[MEANING_SIGNAL] = "signal",
	[MEANING_STATE] = "state",
	[MEANING_HEX] = "hex",
	[MEANING_BOOL] = "bool",
	[MEANING_ARGS] = "args",
	[MEANING_ARGV] = "argv",
	[MEANING_VALUE] = "value",
};
/* clang-format on */

/* What every event has, and what JSON adds: no field may be called so. */
static const char *const reserved_names[] = {
	"ts", "source", "kind", "cpu", "pid", "tid", "comm", "marks",
};

/* ---- looking up ---------------------------------------------------------- */

const struct schema_kind *schema_kind(const struct schema *s, unsigned number)
{
	return number < SCHEMA_KINDS_MAX ? s->kinds[number] : NULL;
}

const struct schema_kind *schema_kind_by_name(const struct schema *s,
					      const char *name)
{
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (s->kinds[i] && !strcmp(s->kinds[i]->name, name))
			return s->kinds[i]->first;
	return NULL;
}

const struct schema_field *schema_field(const struct schema_kind *k,
					const char *name)
{
	unsigned i;

	for (i = 0; i < k->field_count; i++)
		if (!strcmp(k->fields[i].name, name))
			return &k->fields[i];
	return NULL;
}

bool schema_names_task(const struct schema_field *f)
{
	return f->type == FIELD_UINT && f->count == 1 &&
	       (f->meaning == MEANING_TID || f->meaning == MEANING_PID);
}

const struct schema_field *schema_task_field(const struct schema_kind *k,
					     const char *name)
{
	const size_t end = strlen(SCHEMA_COMM_SUFFIX);
	size_t len = strlen(name);
	unsigned i;

	if (len <= end || strcmp(name + len - end, SCHEMA_COMM_SUFFIX) != 0 ||
	    schema_field(k, name))
		return NULL;
	for (i = 0; i < k->field_count; i++)
		if (schema_names_task(&k->fields[i]) &&
		    strlen(k->fields[i].name) == len - end &&
		    !memcmp(k->fields[i].name, name, len - end))
			return &k->fields[i];
	return NULL;
}

unsigned schema_source_count(const struct schema *s)
{
	return s->source_count;
}

const struct schema_source *schema_source(const struct schema *s, unsigned i)
{
	return i < s->source_count ? s->sources[i] : NULL;
}

const struct schema_source *schema_source_by_name(const struct schema *s,
						  const char *name)
{
	unsigned i;

	for (i = 0; i < s->source_count; i++)
		if (!strcmp(s->sources[i]->name, name))
			return s->sources[i];
	return NULL;
}

unsigned schema_enum_count(const struct schema *s)
{
	return s->enum_count;
}

const struct schema_enum *schema_enum(const struct schema *s, unsigned i)
{
	return i < s->enum_count ? s->enums[i] : NULL;
}

const char *meaning_name(enum meaning m)
{
	return (unsigned)m < MEANINGS ? meaning_names[m] : "";
}

enum meaning meaning_by_name(const char *name, size_t len)
{
	enum meaning m;

	for (m = MEANING_NONE + 1; m < MEANINGS; m++)
		if (strlen(meaning_names[m]) == len &&
		    !memcmp(meaning_names[m], name, len))
			return m;
	return MEANING_NONE;
}

/* Most enums are dense: then the value, less the first, is the place. */
static const struct schema_enumerator *dense(const struct schema_enum *e,
					     int64_t value)
{
	uint64_t i;

	if (!e->count || value < e->values[0].value)
		return NULL;
	i = (uint64_t)value - (uint64_t)e->values[0].value;
	if (i >= e->count || e->values[i].value != value)
		return NULL;
	return &e->values[i];
}

const char *enum_name(const struct schema_enum *e, int64_t value)
{
	const struct schema_enumerator *v = dense(e, value);
	uint32_t low = 0, high = e->count, mid;

	if (v)
		return v->name;
	while (low < high) {
		mid = low + (high - low) / 2;
		if (e->values[mid].value < value)
			low = mid + 1;
		else
			high = mid;
	}
	if (low < e->count && e->values[low].value == value)
		return e->values[low].name;
	return NULL;
}

int enum_value(const struct schema_enum *e, const char *name, size_t len,
	       int64_t *ret_value)
{
	uint32_t i;

	for (i = 0; i < e->count; i++) {
		const char *n = e->values[i].name;

		if (strlen(n) == len && !strncasecmp(n, name, len)) {
			*ret_value = e->values[i].value;
			return 0;
		}
	}
	return -ENOENT;
}

const struct schema_field *
schema_field_of_value(const struct schema *s, const char *value,
		      const struct schema_kind **ret_kind)
{
	const struct schema_field *f;
	unsigned i, j;
	int64_t number;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		*ret_kind = schema_kind(s, i);
		for (j = 0; *ret_kind && j < (*ret_kind)->field_count; j++) {
			f = &(*ret_kind)->fields[j];
			if (f->names && !enum_value(f->names, value,
						    strlen(value), &number))
				return f;
		}
	}
	return NULL;
}

/* ---- building ------------------------------------------------------------ */

int schema_new(struct schema **ret)
{
	struct schema *s = calloc(1, sizeof(*s));

	if (!s)
		return -ENOMEM;
	*ret = s;
	return 0;
}

void schema_free(struct schema *s)
{
	if (!s)
		return;
	arena_done(&s->arena);
	free(s);
}

const char *schema_why(struct schema *s, const char *fmt, ...)
{
	char text[WHY_MAX];
	const char *copy;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	copy = arena_copy(&s->arena, text, strlen(text));
	return copy ? copy : "out of memory";
}

static bool is_word(const char *name)
{
	size_t i;

	for (i = 0; name[i]; i++)
		if (!isalnum((unsigned char)name[i]) && name[i] != '_')
			return false;
	return i > 0 && i <= SCHEMA_NAME_MAX;
}

static bool is_identifier(const char *name)
{
	return is_word(name) && !isdigit((unsigned char)name[0]);
}

static bool is_line(const char *text)
{
	size_t len = strlen(text);

	return len <= SCHEMA_HELP_MAX && utf8_is_clean(text, len);
}

static const char *copy_str(struct schema *s, const char *text)
{
	return arena_copy(&s->arena, text, strlen(text));
}

int schema_add_source(struct schema *s, const struct schema_source *src)
{
	struct schema_source *copy;

	if (!is_identifier(src->name) || !is_line(src->help) ||
	    s->source_count == SCHEMA_SOURCES_MAX)
		return -EINVAL;
	if (schema_source_by_name(s, src->name))
		return -EEXIST;
	copy = arena_alloc(&s->arena, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	copy->name = copy_str(s, src->name);
	copy->help = copy_str(s, src->help);
	if (!copy->name || !copy->help)
		return -ENOMEM;
	s->sources[s->source_count++] = copy;
	return 0;
}

/* ---- enums --------------------------------------------------------------- */

static bool enum_is_legal(const struct schema_enum *e)
{
	uint32_t i;

	if (!is_identifier(e->name) || e->count > ENUMERATORS_MAX)
		return false;
	for (i = 0; i < e->count; i++) {
		if (!is_word(e->values[i].name))
			return false;
		if (i && e->values[i].value <= e->values[i - 1].value)
			return false;
	}
	return true;
}

static bool enums_equal(const struct schema_enum *a,
			const struct schema_enum *b)
{
	uint32_t i;

	if (a->count != b->count || strcmp(a->name, b->name) != 0)
		return false;
	for (i = 0; i < a->count; i++)
		if (a->values[i].value != b->values[i].value ||
		    strcmp(a->values[i].name, b->values[i].name) != 0)
			return false;
	return true;
}

static const struct schema_enum *find_equal(const struct schema *s,
					    const struct schema_enum *e)
{
	unsigned i;

	for (i = 0; i < s->enum_count; i++)
		if (enums_equal(s->enums[i], e))
			return s->enums[i];
	return NULL;
}

static const struct schema_enum *copy_enum(struct schema *s,
					   const struct schema_enum *e)
{
	struct schema_enum *copy = arena_alloc(&s->arena, sizeof(*copy));
	struct schema_enumerator *values;
	uint32_t i;

	values = arena_array(&s->arena, e->count, sizeof(*values));
	if (!copy || !values)
		return NULL;
	for (i = 0; i < e->count; i++) {
		values[i].value = e->values[i].value;
		values[i].name = copy_str(s, e->values[i].name);
		if (!values[i].name)
			return NULL;
	}
	copy->name = copy_str(s, e->name);
	copy->count = e->count;
	copy->values = values;
	return copy->name ? copy : NULL;
}

int schema_add_enum(struct schema *s, const struct schema_enum *e,
		    const struct schema_enum **ret)
{
	const struct schema_enum *copy;

	if (!enum_is_legal(e))
		return -EINVAL;
	copy = find_equal(s, e);
	if (!copy) {
		if (s->enum_count == SCHEMA_ENUMS_MAX)
			return -EINVAL;
		copy = copy_enum(s, e);
		if (!copy)
			return -ENOMEM;
		s->enums[s->enum_count++] = copy;
	}
	*ret = copy;
	return 0;
}

/* ---- kinds --------------------------------------------------------------- */

static bool is_number(const struct schema_field *f)
{
	return f->type == FIELD_UINT || f->type == FIELD_INT;
}

static bool size_is_legal(const struct schema_field *f)
{
	unsigned each;

	switch (f->type) {
	case FIELD_UINT:
	case FIELD_INT:
		each = f->count ? f->size / f->count : 0;
		return each * f->count == f->size &&
		       (each == 1 || each == 2 || each == 4 || each == 8);
	case FIELD_CHARS:
	case FIELD_BYTES:
		return f->count == 1 && f->size > 0;
	case FIELD_STR:
		return f->count == 1 && f->size == sizeof(struct weir_str);
	default:
		return false;
	}
}

static bool type_fits_meaning(const struct schema_field *f)
{
	if (f->names && !is_number(f))
		return false;
	switch (f->meaning) {
	case MEANING_NONE:
		return true;
	case MEANING_IP:
		return f->type == FIELD_BYTES && f->size == 16;
	case MEANING_ARGV:
		return f->type == FIELD_STR;
	case MEANING_ARGS:
		return f->type == FIELD_UINT && f->size == 6 * sizeof(uint64_t);
	default:
		return f->meaning < MEANINGS && is_number(f);
	}
}

static bool is_reserved(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(reserved_names) / sizeof(*reserved_names); i++)
		if (!strcmp(name, reserved_names[i]))
			return true;
	return false;
}

/* Return: what is wrong with field @i of @k, or NULL. */
static const char *field_fault(const struct schema_kind *k, unsigned i)
{
	const struct schema_field *f = &k->fields[i];
	unsigned after = sizeof(struct weir_hdr), j;

	if (is_reserved(f->name))
		return "a name that every event has";
	for (j = 0; j < i; j++)
		if (!strcmp(k->fields[j].name, f->name))
			return "the name is there twice";
	if (i)
		after = k->fields[i - 1].offset + k->fields[i - 1].size;
	if (f->offset < after)
		return "overlaps what is before it";
	if (f->offset + f->size > k->size)
		return "lies outside the struct";
	if (!size_is_legal(f))
		return "no legal size for its type";
	if (!type_fits_meaning(f))
		return "its type does not fit its meaning";
	if (!is_line(f->help))
		return "its help is not one clean line";
	return NULL;
}

static const char *kind_fault(const struct schema *s,
			      const struct schema_kind *k)
{
	if (k->number == 0 || k->number >= SCHEMA_KINDS_MAX)
		return "its number is not in 1..255";
	if (k->size < sizeof(struct weir_hdr))
		return "smaller than its header";
	if (k->field_count > SCHEMA_FIELDS_MAX)
		return "too many fields";
	if (!schema_source_by_name(s, k->source))
		return "of no known source";
	if (!is_line(k->help) || !is_line(k->text))
		return "its help or text is not one clean line";
	return NULL;
}

/* Return: NULL when all is well, else why not. */
static const char *check_kind(struct schema *s, const struct schema_kind *k)
{
	const char *fault;
	unsigned i;

	if (!is_identifier(k->name))
		return "the name of a kind is no identifier";
	fault = kind_fault(s, k);
	if (fault)
		return schema_why(s, "%s: %s", k->name, fault);
	for (i = 0; i < k->field_count; i++) {
		const char *name = k->fields[i].name;

		if (!is_identifier(name))
			return schema_why(s,
					  "%s: a field's name is no identifier",
					  k->name);
		fault = field_fault(k, i);
		if (fault)
			return schema_why(s, "%s.%s: %s", k->name, name, fault);
	}
	return NULL;
}

static int copy_fields(struct schema *s, struct schema_kind *k)
{
	struct schema_field *fields;
	unsigned i;

	fields = arena_array(&s->arena, k->field_count, sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	for (i = 0; i < k->field_count; i++) {
		fields[i] = k->fields[i];
		fields[i].name = copy_str(s, k->fields[i].name);
		fields[i].help = copy_str(s, k->fields[i].help);
		if (!fields[i].name || !fields[i].help)
			return -ENOMEM;
		k->str_count += fields[i].type == FIELD_STR;
	}
	k->fields = fields;
	return 0;
}

/* Behind those of its name. */
static void link_kind(struct schema *s, struct schema_kind *k)
{
	const struct schema_kind *first = schema_kind_by_name(s, k->name);
	const struct schema_kind *last = first;

	k->first = first ? first : k;
	k->variant = NULL;
	while (last && last->variant)
		last = last->variant;
	if (last)
		s->kinds[last->number]->variant = k;
	s->kinds[k->number] = k;
}

static int add_copy(struct schema *s, const struct schema_kind *k)
{
	struct schema_kind *copy = arena_alloc(&s->arena, sizeof(*copy));
	int err;

	if (!copy)
		return -ENOMEM;
	*copy = *k;
	copy->str_count = 0;
	copy->source = schema_source_by_name(s, k->source)->name;
	copy->name = copy_str(s, k->name);
	copy->help = copy_str(s, k->help);
	copy->text = copy_str(s, k->text);
	if (!copy->name || !copy->help || !copy->text)
		return -ENOMEM;
	err = copy_fields(s, copy);
	if (!err)
		err = template_compile(&s->arena, copy);
	if (!err)
		link_kind(s, copy);
	return err;
}

int schema_add_kind(struct schema *s, const struct schema_kind *k,
		    const char **why)
{
	const char *fault = check_kind(s, k);
	int err = fault ? -EINVAL : 0;

	if (!err && (s->kinds[k->number] || schema_kind_by_name(s, k->name))) {
		fault = schema_why(s, "%s: number %u or name is taken", k->name,
				   k->number);
		err = -EEXIST;
	}
	if (err && why)
		*why = fault;
	return err ? err : add_copy(s, k);
}

int schema_add_variant(struct schema *s, const struct schema_kind *k)
{
	return s->kinds[k->number] ? -EEXIST : add_copy(s, k);
}
