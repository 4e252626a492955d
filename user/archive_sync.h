/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_sync.h - the thread that brings segments to the disk, so that who
 * writes events never waits for it.
 *
 * Once a second it syncs the segment being written, and publishes those that
 * the writer is done with. Once handed over, a segment is the thread's: the
 * writer puts frames into it until it hands it over a second time, as done.
 * With WEIR_DEBUG=1 each sync that succeeded is told, with what it covered:
 * what a power cut cannot take (tests/kernel/powercut.sh).
 */
#ifndef WEIR_ARCHIVE_SYNC_H
#define WEIR_ARCHIVE_SYNC_H

#include "segment.h"

struct archive_sync;

/** archive_sync_start - Return: 0; -ENOMEM; -EAGAIN no thread to be had. */
int archive_sync_start(struct archive_sync **ret);

/** archive_sync_begin - from now on sync @s, which stays the writer's until it
 * is ended. Thread: the writer's, as below. */
void archive_sync_begin(struct archive_sync *y, struct segment *s);

/** archive_sync_end - @s is complete: sync, publish and free it soon. It is the
 * thread's; no I/O is done here. */
void archive_sync_end(struct archive_sync *y, struct segment *s);

/** archive_sync_wait - until all that was ended is published. */
void archive_sync_wait(struct archive_sync *y);

/** archive_sync_error - Return: 0; -errno of the last failure, and forget it.
 */
int archive_sync_error(struct archive_sync *y);

/**
 * archive_sync_stop - do what is left, end the thread, free
 *
 * A segment that was begun and not ended is synced once more, and stays the
 * writer's. Blocks for the disk. Return: 0; -errno of the last failure not yet
 * told. NULL-safe.
 */
int archive_sync_stop(struct archive_sync *y);

#endif
