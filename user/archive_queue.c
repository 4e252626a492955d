// SPDX-License-Identifier: BSD-2-Clause
#include "archive_queue.h"

#include <assert.h>
#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>

#include "../ring/ring.h"

/* Bytes: room for twice the records there can be. */
#define RING_BYTES 512
static_assert(RING_BYTES >= 2 * ARCHIVE_PARCELS *
				    (RING_HEADER + sizeof(struct parcel *)),
	      "a ring holds all parcels");

/* One way. The semaphore counts the records, for who waits for one. */
struct way {
	struct ring_producer *in;
	struct ring_consumer *out;
	sem_t filled;
};

struct archive_queue {
	struct way there, back;
	struct parcel parcel[ARCHIVE_PARCELS];
	/* the sender's */
	struct parcel *spare[ARCHIVE_PARCELS]; /* the last is used first */
	unsigned spares;
	unsigned away;
};

/* ---- one way ------------------------------------------------------------ */

static int way_init(struct way *w)
{
	sem_init(&w->filled, 0, 0);
	return ring_new_pair(&w->in, &w->out, RING_BYTES, 0);
}

static void way_done(struct way *w)
{
	ring_producer_close(w->in);
	ring_consumer_close(w->out);
	sem_destroy(&w->filled);
}

static void way_put(struct way *w, struct parcel *p)
{
	int rc = ring_write(w->in, 0, &p, sizeof(p));

	assert(rc == RING_OK);
	(void)rc;
	sem_post(&w->filled);
}

static struct parcel *way_get(struct way *w)
{
	struct ring_record record;
	struct parcel *p = NULL;
	int rc = ring_read(w->out, &p, sizeof(p), &record);

	assert(rc == RING_OK);
	(void)rc;
	ring_release(w->out);
	return p;
}

static void way_wait(struct way *w)
{
	while (sem_wait(&w->filled))
		; /* EINTR */
}

/* ---- life --------------------------------------------------------------- */

int archive_queue_new(struct archive_queue **ret)
{
	struct archive_queue *q = calloc(1, sizeof(*q));
	unsigned i;
	int err, err2;

	if (!q)
		return -ENOMEM;
	err = way_init(&q->there);
	err2 = way_init(&q->back);
	err = err ? err : err2;
	for (i = 0; i < ARCHIVE_PARCELS && !err; i++) {
		err = block_init(&q->parcel[i].block);
		q->spare[q->spares++] = &q->parcel[i];
	}
	if (err) {
		archive_queue_free(q);
		return err;
	}
	*ret = q;
	return 0;
}

void archive_queue_free(struct archive_queue *q)
{
	unsigned i;

	if (!q)
		return;
	for (i = 0; i < ARCHIVE_PARCELS; i++) {
		block_done(&q->parcel[i].block);
		buf_done(&q->parcel[i].account);
		buf_done(&q->parcel[i].known);
	}
	way_done(&q->there);
	way_done(&q->back);
	free(q);
}

/* ---- the sender --------------------------------------------------------- */

struct parcel *archive_queue_spare(struct archive_queue *q)
{
	return q->spares ? q->spare[--q->spares] : NULL;
}

unsigned archive_queue_spares(const struct archive_queue *q)
{
	return q->spares;
}

void archive_queue_send(struct archive_queue *q, struct parcel *p)
{
	q->away++;
	way_put(&q->there, p);
}

struct parcel *archive_queue_back(struct archive_queue *q, bool wait)
{
	if (!q->away)
		return NULL;
	if (wait)
		way_wait(&q->back);
	else if (sem_trywait(&q->back.filled))
		return NULL;
	q->away--;
	return way_get(&q->back);
}

void archive_queue_keep(struct archive_queue *q, struct parcel *p)
{
	block_reset(&p->block);
	q->spare[q->spares++] = p;
}

/* ---- the writer --------------------------------------------------------- */

struct parcel *archive_queue_take(struct archive_queue *q)
{
	way_wait(&q->there);
	return way_get(&q->there);
}

unsigned archive_queue_waiting(struct archive_queue *q)
{
	int n = 0;

	sem_getvalue(&q->there.filled, &n);
	return n > 0 ? (unsigned)n : 0;
}

void archive_queue_return(struct archive_queue *q, struct parcel *p)
{
	way_put(&q->back, p);
}
