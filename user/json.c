// SPDX-License-Identifier: BSD-2-Clause
/*
 * json.c - see json.h.
 */
#include "json.h"

#include <string.h>

#include "render.h"

static void next(struct json *j)
{
	if (j->comma)
		buf_putc(j->b, ',');
	j->comma = true;
}

void json_key(struct json *j, const char *name)
{
	next(j);
	render_json_string(j->b, name, strlen(name));
	buf_putc(j->b, ':');
	j->comma = false;
}

void json_begin(struct json *j, char bracket)
{
	next(j);
	buf_putc(j->b, bracket);
	j->comma = false;
}

void json_end(struct json *j, char bracket)
{
	buf_putc(j->b, bracket);
	j->comma = true;
}

void json_str(struct json *j, const char *s)
{
	next(j);
	if (s)
		render_json_string(j->b, s, strlen(s));
	else
		buf_puts(j->b, "null");
}

void json_u64(struct json *j, uint64_t v)
{
	next(j);
	buf_u64(j->b, v);
}

void json_bool(struct json *j, bool v)
{
	next(j);
	buf_puts(j->b, v ? "true" : "false");
}

void json_member_str(struct json *j, const char *name, const char *s)
{
	json_key(j, name);
	json_str(j, s);
}

void json_member_u64(struct json *j, const char *name, uint64_t v)
{
	json_key(j, name);
	json_u64(j, v);
}

void json_member_bool(struct json *j, const char *name, bool v)
{
	json_key(j, name);
	json_bool(j, v);
}

void json_line(struct json *j)
{
	buf_putc(j->b, '\n');
	j->comma = false;
}
