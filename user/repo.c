// SPDX-License-Identifier: BSD-2-Clause
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"
#include "repo_internal.h"
#include "self.h"

#define RECORD_MAX 65536
#define DRAIN_MAX  65536 /* events, about 20 ms */

/* ---- one event ----------------------------------------------------------- */

static void tell(uint64_t *to, uint64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELAXED);
}

static struct account_row *row_of(struct repo *r, const struct weir_hdr *h)
{
	unsigned cpu = h->cpu < r->cpus ? h->cpu : r->cpus;

	return &r->rows[r->row_of_kind[h->kind] + cpu];
}

void repo_unfit(struct repo *r, const void *record, size_t len)
{
	const struct weir_hdr *h = record;
	struct account_row *row;
	struct repo_untold *u;

	repo_count(&r->stats.malformed, 1);
	if (len < sizeof(*h) || !schema_kind(r->o.schema, h->kind))
		return; /* of no source: the aggregator lets none through */
	row = row_of(r, h);
	repo_count(&row->lost_archive, 1);
	u = &r->unfit[row - r->rows];
	u->first = u->count ? u->first : h->ts;
	u->last = h->ts;
	u->count++;
}

void repo_sink_failed(struct repo *r, int err)
{
	if (!r->stats.sink_error)
		__atomic_store_n(&r->stats.sink_error, err, __ATOMIC_RELAXED);
}

/* What was not selected goes to those who want context, whatever was named. */
static void deliver(struct repo *r, const struct event *ev, bool selected)
{
	struct sink *s;
	unsigned i;
	int err;

	for (i = 0; i < r->sink_count; i++) {
		s = r->sinks[i];
		if (!selected && !s->wants_context)
			continue;
		err = s->ops->event(s, ev);
		if (err)
			repo_sink_failed(r, err);
	}
}

/* Rejected, but the state or the story needs it (a task's life, what made a
 * trigger fire): a flagged copy goes on. */
static void deliver_context(struct repo *r, const struct event *ev)
{
	struct event copy = *ev;
	struct weir_hdr *h = (struct weir_hdr *)r->scratch;

	memcpy(h, ev->h, ev->len);
	h->flags |= WEIR_F_CONTEXT;
	copy.h = h;
	deliver(r, &copy, false);
}

/* Triggers look at what is not selected as well. Return: has one fired? */
static bool look(struct repo *r, const struct event *ev)
{
	return r->flight && flight_look(r->flight, ev);
}

void repo_accept(struct repo *r, const void *record, size_t len)
{
	struct account_row *row;
	struct event ev;

	if (event_init(&ev, r->o.schema, record, len)) {
		repo_unfit(r, record, len);
		return;
	}
	repo_count(&r->stats.events, 1);
	repo_count(&r->stats.bytes, len);
	if (ev.h->ts > r->stats.stream_ns)
		tell(&r->stats.stream_ns, ev.h->ts);
	if (tasks_apply(r->o.tasks, &ev))
		ev.task = NULL;
	repo_budget_took(r, ev.h->kind, len);
	row = row_of(r, ev.h);
	if (select_match(r->o.select, &ev)) {
		repo_count(&row->kept, 1);
		if (r->told)
			repo_told(r, ev.h, 1);
		deliver(r, &ev, true);
		look(r, &ev);
		return;
	}
	repo_count(&row->rejected, 1);
	if (!look(r, &ev) && !r->context[ev.h->kind])
		return;
	repo_count(&row->context, 1);
	if (r->told)
		repo_told(r, ev.h, 1);
	deliver_context(r, &ev);
}

/* ---- the thread ---------------------------------------------------------- */

/* So many at most, that a flood does not keep it from all else. */
static bool drain(struct repo *r)
{
	struct ring_record rec = {0};
	unsigned n = 0;

	while (n < DRAIN_MAX && ring_peek(r->o.main, &rec) == RING_OK) {
		if (rec.type == AGGREGATOR_MARK)
			repo_mark(r, rec.data);
		else
			repo_accept(r, rec.data, rec.len);
		ring_next(r->o.main);
		n++;
	}
	ring_release(r->o.main);
	return n == DRAIN_MAX;
}

static void tick_sinks(struct repo *r, uint64_t now)
{
	unsigned i;
	int err;

	for (i = 0; i < r->sink_count; i++) {
		err = r->sinks[i]->ops->tick(r->sinks[i], now);
		if (err)
			repo_sink_failed(r, err);
	}
}

static void tell_archive(struct repo *r)
{
	struct archive_stats s;

	archive_writer_stats(r->archive, &s);
	tell(&r->stats.archive_bytes, s.bytes);
	tell(&r->stats.archive_segments, s.segments);
	tell(&r->stats.archive_events, s.events);
	tell((uint64_t *)&r->stats.archive_error, (uint64_t)s.error);
}

/* What was sent before now has come: so have the gaps of all losses then. */
static void tick_flight(struct repo *r)
{
	uint64_t stream_ns = r->stats.stream_ns;

	if (r->told_at && stream_ns > r->told_at) {
		flight_told(r->flight, r->told_to);
		r->told_at = 0;
	}
	flight_tick(r->flight, r, stream_ns);
}

static void report(struct repo *r, uint64_t now)
{
	uint64_t stream_ns = r->stats.stream_ns;

	repo_report_tick(r, now);
	if (r->told_at)
		return;
	r->told_to = stream_ns;
	r->told_at = clock_now();
}

static void tick(struct repo *r)
{
	uint64_t now = clock_now();

	repo_count(&r->stats.ticks, 1);
	tick_sinks(r, now);
	if (r->o.marks)
		repo_settle(r);
	if (r->flight)
		tick_flight(r);
	tell(&r->stats.tasks, tasks_count(r->o.tasks));
	if (now < r->due.tick)
		return;
	r->due.tick = now + REPO_TICK_NS;
	if (r->archive)
		tell_archive(r);
	if (!r->silent)
		report(r, now);
}

static void wait_for_events(struct repo *r)
{
	struct pollfd p = {.fd = r->o.notify_fd, .events = POLLIN};
	uint64_t n;

	if (poll(&p, 1, REPO_TICK_NS / NS_PER_MS) == 1 &&
	    read(r->o.notify_fd, &n, sizeof(n)) < 0)
		return; /* taken meanwhile: nothing to say */
}

/* Those of the last drain, and of the archive's last block. */
static void last_losses(struct repo *r)
{
	int err = r->archive ? archive_flush(r->archive) : 0;

	if (err)
		repo_sink_failed(r, err);
	r->direct = true;
	repo_report_losses(r);
	tick_sinks(r, clock_now());
	if (r->flight)
		flight_end(r->flight, r->stats.stream_ns);
}

/* From when there is something to read: attaching takes what it takes. */
static void stall(struct repo *r)
{
	while (!__atomic_load_n(&r->began, __ATOMIC_ACQUIRE) &&
	       __atomic_load_n(&r->phase, __ATOMIC_ACQUIRE) == REPO_RUN)
		wait_for_events(r);
	clock_sleep(r->o.stall_ns);
}

static void *run(void *arg)
{
	struct repo *r = arg;
	bool spoken = false, more = false;
	int phase;

	repo_report_start(r, clock_now());
	if (r->o.stall_ns)
		stall(r);
	do {
		if (!more)
			wait_for_events(r);
		phase = __atomic_load_n(&r->phase, __ATOMIC_ACQUIRE);
		more = drain(r);
		tick(r);
		if (phase == REPO_LAST_WORDS && !spoken) {
			repo_report_all(r, clock_now());
			spoken = r->silent = true;
			sem_post(&r->spoken);
		}
	} while (phase != REPO_STOP || more);
	last_losses(r);
	return NULL;
}

/* ---- life ---------------------------------------------------------------- */

static void map_kinds(struct repo *r)
{
	const struct schema_kind *k;
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(r->o.schema, i);
		if (!k)
			continue;
		r->source_of_kind[i] = (uint8_t)sources_index(r->o.sources,
							      k->source);
		r->row_of_kind[i] = r->source_of_kind[i] * (r->cpus + 1);
		r->context[i] = tasks_binds(r->o.tasks, i) ||
				!strcmp(k->source, SOURCE_REPO);
	}
}

int repo_new(struct repo **ret, const struct repo_options *o)
{
	struct repo *r = calloc(1, sizeof(*r));
	int err;

	if (!r)
		return -ENOMEM;
	r->o = *o;
	r->cpus = sources_cpus(o->sources);
	r->rows = sources_rows(o->sources, &r->row_count);
	sem_init(&r->spoken, 0, 0);
	r->scratch = malloc(RECORD_MAX);
	err = r->scratch ? repo_report_init(r) : -ENOMEM;
	if (err) {
		repo_free(r);
		return err;
	}
	map_kinds(r);
	err = repo_marks_init(r);
	if (err) {
		repo_free(r);
		return err;
	}
	*ret = r;
	return 0;
}

int repo_add_sink(struct repo *r, struct sink *s)
{
	if (r->sink_count == REPO_SINKS_MAX)
		return -ENOSPC;
	r->sinks[r->sink_count++] = s;
	return 0;
}

void repo_watch_archive(struct repo *r, struct archive_writer *w)
{
	r->archive = w;
}

void repo_watch_flight(struct repo *r, struct flight *f)
{
	r->flight = f;
	if (f)
		flight_bind(f, r);
}

int repo_start(struct repo *r)
{
	int err = repo_budget_new(r);

	if (err)
		return err;
	err = pthread_create(&r->thread, NULL, run, r);
	r->running = !err;
	return -err;
}

static void wake(struct repo *r)
{
	uint64_t one = 1;

	if (write(r->o.notify_fd, &one, sizeof(one)) < 0)
		return; /* full: it is awake */
}

void repo_began(struct repo *r)
{
	__atomic_store_n(&r->began, true, __ATOMIC_RELEASE);
	wake(r);
}

static void set_phase(struct repo *r, enum repo_phase phase)
{
	__atomic_store_n(&r->phase, phase, __ATOMIC_RELEASE);
	wake(r);
}

void repo_last_words(struct repo *r)
{
	if (!r->running)
		return;
	set_phase(r, REPO_LAST_WORDS);
	while (sem_wait(&r->spoken) && errno == EINTR)
		;
}

void repo_stop(struct repo *r)
{
	if (!r->running)
		return;
	set_phase(r, REPO_STOP);
	pthread_join(r->thread, NULL);
	r->running = false;
}

uint64_t repo_cpu_ns(const struct repo *r)
{
	return r->running ? self_thread_cpu_ns(r->thread) : 0;
}

void repo_stats(const struct repo *r, struct repo_stats *ret)
{
	const uint64_t *from = (const uint64_t *)&r->stats;
	uint64_t *to = (uint64_t *)ret;
	size_t i;

	for (i = 0; i < sizeof(*ret) / sizeof(*to); i++)
		to[i] = __atomic_load_n(&from[i], __ATOMIC_RELAXED);
}

int repo_close_sinks(struct repo *r)
{
	int err = 0, e;

	while (r->sink_count) {
		struct sink *s = r->sinks[--r->sink_count];

		e = s->ops->close(s);
		err = err ? err : e;
	}
	return err;
}

void repo_free(struct repo *r)
{
	if (!r)
		return;
	repo_close_sinks(r);
	repo_report_done(r);
	repo_marks_done(r);
	sem_destroy(&r->spoken);
	free(r->scratch);
	free(r);
}
