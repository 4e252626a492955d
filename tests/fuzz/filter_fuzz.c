// SPDX-License-Identifier: BSD-2-Clause
/*
 * filter_fuzz.c - any expression compiles or is refused with a caret inside
 * it, and what compiled can be asked about any event.
 */
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/filter.h"
#include "../unit/model_schema.h"

#define WALL 1795356195000000000LL

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void ask(const struct filter *f, const struct schema *s,
		const struct record *r)
{
	static const struct cgroup cgroup = {1, "/a", "", 2};
	static const struct task task = {.comm = "fuzz",
					 .exe = "/bin/f",
					 .exe_len = 6,
					 .cgroup = &cgroup};
	struct event ev = record_event(r, s);

	filter_match(f, &ev);
	ev.task = &task;
	filter_match(f, &ev);
}

static void ask_all(const struct filter *f, const struct schema *s)
{
	static struct record r;

	record_begin(&r, s, "model_all");
	record_bytes(&r, "chars", "full to the", 12);
	record_text(&r, "text", "/etc/passwd");
	record_str(&r, "argv", "ls\0-l\0", 6, 6);
	ask(f, s, &r);
	record_begin(&r, s, "model_call");
	record_str(&r, "path", "", 0, WEIR_STR_UNKNOWN);
	ask(f, s, &r);
	record_begin(&r, s, "model_disk");
	ask(f, s, &r);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct schema *schema;
	struct filter_error err;
	struct filter *f;
	char *expr;
	int e;

	if (!schema)
		schema = model_schema();
	expr = malloc(size + 1);
	if (!expr)
		return 0;
	if (size)
		memcpy(expr, data, size);
	expr[size] = '\0';
	e = filter_compile(&f, expr, schema, NULL, WALL, 0, &err);
	if (!e) {
		ask_all(f, schema);
		filter_free(f);
	} else {
		model_must(e == -EINVAL && *err.what && err.at <= strlen(expr),
			   expr);
	}
	free(expr);
	return 0;
}
