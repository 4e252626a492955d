/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_resume.h - how far a recorder came, from what it left on disk.
 *
 * The archive is the one truth of that: its last RESUME frame that holds
 * (archive_format.h) tells of all events in its blocks, and of no other.
 */
#ifndef WEIR_ARCHIVE_RESUME_H
#define WEIR_ARCHIVE_RESUME_H

#include "account.h"
#include "buf.h"
#include "segment.h"

struct archive_resume {
	char segment[SEGMENT_NAME_MAX * 4]; /* file it was found in */
	uint64_t number;	  /* of that: archive_options.needed */
	uint64_t at_ns;		  /* when it was made, monotonic */
	struct account_row *rows; /* owned */
	size_t count;
	struct buf data; /* archive_mark.data; owned */
	bool ended;	 /* a last block follows: it is of all there was */
};

/**
 * archive_resume_find - the last archive_mark() of a run
 * @dir: the directory, borrowed, looked at through /proc/self/fd; nobody is
 *       writing there
 * @run: segment_head.run
 *
 * What it says is not to be believed without a check, for an archive may be
 * another user's.
 * Return: 1 with @ret, to be released; 0 there is none, nor any block of that
 * run; -EBADMSG there are blocks, and none that is whole; -ENOENT no archive;
 * -ENOMEM; -errno.
 */
int archive_resume_find(int dir, uint64_t run, struct archive_resume *ret);

/** archive_resume_done - release what archive_resume_find() found. */
void archive_resume_done(struct archive_resume *r); /* zeroed: no-op */

#endif
