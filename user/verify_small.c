// SPDX-License-Identifier: BSD-2-Clause
#include "verify_small.h"

#include <errno.h>
#include <stdlib.h>

#include "crc32c.h"
#include "schema.h"

/* Readers take any one of a segment. */
static int check_schema(struct verify_small *v, const char **why)
{
	uint32_t crc = crc32c(0, v->bytes.data, v->bytes.len);
	struct schema *s;
	int err = schema_decode(&s, v->bytes.data, v->bytes.len);

	if (err)
		return err;
	schema_free(s);
	if (v->has_schema && crc != v->schema_crc) {
		*why = "another schema than the segment's first";
		return -EBADMSG;
	}
	v->has_schema = true;
	v->schema_crc = crc;
	return 0;
}

static int check_account(const struct verify_small *v)
{
	struct account_row *rows;
	uint32_t flags;
	size_t count;
	int err = segment_get_account(&v->bytes, &rows, &count, &flags);

	if (!err)
		free(rows);
	return err;
}

int verify_small(struct verify_small *v, struct block_codec *codec,
		 const struct frame *f, const struct buf *payload,
		 const char **why)
{
	struct segment_clock c;
	struct segment_head h;
	int err = 0;

	*why = "does not decode";
	switch (f->type) {
	case FRAME_SEGMENT:
		return segment_get_head(payload, &h);
	case FRAME_TRAILER:
		return segment_get_trailer(payload, &h);
	case FRAME_CLOCK:
		return segment_get_clock(payload, &c);
	case FRAME_SCHEMA:
	case FRAME_RESUME:
		err = block_unpack(codec, f, payload, &v->bytes);
		break;
	default:
		return 0;
	}
	if (err)
		return err;
	return f->type == FRAME_SCHEMA ? check_schema(v, why)
				       : check_account(v);
}
