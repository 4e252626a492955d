// SPDX-License-Identifier: BSD-2-Clause
#include "archive_batch.h"

#include <errno.h>

int archive_decoder_init(struct archive_decoder *d, struct archive *a,
			 const struct archive_range *range)
{
	*d = (struct archive_decoder){0};
	archive_walk_init(&d->walk, a, range);
	return block_codec_new(&d->codec);
}

void archive_decoder_done(struct archive_decoder *d)
{
	archive_walk_done(&d->walk);
	block_codec_free(d->codec);
}

/* Return: 0; -ENOMEM. */
static int learn_dialect(struct archive_decoder *d)
{
	const struct archive_walk *w = &d->walk;
	unsigned i;

	d->dialect = w->dialect;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		d->decoded[i] = w->kinds[i] ||
				(!w->bare && w->dialect->context[i]);
	return block_codec_schema(d->codec, w->dialect->schema);
}

/* Only blocks that overlap the range have more than context to give. */
static const bool *kinds_of(const struct archive_decoder *d,
			    const struct frame *f)
{
	const struct archive_walk *w = &d->walk;

	if (f->type == FRAME_STATE)
		return NULL;
	if (!archive_walk_is_hit(w, f))
		return w->dialect->context;
	return w->all_kinds ? NULL : d->decoded;
}

/* Return: 1; 0 the end; -EAGAIN a frame is damaged; -errno. */
static int decode(struct archive_decoder *d, struct archive_batch *b)
{
	const struct frame *f;
	int rc = archive_walk_next(&d->walk, &f);

	if (rc <= 0)
		return rc;
	if (d->dialect != d->walk.dialect && learn_dialect(d))
		return -ENOMEM;
	rc = block_decode_kinds(d->codec, f, &d->walk.payload, kinds_of(d, f),
				&b->block);
	if (rc == -EBADMSG) {
		archive_walk_refuse(&d->walk, archive_walk_is_torn(&d->walk));
		return -EAGAIN;
	}
	b->state = f->type == FRAME_STATE;
	return rc ? rc : 1;
}

void archive_decoder_next(struct archive_decoder *d, struct archive_batch *b)
{
	struct archive_walk *w = &d->walk;

	do {
		b->rc = decode(d, b);
	} while (b->rc == -EAGAIN);
	b->dialect = d->dialect;
	b->from_ns = w->from_ns;
	b->to_ns = w->to_ns;
	b->wall_offset = w->wall_offset;
	b->boot = w->boot;
	b->frame = archive_walk_frame(w);
	b->damaged = w->damaged;
	b->read = w->read;
	w->read = 0;
}
