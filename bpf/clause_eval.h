/* SPDX-License-Identifier: GPL-2.0-only OR BSD-2-Clause */
/*
 * clause_eval.h - does an event pass a filter of clauses? The one function
 * that decides it.
 *
 * Compiled for both sides: BPF programs run it on constants of .rodata, whose
 * values the verifier knows, so that what is left of it are the comparisons
 * asked for; the tests hold it against filter_match().
 *
 * Whoever includes this defines weir_set_has(set, a, b) before.
 */
#ifndef WEIR_CLAUSE_EVAL_H
#define WEIR_CLAUSE_EVAL_H

#include "clause.h"

#ifdef __bpf__
#define WEIR_CLAUSE_INLINE static inline __attribute__((always_inline))
#define WEIR_CLAUSE_UNROLL _Pragma("unroll")
/* clang would know its range, drop the mask and go ahead; the verifier not */
#define WEIR_CLAUSE_HIDE(v) __asm__ volatile("" : "+r"(v))
#else
#define WEIR_CLAUSE_HIDE(v)
#define WEIR_CLAUSE_INLINE static inline
#define WEIR_CLAUSE_UNROLL
#endif

/*
 * The number at @at, aligned to its @size (1, 2, 4, 8), in 64 bits: extended by
 * zeros, with WEIR_CLAUSE_SIGNED by its sign.
 */
WEIR_CLAUSE_INLINE __u64 weir_clause_number(__u8 size, __u8 flags,
					    const void *at)
{
	__u32 above = 64 - 8 * size;
	__u64 v;

	if (size == 1)
		v = *(const __u8 *)at;
	else if (size == 2)
		v = *(const __u16 *)at;
	else if (size == 4)
		v = *(const __u32 *)at;
	else
		return *(const __u64 *)at;
	if (flags & WEIR_CLAUSE_SIGNED)
		v = (__u64)((__s64)(v << above) >> above);
	return v;
}

/* Is @v in the filter's bitmap? What is too large for it is not. */
WEIR_CLAUSE_INLINE bool weir_filter_bit(const volatile struct weir_filter *f,
					__u64 v)
{
	__u64 word = v / 64;

	if (v >= WEIR_FILTER_BITS)
		return false;
	WEIR_CLAUSE_HIDE(word);
	return f->bits[word & (WEIR_FILTER_BITS / 64 - 1)] >> (v & 63) & 1;
}

/* Is what is found at @at, @a and for a text @b, what the clause wants? */
WEIR_CLAUSE_INLINE bool weir_clause_is(const volatile struct weir_filter *f,
				       const volatile struct weir_clause *c,
				       __u8 flags, __u64 a, __u64 b)
{
	if (flags & WEIR_CLAUSE_SET)
		return weir_set_has(c->set, a, b);
	if (flags & WEIR_CLAUSE_BITS)
		return weir_filter_bit(f, a);
	if (flags & WEIR_CLAUSE_TEXT)
		return a == c->lo && b == c->span;
	return (a & c->mask) - c->lo <= c->span;
}

/*
 * Does one clause hold of a record? @flags are the clause's, read once. One
 * about the task's name holds where @comm is NULL, also with WEIR_CLAUSE_NOT:
 * that is for user space to say.
 */
WEIR_CLAUSE_INLINE bool weir_clause_holds(const volatile struct weir_filter *f,
					  const volatile struct weir_clause *c,
					  __u8 flags, const void *record,
					  const __u64 *comm)
{
	const char *at = record;
	__u64 a, b = 0;
	bool yes;

	if (flags & WEIR_CLAUSE_COMM) {
		if (!comm)
			return true; /* nobody knows: the repo will */
		at = (const char *)comm;
	}
	at += c->offset;
	if (flags & WEIR_CLAUSE_TEXT) {
		a = *(const __u64 *)at;
		b = *(const __u64 *)(at + 8);
	} else {
		a = weir_clause_number(c->size, flags, at);
	}
	yes = weir_clause_is(f, c, flags, a, b);
	return flags & WEIR_CLAUSE_NOT ? !yes : yes;
}

/**
 * weir_filter_passes - may this event concern who asked?
 * @f:      without @used set it has no clauses, and all pass
 * @max:    clauses there can be, a constant: WEIR_CLAUSES, or _EARLY
 * @record: its header and struct, or as much of them as the clauses ask for;
 *          8-aligned
 * @comm:   the name of its task, NUL-padded, as two words; NULL: not known
 *
 * Return: false when the filter refuses it for certain.
 */
WEIR_CLAUSE_INLINE bool weir_filter_passes(const volatile struct weir_filter *f,
					   const int max, const void *record,
					   const __u64 *comm)
{
	bool hit = false;
	__u8 flags;
	int i;

	if (f->never)
		return false;
	WEIR_CLAUSE_UNROLL
	for (i = 0; i < max; i++) {
		flags = f->clauses[i].flags;
		if (!flags)
			break;
		if (!hit)
			hit = weir_clause_holds(f, &f->clauses[i], flags,
						record, comm);
		if (flags & WEIR_CLAUSE_LAST) {
			if (!hit)
				return false;
			hit = false;
		}
	}
	return true;
}

/* A clause on the number @v, extended to 64 bits, which has no mask. */
WEIR_CLAUSE_INLINE bool weir_number_is(const volatile struct weir_filter *f,
				       const volatile struct weir_clause *c,
				       __u8 flags, __u64 v)
{
	if (flags & (WEIR_CLAUSE_SET | WEIR_CLAUSE_BITS))
		return weir_clause_is(f, c, flags, v, 0) !=
		       !!(flags & WEIR_CLAUSE_NOT);
	return v - c->lo <= c->span;
}

/**
 * weir_filter_passes_number - the same where one field alone is known
 * @v: its value; struct weir_filter.known is that field
 *
 * Of an event that is refused this is most of what it costs: no record is made
 * up, nothing is read but the constants. Return: as weir_filter_passes().
 */
WEIR_CLAUSE_INLINE bool
weir_filter_passes_number(const volatile struct weir_filter *f, const int max,
			  __u64 v)
{
	bool hit = false;
	__u8 flags;
	int i;

	if (f->never)
		return false;
	WEIR_CLAUSE_UNROLL
	for (i = 0; i < max; i++) {
		flags = f->clauses[i].flags;
		if (!flags)
			break;
		if (!hit)
			hit = weir_number_is(f, &f->clauses[i], flags, v);
		if (flags & WEIR_CLAUSE_LAST) {
			if (!hit)
				return false;
			hit = false;
		}
	}
	return true;
}

#endif
