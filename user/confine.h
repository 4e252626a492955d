/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * confine.h - what a recorder gives up once it has all it needs: its user, its
 * capabilities, files and system calls.
 *
 * All of it belongs to a thread and goes on to the threads it starts, so one
 * that is confined before it starts others confines the process. The steps are
 * in an order in which each is still allowed to do what it does: no new
 * privileges, not dumpable, files (Landlock), the bounding set, groups and
 * user, all capabilities, system calls (seccomp).
 * What a kernel or an architecture lacks of Landlock or seccomp is done
 * without; `weir doctor` says so.
 */
#ifndef WEIR_CONFINE_H
#define WEIR_CONFINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define CONFINE_NOBODY "nobody"

struct confine_user {
	uid_t uid;
	gid_t gid;
};

/**
 * confine_user - look up a user, by name or by number
 *
 * "nobody" is 65534, the kernel's overflowuid, on a host that does not know it.
 * A number that is no user's has the group of that number. Not thread-safe
 * (getpwnam(3)). Return: 0; -ENOENT there is none.
 */
int confine_user(const char *name, struct confine_user *ret);

/**
 * confine_caller - Return: true and who called sudo, when weir runs as root and
 * somebody else did.
 */
bool confine_caller(struct confine_user *ret);

struct confine {
	const struct confine_user *user; /* to become; NULL: stay who we are */
	const int *dirs; /* files in them are read, made, renamed, removed */
	size_t dir_count;
};

/**
 * confine - confine the calling thread and those it will start
 *
 * Threads that are there already keep what they have: see privileged.h.
 * Return: 0; -errno: what was to be given up is still there, in part.
 */
int confine(const struct confine *c);

/* ---- its parts ----------------------------------------------------------- */

/** confine_quiet - no new privileges (of this thread); no core, no ptrace by
 * the same user (of the process). Return: 0; -errno of prctl(2). */
int confine_quiet(void);

/**
 * confine_capabilities - give up all, or all but @keep
 * @keep:  numbers of CAP_…
 * @count: of them
 *
 * The bounding set goes too where CAP_SETPCAP is there to do it, and the
 * ambient one. Return: 0; -EPERM one of @keep is not there; -ENOMEM; -EINVAL no
 * such capability.
 */
int confine_capabilities(const int *keep, size_t count);

/**
 * confine_files - Landlock: no file but those beneath @dirs
 * @facts: and a few that are read later, of this host and process
 *
 * What is open stays open. From its version 4 on (6.7) no TCP socket is bound
 * or connected either. Beneath @dirs files and directories may be made, read,
 * written, truncated and files removed; nothing is executed.
 * Return: 0, also where the kernel has no Landlock; -errno of landlock_*(2).
 */
int confine_files(const int *dirs, size_t count, bool facts);

/** confine_files_abi - Return: Landlock's version here; 0: there is none. */
int confine_files_abi(void);

/**
 * confine_calls - seccomp: no system call but those in its table
 *
 * A call that is not in it fails with EPERM and does nothing: it is an error
 * like others, is told as such, and does not end the recording, which is what
 * somebody who found a way to make weir call it would want.
 * Return: 0, also where the kernel has no seccomp filters; -ENOMEM; -errno.
 */
int confine_calls(void);

/**
 * confine_calls_to - seccomp: no system call but those that @allow adds
 * @allow: adds rules to its filter, a scmp_filter_ctx; Return: 0; -errno
 *
 * Others fail with EPERM. Return: as confine_calls(), and what @allow did.
 */
int confine_calls_to(int (*allow)(void *filter, const void *arg),
		     const void *arg);

/** confine_has_calls - Return: true when the kernel has seccomp filters. */
bool confine_has_calls(void);

#endif
