// SPDX-License-Identifier: BSD-2-Clause
#include "aggregator.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "../bpf/events.h"
#include "clock.h"
#include "kring.h"

#define INPUTS_MAX 4096
#define STASH_BYTES 65536	/* of a user-space input */
#define BUSY_NAP_NS (50 * NS_PER_US)
#define FULL_NAP_NS NS_PER_MS
#define HEADROOM_SHARE 8	/* of the main ring, for inputs that keep */
#define NICE (-10)

/* A record that has been seen and not yet passed on. */
struct pending {
	uint64_t ts;
	uint64_t pos;	/* ring position, or offset into the stash */
};

struct input {
	struct kring kernel;
	struct ring_consumer *user;	/* instead of a kernel ring */
	uint8_t *stash;		/* copies of its records */
	size_t stash_len;
	unsigned source;
	bool keep;
	bool stalled;
	uint64_t walked;	/* everything below is collected */
	uint64_t target;	/* producer position read at target_t0 */
	uint64_t target_t0;
	uint64_t seen;		/* no record from before it is to come */
	struct pending *pending;	/* [first, count) sorted by ts */
	size_t first, count, cap;
};

struct span {
	uint64_t first, last;
};

struct aggregator {
	struct aggregator_options o;
	struct input **inputs;
	unsigned count;
	struct input **heap;	/* those with something to pass, by time */
	unsigned heap_count;
	struct span *lost;	/* by row */
	int epoll_fd, stop_fd;
	pthread_t thread;
	bool running;
	bool stopping;
	bool stalled;		/* some input is */
	uint64_t passed;	/* time of the last event passed on */
	uint64_t headroom;
	struct aggregator_stats stats;
};

static void count(uint64_t *counter, uint64_t n)
{
	/* one writer, many readers */
	__atomic_store_n(counter, *counter + n, __ATOMIC_RELAXED);
}

/* ---- collecting ------------------------------------------------------------ */

static struct pending *pending_add(struct input *in)
{
	struct pending *p;
	size_t cap;

	if (in->count == in->cap) {
		cap = in->cap ? in->cap * 2 : 1024;
		p = realloc(in->pending, cap * sizeof(*p));
		if (!p)
			return NULL;	/* stays in the ring: tried again */
		in->pending = p;
		in->cap = cap;
	}
	return &in->pending[in->count++];
}

static bool is_event(const struct weir_hdr *h, uint32_t len)
{
	return len >= sizeof(*h) && h->len >= sizeof(*h) && h->len <= len &&
	       h->kind < EV_MAX;
}

/* Collect records below the target. Return: true when all are. */
static bool walk_kernel(struct aggregator *a, struct input *in)
{
	const struct weir_hdr *h;
	enum kring_state state;
	struct pending *p;
	uint64_t next;
	uint32_t len;

	while (in->walked < in->target) {
		state = kring_at(&in->kernel, in->walked, &len, &next);
		if (state == KRING_BUSY)
			return false;
		h = kring_data(&in->kernel, in->walked);
		if (state == KRING_READY && is_event(h, len)) {
			p = pending_add(in);
			if (!p)
				return false;
			p->ts = h->ts;
			p->pos = in->walked;
		} else if (state == KRING_READY) {
			count(&a->stats.malformed, 1);
		}
		in->walked = next;
	}
	return true;
}

/* Copy a user-space producer's records out; what does not fit waits. */
static bool walk_user(struct aggregator *a, struct input *in)
{
	struct ring_record rec = { 0 };
	struct weir_hdr *h;
	struct pending *p;

	while (ring_peek(in->user, &rec) == RING_OK) {
		if (in->stash_len + rec.len > STASH_BYTES)
			break;
		h = (struct weir_hdr *)(in->stash + in->stash_len);
		memcpy(h, rec.data, rec.len);
		ring_next(in->user);
		if (!is_event(h, rec.len)) {
			count(&a->stats.malformed, 1);
			continue;
		}
		p = pending_add(in);
		if (!p)
			return false;
		if (h->ts < a->passed)
			h->ts = a->passed;
		p->ts = h->ts;
		p->pos = in->stash_len;
		in->stash_len += (rec.len + 7U) & ~7U;
	}
	return true;
}

/* Rings are almost in order: each record moves a few places at most. */
static void sort_pending(struct input *in, size_t from)
{
	struct pending *v = in->pending, one;
	size_t i, j;

	for (i = from > in->first ? from : in->first + 1; i < in->count; i++) {
		one = v[i];
		for (j = i; j > in->first && v[j - 1].ts > one.ts; j--)
			v[j] = v[j - 1];
		v[j] = one;
	}
}

static void collect(struct aggregator *a, struct input *in, uint64_t t0)
{
	size_t from = in->count;
	bool all;

	if (in->user) {
		all = walk_user(a, in);
		in->target_t0 = t0;
	} else {
		if (in->walked == in->target) {
			in->target_t0 = t0;
			in->target = kring_tail(&in->kernel);
		}
		all = walk_kernel(a, in);
	}
	sort_pending(in, from);
	if (all) {
		in->seen = in->target_t0 - AGGREGATOR_MARGIN_NS;
		in->stalled = false;
	} else if (!in->stalled && t0 - in->target_t0 > AGGREGATOR_STALL_NS) {
		in->stalled = true;
		count(&a->stats.stalls, 1);
	}
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
		collect(a, in, t0);
		a->stalled |= in->stalled;
		*ret_busy |= !in->user && in->walked != in->target;
		if (!in->stalled && in->seen < watermark)
			watermark = in->seen;
	}
	return watermark == UINT64_MAX ? t0 : watermark;
}

/* ---- passing on ------------------------------------------------------------ */

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
	const struct input *in;
	const struct kring *k;
	unsigned i;

	for (i = 0; i < a->count; i++) {
		in = a->inputs[i];
		k = &in->kernel;
		if (in->keep && !in->user &&
		    kring_tail(k) - kring_head(k) > k->bytes / 2)
			return true;
	}
	return false;
}

static void notify(struct aggregator *a)
{
	uint64_t one = 1;

	if (write(a->o.notify_fd, &one, sizeof(one)) < 0)
		return;	/* full: the repo has been told often enough */
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
	if (!out) {	/* larger than any record may be */
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
}

static const void *record_of(const struct input *in, const struct pending *p)
{
	if (in->user)
		return in->stash + p->pos;
	return kring_data(&in->kernel, p->pos);
}

/* ---- merging --------------------------------------------------------------- */

static bool earlier(const struct input *x, const struct input *y)
{
	return x->pending[x->first].ts < y->pending[y->first].ts;
}

static void sift_down(struct aggregator *a, unsigned i)
{
	struct input **v = a->heap, *top = v[i];
	unsigned child;

	while ((child = 2 * i + 1) < a->heap_count) {
		if (child + 1 < a->heap_count &&
		    earlier(v[child + 1], v[child]))
			child++;
		if (!earlier(v[child], top))
			break;
		v[i] = v[child];
		i = child;
	}
	v[i] = top;
}

static bool has_before(const struct input *in, uint64_t watermark)
{
	return in->first < in->count && in->pending[in->first].ts < watermark;
}

static void heap_build(struct aggregator *a, uint64_t watermark)
{
	unsigned i;

	a->heap_count = 0;
	for (i = 0; i < a->count; i++) {
		if (has_before(a->inputs[i], watermark))
			a->heap[a->heap_count++] = a->inputs[i];
	}
	for (i = a->heap_count / 2; i-- > 0;)
		sift_down(a, i);
}

/* Pass on, in order, all that is older than the watermark. */
static bool merge(struct aggregator *a, uint64_t watermark)
{
	struct input *in;
	bool any;

	heap_build(a, watermark);
	any = a->heap_count > 0;
	while (a->heap_count) {
		in = a->heap[0];
		pass(a, in, record_of(in, &in->pending[in->first++]));
		if (!has_before(in, watermark))
			a->heap[0] = a->heap[--a->heap_count];
		if (a->heap_count)
			sift_down(a, 0);
	}
	return any;
}

/* ---- freeing --------------------------------------------------------------- */

static void release_kernel(struct input *in)
{
	uint64_t pos = in->walked;
	size_t i;

	for (i = 0; i < in->count; i++) {
		if (in->pending[i].pos < pos)
			pos = in->pending[i].pos;
	}
	if (pos != kring_head(&in->kernel))
		kring_release(&in->kernel, pos);
}

/* Move what is left to the front, then free what no record needs. */
static void release(struct input *in)
{
	in->count -= in->first;
	if (in->count && in->first)
		memmove(in->pending, in->pending + in->first,
			in->count * sizeof(*in->pending));
	in->first = 0;
	if (!in->user)
		release_kernel(in);
	else if (!in->count)
		in->stash_len = 0;
}

/* ---- the thread ------------------------------------------------------------ */

/* One drain. Return: true when a record is still being written. */
static bool cycle(struct aggregator *a, bool *ret_any)
{
	uint64_t watermark;
	unsigned i;
	bool busy;

	watermark = collect_all(a, &busy);
	*ret_any = merge(a, watermark);
	for (i = 0; i < a->count; i++)
		release(a->inputs[i]);
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

	(void)setpriority(PRIO_PROCESS, 0, NICE);	/* best effort */
	while (!__atomic_load_n(&a->stopping, __ATOMIC_ACQUIRE)) {
		epoll_wait(a->epoll_fd, events, 16, timeout);
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

/* ---- life ------------------------------------------------------------------ */

int aggregator_new(struct aggregator **ret,
		   const struct aggregator_options *opts)
{
	struct epoll_event ev = { .events = EPOLLIN };
	struct aggregator *a = calloc(1, sizeof(*a));
	int err = -ENOMEM;

	if (!a)
		return -ENOMEM;
	a->o = *opts;
	a->headroom = ring_max(opts->main);
	a->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	a->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	a->inputs = calloc(INPUTS_MAX, sizeof(*a->inputs));
	a->heap = calloc(INPUTS_MAX, sizeof(*a->heap));
	a->lost = calloc((size_t)SOURCES_MAX * (opts->cpus + 1),
			 sizeof(*a->lost));
	if (!a->inputs || !a->heap || !a->lost)
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

static struct input *input_new(struct aggregator *a, unsigned source)
{
	struct input *in;

	if (a->count == INPUTS_MAX)
		return NULL;
	in = calloc(1, sizeof(*in));
	if (!in)
		return NULL;
	in->source = source;
	a->inputs[a->count++] = in;
	return in;
}

int aggregator_add(struct aggregator *a, const struct source_ring *ring)
{
	/* Edge-triggered: only the kernel's forced wakeups count. */
	struct epoll_event ev = { .events = EPOLLIN | EPOLLET };
	struct input *in = input_new(a, ring->source);
	int err;

	if (!in)
		return -ENOMEM;
	in->keep = ring->keep;
	err = kring_open(&in->kernel, ring->fd, ring->bytes);
	if (err)
		return err;
	in->walked = in->target = kring_head(&in->kernel);
	if (epoll_ctl(a->epoll_fd, EPOLL_CTL_ADD, ring->fd, &ev) &&
	    errno != EPERM)	/* a file that cannot wake us: timer only */
		return -errno;
	return 0;
}

int aggregator_add_user(struct aggregator *a, struct ring_consumer *c,
			unsigned source)
{
	struct input *in = input_new(a, source);

	if (!in)
		return -ENOMEM;
	in->stash = malloc(STASH_BYTES);
	if (!in->stash)
		return -ENOMEM;
	in->user = c;
	in->keep = true;
	return 0;
}

int aggregator_start(struct aggregator *a)
{
	int err = pthread_create(&a->thread, NULL, run, a);

	a->running = !err;
	return -err;
}

void aggregator_stop(struct aggregator *a)
{
	uint64_t one = 1;

	if (!a->running)
		return;
	__atomic_store_n(&a->stopping, true, __ATOMIC_RELEASE);
	if (write(a->stop_fd, &one, sizeof(one)) < 0)
		one = 0;	/* the timer wakes it a little later */
	pthread_join(a->thread, NULL);
	a->running = false;
}

void aggregator_stats(const struct aggregator *a, struct aggregator_stats *ret)
{
	const uint64_t *from = (const uint64_t *)&a->stats;
	uint64_t *to = (uint64_t *)ret;
	size_t i;

	for (i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

void aggregator_lost_span(const struct aggregator *a, unsigned row,
			  uint64_t *ret_first, uint64_t *ret_last)
{
	*ret_first = __atomic_load_n(&a->lost[row].first, __ATOMIC_RELAXED);
	*ret_last = __atomic_load_n(&a->lost[row].last, __ATOMIC_RELAXED);
}

static void input_free(struct input *in)
{
	kring_done(&in->kernel);
	free(in->stash);
	free(in->pending);
	free(in);
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
	free(a->inputs);
	free(a->heap);
	free(a->lost);
	free(a);
}
