/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot.h - the window, and what comes in the time after, as an archive.
 *
 * Runs in a thread of its own and never makes the repo wait: it copies the
 * verified run of records out of the window, goes on copying what is added,
 * and writes it. What the window overwrote before it was copied is not in it:
 * it begins later, or, when the disk is slower than the stream for too long,
 * it ends earlier and says so: it then covers what it has as far as losses
 * were told in time, a tenth of a second less. There never is a hole in the
 * middle.
 */
#ifndef WEIR_SNAPSHOT_H
#define WEIR_SNAPSHOT_H

#include "archive.h"
#include "window.h"

#define SNAPSHOT_PATH_LEN 4096
#define SNAPSHOT_WHY_LEN  512
#define SNAPSHOT_HASTE	  (-10) /* nice, while the window is copied */

/* Told by the repo while a snapshot is being taken; atomic. */
struct snapshot_end {
	uint64_t to_ns; /* it covers until here; 0: not yet known */
	uint64_t pos;	/* and all of that, losses told, lies before here */
	int known;	/* pos is: set last */
};

struct snapshot_plan {
	const struct window *window;
	const struct schema *schema;
	const struct snapshot_end *end;
	uint64_t number;
	uint64_t begun_ns; /* nothing was recorded before */
	const char *path;  /* what to call it when it is told of, or NULL */
	const char *dir;   /* the working directory, where it is made */
	int error;	   /* why that cannot be, or 0 */
	const char *why;   /* for META: who asked, or which trigger */
	const char *event; /* that made it fire, a line, or "" */
};

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
 * snapshot_take - write it; blocks until it is on disk
 *
 * @ret->err: -ENODATA the window has no whole keyframe (it is too small for
 * the tasks of the host); -EOVERFLOW all of it was overwritten before it was
 * copied; -ENOMEM; errors of archive_create(), archive_append()
 * and archive_close(). After an error of the disk what was written stays.
 * Thread: any; several at once. Goes on with nice 0 once the window is copied,
 * before which it should run at SNAPSHOT_HASTE.
 */
void snapshot_take(const struct snapshot_plan *plan,
		   struct snapshot_result *ret);

#endif
