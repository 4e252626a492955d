/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * keep.h - the directory of an archive as the user's: its name, whose it is,
 * and that one which holds nothing is not left behind.
 *
 * Works by directory descriptor and follows no link.
 */
#ifndef WEIR_KEEP_H
#define WEIR_KEEP_H

#include <stddef.h>

#include "confine.h"

#define KEEP_NAME_LEN 64

/** keep_name - weir-20261122T140320Z (UTC), a name that is free in the working
 * directory at the moment; -2 to -99 behind it where that is taken. */
void keep_name(char name[KEEP_NAME_LEN]);

/**
 * keep_dir - a directory to make archives in, made 0700 if it is not there
 * @user: whose it is to be: what is made is given to him; NULL: who we are
 * @path: its last component must be no link
 *
 * Return: 0, a descriptor in @ret_fd; -EPERM it is another's; -ELOOP, -ENOTDIR;
 * -errno.
 */
int keep_dir(const char *path, const struct confine_user *user, int *ret_fd);

/**
 * keep_move - give an archive another name, on another file system a copy
 *
 * A copy is complete and synced before @from is removed, its files 0600. What
 * cannot be removed then stays, and nobody is told.
 * Return: 0; -EEXIST there is something called @to; -errno: @from is as it was,
 * and
 * @to is not there.
 */
int keep_move(const char *from, const char *to);

/**
 * keep_give - hand the archive to the user who called sudo
 *
 * Who may call sudo may read it anyway. Does nothing unless weir runs as root
 * and SUDO_UID names somebody else. @fd: the directory; links are given away
 * themselves. Return: 0; -errno: some of it may be his.
 */
int keep_give(int fd);

/** keep_discard - remove the files in it, and the directory at @path, if it is
 * empty then. Best effort. */
void keep_discard(int fd, const char *path);

#endif
