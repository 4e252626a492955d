/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_chunk.h - the lowest layer of a columnar block: numbers of variable
 * length, and byte strings each compressed alone.
 *
 * A chunk is a varint, length * 8 + codec, and so many bytes; what they unpack
 * to has a length that the reader knows already. Varints are LEB128: seven
 * bits a byte, low ones first.
 */
#ifndef WEIR_COLUMNS_CHUNK_H
#define WEIR_COLUMNS_CHUNK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "buf.h"

/* On disk: append only. Three bits: 0 to 7. */
enum chunk_codec {
	CHUNK_SAME = 0, /* one byte, repeated */
	CHUNK_STORED = 1,
	CHUNK_ZSTD = 2, /* a frame, RFC 8878 */
	CHUNK_LZ4 = 3,	/* a block, without a frame: lz4_Block_format.md */
	CHUNK_CODE = 4, /* columns_code.h */
};

/* Contexts and scratch that are used again and again. Thread: one. */
struct packer {
	void *zstd, *unzstd, *lz4; /* contexts */
	bool hurry;		   /* lz4 instead of zstd */
	/* scratch of columns_form.c */
	struct buf log;
	struct buf bytes, words, table, signs, dict, within;
};

/** packer_init - Return: 0; -ENOMEM, then packer_done() it too. */
int packer_init(struct packer *p);
void packer_done(struct packer *p);

/* What is still to be read. */
struct cursor {
	const uint8_t *at, *end;
};

/** put_varint - append a number. */
void put_varint(struct buf *to, uint64_t v);

/**
 * get_varint - Return: the number; when there is none 0, *@bad set
 *
 * None: the end comes first, or it has more than ten bytes. Bits beyond 64 are
 * dropped. @bad is never cleared, so that it can be asked once for many.
 */
uint64_t get_varint(struct cursor *c, bool *bad);

/**
 * chunk_put - append @len bytes, packed if that makes them fewer
 *
 * Below 32 bytes nothing is tried; below 512, and in a hurry, lz4. Errors: see
 * buf_err().
 */
void chunk_put(struct packer *p, const void *data, size_t len, struct buf *to);

/** chunk_put_noise - the same for bytes in which nothing repeats. */
void chunk_put_noise(const void *data, size_t len, struct buf *to);

/**
 * chunk_get - unpack exactly @len bytes, and go on behind the chunk
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT a codec we do not know.
 */
int chunk_get(struct packer *p, struct cursor *c, void *to, size_t len);

#endif
