/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * privileged.h - a thread that keeps the rights the others give up, until what
 * needs them is done.
 *
 * Started before confine(), it attaches programs while threads that are
 * confined already take the events; it must be gone before weir has to do with
 * anything it did not make itself.
 * Thread: all calls from the thread that opened it.
 */
#ifndef WEIR_PRIVILEGED_H
#define WEIR_PRIVILEGED_H

struct privileged;

/** privileged_open - start it, with the calling thread's rights and signal
 * mask. Return: 0; -ENOMEM; -errno of pthread_create(3). */
int privileged_open(struct privileged **ret);

/**
 * privileged_call - have it call @fn(@arg), and wait for that
 * @p: NULL: the calling thread does it
 * Return: what @fn returned.
 */
int privileged_call(struct privileged *p, int (*fn)(void *arg), void *arg);

/** privileged_close - end it: from now on no thread has its rights. NULL-safe.
 */
void privileged_close(struct privileged *p);

#endif
