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

#define KEEP_NAME_LEN 64

/** keep_name - weir-20261122T140320Z, a name that is free in this directory. */
void keep_name(char name[KEEP_NAME_LEN]);

/**
 * keep_give - hand the archive to the user who called sudo
 *
 * Who may call sudo may read it anyway. Does nothing unless weir runs as root
 * and SUDO_UID names somebody else. Return: 0; -errno.
 */
int keep_give(int fd);

/** keep_discard - remove the files in it, and the directory at @path. */
void keep_discard(int fd, const char *path);

#endif
