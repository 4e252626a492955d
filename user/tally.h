/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tally.h - which process did how much of what, over a pass of an archive.
 *
 * A process is its pid, its boot and the start of its first thread; what it
 * did is counted by kind, threads together. Unlike the task table it keeps the
 * dead, all of them: about 200 bytes each. Thread: the owner's only.
 */
#ifndef WEIR_TALLY_H
#define WEIR_TALLY_H

#include "event.h"
#include "render.h"
#include "tasks.h"

struct tally_count {
	const struct schema_kind *kind; /* the first of its variants */
	uint64_t events;
};

/* A process, as last seen. It stays where it is until tally_done(). */
struct process {
	uint32_t pid, ppid, uid;
	uint64_t start_time, exit_time; /* monotonic ns of its boot; 0 unknown,
					   alive */
	unsigned boot;
	uint64_t shift;		      /* of its times, as render.shift */
	char comm[WEIR_COMM_LEN + 1]; /* its last name */
	char *exe;		      /* file it executed last, or NULL */
	size_t exe_len;
	bool kthread;
	uint64_t events;
	uint64_t cpu_ns; /* that its threads had a CPU, by sched_switch */
	struct tally_count *counts; /* by kind, in order of appearance */
	unsigned count_len;
	struct process *chain;			  /* internal */
	struct process *parent, *child, *sibling; /* tally_tree() */
	bool shown;				  /* for who prints it */
};

struct tally {
	struct process **list; /* tally_sort(), tally_tree() */
	size_t count;
	/* internal */
	struct process **buckets;
	size_t bucket_count, cap;
	const struct render *render;
	struct tasks *tasks;
	struct bound ran;
	int err;
};

/**
 * tally_init - begin with nobody
 * @r:     borrowed
 * @tasks: that of @r; it tells @t of changes until tally_done(): not all
 *         events are handed over
 * Return: 0; -ENOMEM.
 */
int tally_init(struct tally *t, const struct render *r, struct tasks *tasks);
/** tally_done - free it, processes too; safe on a zeroed one. */
void tally_done(struct tally *t);

/**
 * tally_event - count a joined event, for the pid in its header
 * Return: 0; -ENOMEM it may not be counted.
 */
int tally_event(struct tally *t, const struct event *ev);

/**
 * tally_alive - add the processes that did nothing, and learn what became of
 * the others since
 *
 * At the end of each boot (replay.leave_boot), and of all.
 * Return: 0; -ENOMEM.
 */
int tally_alive(struct tally *t);

/** tally_leave - tally_alive() as a replay.leave_boot. */
int tally_leave(void *tally);

/**
 * tally_sort - order @list: who had the CPU longest first, and of those that
 * are not known to have had it, who did most. The idle task goes by its events.
 */
void tally_sort(struct tally *t);

/**
 * tally_tree - link children to parents, in order of start
 *
 * A parent is the process of that pid that ran when the child began. Return:
 * the first of those without a parent, the others are its siblings.
 */
struct process *tally_tree(struct tally *t);

/**
 * tally_next - the next of the tree, parents first
 * @depth: changed by where it is; 0 for a root
 *
 * Needs tally_tree() before; begun with what that returned.
 * Return: NULL after the last.
 */
struct process *tally_next(struct process *p, unsigned *depth);

/** tally_busiest - order the counts of one process, the largest first. */
void tally_busiest(struct process *p);

#endif
