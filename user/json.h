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
	struct buf *b;
	bool comma; /* before what comes next */
};

/** json_key - the name of the member that follows. */
void json_key(struct json *j, const char *name);

/** json_begin, json_end - '{' or '[', and '}' or ']'. */
void json_begin(struct json *j, char bracket);
void json_end(struct json *j, char bracket);

/* One value, as an element or after json_key(). NULL strings are null. */
void json_str(struct json *j, const char *s);
void json_u64(struct json *j, uint64_t v);
void json_bool(struct json *j, bool v);

/* A member of an object: key and value. */
void json_member_str(struct json *j, const char *name, const char *s);
void json_member_u64(struct json *j, const char *name, uint64_t v);
void json_member_bool(struct json *j, const char *name, bool v);

/** json_line - the end of a document: a newline. */
void json_line(struct json *j);

#endif
