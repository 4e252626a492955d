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
 *          kind, check, rows, groups; for each group its key, rows; the number
 *          of streams; then for all streams their predictors, for all their
 *          params, forms, widths, bases, lengths in bytes
 *   streams: first the common ones (enum common), then for each part: the key
 *          column if the plan has one, in the order of rows; then for each
 *          group each other column of the plan. Streams behind these are
 *          unknown and skipped.
 *
 * Rows are CPU-major, in a CPU in the order they had. A part is the rows of
 * one kind. A group is rows of a part with the same key; the last one has
 * those of all keys that have no group. Rows of a group keep their order.
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
#define ROWS_MAX	(1U << 18)
#define PARTS_MAX	256
#define KEYS		1024 /* keys below can have a group */
#define VALUES_MAX	(32U << 20)

struct block_head {
	uint64_t rows;
	uint64_t base_ns; /* times count from here */
	uint64_t runs;	  /* CPUs */
	uint64_t tasks;	  /* pairs of pid and tid */
	uint64_t turns;	  /* changes of the task, and of the CPU */
	uint64_t late;
	uint64_t picks;
	uint64_t strings;
	uint64_t string_bytes;
	uint64_t parts;
};
#define HEAD_NUMBERS (sizeof(struct block_head) / sizeof(uint64_t))

/* The common streams, in order. */
enum common {
	COMMON_CPU, /* of each run */
	COMMON_CPU_ROWS,
	COMMON_PART, /* of each row */
	COMMON_PID,  /* of each task */
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
	uint64_t key;
	uint32_t first, rows; /* in the part's grouped order */
};

struct part {
	const struct plan *plan; /* NULL: the schema has no such kind */
	uint32_t kind, rows;
	uint32_t check;
	uint32_t group_count;
	struct group *group;
	uint32_t stream; /* its first */
	uint32_t *row;	 /* in grouped order: index of the row */
	uint64_t *key;	 /* of the rows, in their order, or NULL */
};

struct stream {
	uint8_t what; /* enum predictor */
	uint32_t param;
	struct column_head head;
	size_t at, len; /* in the payload */
};

/* What column went best, to be asked first in the next block. */
struct choice {
	uint64_t tag;
	uint8_t what, form;
	uint16_t age;
	uint32_t param;
	float bytes; /* for each row, then */
};
#define CHOICES 8192

struct columns {
	struct plans *plans;
	struct packer packer;
	struct pool block; /* memory of this block */
	struct pool group; /* of one group of it */
	struct block_head head;
	struct row_view view;
	struct part part[PARTS_MAX];
	struct stream *stream;
	uint32_t stream_count, stream_room;

	/* writing */
	struct choice *choice;
	struct strings strings;
	struct buf directory, data, trial;

	/* reading */
	const uint8_t *payload;
	size_t payload_len;
	uint32_t known; /* what has been unpacked, READ_* */
	uint64_t *turn_task, *turn_rows;
	uint64_t *part_of; /* of each row */
	uint64_t *ts, *since;
	uint64_t *run_rows;
	uint64_t *str_len;
	uint32_t *str_at;
	char *str_bytes;
	const struct part *at_part; /* whose columns are in @value */
	uint32_t at_group;
	const uint64_t *value[PLAN_COLUMNS];
};

/* ---- columns_order.c: rows, parts and groups, the same for both ---------- */

/**
 * part_group - put the part's rows into grouped order
 * @p: row in the order of rows, key; group and its keys and rows
 *
 * Return: 0; -EBADMSG the keys are not those of the groups; -ENOMEM.
 */
int part_group(struct columns *c, struct part *p);

/** rows_since - fill view.since: ts less that of the row of this kind before.
 */
int rows_since(struct columns *c, const uint64_t *part_of);

/** part_columns - Return: streams of one group of the part. */
static inline uint32_t part_columns(const struct plan *p)
{
	return p->count - (p->key >= 0);
}

/** part_stream - Return: the stream of a column in a group; not of the key. */
static inline uint32_t part_stream(const struct part *p, uint32_t group,
				   unsigned column)
{
	uint32_t skip = p->plan->key >= 0 && (int)column > p->plan->key;

	return p->stream + (p->plan->key >= 0) + group * part_columns(p->plan) +
	       column - skip;
}

#endif
