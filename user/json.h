/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * json.h - JSON documents of commands, written as a stream: this puts the
 * commas, the caller closes what it opens. Strings are escaped by render.h.
 */
#ifndef WEIR_JSON_H
#define WEIR_JSON_H

#include <stdbool.h>
#include <stdint.h>

#include "buf.h"

struct json {
	struct buf *b; /* borrowed; latches errors, see buf_err() */
	bool comma;    /* before what comes next; false at the start */
};

/** json_key - the name of the member that follows; ended by a NUL, escaped. */
void json_key(struct json *j, const char *name);

/** json_begin, json_end - '{' or '[', and '}' or ']'. */
void json_begin(struct json *j, char bracket);
void json_end(struct json *j, char bracket);

/**
 * json_str, json_u64, json_bool - a value, as an element or after json_key()
 * @s: any bytes up to a NUL: render_json_string(); NULL: null
 * @v: all 64 bits, in decimal: who reads doubles loses what is above 2^53
 */
void json_str(struct json *j, const char *s);
void json_u64(struct json *j, uint64_t v);
void json_bool(struct json *j, bool v);

/** json_member_str, _u64, _bool - a member of an object: key and value. */
void json_member_str(struct json *j, const char *name, const char *s);
void json_member_u64(struct json *j, const char *name, uint64_t v);
void json_member_bool(struct json *j, const char *name, bool v);

/** json_line - the end of a document: a newline. */
void json_line(struct json *j);

#endif
