/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_place.h - conditions on the bytes at one place of a record: is the
 * number there in a range, or one of some; is the text there this one? For
 * filter_clause.c only. @inverse always asks for the contrary.
 */
#ifndef WEIR_FILTER_PLACE_H
#define WEIR_FILTER_PLACE_H

#include "filter_clause.h"
#include "filter_cnf.h"

#define RANGES_MAX 4 /* of numbers or names that are asked one by one */

/* What is being made. */
struct maker {
	struct arena arena;
	struct clauses *out;
	const struct clause_target *target;
	bool bits_used; /* the kind's one bitmap */
	bool failed;	/* out of memory */
};

/* Where a number or a text lies. */
struct place {
	uint16_t offset;
	uint16_t size; /* bytes in all */
	uint8_t flags; /* WEIR_CLAUSE_SIGNED, WEIR_CLAUSE_COMM */
};

/* Wide enough for all that a field can hold, signed or not. */
typedef __int128 wide;

struct range {
	wide lo, hi; /* both are in it */
};

/** both - of two conditions: do both hold, or with @all false, one of them? */
struct cnf both(struct maker *m, bool all, struct cnf a, struct cnf b);

/** domain_of - all that the number at @p can be. */
struct range domain_of(const struct place *p);

/** in_range - is the number at @p in @r? */
struct cnf in_range(struct maker *m, const struct place *p, struct range r,
		    bool inverse);

/**
 * one_of - is it in one of the ranges? Their order is changed.
 *
 * Up to RANGES_MAX are asked one by one; more become the kind's bitmap, if it
 * is free and they are below its end, else a set.
 */
struct cnf one_of(struct maker *m, const struct place *p, struct range *r,
		  size_t count, bool inverse);

/** add_key - put a member into the set that in_set() is to make. Return: 0;
 * -ENOMEM, and the maker has failed. */
int add_key(struct maker *m, uint64_t a, uint64_t b);

/** in_set - is what is at @p in the set made of the keys added? */
struct cnf in_set(struct maker *m, const struct place *p, uint8_t flags);

/** bytes_are - are the first @n bytes those of @bytes, where @mask has bits? */
struct cnf bytes_are(struct maker *m, const struct place *p,
		     const uint8_t *bytes, const uint8_t *mask, size_t n,
		     bool inverse);

/**
 * text_is - is it @text, or with @prefix: does it begin so?
 *
 * A text that is shorter than its field ends with a NUL; of fields that are
 * longer than 64 bytes nothing is told.
 */
struct cnf text_is(struct maker *m, const struct place *p, const char *text,
		   size_t len, bool prefix, bool inverse);

#endif
