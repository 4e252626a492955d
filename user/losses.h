/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * losses.h - what an archive writer could not write, by source and CPU.
 *
 * A lost event was counted as kept by the caller before it was lost; until he
 * has been told and has moved it, it is moved in the copy that goes to disk.
 * So every LOSS frame is exact, also where the copy is made by one thread and
 * corrected by another (losses_known()). Memory is taken at the start, but for
 * the rows of an account, which are taken once and grow. Thread: one.
 */
#ifndef WEIR_LOSSES_H
#define WEIR_LOSSES_H

#include "account.h"
#include "block.h"
#include "schema.h"

struct losses {
	const struct schema *schema;
	struct loss *loss; /* [sources][cpus + 1], the last for the rest */
	unsigned cpus;
	uint8_t source_of[SCHEMA_KINDS_MAX];
	struct account_row *rows;
	size_t row_cap;
};

/** losses_map - the number of each kind's source in @s; of unknown kinds 0,
 * which is that of the first source as well. */
void losses_map(const struct schema *s, uint8_t ret[SCHEMA_KINDS_MAX]);

/** losses_init - for all CPUs that are possible here (sysfs), others together.
 * @schema is borrowed for its life. Return: 0; -ENOMEM. */
int losses_init(struct losses *l, const struct schema *schema);
void losses_done(struct losses *l);

/**
 * losses_count - all events of a block are lost
 *
 * Those flagged WEIR_F_CONTEXT were no kept events: they only leave the
 * account's `context`.
 */
void losses_count(struct losses *l, const struct block *b);

/** losses_tell - as archive_lost(). */
void losses_tell(struct losses *l,
		 void (*fn)(void *arg, const char *source, uint32_t cpu,
			    uint64_t count, uint64_t first, uint64_t last),
		 void *arg);

/* Of one source and CPU, what has been counted in all. */
struct losses_sum {
	uint64_t total, context;
};

/** losses_sums - append one struct losses_sum for each source and CPU, in the
 * order of @l->loss. */
void losses_sums(const struct losses *l, struct buf *to);

/**
 * losses_known - the account that comes next was made by who knew of these
 * @sums: of losses_sums(), of the same schema and host, whole (buf_err())
 */
void losses_known(struct losses *l, const struct buf *sums);

/**
 * losses_account - the account as it goes to disk
 * @rows, @count: the caller's; out: the corrected copy, valid until the next
 *                call
 * @blind:        the caller has none: rows of all losses are added
 *
 * Return: 0; -ENOMEM.
 */
int losses_account(struct losses *l, const struct account_row **rows,
		   size_t *count, bool blind);

#endif
