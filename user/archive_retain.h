/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_retain.h - how much of an archive is kept: its oldest segments go,
 * whole ones that are sealed, or that a recorder which is no more left behind.
 *
 * The oldest is the one with the lowest number; its age counts from when it was
 * last written to: by the wall clock (st_mtime) as of the first look at it, and
 * from then on whatever the wall clock is set to. Thread: the writer's.
 */
#ifndef WEIR_ARCHIVE_RETAIN_H
#define WEIR_ARCHIVE_RETAIN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct archive_retain {
	uint64_t max_bytes; /* of all segments; 0: any */
	uint64_t max_ns;    /* age; 0: any */
	uint64_t dead;	    /* unsealed ones up to this number are nobody's */
	uint64_t kept;	    /* that one and later ones stay; 0: any may go */
	int dirfd;	    /* borrowed */
	struct retained *file; /* by number, the oldest at @first */
	size_t first, count;
	uint64_t bytes;	    /* of them */
	uint64_t looked_ns; /* the last look, CLOCK_BOOTTIME; 0: none */
	uint64_t below;	    /* number it was at */
	uint32_t removed;   /* segments, since the start */
};

/**
 * archive_retain_look - take stock of a directory
 * @dirfd: borrowed until the next call
 * @below: number of the segment that is begun: others are older
 *
 * Without a limit a no-op. Return: 0; -errno of reading the directory; -ENOMEM:
 * then what was known holds.
 */
int archive_retain_look(struct archive_retain *r, int dirfd, uint64_t below);

/** archive_retain_done - forget what was found: until the next look nothing may
 * go. */
void archive_retain_done(struct archive_retain *r);

/**
 * archive_retain_enforce - remove what is too old, and too much
 * @open_bytes: what the segment being written takes, or will
 *
 * By what was found at the last look, oldest first. What may not go, or cannot
 * be removed, ends it: more is kept then than was asked for.
 */
void archive_retain_enforce(struct archive_retain *r, uint64_t open_bytes);

/** archive_retain_limits - Return: true when anything may go. */
static inline bool archive_retain_limits(const struct archive_retain *r)
{
	return r->max_bytes || r->max_ns;
}

/** archive_retain_fits - Return: false: with so much it is over the limit. */
static inline bool archive_retain_fits(const struct archive_retain *r,
				       uint64_t open_bytes)
{
	return !r->max_bytes || r->bytes + open_bytes <= r->max_bytes;
}

/**
 * archive_retain_remove - remove the oldest segment
 *
 * Only where a limit was asked for (nothing is known else). One that cannot be
 * unlinked stays, and the next one goes. Return: false: there is none that may
 * go.
 */
bool archive_retain_remove(struct archive_retain *r);

#endif
