/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_predict.h - what a number is compared with before it is stored.
 *
 * A predictor says what a value will be from what a reader knows by then: the
 * header, values before it, columns before it. What is stored is the
 * difference in the arithmetic of the column's width, as a signed number made
 * unsigned (zigzag: 0, -1, 1, -2, …); so every predictor is lossless for every
 * value.
 */
#ifndef WEIR_COLUMNS_PREDICT_H
#define WEIR_COLUMNS_PREDICT_H

#include <stdbool.h>
#include <stdint.h>

/* On disk: append only. */
enum predictor {
	PREDICT_NONE = 0,   /* nothing; stored as it is */
	PREDICT_SIGNED = 1, /* 0: signed numbers, small either way */
	PREDICT_LAST = 2,   /* the value in the row before */
	PREDICT_TASK = 3,   /* the value in the row of this task before */
	PREDICT_COLUMN = 4, /* column @param of the same row */
	PREDICT_SUM = 5,    /* of columns @param % 2048 and @param / 2048 */
	PREDICT_AGO = 6,    /* ts; stored is ts - value, not zigzag */
	PREDICT_PID = 7,    /* of the header */
	PREDICT_TID = 8,
	PREDICT_CPU = 9,
	PREDICT_NEXT_PID = 10, /* of the next row on this CPU */
	PREDICT_NEXT_TID = 11,
	PREDICT_SINCE = 12, /* ts less that of the row of this kind before */
	/*
	 * Stored is 0 for one more than the largest value so far (@param - 1
	 * at the start), else how far below that it is.
	 */
	PREDICT_NEW = 13,
	PREDICTORS,
};

/* The rows of a block, CPU-major. */
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
	const uint32_t *row;	       /* index into @view */
	const uint64_t *const *column; /* of the same rows */
	uint64_t *guess;	       /* scratch, @n of them */
};

/** predict_apply - from values to what is stored. */
void predict_apply(const struct predict *p, const uint64_t *v, uint64_t *ret,
		   uint32_t n);

/** predict_undo - the values again, in place; every value is possible. */
void predict_undo(const struct predict *p, uint64_t *v, uint32_t n);

#endif
