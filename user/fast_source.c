// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_source.c - where the threads of a pass have their blocks from;
 * fast_internal.h.
 *
 * With the lock a block is read, and where the table of tasks is asked for
 * also unpacked and taken through that, because it must see all of them in
 * order. All else is done without.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_internal.h"

/* State records are rows, too, of the kinds a task table is made of. */
static bool is_bare(const struct fast *f)
{
	const struct schema_kind *k = f->q->kind;

	return !f->of_tasks && !(k && !strcmp(k->source, "task"));
}

int fast_source_new(struct fast_source **ret, struct fast *f,
		    const bool facts[FAST_FACTS])
{
	struct fast_source *s = calloc(1, sizeof(*s));
	struct archive_range r = {
		.from_ns = f->range.from_ns,
		.to_ns = f->range.to_ns,
		.kinds = f->range.select.kinds,
		.bare = is_bare(f),
	};
	int err = 0;

	if (!s)
		return -ENOMEM;
	pthread_mutex_init(&s->lock, NULL);
	pthread_cond_init(&s->left, NULL);
	s->in_order = !r.bare;
	if (f->of_tasks)
		err = fast_tasks_new(&s->tasks, f->schema, facts);
	if (!err)
		err = archive_blocks_open(&s->blocks, f->archive, &r);
	if (err)
		fast_source_free(s);
	else
		*ret = s;
	return err;
}

void fast_source_free(struct fast_source *s)
{
	if (!s)
		return;
	archive_blocks_close(s->blocks);
	fast_tasks_free(s->tasks);
	pthread_cond_destroy(&s->left);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

/* ---- a block ------------------------------------------------------------- */

/* With the lock. */
static void leave(struct fast *f)
{
	if (!f->tasks)
		return;
	fast_view_leave(f->tasks);
	pthread_cond_broadcast(&f->source->left);
}

/* With the lock. The tasks of a slow thread's block must still be known. */
static void wait_for_others(struct fast_source *s)
{
	while (s->tasks && !s->failed && fast_tasks_far(s->tasks))
		pthread_cond_wait(&s->left, &s->lock);
}

/* Return: 1; 0; -ECANCELED; as archive_blocks_next(). */
static int read_block(struct fast *f, struct archive_block *ret)
{
	struct fast_source *s = f->source;
	int rc;

	leave(f);
	wait_for_others(s);
	if (s->failed)
		return -ECANCELED;
	rc = archive_blocks_next(s->blocks, f->unpacker, ret);
	if (!rc && archive_blocks_damaged(s->blocks))
		return -EBADMSG;
	if (rc == 1)
		f->position = ret->frame;
	return rc;
}

/* Return: 1; 0 it is damaged; as archive_block_open(). */
static int open_block(struct fast *f, struct archive_block *at)
{
	int err = archive_block_open(f->unpacker, at);

	if (err)
		return err == -EBADMSG ? 0 : err;
	fast_block_begin(&f->block, at);
	return 1;
}

/* With the lock. */
static int open_in_order(struct fast *f, struct archive_block *at)
{
	struct fast_source *s = f->source;
	int rc = open_block(f, at), err;

	if (!rc)
		archive_blocks_refuse(s->blocks, at);
	if (rc != 1 || !s->tasks)
		return rc;
	err = fast_tasks_block(s->tasks, f->tasks, &f->block);
	return err == -EBADMSG ? -EOPNOTSUPP : err ? err : 1;
}

static int open_alone(struct fast *f, struct archive_block *at)
{
	struct fast_source *s = f->source;
	int rc = open_block(f, at);

	if (rc)
		return rc;
	pthread_mutex_lock(&s->lock);
	archive_blocks_refuse(s->blocks, at);
	pthread_mutex_unlock(&s->lock);
	return 0;
}

int fast_take(struct fast *f)
{
	struct fast_source *s = f->source;
	struct archive_block at;
	bool taken;
	int rc;

	do {
		pthread_mutex_lock(&s->lock);
		rc = read_block(f, &at);
		taken = rc == 1;
		if (taken && s->in_order)
			rc = open_in_order(f, &at);
		pthread_mutex_unlock(&s->lock);
		if (taken && !s->in_order)
			rc = open_alone(f, &at);
	} while (taken && !rc);
	return rc;
}

void fast_fail(struct fast *f, int err)
{
	struct fast_source *s = f->source;

	pthread_mutex_lock(&s->lock);
	leave(f);
	if (err && !s->failed)
		s->failed = err;
	pthread_mutex_unlock(&s->lock);
}
