/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * aggregator.h - the one consumer of every mini-buffer and the one producer
 * of the main ring: merges all into one time order.
 *
 * The order is exact and needs no fixed delay. A BPF program reads the clock
 * after it has reserved its record (bpf/weir.bpf.h). So when the aggregator
 * reads the clock (T0) and then a ring's producer position, every record
 * above that position will carry a later time; once it has collected every
 * record below, it has seen all that this ring will ever hold from before T0.
 * The least such T0 over all rings is the watermark: whatever is older can be
 * passed on, sorted, for good. A ring whose next record is still being written
 * keeps its older T0 until that is done; one that takes longer than
 * AGGREGATOR_STALL_NS
 * (its writer was preempted, or its virtual CPU taken away) no longer holds up
 * the others, and what passes meanwhile is flagged WEIR_F_STALLED. An event
 * that comes below the watermark is passed on flagged WEIR_F_LATE.
 *
 * Where the main ring has no room, the aggregator waits and the mini-buffers
 * take the strain; only when a mini-buffer that must not lose (task) is half
 * full are other sources' events refused, and counted. An eighth of the main
 * ring is kept for the former.
 */
#ifndef WEIR_AGGREGATOR_H
#define WEIR_AGGREGATOR_H

#include <stdbool.h>
#include <stdint.h>

#include "../ring/ring.h"
#include "account.h"
#include "buf.h"
#include "resume.h"
#include "source.h"

#define AGGREGATOR_MARGIN_NS 2000ULL /* clocks of different CPUs */
#define AGGREGATOR_STALL_NS  100000000ULL
#define AGGREGATOR_BUSY_MS   16 /* timer while events come */
#define AGGREGATOR_IDLE_MS   64 /* timer on an idle host */

#define AGGREGATOR_MARK 0xffff /* type of a record in the main ring */

struct aggregator;

struct aggregator_options {
	struct ring_producer *main; /* borrowed; its thread is the producer */
	int notify_fd;		    /* eventfd, written when events passed on;
				     * borrowed, non-blocking */
	struct account_row *rows;   /* see sources_rows(); borrowed */
	unsigned cpus;		    /* that rows are of, beside any CPU */
	/* A record stays in its mini-buffer until aggregator_settle() says that
	 * it is in the archive: resume.h. */
	bool holds;
};

/* What is known when it has passed on a certain event, and no later one. */
struct aggregator_mark {
	uint64_t number;  /* 1, 2, … */
	struct buf rings; /* resume_put_begin(), _ring() of each mini-buffer */
	struct aggregator_row {
		uint64_t delivered, lost_main, late;
	} * row; /* as of then, by row of the account */
	unsigned rows;
};

/* Since start. */
struct aggregator_stats {
	uint64_t events, late, stalls, waits; /* waits: main ring full */
	uint64_t wakeups;		      /* drain cycles */
	uint64_t woken;	    /* times a mini-buffer came before the timer */
	uint64_t malformed; /* records that are no events; dropped */
};

/**
 * aggregator_new - an aggregator without rings
 * @opts: copied; what it points to is borrowed until aggregator_free()
 * Return: 0; -ENOMEM; -errno of epoll_create1(2), eventfd(2).
 */
int aggregator_new(struct aggregator **ret,
		   const struct aggregator_options *opts);

/**
 * aggregator_add - one kernel ring, before start
 * @ring: wakes us as long as its map's descriptor is open
 *
 * A ring that cannot wake us is looked at by the timer alone.
 * Return: 0; -ENOSPC more than 4096, of both sorts; -ENOMEM; -errno of mmap(2)
 * or epoll_ctl(2).
 */
int aggregator_add(struct aggregator *a, const struct source_ring *ring);

/**
 * aggregator_add_user - a user-space mini-buffer, before start
 * @c: borrowed; the aggregator's thread is its consumer
 *
 * Its events are stamped by a producer whose reservations cannot be seen, so
 * one that comes behind the watermark is moved up to it, not flagged. Never
 * refused for lack of room in the main ring. @source: as of sources_info().
 * Return: 0; -ENOSPC as above; -ENOMEM.
 */
int aggregator_add_user(struct aggregator *a, struct ring_consumer *c,
			unsigned source);

/**
 * aggregator_resume - go on where a mark was made; options.holds, before start
 * @at: of as many rings as were added, in that order; NULL: nothing was passed
 *      on yet, so nothing may have been freed
 *
 * @at is used for the call. After -EBADMSG and -ENOMEM it can only be freed.
 * Return: 0; -EBADMSG the mark is of other rings, or of rings as they cannot
 * be; -ENOMEM.
 */
int aggregator_resume(struct aggregator *a, const struct resume *at);

/**
 * aggregator_mark - the mark that a record of type AGGREGATOR_MARK stands for
 * @record: its payload
 *
 * Thread: the main ring's consumer. Lifetime: until it is settled.
 */
const struct aggregator_mark *aggregator_mark(const struct aggregator *a,
					      const void *record);

/**
 * aggregator_settle - what came of the marks
 * @settled: up to this number it is known
 * @written: the last one that is in the archive: what it tells of is freed
 *
 * Thread: one, any.
 */
void aggregator_settle(struct aggregator *a, uint64_t settled,
		       uint64_t written);

/** aggregator_start - returns when the thread runs. Return: 0; -ENOMEM; -errno
 * of pthread_create(3). */
int aggregator_start(struct aggregator *a);

/** aggregator_hurry - have its thread run before others; after start. Takes
 * CAP_SYS_NICE or RLIMIT_NICE, without which it runs as others do. */
void aggregator_hurry(struct aggregator *a);

/**
 * aggregator_stop - pass on everything that is in the mini-buffers now, then
 * end the thread. Their producers must have ended.
 *
 * The main ring's consumer must go on taking until it returns. A record that is
 * still busy is waited for, twice AGGREGATOR_STALL_NS at most. Not started:
 * no-op.
 */
void aggregator_stop(struct aggregator *a);

/** aggregator_cpu_ns - of its thread; 0 while there is none. Thread: who starts
 * and stops it. */
uint64_t aggregator_cpu_ns(const struct aggregator *a);

/** aggregator_stats - Thread: any, between start and free; each counter is
 * exact in itself. */
void aggregator_stats(const struct aggregator *a, struct aggregator_stats *ret);

/** aggregator_used - add to @used, by source, the bytes that its kernel rings
 * hold now. Thread: any, between start and free. */
void aggregator_used(const struct aggregator *a, uint64_t *used);

/** aggregator_lost_span - bounds of the main-ring losses of a row, monotonic
 * ns; all of them since start. Thread: any, after reading the row's lost_main.
 */
void aggregator_lost_span(const struct aggregator *a, unsigned row,
			  uint64_t *ret_first, uint64_t *ret_last);

/** aggregator_set_lost_span - of losses that somebody else left; before start
 */
void aggregator_set_lost_span(struct aggregator *a, unsigned row,
			      uint64_t first, uint64_t last);

/** aggregator_free - unmap the rings, free; after stop. The user-space ones
 * stay their owner's. NULL-safe. */
void aggregator_free(struct aggregator *a);

#endif
