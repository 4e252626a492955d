/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_cnf.h - conditions in the form the kernel asks them: groups that must
 * all hold, of alternatives of which one must. For filter_clause.c only.
 *
 * A condition stands for an expression and holds whenever that one does; it is
 * exact when the reverse is true as well. What does not fit is left out, never
 * wrong: with too little memory, or beyond CNF_GROUPS, less is asked.
 */
#ifndef WEIR_FILTER_CNF_H
#define WEIR_FILTER_CNF_H

#include <stdbool.h>
#include <stdint.h>

#include "../bpf/clause.h"
#include "arena.h"

#define CNF_GROUPS 32

struct group {
	struct group *next;
	unsigned count;
	struct weir_clause clauses[WEIR_CLAUSES];
};

/* Groups are in the maker's arena. With none it holds always, but @never. */
struct cnf {
	struct group *first;
	unsigned count;
	bool exact;
	bool never;
};

/** cnf_constant - always or never, exactly. */
struct cnf cnf_constant(bool always);

/** cnf_unknown - nothing can be told. */
struct cnf cnf_unknown(void);

/** cnf_clause - a single one. */
struct cnf cnf_clause(struct arena *arena, const struct weir_clause *c);

/**
 * cnf_and, cnf_or - of two; the arguments are used up
 *
 * Their groups may be part of what is returned. Groups beyond CNF_GROUPS, and
 * alternatives beyond WEIR_CLAUSES, are dropped; the outcome is not exact then.
 * The same if cnf_or() has no memory.
 */
struct cnf cnf_and(struct cnf a, struct cnf b);
struct cnf cnf_or(struct arena *arena, struct cnf a, struct cnf b);

/**
 * cnf_flatten - the clauses in the order to be asked, cheap groups first
 * @ret: WEIR_CLAUSES of them
 * @max: how many there is room for
 * Return: false when some had to be left out.
 */
bool cnf_flatten(struct cnf c, struct weir_clause *ret, unsigned max);

#endif
