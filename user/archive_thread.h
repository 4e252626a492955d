/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_thread.h - the threads that pack blocks, and the one that writes
 * files, so that who takes events waits for neither.
 *
 * The latter does with each parcel of a queue (archive_queue.h) what the parcel
 * says, in their order, and returns it with what came of it. When more than
 * half of the queue waits the packers hurry: by a faster codec, which packs
 * less.
 */
#ifndef WEIR_ARCHIVE_THREAD_H
#define WEIR_ARCHIVE_THREAD_H

#include "archive_put.h"
#include "archive_queue.h"

struct archive_thread;

/**
 * archive_thread_start - open the archive, start the threads
 * @q: borrowed until archive_thread_end()
 *
 * All signals are blocked in them. Thread: the queue's sender.
 * Return: 0; as archive_put_open(); -EAGAIN no thread to be had; -ENOMEM.
 */
int archive_thread_start(struct archive_thread **ret, struct archive_queue *q,
			 const struct schema *schema,
			 const struct archive_options *o);

/**
 * archive_thread_end - wait for it, after PARCEL_END or _GIVE_UP was sent, and
 * for those that pack; close the directory, free Return: 0; -errno of bringing
 * to disk what was put. NULL-safe.
 */
int archive_thread_end(struct archive_thread *t);

#endif
