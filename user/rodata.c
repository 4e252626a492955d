// SPDX-License-Identifier: BSD-2-Clause
#include "rodata.h"

#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

static struct bpf_map *rodata_map(struct bpf_object *obj)
{
	const char *name;
	struct bpf_map *m;
	size_t len;

	bpf_object__for_each_map(m, obj)
	{
		name = bpf_map__name(m);
		len = strlen(name);
		if (len >= 7 && !strcmp(name + len - 7, ".rodata"))
			return m;
	}
	return NULL;
}

static const struct btf_type *rodata_section(const struct btf *btf)
{
	int id = btf__find_by_name_kind(btf, ".rodata", BTF_KIND_DATASEC);

	return id > 0 ? btf__type_by_id(btf, (uint32_t)id) : NULL;
}

static const char *var_name(const struct btf *btf,
			    const struct btf_var_secinfo *v)
{
	return btf__name_by_offset(btf,
				   btf__type_by_id(btf, v->type)->name_off);
}

/* One that is static is clang's, whatever its bytes are set to. */
static bool can_be_set(const struct btf *btf, const struct btf_var_secinfo *v)
{
	return btf_var(btf__type_by_id(btf, v->type))->linkage !=
	       BTF_VAR_STATIC;
}

void *rodata_bytes(struct bpf_object *obj, size_t *ret_size)
{
	struct bpf_map *map = rodata_map(obj);

	*ret_size = 0;
	return map ? (void *)bpf_map__initial_value(map, ret_size) : NULL;
}

void *rodata_find(struct bpf_object *obj, const char *name, size_t *ret_size)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *sec = rodata_section(btf);
	const struct btf_var_secinfo *v;
	size_t size, i;
	uint8_t *data = rodata_bytes(obj, &size);

	if (!sec)
		return NULL;
	v = btf_var_secinfos(sec);
	for (i = 0; data && i < btf_vlen(sec); i++, v++) {
		if (strcmp(var_name(btf, v), name) || !can_be_set(btf, v) ||
		    v->offset + v->size > size)
			continue;
		*ret_size = v->size;
		return data + v->offset;
	}
	return NULL;
}

const char *rodata_carry(struct bpf_object *to, struct bpf_object *from,
			 const void *as_built)
{
	const struct btf *btf = bpf_object__btf(from);
	const struct btf_type *sec = rodata_section(btf);
	const struct btf_var_secinfo *v = btf_var_secinfos(sec);
	size_t size, i;
	uint8_t *data = rodata_bytes(from, &size);
	void *there;

	for (i = 0; i < btf_vlen(sec); i++, v++) {
		if (!can_be_set(btf, v))
			continue;
		there = rodata_find(to, var_name(btf, v), &size);
		if (there && size == v->size)
			memcpy(there, data + v->offset, v->size);
		else if (memcmp((const uint8_t *)as_built + v->offset,
				data + v->offset, v->size))
			return var_name(btf, v);
	}
	return NULL;
}

int rodata_set(struct bpf_object *obj, const char *name, uint64_t value)
{
	size_t size;
	void *p = rodata_find(obj, name, &size);

	if (!p || size > sizeof(value))
		return -ENOENT;
	if (size < sizeof(value) && value >> (8 * size))
		return -ERANGE;
	memcpy(p, &value, size); /* little-endian, as BPF is here */
	return 0;
}

uint64_t rodata_get(struct bpf_object *obj, const char *name, uint64_t fallback)
{
	uint64_t value = 0;
	size_t size;
	void *p = rodata_find(obj, name, &size);

	if (!p || size > sizeof(value))
		return fallback;
	memcpy(&value, p, size);
	return value;
}

void rodata_each(struct bpf_object *obj, const char *prefix,
		 void (*fn)(void *arg, const char *name), void *arg)
{
	const struct btf *btf = bpf_object__btf(obj);
	const struct btf_type *sec = rodata_section(btf);
	const struct btf_var_secinfo *v;
	const char *name;
	size_t i;

	if (!sec)
		return;
	v = btf_var_secinfos(sec);
	for (i = 0; i < btf_vlen(sec); i++, v++) {
		name = var_name(btf, v);
		if (!strncmp(name, prefix, strlen(prefix)))
			fn(arg, name);
	}
}
