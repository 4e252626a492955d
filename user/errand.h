/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * errand.h - a process beside weir that keeps what weir gives up and will need,
 * and can do nothing else: switch the kernel's BPF statistics on and off, pass
 * a signal on to COMMAND, which may be another user's, and remove what weir has
 * pinned, and a directory that it made and did not need.
 *
 * It has CAP_SYS_ADMIN and CAP_KILL if root started it, no file, and few system
 * calls: read, write and close of what it has open, bpf() for BPF_ENABLE_STATS,
 * pidfd_send_signal() to COMMAND, those of pin_remove() in the directories of
 * the pin, and unlinkat() of empty directories in the one where it was started.
 * Signals of a terminal do not reach it; it ends when weir does, however weir
 * ends.
 */
#ifndef WEIR_ERRAND_H
#define WEIR_ERRAND_H

#include <stdbool.h>
#include <sys/types.h>

#include "pin.h"

struct errand;

/* All is borrowed for the call. */
struct errand_options {
	int pidfd;	       /* of the command; -1: there is none */
	const struct pin *pin; /* PIN_NONE: nothing is pinned */
	int at;		       /* directory, where errand_clear() removes */
	const char *dir;       /* NULL, at -1: nothing */
};

/**
 * errand_start - fork it; before any thread starts, after the command
 *
 * Whether it could confine itself is not known here: if not it is gone, and
 * each question says so. Return: 0; -ENOMEM; -errno of fork or socketpair.
 */
int errand_start(struct errand **ret, const struct errand_options *o);

/** errand_pid - Return: its pid; 0 when @e is NULL. */
pid_t errand_pid(const struct errand *e);

/**
 * errand_measure - switch the kernel's statistics on or off. Thread: any.
 * Return: 0; -errno of bpf(2); -EPIPE it is gone.
 */
int errand_measure(struct errand *e, bool on);

/**
 * errand_signal - send @sig, below 1000, to the command. Thread: any.
 * Return: 0; -errno of pidfd_send_signal(2); -EPIPE it is gone.
 */
int errand_signal(struct errand *e, int sig);

/**
 * errand_unpin - remove what is pinned: the links alone, or all that is left
 * and the directory Return: 0; -errno of pin_remove(), pin_remove_dir(); -EPIPE
 * it is gone.
 */
int errand_unpin(struct errand *e, bool links);

/** errand_clear - remove options.dir if it is empty. Return: 0; -ENOTEMPTY,
 * -errno of unlinkat(2); -EPIPE it is gone. */
int errand_clear(struct errand *e);

/** errand_done - let it end, and wait for that. NULL-safe. */
void errand_done(struct errand *e);

#endif
