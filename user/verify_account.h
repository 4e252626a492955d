/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * verify_account.h - does the account in an archive agree with the events that
 * are there?
 *
 * Between two LOSS frames the growth of `kept` and `context` of each row must
 * be the number of events of that source and CPU in the blocks between them.
 */
#ifndef WEIR_VERIFY_ACCOUNT_H
#define WEIR_VERIFY_ACCOUNT_H

#include "account.h"
#include "schema.h"

struct weir_hdr;

/* Events of one source and CPU since the last LOSS frame. */
struct tally {
	uint64_t kept, context;
	bool matched; /* a row took them */
};

/* Zeroed at first. */
struct verify_account {
	const struct schema *schema;
	uint8_t source_of[SCHEMA_KINDS_MAX];
	struct tally *tally[SCHEMA_SOURCES_MAX]; /* by CPU */
	uint32_t cpus[SCHEMA_SOURCES_MAX];	 /* tallies there are */
	bool all_matched[SCHEMA_SOURCES_MAX];	 /* by a row of any CPU */
	struct account_row *base;		 /* of the last LOSS frame */
	size_t base_count;
	struct account_map base_map;
	bool base_known;
};

/** verify_account_begin - a segment begins, nothing is known of before. @schema
 * is borrowed until the next one. */
void verify_account_begin(struct verify_account *v,
			  const struct schema *schema);
/** verify_account_continue - the one before was cut off, and this one begins
 * where it ended: what is known of that stays. */
void verify_account_continue(struct verify_account *v,
			     const struct schema *schema);
/** verify_account_done - free all; zeroed again. */
void verify_account_done(struct verify_account *v);

/** verify_account_event - count one of a BLOCK, as kept or, by its flag, as
 * context. Return: 0; -ENOMEM. */
int verify_account_event(struct verify_account *v, const struct weir_hdr *h);

/**
 * verify_account_loss - compare with a LOSS frame, and go on from it
 * @rows:  taken over
 * @flags: LOSS_* (segment.h)
 * @fn:    called for each thing that does not hold, in words (static text, or
 * for the call); @missing events that the account has and the archive has not,
 * or 0
 *
 * The first LOSS after _begin() is only gone on from, but its equations are
 * checked (account_check()). One with LOSS_BLIND is not compared.
 * Return: 0; -ENOMEM.
 */
int verify_account_loss(struct verify_account *v, struct account_row *rows,
			size_t count, uint32_t flags,
			void (*fn)(void *arg, const struct account_row *r,
				   const char *what, uint64_t missing),
			void *arg);

#endif
