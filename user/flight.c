// SPDX-License-Identifier: BSD-2-Clause
#include "flight.h"

#include <errno.h>
#include <limits.h>
#include <malloc.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"
#include "repo_internal.h"

#define EVENT_LEN   1024
#define HEAP_BYTES  (256 << 10)
#define WRITER_NICE 19

/* Who may write to a slot. */
enum slot_state {
	SLOT_FREE,    /* nobody */
	SLOT_CLAIMED, /* who asks */
	SLOT_TAKEN,   /* its thread; the repo: end, phase and marks */
	SLOT_OVER,    /* the repo, which has no more to do with it: frees it */
};

/* What the repo has done for the end of a snapshot. */
enum end_phase {
	END_DUE,    /* nothing yet */
	END_MARKED, /* an event after the end is on its way */
	END_TOLD,   /* losses up to the end are on their way */
	END_KNOWN,  /* all of it is in the window */
};

struct slot {
	struct flight *flight;
	int state; /* enum slot_state, atomic */
	pthread_t writer;
	pid_t writer_tid;
	bool writes; /* it runs */
	sem_t go;
	struct snapshot_result *result; /* the writer's */
	struct snapshot_copy *copy;	/* the copier's */
	struct snapshot_plan plan;
	int plan_error; /* of the thread's start, 0: none */
	char path[SNAPSHOT_PATH_LEN], why[SNAPSHOT_WHY_LEN], event[EVENT_LEN];
	uint64_t due_ns; /* its time is over */
	struct snapshot_end end;
	enum end_phase phase;
	uint64_t mark_ns; /* what was sent then has a later time stamp */
};

struct flight {
	struct sink sink;
	struct window *window;
	const struct schema *schema;
	const struct tasks *tasks;
	char dir[PATH_MAX];
	int dir_fd;
	const char *options; /* flight_options.asked */
	uint64_t began_ns;
	int event_fd;
	bool stopping;
	struct snapshot_copier copier;
	sem_t runs; /* one more writer is there: its tid, plan_error */
	struct slot slots[FLIGHT_SNAPSHOTS_MAX];
	uint64_t asked, refused;
	struct repo *repo;
	struct trigger *triggers[TRIGGERS_MAX];
	unsigned trigger_count;
	uint32_t by_kind[SCHEMA_KINDS_MAX]; /* which triggers may fire */
	const struct render *render;
	struct buf line;      /* of the event that made one fire */
	pthread_mutex_t lock; /* of what follows; not taken by the repo */
	struct snapshot_result *results; /* the nth to end at n % MAX */
	uint64_t ended, failed;
};

/* ---- as a sink ----------------------------------------------------------- */

static const char *event_line(struct flight *f, const struct event *ev)
{
	buf_reset(&f->line);
	render_text(&f->line, f->render, ev);
	buf_putc(&f->line, '\0');
	return buf_err(&f->line) ? "" : f->line.data;
}

static void fire(struct flight *f, const struct trigger *t,
		 const struct event *ev)
{
	char why[SNAPSHOT_WHY_LEN];
	struct flight_ask ask = {
		.after_ns = trigger_after_ns(t),
		.why = why,
		.event = event_line(f, ev),
	};
	uint64_t number;
	int err;

	snprintf(why, sizeof(why), "trigger: %s", trigger_text(t));
	err = flight_ask(f, &ask, &number);
	if (err)
		repo_log(f->repo, WEIR_LEVEL_WARNING, -err,
			 "no snapshot, others are being taken: %s", why);
	else
		repo_log(f->repo, WEIR_LEVEL_INFO, 0, "snapshot %llu: %s: %.*s",
			 (unsigned long long)number, why,
			 (int)strcspn(ask.event, "\n"), ask.event);
}

static bool look_at(struct flight *f, struct trigger *t, const struct event *ev)
{
	switch (trigger_event(t, ev)) {
	case TRIGGER_FIRES:
		fire(f, t, ev);
		return true;
	case TRIGGER_HOLDS:
		repo_log(f->repo, WEIR_LEVEL_WARNING, 0,
			 "held back by its limits, trigger: %s",
			 trigger_text(t));
		break;
	case TRIGGER_HELD:
	case TRIGGER_NOTHING:
		break;
	}
	return false;
}

/* Not at the end, when the log comes back before it was sent. */
bool flight_look(struct flight *f, const struct event *ev)
{
	uint32_t set = f->by_kind[ev->kind->number];
	bool any = false;

	if (!set || !f->repo || f->repo->direct)
		return false;
	for (; set; set &= set - 1)
		any |= look_at(f, f->triggers[__builtin_ctz(set)], ev);
	return any;
}

static int on_event(struct sink *s, const struct event *ev)
{
	struct flight *f = (struct flight *)s;

	window_put(f->window, ev);
	return 0;
}

static int on_tick(struct sink *s, uint64_t mono_ns)
{
	struct flight *f = (struct flight *)s;

	(void)mono_ns;
	window_tick(f->window);
	return 0;
}

static int on_close(struct sink *s)
{
	(void)s;
	return 0;
}

static const struct sink_ops flight_ops = {
	.name = "window",
	.event = on_event,
	.tick = on_tick,
	.close = on_close,
};

struct sink *flight_sink(struct flight *f)
{
	return &f->sink;
}

const struct window *flight_window(const struct flight *f)
{
	return f->window;
}

/* ---- a snapshot's threads ------------------------------------------------ */

static void remember(struct flight *f, const struct snapshot_result *r)
{
	uint64_t one = 1;

	pthread_mutex_lock(&f->lock);
	f->results[f->ended % FLIGHT_RESULTS_MAX] = *r;
	__atomic_store_n(&f->ended, f->ended + 1, __ATOMIC_RELAXED);
	__atomic_store_n(&f->failed, f->failed + (r->err != 0),
			 __ATOMIC_RELAXED);
	pthread_mutex_unlock(&f->lock);
	if (write(f->event_fd, &one, sizeof(one)) < 0)
		return; /* full: it is readable */
}

/* Return: false: it is woken for nothing, to end. */
static bool is_called(struct slot *s)
{
	while (sem_wait(&s->go) && errno == EINTR)
		;
	return __atomic_load_n(&s->state, __ATOMIC_ACQUIRE) == SLOT_TAKEN;
}

static void *run_writer(void *arg)
{
	struct slot *s = arg;

	s->writer_tid = gettid();
	/* so that names are of that directory, wherever it is moved */
	if (unshare(CLONE_FS) || fchdir(s->flight->dir_fd))
		s->plan_error = -errno;
	sem_post(&s->flight->runs);
	while (is_called(s)) {
		snapshot_take(&s->plan, s->copy, s->result);
		remember(s->flight, s->result);
		__atomic_store_n(&s->state, SLOT_OVER, __ATOMIC_RELEASE);
	}
	return NULL;
}

/* ---- asking -------------------------------------------------------------- */

static struct slot *claim(struct flight *f)
{
	int want;
	unsigned i;

	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++) {
		want = SLOT_FREE;
		if (__atomic_compare_exchange_n(
			    &f->slots[i].state, &want, SLOT_CLAIMED, false,
			    __ATOMIC_SEQ_CST, __ATOMIC_RELAXED))
			return &f->slots[i];
	}
	__atomic_add_fetch(&f->refused, 1, __ATOMIC_RELAXED);
	return NULL;
}

static void fill(struct slot *s, const struct flight_ask *ask, uint64_t number)
{
	const char *event = ask->event ? ask->event : "";
	struct flight *f = s->flight;

	snprintf(s->path, sizeof(s->path), "%s", ask->path ? ask->path : "");
	snprintf(s->why, sizeof(s->why), "%s", ask->why);
	snprintf(s->event, sizeof(s->event), "%.*s", (int)strcspn(event, "\n"),
		 event);
	s->plan = (struct snapshot_plan){
		.window = f->window,
		.schema = f->schema,
		.end = &s->end,
		.stopping = &f->stopping,
		.number = number,
		.begun_ns = __atomic_load_n(&f->began_ns, __ATOMIC_RELAXED),
		.path = ask->path ? s->path : NULL,
		.dir = f->dir,
		.error = s->plan_error,
		.why = s->why,
		.event = s->event,
		.asked = f->options,
	};
	s->end = (struct snapshot_end){0};
	s->phase = END_DUE;
	s->due_ns = clock_now() + ask->after_ns;
}

int flight_ask(struct flight *f, const struct flight_ask *ask,
	       uint64_t *ret_number)
{
	struct slot *s;
	uint64_t number;

	if (ask->path && strlen(ask->path) >= SNAPSHOT_PATH_LEN)
		return -ENAMETOOLONG;
	s = claim(f);
	if (!s)
		return -EBUSY;
	/* after the claim: either this sees the flag or flight_end() it */
	if (__atomic_load_n(&f->stopping, __ATOMIC_SEQ_CST)) {
		__atomic_store_n(&s->state, SLOT_FREE, __ATOMIC_RELEASE);
		return -ESHUTDOWN;
	}
	number = __atomic_add_fetch(&f->asked, 1, __ATOMIC_RELAXED);
	fill(s, ask, number);
	if (ret_number)
		*ret_number = number;
	snapshot_copy_ask(s->copy, &s->end);
	__atomic_store_n(&s->state, SLOT_TAKEN, __ATOMIC_RELEASE);
	snapshot_copier_wake(&f->copier);
	sem_post(&s->go);
	return 0;
}

/* ---- the end of a snapshot, by the repo ---------------------------------- */

static enum slot_state state_of(const struct slot *s)
{
	return __atomic_load_n(&s->state, __ATOMIC_SEQ_CST);
}

static void set_to(struct slot *s, uint64_t ns)
{
	__atomic_store_n(&s->end.to_ns, ns, __ATOMIC_RELEASE);
}

static void set_known(struct slot *s)
{
	s->end.pos = window_end(s->flight->window);
	s->phase = END_KNOWN;
	__atomic_store_n(&s->end.known, 1, __ATOMIC_RELEASE);
}

static void step(struct slot *s, struct repo *r, uint64_t stream_ns)
{
	uint64_t now;

	switch (s->phase) {
	case END_DUE:
		now = clock_now();
		if (now < s->due_ns)
			return;
		set_to(s, now); /* before anything later can be in the window */
		s->mark_ns = now;
		s->phase = END_MARKED;
		repo_log(r, WEIR_LEVEL_INFO, 0, "snapshot %llu ends here: %s",
			 (unsigned long long)s->plan.number, s->why);
		return;
	case END_MARKED:
		if (stream_ns <= s->mark_ns)
			return;
		repo_report_losses(r);
		s->mark_ns = clock_now();
		s->phase = END_TOLD;
		repo_report_window(r);
		return;
	case END_TOLD:
		if (stream_ns > s->mark_ns)
			set_known(s);
		return;
	case END_KNOWN:
		return;
	}
}

void flight_tick(struct flight *f, struct repo *r, uint64_t stream_ns)
{
	enum slot_state state;
	struct slot *s;

	for (s = f->slots; s < f->slots + FLIGHT_SNAPSHOTS_MAX; s++) {
		state = state_of(s);
		if (state == SLOT_TAKEN)
			step(s, r, stream_ns);
		else if (state == SLOT_OVER)
			__atomic_store_n(&s->state, SLOT_FREE,
					 __ATOMIC_RELEASE);
	}
}

void flight_told(struct flight *f, uint64_t ts)
{
	window_told(f->window, ts);
}

void flight_end(struct flight *f, uint64_t stream_ns)
{
	struct slot *s;

	__atomic_store_n(&f->stopping, true, __ATOMIC_SEQ_CST);
	for (s = f->slots; s < f->slots + FLIGHT_SNAPSHOTS_MAX; s++) {
		/* who claimed it before the flag was set hands it over now */
		while (state_of(s) == SLOT_CLAIMED)
			clock_sleep(NS_PER_US);
		if (state_of(s) != SLOT_TAKEN || s->phase == END_KNOWN)
			continue;
		if (!s->end.to_ns)
			set_to(s, stream_ns);
		set_known(s);
	}
}

/* ---- questions ----------------------------------------------------------- */

int flight_fd(const struct flight *f)
{
	return f->event_fd;
}

void flight_seen(struct flight *f)
{
	uint64_t n;

	if (read(f->event_fd, &n, sizeof(n)) < 0)
		return; /* nothing new */
}

bool flight_ended(struct flight *f, uint64_t *cursor,
		  struct snapshot_result *ret)
{
	bool found;

	pthread_mutex_lock(&f->lock);
	if (*cursor + FLIGHT_RESULTS_MAX < f->ended)
		*cursor = f->ended - FLIGHT_RESULTS_MAX;
	found = *cursor < f->ended;
	if (found)
		*ret = f->results[(*cursor)++ % FLIGHT_RESULTS_MAX];
	pthread_mutex_unlock(&f->lock);
	return found;
}

void flight_stats(const struct flight *f, struct flight_stats *ret)
{
	unsigned i;

	*ret = (struct flight_stats){
		.asked = __atomic_load_n(&f->asked, __ATOMIC_RELAXED),
		.refused = __atomic_load_n(&f->refused, __ATOMIC_RELAXED),
		.ended = __atomic_load_n(&f->ended, __ATOMIC_RELAXED),
		.failed = __atomic_load_n(&f->failed, __ATOMIC_RELAXED),
	};
	window_stats(f->window, &ret->window);
	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++)
		ret->active += state_of(&f->slots[i]) == SLOT_TAKEN;
}

/* ---- triggers ------------------------------------------------------------ */

void flight_trigger(struct flight *f, struct trigger *t,
		    const struct render *render)
{
	unsigned kind;

	for (kind = 0; kind < SCHEMA_KINDS_MAX; kind++)
		if (trigger_kinds(t)[kind])
			f->by_kind[kind] |= 1U << f->trigger_count;
	f->render = render;
	f->triggers[f->trigger_count++] = t;
}

const struct trigger *flight_trigger_at(const struct flight *f, unsigned i)
{
	return i < f->trigger_count ? f->triggers[i] : NULL;
}

void flight_bind(struct flight *f, struct repo *r)
{
	f->repo = r;
}

/* ---- life ---------------------------------------------------------------- */

/*
 * glibc takes what was freed once as what is usual, up to 32 MiB, and then
 * leaves that much in the heap of each thread: of each that has ever written a
 * snapshot. Said once, it does not. (mallopt(3), "dynamic mmap threshold")
 */
static void keep_heaps_small(void)
{
	mallopt(M_MMAP_THRESHOLD, HEAP_BYTES);
	mallopt(M_TRIM_THRESHOLD, 2 * HEAP_BYTES);
}

int flight_new(struct flight **ret, const struct flight_options *o,
	       const struct schema *schema, const struct tasks *tasks)
{
	struct flight *f = calloc(1, sizeof(*f));
	unsigned i;
	int err;

	if (!f)
		return -ENOMEM;
	keep_heaps_small();
	f->sink = (struct sink){.ops = &flight_ops, .wants_context = true};
	f->schema = schema;
	f->tasks = tasks;
	pthread_mutex_init(&f->lock, NULL);
	sem_init(&f->runs, 0, 0);
	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++) {
		f->slots[i].flight = f;
		f->slots[i].copy = &f->copier.copies[i];
		sem_init(&f->slots[i].go, 0, 0);
	}
	f->event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	err = f->event_fd < 0 ? -errno : 0;
	memcpy(f->dir, o->dir, sizeof(f->dir));
	f->dir_fd = o->dir_fd;
	f->options = o->asked;
	f->results = calloc(FLIGHT_RESULTS_MAX, sizeof(*f->results));
	if (!err)
		err = f->results ? window_new(&f->window, &o->window, tasks)
				 : -ENOMEM;
	snapshot_copier_init(&f->copier, f->window);
	if (err) {
		flight_free(f);
		return err;
	}
	*ret = f;
	return 0;
}

static int start_writer(struct slot *s)
{
	int err;

	s->result = malloc(sizeof(*s->result));
	if (!s->result)
		return -ENOMEM;
	err = pthread_create(&s->writer, NULL, run_writer, s);
	s->writes = !err;
	while (!err && sem_wait(&s->flight->runs))
		; /* EINTR */
	return -err;
}

int flight_start(struct flight *f)
{
	int err = snapshot_copier_start(&f->copier);
	unsigned i;

	for (i = 0; !err && i < FLIGHT_SNAPSHOTS_MAX; i++)
		err = start_writer(&f->slots[i]);
	return err;
}

void flight_hurry(struct flight *f)
{
	unsigned i;

	snapshot_copier_hurry(&f->copier);
	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++)
		(void)setpriority(PRIO_PROCESS, (id_t)f->slots[i].writer_tid,
				  WRITER_NICE);
}

void flight_began(struct flight *f, uint64_t now_ns)
{
	__atomic_store_n(&f->began_ns, now_ns, __ATOMIC_RELAXED);
}

/* A thread that finds nothing to do when it is woken ends. */
static void stop_writer(struct slot *s)
{
	if (!s->writes)
		return;
	sem_post(&s->go);
	pthread_join(s->writer, NULL);
	s->writes = false;
}

void flight_stop(struct flight *f)
{
	unsigned i;

	__atomic_store_n(&f->stopping, true, __ATOMIC_RELEASE);
	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++)
		stop_writer(&f->slots[i]);
	snapshot_copier_stop(&f->copier);
}

void flight_free(struct flight *f)
{
	unsigned i;

	if (!f)
		return;
	flight_stop(f);
	for (i = 0; i < FLIGHT_SNAPSHOTS_MAX; i++) {
		sem_destroy(&f->slots[i].go);
		free(f->slots[i].result);
	}
	snapshot_copier_done(&f->copier);
	sem_destroy(&f->runs);
	if (f->event_fd >= 0)
		close(f->event_fd);
	pthread_mutex_destroy(&f->lock);
	window_free(f->window);
	buf_done(&f->line);
	free(f->results);
	free(f);
}
