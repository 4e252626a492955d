// SPDX-License-Identifier: BSD-2-Clause
/*
 * repo_budget.c - what recording takes, measured, and what the budget makes of
 * it (budget.h), done and told as events.
 *
 * Time in the kernel is known while its statistics are on, a tenth of each
 * second, and more often while it looks as if it were too much: they cost about
 * as much as a small event. Between, and where weir has no right to them, it is
 * the number of events, which is always known, by what one costs. Its own time
 * and the bytes come in lumps, block by block, so that these are averages.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "../bpf/events.h"
#include "budget.h"
#include "clock.h"
#include "repo_internal.h"
#include "self.h"

#define EVERY_NS  NS_PER_S
#define HURRY_NS  (300 * NS_PER_MS) /* to the next, when it seems too much */
#define WINDOW_NS NS_PER_S	    /* averages are over so long at most */
#define SETTLE_NS (300 * NS_PER_MS) /* before a new rate shows in them */
#define READINGS  16
/* Until they are known, and where they cannot be: as measured on 6.18. */
#define EVENT_NS    500	  /* in the kernel */
#define BARE_NS	    100	  /* of one that is shed */
#define USER_NS	    500	  /* in weir's threads */
#define MANY_EVENTS 20000 /* a second, that tell what one takes here */
#define PACKED	    0.15  /* bytes in the archive for one of an event */
#define PACKED_FROM (256U << 10)

struct reading {
	uint64_t ns, cpu_ns, events;
	uint64_t asked[SOURCES_MAX], bytes[SOURCES_MAX];
};

struct repo_budget {
	struct budget budget;
	uint64_t bytes[SOURCES_MAX]; /* of events that came, by source */
	struct reading ring[READINGS];
	unsigned readings; /* made so far */
	struct reading at; /* when measuring began */
	uint64_t
		clean_ns; /* readings from here on are of the rates there are */
	uint64_t decided_ns;
	bool measured;		      /* the programs ever were */
	double event_ns[SOURCES_MAX]; /* in the kernel, of an event asked about
				       */
	double user_ns;		      /* here, of one that came */
	double packed;		      /* bytes written for one of an event */
	uint64_t packed_bytes, packed_of; /* when that was learned */
	uint64_t shed[SOURCES_MAX];	  /* told so far */
	uint64_t told_ns[SOURCES_MAX];
	bool warned;
};

/* Where the programs were before us they shed what they shed: what the stream
 * does not tell of that, we do. */
static void begin_where_it_is(struct repo *r, struct repo_budget *b)
{
	struct budget_source *s = b->budget.source;
	const struct resume_told *t;
	unsigned i;

	for (i = 0; i < b->budget.count; i++, s++) {
		s->log2 = s->at = sources_shed_log2(r->o.sources, i);
		if (!r->told)
			continue;
		t = repo_told_shed(r, i);
		b->shed[i] = t->count;
		b->told_ns[i] = t->until;
	}
}

int repo_budget_new(struct repo *r)
{
	unsigned values[SOURCES_MAX], i, count = sources_count(r->o.sources);
	struct source_info info;
	struct repo_budget *b;

	if (!r->o.budget.ppm && !r->o.budget.bytes)
		return 0;
	b = calloc(1, sizeof(*b));
	if (!b)
		return -ENOMEM;
	for (i = 0; i < count && i < SOURCES_MAX; i++) {
		sources_info(r->o.sources, i, &info);
		values[i] = info.value;
		b->event_ns[i] = EVENT_NS;
	}
	budget_init(&b->budget, &r->o.budget, values, i);
	begin_where_it_is(r, b);
	b->user_ns = USER_NS;
	b->packed = r->archive ? PACKED : 1;
	r->budget = b;
	return 0;
}

void repo_budget_took(struct repo *r, unsigned kind, size_t len)
{
	if (r->budget)
		r->budget->bytes[r->source_of_kind[kind]] += len;
}

/* ---- readings ------------------------------------------------------------ */

static void learn(double *to, double seen)
{
	*to += 0.5 * (seen - *to);
}

static void take(const struct repo *r, struct reading *to)
{
	const struct repo_budget *b = r->budget;
	unsigned i;

	to->ns = clock_now();
	to->cpu_ns = self_cpu_ns();
	to->events = r->stats.events;
	memcpy(to->bytes, b->bytes, sizeof(to->bytes));
	for (i = 0; i < b->budget.count; i++)
		to->asked[i] = sources_asked(r->o.sources, i);
}

static const struct reading *last_reading(const struct repo_budget *b)
{
	return &b->ring[(b->readings - 1) % READINGS];
}

/* The oldest that @last can be compared with. */
static const struct reading *first_reading(const struct repo_budget *b)
{
	const struct reading *last = last_reading(b), *one = last;
	unsigned i, n = b->readings < READINGS ? b->readings : READINGS;

	for (i = 1; i < n; i++) {
		const struct reading *older =
			&b->ring[(b->readings - 1 - i) % READINGS];

		if (older->ns < b->clean_ns || last->ns - older->ns > WINDOW_NS)
			break;
		one = older;
	}
	return one;
}

static double a_second(uint64_t now, uint64_t before, uint64_t ns)
{
	return (double)(now - before) * (double)NS_PER_S /
	       (double)(ns ? ns : 1);
}

/* Blocks come one by one: over longer than the averages. */
static void learn_packed(struct repo *r)
{
	struct repo_budget *b = r->budget;
	uint64_t written = r->stats.archive_bytes, of = r->stats.bytes;

	if (!r->archive || of - b->packed_of < PACKED_FROM ||
	    written - b->packed_bytes < PACKED_FROM / 8)
		return;
	learn(&b->packed, (double)(written - b->packed_bytes) /
				  (double)(of - b->packed_of));
	b->packed_bytes = written;
	b->packed_of = of;
}

/* ---- what each source takes ---------------------------------------------- */

/* Weir's own time, by who sent how many bytes; what is not for events is
 * @rest's. */
static void share(struct repo_budget *b, struct budget_load *loads,
		  struct budget_load *rest)
{
	const struct reading *to = last_reading(b), *from = first_reading(b);
	uint64_t ns = to->ns - from->ns, sum = 0, bytes;
	double cpu = a_second(to->cpu_ns, from->cpu_ns, ns), theirs;
	double events = a_second(to->events, from->events, ns);
	unsigned i;

	if (!ns)
		return;
	if (events >= MANY_EVENTS)
		learn(&b->user_ns, cpu / events);
	theirs = events * b->user_ns < cpu ? events * b->user_ns : cpu;
	rest->user_ns = cpu - theirs;
	for (i = 0; i < b->budget.count; i++)
		sum += to->bytes[i] - from->bytes[i];
	for (i = 0; i < b->budget.count && sum; i++) {
		bytes = to->bytes[i] - from->bytes[i];
		loads[i].user_ns = theirs * (double)bytes / (double)sum;
		loads[i].bytes = a_second(bytes, 0, ns) * b->packed;
	}
}

/* By what an event took when last measured. */
static void estimate(const struct repo_budget *b, const struct reading *to,
		     const struct reading *from, struct budget_load *loads)
{
	uint64_t ns = to->ns - from->ns;
	unsigned i;

	for (i = 0; i < b->budget.count; i++) {
		loads[i].asked = a_second(to->asked[i], from->asked[i], ns);
		loads[i].kernel_ns = loads[i].asked * b->event_ns[i];
	}
}

/* ---- decisions ----------------------------------------------------------- */

static void tell_shed(struct repo *r, unsigned i, unsigned before, uint64_t now)
{
	struct repo_budget *b = r->budget;
	unsigned log2 = b->budget.source[i].log2;
	const struct account_row *row = &r->rows[i * (r->cpus + 1)];
	struct ev_repo_shed ev = {
		.one_in = 1ULL << log2,
		.before = log2 == before ? 0 : 1ULL << before,
		.first = b->told_ns[i],
		.last = now,
		.cost = (uint64_t)(b->budget.ns / 1000),
		.limit = b->budget.limit.ppm,
	};
	unsigned cpu;

	for (cpu = 0; cpu <= r->cpus; cpu++)
		ev.count += row[cpu].shed;
	ev.count -= b->shed[i];
	b->told_ns[i] = now;
	if (!ev.count && log2 == before)
		return;
	b->shed[i] += ev.count;
	memcpy(ev.of, row->source, sizeof(ev.of));
	repo_write(r, &ev, EV_REPO_SHED, sizeof(ev), 0);
}

void repo_budget_untold(struct repo *r, const struct ev_repo_shed *ev)
{
	if (r->budget)
		r->budget->shed[sources_index(r->o.sources, ev->of)] -=
			ev->count;
}

/* Say so once when it cannot be kept, and once when it is again. */
static void warn(struct repo *r)
{
	struct repo_budget *b = r->budget;
	double percent = b->budget.ns / 1e7;

	if (b->budget.short_of && !b->warned) {
		b->warned = true;
		repo_log(r, WEIR_LEVEL_WARNING, 0,
			 "the budget cannot be kept: recording next to nothing "
			 "costs %.2f%% of a CPU, %.0f bytes a second",
			 percent, b->budget.bytes);
	} else if (b->warned && !budget_over(&b->budget)) {
		b->warned = false;
		repo_log(r, WEIR_LEVEL_INFO, 0,
			 "the budget is kept again: %.2f%% of a CPU", percent);
	}
}

static void tell_stats(struct repo *r)
{
	const struct budget *b = &r->budget->budget;
	unsigned i;

	__atomic_store_n(&r->stats.cost_ppm, (uint64_t)(b->ns / 1000),
			 __ATOMIC_RELAXED);
	__atomic_store_n(&r->stats.written_bps, (uint64_t)b->bytes,
			 __ATOMIC_RELAXED);
	for (i = 0; i < b->count; i++)
		__atomic_store_n(&r->stats.shed_log2[i], b->source[i].log2,
				 __ATOMIC_RELAXED);
}

static void apply(struct repo *r, uint64_t now)
{
	struct repo_budget *b = r->budget;
	const struct budget_source *s;
	unsigned i;

	sources_account(r->o.sources);
	for (i = 0; i < b->budget.count; i++) {
		s = &b->budget.source[i];
		if (s->log2 == s->at)
			continue;
		if (!s->at)
			b->told_ns[i] = now;
		sources_shed(r->o.sources, i, s->log2);
		tell_shed(r, i, s->at, now);
	}
	b->clean_ns = now + SETTLE_NS;
}

static void decide(struct repo *r, struct budget_load *loads, uint64_t now)
{
	struct repo_budget *b = r->budget;
	struct budget_load rest = {0};

	share(b, loads, &rest);
	if (budget_decide(&b->budget, loads, &rest, now))
		apply(r, now);
	b->decided_ns = now;
	tell_stats(r);
	warn(r);
}

/* ---- measuring ----------------------------------------------------------- */

/* More than it may, by what is known without measuring? */
static bool seems_over(struct repo_budget *b)
{
	struct budget_load loads[SOURCES_MAX] = {0}, rest = {0};
	double ns, bytes = 0;
	unsigned i;

	if (b->readings < 2)
		return false;
	estimate(b, last_reading(b), &b->ring[(b->readings - 2) % READINGS],
		 loads);
	share(b, loads, &rest);
	ns = rest.user_ns;
	for (i = 0; i < b->budget.count; i++) {
		ns += loads[i].kernel_ns + loads[i].user_ns;
		bytes += loads[i].bytes;
	}
	return (b->budget.limit.ppm &&
		ns > (double)b->budget.limit.ppm * 1e3) ||
	       (b->budget.limit.bytes && bytes > (double)b->budget.limit.bytes);
}

bool repo_budget_tick(struct repo *r, uint64_t now)
{
	struct repo_budget *b = r->budget;

	if (!b)
		return false;
	learn_packed(r);
	take(r, &b->ring[b->readings++ % READINGS]);
	if (now < b->clean_ns || r->sampling)
		return false;
	return now - b->decided_ns >= EVERY_NS ||
	       (now - b->decided_ns >= HURRY_NS && seems_over(b));
}

void repo_budget_begin(struct repo *r, uint64_t now)
{
	(void)now;
	if (r->budget)
		take(r, &r->budget->at);
}

static void add_costs(const struct repo *r, const struct program_cost *costs,
		      size_t count, uint64_t ns, struct budget_load *loads)
{
	unsigned i;
	size_t j;

	for (j = 0; j < count; j++) {
		for (i = 0; i < r->budget->budget.count; i++) {
			if (!strcmp(costs[j].source,
				    r->rows[i * (r->cpus + 1)].source))
				loads[i].kernel_ns += a_second(costs[j].ns, 0,
							       ns);
		}
	}
}

void repo_budget_end(struct repo *r, const struct program_cost *costs,
		     size_t count, uint64_t now)
{
	struct budget_load loads[SOURCES_MAX] = {0};
	struct repo_budget *b = r->budget;
	struct reading *to;
	unsigned i;

	if (!b)
		return;
	b->measured = true;
	to = &b->ring[b->readings++ % READINGS];
	take(r, to);
	estimate(b, to, &b->at, loads);
	for (i = 0; i < b->budget.count; i++)
		loads[i].kernel_ns = 0;
	add_costs(r, costs, count, to->ns - b->at.ns, loads);
	for (i = 0; i < b->budget.count; i++)
		if (loads[i].asked > 0)
			b->event_ns[i] = loads[i].kernel_ns / loads[i].asked;
	decide(r, loads, now);
}

void repo_budget_guess(struct repo *r, uint64_t now)
{
	struct budget_load loads[SOURCES_MAX] = {0};
	struct repo_budget *b = r->budget;
	unsigned i;

	if (!b)
		return;
	for (i = 0; i < b->budget.count; i++)
		b->event_ns[i] = BARE_NS +
				 (EVENT_NS - BARE_NS) /
					 (double)(1U
						  << b->budget.source[i].log2);
	estimate(b, last_reading(b), first_reading(b), loads);
	decide(r, loads, now);
}

/* ---- reports ------------------------------------------------------------- */

void repo_budget_report(struct repo *r, uint64_t now)
{
	struct repo_budget *b = r->budget;
	const struct budget_source *s;
	unsigned i;

	if (!b)
		return;
	repo_metric(r, "cost", "", "ppm", (int64_t)(b->budget.ns / 1000));
	repo_metric(r, "written", "", "bytes/s", (int64_t)b->budget.bytes);
	for (i = 0; i < b->budget.count; i++) {
		s = &b->budget.source[i];
		if (s->log2)
			repo_metric(r, "one_in",
				    r->rows[i * (r->cpus + 1)].source, "events",
				    1LL << s->log2);
		tell_shed(r, i, s->log2, now);
	}
}
