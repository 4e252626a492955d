/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_dialect.h - the schemas of an archive, and its boots. Not for others.
 *
 * Segments of several recordings may have been written by different weirs, on
 * different kernels and hosts. What a segment was written with is its dialect:
 * its kinds have numbers of its own. archive_schema() unites them all; where
 * there is one dialect, it is that one's, and nothing is translated.
 *
 * Each boot has a monotonic clock of its own. Times of a whole archive, and
 * ranges, are on the clock of the first boot; the others are set off against
 * it by the wall clock, as each of them knew it last.
 */
#ifndef WEIR_ARCHIVE_DIALECT_H
#define WEIR_ARCHIVE_DIALECT_H

#include "archive_list.h"
#include "schema.h"

struct dialect {
	struct schema *schema; /* owned */
	struct buf bytes;      /* it, encoded: to compare with others */
	uint16_t number[SCHEMA_KINDS_MAX]; /* of its kinds, when united */
	bool context[SCHEMA_KINDS_MAX];	   /* its kinds of source task: those */
	uint64_t context_kinds;		   /* that tasks.c binds; as bits */
};

struct dialects {
	struct dialect **list;
	unsigned count;
	struct schema *united; /* owned; NULL when there is one */
};

/**
 * dialects_add - find a schema by its bytes, or add it
 * @bytes: taken over, also on failure; empty then
 * @ret:   its place in the list
 * Return: 0; -EBADMSG, -EPROTONOSUPPORT of schema_decode(); -ENOMEM.
 */
int dialects_add(struct dialects *d, struct buf *bytes, uint16_t *ret);

/**
 * dialects_unite - when all are there: the newest, last in the list, first, so
 * that its kinds keep their numbers and its help is the one that is shown
 *
 * Return: 0; -EXDEV more kinds than one schema can have; -ENOMEM.
 */
int dialects_unite(struct dialects *d);

/** dialects_schema - Return: of all of them, after uniting; NULL: there is
 * none. */
const struct schema *dialects_schema(const struct dialects *d);

/** dialects_done - free all; zeroed: no-op. */
void dialects_done(struct dialects *d);

struct boot {
	uint8_t id[16];			/* /proc/sys/kernel/random/boot_id */
	int64_t wall_offset;		/* realtime - monotonic, ns: the last */
	int64_t offset_min, offset_max; /* of all its clock records */
	bool clocked;			/* these are known */
};

struct boots {
	struct boot *list; /* in reading order */
	unsigned count;
};

/**
 * boots_find - the boot of a segment, added when it is new
 *
 * That of the nearest segment that is known, where its own head is not.
 * Return: 0 with its place in @ret; -ENOMEM.
 */
int boots_find(struct boots *b, const struct archive_list *l, size_t i,
	       uint16_t *ret);

/** boots_clock - a clock record of boot @i; @wall_offset: realtime - monotonic,
 * ns. In reading order: the last one counts. */
void boots_clock(struct boots *b, unsigned i, int64_t wall_offset);

/** boots_shift - Return: ns that make a time of boot @i one of the first; 0
 * where either has no clock record. */
int64_t boots_shift(const struct boots *b, unsigned i);

/** boots_done - free the list; zeroed: no-op. */
void boots_done(struct boots *b);

#endif
