/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * names.h - names that numbers have on every Linux: errors, signals, states.
 */
#ifndef WEIR_NAMES_H
#define WEIR_NAMES_H

#include <stddef.h>
#include <stdint.h>

#define ERRNO_MAX  4095 /* MAX_ERRNO, include/linux/err.h */
#define SIGNAL_MAX 64	/* _NSIG, arch/x86/include/asm/signal.h */

/**
 * errno_name - "ENOENT" of 2; the kernel's own ones (ERESTARTSYS) as well
 * Return: a static string, or NULL when @number has no name: 0 has none. From
 * strerrorname_np(3), and of the kernel's own include/linux/errno.h.
 */
const char *errno_name(uint64_t number);

/**
 * errno_by_name - case ignored
 *
 * Also by the second names of errno(3): EWOULDBLOCK, EDEADLOCK, ENOTSUP.
 * Return: 0; -ENOENT, and @ret_number is untouched.
 */
int errno_by_name(const char *name, size_t len, int64_t *ret_number);

/**
 * signal_name - "SIGKILL" of 9, "SIGRTMIN+3" of 37
 * @scratch: where a real-time signal's name is put together
 * Return: a static string or @scratch; NULL when @number has no name.
 */
const char *signal_name(int64_t number, char scratch[16]);

/**
 * signal_by_name - SIG may be missing, case ignored
 *
 * Also by the names of signal(7) that signal_name() does not give: SIGIO,
 * SIGRTMAX-3. Return: 0; -ENOENT.
 */
int signal_by_name(const char *name, size_t len, int64_t *ret_number);

/**
 * state_letter - the letter that ps and the scheduler's tracepoints use
 *
 * R running, S sleeping, D uninterruptible, T stopped, t traced, X dead,
 * Z zombie, P parked, I idle (bits: include/linux/sched.h, task_state_index).
 */
char state_letter(uint64_t bits);

#endif
