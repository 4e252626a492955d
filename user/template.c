// SPDX-License-Identifier: BSD-2-Clause
#include "template.h"

#include <errno.h>
#include <string.h>

/* Length of "{name}" at @s, braces included, or 0. */
static size_t placeholder(const char *s)
{
	size_t len;

	if (*s != '{')
		return 0;
	len = 1 + strcspn(s + 1, "{}[]");
	return s[len] == '}' ? len + 1 : 0;
}

static const struct schema_field *named_field(const struct schema_kind *k,
					      const char *name, size_t len)
{
	unsigned i;

	for (i = 0; i < k->field_count; i++) {
		const struct schema_field *f = &k->fields[i];

		if (strlen(f->name) == len && !memcmp(f->name, name, len))
			return f;
	}
	return NULL;
}

static size_t next_field(const struct schema_kind *k, const char *s,
			 struct template_part *p)
{
	size_t len = placeholder(s);

	p->field = len ? named_field(k, s + 1, len - 2) : NULL;
	if (!p->field)
		return 0;
	p->type = PART_FIELD;
	return len;
}

/* Describe the part that begins at @s. Return: its length. */
static size_t next_part(const struct schema_kind *k, const char *s, bool open,
			struct template_part *p)
{
	size_t len = next_field(k, s, p);

	if (len)
		return len;
	if (*s == (open ? ']' : '[')) {
		p->type = open ? PART_CLOSE : PART_OPEN;
		return 1;
	}
	p->type = PART_TEXT;
	p->text = s;
	p->len = (uint16_t)(1 + strcspn(s + 1, "{[]"));
	return p->len;
}

/* Cut @k's template into @parts, or only count them when that is NULL. */
static unsigned cut(const struct schema_kind *k, struct template_part *parts)
{
	struct template_part part;
	const char *s = k->text;
	unsigned n = 0, open = 0;
	bool inside = false;

	while (*s) {
		part = (struct template_part){0};
		s += next_part(k, s, inside, &part);
		if (part.type == PART_OPEN)
			open = n;
		if (part.type == PART_OPEN || part.type == PART_CLOSE)
			inside = part.type == PART_OPEN;
		if (parts)
			parts[n] = part;
		n++;
		if (parts && (inside || part.type == PART_CLOSE))
			parts[open].close = (uint16_t)n;
	}
	return n;
}

int template_compile(struct arena *a, struct schema_kind *k)
{
	unsigned n = cut(k, NULL);
	struct template_part *parts = arena_array(a, n, sizeof(*parts));

	if (!parts)
		return -ENOMEM;
	cut(k, parts);
	k->parts = parts;
	k->part_count = (uint16_t)n;
	return 0;
}

int template_check(const struct schema_kind *k, const char **ret_name)
{
	const char *s;
	size_t len;

	for (s = k->text; *s; s++) {
		len = placeholder(s);
		if (len && !named_field(k, s + 1, len - 2)) {
			*ret_name = s;
			return -EINVAL;
		}
	}
	return 0;
}
