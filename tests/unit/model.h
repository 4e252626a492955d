/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * model.h - what the tests of the model share: model_schema.h, and the schema
 * of the BPF objects just built.
 */
#ifndef WEIR_TEST_MODEL_H
#define WEIR_TEST_MODEL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <bpf/btf.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "model_schema.h"

/* ---- what was rendered --------------------------------------------------- */

/* Compare, and empty the buffer. */
static inline void expect(struct buf *b, const char *text)
{
	assert_int_equal(buf_err(b), 0);
	buf_putc(b, '\0');
	assert_string_equal(b->data, text);
	buf_reset(b);
}

/* ---- the schema of the BPF objects --------------------------------------- */

static inline void real_add(struct schema *s, const char *path,
			    const struct btf *kernel)
{
	struct btf *btf = btf__parse(path, NULL);
	const char *name = strrchr(path, '/') + 1, *why = "";
	char source[32];
	int err;

	if (!btf)
		fail_msg("%s: no BTF", path);
	snprintf(source, sizeof(source), "%.*s", (int)strcspn(name, "."), name);
	err = schema_add_btf(s, source, btf, kernel, &why);
	btf__free(btf);
	if (err)
		fail_msg("%s: %d %s", path, err, why);
}

/* NULL when there are none: then the test skips. */
static inline struct schema *real_schema(const struct btf *kernel)
{
	const char *out = getenv("O");
	struct schema *s = NULL;
	char pattern[256];
	glob_t found;
	size_t i;

	snprintf(pattern, sizeof(pattern), "%s/bpf/*.bpf.o",
		 out ? out : "build");
	if (glob(pattern, 0, NULL, &found))
		return NULL;
	assert_int_equal(schema_new(&s), 0);
	for (i = 0; i < found.gl_pathc; i++)
		real_add(s, found.gl_pathv[i], kernel);
	globfree(&found);
	return s;
}

#endif
