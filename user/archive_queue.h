/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_queue.h - the way from who takes events to the thread that writes
 * them: parcels go there full, one after the other, and come back empty.
 *
 * Two rings of ring/, one each way, each with one producer and one consumer,
 * and nothing else is shared: a parcel belongs to who holds it. The sender
 * never waits. When all parcels are on their way there is none to go on with,
 * and he decides what is lost. Which also bounds the memory: ARCHIVE_PARCELS
 * blocks of 8 MiB, of which only what was ever filled is resident; the parcel
 * that came back last is filled next.
 */
#ifndef WEIR_ARCHIVE_QUEUE_H
#define WEIR_ARCHIVE_QUEUE_H

#include "archive.h"
#include "block.h"

/* Waiting in the queue at most; one more is being filled. */
#define ARCHIVE_QUEUED	5
#define ARCHIVE_PARCELS (ARCHIVE_QUEUED + 1)

/* What is to be done with a parcel. */
enum parcel_job {
	PARCEL_EVENTS,	/* write its block */
	PARCEL_STATE,	/* its block is of state records */
	PARCEL_CLOCK,	/* write what the clocks say */
	PARCEL_TELL,	/* that, and the account in it */
	PARCEL_NOTE,	/* its account is pairs for META */
	PARCEL_SEGMENT, /* seal the segment there is, begin another */
	PARCEL_END,	/* seal the segment: nothing more will come */
	PARCEL_GIVE_UP, /* remove it: nothing ever came */
};

struct parcel {
	enum parcel_job job;
	struct block block;
	/* TELL, SEGMENT, END: as of this point between two events */
	struct buf account; /* struct account_row each */
	struct buf known;   /* losses_sums(): what @account knows of */
	bool blind;	    /* nobody gave an account */
	/* what became of it */
	int error;	    /* 0; -errno: it was not done, its events lost */
	int sync_error;	    /* of what came earlier; it may not be on disk */
	bool needs_segment; /* nothing can be written but to a new one */
	uint64_t segment_bytes;	    /* of the one being written */
	struct archive_stats stats; /* as of then */
};

struct archive_queue;

/** archive_queue_new - Return: 0; -ENOMEM. */
int archive_queue_new(struct archive_queue **ret);

/** archive_queue_free - its parcels go with it. NULL-safe. */
void archive_queue_free(struct archive_queue *q);

/* ---- the sender's thread ------------------------------------------------ */

/** archive_queue_spare - Return: an empty parcel; NULL: none is left. */
struct parcel *archive_queue_spare(struct archive_queue *q);

/** archive_queue_spares - Return: how many there are. */
unsigned archive_queue_spares(const struct archive_queue *q);

/** archive_queue_send - hand it over; wait-free. */
void archive_queue_send(struct archive_queue *q, struct parcel *p);

/**
 * archive_queue_back - one that has come back
 * @wait: until one does
 *
 * Return: to be looked at and given to archive_queue_keep(); NULL: none has,
 * or none is away.
 */
struct parcel *archive_queue_back(struct archive_queue *q, bool wait);

/** archive_queue_keep - empty it; it is spare now. */
void archive_queue_keep(struct archive_queue *q, struct parcel *p);

/* ---- the writer's thread ------------------------------------------------ */

/** archive_queue_take - the next one; waits for it. */
struct parcel *archive_queue_take(struct archive_queue *q);

/** archive_queue_waiting - Return: how many lie there behind it. */
unsigned archive_queue_waiting(struct archive_queue *q);

/** archive_queue_return - done with it; wait-free. */
void archive_queue_return(struct archive_queue *q, struct parcel *p);

#endif
