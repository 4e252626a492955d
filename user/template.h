/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * template.h - the human line's template, cut into parts once for each kind.
 *
 *   template := { text | "{" field "}" | "[" template "]" }
 *
 * A bracket is left out when every field in it is empty; brackets do not
 * nest. What is not a part (an unknown name, a lone brace) is plain text.
 */
#ifndef WEIR_TEMPLATE_H
#define WEIR_TEMPLATE_H

#include "arena.h"
#include "schema.h"

enum part_type {
	PART_TEXT,
	PART_FIELD,
	PART_OPEN,
	PART_CLOSE,
};

struct template_part {
	uint8_t type;	  /* enum part_type */
	uint16_t len;	  /* of @text */
	uint16_t close;	  /* of PART_OPEN: index of what follows the bracket */
	const char *text; /* into the kind's template, not ended by NUL */
	const struct schema_field *field;
};

/**
 * template_compile - cut k->text into k->parts
 * @k: its text and fields live as long as @a
 * Return: 0; -ENOMEM.
 */
int template_compile(struct arena *a, struct schema_kind *k);

/**
 * template_check - does k->text name only fields that @k has?
 * Return: 0; -EINVAL with the offending part of the template, from its brace
 * on, in @ret_name: borrowed from @k. Braces and brackets that are left over
 * are no error.
 */
int template_check(const struct schema_kind *k, const char **ret_name);

#endif
