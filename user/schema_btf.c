// SPDX-License-Identifier: BSD-2-Clause
#include <bpf/btf.h>
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "arena.h"
#include "schema.h"

#define SECTION_SOURCE ".weir.source"
#define SECTION_EVENTS ".weir.events"
#define TAG_DOC	       "doc:"
#define TAG_TEXT       "text:"
#define TAG_ENUM       "kenum:"
#define TAG_MAKES      "makes:"
#define OF_STRUCT      (-1) /* component of a decl_tag on the type itself */
#define CHAIN_MAX      32   /* typedefs and qualifiers before a type */

/* One object being read. @scratch holds what the table copies. */
struct reader {
	struct schema *schema;
	const char *source;
	const struct btf *btf;
	const struct btf *kernel;
	struct arena scratch;
	const char *why;
};

/* A type with its typedefs and qualifiers taken off. */
struct resolved {
	const struct btf_type *type;
	enum meaning meaning;
	bool is_str; /* struct weir_str */
};

static const char *name_at(const struct btf *btf, uint32_t off)
{
	const char *name = btf__name_by_offset(btf, off);

	return name ? name : "";
}

static int fault(struct reader *r, const char *where, const char *field,
		 const char *what)
{
	r->why = schema_why(r->schema, "%s%s%s: %s", where, *field ? "." : "",
			    field, what);
	return -EINVAL;
}

/* ---- decl_tags ----------------------------------------------------------- */

/* Return: what follows @prefix in the tag on @component of @id, or "". */
static const char *find_tag(const struct btf *btf, uint32_t id, int component,
			    const char *prefix)
{
	uint32_t i, n = btf__type_cnt(btf);

	for (i = 1; i < n; i++) {
		const struct btf_type *t = btf__type_by_id(btf, i);
		const char *tag;

		if (!t || !btf_is_decl_tag(t) || t->type != id ||
		    btf_decl_tag(t)->component_idx != component)
			continue;
		tag = name_at(btf, t->name_off);
		if (!strncmp(tag, prefix, strlen(prefix)))
			return tag + strlen(prefix);
	}
	return "";
}

/* ---- enums --------------------------------------------------------------- */

/* Nearly all: the kernel's enums have outliers (SKB_CONSUMED). */
static bool nearly_all(uint32_t n, uint32_t of)
{
	return (uint64_t)n * 10 >= (uint64_t)of * 9;
}

/* Does @name begin with @len bytes of @prefix, and go on? */
static bool has_prefix(const char *name, const char *prefix, size_t len)
{
	return !strncmp(name, prefix, len) && name[len];
}

static uint32_t count_prefix(const struct schema_enum *e, const char *prefix,
			     size_t len)
{
	uint32_t i, n = 0;

	for (i = 0; i < e->count; i++)
		n += has_prefix(e->values[i].name, prefix, len);
	return n;
}

/*
 * The longest prefix ending with '_' that nearly all names have, or all.
 * Return: its length; where it is in @ret_prefix.
 */
static size_t common_prefix(const struct schema_enum *e, bool all,
			    const char **ret_prefix)
{
	size_t best = 0, len;
	uint32_t i, n;

	for (i = 0; i < e->count; i++) {
		const char *name = e->values[i].name, *p = name;

		while ((p = strchr(p, '_')) != NULL) {
			len = (size_t)(++p - name);
			if (len <= best)
				continue;
			n = count_prefix(e, name, len);
			if (all ? n < e->count : !nearly_all(n, e->count))
				break;
			best = len;
			*ret_prefix = name;
		}
	}
	return best;
}

static char *lower(struct reader *r, const char *name)
{
	char *copy = arena_copy(&r->scratch, name, strlen(name)), *p;

	for (p = copy; p && *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static bool is_twice(const struct schema_enumerator *v, uint32_t n,
		     uint32_t which)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		if (i != which && !strcmp(v[i].name, v[which].name))
			return true;
	return false;
}

/*
 * Shorten the names: those with the prefix that nearly all have lose it, the
 * outliers what all have in common.
 * Return: 0; -ENOMEM; -EEXIST two names would be the same.
 */
static int shorten(struct reader *r, const struct schema_enum *e,
		   struct schema_enumerator *to)
{
	const char *most = "", *every = "";
	size_t most_len = common_prefix(e, false, &most);
	size_t every_len = common_prefix(e, true, &every);
	uint32_t i;

	for (i = 0; i < e->count; i++) {
		const char *name = e->values[i].name;
		bool usual = has_prefix(name, most, most_len);

		to[i].value = e->values[i].value;
		to[i].name = lower(r, name + (usual ? most_len : every_len));
		if (!to[i].name)
			return -ENOMEM;
	}
	for (i = 0; i < e->count; i++)
		if (!has_prefix(e->values[i].name, most, most_len) &&
		    is_twice(to, e->count, i))
			return -EEXIST;
	return 0;
}

static int by_value(const void *a, const void *b)
{
	const struct schema_enumerator *x = a, *y = b;

	return (x->value > y->value) - (x->value < y->value);
}

/* The enumerators of @t, ascending, the first name of each value kept. */
static struct schema_enumerator *read_values(struct reader *r,
					     const struct btf *btf,
					     const struct btf_type *t,
					     uint32_t *ret_count)
{
	uint32_t i, kept = 0, n = btf_vlen(t);
	struct schema_enumerator *v;
	bool wide = btf_is_enum64(t), is_signed = btf_kflag(t);

	v = arena_array(&r->scratch, n, sizeof(*v));
	if (!v)
		return NULL;
	for (i = 0; i < n; i++) {
		const struct btf_enum *e = btf_enum(t) + i;
		const struct btf_enum64 *e64 = btf_enum64(t) + i;

		v[i].name = name_at(btf, wide ? e64->name_off : e->name_off);
		if (wide)
			v[i].value = (int64_t)btf_enum64_value(e64);
		else
			v[i].value = is_signed ? (int64_t)e->val
					       : (int64_t)(uint32_t)e->val;
	}
	qsort(v, n, sizeof(*v), by_value);
	for (i = 0; i < n; i++)
		if (!kept || v[kept - 1].value != v[i].value)
			v[kept++] = v[i];
	*ret_count = kept;
	return v;
}

static int read_enum(struct reader *r, const struct btf *btf,
		     const struct btf_type *t, const struct schema_enum **ret)
{
	struct schema_enum e = {.name = name_at(btf, t->name_off)};
	struct schema_enumerator *values;
	int err;

	e.values = read_values(r, btf, t, &e.count);
	values = arena_array(&r->scratch, e.count, sizeof(*values));
	if (!e.values || !values)
		return -ENOMEM;
	err = shorten(r, &e, values);
	if (err == -ENOMEM)
		return err;
	if (!err)
		e.values = values;
	err = schema_add_enum(r->schema, &e, ret);
	return err == -EINVAL ? fault(r, e.name, "", "no legal enum") : err;
}

/* Names from the running kernel; without them the numbers stand alone. */
static int read_kernel_enum(struct reader *r, const char *name,
			    const struct schema_enum **ret)
{
	int id;

	if (!r->kernel)
		return 0;
	id = btf__find_by_name_kind(r->kernel, name, BTF_KIND_ENUM);
	if (id < 0)
		id = btf__find_by_name_kind(r->kernel, name, BTF_KIND_ENUM64);
	if (id < 0)
		return 0;
	return read_enum(r, r->kernel, btf__type_by_id(r->kernel, (uint32_t)id),
			 ret);
}

/* ---- fields -------------------------------------------------------------- */

/* weir_ns_t means "ns"; a typedef that is none of ours means nothing. */
static enum meaning typedef_meaning(const char *name)
{
	size_t len = strlen(name);

	if (len <= 7 || strncmp(name, "weir_", 5) != 0 ||
	    strcmp(name + len - 2, "_t") != 0)
		return MEANING_NONE;
	return meaning_by_name(name + 5, len - 7);
}

static struct resolved resolve(const struct btf *btf, uint32_t id)
{
	struct resolved d = {.type = btf__type_by_id(btf, id)};
	const char *name;
	int i;

	for (i = 0; d.type && i < CHAIN_MAX; i++) {
		name = name_at(btf, d.type->name_off);
		if (btf_is_typedef(d.type) && !d.meaning)
			d.meaning = typedef_meaning(name);
		if (!btf_is_typedef(d.type) && !btf_is_mod(d.type))
			break;
		d.type = btf__type_by_id(btf, d.type->type);
	}
	d.is_str = d.type && btf_is_struct(d.type) &&
		   !strcmp(name_at(btf, d.type->name_off), "weir_str");
	return d;
}

static bool is_char(const struct reader *r, const struct btf_type *t)
{
	return btf_is_int(t) && t->size == 1 &&
	       !strcmp(name_at(r->btf, t->name_off), "char");
}

static bool is_byte(const struct btf_type *t)
{
	return btf_is_int(t) && t->size == 1 &&
	       !(btf_int_encoding(t) & BTF_INT_SIGNED);
}

static int number_field(struct reader *r, const struct btf_type *t,
			struct schema_field *f)
{
	bool is_signed;

	if (btf_is_any_enum(t)) {
		f->type = btf_kflag(t) ? FIELD_INT : FIELD_UINT;
		f->size = (uint16_t)t->size;
		return read_enum(r, r->btf, t, &f->names);
	}
	if (!btf_is_int(t))
		return -EINVAL;
	is_signed = btf_int_encoding(t) & BTF_INT_SIGNED;
	f->type = is_signed ? FIELD_INT : FIELD_UINT;
	f->size = (uint16_t)t->size;
	return 0;
}

static int array_field(struct reader *r, const struct btf_array *a,
		       struct schema_field *f)
{
	struct resolved d = resolve(r->btf, a->type);
	int err;

	if (!d.type || a->nelems == 0 || a->nelems > UINT16_MAX / 8)
		return -EINVAL;
	if (is_char(r, d.type) || (is_byte(d.type) && !d.meaning)) {
		f->type = is_char(r, d.type) ? FIELD_CHARS : FIELD_BYTES;
		f->size = (uint16_t)a->nelems;
		return 0;
	}
	if (!f->meaning)
		f->meaning = (uint8_t)d.meaning;
	err = number_field(r, d.type, f);
	f->count = (uint16_t)a->nelems;
	f->size = (uint16_t)(f->size * a->nelems);
	return err;
}

static int typed_field(struct reader *r, uint32_t id, struct schema_field *f)
{
	struct resolved d = resolve(r->btf, id);

	f->count = 1;
	f->meaning = (uint8_t)d.meaning;
	if (!d.type)
		return -EINVAL;
	if (d.is_str) {
		f->type = FIELD_STR;
		f->size = sizeof(struct weir_str);
		return 0;
	}
	if (btf_is_array(d.type))
		return array_field(r, btf_array(d.type), f);
	return number_field(r, d.type, f);
}

static int read_field(struct reader *r, uint32_t id, const struct btf_type *t,
		      uint32_t i, struct schema_field *f)
{
	const struct btf_member *m = btf_members(t) + i;
	uint32_t bits = btf_member_bit_offset(t, i);
	const char *of = name_at(r->btf, t->name_off), *kenum;
	int err;

	f->name = name_at(r->btf, m->name_off);
	f->help = find_tag(r->btf, id, (int)i, TAG_DOC);
	if (btf_member_bitfield_size(t, i) || bits % 8)
		return fault(r, of, f->name, "a bit-field");
	if (bits / 8 > UINT16_MAX)
		return fault(r, of, f->name, "too far from the start");
	f->offset = (uint16_t)(bits / 8);
	err = typed_field(r, m->type, f);
	if (err == -EINVAL)
		return fault(r, of, f->name, "neither a number nor a string");
	if (err)
		return err;
	kenum = find_tag(r->btf, id, (int)i, TAG_ENUM);
	return *kenum ? read_kernel_enum(r, kenum, &f->names) : 0;
}

/* ---- kinds --------------------------------------------------------------- */

static bool begins_with_header(const struct reader *r, const struct btf_type *t)
{
	struct resolved d;

	if (btf_vlen(t) == 0 || btf_member_bit_offset(t, 0) != 0)
		return false;
	d = resolve(r->btf, btf_members(t)->type);
	return d.type && btf_is_struct(d.type) &&
	       d.type->size == sizeof(struct weir_hdr) &&
	       !strcmp(name_at(r->btf, d.type->name_off), "weir_hdr");
}

static int read_kind(struct reader *r, uint32_t id, uint32_t number)
{
	const struct btf_type *t = btf__type_by_id(r->btf, id);
	const char *name = name_at(r->btf, t->name_off);
	struct schema_kind k = {.source = r->source};
	struct schema_field *fields;
	uint32_t i;
	int err = 0;

	if (strncmp(name, "ev_", 3) != 0 || !begins_with_header(r, t))
		return fault(r, name, "", "no struct ev_* that begins with h");
	if (t->size > UINT16_MAX || number > UINT16_MAX)
		return fault(r, name, "", "too large");
	fields = arena_array(&r->scratch, btf_vlen(t), sizeof(*fields));
	if (!fields)
		return -ENOMEM;
	for (i = 1; i < btf_vlen(t) && !err; i++)
		err = read_field(r, id, t, i, &fields[i - 1]);
	if (err)
		return err;
	k.name = name + 3;
	k.help = find_tag(r->btf, id, OF_STRUCT, TAG_DOC);
	k.text = find_tag(r->btf, id, OF_STRUCT, TAG_TEXT);
	k.number = (uint16_t)number;
	k.size = (uint16_t)t->size;
	k.field_count = (uint16_t)(btf_vlen(t) - 1);
	k.fields = fields;
	return schema_add_kind(r->schema, &k, &r->why);
}

/* Follow pointers and qualifiers. Return: the id they end at. */
static uint32_t target(const struct btf *btf, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(btf, id);
	int i;

	for (i = 0; t && i < CHAIN_MAX; i++) {
		if (!btf_is_ptr(t) && !btf_is_mod(t) && !btf_is_typedef(t))
			break;
		id = t->type;
		t = btf__type_by_id(btf, id);
	}
	return id;
}

/* WEIR_EVENT(): a pointer to an array of @number event structs. */
static int read_event(struct reader *r, const struct btf_type *var)
{
	const char *name = name_at(r->btf, var->name_off);
	const struct btf_type *t;
	uint32_t id;

	t = btf__type_by_id(r->btf, target(r->btf, var->type));
	if (!t || !btf_is_array(t))
		return fault(r, name, "", "not made by WEIR_EVENT()");
	id = target(r->btf, btf_array(t)->type);
	if (!btf_is_struct(btf__type_by_id(r->btf, id)))
		return fault(r, name, "", "its struct is not in the BTF");
	return read_kind(r, id, btf_array(t)->nelems);
}

static int read_source(struct reader *r, const struct btf_type *var)
{
	const char *name = name_at(r->btf, var->name_off);
	uint32_t id = target(r->btf, var->type);
	struct schema_source src = {.name = r->source};
	int err;

	src.help = find_tag(r->btf, id, OF_STRUCT, TAG_DOC);
	err = schema_add_source(r->schema, &src);
	if (err == -EINVAL)
		return fault(r, name, "", "its name or help is not clean");
	if (err == -EEXIST)
		r->why = schema_why(r->schema, "source %s is there already",
				    r->source);
	return err;
}

/* ---- sections ------------------------------------------------------------ */

static int each_var(struct reader *r, const char *section,
		    int (*fn)(struct reader *r, const struct btf_type *var))
{
	int id = btf__find_by_name_kind(r->btf, section, BTF_KIND_DATASEC);
	const struct btf_type *sec, *var;
	int err = 0;
	uint32_t i;

	if (id < 0)
		return fault(r, r->source, "", "has no WEIR_SOURCE/WEIR_EVENT");
	sec = btf__type_by_id(r->btf, (uint32_t)id);
	for (i = 0; i < btf_vlen(sec) && !err; i++) {
		var = btf__type_by_id(r->btf, btf_var_secinfos(sec)[i].type);
		err = var && btf_is_var(var)
			      ? fn(r, var)
			      : fault(r, section, "", "holds no variable");
	}
	return err;
}

int schema_add_btf(struct schema *s, const char *source, const struct btf *btf,
		   const struct btf *kernel, const char **why)
{
	struct reader r = {
		.schema = s,
		.source = source,
		.btf = btf,
		.kernel = kernel,
		.why = "out of memory",
	};
	int err;

	err = each_var(&r, SECTION_SOURCE, read_source);
	if (!err)
		err = each_var(&r, SECTION_EVENTS, read_event);
	if (err && why)
		*why = r.why;
	arena_done(&r.scratch);
	return err;
}

int btf_tracepoint_args(const struct btf *kernel, uint32_t id)
{
	const struct btf_type *t = btf__type_by_id(kernel, target(kernel, id));

	if (!t || !btf_is_func_proto(t) || !btf_vlen(t))
		return -ENOENT;
	return btf_vlen(t) - 1;
}

const char *btf_program_makes(const struct btf *btf, const char *program)
{
	int id = btf__find_by_name_kind(btf, program, BTF_KIND_FUNC);

	return id > 0 ? find_tag(btf, (uint32_t)id, OF_STRUCT, TAG_MAKES) : "";
}
