/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * block.h - some thousand events as the payload of one frame, and back.
 *
 * A block is filled with records in the one order, encoded, and decoded to the
 * same records in the same order, to the byte: rows in, rows out, whatever the
 * encoding between (frame.encoding): rows packed, or columns (columns.h). Who
 * fills and who reads blocks does not notice. The same code packs
 * other payloads (SCHEMA) as bytes without rows.
 *
 * Rows: records (bpf/events.h) one after the other, each at a multiple of 8.
 */
#ifndef WEIR_BLOCK_H
#define WEIR_BLOCK_H

#include "../bpf/events.h"
#include "buf.h"
#include "schema.h"
#include "segment.h"

#define BLOCK_EVENTS 65536	/* in one block at most */
#define BLOCK_BYTES  (8U << 20) /* of rows, at most one record more */

/* Rows being collected, or decoded. */
struct block {
	struct buf rows;
	struct buf places; /* block_place() */
	uint32_t events;
	uint64_t first_ns, last_ns; /* earliest, latest time stamp */
	uint64_t kinds;		    /* set of frame_kind_bit() */
};

/** block_init - make room for a full block, of which only what is touched
 * becomes resident. Return: 0; -ENOMEM. One to decode into may just be zeroed.
 */
int block_init(struct block *b);

/** block_done - free the memory. Zeroed: no-op. */
void block_done(struct block *b);

/** block_reset - no records; the memory stays. */
void block_reset(struct block *b);

/** block_is_full - Return: true when block_add() must not be called. */
static inline bool block_is_full(const struct block *b)
{
	return b->events >= BLOCK_EVENTS || b->rows.len >= BLOCK_BYTES;
}

/**
 * block_add - append a record; room for one is there unless it is full
 * @h: 8-aligned, @h->len bytes, copied; nothing about them is checked
 */
void block_add(struct block *b, const struct weir_hdr *h);

/**
 * block_keep - drop the records of all kinds but some
 * @kinds: by number: those that stay, in their order
 * @drop:  is shown each of the others before it goes; the record is valid
 * inside
 */
void block_keep(struct block *b, const bool kinds[SCHEMA_KINDS_MAX],
		void (*drop)(void *arg, const struct weir_hdr *h), void *arg);

/**
 * block_next - walk over rows
 * @at: where the walk is, 0 to begin
 *
 * Return: the next record, all of it inside the rows and 8-aligned, valid until
 * the block is changed; NULL at the end, with
 * *@at at rows.len, or at a record that is none (less: damaged).
 */
struct weir_hdr *block_next(const struct block *b, size_t *at);

/* What encoding and decoding keep from one block to the next. One thread. */
struct block_codec;

/** block_codec_new - Return: 0; -ENOMEM. */
int block_codec_new(struct block_codec **ret);
/** block_codec_free - NULL-safe. */
void block_codec_free(struct block_codec *c);

/**
 * block_codec_schema - say what the records are, so that they become columns
 * @s: used for the call only; another one may follow
 *
 * Without it blocks are encoded as rows, and columns do not decode.
 * Return: 0; -ENOMEM.
 */
int block_codec_schema(struct block_codec *c, const struct schema *s);

/** block_codec_hurry - from now on pack blocks less, but faster (LZ4 for zstd),
 * or not. Blocks of both sorts are read the same way. */
void block_codec_hurry(struct block_codec *c, bool hurry);

/**
 * block_encode - append the rows to a frame
 * @f:  type is set; gets the encoding and what the header tells of a block
 * @to: begun with segment_frame()
 *
 * As columns; as rows, packed by zstd, where it is not told the schema, where
 * columns cannot be made of them, and where few events are smaller so.
 * Return: 0; -ENOMEM.
 */
int block_encode(struct block_codec *c, const struct block *b, struct frame *f,
		 struct buf *to);

/**
 * block_decode - the rows of a BLOCK or STATE frame
 * @payload: from segment_read()
 * @ret:     overwritten; its kinds and times are the header's
 *
 * Every size is checked. The number of rows is not: walk them.
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT an encoding we do not know; -ENOMEM.
 */
int block_decode(struct block_codec *c, const struct frame *f,
		 const struct buf *payload, struct block *ret);

/**
 * block_decode_kinds - the same, but rows of other kinds may be left out
 * @kinds: [SCHEMA_KINDS_MAX], or NULL: at least these come, and what fits no
 *         kind
 *
 * @ret->events is how many came. Return: as decode; also -EBADMSG: the header
 * has another number of events than the columns.
 */
int block_decode_kinds(struct block_codec *c, const struct frame *f,
		       const struct buf *payload, const bool *kinds,
		       struct block *ret);

/** block_place - Return: which row of the whole block is the @i-th that was
 * decoded: another one where some kinds were left out */
static inline uint32_t block_place(const struct block *b, uint32_t i)
{
	return b->places.len ? ((const uint32_t *)b->places.data)[i] : i;
}

/** block_pack - append bytes, packed, to a frame. Return: as encode. */
int block_pack(struct block_codec *c, const void *data, size_t len,
	       struct frame *f, struct buf *to);

/** block_unpack - what block_pack() packed into @ret. Return: as decode. */
int block_unpack(struct block_codec *c, const struct frame *f,
		 const struct buf *payload, struct buf *ret);

#endif
