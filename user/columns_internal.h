/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_internal.h - what writing and reading a columnar block share. Only
 * columns_*.c include it.
 *
 * The payload, all numbers varints where nothing else is said:
 *
 *   version (1), length of the head, the head as a chunk, the streams
 *
 *   head:  the numbers of struct block_head in its order; for each part its
 *          kind, check, groups; for each group its key, rows; the number of
 *          streams; then for all streams their predictors, for all their
 *          params, forms, widths, bases, lengths in bytes
 *   streams: first the common ones (enum common), then for each part, for each
 *          of its groups, each column of the plan; then what
 *          columns_context.h says. Streams behind these are unknown and
 *          skipped.
 *
 * Rows are CPU-major, in a CPU in the order they had. A part is the rows of
 * one kind. A group is rows of a part with the same key; the last one has
 * those of all keys that have no group. Rows of a group keep their order. Of
 * each row the number of its group is stored, counted over all parts.
 * How rows are put back into the one order: columns_merge.h.
 */
#ifndef WEIR_COLUMNS_INTERNAL_H
#define WEIR_COLUMNS_INTERNAL_H

#include "../bpf/events.h"
#include "columns.h"
#include "columns_form.h"
#include "columns_plan.h"
#include "columns_pool.h"
#include "columns_predict.h"
#include "columns_strings.h"

#define COLUMNS_VERSION 1
#define ROWS_MAX	(1U << 18) /* limits of a block, for both */
#define PARTS_MAX	256
#define KEYS		1024	    /* keys below can have a group */
#define GROUPS_MAX	16384	    /* of a block */
#define VALUES_MAX	(32U << 20) /* rows by columns of a part; strings */
#define ROW_ALIGN	8	    /* of records, bytes: block.h */
#define LINE		64	    /* of the cache, bytes */

struct block_head {
	uint64_t rows;
	uint64_t base_ns; /* times count from here: the smallest, monotonic */
	uint64_t runs;	  /* CPUs */
	uint64_t tasks;	  /* pairs of pid and tid */
	uint64_t turns;	  /* changes of the task, and of the CPU */
	uint64_t late;	  /* columns_merge.h */
	uint64_t picks;
	uint64_t strings; /* of the dictionary */
	uint64_t string_bytes;
	uint64_t parts; /* kinds, and what is kept whole */
};
#define HEAD_NUMBERS (sizeof(struct block_head) / sizeof(uint64_t))

/* The common streams, in order. */
enum common {
	COMMON_CPU, /* of each run */
	COMMON_CPU_ROWS,
	COMMON_GROUP, /* of each row */
	COMMON_PID,   /* of each task */
	COMMON_TID,
	COMMON_TURN_TASK, /* of each turn: index of the task */
	COMMON_TURN_ROWS,
	COMMON_LATE_ROW, /* columns_merge.h */
	COMMON_LATE_BY,
	COMMON_PICK_AT,
	COMMON_PICK_RUN,
	COMMON_STR_LEN,	  /* of each string of the dictionary */
	COMMON_STR_BYTES, /* a chunk: all of them */
	COMMON_STREAMS,
};

struct group {
	uint64_t key; /* of all its rows, but of a part's last group */
	uint32_t rows;
	uint32_t *row;	 /* indexes of its rows, ascending; NULL until
			    read_groups() or read_context() */
	uint32_t stream; /* its first */
};

struct part {
	const struct plan *plan; /* NULL: the schema has no such kind */
	uint32_t kind, rows;
	uint32_t check;	      /* plan.check; a block of another is -EBADMSG */
	uint32_t first_group; /* number of its first, over all parts */
	uint32_t group_count;
	struct group *group;
};

struct stream {
	uint8_t what; /* enum predictor */
	bool is_kept; /* @value lives as long as the block is read */
	uint32_t param;
	struct column_head head;
	size_t at, len;	       /* in the payload */
	const uint64_t *value; /* reading: NULL unless unpacked */
};

/* One way to put a column. */
struct way {
	uint8_t what; /* enum predictor */
	uint8_t form; /* wished */
	uint32_t param;
};
#define RIVALS 7

/* How a column went best, for the next block. */
struct choice {
	uint64_t tag;
	struct way best, rival[RIVALS]; /* those next to it in the trial */
	uint8_t rivals;
	uint16_t age; /* blocks since the trial */
	float bytes;  /* for each row, then; 0: not tried */
};
#define CHOICES 8192 /* a power of two; one that collides is forgotten */

/* Rows of the kinds that the table of tasks is made of: columns_context.h. */
struct context {
	uint32_t count;
	uint32_t *row;	 /* ascending */
	uint16_t *group; /* of each: its number */
	uint64_t *ts;	 /* by row, as in row_view; of no others */
	uint32_t *place; /* by row: in the one order */
};

struct columns {
	struct plans *plans;
	struct packer packer;
	struct pool block; /* memory of this block */
	struct pool group; /* of one group of it */
	struct block_head head;
	struct row_view view;
	struct part part[PARTS_MAX];
	uint32_t group_count; /* of all parts */
	struct stream *stream;
	uint32_t stream_count, stream_room;
	uint32_t group_streams; /* the common ones, and those of groups */
	uint16_t *group_of;	/* of each row, over all parts */

	/* writing */
	struct choice *choice;
	struct strings strings;
	struct buf directory, data, trial;

	/* reading */
	const uint8_t *payload;
	size_t payload_len;
	uint32_t known; /* what has been unpacked, READ_* */
	bool keep;	/* what is unpacked now */
	uint64_t *turn_task, *turn_rows;
	uint64_t *ts;
	struct context context;
	uint64_t *run_rows;
	uint64_t *str_len;
	uint32_t *str_at;
	char *str_bytes;
	const struct group *at_group; /* whose columns are unpacked */
	unsigned at_columns;	      /* of its plan */
};

/* ---- columns_order.c: rows, parts and groups, the same for both ---------- */

/**
 * groups_fill - tell each group of its rows; group_of is trusted to be below
 * group_count
 * @c: group_of of each row; the groups of the parts and their rows
 *
 * Return: 0; -EBADMSG the rows are not those of the groups; -ENOMEM.
 */
int groups_fill(struct columns *c);

/** rows_since - fill view.since: ts less that of the row of this kind before.
 * Return: 0; -ENOMEM.
 */
int rows_since(struct columns *c);

/** group_stream - Return: the stream of a column in a group. */
static inline uint32_t group_stream(const struct group *g, unsigned column)
{
	return g->stream + column;
}

#endif
