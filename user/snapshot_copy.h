/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * snapshot_copy.h - what snapshots are to hold, out of the window in time.
 *
 * A flood at full speed turns a window over in the time that a thread waits
 * for a CPU on a loaded host. So copying has a thread of its own, which runs
 * before others and does nothing else: it copies the window, oldest first, and
 * what is added to it, until the end of the last snapshot is known; slice by
 * slice, with pauses as long as nothing is about to be overwritten, for the
 * CPU it takes is one that those who record have not. Other threads take the
 * chunks, one after the other, and write them at leisure.
 *
 * However many snapshots are being taken, each byte is copied once: chunks are
 * shared, and one that comes while others are being taken begins with what was
 * copied for those, if that reaches back as far as the window does.
 *
 * Memory, of all of them together, until it is written: the window's size, and
 * SNAPSHOT_AHEAD_BYTES of what comes, or another window's size if that is
 * more. When that is used up copying waits as long as the window allows; then
 * the snapshot that is farthest behind is cut.
 */
#ifndef WEIR_SNAPSHOT_COPY_H
#define WEIR_SNAPSHOT_COPY_H

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <sys/types.h>

#include "window.h"

#define SNAPSHOTS_MAX	     4 /* at a time */
#define SNAPSHOT_AHEAD_BYTES (256ULL << 20)
#define SNAPSHOT_PARTS_MAX   512 /* a power of two */
#define SNAPSHOT_KEPT_MAX    128

/* Told by the repo while a snapshot is being taken; atomic. */
struct snapshot_end {
	uint64_t to_ns; /* it covers until here; 0: not yet known */
	uint64_t pos;	/* and all of that, losses told, lies before here */
	int known;	/* pos is: set last */
};

/* Records copied out of the window, for all who are to write them. */
struct snapshot_chunk {
	unsigned char *data; /* mapped */
	size_t cap, len;     /* bytes there are, and used */
	uint64_t first;	     /* position of data[0] */
	int refs;	     /* who is to write it, and who copies; atomic */
	uint64_t *held;	     /* bytes of all chunks there are; atomic */
};

/* A chunk, from @off on: there it goes on where the one before ended. */
struct snapshot_part {
	struct snapshot_chunk *chunk; /* NULL: none */
	size_t off;
};

enum snapshot_copy_state {
	COPY_NONE,  /* nobody asked */
	COPY_ASKED, /* who copies is to begin */
	COPY_FED,   /* it has, its keyframe is the first of the first part */
	COPY_OVER,  /* nothing more is put */
};

/* Between two threads: who copies, and who writes one snapshot. */
struct snapshot_copy {
	int state; /* enum snapshot_copy_state, atomic */
	int leave; /* by who writes: nothing more is wanted; atomic */
	const struct snapshot_end *end;
	struct snapshot_part parts[SNAPSHOT_PARTS_MAX];
	uint64_t put; /* parts so far: who copies */
	uint64_t got; /* who writes */
	uint64_t bytes_put, bytes_got;
	uint64_t fed;	/* position up to which it has all: who copies */
	unsigned tries; /* to begin it: who copies */
	/* before COPY_OVER: */
	bool cut; /* could not keep up */
	int err;  /* 0; -errno */
};

/* Who copies: all of it belongs to its thread, but @held and the states. */
struct snapshot_copier {
	const struct window *window;
	uint64_t size; /* of the window */
	uint64_t held; /* bytes of all chunks there are; atomic */
	struct snapshot_copy copies[SNAPSHOTS_MAX];
	/* copied without a gap up to @copied, for those who come */
	struct snapshot_chunk *kept[SNAPSHOT_KEPT_MAX];
	unsigned kept_count;
	uint64_t copied; /* the next slice begins here */
	uint64_t gone;	 /* what lies before is known to be overwritten */
	bool follows;	 /* @copied is set */
	pthread_t thread;
	pid_t tid;
	bool running;
	bool leaves; /* it is to end; atomic */
	sem_t runs;  /* @tid and @size are set */
	sem_t go;    /* somebody asked, or it is to end */
};

/** snapshot_copier_init - @w is borrowed until snapshot_copier_done(). */
void snapshot_copier_init(struct snapshot_copier *c, const struct window *w);

/** snapshot_copier_start - Return: 0, its thread runs; -errno of
 * pthread_create(3). */
int snapshot_copier_start(struct snapshot_copier *c);

/** snapshot_copier_hurry - have it run before others, once it is started.
 * Takes CAP_SYS_NICE, without which it runs as others do. */
void snapshot_copier_hurry(struct snapshot_copier *c);

/** snapshot_copier_wake - somebody has asked. Thread: any. */
void snapshot_copier_wake(struct snapshot_copier *c);

/** snapshot_copier_stop - wait for its end; nobody may want anything of it. Not
 * started: no-op. */
void snapshot_copier_stop(struct snapshot_copier *c);

/** snapshot_copier_done - stops it as well. */
void snapshot_copier_done(struct snapshot_copier *c);

/**
 * snapshot_copy_ask - have one of a copier's filled, once it is woken
 *
 * @copy->err is in the end: 0; -ENODATA the window has no whole keyframe;
 * -ENOMSG nothing was put into it up to the end; -EOVERFLOW all of it was
 * overwritten before it was copied; -ENOMEM; -EBADMSG. Thread: any, one at a
 * time.
 */
void snapshot_copy_ask(struct snapshot_copy *copy,
		       const struct snapshot_end *end);

/**
 * snapshot_copy_next - take the next part, to be released
 *
 * Return: false: there is none at present, and none will be if @ret_over.
 * Thread: one, who writes.
 */
bool snapshot_copy_next(struct snapshot_copy *copy, struct snapshot_part *ret,
			bool *ret_over);

/** snapshot_copy_over - Return: has it all, or as much as there will be? */
static inline bool snapshot_copy_over(const struct snapshot_copy *copy)
{
	return __atomic_load_n(&copy->state, __ATOMIC_ACQUIRE) == COPY_OVER;
}

/** snapshot_copy_leave - have it end soon, free what was not taken, and be
 * ready to be asked for again. Waits for the copier. Thread: who writes. */
void snapshot_copy_leave(struct snapshot_copy *copy);

/** snapshot_part_done - release its chunk, which the last one frees. No chunk:
 * no-op. Thread: any. */
void snapshot_part_done(struct snapshot_part *p);

/** snapshot_key_ts - the instant in a record that is a struct window_key,
 * monotonic ns; 0: it is too short to be one. */
uint64_t snapshot_key_ts(const struct ring_record *rec);

/** snapshot_end_known - Return: is its position known? */
static inline bool snapshot_end_known(const struct snapshot_end *end)
{
	return __atomic_load_n(&end->known, __ATOMIC_ACQUIRE);
}

#endif
