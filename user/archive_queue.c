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
	struct way there[ARCHIVE_PACKERS], packed[ARCHIVE_PACKERS], back;
	struct parcel parcel[ARCHIVE_PARCELS];
	unsigned packers;
	/* the sender's */
	struct parcel *spare[ARCHIVE_PARCELS]; /* the last is used first */
	unsigned spares;
	unsigned away;
	unsigned send_to; /* whose turn it is */
	/* the writer's */
	unsigned take_from;
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

static int init_ways(struct archive_queue *q)
{
	int err = way_init(&q->back), err2;
	unsigned i;

	for (i = 0; i < q->packers; i++) {
		err2 = way_init(&q->there[i]);
		err = err ? err : err2;
		err2 = way_init(&q->packed[i]);
		err = err ? err : err2;
	}
	return err;
}

int archive_queue_new(struct archive_queue **ret, unsigned packers)
{
	struct archive_queue *q = calloc(1, sizeof(*q));
	unsigned i;
	int err;

	if (!q)
		return -ENOMEM;
	q->packers = packers;
	err = init_ways(q);
	for (i = 0; i < ARCHIVE_QUEUED + packers && !err; i++) {
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
		buf_done(&q->parcel[i].marked);
		buf_done(&q->parcel[i].packed);
	}
	for (i = 0; i < q->packers; i++) {
		way_done(&q->there[i]);
		way_done(&q->packed[i]);
	}
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

unsigned archive_queue_away(const struct archive_queue *q)
{
	return q->away;
}

void archive_queue_send(struct archive_queue *q, struct parcel *p)
{
	q->away++;
	way_put(&q->there[q->send_to], p);
	q->send_to = (q->send_to + 1) % q->packers;
}

void archive_queue_end(struct archive_queue *q)
{
	unsigned i;

	for (i = 0; i < q->packers; i++)
		way_put(&q->there[i], NULL);
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
	p->mark = 0;
	q->spare[q->spares++] = p;
}

/* ---- a packer ----------------------------------------------------------- */

struct parcel *archive_queue_unpacked(struct archive_queue *q, unsigned i)
{
	way_wait(&q->there[i]);
	return way_get(&q->there[i]);
}

void archive_queue_packed(struct archive_queue *q, unsigned i, struct parcel *p)
{
	way_put(&q->packed[i], p);
}

unsigned archive_queue_packers(const struct archive_queue *q)
{
	return q->packers;
}

unsigned archive_queue_waiting(struct archive_queue *q)
{
	unsigned i, all = 0;
	int n = 0;

	for (i = 0; i < q->packers; i++) {
		sem_getvalue(&q->there[i].filled, &n);
		all += n > 0 ? (unsigned)n : 0;
	}
	return all;
}

/* ---- the writer --------------------------------------------------------- */

struct parcel *archive_queue_take(struct archive_queue *q)
{
	struct way *w = &q->packed[q->take_from];

	q->take_from = (q->take_from + 1) % q->packers;
	way_wait(w);
	return way_get(w);
}

void archive_queue_return(struct archive_queue *q, struct parcel *p)
{
	way_put(&q->back, p);
}
