/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * tasks.h - every task of the host, as of the event being looked at.
 *
 * Built from the stream alone (kinds task_*, cgroup_path), bound by field
 * name, so it works the same on the live stream, a window and an archive.
 * A task is its tid and its start time: a reused pid is a new task. A task
 * that exited is kept until its tid is used again or TASKS_DEAD_MAX newer ones
 * died, so that events that come after its exit still have a name.
 * Thread: the owner's only (the repo, or a reader).
 */
#ifndef WEIR_TASKS_H
#define WEIR_TASKS_H

#include "cgroups.h"
#include "event.h"

#define TASKS_DEAD_MAX 4096

/* A thread, as of the event applied last. Until told, pid is tid, others 0. */
struct task {
	uint32_t tid, pid, ppid, uid; /* as of the initial namespaces */
	uint64_t start_time;	      /* monotonic ns; 0 unknown */
	uint64_t exit_time;	      /* monotonic ns; 0 alive */
	const struct cgroup *cgroup;  /* or NULL */
	char comm[WEIR_COMM_LEN + 1];
	const char *exe; /* file it executes, or ""; owned by the table */
	uint32_t exe_len;
	uint32_t exe_full; /* as field_bytes.full: its name may be cut */
	bool kthread;
	uint64_t events; /* with its tid in the header, tasks_apply() */
};

struct tasks;

/**
 * tasks_new - a table of the idle task alone, tid 0: swapper
 * @schema: borrowed for its life
 * Return: 0; -ENOMEM.
 */
int tasks_new(struct tasks **ret, const struct schema *schema);
void tasks_free(struct tasks *t); /* NULL-safe */

/**
 * tasks_reset - begin anew, with nobody but the idle task: another boot
 *
 * All tasks and cgroups that were handed out are gone; who watches does so
 * still, but is not told of this.
 * Return: 0; -ENOMEM.
 */
int tasks_reset(struct tasks *t);

/**
 * tasks_apply - take an event into account and set ev->task
 *
 * The task is that of the header's tid at this event: a fork's parent, an
 * exec's new image, an exit's dying task. It is valid until the next call;
 * one that exited may be forgotten then.
 * Return: 0; -ENOMEM the table could not grow (the event is then unjoined).
 */
int tasks_apply(struct tasks *t, struct event *ev);

/**
 * tasks_watch - be told before what is known of a task changes
 * @fn: gets its tid, and the task as it was; NULL: nobody had this tid
 *
 * Inside tasks_apply(), once or more for each change; and for each task of a
 * cgroup whose path is told. One watches at a time: a later call takes the
 * place of the earlier, a NULL @fn ends it.
 */
void tasks_watch(struct tasks *t,
		 void (*fn)(void *arg, uint32_t tid, const struct task *was),
		 void *arg);

/** tasks_binds - Return: does the table need events of this kind? */
bool tasks_binds(const struct tasks *t, unsigned kind);

/**
 * tasks_find - Return: the task with this tid now, dead or alive, or NULL.
 * Valid until the next tasks_apply().
 */
const struct task *tasks_find(const struct tasks *t, uint32_t tid);

/** tasks_cgroup - Return: the cgroup, or NULL when its path is not known. */
const struct cgroup *tasks_cgroup(const struct tasks *t, uint64_t id);

/** tasks_count - Return: how many are alive, the idle task among them. */
size_t tasks_count(const struct tasks *t);

/** tasks_each_cgroup - call @fn for each cgroup whose path is known, until it
 * returns non-zero. Return: that, or 0. */
int tasks_each_cgroup(const struct tasks *t,
		      int (*fn)(void *arg, const struct cgroup *c), void *arg);

/**
 * tasks_each - call @fn for each task alive, in order of tid, until it returns
 * non-zero
 * Return: 0; what @fn returned; -ENOMEM.
 */
int tasks_each(const struct tasks *t,
	       int (*fn)(void *arg, const struct task *task), void *arg);

/**
 * tasks_state - the table as events, for a segment's STATE frame
 *
 * Calls @fn with cgroup_path events, then task_alive events, stamped @ts, such
 * that applying them to an empty table gives this one, but for the dead and
 * what was counted. A record is valid inside @fn alone. Strings longer than
 * WEIR_STR_MAX are cut.
 * Return: 0; what @fn returned; -ENOMEM.
 */
int tasks_state(const struct tasks *t, uint64_t ts,
		int (*fn)(void *arg, const void *record, size_t len),
		void *arg);

#endif
