/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_queue.h - the way from who takes events through those that pack them
 * to the thread that writes them: parcels go there full, one after the other,
 * and come back empty.
 *
 *            .- there 0 -> packer 0 - packed 0 -.
 *    sender -+- there 1 -> packer 1 - packed 1 -+-> writer - back -> sender
 *            '- ...                             '
 *
 * Each arrow is a ring of ring/, with one producer and one consumer, and
 * nothing else is shared: a parcel belongs to who holds it. The sender gives
 * the packers their parcels in turn, and the writer takes them in the same
 * turn, so their order stays. The sender never waits. When all parcels are on
 * their way there is none to go on with, and he decides what is lost. Which
 * also bounds the memory: a block of 8 MiB for each, of which only what was
 * ever filled is resident; the parcel that came back last is filled next.
 */
#ifndef WEIR_ARCHIVE_QUEUE_H
#define WEIR_ARCHIVE_QUEUE_H

#include "archive.h"
#include "block.h"

/* Parcels there are, beside one for each packer. */
#define ARCHIVE_QUEUED	5
#define ARCHIVE_PARCELS (ARCHIVE_QUEUED + ARCHIVE_PACKERS)

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
	/* TELL, SEGMENT, END, and EVENTS with a mark: as of this point between
	 * two events, for EVENTS the end of the block */
	struct buf account; /* struct account_row each */
	struct buf known;   /* losses_sums(): what @account knows of */
	bool blind;	    /* nobody gave an account */
	uint64_t mark;	    /* number; 0: none */
	struct buf marked;  /* archive_mark.data */
	/* EVENTS, STATE: the block, packed; with an error where it was not */
	struct frame frame;
	struct buf packed;
	bool hurried; /* less, faster */
	/* what became of it */
	int error;	    /* 0; -errno: it was not done, its events lost */
	int sync_error;	    /* of what came earlier; it may not be on disk */
	bool needs_segment; /* nothing can be written but to a new one */
	uint64_t segment_bytes;	    /* of the one being written */
	struct archive_stats stats; /* as of then */
};

struct archive_queue;

/** archive_queue_new - @packers: 1..ARCHIVE_PACKERS. Return: 0; -ENOMEM. */
int archive_queue_new(struct archive_queue **ret, unsigned packers);

/** archive_queue_free - its parcels go with it, wherever they are: no thread
 * may have one. NULL-safe. */
void archive_queue_free(struct archive_queue *q);

/* ---- the sender's thread ------------------------------------------------ */

/** archive_queue_spare - Return: an empty parcel; NULL: none is left. */
struct parcel *archive_queue_spare(struct archive_queue *q);

/** archive_queue_spares - Return: how many there are. */
unsigned archive_queue_spares(const struct archive_queue *q);

/** archive_queue_away - Return: how many are on their way. */
unsigned archive_queue_away(const struct archive_queue *q);

/** archive_queue_send - hand it over, .job set; wait-free. It is whose it goes
 * to from here on. */
void archive_queue_send(struct archive_queue *q, struct parcel *p);

/** archive_queue_end - nothing more will be sent: the packers get NULL. Thread:
 * who ends them, when the sender sends no more. */
void archive_queue_end(struct archive_queue *q);

/**
 * archive_queue_back - one that has come back
 * @wait: until one does
 *
 * Return: to be looked at and given to archive_queue_keep(); NULL: none has,
 * or none is away.
 */
struct parcel *archive_queue_back(struct archive_queue *q, bool wait);

/** archive_queue_keep - empty its block, keep the memory; it is spare now. */
void archive_queue_keep(struct archive_queue *q, struct parcel *p);

/* ---- the thread of packer @i -------------------------------------------- */

/** archive_queue_unpacked - its next one; waits for it. NULL: the end. */
struct parcel *archive_queue_unpacked(struct archive_queue *q, unsigned i);

/** archive_queue_packed - hand it on; wait-free. */
void archive_queue_packed(struct archive_queue *q, unsigned i,
			  struct parcel *p);

/** archive_queue_packers - Return: how many there are. Thread: any. */
unsigned archive_queue_packers(const struct archive_queue *q);

/** archive_queue_waiting - Return: how many wait to be packed. Thread: any. */
unsigned archive_queue_waiting(struct archive_queue *q);

/* ---- the writer's thread ------------------------------------------------ */

/** archive_queue_take - the next one; waits for it. */
struct parcel *archive_queue_take(struct archive_queue *q);

/** archive_queue_return - done with it; wait-free. */
void archive_queue_return(struct archive_queue *q, struct parcel *p);

#endif
