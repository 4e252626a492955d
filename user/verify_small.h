/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_small.h - is what is in the frames without events what they say?
 */
#ifndef WEIR_VERIFY_SMALL_H
#define WEIR_VERIFY_SMALL_H

#include "block.h"

/* Kept over the frames of a segment. */
struct verify_small {
	struct buf bytes;    /* scratch */
	uint32_t schema_crc; /* of the first SCHEMA; with has_schema */
	bool has_schema;
};

/** verify_small_begin - another segment, whose SCHEMA is not known. */
static inline void verify_small_begin(struct verify_small *v)
{
	v->has_schema = false;
}

/** verify_small_done - free the scratch; zeroed: no-op. */
static inline void verify_small_done(struct verify_small *v)
{
	buf_done(&v->bytes);
}

/**
 * verify_small - SEGMENT, TRAILER, CLOCK, SCHEMA, RESUME; others are not looked
 * into
 * @payload: from segment_read()
 * @why:     static text, with -EBADMSG
 *
 * All SCHEMA frames of a segment must be the same.
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT; -ENOMEM.
 */
int verify_small(struct verify_small *v, struct block_codec *codec,
		 const struct frame *f, const struct buf *payload,
		 const char **why);

#endif
