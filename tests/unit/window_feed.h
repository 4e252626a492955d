/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * window_feed.h - fills a window as a repo does: numbered events of a task that
 * is as old as the window, among tasks that come and go.
 */
#ifndef WEIR_TEST_WINDOW_FEED_H
#define WEIR_TEST_WINDOW_FEED_H

#include "store.h"

#include <pthread.h>

#include "../../user/snapshot.h"

#define TASK_TID   500 /* alive from the beginning on */
#define TASK_COMM  "the-old-one"
#define FORK_EVERY 100
#define SHORT_TIDS 1000 /* of tasks that come and are replaced */

/* What a repo does: keep the table, fill the window. */
struct feed {
	const struct schema *schema;
	struct window *window;
	struct tasks *tasks;
	uint64_t ts, seq, step_ns;
	struct snapshot_end end;
	pthread_t thread;
	int stop;
};

static inline void feed_event(struct feed *f, void *record, size_t len,
			      unsigned kind)
{
	struct weir_hdr *h = record;
	struct event ev;

	h->ts = f->ts += f->step_ns;
	h->kind = (uint16_t)kind;
	h->len = (uint16_t)len;
	assert_int_equal(event_init(&ev, f->schema, h, len), 0);
	assert_int_equal(tasks_apply(f->tasks, &ev), 0);
	window_put(f->window, &ev);
}

static inline void feed_fork(struct feed *f, uint32_t tid, const char *comm)
{
	struct ev_task_fork fork = {.child_pid = tid, .child_tid = tid};

	fork.start_time = f->ts;
	snprintf(fork.child_comm, sizeof(fork.child_comm), "%s", comm);
	feed_event(f, &fork, sizeof(fork), EV_TASK_FORK);
}

/* Numbered without a gap, by the task that is old. */
static inline void feed_next(struct feed *f)
{
	struct ev_block_io io = {.sector = ++f->seq};

	io.h.pid = io.h.tid = TASK_TID;
	feed_event(f, &io, sizeof(io), EV_BLOCK_IO);
	if (f->seq % FORK_EVERY == 0)
		feed_fork(f,
			  1000 + (uint32_t)(f->seq / FORK_EVERY) % SHORT_TIDS,
			  "short");
}

static inline void feed_until(struct feed *f, uint64_t seq)
{
	while (f->seq < seq)
		feed_next(f);
}

/* Without an event. */
static inline void feed_init_empty(struct feed *f, const struct schema *schema,
				   uint64_t bytes, uint64_t ns)
{
	struct window_options o = {.bytes = bytes, .ns = ns};

	*f = (struct feed){.schema = schema, .ts = clock_now(), .step_ns = 500};
	assert_int_equal(tasks_new(&f->tasks, f->schema), 0);
	assert_int_equal(window_new(&f->window, &o, f->tasks), 0);
}

static inline void feed_init(struct feed *f, const struct schema *schema,
			     uint64_t bytes, uint64_t ns)
{
	feed_init_empty(f, schema, bytes, ns);
	feed_fork(f, TASK_TID, TASK_COMM);
}

static inline void feed_done(struct feed *f)
{
	window_free(f->window);
	tasks_free(f->tasks);
}

static inline void feed_end(struct feed *f)
{
	f->end.pos = window_end(f->window);
	__atomic_store_n(&f->end.to_ns, f->ts, __ATOMIC_RELEASE);
	__atomic_store_n(&f->end.known, 1, __ATOMIC_RELEASE);
}

#endif
