/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot_account.h - the account of what a snapshot holds, made from the
 * events in it: what is there was delivered, what its gaps tell was lost.
 */
#ifndef WEIR_SNAPSHOT_ACCOUNT_H
#define WEIR_SNAPSHOT_ACCOUNT_H

#include "account.h"
#include "event.h"

/* Thread: who writes the snapshot. */
struct snapshot_account {
	const struct schema *schema; /* borrowed */
	struct account_row *rows;    /* [sources][cpus + 1] */
	unsigned cpus;
	uint8_t source_of[SCHEMA_KINDS_MAX];
	struct bound of, stage, on_cpu, count; /* of gap */
	uint64_t events;		       /* context aside */
	uint64_t lost;			       /* by gaps */
};

/** snapshot_account_init - Return: 0; -ENOMEM. */
int snapshot_account_init(struct snapshot_account *a,
			  const struct schema *schema);

/** snapshot_account_done - free the rows; zeroed: no-op. */
void snapshot_account_done(struct snapshot_account *a);

/** snapshot_account_is_gap - Return: does it tell of a loss? */
bool snapshot_account_is_gap(const struct snapshot_account *a,
			     const struct event *ev);

/**
 * snapshot_account_add - count an event that is about to be written
 *
 * As kept, or by its flag as context. A gap also counts what it tells of, in
 * the row and at the stage it names; but not what was lost on the way to the
 * archive beside, which is in the window nevertheless.
 */
void snapshot_account_add(struct snapshot_account *a, const struct event *ev);

/** snapshot_account_lost - @n of the events counted as kept could not be
 * written, as archive_lost() tells. */
void snapshot_account_lost(struct snapshot_account *a, const char *source,
			   uint32_t cpu, uint64_t n);

/** snapshot_account_rows - the rows, live. Return: how many. */
size_t snapshot_account_rows(const struct snapshot_account *a,
			     const struct account_row **ret);

#endif
