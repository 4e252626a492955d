// SPDX-License-Identifier: BSD-2-Clause
#include "budget.h"

#include "clock.h"

/* Aim below the limit: what is measured swings by that much. */
#define AIM	 0.85
#define LOW	 0.65 /* give back only what leaves so much of it unused */
#define HELPS	 (1.0 / 32)
#define HOLD_NS	 (2 * NS_PER_S)
#define HOLD_MAX (64 * NS_PER_S)
/* Too dear again so soon after it was lowered: that was wrong. */
#define SOON_NS	    (10 * NS_PER_S)
#define BARE_PART   0.3 /* of an event's cost, until it is known */
#define KNOWS_ASKED 500 /* events a second that tell what one costs */
#define LEARNS	    0.5

enum resource { CPU, BYTES };

void budget_init(struct budget *b, const struct budget_limit *limit,
		 const unsigned *values, unsigned count)
{
	unsigned i;

	*b = (struct budget){.limit = *limit, .hold_ns = HOLD_NS};
	b->count = count < BUDGET_SOURCES_MAX ? count : BUDGET_SOURCES_MAX;
	for (i = 0; i < b->count; i++)
		b->source[i].value = values[i];
}

/* ---- what a source costs ------------------------------------------------- */

static double part(unsigned log2)
{
	return 1.0 / (double)(1U << log2);
}

static void learn(double *to, double seen)
{
	*to = *to > 0 ? *to + LEARNS * (seen - *to) : seen;
}

/* From one_ns = bare + (whole - bare) / 2^log2. */
static void learn_costs(struct budget_source *s)
{
	double one_ns, bare;

	if (s->load.asked < KNOWS_ASKED || s->load.kernel_ns <= 0)
		return;
	one_ns = s->load.kernel_ns / s->load.asked;
	if (!s->at) {
		learn(&s->whole_ns, one_ns);
		return;
	}
	bare = (one_ns - s->whole_ns * part(s->at)) / (1 - part(s->at));
	if (bare > 0)
		learn(&s->bare_ns, bare);
}

/* Of what one event costs now: what it costs whatever the rate. */
static double bare_of(const struct budget_source *s, double one_ns)
{
	double bare = s->bare_ns > 0 ? s->bare_ns : BARE_PART * one_ns;

	return bare < one_ns ? bare : one_ns;
}

static double kernel_at(const struct budget_source *s, unsigned log2)
{
	double one_ns, bare, made;

	if (s->load.asked <= 0)
		return s->load.kernel_ns;
	one_ns = s->load.kernel_ns / s->load.asked;
	bare = bare_of(s, one_ns);
	made = (one_ns - bare) / part(s->at) * part(log2);
	return s->load.asked * (bare + made);
}

/* What a source would take, per second, if it recorded one in 2^log2. */
static double cost_at(const struct budget_source *s, enum resource r,
		      unsigned log2)
{
	double grows = part(log2) / part(s->at);

	if (r == BYTES)
		return s->load.bytes * grows;
	return kernel_at(s, log2) + s->load.user_ns * grows;
}

/* ---- all of them --------------------------------------------------------- */

static double limit_of(const struct budget *b, enum resource r)
{
	return r == CPU ? (double)b->limit.ppm * 1000 : (double)b->limit.bytes;
}

static double total(const struct budget *b, enum resource r,
		    const struct budget_load *rest)
{
	double sum = r == CPU ? rest->user_ns + rest->kernel_ns : rest->bytes;
	unsigned i;

	for (i = 0; i < b->count; i++)
		sum += cost_at(&b->source[i], r, b->source[i].log2);
	return sum;
}

static bool exceeds(const struct budget *b, enum resource r,
		    const struct budget_load *rest, double share)
{
	double limit = limit_of(b, r);

	return limit > 0 && total(b, r, rest) > share * limit;
}

/* ---- recording less ------------------------------------------------------ */

static double saves(const struct budget_source *s, enum resource r)
{
	return cost_at(s, r, s->log2) - cost_at(s, r, s->log2 + 1);
}

static bool goes_before(const struct budget_source *a,
			const struct budget_source *b, enum resource r)
{
	if (!b || a->value != b->value)
		return !b || a->value < b->value;
	return cost_at(a, r, a->log2) > cost_at(b, r, b->log2);
}

static struct budget_source *first_to_shed(struct budget *b, enum resource r,
					   double all)
{
	struct budget_source *s, *best = NULL;

	for (s = b->source; s < b->source + b->count; s++) {
		if (s->value && s->log2 < BUDGET_LOG2_MAX &&
		    saves(s, r) >= HELPS * all && goes_before(s, best, r))
			best = s;
	}
	return best;
}

/* Return: is it what was asked for now? */
static bool shed(struct budget *b, enum resource r,
		 const struct budget_load *rest)
{
	struct budget_source *s;

	while (exceeds(b, r, rest, AIM)) {
		s = first_to_shed(b, r, limit_of(b, r));
		if (!s)
			return false;
		s->log2++;
	}
	return true;
}

/* ---- recording more ------------------------------------------------------ */

/* Was so little saved by the last step that it makes no difference? */
static bool costs_nothing(const struct budget *b, const struct budget_source *s,
			  enum resource r)
{
	double limit = limit_of(b, r);

	return limit <= 0 || saves(s, r) < HELPS / 2 * limit;
}

/* May @s be recorded as it is set now? */
static bool fits(const struct budget *b, const struct budget_source *s,
		 const struct budget_load *rest)
{
	if (costs_nothing(b, s, CPU) && costs_nothing(b, s, BYTES))
		return true;
	return !exceeds(b, CPU, rest, LOW) && !exceeds(b, BYTES, rest, LOW);
}

/* The most valuable first; then what is shed most. */
static bool comes_back_before(const struct budget_source *a,
			      const struct budget_source *b)
{
	if (!b || a->value != b->value)
		return !b || a->value > b->value;
	return a->log2 > b->log2;
}

static bool give_back_one(struct budget *b, const struct budget_load *rest,
			  bool tried[])
{
	struct budget_source *s, *best = NULL;

	for (s = b->source; s < b->source + b->count; s++) {
		if (s->log2 && !tried[s - b->source] &&
		    comes_back_before(s, best))
			best = s;
	}
	if (!best)
		return false;
	best->log2--;
	if (fits(b, best, rest))
		return true;
	best->log2++;
	tried[best - b->source] = true;
	return true;
}

static void give_back(struct budget *b, const struct budget_load *rest)
{
	bool tried[BUDGET_SOURCES_MAX] = {false};

	while (give_back_one(b, rest, tried))
		;
}

/* ---- deciding ------------------------------------------------------------ */

static void begin(struct budget *b, const struct budget_load *loads)
{
	struct budget_source *s;
	unsigned i;

	for (i = 0; i < b->count; i++) {
		s = &b->source[i];
		s->load = loads[i];
		s->at = s->log2;
		learn_costs(s);
	}
}

static bool has_changed(const struct budget *b)
{
	unsigned i;

	for (i = 0; i < b->count; i++)
		if (b->source[i].log2 != b->source[i].at)
			return true;
	return false;
}

static void note_raise(struct budget *b, uint64_t now)
{
	bool soon = b->lowered_ns && now - b->lowered_ns < SOON_NS;

	if (soon && b->lowered_ns > b->raised_ns)
		b->hold_ns = b->hold_ns * 2 < HOLD_MAX ? b->hold_ns * 2
						       : HOLD_MAX;
	b->raised_ns = now;
}

static void note_lower(struct budget *b, uint64_t now)
{
	if (b->lowered_ns && now - b->lowered_ns > SOON_NS &&
	    now - b->raised_ns > HOLD_MAX)
		b->hold_ns = HOLD_NS;
	b->lowered_ns = now;
}

static bool may_lower(const struct budget *b, uint64_t now)
{
	return budget_sheds(b) && now - b->raised_ns >= b->hold_ns &&
	       now - b->lowered_ns >= HOLD_NS / 2;
}

bool budget_decide(struct budget *b, const struct budget_load *loads,
		   const struct budget_load *rest, uint64_t now)
{
	bool over, helped = true;

	begin(b, loads);
	b->ns = total(b, CPU, rest);
	b->bytes = total(b, BYTES, rest);
	over = budget_over(b);
	if (over) {
		if (exceeds(b, CPU, rest, 1))
			helped = shed(b, CPU, rest);
		if (exceeds(b, BYTES, rest, 1))
			helped &= shed(b, BYTES, rest);
	}
	b->short_of = over && !helped && !has_changed(b);
	if (has_changed(b)) {
		note_raise(b, now);
	} else if (may_lower(b, now)) {
		give_back(b, rest);
		if (has_changed(b))
			note_lower(b, now);
	}
	return has_changed(b);
}

bool budget_over(const struct budget *b)
{
	return (b->limit.ppm && b->ns > limit_of(b, CPU)) ||
	       (b->limit.bytes && b->bytes > limit_of(b, BYTES));
}

bool budget_sheds(const struct budget *b)
{
	unsigned i;

	for (i = 0; i < b->count; i++)
		if (b->source[i].log2)
			return true;
	return false;
}
