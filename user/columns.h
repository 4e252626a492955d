/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns.h - a block of events taken apart into columns, and back.
 *
 * Writing: rows in the one order become columns, one for each field of each
 * kind, CPU by CPU; decoding gives the same rows in the same order, to the
 * byte, for any records whatever. Reading: columns_open() looks at the
 * directory alone; then each question unpacks what it needs and no more.
 *
 * Rows of a block are CPU-major here: all of one CPU, then those of the next.
 * Nothing but the schema says what the columns are.
 */
#ifndef WEIR_COLUMNS_H
#define WEIR_COLUMNS_H

#include "buf.h"
#include "schema.h"

/* Contexts, memory, and what was learnt from blocks before. Thread: one. */
struct columns;

/**
 * columns_new - for records of a schema; it is not used after the call
 *
 * One encodes or decodes, block by block: columns_encode() ends what was
 * opened. What it allocates for a block is kept for the next;
 * columns_pool.h says how much that may be.
 * Return: 0; -ENOMEM.
 */
int columns_new(struct columns **ret, const struct schema *s);
void columns_free(struct columns *c); /* NULL-safe */

/* ---- rows to columns and back -------------------------------------------- */

/**
 * columns_encode - append a block
 * @rows:   records, each at a multiple of 8 (block.h), zeros between
 * @hurry:  pack less, faster
 * @to:     as it was after a failure, but that -ENOMEM may be latched in it
 *
 * What suits each column is learnt from block to block, so the same rows may
 * give other bytes later; both decode to the same.
 * Return: 0; -E2BIG more, or other, than a block can be (no row, more than
 * 2^18, a record whose length is wrong): keep it as rows; -ENOMEM.
 */
int columns_encode(struct columns *c, const struct buf *rows, bool hurry,
		   struct buf *to);

/**
 * columns_decode - the rows of the block that columns_open() has opened
 * @rows: overwritten
 * @max:  bytes they may take; more are -EBADMSG
 *
 * Return: 0; -EBADMSG, also when no block is open; -EPROTONOSUPPORT a form, a
 * codec or a predictor of a newer weir; -ENOMEM. After a failure @rows is
 * empty.
 */
int columns_decode(struct columns *c, struct buf *rows, size_t max);

/**
 * columns_decode_kinds - those of its rows that are of some kinds
 * @kinds:  [SCHEMA_KINDS_MAX], or NULL: all. Records kept whole
 *          (columns_kind_rows()) come whatever they are.
 * @places: overwritten with a uint32_t for each: which of all rows of the
 *          block it is in the one order; or NULL
 *
 * Columns of other kinds stay packed, but for their times; without any row to
 * return all do. Return: as columns_decode().
 */
int columns_decode_kinds(struct columns *c, const bool *kinds, struct buf *rows,
			 struct buf *places, size_t max);

/* ---- columns alone ---------------------------------------------------------
 */

/**
 * columns_open - begin to read a block
 * @payload: borrowed until the next call
 *
 * What the functions below return lives as long. They return 0; -EBADMSG;
 * -EPROTONOSUPPORT made by a newer weir; -ENOMEM. The directory is checked
 * here, each stream when it is unpacked: -EBADMSG may come late. After a
 * failure there are no rows.
 */
int columns_open(struct columns *c, const void *payload, size_t len);

/** columns_rows - Return: how many events there are. */
uint32_t columns_rows(const struct columns *c);

/**
 * columns_kind_rows - Return: how many of them are of a kind and in columns.
 * Records that do not fit their kind are kept whole, as kind 0; a block that
 * has any must be decoded.
 */
uint32_t columns_kind_rows(const struct columns *c, unsigned kind);

/** columns_times - time stamps of all rows, monotonic ns, CPU-major. */
int columns_times(struct columns *c, const uint64_t **ret);

/**
 * columns_kind_times - time stamps of the rows of a kind
 * @ret: by row, as columns_times(); of other rows they may be missing
 *
 * Of the kinds of source task nothing but theirs is unpacked.
 */
int columns_kind_times(struct columns *c, unsigned kind, const uint64_t **ret);

/**
 * columns_context - which places the rows of the kinds of source task have in
 * the one order
 * @ret: by row; of other rows they are missing
 *
 * Also -ENOENT: the block does not tell; columns_keys() may.
 */
int columns_context(struct columns *c, const uint32_t **ret);

/* So many rows one after the other are of one task, on one CPU. */
struct columns_turn {
	uint32_t pid, tid, cpu, rows;
};

/** columns_turns - the turns of all rows, in their order; made anew each
 * time. */
int columns_turns(struct columns *c, const struct columns_turn **ret,
		  uint32_t *ret_count);

/**
 * columns_u64 - an element of a field, of all rows of a kind in their order
 * @field: index in the kind
 * @ret:   columns_kind_rows() numbers: as they are in the record,
 * zero-extended; of FIELD_CHARS, FIELD_BYTES and FIELD_STR indexes of strings
 *
 * @element: below the field's count; of those that are not numbers, 0
 *
 * An array of more than eight numbers is one string of bytes (columns_plan.c).
 * Also -ENOENT: the block or the kind has no such column.
 */
int columns_u64(struct columns *c, unsigned kind, unsigned field,
		unsigned element, uint64_t *ret);

/* In place of a field: weir_hdr.flags. */
#define COLUMNS_FLAGS UINT32_MAX
/* In place of an element of a FIELD_STR: its true length less what is kept. */
#define COLUMNS_MORE UINT32_MAX

/** columns_strings - unpack the strings; how many there are. */
int columns_strings(struct columns *c, uint32_t *ret_count);

/** columns_string - one of them, after columns_strings()
 * @index: below the count, which is not checked
 * Return: its bytes, without a NUL behind. */
const char *columns_string(const struct columns *c, uint32_t index,
			   uint32_t *ret_len);

/* One group of rows of a kind, such as those of one system call. */
struct columns_group {
	uint64_t key; /* of all its rows, but of the last group */
	uint32_t rows;
	bool is_rest;
};

/**
 * columns_group - which groups there are
 * Return: the number of groups of the kind, with the @i-th in @ret if it is
 * there.
 */
uint32_t columns_group(const struct columns *c, unsigned kind, uint32_t i,
		       struct columns_group *ret);

/**
 * columns_group_u64 - as columns_u64(), of the rows of one group, in its order
 * @ret: not a copy
 *
 * Also -ENOENT: there is no such group.
 */
int columns_group_u64(struct columns *c, unsigned kind, uint32_t group,
		      unsigned field, unsigned element, const uint64_t **ret);

/**
 * columns_group_same - does the directory say that all rows have one value?
 * Return: true with the value, found without unpacking anything.
 */
bool columns_group_same(const struct columns *c, unsigned kind, uint32_t group,
			unsigned field, unsigned element, uint64_t *ret);

/** columns_group_rows - indexes into all rows of those of a group, ascending.
 */
int columns_group_rows(struct columns *c, unsigned kind, uint32_t group,
		       const uint32_t **ret);

/* ---- the one order ---------------------------------------------------------
 */

/**
 * columns_keys - what orders the rows
 * @ret: of two rows the one with the smaller key is first, of equal ones the
 *       one with the smaller index; but
 * @ret_picked: where it is set, only columns_places() tells
 */
int columns_keys(struct columns *c, const uint64_t **ret, bool *ret_picked);

/** columns_places - the place of each row in the one order: 0, 1, 2, …
 * @ret: room for columns_rows() of them */
int columns_places(struct columns *c, uint32_t *ret);

/* ---- how it came out -------------------------------------------------------
 */

/* A stream of the block encoded or opened last. */
struct columns_stream {
	unsigned kind;	    /* 0: common, or of records kept whole */
	int field, element; /* -1: not of a field */
	const char *what;   /* name of what it holds */
	const char *form, *predictor;
	uint64_t bytes;
};

/** columns_stream - for statistics. Return: false: there is no @i-th. */
bool columns_stream(const struct columns *c, uint32_t i,
		    struct columns_stream *ret);

#endif
