/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clause.h - what a filter wants of an event, in a form that the kernel can
 * decide before it reserves a record.
 *
 * Made of an expression by user/filter_clause.c, put into each source's
 * .rodata by user/source_filter.c, asked by clause_eval.h.
 *
 * A filter is a list of groups that must all hold, a group a list of clauses
 * of which one must. Every comparison of a number with constants is membership
 * of an interval of the integers modulo 2^64, and so is its negation: the
 * number is in lo .. lo + span, ends included. (x != 5 is 6 .. 4.)
 */
#ifndef WEIR_CLAUSE_H
#define WEIR_CLAUSE_H

#include "events.h"

#define WEIR_CLAUSES	   16  /* of one kind of event */
#define WEIR_CLAUSES_EARLY 4   /* of those asked early */
#define WEIR_FILTER_BITS   512 /* numbers that a bitmap can tell */
#define WEIR_KNOWN	   4   /* fields that can be told to be known early */

/* weir_clause.flags; a clause with none ends the list. */
#define WEIR_CLAUSE_USED   0x01
#define WEIR_CLAUSE_LAST   0x02 /* of its group */
#define WEIR_CLAUSE_SIGNED 0x04 /* the number is extended by its sign */
#define WEIR_CLAUSE_COMM   0x08 /* offset is into the name of the task */
#define WEIR_CLAUSE_TEXT   0x10 /* 16 bytes: equal to lo, then span */
#define WEIR_CLAUSE_BITS   0x20 /* the number is in the filter's bitmap */
#define WEIR_CLAUSE_SET	   0x40 /* number, or 16 bytes of TEXT, is in a set */
#define WEIR_CLAUSE_NOT	   0x80 /* of TEXT, BITS and SET: the contrary */

/* Why a process is followed, where only some are. */
#define WEIR_FOLLOW_TREE   1 /* it, and what it starts */
#define WEIR_FOLLOW_CGROUP 2 /* its cgroup is, or is below, one asked for */
#define WEIR_FOLLOW_ENDED  4 /* it has: until nothing is left of it */

/*
 * One question about a number or 16 bytes. A number is extended to 64 bits,
 * masked, and holds when ((v & mask) - lo) <= span, modulo 2^64. Of TEXT @lo
 * and @span are the bytes instead, in the order of memory; of BITS and SET they
 * are not looked at.
 */
struct weir_clause {
	__u16 offset; /* of the number, from the start of the record */
	__u8 size;    /* of it: 1, 2, 4, 8; a multiple of it is the offset */
	__u8 flags;   /* WEIR_CLAUSE_* */
	__u32 set;    /* of SET: weir_set_key.set */
	__u64 mask;   /* of the number, before it is compared */
	__u64 lo;     /* least of the interval */
	__u64 span;   /* largest, less @lo */
};

/*
 * The filter of one kind. The source says in @known which fields it knows
 * when it asks this one (their offsets, 0: none or all of them), and in
 * @tells_comm whether it can tell the name of the event's task; the rest is
 * set before load. Nothing set: everything passes, and nothing is asked.
 *
 * Clauses from @clauses[0] on to the first without flags, WEIR_CLAUSES at most;
 * the last of each group has WEIR_CLAUSE_LAST. A filter has one bitmap, and
 * any number of sets.
 */
struct weir_filter {
	__u16 known[WEIR_KNOWN];
	__u16 tells_comm;
	__u8 used;  /* something is asked */
	__u8 never; /* nothing passes; with @used */
	__u8 comm;  /* a clause asks for the task's name */
	__u8 zero[3];
	__u64 bits[WEIR_FILTER_BITS / 64]; /* of BITS: number n is bit n % 64 */
	struct weir_clause clauses[WEIR_CLAUSES];
};

/*
 * A member of a set: a number and 0, or 16 bytes. Key of the map sets, hence
 * without padding. @set is unique among the filters of a source.
 */
struct weir_set_key {
	__u64 word[2];
	__u32 set;
	__u32 zero;
};

#endif
