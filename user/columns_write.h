/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_write.h - a block being written: what the files that do it share.
 */
#ifndef WEIR_COLUMNS_WRITE_H
#define WEIR_COLUMNS_WRITE_H

#include "columns_internal.h"

struct writing {
	struct columns *c;
	const char *rows;
	uint32_t n;
	uint32_t *start;    /* of each record, in the order they came */
	uint16_t *run_came; /* its run, in the same order */
	uint32_t *from;	    /* start of each row's record, CPU-major */
	uint64_t *part_of;  /* of each row */
	uint64_t *ts, *key; /* of each row; key for the merge */
	uint64_t *delta;    /* less the row before on this CPU */
	uint16_t *run;
	uint32_t *task;
	uint64_t *cpu, *run_rows; /* of each run */
	bool came_late;		  /* some delta is negative */
};

static inline const struct weir_hdr *write_row(const struct writing *w,
					       uint32_t row)
{
	return (const struct weir_hdr *)(w->rows + w->from[row]);
}

/**
 * write_stream - append a stream and its line of the directory
 * @wish: form
 */
void write_stream(struct columns *c, const uint64_t *v, size_t n,
		  enum column_form wish);

/** write_line - a line of the directory for what was put by other means. */
struct stream *write_line(struct columns *c, size_t data_start);

/* ---- columns_scan.c --------------------------------------------------------
 */

/**
 * write_scan - learn what rows there are: order, runs, parts, tasks, times
 * Return: 0; -E2BIG; -ENOMEM.
 */
int write_scan(struct writing *w, const struct buf *rows);

/** write_common - put the common streams, but for strings. Return: 0; -ENOMEM.
 */
int write_common(struct writing *w);

/* ---- columns_choose.c ------------------------------------------------------
 */

/* A column to be put. */
struct asked {
	const struct part *part;
	unsigned column;
	uint64_t key;	   /* of the group */
	const uint64_t *v; /* values */
	uint32_t n;
	uint32_t first_string;	/* of the dictionary, before these */
	struct predict predict; /* row, column, guess, view are set */
	uint64_t *stored;	/* scratch, @n of them */
};

/** choose_and_put - put a column by what suits it best. */
void choose_and_put(struct columns *c, struct asked *a);

#endif
