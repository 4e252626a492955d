/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * filter_clause.h - what of a filter the kernel can decide, as clauses.
 *
 * Of an expression, or a part of one, this makes for each kind of event a
 * condition that is necessary: whatever the expression accepts passes the
 * clauses. What the kernel cannot tell (strings in the tail, what the task
 * table joins) and what does not fit asks for nothing.
 *
 * The task's name is the table's in user space and the kernel's own there.
 * They are the same for a task that the table knows; where the kernel would
 * have to say yes for one that it does not (under "not"), nothing is asked.
 */
#ifndef WEIR_FILTER_CLAUSE_H
#define WEIR_FILTER_CLAUSE_H

#include "../bpf/clause.h"
#include "filter_tree.h"

struct clauses {
	struct weir_filter filter; /* as the kernel takes it */
	bool exact; /* all that pass are accepted: no need to ask again */
	struct weir_set_key *keys; /* the members of its sets; owned */
	size_t key_count;
	uint32_t set_count;
};

struct clause_target {
	unsigned kind;	    /* number */
	bool tells_comm;    /* struct weir_filter */
	uint32_t first_set; /* number of the first set that is made */
};

/**
 * clauses_compile - the clauses of @n for events of a kind
 * @n: part of a filter's tree, see filter_root()
 *
 * Return: 0, and @ret to be released by clauses_done(); -ENOMEM, and nothing
 * is to be released.
 */
int clauses_compile(struct clauses *ret, const struct node *n,
		    const struct clause_target *target);

/**
 * clauses_early - those that can be asked where only some fields are known
 * @known: their offsets in the record, 0 ends them; see struct weir_filter
 *
 * Of these as many groups as WEIR_CLAUSES_EARLY has room for, none about the
 * task's name. What is left out is asked later, with the rest.
 */
void clauses_early(const struct clauses *c, const uint16_t known[WEIR_KNOWN],
		   struct weir_filter *ret);

/** clauses_done - release what @c owns; safe on a zeroed one. */
void clauses_done(struct clauses *c);

#endif
