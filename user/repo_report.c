// SPDX-License-Identifier: BSD-2-Clause
/* The repo as a source: losses, metrics, clocks and log lines as events. */
#include <errno.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../bpf/events.h"
#include "clock.h"
#include "repo_internal.h"
#include "self.h"

#define METRICS_NS	NS_PER_S
#define CLOCK_NS	(10 * NS_PER_S)
#define CLOCK_STEP_NS	(10 * NS_PER_MS)  /* larger: the wall clock was set */
#define SAMPLE_NS	(100 * NS_PER_MS) /* statistics on for so long */
#define SAMPLE_EVERY_NS (10 * NS_PER_S)

/* ---- writing ------------------------------------------------------------- */

void repo_write(struct repo *r, void *record, uint16_t kind, size_t len,
		uint16_t flags)
{
	struct weir_hdr *h = record;
	struct account_row *row;
	int cpu = sched_getcpu();

	h->ts = clock_now();
	h->kind = kind;
	h->cpu = cpu > 0 ? (uint16_t)cpu : 0;
	h->len = (uint16_t)len;
	h->flags = flags;
	h->pid = (uint32_t)getpid();
	h->tid = (uint32_t)gettid();
	row = &r->rows[r->row_of_kind[kind] +
		       (h->cpu < r->cpus ? h->cpu : r->cpus)];
	if (r->direct) {
		repo_count(&row->submitted, 1);
		repo_count(&row->delivered, 1);
		repo_accept(r, record, len);
	} else if (ring_write(r->o.own, kind, record, len) == RING_OK) {
		repo_count(&row->submitted, 1);
	} else {
		repo_count(&row->lost_kernel, 1);
	}
}

void repo_metric(struct repo *r, const char *name, const char *of,
		 const char *unit, int64_t value)
{
	struct ev_repo_metric ev = {.value = value};

	snprintf(ev.name, sizeof(ev.name), "%s", name);
	snprintf(ev.of, sizeof(ev.of), "%s", of);
	snprintf(ev.unit, sizeof(ev.unit), "%s", unit);
	repo_write(r, &ev, EV_REPO_METRIC, sizeof(ev), WEIR_F_CONTEXT);
}

void repo_log(struct repo *r, unsigned level, int err, const char *fmt, ...)
{
	struct {
		struct ev_repo_log ev;
		char text[504];
	} rec = {.ev = {.level = level, .code = (uint32_t)err}};
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(rec.text, sizeof(rec.text), fmt, args);
	va_end(args);
	if (n < 0)
		return;
	rec.ev.message.off = sizeof(rec.ev);
	rec.ev.message.full = (uint32_t)n;
	rec.ev.message.len = n < (int)sizeof(rec.text) ? (uint16_t)n
						       : sizeof(rec.text) - 1;
	repo_write(r, &rec, EV_REPO_LOG, sizeof(rec.ev) + rec.ev.message.len,
		   0);
}

static void write_clock(struct repo *r)
{
	struct ev_clock ev = {.monotonic = clock_now()};
	int64_t offset = clock_wall_offset(), step = offset - r->wall_offset;

	ev.realtime = ev.monotonic + (uint64_t)offset;
	ev.boottime = clock_read(CLOCK_BOOTTIME);
	repo_write(r, &ev, EV_CLOCK, sizeof(ev), WEIR_F_CONTEXT);
	if (r->wall_offset && llabs(step) > (long long)CLOCK_STEP_NS)
		repo_log(r, WEIR_LEVEL_WARNING, 0,
			 "the wall clock was set by %+lld ms",
			 (long long)step / (long long)NS_PER_MS);
	r->wall_offset = offset;
}

/* ---- losses -------------------------------------------------------------- */

static void write_gap(struct repo *r, const char *source, uint32_t cpu,
		      unsigned stage, uint64_t count, uint64_t first,
		      uint64_t last)
{
	struct ev_gap ev = {
		.stage = stage,
		.on_cpu = cpu,
		.count = count,
		.first = first,
		.last = last,
	};

	snprintf(ev.of, sizeof(ev.of), "%s", source);
	repo_write(r, &ev, EV_GAP, sizeof(ev), 0);
}

static void gap(void *arg, const char *source, uint32_t cpu, unsigned stage,
		uint64_t count, uint64_t first, uint64_t last)
{
	struct repo *r = arg;

	repo_count(&r->stats.lost, count);
	write_gap(r, source, cpu, stage, count, first, last);
}

struct account_row *repo_find_row(struct repo *r, const char *source,
				  uint32_t cpu)
{
	size_t i;

	for (i = 0; i < r->row_count; i++) {
		if (!strcmp(r->rows[i].source, source) && r->rows[i].cpu == cpu)
			return &r->rows[i];
	}
	return NULL;
}

/* Counted as kept when the archive took it; it then could not keep it. */
static void archive_gap(void *arg, const char *source, uint32_t cpu,
			uint64_t count, uint64_t first, uint64_t last)
{
	struct account_row *row = repo_find_row(arg, source, cpu);

	if (row) {
		repo_count(&row->kept, -count);
		repo_count(&row->lost_archive, count);
	}
	gap(arg, source, cpu, WEIR_STAGE_ARCHIVE, count, first, last);
}

static void main_ring_losses(struct repo *r)
{
	uint64_t lost, first, last;
	size_t i;

	for (i = 0; i < r->row_count; i++) {
		lost = __atomic_load_n(&r->rows[i].lost_main, __ATOMIC_ACQUIRE);
		if (lost == r->main_reported[i])
			continue;
		aggregator_lost_span(r->o.aggregator, i, &first, &last);
		if (r->main_until[i] > first)
			first = r->main_until[i];
		gap(r, r->rows[i].source, r->rows[i].cpu, WEIR_STAGE_MAIN_RING,
		    lost - r->main_reported[i], first, last);
		r->main_reported[i] = lost;
		r->main_until[i] = last;
	}
}

/* The repo's own mini-buffer was full. */
static void own_losses(struct repo *r)
{
	const struct account_row *row = &r->rows[r->row_of_kind[EV_GAP]];
	uint64_t lost = 0;
	unsigned i;

	for (i = 0; i <= r->cpus; i++)
		lost += row[i].lost_kernel;
	if (lost == r->own_reported)
		return;
	gap(r, SOURCE_REPO, ACCOUNT_ANY_CPU, WEIR_STAGE_KERNEL_RING,
	    lost - r->own_reported, r->own_until, clock_now());
	r->own_reported = lost;
	r->own_until = clock_now();
}

/* Counted when they came (repo_unfit()). */
static void unfit_losses(struct repo *r)
{
	const struct account_row *row;
	struct repo_untold u;
	size_t i;

	for (i = 0; i < r->row_count; i++) {
		u = r->unfit[i];
		if (!u.count)
			continue;
		row = &r->rows[i];
		r->unfit[i] = (struct repo_untold){0};
		repo_log(r, WEIR_LEVEL_ERROR, EBADMSG,
			 "%llu records of %s do not fit their kind",
			 (unsigned long long)u.count, row->source);
		gap(r, row->source, row->cpu, WEIR_STAGE_ARCHIVE, u.count,
		    u.first, u.last);
	}
}

static void note_told(struct resume_told *t, int sign, uint64_t count,
		      uint64_t last)
{
	t->count += (uint64_t)sign * count;
	if (sign > 0 && last > t->until)
		t->until = last;
}

static void note_gap(struct repo *r, const struct ev_gap *ev, int sign)
{
	struct account_row *row = repo_find_row(r, ev->of, ev->on_cpu);

	if (row && ev->stage < REPO_STAGES)
		note_told(&r->told[(size_t)(row - r->rows) * REPO_STAGES +
				   ev->stage],
			  sign, ev->count, ev->last);
}

void repo_told(struct repo *r, const struct weir_hdr *h, int sign)
{
	const struct ev_repo_shed *ev = (const struct ev_repo_shed *)h;

	if (!r->told)
		return;
	if (h->kind == EV_GAP)
		note_gap(r, (const struct ev_gap *)h, sign);
	else if (h->kind == EV_REPO_SHED)
		note_told(
			repo_told_shed(r, sources_index(r->o.sources, ev->of)),
			sign, ev->count, ev->last);
}

void repo_lost(struct repo *r, const struct weir_hdr *h)
{
	const struct ev_gap *ev = (const struct ev_gap *)h;
	struct account_row *row;
	struct repo_untold *u;

	repo_told(r, h, -1);
	if (h->kind == EV_REPO_SHED)
		repo_budget_untold(r, (const struct ev_repo_shed *)h);
	if (h->kind != EV_GAP || ev->stage >= REPO_STAGES)
		return;
	row = repo_find_row(r, ev->of, ev->on_cpu);
	if (!row)
		return;
	u = &r->untold[(size_t)(row - r->rows) * REPO_STAGES + ev->stage];
	if (!u->count || ev->first < u->first)
		u->first = ev->first;
	if (ev->last > u->last)
		u->last = ev->last;
	u->count += ev->count;
}

static void tell_again(struct repo *r)
{
	struct repo_untold u;
	size_t i;

	for (i = 0; i < r->row_count * REPO_STAGES; i++) {
		u = r->untold[i];
		if (!u.count)
			continue;
		r->untold[i] = (struct repo_untold){0};
		write_gap(r, r->rows[i / REPO_STAGES].source,
			  r->rows[i / REPO_STAGES].cpu, i % REPO_STAGES,
			  u.count, u.first, u.last);
	}
}

/* While nothing can be written it would be lost as well. */
static void archive_losses(struct repo *r)
{
	struct archive_stats s;

	archive_lost(r->archive, archive_gap, r);
	archive_writer_stats(r->archive, &s);
	__atomic_store_n(&r->stats.retired, s.retired, __ATOMIC_RELAXED);
	if (!s.error && s.waiting <= 1)
		tell_again(r);
}

void repo_report_losses(struct repo *r)
{
	own_losses(r);
	sources_losses(r->o.sources, gap, r);
	main_ring_losses(r);
	unfit_losses(r);
	if (r->archive)
		archive_losses(r);
}

/* ---- what recording costs ------------------------------------------------ */

static void sample_begin(struct repo *r, uint64_t now)
{
	r->due.sample = now + SAMPLE_EVERY_NS;
	if (sources_measure(r->o.sources, true)) {
		repo_budget_guess(r, now);
		return;
	}
	repo_budget_begin(r, now);
	sources_costs(r->o.sources, r->before, REPO_PROGRAMS_MAX);
	r->sample_start = clock_now();
	r->sampling = true;
	r->due.sample = now + SAMPLE_NS;
}

/* Of each program; those that the budget takes meanwhile are not told of. */
static uint64_t tell_costs(struct repo *r, size_t n, uint64_t span, bool tells)
{
	uint64_t ppm, sum = 0;
	size_t i;

	for (i = 0; i < n; i++) {
		r->now[i].ns -= r->before[i].ns;
		ppm = r->now[i].ns * 1000000 / span;
		sum += ppm;
		if (ppm && tells)
			repo_metric(r, "bpf_time", r->now[i].program, "ppm",
				    (int64_t)ppm);
	}
	return sum;
}

static void sample_end(struct repo *r, uint64_t now)
{
	size_t n = sources_costs(r->o.sources, r->now, REPO_PROGRAMS_MAX);
	uint64_t span = clock_now() - r->sample_start, sum;

	sources_measure(r->o.sources, false);
	r->sampling = false;
	r->due.sample = now + SAMPLE_EVERY_NS;
	if (n > REPO_PROGRAMS_MAX)
		n = REPO_PROGRAMS_MAX;
	sum = tell_costs(r, n, span, now >= r->due.costs);
	if (now >= r->due.costs)
		r->due.costs = now + SAMPLE_EVERY_NS;
	__atomic_store_n(&r->stats.bpf_ppm, sum, __ATOMIC_RELAXED);
	repo_budget_end(r, r->now, n, now);
}

static void source_metrics(struct repo *r, uint64_t span)
{
	uint64_t delivered, before;
	size_t i, last;

	for (i = 0; i < r->row_count; i = last + 1) {
		delivered = before = 0;
		for (last = i + r->cpus; i <= last; i++) {
			delivered += r->rows[i].delivered;
			before += r->delivered_before[i];
			r->delivered_before[i] = r->rows[i].delivered;
		}
		if (delivered != before)
			repo_metric(r, "rate", r->rows[last].source, "1/s",
				    (int64_t)((delivered - before) * NS_PER_S /
					      span));
	}
}

/* Blocks on their way, and when they begin and end to be packed less. */
static void archive_metrics(struct repo *r)
{
	struct archive_stats s;
	bool hurries;

	archive_writer_stats(r->archive, &s);
	if (s.waiting)
		repo_metric(r, "archive_waiting", "", "blocks", s.waiting);
	hurries = s.hurried != r->hurried;
	if (hurries && !r->hurries)
		repo_log(r, WEIR_LEVEL_WARNING, 0,
			 "the archive falls behind: blocks are packed less");
	if (!hurries && r->hurries)
		repo_log(r, WEIR_LEVEL_INFO, 0,
			 "the archive has caught up: %llu blocks packed less",
			 (unsigned long long)s.hurried);
	r->hurries = hurries;
	r->hurried = s.hurried;
}

void repo_report_window(struct repo *r)
{
	struct window_stats w;

	window_stats(flight_window(r->flight), &w);
	repo_metric(r, "window_reach", "", "ns", (int64_t)w.reach_ns);
	repo_metric(r, "window_used", "", "bytes", (int64_t)w.used);
}

static void metrics(struct repo *r, uint64_t now)
{
	uint64_t span = now - r->metrics_at, cpu = self_cpu_ns();
	struct ring_stats ring;

	r->due.metrics = now + METRICS_NS;
	if (!span)
		return;
	sources_account(r->o.sources);
	source_metrics(r, span);
	ring_consumer_stats(r->o.main, &ring);
	repo_metric(r, "main_ring_used", "", "bytes", (int64_t)ring.used);
	repo_metric(r, "cpu", "", "ppm",
		    (int64_t)((cpu - r->cpu_before) * 1000000 / span));
	repo_metric(r, "rss", "", "bytes", (int64_t)self_rss());
	repo_metric(r, "tasks", "", "tasks", (int64_t)tasks_count(r->o.tasks));
	if (r->archive)
		archive_metrics(r);
	if (r->flight)
		repo_report_window(r);
	repo_budget_report(r, now);
	r->metrics_at = now;
	r->cpu_before = cpu;
}

/* ---- when ---------------------------------------------------------------- */

void repo_report_start(struct repo *r, uint64_t now)
{
	r->metrics_at = now;
	r->cpu_before = self_cpu_ns();
	r->due.metrics = now + METRICS_NS;
	r->due.clock = now + CLOCK_NS;
	r->due.sample = now + 2 * REPO_TICK_NS;
	write_clock(r);
	repo_log(r, WEIR_LEVEL_INFO, 0,
		 r->o.resume ? "weir " WEIR_VERSION " goes on recording"
			     : "weir " WEIR_VERSION " records");
}

void repo_report_tick(struct repo *r, uint64_t now)
{
	bool hurries = repo_budget_tick(r, now);

	repo_report_losses(r);
	if (now >= r->due.sample && r->sampling)
		sample_end(r, now);
	else if (now >= r->due.sample || hurries)
		sample_begin(r, now);
	if (now >= r->due.metrics)
		metrics(r, now);
	if (now >= r->due.clock) {
		r->due.clock = now + CLOCK_NS;
		write_clock(r);
	}
}

/* What the end did not tell of, into the stream. */
static void report_cut(struct repo *r)
{
	struct source_info info;
	unsigned i;

	for (i = 0; i < sources_count(r->o.sources); i++) {
		sources_info(r->o.sources, i, &info);
		if (info.cut)
			repo_log(r, WEIR_LEVEL_ERROR, 0, "source '%s': %s",
				 info.name, info.why);
	}
}

void repo_report_all(struct repo *r, uint64_t now)
{
	report_cut(r);
	if (r->sampling)
		sample_end(r, now);
	repo_report_losses(r);
	metrics(r, now);
	write_clock(r);
}

int repo_report_init(struct repo *r)
{
	r->main_reported = calloc(r->row_count, sizeof(uint64_t));
	r->main_until = calloc(r->row_count, sizeof(uint64_t));
	r->delivered_before = calloc(r->row_count, sizeof(uint64_t));
	r->untold = calloc(r->row_count * REPO_STAGES, sizeof(*r->untold));
	r->unfit = calloc(r->row_count, sizeof(*r->unfit));
	if (!r->main_reported || !r->main_until || !r->delivered_before ||
	    !r->untold || !r->unfit)
		return -ENOMEM;
	return 0;
}

void repo_report_done(struct repo *r)
{
	free(r->main_reported);
	free(r->main_until);
	free(r->delivered_before);
	free(r->untold);
	free(r->unfit);
	free(r->budget);
}
