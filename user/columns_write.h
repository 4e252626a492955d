/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_write.h - a block being written: what the files that do it share.
 *
 * The order is write_scan(), write_order(), write_common(), write_parts(),
 * write_context(), then the strings and the directory (columns_encode.c).
 * Memory is columns.block's; only what is put goes to columns.data. -E2BIG
 * always means: keep it as rows.
 */
#ifndef WEIR_COLUMNS_WRITE_H
#define WEIR_COLUMNS_WRITE_H

#include <string.h>

#include "columns_context.h"

/* What is learnt of a record when it is looked at first. */
struct came {
	uint64_t ts;	/* monotonic ns */
	uint64_t task;	/* pid << 32 | tid */
	uint32_t start; /* of the record, in writing.rows */
	uint16_t run;	/* its CPU, by number of the run */
	uint16_t slot;	/* index */
};

/* Records of one kind with the same key. */
struct slot {
	uint32_t part, key; /* KEYS: the others */
	uint32_t rows;
	uint32_t group; /* over all parts */
	bool is_context;
};
#define SLOTS_MAX 65535

/* A kind that has been seen. */
struct slots {
	uint16_t *of_key; /* slot plus one of each key; only [0] without keys */
};

struct writing {
	struct columns *c;
	const char *rows;
	uint32_t n;
	struct came *came; /* records in the order they came */
	struct slot *slot;
	uint32_t slot_count, slot_room;
	struct slots slots[PARTS_MAX];
	uint32_t *from;	    /* start of each row's record, CPU-major */
	uint64_t *id;	    /* task of each row */
	uint64_t *ts, *key; /* of each row; key for the merge */
	uint64_t *gap;	    /* since the row before on this CPU */
	uint16_t *run;
	uint32_t *task;
	uint64_t *cpu, *run_rows; /* of each run */
	bool in_order;		  /* the merge gives the order they came in */
	struct context_row *context; /* by place */
	uint32_t context_count;
};

/* The record of a row, CPU-major. */
static inline const char *write_row(const struct writing *w, uint32_t row)
{
	return w->rows + w->from[row];
}

/* A number as it is in a record, zero-extended. */
static inline uint64_t load_number(const char *p, unsigned size)
{
	uint32_t v;
	uint64_t x;

	switch (size) {
	case 1:
		return *(const uint8_t *)p;
	case 2:
		v = 0;
		memcpy(&v, p, 2);
		return v;
	case 4:
		memcpy(&v, p, 4);
		return v;
	default:
		memcpy(&x, p, 8);
		return x;
	}
}

/**
 * write_stream - append a stream and its line of the directory
 * @wish: form
 *
 * Return: its line, for what and param to be set, valid until the next is
 * written; never NULL. No memory: latched in columns.data.
 */
struct stream *write_stream(struct columns *c, const uint64_t *v, size_t n,
			    enum column_form wish, bool is_signed);

/** write_line - a line of the directory for what was put by other means
 * @data_start: where it begins in columns.data. Return: as write_stream(). */
struct stream *write_line(struct columns *c, size_t data_start);

/* ---- columns_scan.c --------------------------------------------------------
 */

/**
 * write_scan - learn what rows there are, in the order they came
 *
 * Keys of 512 rows or more get a group, others share the part's last.
 * Return: 0; -E2BIG no rows, too many, or a record whose length is wrong;
 * -ENOMEM.
 */
int write_scan(struct writing *w, const struct buf *rows);

/* ---- columns_common.c ------------------------------------------------------
 */

/**
 * write_order - rows CPU by CPU, and their groups
 * Return: 0; -ENOMEM.
 */
int write_order(struct writing *w);

/**
 * write_common - put the common streams, but for strings
 * Return: 0; -E2BIG; -ENOMEM.
 */
int write_common(struct writing *w);

/* ---- columns_take.c --------------------------------------------------------
 */

/** write_parts - put the columns of all parts. Return: 0; -E2BIG; -ENOMEM. */
int write_parts(struct writing *w);

/* ---- columns_context.c -----------------------------------------------------
 */

/** write_context - put the streams of context rows. Return: 0; -ENOMEM. */
int write_context(struct writing *w);

/* ---- columns_choose.c ------------------------------------------------------
 */

/* A column to be put. */
struct asked {
	const struct part *part;
	unsigned column;
	uint64_t key;	   /* of the group, or KEYS */
	const uint64_t *v; /* values: not all of them the same */
	uint32_t n;
	uint32_t first_string;	/* of the dictionary, before these */
	struct predict predict; /* row, guess, view are set */
	uint64_t *const
		*values;  /* of the group's columns; NULL: all the same */
	bool no_times;	  /* nothing that follows from times */
	uint64_t *stored; /* scratch, @n of them */
};

/**
 * choose_and_put - put a column by what suits it best
 *
 * That is tried on its first rows, and remembered by kind, column and key for
 * the blocks to come (columns_choose.c).
 * Return: its stream, as write_stream().
 */
const struct stream *choose_and_put(struct columns *c, struct asked *a);

#endif
