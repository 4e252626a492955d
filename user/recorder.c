// SPDX-License-Identifier: BSD-2-Clause
#include "recorder_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "clock.h"

#define MAIN_BYTES     (4U << 20)
#define MAIN_BYTES_MIN (64U << 10)  /* most records are far below its eighth */
#define OWN_BYTES      (256U << 10) /* the repo's mini-buffer */

/* ---- open ---------------------------------------------------------------- */

static int open_select(struct recorder *r, struct recorder_error *err)
{
	struct select_options so = {
		.sources = r->o.sources.names,
		.source_count = r->o.sources.name_count,
		.kinds = r->o.kinds,
		.kind_count = r->o.kind_count,
		.filter = r->o.filter,
	};

	return select_init(&r->select, &so, sources_schema(r->sources),
			   r->tasks, r->render.wall_offset, err->what,
			   sizeof(err->what), &err->filter);
}

static int make_account(struct recorder *r)
{
	size_t count;

	sources_rows(r->sources, &count);
	r->account = calloc(count, sizeof(*r->account));
	return r->account ? 0 : -ENOMEM;
}

/* A power of two. Return: 0; -EINVAL, having said why. */
static int size_main_ring(struct recorder *r, struct recorder_error *err)
{
	uint64_t bytes = MAIN_BYTES_MIN;

	if (!r->o.main_bytes)
		r->o.main_bytes = MAIN_BYTES;
	if (r->o.main_bytes < MAIN_BYTES_MIN ||
	    r->o.main_bytes > RING_SIZE_MAX) {
		snprintf(err->what, sizeof(err->what),
			 "--main-ring can have 64K to 1G");
		return -EINVAL;
	}
	while (bytes < r->o.main_bytes)
		bytes *= 2;
	r->o.main_bytes = bytes;
	return 0;
}

/* To what somebody wants: the user, or a trigger. */
static int narrow(struct recorder *r)
{
	struct source_need needs[TRIGGERS_MAX];
	unsigned i;

	for (i = 0; i < r->trigger_count; i++)
		needs[i] = (struct source_need){
			.kinds = trigger_kinds(r->triggers[i]),
			.filter = trigger_filter(r->triggers[i]),
		};
	return sources_narrow(r->sources, &r->select, needs, r->trigger_count);
}

int recorder_open(struct recorder **ret, const struct recorder_options *opts,
		  struct recorder_error *err)
{
	struct recorder *r = calloc(1, sizeof(*r));
	int e;

	memset(err, 0, sizeof(*err));
	if (!r)
		return -ENOMEM;
	r->o = *opts;
	r->o.sources.budget = opts->budget.ppm || opts->budget.bytes;
	r->notify_fd = -1;
	e = size_main_ring(r, err);
	if (!e)
		e = sources_open(&r->sources, &r->o.sources, err->what,
				 sizeof(err->what));
	if (!e)
		e = tasks_new(&r->tasks, sources_schema(r->sources));
	if (e)
		goto out;
	r->render.schema = sources_schema(r->sources);
	r->render.tasks = r->tasks;
	r->render.wall_offset = clock_wall_offset();
	e = open_select(r, err);
	if (!e)
		e = narrow(r);
	if (e)
		goto out;
	e = make_account(r);
	if (e)
		goto out;
	*ret = r;
	return 0;
out:
	recorder_free(r);
	return e;
}

const struct schema *recorder_schema(const struct recorder *r)
{
	return sources_schema(r->sources);
}

const struct sources *recorder_sources(const struct recorder *r)
{
	return r->sources;
}

struct render *recorder_render(struct recorder *r)
{
	return &r->render;
}

const struct tasks *recorder_tasks(const struct recorder *r)
{
	return r->tasks;
}

const struct select *recorder_select(const struct recorder *r)
{
	return &r->select;
}

void recorder_add_sink(struct recorder *r, struct sink *sink)
{
	if (r->sink_count < REPO_SINKS_MAX)
		r->sinks[r->sink_count++] = sink;
}

/* ---- the archive's questions --------------------------------------------- */

static int put_state(void *arg, const void *record, size_t len)
{
	return archive_state(arg, record, len);
}

static int on_state(void *arg, struct archive_writer *w)
{
	struct recorder *r = arg;

	return tasks_state(r->tasks, clock_now(), put_state, w);
}

static size_t on_account(void *arg, const struct account_row **ret)
{
	return recorder_account(arg, ret);
}

/* The first segment is begun before there is a repo, and loses nothing. */
static void on_lost(void *arg, const struct weir_hdr *h)
{
	struct recorder *r = arg;

	if (r->repo)
		repo_lost(r->repo, h);
}

/* All kinds of the sources that tell of tasks. */
static void find_vital(struct recorder *r)
{
	const struct schema *s = sources_schema(r->sources);
	const struct schema_kind *a, *b;
	unsigned i, j;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		a = tasks_binds(r->tasks, i) ? schema_kind(s, i) : NULL;
		for (j = 0; a && j < SCHEMA_KINDS_MAX; j++) {
			b = schema_kind(s, j);
			r->vital[j] |= b && !strcmp(a->source, b->source);
		}
	}
}

void recorder_archive(struct recorder *r, struct archive_options *opts)
{
	find_vital(r);
	opts->state = on_state;
	opts->account = on_account;
	opts->lost = on_lost;
	opts->vital = r->vital;
	opts->packers = archive_packers(sources_cpus(r->sources));
	opts->marked = opts->patient = r->o.sources.pin != NULL;
	opts->needed = r->needed;
	opts->arg = r;
}

void recorder_watch_archive(struct recorder *r, struct archive_writer *w)
{
	r->archive = w;
}

/* One that waits for what nobody makes would wait for ever. */
static bool can_fire(const struct recorder *r, const struct trigger *t)
{
	const struct schema_kind *k;
	struct source_info info;
	unsigned i, kind;

	for (i = 0; i < sources_count(r->sources); i++) {
		sources_info(r->sources, i, &info);
		for (kind = 0; kind < SCHEMA_KINDS_MAX; kind++) {
			k = schema_kind(sources_schema(r->sources), kind);
			if (k && info.wanted && trigger_kinds(t)[kind] &&
			    !strcmp(k->source, info.name))
				return true;
		}
	}
	return false;
}

int recorder_trigger(struct recorder *r, const char *text,
		     struct recorder_error *err)
{
	struct trigger *t;
	int rc;

	err->what[0] = '\0';
	if (r->trigger_count == TRIGGERS_MAX)
		return -ENOSPC;
	rc = trigger_new(&t, text, sources_schema(r->sources), r->tasks,
			 r->render.wall_offset, &err->filter);
	if (rc)
		return rc;
	r->triggers[r->trigger_count++] = t;
	rc = narrow(r);
	if (rc || can_fire(r, t))
		return rc;
	snprintf(err->what, sizeof(err->what),
		 "can never be true: what it asks for is not recorded (see -s, "
		 "-e)");
	return -EINVAL;
}

const struct trigger *recorder_trigger_at(const struct recorder *r, unsigned i)
{
	return i < r->trigger_count ? r->triggers[i] : NULL;
}

int recorder_flight(struct recorder *r, const struct flight_options *o)
{
	int err = flight_new(&r->flight, o, recorder_schema(r), r->tasks);
	unsigned i;

	if (err)
		return err;
	for (i = 0; i < r->trigger_count; i++)
		flight_trigger(r->flight, r->triggers[i], &r->render);
	recorder_add_sink(r, flight_sink(r->flight));
	return 0;
}

struct flight *recorder_flight_of(const struct recorder *r)
{
	return r->flight;
}

/* ---- start --------------------------------------------------------------- */

static int make_rings(struct recorder *r)
{
	int err;

	err = ring_new_pair(&r->main_p, &r->main_c, r->o.main_bytes, 0);
	if (!err)
		err = ring_new_pair(&r->own_p, &r->own_c, OWN_BYTES, 0);
	if (err)
		return err;
	r->notify_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return r->notify_fd < 0 ? -errno : 0;
}

static int make_aggregator(struct recorder *r)
{
	struct aggregator_options o = {
		.main = r->main_p,
		.notify_fd = r->notify_fd,
		.cpus = sources_cpus(r->sources),
		.holds = r->o.sources.pin != NULL,
	};
	struct source_ring ring;
	size_t rows;
	unsigned i;
	int err;

	o.rows = sources_rows(r->sources, &rows);
	err = aggregator_new(&r->aggregator, &o);
	for (i = 0; !err && i < sources_ring_count(r->sources); i++) {
		ring = sources_ring(r->sources, i);
		err = aggregator_add(r->aggregator, &ring);
	}
	if (!err)
		err = aggregator_add_user(
			r->aggregator, r->own_c,
			sources_index(r->sources, SOURCE_REPO));
	return err;
}

/* Where another recorder was, or NULL. */
static const struct resume *resume_of(const struct recorder *r)
{
	return r->resume.at.ring ? &r->resume.at : NULL;
}

static int make_repo(struct recorder *r)
{
	struct repo_options o = {
		.schema = sources_schema(r->sources),
		.sources = r->sources,
		.aggregator = r->aggregator,
		.main = r->main_c,
		.own = r->own_p,
		.notify_fd = r->notify_fd,
		.select = &r->select,
		.tasks = r->tasks,
		.budget = r->o.budget,
		.marks = r->o.sources.pin != NULL,
		.resume = resume_of(r),
		.stall_ns = sources_setting(r->sources, SOURCE_REPO, "stall"),
	};
	int err = repo_new(&r->repo, &o);

	if (err)
		return err;
	repo_watch_archive(r->repo, r->archive);
	repo_watch_flight(r->repo, r->flight);
	while (r->sink_count)
		repo_add_sink(r->repo, r->sinks[--r->sink_count]);
	return 0;
}

/* Say what kept the first wanted source off. */
static void explain(const struct recorder *r, int e, struct recorder_error *err)
{
	struct source_info info;
	unsigned i;

	snprintf(err->what, sizeof(err->what), "cannot record: %s%s",
		 strerror(-e), e == -EFBIG ? " (ulimit -f)" : "");
	for (i = 0; i < sources_count(r->sources); i++) {
		sources_info(r->sources, i, &info);
		if (!info.why[0])
			continue;
		snprintf(err->what, sizeof(err->what),
			 "cannot record: source '%s': %s", info.name, info.why);
		return;
	}
}

/* ---- going on where another one was ---------------------------------------
 */

int recorder_resume(struct recorder *r, const struct archive_resume *from,
		    int dir)
{
	int e = from ? resume_keep(&r->resume, from) : 0;

	r->takes = true;
	r->needed = from ? from->number : 0;
	if (from && !e)
		e = resume_tasks(r->tasks, sources_schema(r->sources), dir,
				 from->segment);
	return e;
}

static int resume(struct recorder *r, struct recorder_error *err)
{
	int e;

	e = aggregator_resume(r->aggregator, resume_of(r));
	if (e == -EBADMSG)
		snprintf(err->what, sizeof(err->what),
			 "the archive is not as its recorder left it: nothing "
			 "in it says how far that came");
	if (!e)
		sources_resume(r->sources, r->resume.rows, r->resume.count);
	return e;
}

int recorder_pin(struct recorder *r, const void *meta, size_t len)
{
	return sources_pin(r->sources, meta, len);
}

int recorder_load(struct recorder *r, struct recorder_error *err)
{
	int e;

	e = r->takes ? sources_take(r->sources) : sources_load(r->sources);
	if (!e)
		e = make_rings(r);
	if (!e)
		e = make_aggregator(r);
	if (!e && r->takes)
		e = resume(r, err);
	if (e && !err->what[0])
		explain(r, e, err);
	return e;
}

int recorder_start(struct recorder *r, struct recorder_error *err)
{
	int e;

	e = make_repo(r);
	if (!e && r->flight)
		e = flight_start(r->flight);
	if (!e)
		e = aggregator_start(r->aggregator);
	if (!e)
		e = repo_start(r->repo);
	if (e)
		explain(r, e, err);
	return e;
}

int recorder_attach(struct recorder *r, struct recorder_error *err)
{
	int e;

	aggregator_hurry(r->aggregator);
	if (r->flight)
		flight_hurry(r->flight);
	e = sources_attach(r->sources);
	if (e) {
		explain(r, e, err);
		return e;
	}
	r->started_ns = clock_now();
	repo_began(r->repo);
	if (r->flight)
		flight_began(r->flight, r->started_ns);
	return 0;
}

/* ---- while it runs, and after -------------------------------------------- */

void recorder_rotate(struct recorder *r)
{
	if (r->archive)
		archive_rotate(r->archive);
}

void recorder_halt(struct recorder *r)
{
	sources_halt(r->sources);
}

int recorder_stop(struct recorder *r)
{
	if (!r->repo)
		return 0;
	sources_detach(r->sources);
	repo_last_words(r->repo);
	aggregator_stop(r->aggregator);
	repo_stop(r->repo);
	if (r->flight)
		flight_stop(r->flight);
	sources_account(r->sources);
	return repo_close_sinks(r->repo);
}

static void close_sinks(struct recorder *r)
{
	while (r->sink_count) {
		struct sink *s = r->sinks[--r->sink_count];

		s->ops->close(s);
	}
}

void recorder_free(struct recorder *r)
{
	if (!r)
		return;
	if (r->repo)
		recorder_stop(r);
	else
		close_sinks(r);
	repo_free(r->repo);
	flight_free(r->flight);
	while (r->trigger_count)
		trigger_free(r->triggers[--r->trigger_count]);
	aggregator_free(r->aggregator);
	free(r->account);
	resume_forget(&r->resume);
	ring_producer_close(r->main_p);
	ring_consumer_close(r->main_c);
	ring_producer_close(r->own_p);
	ring_consumer_close(r->own_c);
	if (r->notify_fd >= 0)
		close(r->notify_fd);
	select_done(&r->select);
	tasks_free(r->tasks);
	sources_free(r->sources);
	free(r);
}
