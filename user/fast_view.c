// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_view.c - the table of tasks, as of a block of one thread's own; see
 * fast_tasks.h.
 *
 * What the table knows has numbers of the table's; what a view tells has its
 * own, so that the lock is needed once for each, and not for each row.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_tasks_internal.h"

struct fast_view {
	struct fast_tasks *table;
	pthread_mutex_t *lock;
	struct fast_texts *texts; /* borrowed */
	uint64_t block;		  /* 0: at none */
	uint64_t last;		  /* at which it was */
	const struct changes *changes;
	struct fast_entries entries; /* at the block's end */
	uint32_t *own;		     /* by the table's number; or UNKNOWN */
	uint32_t own_cap;
	struct fast_info *info;
	uint32_t *of; /* the table's number of each */
	uint32_t infos, info_cap;
};

/* ---- what there is to know ----------------------------------------------- */

static int room_for_infos(struct fast_view *v)
{
	uint32_t cap = v->info_cap ? v->info_cap * 2 : SLOTS_MIN;
	void *info, *of;

	if (v->infos < v->info_cap)
		return 0;
	info = reallocarray(v->info, cap, sizeof(*v->info));
	v->info = info ? info : v->info;
	of = reallocarray(v->of, cap, sizeof(*v->of));
	v->of = of ? of : v->of;
	if (!info || !of)
		return -ENOMEM;
	v->info_cap = cap;
	return 0;
}

static int room_for_number(struct fast_view *v, uint32_t number)
{
	uint32_t cap = v->own_cap ? v->own_cap : SLOTS_MIN;
	uint32_t *own;

	if (number < v->own_cap)
		return 0;
	while (cap <= number)
		cap *= 2;
	own = reallocarray(v->own, cap, sizeof(*own));
	if (!own)
		return -ENOMEM;
	memset(own + v->own_cap, 0xff, (cap - v->own_cap) * sizeof(*own));
	v->own = own;
	v->own_cap = cap;
	return 0;
}

/* Its texts, by our numbers. */
static int take_texts(struct fast_view *v, struct fast_info *x)
{
	const struct fast_text *text;
	uint32_t number;
	unsigned i;
	int err = 0;

	for (i = 0; i < FAST_FACTS && !err; i++) {
		if (!fact_is_text(i) || !x->value[i])
			continue;
		text = tasks_text(v->table, x->value[i]);
		err = fast_texts_number(v->texts, text->data, text->len,
					&number);
		x->value[i] = number;
	}
	return err;
}

/* With the lock. */
static int take_info(struct fast_view *v, uint32_t number, uint32_t *ret)
{
	int err = room_for_number(v, number);

	if (!err && v->own[number] == UNKNOWN) {
		err = room_for_infos(v);
		if (err)
			return err;
		v->info[v->infos] = tasks_known(v->table, number)->info;
		err = take_texts(v, &v->info[v->infos]);
		if (err)
			return err;
		v->of[v->infos] = number;
		v->own[number] = v->infos++;
	}
	if (!err)
		*ret = v->own[number];
	return err;
}

static int own_info(struct fast_view *v, uint32_t number, uint32_t *ret)
{
	int err;

	if (number < v->own_cap && v->own[number] != UNKNOWN) {
		*ret = v->own[number];
		return 0;
	}
	pthread_mutex_lock(v->lock);
	err = take_info(v, number, ret);
	pthread_mutex_unlock(v->lock);
	return err;
}

/* ---- by tid -------------------------------------------------------------- */

/* As it is at the block's end. */
static int know(struct fast_view *v, uint32_t tid, uint32_t *ret)
{
	struct fast_entry *e = entries_at(&v->entries, tid);
	uint32_t number;
	int err;

	if (!e)
		return -ENOMEM;
	if (e->info == UNKNOWN) {
		pthread_mutex_lock(v->lock);
		err = tasks_know(v->table, v->block, tid, &number);
		if (!err)
			err = take_info(v, number, &e->info);
		pthread_mutex_unlock(v->lock);
		if (err)
			return err;
	}
	*ret = e->info;
	return 0;
}

int fast_view_find(struct fast_view *v, struct fast_block *b, uint32_t tid,
		   uint32_t row, uint32_t *ret)
{
	const struct version *at = changes_find(v->changes, tid);
	const struct version *end = v->changes->version + v->changes->count;
	uint32_t number;
	int err;

	if (!at)
		return know(v, tid, ret);
	err = fast_block_order(b);
	if (err)
		return err;
	number = at->before;
	while (at < end && at->tid == tid &&
	       fast_block_compare(b, at->row, row) <= 0)
		number = at++->after;
	return own_info(v, number, ret);
}

bool fast_view_moved(const struct fast_view *v)
{
	return v->changes->count != 0;
}

bool fast_view_settled(const struct fast_view *v, uint32_t tid)
{
	return !v->changes->count || !changes_find(v->changes, tid);
}

const struct fast_info *fast_view_info(const struct fast_view *v,
				       uint32_t number)
{
	return &v->info[number];
}

const struct task *fast_view_task(const struct fast_view *v, uint32_t number,
				  struct task *ret, struct cgroup *cgroup)
{
	const struct known *k;

	if (!v->info[number].known)
		return NULL;
	pthread_mutex_lock(v->lock);
	k = tasks_known(v->table, v->of[number]);
	*ret = k->task;
	*cgroup = k->cgroup;
	pthread_mutex_unlock(v->lock);
	if (ret->cgroup)
		ret->cgroup = cgroup;
	return ret;
}

/* ---- from block to block ------------------------------------------------- */

uint64_t view_block(const struct fast_view *v)
{
	return v->block;
}

/* What the last block changed, and those since, is not known. */
static void forget_changes(struct fast_view *v, uint64_t block)
{
	const struct changes *c;
	uint64_t at;
	uint32_t i;

	for (at = v->last; at < block; at++) {
		c = tasks_changes(v->table, at);
		for (i = 0; i < c->count; i++)
			entries_forget(&v->entries, c->version[i].tid);
	}
}

static void forget_all(struct fast_view *v)
{
	uint32_t i;

	for (i = 0; i < v->entries.cap; i++)
		v->entries.entry[i].info = UNKNOWN;
}

void view_enter(struct fast_view *v, uint64_t block)
{
	if (block - v->last < FAST_AHEAD)
		forget_changes(v, block);
	else
		forget_all(v);
	v->block = v->last = block;
	v->changes = tasks_changes(v->table, block);
}

void fast_view_leave(struct fast_view *v)
{
	v->block = 0;
}

/* ---- life ---------------------------------------------------------------- */

int fast_view_new(struct fast_view **ret, struct fast_tasks *t,
		  pthread_mutex_t *lock, struct fast_texts *texts)
{
	struct fast_view *v = calloc(1, sizeof(*v));
	int err = v ? tasks_join(t, v) : -ENOMEM;

	if (err) {
		free(v);
		return err;
	}
	v->table = t;
	v->lock = lock;
	v->texts = texts;
	*ret = v;
	return 0;
}

void fast_view_free(struct fast_view *v)
{
	if (!v)
		return;
	tasks_part(v->table, v);
	free(v->entries.entry);
	free(v->own);
	free(v->info);
	free(v->of);
	free(v);
}
