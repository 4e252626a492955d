// SPDX-License-Identifier: BSD-2-Clause
#include "aggregator.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../bpf/events.h"
#include "aggregator_heap.h"
#include "aggregator_input.h"
#include "aggregator_marks.h"
#include "clock.h"
#include "self.h"

#define INPUTS_MAX  4096
#define BUSY_NAP_NS (50 * NS_PER_US)
#define FULL_NAP_NS NS_PER_MS
#define NICE	    (-10)

struct span {
	uint64_t first, last;
};

struct aggregator {
	struct aggregator_options o;
	struct input **inputs;
	unsigned count;
	struct heap heap;
	struct span *lost; /* by row */
	int epoll_fd, stop_fd;
	pthread_t thread;
	pid_t tid;
	sem_t runs; /* @tid is known */
	bool running;
	bool stopping;
	bool stalled;	 /* some input is */
	uint64_t passed; /* time of the last event passed on */
	uint64_t headroom;
	struct marks marks;
	struct aggregator_stats stats;
};

static void count(uint64_t *counter, uint64_t n)
{
	/* one writer, many readers */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/*
 * Look at every ring. The clock is read before the first position: that is
 * what makes the watermark true. Return: the watermark.
 */
static uint64_t collect_all(struct aggregator *a, bool *ret_busy)
{
	uint64_t t0 = clock_now(), watermark = UINT64_MAX;
	struct input *in;
	unsigned i;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	*ret_busy = false;
	a->stalled = false;
	for (i = 0; i < a->count; i++) {
		in = a->inputs[i];
		if (input_collect(in, t0, a->passed))
			count(&a->stats.stalls, 1);
		a->stalled |= in->stalled;
		*ret_busy |= input_is_busy(in);
		if (!in->stalled && in->seen < watermark)
			watermark = in->seen;
	}
	return watermark == UINT64_MAX ? t0 : watermark;
}

static void notify(struct aggregator *a)
{
	uint64_t one = 1;

	if (write(a->o.notify_fd, &one, sizeof(one)) < 0)
		return; /* full: the repo has been told often enough */
}

/* ---- marks ----------------------------------------------------------------
 */

static void free_written(struct aggregator *a)
{
	const struct mark_slot *s = marks_written(&a->marks);
	unsigned i;

	for (i = 0; s && i < a->count; i++)
		a->inputs[i]->free_to = s->pos[i];
}

static bool put_rings(struct aggregator *a, struct mark_slot *s)
{
	unsigned i, kernel = 0;

	for (i = 0; i < a->count; i++)
		kernel += !a->inputs[i]->user;
	buf_reset(&s->mark.rings);
	resume_put_begin(&s->mark.rings, a->passed, kernel);
	for (i = 0; i < a->count; i++) {
		if (!a->inputs[i]->user &&
		    !input_mark(a->inputs[i], &s->mark.rings, &s->pos[i]))
			return false;
	}
	return !buf_err(&s->mark.rings);
}

static void put_rows(struct aggregator *a, struct mark_slot *s)
{
	const struct account_row *from = a->o.rows;
	struct aggregator_row *to = s->mark.row;
	unsigned i;

	for (i = 0; i < a->marks.rows; i++, from++, to++)
		*to = (struct aggregator_row){from->delivered, from->lost_main,
					      from->late};
}

/* Between two events. Return: false when there can be none now. */
static bool mark(struct aggregator *a)
{
	struct marks *m = &a->marks;
	struct mark_slot *s;

	free_written(a);
	s = marks_slot(m);
	if (!s || ring_space(a->o.main) < ring_need(sizeof(m->last)) ||
	    !put_rings(a, s))
		return false;
	put_rows(a, s);
	s->mark.rows = m->rows;
	s->mark.number = ++m->last;
	m->events = m->bytes = 0;
	m->at_ns = clock_now();
	ring_write(a->o.main, AGGREGATOR_MARK, &m->last, sizeof(m->last));
	return true;
}

/* An event was passed on: the next one may have to wait for a mark. */
static void note_passed(struct aggregator *a, uint32_t len)
{
	a->marks.events++;
	a->marks.bytes += (len + 7U) & ~7U;
	while (marks_is_full(&a->marks) && !mark(a)) {
		notify(a);
		count(&a->stats.waits, 1);
		clock_sleep(FULL_NAP_NS);
	}
}

static bool is_mark_due(const struct aggregator *a)
{
	const struct mark_slot *s = &a->marks.slot[a->marks.last % MARKS];
	unsigned i;

	if (!a->marks.events)
		return false;
	if (clock_now() - a->marks.at_ns >= MARK_NS)
		return true;
	for (i = 0; i < a->count; i++) {
		if (!a->inputs[i]->user &&
		    input_is_held(a->inputs[i], s->pos[i]))
			return true;
	}
	return false;
}

/* ---- passing on ------------------------------------------------------------
 */

static struct account_row *row_of(struct aggregator *a, unsigned source,
				  unsigned cpu)
{
	if (cpu > a->o.cpus)
		cpu = a->o.cpus;
	return &a->o.rows[source * (a->o.cpus + 1) + cpu];
}

/* Is a mini-buffer that must not lose anything in danger of it? */
static bool keepers_urgent(const struct aggregator *a)
{
	unsigned i;

	for (i = 0; i < a->count; i++) {
		if (input_is_urgent(a->inputs[i]))
			return true;
	}
	return false;
}

static void lose(struct aggregator *a, struct account_row *row, uint64_t ts)
{
	struct span *s = &a->lost[row - a->o.rows];

	if (!s->first)
		s->first = ts;
	s->last = ts;
	count(&row->lost_main, 1);
}

/* Wait for room for @len bytes. Return: false when it must be given up. */
static bool wait_for_room(struct aggregator *a, const struct input *in,
			  uint32_t len)
{
	uint64_t need = ring_need(len) + (in->keep ? 0 : a->headroom);

	while (ring_space(a->o.main) < need) {
		notify(a);
		if (!in->keep && keepers_urgent(a))
			return false;
		count(&a->stats.waits, 1);
		clock_sleep(FULL_NAP_NS);
	}
	return true;
}

static void pass(struct aggregator *a, struct input *in, const void *rec)
{
	const struct weir_hdr *h = rec;
	struct account_row *row = row_of(a, in->source, h->cpu);
	struct weir_hdr *out;

	count(&row->delivered, 1);
	if (!wait_for_room(a, in, h->len)) {
		lose(a, row, h->ts);
		return;
	}
	out = ring_reserve(a->o.main, h->kind, h->len);
	if (!out) { /* larger than any record may be */
		lose(a, row, h->ts);
		return;
	}
	memcpy(out, h, h->len);
	if (h->ts < a->passed) {
		out->flags |= WEIR_F_LATE;
		count(&row->late, 1);
		count(&a->stats.late, 1);
	} else {
		a->passed = h->ts;
	}
	if (a->stalled)
		out->flags |= WEIR_F_STALLED;
	ring_commit(a->o.main, h->len);
	count(&a->stats.events, 1);
	if (a->o.holds)
		note_passed(a, h->len);
}

/* ---- merging ---------------------------------------------------------------
 */

/* Pass on, in order, all that is older than the watermark. */
static bool merge(struct aggregator *a, uint64_t watermark)
{
	struct input *in;
	bool any;

	heap_build(&a->heap, a->inputs, a->count, watermark);
	any = a->heap.count > 0;
	while (a->heap.count) {
		in = a->heap.input[0];
		pass(a, in, input_take(in));
		heap_taken(&a->heap, watermark);
	}
	return any;
}

/* ---- the thread ------------------------------------------------------------
 */

/* One drain. Return: true when a record is still being written. */
static bool cycle(struct aggregator *a, bool *ret_any)
{
	uint64_t watermark;
	unsigned i;
	bool busy;

	watermark = collect_all(a, &busy);
	*ret_any = merge(a, watermark);
	if (a->o.holds)
		free_written(a);
	if (a->o.holds && is_mark_due(a))
		*ret_any |= mark(a);
	for (i = 0; i < a->count; i++)
		input_release(a->inputs[i]);
	if (*ret_any)
		notify(a);
	count(&a->stats.wakeups, 1);
	return busy;
}

/* Everything that is in the rings now, then whatever is left in order. */
static void drain(struct aggregator *a)
{
	uint64_t end = clock_now() + 2 * AGGREGATOR_STALL_NS;
	bool any, busy;

	do {
		busy = cycle(a, &any);
		if (busy)
			clock_sleep(BUSY_NAP_NS);
	} while ((any || busy) && clock_now() < end);
	clock_sleep(2 * AGGREGATOR_MARGIN_NS);
	cycle(a, &any);
}

static void *run(void *arg)
{
	struct epoll_event events[16];
	struct aggregator *a = arg;
	int timeout = AGGREGATOR_BUSY_MS;
	bool any;

	a->tid = gettid();
	sem_post(&a->runs);
	while (!__atomic_load_n(&a->stopping, __ATOMIC_ACQUIRE)) {
		if (epoll_wait(a->epoll_fd, events, 16, timeout) > 0)
			count(&a->stats.woken, 1);
		while (cycle(a, &any))
			clock_sleep(BUSY_NAP_NS);
		if (any)
			timeout = AGGREGATOR_BUSY_MS;
		else if (timeout < AGGREGATOR_IDLE_MS)
			timeout *= 2;
	}
	drain(a);
	return NULL;
}

/* ---- life ------------------------------------------------------------------
 */

int aggregator_new(struct aggregator **ret,
		   const struct aggregator_options *opts)
{
	struct epoll_event ev = {.events = EPOLLIN};
	struct aggregator *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (!a)
		return -ENOMEM;
	a->o = *opts;
	a->headroom = ring_max(opts->main);
	a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	a->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->inputs = calloc(INPUTS_MAX, sizeof(*a->inputs));
	a->heap.input = calloc(INPUTS_MAX, sizeof(*a->heap.input));
	a->lost = calloc((size_t)SOURCES_MAX * (opts->cpus + 1),
			 sizeof(*a->lost));
	if (!a->inputs || !a->heap.input || !a->lost)
		goto out;
	if (a->epoll_fd < 0 || a->stop_fd < 0 ||
	    epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, a->stop_fd, &ev)) {
		err = -errno;
		goto out;
	}
	*ret = a;
	return 0;
out:
	aggregator_free(a);
	return err;
}

int aggregator_add(struct aggregator *a, const struct source_ring *ring)
{
	/* Edge-triggered: only the kernel's forced wakeups count. */
	struct epoll_event ev = {.events = EPOLLIN | EPOLLET};
	int err;

	if (a->count == INPUTS_MAX)
		return -ENOSPC;
	err = input_open(&a->inputs[a->count], ring);
	if (err)
		return err;
	a->inputs[a->count++]->holds = a->o.holds;
	if (ring->at.of_cpu) /* wakes nobody */
		return 0;
	if (epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, ring->at.fd, &ev) &&
	    errno != EPERM) /* a file that cannot wake us: timer only */
		return -errno;
	return 0;
}

int aggregator_add_user(struct aggregator *a, struct ring_consumer *c,
			unsigned source)
{
	int err;

	if (a->count == INPUTS_MAX)
		return -ENOSPC;
	err = input_open_user(&a->inputs[a->count], c, source);
	if (!err)
		a->count++;
	return err;
}

static unsigned row_count(const struct aggregator *a)
{
	unsigned i, sources = 0;

	for (i = 0; i < a->count; i++)
		if (a->inputs[i]->source >= sources)
			sources = a->inputs[i]->source + 1;
	return sources * (a->o.cpus + 1);
}

/* Where the marks begin: as if there had been one now. */
static int begin_marks(struct aggregator *a)
{
	struct mark_slot *s = a->marks.slot;
	unsigned i;
	int err;

	err = marks_init(&a->marks, a->count, row_count(a));
	for (i = 0; !err && i < a->count; i++)
		s->pos[i] = a->inputs[i]->free_to;
	a->marks.at_ns = clock_now();
	return err;
}

static int resume_rings(struct aggregator *a, const struct resume *at)
{
	uint32_t i, ring = 0;
	int err = 0;

	for (i = 0; i < a->count && !err; i++) {
		if (a->inputs[i]->user)
			continue;
		err = ring == at->rings
			      ? -EBADMSG
			      : input_resume(a->inputs[i], &at->ring[ring++]);
	}
	return !err && ring != at->rings ? -EBADMSG : err;
}

int aggregator_resume(struct aggregator *a, const struct resume *at)
{
	unsigned i;

	if (at) {
		a->passed = at->passed_ns;
		return resume_rings(a, at);
	}
	for (i = 0; i < a->count; i++)
		if (a->inputs[i]->free_to)
			return -EBADMSG;
	return 0;
}

const struct aggregator_mark *aggregator_mark(const struct aggregator *a,
					      const void *record)
{
	uint64_t number;

	memcpy(&number, record, sizeof(number));
	return &a->marks.slot[number % MARKS].mark;
}

void aggregator_settle(struct aggregator *a, uint64_t settled, uint64_t written)
{
	marks_settle(&a->marks, settled, written);
}

int aggregator_start(struct aggregator *a)
{
	int err = a->o.holds ? begin_marks(a) : 0;

	if (err)
		return err;
	sem_init(&a->runs, 0, 0);
	err = pthread_create(&a->thread, NULL, run, a);
	a->running = !err;
	while (!err && sem_wait(&a->runs))
		; /* EINTR */
	sem_destroy(&a->runs);
	return -err;
}

void aggregator_hurry(struct aggregator *a)
{
	(void)setpriority(PRIO_PROCESS, (id_t)a->tid, NICE); /* best effort */
}

void aggregator_stop(struct aggregator *a)
{
	uint64_t one = 1;

	if (!a->running)
		return;
	__atomic_store_n(&a->stopping, true, __ATOMIC_RELEASE);
	if (write(a->stop_fd, &one, sizeof(one)) < 0)
		one = 0; /* the timer wakes it a little later */
	pthread_join(a->thread, NULL);
	a->running = false;
}

uint64_t aggregator_cpu_ns(const struct aggregator *a)
{
	return a->running ? self_thread_cpu_ns(a->thread) : 0;
}

void aggregator_stats(const struct aggregator *a, struct aggregator_stats *ret)
{
	const uint64_t *from = (const uint64_t *)&a->stats;
	uint64_t *to = (uint64_t *)ret;
	size_t i;

	for (i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
	for (i = 0; i < a->count; i++)
		ret->malformed += __atomic_load_n(&a->inputs[i]->malformed,
						  __ATOMIC_RELAXED);
}

void aggregator_used(const struct aggregator *a, uint64_t *used)
{
	size_t i;

	for (i = 0; i < a->count; i++)
		if (!a->inputs[i]->user)
			used[a->inputs[i]->source] +=
				kring_used(&a->inputs[i]->kernel);
}

void aggregator_lost_span(const struct aggregator *a, unsigned row,
			  uint64_t *ret_first, uint64_t *ret_last)
{
	*ret_first = __atomic_load_n(&a->lost[row].first, __ATOMIC_RELAXED);
	*ret_last = __atomic_load_n(&a->lost[row].last, __ATOMIC_RELAXED);
}

void aggregator_set_lost_span(struct aggregator *a, unsigned row,
			      uint64_t first, uint64_t last)
{
	a->lost[row] = (struct span){first, last};
}

void aggregator_free(struct aggregator *a)
{
	unsigned i;

	if (!a)
		return;
	for (i = 0; i < a->count; i++)
		input_free(a->inputs[i]);
	if (a->epoll_fd >= 0)
		close(a->epoll_fd);
	if (a->stop_fd >= 0)
		close(a->stop_fd);
	marks_done(&a->marks);
	free(a->inputs);
	free(a->heap.input);
	free(a->lost);
	free(a);
}
