/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot_copy.h - what a snapshot is to hold, out of the window in time.
 *
 * A flood at full speed turns a window over in the time that a thread waits
 * for a CPU on a loaded host. So copying has a thread of its own, which runs
 * before others and does nothing else: it copies the whole window at once,
 * finds the keyframe to begin with, and then copies what is added until the
 * end of the snapshot is known. Another thread takes the chunks one after the
 * other and writes them at leisure.
 *
 * Memory, until it is written: the window's size, and SNAPSHOT_AHEAD_BYTES of
 * what comes, or another window's size if that is more; then the copy is cut.
 */
#ifndef WEIR_SNAPSHOT_COPY_H
#define WEIR_SNAPSHOT_COPY_H

#include <stdbool.h>

#include "window.h"

#define SNAPSHOT_AHEAD_BYTES (256ULL << 20)
#define SNAPSHOT_CHUNKS_MAX  512 /* a power of two */

/* Told by the repo while a snapshot is being taken; atomic. */
struct snapshot_end {
	uint64_t to_ns; /* it covers until here; 0: not yet known */
	uint64_t pos;	/* and all of that, losses told, lies before here */
	int known;	/* pos is: set last */
};

/* Records copied out of the window, to be written. */
struct snapshot_chunk {
	unsigned char *data; /* mapped */
	size_t cap, len, off;
	uint64_t first; /* position of data[0] */
	/* of the first one: its keyframe's records, which end at @off */
	size_t state;
	uint64_t key_ns;
};

/* Between two threads: who copies, and who writes. Zero is a new one. */
struct snapshot_copy {
	struct snapshot_chunk *chunks[SNAPSHOT_CHUNKS_MAX];
	uint64_t put; /* chunks so far: who copies */
	uint64_t got; /* who writes */
	uint64_t bytes_put, bytes_got;
	bool cut;	 /* could not keep up */
	int err;	 /* 0; -errno; both: before @over */
	int over;	 /* nothing more is put */
	int leave;	 /* by who writes: nothing more is wanted */
	uint64_t copied; /* who copies: position up to which it is */
	uint64_t size;	 /* of the window */
};

/**
 * snapshot_copy_run - copy, until all of it is
 *
 * @c->err is then: 0; -ENODATA the window has no whole keyframe; -EOVERFLOW
 * all of it was overwritten before it was copied; -ENOMEM; -EBADMSG. Thread:
 * one of its own, never the repo's.
 */
void snapshot_copy_run(struct snapshot_copy *c, const struct window *w,
		       const struct snapshot_end *end);

/**
 * snapshot_copy_next - Return: the next chunk, the caller's now; NULL: there is
 * none at present, and none will be if @ret_over. Thread: one, who writes.
 */
struct snapshot_chunk *snapshot_copy_next(struct snapshot_copy *c,
					  bool *ret_over);

/** snapshot_copy_leave - have it end soon and free what was not taken. */
void snapshot_copy_leave(struct snapshot_copy *c);

/** snapshot_chunk_free - NULL-safe. */
void snapshot_chunk_free(struct snapshot_chunk *c);

/** snapshot_key_ts - of a record that is a struct window_key. */
uint64_t snapshot_key_ts(const struct ring_record *rec);

/** snapshot_end_known - Return: is its position known? */
static inline bool snapshot_end_known(const struct snapshot_end *end)
{
	return __atomic_load_n(&end->known, __ATOMIC_ACQUIRE);
}

#endif
