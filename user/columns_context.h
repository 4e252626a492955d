/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_context.h - context rows: those of the kinds that the table of tasks
 * is made of (source task), found without the others.
 *
 * Whoever goes through an archive and wants names needs these rows of every
 * block, in the one order, and no others; but times are kept as differences to
 * the row before. So four streams behind those of the groups tell of them
 * again, one number for each, CPU-major: the row, less that before (at first
 * 0); its time, less that of the one before (at first the block's base); the
 * group; its place in the one order, less that of the one before (at first 0).
 * They are left out where a block has no such rows, and not there in blocks of
 * older writers. Where both are unpacked they must say the same.
 */
#ifndef WEIR_COLUMNS_CONTEXT_H
#define WEIR_COLUMNS_CONTEXT_H

#include "columns_read.h"

#define CONTEXT_STREAMS 4

/**
 * read_context - unpack c->context, and c->view for these rows
 *
 * Then the groups of these kinds have their rows, and their columns can be
 * read. Also -ENOENT: the block does not tell.
 */
int read_context(struct columns *c);

/** read_rows - as read_groups(), for the groups of a part. */
int read_rows(struct columns *c, const struct part *p);

/** context_fits - is it so in @what is known, of READ_GROUPS, READ_TIMES?
 * Return: 0; -EBADMSG. */
int context_fits(const struct columns *c, uint32_t what);

/* A context row: index in the block, and in the one order. */
struct context_row {
	uint32_t row, place;
};

/**
 * context_by_place - the rows of c->context in the one order
 * @ret: one more than there are, whose place is UINT32_MAX
 * Return: 0; -ENOMEM.
 */
int context_by_place(struct columns *c, struct context_row **ret);

#endif
