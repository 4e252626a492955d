// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_follow.c - a pass that has walked all there is waits for what a
 * recorder writes: frames of the last segment, and segments after it.
 */
#include <errno.h>

#include "archive_dir.h"
#include "archive_walk.h"

static const struct archive_file *last_file(const struct archive_walk *w)
{
	return &w->a->list.file[w->a->list.count - 1];
}

/* Return: 1 there are frames to walk; 0; -errno. */
static int more_frames(struct archive_walk *w)
{
	uint32_t damaged = w->frames.damaged;
	int rc = w->in_segment ? segment_more(&w->reader, &w->frames) : 0;

	if (rc <= 0)
		return rc;
	damaged = w->frames.damaged - damaged;
	w->damaged += damaged;
	w->state_due |= damaged != 0;
	w->frame_end = w->frames.count;
	return 1;
}

/* Return: 1 there are segments after the one at hand; 0; -errno. */
static int more_segments(struct archive_walk *w)
{
	const struct archive_list *l = &w->a->list;
	uint64_t before = last_file(w)->head.number;
	size_t first = l->count;
	int rc = archive_more(w->a);

	if (rc <= 0)
		return rc;
	for (; first < l->count; first++) {
		w->follow->skipped += l->file[first].head.number - before - 1;
		before = l->file[first].head.number;
	}
	w->run_end = w->next_run = l->count; /* they are of the same run */
	return 1;
}

/*
 * The last frames of a segment may have been written between a look at it and
 * the one that found its successor. Return: 1 go on; 0 nothing new; -errno.
 */
static int look(struct archive_walk *w)
{
	int rc = more_frames(w);

	if (rc)
		return rc;
	rc = more_segments(w);
	if (rc <= 0)
		return rc;
	rc = more_frames(w);
	if (!rc)
		archive_walk_leave(w);
	return rc < 0 ? rc : 1;
}

/* Return: 1 the recorder said that it ended; 0; -errno. */
static int told_end(struct archive_walk *w)
{
	return w->in_segment ? archive_told_end(w->a, &w->reader, &w->frames)
			     : 0;
}

/*
 * Another recorder may go on in the directory, so a sealed segment is asked,
 * too. Return: 1 nobody writes any more; 0; -errno.
 */
static int is_over(struct archive_walk *w, bool locked)
{
	int ended = !locked || w->frames.sealed ? told_end(w) : 0;

	if (ended < 0 || (!ended && locked))
		return ended;
	w->follow->end = ended ? FOLLOW_ENDED : FOLLOW_CUT;
	return 1;
}

int archive_follow_next(struct archive_walk *w)
{
	bool locked;
	int rc;

	for (;;) {
		/* asked before the look, which then sees all that it wrote */
		locked = archive_dir_is_locked(last_file(w)->dir);
		rc = look(w);
		if (rc)
			return rc < 0 ? rc : 0;
		rc = is_over(w, locked);
		if (rc)
			return rc < 0 ? rc : -ENOENT;
		if (w->follow->wait(w->follow->arg)) {
			w->follow->end = FOLLOW_STOPPED;
			return -ENOENT;
		}
	}
}
