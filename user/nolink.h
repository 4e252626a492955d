/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * nolink.h - open files beneath a directory, never through a symbolic link.
 */
#ifndef WEIR_NOLINK_H
#define WEIR_NOLINK_H

#include <sys/types.h>

/**
 * nolink_open - openat(2) of @name in @dirfd, close-on-exec
 * @flags: of open(2)
 * @mode:  with O_CREAT: what the file has in the end, whatever the umask
 *
 * openat2(2) with RESOLVE_NO_SYMLINKS where the kernel has it (5.6), else
 * O_NOFOLLOW, which is about the last component alone: @name is to be one.
 * Never blocks on a FIFO, nor becomes a controlling terminal; stays O_NONBLOCK.
 * Return: descriptor; -ELOOP a symbolic link is in the way; -errno.
 */
int nolink_open(int dirfd, const char *name, int flags, mode_t mode);

#endif
