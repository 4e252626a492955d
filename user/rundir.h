/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * rundir.h - where running recorders are found: a directory of sockets.
 *
 * /run/weir for root, $XDG_RUNTIME_DIR/weir for others; 0700, its owner
 * checked by descriptor, and <name>.sock in it. A name with a slash is the
 * path of a socket anywhere. Root finds that of the service as well, which is
 * another user's, in /run/weir-service. A socket whose recorder has died is
 * removed by whoever comes across it.
 */
#ifndef WEIR_RUNDIR_H
#define WEIR_RUNDIR_H

#include <stdbool.h>
#include <stddef.h>

#define RUNDIR_NAME_MAX 64

/* A socket that is being listened on. */
struct rundir_socket {
	int fd;	 /* non-blocking; -1: none */
	int dir; /* descriptor of its directory; -1: none */
	char file[RUNDIR_NAME_MAX + 8];
};

/**
 * rundir_listen - be found as @name
 *
 * Made under another name, and moved there once it can be connected to, 0600.
 * Sockets of recorders that died are removed first. Not for two threads at a
 * time. Return: 0; -EADDRINUSE a recorder of that name runs; -EINVAL a name of
 * other characters than A-Z a-z 0-9 . _ -, or too long; -ENOENT there is no
 * XDG_RUNTIME_DIR; -EPERM the directory is another's, or open to others;
 * -errno of the system.
 */
int rundir_listen(struct rundir_socket *s, const char *name);

/** rundir_close - remove it, as far as there is still the right to, and close.
 * All -1: no-op. */
void rundir_close(struct rundir_socket *s);

/**
 * rundir_connect - talk to the recorder called @name
 *
 * Nobody but root or this user is talked to; by root also whoever the socket's
 * directory belongs to. A plain name is that of the service where root has
 * none. Return: a blocking descriptor; -ENOENT no such recorder runs; -EPERM it
 * is another user's; -EAGAIN it has too many to talk to; -errno.
 */
int rundir_connect(const char *name);

/**
 * rundir_each - call @fn for each recorder that runs, by what connects to it
 *
 * In order of names, then those of the service; each is connected to. Return:
 * how many; 0 also when there is no directory; -EACCES, -EPERM.
 */
int rundir_each(void (*fn)(void *arg, const char *name), void *arg);

#endif
