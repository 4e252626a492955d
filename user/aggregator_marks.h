/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregator_marks.h - the marks of an aggregator that another may go on for
 * (resume.h), from when they are made until they are in the archive.
 *
 * A mark is filled by the aggregator's thread, goes through the main ring as a
 * record of type AGGREGATOR_MARK, is read by the ring's consumer, and comes
 * back by marks_settle(). For aggregator.c only.
 */
#ifndef WEIR_AGGREGATOR_MARKS_H
#define WEIR_AGGREGATOR_MARKS_H

#include <stdbool.h>

#include "aggregator.h"
#include "block.h"

#define MARKS 16 /* on their way at most */

/* What may lie between two: a block of the archive must hold it. */
#define MARK_EVENTS BLOCK_EVENTS
#define MARK_BYTES  (BLOCK_BYTES - (1U << 20))
#define MARK_NS	    NS_PER_S

/* Number n is in slot n % MARKS until it is settled and another one takes it.
 */
struct mark_slot {
	struct aggregator_mark mark;
	uint64_t *pos; /* by input: all below was passed on at the mark */
};

struct marks {
	struct mark_slot slot[MARKS];
	unsigned rows;
	/* the aggregator's thread */
	uint64_t last;		/* number */
	uint64_t seen;		/* settled, as of marks_written() */
	uint64_t freed;		/* the mini-buffers, up to that one */
	uint64_t events, bytes; /* passed on since the last */
	uint64_t at_ns;		/* when that was */
	/* who reads them; atomic */
	uint64_t settled, written;
};

/** marks_init - @rows: of the account. Return: 0; -ENOMEM, then marks_done().
 */
int marks_init(struct marks *m, unsigned inputs, unsigned rows);
void marks_done(struct marks *m); /* zeroed: no-op */

/** marks_slot - after marks_written(): where the next one goes; NULL: too many
 * are on their way. */
struct mark_slot *marks_slot(struct marks *m);

/** marks_is_full - Return: no more may be passed on before the next one? */
static inline bool marks_is_full(const struct marks *m)
{
	return m->events >= MARK_EVENTS || m->bytes >= MARK_BYTES;
}

/** marks_written - Return: a mark that has been written since the last call;
 * NULL: none. What is below its positions is free. */
const struct mark_slot *marks_written(struct marks *m);

/** marks_settle - as aggregator_settle(). Thread: who reads the marks. Release:
 * orders @written, and the last read of the slots up to @settled, before it. */
void marks_settle(struct marks *m, uint64_t settled, uint64_t written);

#endif
