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

struct fast {
	const struct schema *schema;
	const struct fast_query *q;
	struct fast_range range;
	struct archive_blocks *blocks;
	struct fast_block block;
	struct fast_texts texts;
	struct fast_tasks *tasks; /* NULL: nobody asks */
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
 * Return: 1; 0; as fast_groups().
 */
int fast_block_next(struct fast *f);

/** fast_scan_init - learn what rows need: fast_scan.c. Return: 0; -ENOMEM. */
int fast_scan_init(struct fast *f);

/** fast_kind_wanted - may rows of a kind in the block at hand be asked for? */
bool fast_kind_wanted(const struct fast *f, unsigned kind);

/** fast_inside - is all of the block at hand in the interval? */
bool fast_inside(const struct fast *f);

#endif
