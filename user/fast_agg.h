/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_agg.h - groups of rows, and what is counted of each.
 *
 * Sums are exact: 128 bits, what is positive apart from what is negative, so
 * that it is known whether SQLite's would have overflowed on its way.
 */
#ifndef WEIR_FAST_AGG_H
#define WEIR_FAST_AGG_H

#include "fast_eval.h"
#include "hist.h"

#define FAST_AGG_BYTES                                                         \
	(96U << 20) /* more are a matter for a sorter on disk                  \
		     */

/* An aggregate of a group. */
struct fast_cell {
	uint64_t count;	       /* not NULL */
	__int128 above, below; /* sums of those from 0 on, and below 0 */
	int64_t min, max;      /* or numbers of texts */
	struct hist *hist;     /* of FAST_QUANTILE; owned; NULL: of none */
};

/* Of one thread of a pass. What it points to is owned, if not said. */
struct fast_groups {
	const struct fast_query *q;
	struct fast_texts *texts; /* borrowed */
	uint32_t count, cap;
	/* by group */
	int64_t (*key)[FAST_KEYS];
	uint8_t (*null)[FAST_KEYS];
	struct fast_cell *cell; /* [q->aggs] each */
	uint32_t *slot;		/* groups by hash, plus one */
	uint32_t slots;
	uint32_t hists;
	size_t bytes_max; /* FAST_AGG_BYTES, or a part of it */
	uint32_t *order;  /* after fast_groups_sort() */
	/* of a batch */
	uint32_t *group;
	uint32_t group_room;
	struct fast_recent *recent; /* owned */
	uint32_t batch;
};

/**
 * fast_groups_init - no groups; without keys in @q the one there is
 * @q, @texts: borrowed
 * Return: 0; -ENOMEM. To be released with fast_groups_done() in any case.
 */
int fast_groups_init(struct fast_groups *g, const struct fast_query *q,
		     struct fast_texts *texts);
void fast_groups_done(struct fast_groups *g);

/**
 * fast_groups_add - count rows of a batch
 * @rows:   which, ascending, or NULL: all of them
 * @count:  how many
 * @weight: of each row of the batch, or NULL: one; only for count(*)
 * Return: 0; as fast_eval.h. After a failure the groups are good for
 * fast_groups_done() alone.
 */
int fast_groups_add(struct fast_groups *g, struct fast_eval *e,
		    const uint32_t *rows, uint32_t count,
		    const struct columns_turn *weight);

/**
 * fast_groups_find - a group by its keys, made if need be
 * @key: 0 where @null; texts by number
 * @ret: its index; those there were keep theirs, but cells may move
 * Return: 0; -ENOMEM; -EOPNOTSUPP there are too many.
 */
int fast_groups_find(struct fast_groups *g, const int64_t *key,
		     const uint8_t *null, uint32_t *ret);

/** fast_groups_hist - give a cell a histogram. Return: as above. */
int fast_groups_hist(struct fast_groups *g, struct fast_cell *cell);

/**
 * fast_groups_merge - add what was counted elsewhere: fast_merge.c
 * @from: of the same query, with texts of its own
 * Return: as above.
 */
int fast_groups_merge(struct fast_groups *to, const struct fast_groups *from);

/**
 * fast_groups_sort - fill @order: indexes of groups in the order in which
 * SQLite has them; once
 *
 * NULL first, numbers, or texts by bytes (collation BINARY), each key
 * descending where the query says so.
 * Return: 0; -ENOMEM.
 */
int fast_groups_sort(struct fast_groups *g);

#endif
