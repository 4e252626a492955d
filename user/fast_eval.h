/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_eval.h - expressions and conditions, for all rows of a batch at once.
 *
 * A batch is some rows of one block: a group of a kind, or the turns of all
 * rows, each standing for as many. What is the same for all of them is one
 * value, often known without unpacking anything.
 *
 * All functions return 0; -EOPNOTSUPP the answer would not be SQLite's: an
 * integer overflows, or is none; -ENOMEM; errors of columns.h.
 */
#ifndef WEIR_FAST_EVAL_H
#define WEIR_FAST_EVAL_H

#include "fast_query.h"
#include "fast_tasks.h"

/* A value of each row: an integer, or a text by number, 0: NULL. */
struct fast_vector {
	bool same; /* for all: @one */
	bool null; /* and that is NULL */
	int64_t one;
	const int64_t *v;
	const uint8_t *nulls; /* of integers; or NULL: none is */
	bool strings;	      /* texts, but by their numbers in the block */
	bool symbols;	      /* texts, but by what the column holds */
};

/* What is known of a text column's values. */
struct fast_cache {
	uint32_t *number; /* by string of the block at hand, UINT32_MAX: not */
	uint32_t room, block;
	struct {
		uint64_t raw;
		uint32_t number;
		bool used;
	} * value; /* by what the column holds */
	uint32_t values, value_cap;
};

/* Of a condition: what it says of texts. */
struct fast_memo {
	uint8_t *known; /* by number: 0 not, 1 false, 2 true */
	uint32_t room, block;
	/* %.h of LIKE and *.h of GLOB: the end that decides; else NULL */
	const char *end;
	size_t end_len;
};

struct fast_eval {
	const struct fast_query *q;
	const struct schema *schema;
	struct fast_texts *texts;
	struct fast_view *tasks; /* NULL: nobody asks for them */
	struct fast_block *block;
	struct fast_cache *cache; /* by column, owned */
	struct fast_memo memo[FAST_PREDS];
	struct buf record, scratch;
	/* the batch */
	const struct schema_kind *kind;
	uint32_t group, count;
	bool by_turn;
	const uint32_t *row;	      /* of each, or NULL: not asked for yet */
	const struct fast_expr *last; /* the value asked for last, and it */
	struct fast_vector last_value;
	struct pool pool; /* memory of the batch */
};

/**
 * fast_eval_init - @q, @schema, @texts, @tasks, @block are borrowed
 * Return: 0; -ENOMEM. To be released with fast_eval_done() in any case.
 */
int fast_eval_init(struct fast_eval *e, const struct fast_query *q,
		   const struct schema *schema, struct fast_texts *texts,
		   struct fast_view *tasks, struct fast_block *block);
void fast_eval_done(struct fast_eval *e);

/** fast_eval_group - the next batch: a group of a kind, of @count rows.
 * Values of the last one are gone. */
void fast_eval_group(struct fast_eval *e, const struct schema_kind *k,
		     uint32_t group, uint32_t count);

/** fast_eval_turns - the next batch: all turns of the block. */
int fast_eval_turns(struct fast_eval *e);

/** fast_eval_timeless - is every condition on time known for all the block? */
bool fast_eval_timeless(struct fast_eval *e);

/** fast_eval_rows - fill e->row: which rows of the block; not of turns. */
int fast_eval_rows(struct fast_eval *e);

/** fast_eval_times - time stamps, by row of the block: of those of the batch.
 */
int fast_eval_times(struct fast_eval *e, const uint64_t **ret);

/**
 * fast_eval_value - an expression; valid until the next batch
 * @ret: texts may be by their numbers in the block, or by what stands for
 *       them: fast_eval_number() tells
 */
int fast_eval_value(struct fast_eval *e, const struct fast_expr *x,
		    struct fast_vector *ret);

/** fast_eval_known - does what is known of the block (its first and last time)
 * tell the outcome of a comparison for all rows? */
bool fast_eval_known(const struct fast_eval *e, const struct fast_expr *x);

/** fast_eval_number - the @i-th text of @v by its number in all of the answer;
 * 0: NULL. */
int fast_eval_number(struct fast_eval *e, const struct fast_expr *x,
		     const struct fast_vector *v, uint32_t i, uint32_t *ret);

/**
 * fast_eval_pass - which rows pass a condition
 * @pred: index in the query
 * @pass: [count]; cleared where they do not
 * @ret_all: they all do, and @pass is untouched
 */
int fast_eval_pass(struct fast_eval *e, unsigned pred, uint8_t *pass,
		   bool *ret_all);

/* ---- columns alone: fast_column.c ---------------------------------------- */

/** fast_column_value - a column, as fast_eval_value(). */
int fast_column_value(struct fast_eval *e, unsigned column,
		      struct fast_vector *ret);

/**
 * fast_column_text - the text behind a string of the block
 * @ret: NULL: none; valid until the next call
 */
int fast_column_text(struct fast_eval *e, unsigned column, uint32_t string,
		     const char **ret, size_t *ret_len);

/** fast_column_symbol - the text, by number, that stands for what it holds. */
int fast_column_symbol(struct fast_eval *e, unsigned column, uint64_t raw,
		       int64_t *ret);

/** fast_column_number - as fast_column_text(), by number. */
int fast_column_number(struct fast_eval *e, unsigned column, uint32_t string,
		       uint32_t *ret);

#endif
