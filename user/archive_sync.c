// SPDX-License-Identifier: BSD-2-Clause
#include "archive_sync.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

#include "log.h"

#define SYNC_S 1 /* seconds between two */

struct archive_sync {
	pthread_t thread;
	pthread_mutex_t mutex; /* guards what follows; held for no I/O */
	pthread_cond_t changed, published;
	struct segment *current; /* freed by the thread alone */
	struct segment *done;	 /* to be published, oldest first */
	struct segment **done_end;
	unsigned pending; /* ended, and not yet published */
	int error;
	bool stop;
};

static void tell_durable(const struct segment *s, uint64_t bytes)
{
	char name[SEGMENT_NAME_MAX];

	if (!log_debug_on)
		return;
	segment_name(&s->head, true, name);
	log_debug("durable: %s %llu bytes\n", name, (unsigned long long)bytes);
}

static void note(struct archive_sync *y, int err)
{
	if (!err)
		return;
	pthread_mutex_lock(&y->mutex);
	y->error = err;
	pthread_mutex_unlock(&y->mutex);
}

static void publish_all(struct archive_sync *y, struct segment *s)
{
	struct segment *next;
	int err;

	for (; s; s = next) {
		next = s->next;
		err = segment_publish(s);
		note(y, err);
		if (!err)
			tell_durable(s, s->size);
		segment_close(s);
		pthread_mutex_lock(&y->mutex);
		y->pending--;
		pthread_cond_signal(&y->published);
		pthread_mutex_unlock(&y->mutex);
	}
}

/* The size is read first: what is put meanwhile may or may not be covered. */
static void sync_current(struct archive_sync *y, struct segment *s)
{
	uint64_t bytes = __atomic_load_n(&s->size, __ATOMIC_ACQUIRE);
	int err = segment_sync(s);

	note(y, err);
	if (!err)
		tell_durable(s, bytes);
}

/* Wait a second, or until there is something to publish, or to stop. */
static void wait_turn(struct archive_sync *y)
{
	struct timespec until;

	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += SYNC_S;
	while (!y->stop && !y->done)
		if (pthread_cond_timedwait(&y->changed, &y->mutex, &until))
			return;
}

static void *sync_thread(void *arg)
{
	struct archive_sync *y = arg;
	struct segment *done, *current;
	bool stop = false;

	pthread_setname_np(pthread_self(), "weir-sync");
	while (!stop) {
		pthread_mutex_lock(&y->mutex);
		wait_turn(y);
		stop = y->stop;
		current = y->current;
		done = y->done;
		y->done = NULL;
		y->done_end = &y->done;
		pthread_mutex_unlock(&y->mutex);
		publish_all(y, done);
		if (current)
			sync_current(y, current);
	}
	return NULL;
}

static int init_sync(struct archive_sync *y)
{
	pthread_condattr_t attr;
	int err;

	pthread_mutex_init(&y->mutex, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	err = pthread_cond_init(&y->changed, &attr);
	pthread_condattr_destroy(&attr);
	pthread_cond_init(&y->published, NULL);
	y->done_end = &y->done;
	return -err;
}

/* Signals are for the threads that expect them. */
static int start_thread(struct archive_sync *y)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&y->thread, NULL, sync_thread, y);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int archive_sync_start(struct archive_sync **ret)
{
	struct archive_sync *y = calloc(1, sizeof(*y));
	int err;

	if (!y)
		return -ENOMEM;
	err = init_sync(y);
	if (!err)
		err = start_thread(y);
	if (err) {
		free(y);
		return err;
	}
	*ret = y;
	return 0;
}

void archive_sync_begin(struct archive_sync *y, struct segment *s)
{
	pthread_mutex_lock(&y->mutex);
	y->current = s;
	pthread_mutex_unlock(&y->mutex);
}

void archive_sync_end(struct archive_sync *y, struct segment *s)
{
	pthread_mutex_lock(&y->mutex);
	y->current = NULL;
	s->next = NULL;
	*y->done_end = s;
	y->done_end = &s->next;
	y->pending++;
	pthread_cond_signal(&y->changed);
	pthread_mutex_unlock(&y->mutex);
}

void archive_sync_wait(struct archive_sync *y)
{
	pthread_mutex_lock(&y->mutex);
	while (y->pending)
		pthread_cond_wait(&y->published, &y->mutex);
	pthread_mutex_unlock(&y->mutex);
}

int archive_sync_error(struct archive_sync *y)
{
	int err;

	pthread_mutex_lock(&y->mutex);
	err = y->error;
	y->error = 0;
	pthread_mutex_unlock(&y->mutex);
	return err;
}

int archive_sync_stop(struct archive_sync *y)
{
	int err;

	if (!y)
		return 0;
	pthread_mutex_lock(&y->mutex);
	y->stop = true;
	pthread_cond_signal(&y->changed);
	pthread_mutex_unlock(&y->mutex);
	pthread_join(y->thread, NULL);
	err = y->error;
	pthread_cond_destroy(&y->changed);
	pthread_cond_destroy(&y->published);
	pthread_mutex_destroy(&y->mutex);
	free(y);
	return err;
}
