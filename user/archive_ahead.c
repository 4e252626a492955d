// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_ahead.c - a thread that decodes the next frames while the rows of one
 * are looked at; see archive_batch.h.
 */
#include "archive_batch.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct archive_ahead {
	struct archive_decoder *decoder; /* the thread's */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t moved; /* any of these: */
	uint64_t made, used;
	bool stop;
	bool held; /* the batch of number used is being looked at */
	unsigned slots;
	struct archive_batch batch[];
};

/* Return: a place for the next batch; NULL: nobody wants it. */
static struct archive_batch *wait_for_room(struct archive_ahead *a)
{
	bool stop;

	pthread_mutex_lock(&a->lock);
	while (!a->stop && a->made - a->used == a->slots)
		pthread_cond_wait(&a->moved, &a->lock);
	stop = a->stop;
	pthread_mutex_unlock(&a->lock);
	return stop ? NULL : &a->batch[a->made % a->slots];
}

static void *run(void *arg)
{
	struct archive_ahead *a = arg;
	struct archive_batch *b;
	int rc = 1;

	while (rc == 1 && (b = wait_for_room(a))) {
		archive_decoder_next(a->decoder, b);
		rc = b->rc;
		pthread_mutex_lock(&a->lock);
		a->made++;
		pthread_cond_signal(&a->moved);
		pthread_mutex_unlock(&a->lock);
	}
	return NULL;
}

struct archive_batch *archive_ahead_next(struct archive_ahead *a)
{
	struct archive_batch *b = &a->batch[a->used % a->slots];

	if (a->held && b->rc != 1)
		return b;
	pthread_mutex_lock(&a->lock);
	if (a->held) {
		a->used++;
		pthread_cond_signal(&a->moved);
	}
	while (a->made == a->used)
		pthread_cond_wait(&a->moved, &a->lock);
	pthread_mutex_unlock(&a->lock);
	a->held = true;
	return &a->batch[a->used % a->slots];
}

/* Signals are for the threads that expect them. */
static int start(struct archive_ahead *a)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&a->thread, NULL, run, a);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return err;
}

static void release(struct archive_ahead *a)
{
	unsigned i;

	for (i = 0; i < a->slots; i++)
		block_done(&a->batch[i].block);
	pthread_cond_destroy(&a->moved);
	pthread_mutex_destroy(&a->lock);
	free(a);
}

int archive_ahead_start(struct archive_ahead **ret, struct archive_decoder *d,
			unsigned n)
{
	unsigned slots = n + 1; /* and the one being looked at */
	struct archive_ahead *a =
		calloc(1, sizeof(*a) + slots * sizeof(*a->batch));

	if (!a)
		return -ENOMEM;
	a->decoder = d;
	a->slots = slots;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->moved, NULL);
	if (start(a)) {
		release(a);
		return -EAGAIN;
	}
	*ret = a;
	return 0;
}

void archive_ahead_stop(struct archive_ahead *a)
{
	if (!a)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	release(a);
}
