/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_internal.h - what fast.c and fast_scan.c share. Not for others.
 */
#ifndef WEIR_FAST_INTERNAL_H
#define WEIR_FAST_INTERNAL_H

#include "fast.h"
#include "fast_rows.h"

/* A row to be handed out. */
struct fast_found {
	uint32_t row;  /* in the block */
	uint32_t info; /* of its task */
	size_t at;     /* of its record */
};

/* The best values of a column so far: a heap, the worst first. */
struct fast_top {
	int64_t *value; /* NULL: all rows are wanted */
	uint64_t count, cap;
};

/* What the threads of a pass share: fast_source.c. */
struct fast_source {
	pthread_mutex_t lock;
	pthread_cond_t left; /* some thread its block */
	struct archive_blocks *blocks;
	struct fast_tasks *tasks; /* NULL: nobody asks */
	bool in_order;		  /* what is in a block tells how to go on */
	int failed;		  /* what one of them ended with: all end */
};

/*
 * Of one thread. What is shared is @source, with its lock, and what is only
 * read: schema, q, range, archive.
 */
struct fast {
	const struct schema *schema;
	const struct fast_query *q;
	struct fast_range range;
	struct archive *archive;
	struct fast_source *source; /* shared; owned by the first */
	struct archive_unpacker *unpacker;
	uint64_t position; /* of the block taken last */
	struct fast_block block;
	struct fast_texts texts;
	struct fast_view *tasks; /* NULL: nobody asks */
	struct fast_eval eval;
	struct fast_groups groups;
	/* what the question is about */
	bool of_rows;  /* kinds, fields */
	bool of_turns; /* CPUs and tasks */
	bool of_tasks;
	bool of_others;		    /* tasks that fields name */
	unsigned order[FAST_PREDS]; /* of conditions, the cheap ones first */
	/* of a batch */
	uint8_t *pass;
	uint32_t *chosen;
	uint32_t room;
	/* rows */
	const bool *used;
	bool every_field, fields[SCHEMA_FIELDS_MAX];
	struct fast_top top;
	struct fast_rows rows;
	struct buf records;
	struct fast_found *found;
	size_t found_count, found_cap, found_at;
	uint32_t turn;	  /* of the last found */
	struct task task; /* of the row at hand */
	struct cgroup cgroup;
	uint32_t row;	   /* in the block */
	struct task other; /* that it was asked about */
	struct cgroup other_cgroup;
	bool ended;
	int end; /* what fast_next() ends with */
};

/**
 * fast_choose - which rows of the batch pass
 * @inside: all of the block is in the interval
 * @ret_rows: which, or NULL: all of them
 * Return: 0; as fast_eval.h.
 */
int fast_choose(struct fast *f, bool inside, const uint32_t **ret_rows,
		uint32_t *ret_count);

/**
 * fast_block_next - go on to the next block that may have rows
 * Return: 1; 0; -ECANCELED another thread has failed; as fast_groups().
 */
int fast_block_next(struct fast *f);

/** fast_add_all - count the rows of all blocks that this thread gets.
 * Return: 0; -EBADMSG; -EOPNOTSUPP; as fast_block_next(). */
int fast_add_all(struct fast *f);

/** fast_helper_new - what a further thread of a pass needs. Return: 0; -ENOMEM.
 */
int fast_helper_new(struct fast **ret, const struct fast *first);
void fast_helper_free(struct fast *f); /* NULL-safe */

/* ---- fast_source.c ------------------------------------------------------- */

/**
 * fast_source_new - where blocks come from, for @f and its helpers
 * @facts: what will be asked of tasks
 * Return: 0; -ENOMEM.
 */
int fast_source_new(struct fast_source **ret, struct fast *f,
		    const bool facts[FAST_FACTS]);
void fast_source_free(struct fast_source *s); /* NULL-safe */

/**
 * fast_take - go on to the next block of the pass, its directory read
 *
 * Waits for threads that are more than FAST_AHEAD blocks behind, where tasks
 * are asked for. Blocks that are damaged are left out, which is told at the
 * end: -EBADMSG.
 * Return: 1 with f->block; 0; as fast_block_next().
 */
int fast_take(struct fast *f);

/** fast_fail - this thread is at its end; with an @err have the others end,
 * too: of several the first counts. */
void fast_fail(struct fast *f, int err);

/** fast_scan_init - learn what rows need: fast_scan.c. Return: 0; -ENOMEM. */
int fast_scan_init(struct fast *f);

/** fast_kind_wanted - may rows of a kind in the block at hand be asked for? */
bool fast_kind_wanted(const struct fast *f, unsigned kind);

/** fast_inside - is all of the block at hand in the interval? */
bool fast_inside(const struct fast *f);

#endif
