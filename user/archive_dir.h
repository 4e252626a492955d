/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_dir.h - the directory of an archive: made, locked, listed.
 *
 * Who records holds a lock on the file LOCK in it (fcntl F_OFD_SETLK: it goes
 * with the descriptor, so with the process), which a reader can ask about
 * without taking it.
 */
#ifndef WEIR_ARCHIVE_DIR_H
#define WEIR_ARCHIVE_DIR_H

#include <stdbool.h>
#include <stdint.h>

#include "confine.h"

/* A directory being recorded to. */
struct archive_dir {
	int fd;			   /* of the directory; -1: none */
	int lock_fd;		   /* of LOCK in it, locked; -1: none */
	struct confine_user owner; /* of the directory */
	bool is_fresh;		   /* made, or empty before */
	uint64_t last_number;	   /* of the segments that are there; 0: none */
};

/**
 * archive_dir_create - make or enter the directory and take its lock
 * @path:     its parents may be links; itself it must be none
 * @exist_ok: there may be segments
 *
 * A directory we make is 0700 whatever the umask, an empty one becomes so, but
 * for one that is meant for all (sticky, like /tmp).
 * Return: 0; -ELOOP @path is a symbolic link; -ENOTDIR; -ENOTEMPTY it is not
 * empty, and no archive; -EPERM it is another user's, or others may write to
 * it; -EBUSY another recorder holds it; -EEXIST it has segments; -errno. When
 * it fails after the lock was taken, a directory that was made, or was empty,
 * is removed again.
 */
int archive_dir_create(struct archive_dir *ret, const char *path,
		       bool exist_ok);

/**
 * archive_dir_create_for - the same, for a user whom root will become
 * @user: to be the owner; NULL: who we are
 *
 * A fresh directory is given to @user; one with segments must be his or, as
 * ret->owner then says, may be root's. In another's directory nothing is done
 * with root's rights: the lock is taken by setfsuid(2), of this thread alone.
 * Return: as archive_dir_create().
 */
int archive_dir_create_for(struct archive_dir *ret, const char *path,
			   bool exist_ok, const struct confine_user *user);

/** archive_dir_done - give up the lock, close it. All -1: no-op. */
void archive_dir_done(struct archive_dir *d);

/** archive_dir_is_gone - Return: true when it was removed, or cannot be asked.
 */
bool archive_dir_is_gone(const struct archive_dir *d);

/** archive_dir_is_locked - does a recorder write there? @fd: the directory,
 * open for reading. Takes no lock; false also where LOCK cannot be opened. */
bool archive_dir_is_locked(int fd);

/**
 * archive_dir_split - open the directory a path's last component is in
 * @ret_name: into @path, which loses slashes at its end
 *
 * Links among the parents are followed. Return: descriptor (O_PATH,
 * close-on-exec), the caller's; -errno of open(2).
 */
int archive_dir_split(char *path, const char **ret_name);

/**
 * archive_dir_each - call @fn with each name in the directory, unordered
 * @fd: the directory, borrowed; its position is not moved
 *
 * "." and ".." are left out. A name that changes meanwhile may come twice, or
 * not at all.
 * Return: 0; what @fn returned, when not 0; -errno of openat(2), readdir(3).
 */
int archive_dir_each(int fd, int (*fn)(void *arg, const char *name), void *arg);

#endif
