// SPDX-License-Identifier: BSD-2-Clause
/*
 * replay.c - a pass over archives: join, select, count what is missing; see
 * replay.h.
 */
#include "replay.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "clock.h"
#include "self.h"
#include "units.h"

/*
 * A loss is reported at the latest so long after it happened, so a pass reads
 * on for that long to learn of the losses at the end of its interval.
 */
#define REPORT_DELAY_NS (5 * NS_PER_S)
#define TIME_MAX	(INT64_MAX - REPORT_DELAY_NS) /* as good as never */
#define TICK_EVENTS	4096
#define AHEAD		2	   /* frames, where it pays … */
#define AHEAD_EVENTS	(4U << 16) /* … which is from so many events on */
#define SOURCE_OF_NAMES "task"

/* ---- opening ------------------------------------------------------------- */

/* What times are reckoned from: realtime. */
static uint64_t end_of(const struct replay *r)
{
	return r->info.last_ns + (uint64_t)r->info.wall_offset;
}

/* A time as typed, relative to the archive's end, as a monotonic instant. */
static int resolve_time(const struct replay *r, const char *text, uint64_t *ret,
			struct replay_error *err)
{
	uint64_t wall;
	__int128 mono;

	if (!text)
		return 0;
	if (parse_time(text, end_of(r), &wall)) {
		snprintf(err->what, sizeof(err->what),
			 "'%.60s' is no time (write 14:03:20.5, "
			 "2026-11-22T14:03:20, or -5m)",
			 text);
		return -EINVAL;
	}
	mono = (__int128)wall - r->info.wall_offset;
	if (mono <= 0) /* before the boot: 0 would mean open */
		mono = 1;
	*ret = mono < TIME_MAX ? (uint64_t)mono : TIME_MAX;
	return 0;
}

static int resolve_span(struct replay *r, const struct replay_options *o,
			struct replay_error *err)
{
	int rc;

	rc = resolve_time(r, o->from, &r->from_ns, err);
	if (!rc)
		rc = resolve_time(r, o->to, &r->to_ns, err);
	if (!rc && r->to_ns && r->from_ns >= r->to_ns) {
		snprintf(err->what, sizeof(err->what),
			 "--from %.60s is not before --to %.60s", o->from,
			 o->to);
		rc = -EINVAL;
	}
	return rc;
}

static void bind_gap(struct replay *r, const struct schema *s)
{
	bound_init(&r->gap_of, s, "gap", "of");
	bound_init(&r->gap_count, s, "gap", "count");
	bound_init(&r->gap_first, s, "gap", "first");
	bound_init(&r->gap_last, s, "gap", "last");
	bound_init(&r->shed_of, s, "repo_shed", "of");
	bound_init(&r->shed_count, s, "repo_shed", "count");
	bound_init(&r->shed_first, s, "repo_shed", "first");
	bound_init(&r->shed_last, s, "repo_shed", "last");
}

static int open_parts(struct replay *r, const struct replay_options *o,
		      struct replay_error *err)
{
	const struct schema *schema = archive_schema(r->archive);
	struct select_options select = o->select;
	int rc = tasks_new(&r->tasks, schema);

	if (rc)
		return rc;
	archive_info(r->archive, &r->info);
	r->render = (struct render){
		.schema = schema,
		.tasks = r->tasks,
		.wall_offset = r->info.wall_offset,
		.utc = o->utc,
	};
	r->render.dated = render_day(&r->render, r->info.first_ns) !=
			  render_day(&r->render, r->info.last_ns);
	r->filter = o->select.filter;
	r->jobs = o->jobs;
	r->limit = o->limit;
	bind_gap(r, schema);
	rc = resolve_span(r, o, err);
	if (rc)
		return rc;
	select.near_ns = end_of(r);
	return select_init(&r->select, &select, schema, r->tasks,
			   r->info.wall_offset, err->what, sizeof(err->what),
			   &err->filter);
}

int replay_open(struct replay *r, char *const *paths, unsigned count,
		const struct replay_options *opts, struct replay_error *err)
{
	int rc;

	memset(r, 0, sizeof(*r));
	memset(err, 0, sizeof(*err));
	rc = archive_open(&r->archive, paths, count, &err->path);
	if (!rc)
		rc = open_parts(r, opts, err);
	if (rc)
		replay_close(r);
	return rc;
}

void replay_close(struct replay *r)
{
	select_done(&r->select);
	tasks_free(r->tasks);
	archive_free(r->archive);
	memset(r, 0, sizeof(*r));
}

/* ---- boots --------------------------------------------------------------- */

/*
 * Another boot has other tasks, and another clock: the filter's times are of
 * it. Return: 0; -ENOMEM.
 */
static int enter_boot(struct replay *r, unsigned boot)
{
	struct filter_error err;
	int rc = tasks_reset(r->tasks);

	r->render.boot = boot;
	r->render.shift = (uint64_t)archive_shift(r->archive, boot);
	if (rc || !r->filter)
		return rc;
	filter_free(r->select.filter);
	r->select.filter = NULL;
	rc = filter_compile(&r->select.filter, r->filter, r->render.schema,
			    r->tasks,
			    r->info.wall_offset + (int64_t)r->render.shift,
			    end_of(r), &err);
	return rc ? -ENOMEM : 0; /* it was no error before */
}

static int change_boot(struct replay *r)
{
	int rc = r->leave_boot ? r->leave_boot(r->leave_arg) : 0;

	return rc ? rc : enter_boot(r, archive_boot(r->archive));
}

/* Where a pass before this one has left something. */
static int begin(struct replay *r)
{
	return r->render.boot ? enter_boot(r, 0) : 0;
}

static void end(struct replay *r)
{
	if (r->info.boots < 2)
		return;
	r->render.shift = 0;
	r->render.wall_offset = r->info.wall_offset;
}

/* ---- a pass -------------------------------------------------------------- */

struct pass {
	struct replay *replay;
	int (*fn)(void *arg, const struct event *ev);
	void *arg;
};

static bool inside(const struct replay *r, uint64_t first, uint64_t last)
{
	return last >= r->from_ns && (!r->to_ns || first < r->to_ns) &&
	       (!r->over_ns || first < r->over_ns);
}

static bool is_called(struct field_bytes name, const char *text)
{
	return strlen(text) == name.len && !memcmp(text, name.data, name.len);
}

/* Does the answer need the events of the source called @name? */
static bool concerns(const struct replay *r, struct field_bytes name)
{
	const struct schema_kind *k;
	unsigned i;

	if (is_called(name, SOURCE_OF_NAMES))
		return true;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = r->select.kinds[i] ? schema_kind(r->render.schema, i)
				       : NULL;
		if (k && is_called(name, k->source))
			return true;
	}
	return false;
}

static int hand_over(struct pass *p, const struct event *ev)
{
	int err = p->fn(p->arg, ev);

	p->replay->refused = err != 0;
	return err;
}

/* An instant that is not known is 0: it was lost before it was told. */
static int on_gap(struct pass *p, const struct event *ev)
{
	struct replay *r = p->replay;
	uint64_t first = bound_u64(&r->gap_first, ev, ev->h->ts);
	uint64_t last = bound_u64(&r->gap_last, ev, 0);
	uint64_t count;

	if (!last)
		last = ev->h->ts;
	if (!inside(r, first + r->render.shift, last + r->render.shift))
		return 0;
	count = bound_u64(&r->gap_count, ev, 1);
	if (concerns(r, bound_bytes(&r->gap_of, ev))) {
		r->missing += count;
		r->gaps++;
	} else {
		r->others += count;
	}
	return select_match(&r->select, ev) ? hand_over(p, ev) : 0;
}

static void on_shed(struct replay *r, const struct event *ev)
{
	uint64_t first = bound_u64(&r->shed_first, ev, ev->h->ts);
	uint64_t last = bound_u64(&r->shed_last, ev, ev->h->ts);

	if (inside(r, first + r->render.shift, last + r->render.shift) &&
	    concerns(r, bound_bytes(&r->shed_of, ev)))
		r->shed += bound_u64(&r->shed_count, ev, 0);
}

static int on_event(void *arg, struct event *ev)
{
	struct pass *p = arg;
	struct replay *r = p->replay;
	uint64_t at;
	bool after;

	r->render.wall_offset = archive_wall_offset(r->archive);
	if (archive_boot(r->archive) != r->render.boot && change_boot(r))
		return -ENOMEM;
	at = ev->h->ts + r->render.shift;
	if (r->over_ns && at >= r->over_ns + REPORT_DELAY_NS)
		return -ECANCELED;
	after = r->over_ns || (r->to_ns && at >= r->to_ns);
	if (!after && tasks_apply(r->tasks, ev))
		return -ENOMEM;
	if (ev->kind->first->number == r->select.gap)
		return on_gap(p, ev);
	if (ev->kind->first->number == r->select.shed)
		on_shed(r, ev);
	if (after || at < r->from_ns || !select_match(&r->select, ev))
		return 0;
	r->events++;
	if (select_counts(&r->select, ev) && ++r->counted == r->limit)
		r->over_ns = at + 1;
	return hand_over(p, ev);
}

/* What tells of events that are not there. */
static void mark_told(const struct replay *r, bool *kinds)
{
	const struct schema_kind *k = schema_kind(r->render.schema,
						  r->select.shed);

	select_gaps(&r->select, r->render.schema, kinds);
	for (; k && r->select.shed; k = k->variant)
		kinds[k->number] = true;
}

/* One thread decodes while this one looks at what it made. */
static unsigned frames_ahead(const struct replay *r)
{
	return r->jobs != 1 && r->info.events >= AHEAD_EVENTS && self_cpus() > 1
		       ? AHEAD
		       : 0;
}

int replay_each(struct replay *r, int (*fn)(void *arg, const struct event *ev),
		void *arg)
{
	struct pass p = {.replay = r, .fn = fn, .arg = arg};
	bool kinds[SCHEMA_KINDS_MAX];
	struct archive_range range = {
		.from_ns = r->from_ns,
		.to_ns = r->to_ns ? r->to_ns + REPORT_DELAY_NS : 0,
		.kinds = kinds,
		.ahead = frames_ahead(r),
	};
	int rc = begin(r);

	if (rc)
		return rc;
	memcpy(kinds, r->select.kinds, sizeof(kinds));
	mark_told(r, kinds);
	if (range.from_ns && !range.to_ns)
		range.to_ns = UINT64_MAX;
	r->events = r->missing = r->gaps = r->others = r->shed = 0;
	r->over_ns = r->counted = 0;
	r->refused = false;
	rc = archive_each(r->archive, &range, on_event, &p);
	end(r);
	return rc == -ECANCELED && r->over_ns && !r->refused ? 0 : rc;
}

static int ignore(void *arg, const struct event *ev)
{
	(void)arg;
	(void)ev;
	return 0;
}

int replay_losses(struct replay *r, const bool *kinds, uint64_t from_ns,
		  uint64_t to_ns)
{
	struct replay asked = *r;
	struct pass p = {.replay = &asked, .fn = ignore};
	bool gap[SCHEMA_KINDS_MAX] = {false};
	struct archive_range range = {
		.from_ns = from_ns,
		.to_ns = to_ns < UINT64_MAX - REPORT_DELAY_NS
				 ? to_ns + REPORT_DELAY_NS
				 : UINT64_MAX,
		.kinds = gap,
		.bare = true,
	};
	int err;

	mark_told(r, gap);
	memcpy(asked.select.kinds, kinds, sizeof(asked.select.kinds));
	asked.from_ns = from_ns;
	asked.to_ns = to_ns == UINT64_MAX ? 0 : to_ns;
	asked.filter = NULL;
	asked.leave_boot = NULL;
	asked.limit = asked.over_ns = 0;
	asked.missing = asked.gaps = asked.others = asked.shed = 0;
	err = archive_each(r->archive, &range, on_event, &p);
	r->missing = asked.missing;
	r->gaps = asked.gaps;
	r->others = asked.others;
	r->shed = asked.shed;
	return err;
}

struct feed {
	struct sink *sink;
	unsigned count;
};

static int feed_sink(void *arg, const struct event *ev)
{
	struct feed *f = arg;
	int err = f->sink->ops->event(f->sink, ev);

	if (!err && ++f->count % TICK_EVENTS == 0)
		err = f->sink->ops->tick(f->sink, ev->h->ts);
	return err;
}

int replay_sink(struct replay *r, struct sink *sink)
{
	struct feed f = {.sink = sink};
	int err = replay_each(r, feed_sink, &f);
	int rc = sink->ops->tick(sink, r->info.last_ns);

	return err ? err : rc;
}
