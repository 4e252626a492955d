/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_list.h - the segments of one or more archives, in reading order.
 *
 * Order: runs of recorders by the wall clock of their start, and within a run
 * by segment number. So a clock that was set back during a run, or another
 * boot, mixes nothing. Only directories stay open: segments come and go
 * (rotation, retention) and are opened one at a time.
 */
#ifndef WEIR_ARCHIVE_LIST_H
#define WEIR_ARCHIVE_LIST_H

#include "segment.h"

struct archive_file {
	char name[SEGMENT_NAME_MAX * 4]; /* in its directory */
	const char *path; /* the argument it came from, borrowed */
	struct segment_head head;
	bool head_known; /* else made of the name (times to the second, 4 bytes
			  * of the boot's id) and its neighbours */
	bool sealed;	 /* so says its name */
	bool whole_dir;	 /* came from a directory, not given alone */
	int dir;	 /* descriptor, the list's */
};

struct archive_list {
	struct archive_file *file;
	size_t count;
	int *dirs;
	unsigned dir_count;
};

/**
 * archive_list_open - find the segments
 * @paths, @why: as archive_open()
 * A segment given twice is in it once. One whose head is damaged counts to the
 * run of the one before it; one that was removed meanwhile is in the list.
 * Return: 0; -ENOENT, -EACCES, …; -EBADMSG no archive, or no segment;
 * -ENAMETOOLONG; -EPROTONOSUPPORT; -ENOMEM.
 */
int archive_list_open(struct archive_list *ret, char *const *paths,
		      unsigned count, const char **why);

/** archive_list_done - close the directories, free. Zeroed: no-op. */
void archive_list_done(struct archive_list *l);

/**
 * archive_list_more - add the segments that were begun since
 *
 * To a list of one directory; those of its last run, whose beginning is there
 * already. Return: how many; -errno, -ENOMEM.
 */
int archive_list_more(struct archive_list *l);

/**
 * archive_list_segment - open one of them, sealed meanwhile or not
 * Return: 0 with @ret to segment_done(); -ENOENT it was removed; -ELOOP a link
 * is in its place; -EBADMSG no regular file; -errno of openat(2), fstat(2).
 */
int archive_list_segment(const struct archive_list *l, size_t i,
			 struct segment_reader *ret);

/** archive_list_is_live - is a recorder writing to it? Of a directory only the
 * newest segment can be, while somebody has its lock. */
bool archive_list_is_live(const struct archive_list *l, size_t i);

/** archive_list_same_run - does @i go on where @i - 1 ended? */
bool archive_list_same_run(const struct archive_list *l, size_t i);

#endif
