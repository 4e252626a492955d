/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.h - the window, and what comes in the time after, as an archive.
 *
 * Neither makes the repo wait: one thread copies the verified run of records
 * out of the window (snapshot_copy.h), another writes it. What the window
 * overwrote before it was copied is not in it: it begins later, or, when the
 * disk is slower than the stream for too long or recording ends, it ends
 * earlier and says so: it then covers what it has as far as losses were told
 * in time, a tenth of a second less. There never is a hole in the middle.
 */
#ifndef WEIR_SNAPSHOT_H
#define WEIR_SNAPSHOT_H

#include "archive.h"
#include "snapshot_copy.h"

#define SNAPSHOT_PATH_LEN 4096
#define SNAPSHOT_WHY_LEN  512

/* All that is pointed to is borrowed until snapshot_take() returns. */
struct snapshot_plan {
	const struct window *window;
	const struct schema *schema;
	const struct snapshot_end *end;
	const bool *stopping; /* recording has ended, hurry; atomic */
	uint64_t number;
	uint64_t begun_ns; /* nothing was recorded before */
	const char *path;  /* what to call it when it is told of, or NULL */
	const char *dir;   /* the working directory, where it is made */
	int error;	   /* why that cannot be, or 0 */
	const char *why;   /* for META: who asked, or which trigger */
	const char *event; /* that made it fire, a line, or "" */
	const char *asked; /* archive_options.asked */
};

/* Some 9 KB: not for the stack of a small thread. */
struct snapshot_result {
	uint64_t number;
	char path[SNAPSHOT_PATH_LEN]; /* as it is called */
	char made[SNAPSHOT_PATH_LEN]; /* where it is */
	char why[SNAPSHOT_WHY_LEN];
	uint64_t from_ns, to_ns; /* monotonic: what it covers */
	int64_t wall_offset;	 /* to be added for the time of day */
	uint64_t events;	 /* in it, context aside */
	uint64_t lost;		 /* by the gaps in it */
	uint64_t bytes;		 /* on disk */
	bool cut;		 /* ended early: could not keep up */
	int err;		 /* 0; -errno: see @what */
	char what[256];		 /* one line: cause and remedy */
};

/**
 * snapshot_take - write it; blocks until it is on disk and @copy has ended
 * @copy: that was asked for and that another thread fills meanwhile
 *
 * When @stopping turns true it ends within some tenths of a second. The archive
 * is made in the thread's working directory, which is to be plan->dir, by a
 * name of its own (snapshot-UTC-NUMBER).
 * @ret->err: what @copy ended with; -ENOMEM; errors of archive_create(),
 * archive_append() and archive_close(). After an error of the disk what was
 * written stays. Thread: any; several at once.
 */
void snapshot_take(const struct snapshot_plan *plan, struct snapshot_copy *copy,
		   struct snapshot_result *ret);

#endif
