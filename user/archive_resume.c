// SPDX-License-Identifier: BSD-2-Clause
#include "archive_resume.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive_list.h"
#include "block.h"

struct search {
	struct block_codec *codec;
	struct buf payload, bytes;
	bool blocks; /* some were seen */
	bool last;   /* one of them whole, and of no mark: the end */
};

static int decode(struct search *s, const struct frame *f,
		  struct archive_resume *ret)
{
	uint32_t flags;
	size_t len;
	int err;

	err = block_unpack(s->codec, f, &s->payload, &s->bytes);
	if (!err)
		err = segment_get_account(&s->bytes, &ret->rows, &ret->count,
					  &flags);
	if (err)
		return err;
	ret->at_ns = f->first_ns;
	len = segment_account_len(&s->bytes);
	buf_put(&ret->data, s->bytes.data + len, s->bytes.len - len);
	err = buf_err(&ret->data);
	if (err)
		archive_resume_done(ret);
	return err;
}

/* A recorder writes such a block once, when it ends: of all there was left. */
static void note_block(struct search *s, struct segment_reader *r,
		       const struct segment_frames *all, size_t i)
{
	const struct frame *f = &all->frame[i], *mark = i ? f - 1 : NULL;

	s->blocks = true;
	if (mark && mark->type == FRAME_RESUME && mark->events == f->events)
		return;
	if (!s->last && !segment_read(r, f, &s->payload))
		s->last = true;
}

/* Is the block there that @f was written for? Return: 0; -EBADMSG; -errno. */
static int check_block(struct search *s, struct segment_reader *r,
		       const struct frame *f, const struct frame *next)
{
	if (!f->events)
		return 0;
	if (!next || next->type != FRAME_BLOCK || next->seq != f->seq + 1 ||
	    next->events != f->events)
		return -EBADMSG;
	return segment_read(r, next, &s->payload);
}

/* Return: 1 with @ret; 0 none holds; -errno. */
static int search_frames(struct search *s, struct segment_reader *r,
			 const struct segment_frames *all,
			 struct archive_resume *ret)
{
	const struct frame *f, *next = NULL;
	size_t i;
	int err;

	for (i = all->count; i-- > 0; next = f) {
		f = &all->frame[i];
		if (f->type == FRAME_BLOCK)
			note_block(s, r, all, i);
		if (f->type != FRAME_RESUME)
			continue;
		err = check_block(s, r, f, next);
		if (!err)
			err = segment_read(r, f, &s->payload);
		if (!err)
			err = decode(s, f, ret);
		if (err != -EBADMSG)
			return err ? err : 1;
	}
	return 0;
}

static int search_segment(struct search *s, const struct archive_list *l,
			  size_t i, struct archive_resume *ret)
{
	struct segment_frames all = {0};
	struct segment_reader r;
	int rc;

	rc = archive_list_segment(l, i, &r);
	if (rc)
		return rc == -ENOENT ? 0 : rc;
	rc = segment_frames(&r, &all);
	if (!rc)
		rc = search_frames(s, &r, &all, ret);
	segment_frames_done(&all);
	segment_done(&r);
	if (rc > 0) {
		snprintf(ret->segment, sizeof(ret->segment), "%s",
			 l->file[i].name);
		ret->number = l->file[i].head.number;
	}
	return rc;
}

static int search_run(struct search *s, const struct archive_list *l,
		      uint64_t run, struct archive_resume *ret)
{
	size_t i;
	int rc = 0;

	for (i = l->count; i-- > 0 && !rc;) {
		if (l->file[i].head.run == run)
			rc = search_segment(s, l, i, ret);
	}
	return rc || !s->blocks ? rc : -EBADMSG;
}

int archive_resume_find(int dir, uint64_t run, struct archive_resume *ret)
{
	char path[32], *paths[] = {path};
	struct archive_resume found = {0};
	struct archive_list list = {0};
	struct search s = {0};
	const char *why;
	int rc;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", dir);
	rc = archive_list_open(&list, paths, 1, &why);
	if (rc == -EBADMSG) /* no segments */
		return 0;
	if (!rc)
		rc = block_codec_new(&s.codec);
	if (!rc)
		rc = search_run(&s, &list, run, &found);
	found.ended = s.last;
	if (rc > 0)
		*ret = found;
	archive_list_done(&list);
	block_codec_free(s.codec);
	buf_done(&s.payload);
	buf_done(&s.bytes);
	return rc;
}

void archive_resume_done(struct archive_resume *r)
{
	free(r->rows);
	buf_done(&r->data);
	*r = (struct archive_resume){0};
}
