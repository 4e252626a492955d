/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rodata.h - set a BPF object's constants by name, before it is loaded.
 *
 * What a program declares `const volatile` lies in .rodata; its BTF says
 * where. The verifier knows the values and prunes what they rule out. Strings
 * that clang puts there, static ones, are not to be found by name.
 * Thread: one at a time for each object; before it is loaded.
 */
#ifndef WEIR_RODATA_H
#define WEIR_RODATA_H

#include <stddef.h>
#include <stdint.h>

struct bpf_object;

/**
 * rodata_bytes - all of them
 * Return: writable until the object is loaded, @ret_size; NULL: there are none.
 */
void *rodata_bytes(struct bpf_object *obj, size_t *ret_size);

/**
 * rodata_carry - set those of @to as those of the same name in @from are
 * @from:     has some
 * @as_built: the bytes of @from's before any was set
 *
 * Return: NULL; or the name of one that was set to something else than it is
 * compiled to, and that @to has not, or of another size; borrowed from @from.
 */
const char *rodata_carry(struct bpf_object *to, struct bpf_object *from,
			 const void *as_built);

/**
 * rodata_find - where a constant is
 * Return: its bytes, writable until the object is loaded, and their number in
 * @ret_size; NULL when the object has none of that name.
 */
void *rodata_find(struct bpf_object *obj, const char *name, size_t *ret_size);

/**
 * rodata_set - set an integer constant of 1, 2, 4 or 8 bytes
 * Return: 0; -ENOENT there is none of that name, or it is larger than 8 bytes;
 * -ERANGE the value does not fit. A negative one is given as the type's bits.
 */
int rodata_set(struct bpf_object *obj, const char *name, uint64_t value);

/** rodata_get - read one. Return: its value, or @fallback when there is none.
 */
uint64_t rodata_get(struct bpf_object *obj, const char *name,
		    uint64_t fallback);

/**
 * rodata_each - call @fn with the name of each constant that begins with
 * @prefix
 */
void rodata_each(struct bpf_object *obj, const char *prefix,
		 void (*fn)(void *arg, const char *name), void *arg);

#endif
