/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_predict.h - what a number is compared with before it is stored.
 *
 * A predictor says what a value will be from what a reader knows by then: the
 * header, values before it, columns before it. What is stored is the
 * difference in the arithmetic of the column's width, sign-extended to 64 bits
 * (columns_form.h says how); so every predictor is lossless for every value.
 */
#ifndef WEIR_COLUMNS_PREDICT_H
#define WEIR_COLUMNS_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

/* On disk: append only. */
enum predictor {
	PREDICT_NONE = 0,   /* nothing; stored as it is */
	PREDICT_SIGNED = 1, /* 0: signed numbers, small either way */
	/* Of the rows of the group; 0 where there is none before: */
	PREDICT_LAST = 2, /* the value in the row before */
	PREDICT_TASK = 3, /* the value in the row of this task before */
	/*
	 * Column @param of the same row: one before this. Of times, which are
	 * spans since the row before on this CPU, one behind: what is left is
	 * the time between the two.
	 */
	PREDICT_COLUMN = 4,
	PREDICT_SUM = 5, /* of columns @param % 2048 and @param / 2048 */
	PREDICT_AGO = 6, /* ts; stored is ts - value */
	PREDICT_PID = 7, /* of the header */
	PREDICT_TID = 8,
	PREDICT_CPU = 9,
	PREDICT_NEXT_PID = 10, /* of the next row on this CPU; 0: none */
	PREDICT_NEXT_TID = 11,
	/*
	 * ts less that of the row of this kind before on this CPU; 0 where
	 * there is none. Read, but not written
	 * any more: it saved 0.3 % and made durations wait for all times.
	 */
	PREDICT_SINCE = 12,
	/*
	 * Stored is 0 for one more than the largest value so far (@param - 1
	 * at the start), else how far below that it is.
	 */
	PREDICT_NEW = 13,
	PREDICTORS,
};
#define PREDICT_COLUMNS 2048 /* two numbers in one @param */

/** predict_is_signed - Return: true when differences are stored. */
static inline bool predict_is_signed(enum predictor what)
{
	return what != PREDICT_NONE && what != PREDICT_NEW;
}

/* The rows of a block, CPU-major. What no predictor asks for may be NULL. */
struct row_view {
	uint32_t count;
	uint32_t tasks;
	const uint64_t *ts;
	const uint64_t *since; /* PREDICT_SINCE */
	const uint32_t *task;  /* index into pid, tid */
	const uint64_t *pid, *tid;
	const uint16_t *run; /* of one CPU */
	const uint64_t *cpu; /* by run */
	uint64_t *last;	     /* scratch, @tasks of them */
};

/* One column of some rows of one kind. */
struct predict {
	enum predictor what;
	uint32_t param;
	unsigned bits; /* of the values: 8, 16, 32 or 64 */
	const struct row_view *view;
	const uint32_t *row;   /* index into @view */
	const uint64_t *a, *b; /* the columns that @param names */
	uint64_t *guess;       /* scratch, @n of them */
};

/**
 * predict_apply - from values to what is stored
 * @v:   values of @n rows, zero-extended
 * @ret: may not be @v
 */
void predict_apply(const struct predict *p, const uint64_t *v, uint64_t *ret,
		   uint32_t n);

/**
 * predict_undo - the values again, in place; every value is possible
 *
 * What comes out is cut to @bits: no damage makes it more. Row numbers, and
 * those of tasks and runs in the view, are trusted.
 */
void predict_undo(const struct predict *p, uint64_t *v, uint32_t n);

#endif
