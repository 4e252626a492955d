// SPDX-License-Identifier: BSD-2-Clause
#include "archive_thread.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>

struct archive_thread {
	struct archive_put put;
	struct archive_queue *queue;
	pthread_t thread;
};

/* ---- jobs --------------------------------------------------------------- */

static struct archive_account account_of(const struct parcel *p)
{
	return (struct archive_account){&p->account, &p->known, p->blind};
}

static int put_events(struct archive_thread *t, struct parcel *p)
{
	bool hurry = archive_queue_waiting(t->queue) > ARCHIVE_QUEUED / 2;
	int err;

	err = archive_put_block(&t->put, FRAME_BLOCK, &p->block, hurry);
	if (err)
		losses_count(&t->put.losses, &p->block);
	t->put.stats.hurried += hurry;
	return err;
}

static int put_state(struct archive_thread *t, struct parcel *p)
{
	return archive_put_block(&t->put, FRAME_STATE, &p->block, false);
}

static int put_clock(struct archive_thread *t, struct parcel *p)
{
	(void)p;
	return archive_put_clock(&t->put);
}

static int tell(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);
	int err = archive_put_clock(&t->put);

	return err ? err : archive_put_account(&t->put, &a, 0);
}

static int note(struct archive_thread *t, struct parcel *p)
{
	return archive_put_note(&t->put, &p->account);
}

static int next_segment(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);

	return archive_put_segment(&t->put, &a);
}

static int seal(struct archive_thread *t, struct parcel *p)
{
	const struct archive_account a = account_of(p);

	return archive_put_seal(&t->put, &a);
}

static int give_up(struct archive_thread *t, struct parcel *p)
{
	(void)p;
	archive_put_give_up(&t->put);
	return 0;
}

static int (*const jobs[])(struct archive_thread *t, struct parcel *p) = {
	[PARCEL_EVENTS] = put_events, [PARCEL_STATE] = put_state,
	[PARCEL_CLOCK] = put_clock,   [PARCEL_TELL] = tell,
	[PARCEL_NOTE] = note,	      [PARCEL_SEGMENT] = next_segment,
	[PARCEL_END] = seal,	      [PARCEL_GIVE_UP] = give_up,
};

/* ---- the thread --------------------------------------------------------- */

/* What the sender is to know. */
static void report(struct archive_thread *t, struct parcel *p)
{
	struct archive_put *put = &t->put;

	p->sync_error = put->sync ? archive_sync_error(put->sync) : 0;
	p->needs_segment = archive_put_is_over(put);
	p->segment_bytes = put->segment ? put->segment->size : 0;
	put->stats.bytes = put->ended_bytes + p->segment_bytes;
	put->stats.retired = put->retain.removed;
	if (p->sync_error)
		put->stats.error = p->sync_error;
	p->stats = put->stats;
}

static void *run(void *arg)
{
	struct archive_thread *t = arg;
	enum parcel_job job;
	struct parcel *p;

	pthread_setname_np(pthread_self(), "weir-archive");
	do {
		p = archive_queue_take(t->queue);
		job = p->job;
		p->error = jobs[job](t, p);
		report(t, p);
		archive_queue_return(t->queue, p);
	} while (job < PARCEL_END);
	return NULL;
}

/* ---- life --------------------------------------------------------------- */

/* Signals are for the threads that expect them. */
static int start_thread(struct archive_thread *t)
{
	sigset_t all, old;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &old);
	err = pthread_create(&t->thread, NULL, run, t);
	pthread_sigmask(SIG_SETMASK, &old, NULL);
	return -err;
}

int archive_thread_start(struct archive_thread **ret, struct archive_queue *q,
			 const struct schema *schema,
			 const struct archive_options *o)
{
	struct archive_thread *t = calloc(1, sizeof(*t));
	int err;

	if (!t)
		return -ENOMEM;
	t->queue = q;
	err = archive_put_open(&t->put, schema, o);
	if (!err)
		err = start_thread(t);
	if (err) {
		archive_put_done(&t->put);
		free(t);
		return err;
	}
	*ret = t;
	return 0;
}

int archive_thread_end(struct archive_thread *t)
{
	int err;

	if (!t)
		return 0;
	pthread_join(t->thread, NULL);
	err = archive_put_done(&t->put);
	free(t);
	return err;
}
