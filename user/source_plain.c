// SPDX-License-Identifier: BSD-2-Clause
/*
 * The twin of a source, compiled with WEIR_PLAIN (bpf/weir.bpf.h): it lacks the
 * constants that few recordings change, and is loaded where none was changed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "rodata.h"
#include "source_internal.h"

int source_plain_open(struct source *src)
{
	const void *bytes;
	size_t size;

	if (!src->bytes->plain)
		return 0;
	bytes = rodata_bytes(src->obj, &size);
	src->as_built = malloc(size);
	if (!src->as_built)
		return -ENOMEM;
	memcpy(src->as_built, bytes, size);
	return 0;
}

int source_plain_take(const struct sources *s, struct source *src)
{
	struct bpf_object *plain;
	const char *turned;

	if (!src->bytes->plain)
		return 0;
	plain = source_object(s, src, src->bytes->plain,
			      src->bytes->plain_size);
	if (!plain)
		return -errno;
	turned = rodata_carry(plain, src->obj, src->as_built);
	if (turned) {
		log_debug("source %s: not plain, for %s\n", src->bytes->name,
			  turned);
		bpf_object__close(plain);
		return 0;
	}
	log_debug("source %s: plain\n", src->bytes->name);
	bpf_object__close(src->obj);
	src->obj = plain;
	return 0;
}
