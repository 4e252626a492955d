/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_form.h - one column of numbers as bytes: the registry of forms.
 *
 * A column is an array of 64-bit numbers whose length the reader knows. A
 * writer wishes for a form; where that cannot hold the numbers another one is
 * taken, so a wish is never wrong. In a column of differences numbers are
 * signed; forms other than FORM_LOG hold them zigzag: 0, -1, 1, -2, …
 */
#ifndef WEIR_COLUMNS_FORM_H
#define WEIR_COLUMNS_FORM_H

#include "columns_chunk.h"

/* On disk: append only. */
enum column_form {
	FORM_CONST = 0, /* @base, n times */
	/*
	 * Bit k of @width: byte k of the numbers (0 the lowest) is a chunk;
	 * the other bytes are those of @base. Low ones first.
	 */
	FORM_PLANES = 1,
	/*
	 * A chunk of one symbol a number, and a chunk of the bits that the
	 * symbols leave open: what is left is noise, which no codec has to look
	 * at. Numbers below 8 are their own symbols; up to 2^24 there are 8
	 * symbols for each power of two, up to 2^40 one; for ~x of a negative x
	 * 2^e + … there is one, up to 2^39 (log_table()). Symbol 255 leaves all
	 * 64 bits open. Bits are packed low ones first.
	 */
	FORM_LOG = 2,
	/*
	 * @base distinct numbers as a column of their differences (within),
	 * then indexes in planes: @width of them.
	 */
	FORM_DICT = 3,
	/* @base runs: a column (within) of values, one of lengths less one. */
	FORM_RUNS = 4,
	FORMS,
	/* A wish alone: FORM_LOG, and symbols repeat themselves. */
	WISH_LOG_REPEATS = FORMS,
	WISHES,
};

/* What the directory tells of a column. */
struct column_head {
	uint8_t form;
	uint8_t width;
	uint64_t base;
};

/**
 * column_put - append a column
 * @n:         may be 0
 * @h:         form is the wish; all set to what it became
 * @is_signed: of differences
 */
void column_put(struct packer *p, const uint64_t *v, size_t n,
		struct column_head *h, bool is_signed, struct buf *to);

/**
 * column_get - the numbers of a column
 * @c: at its start; goes on behind it
 * @v: room for @n; overwritten, also after a failure
 *
 * Return: 0; -EBADMSG; -EPROTONOSUPPORT a form we do not know; -ENOMEM.
 */
int column_get(struct packer *p, const struct column_head *h, struct cursor *c,
	       bool is_signed, uint64_t *v, size_t n);

/**
 * column_put_within, column_get_within - a column with its head before it
 *
 * For columns that are part of another: FORM_CONST, FORM_PLANES and FORM_LOG
 * alone, never signed. Return: as column_get().
 */
void column_put_within(struct packer *p, const uint64_t *v, size_t n,
		       enum column_form wish, struct buf *to);
int column_get_within(struct packer *p, struct cursor *c, uint64_t *v,
		      size_t n);

#endif
