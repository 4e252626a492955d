// SPDX-License-Identifier: BSD-2-Clause
#include "trigger.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "filter_tree.h"
#include "units.h"

struct trigger {
	char *text; /* the condition alone */
	struct filter *filter;
	bool kinds[SCHEMA_KINDS_MAX];
	uint64_t after_ns, every_ns, max_ns;
	/* count(): times of the last @rate + 1 events, the next goes to @at */
	uint64_t rate, rate_ns, at, seen;
	uint64_t *times;
	/* times of the last @max snapshots, the same way */
	uint64_t max, fired_at, fired;
	uint64_t *fires;
	uint64_t held;
	uint64_t ready_ns; /* not before */
	bool told;	   /* that it is held back */
};

/* ---- reading ------------------------------------------------------------- */

struct reader {
	struct trigger *t;
	const char *text; /* all of it */
	struct filter_error *err;
};

static int wrong(const struct reader *r, size_t at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

static int wrong(const struct reader *r, size_t at, const char *fmt, ...)
{
	va_list args;

	r->err->at = at;
	va_start(args, fmt);
	vsnprintf(r->err->what, sizeof(r->err->what), fmt, args);
	va_end(args);
	return -EINVAL;
}

/* N/TIME, where a time may lack its number: 500/s is 500/1s. */
static int parse_rate(char *value, uint64_t *ret_n, uint64_t *ret_ns)
{
	char *slash = strchr(value, '/'), span[32];

	if (!slash)
		return -EINVAL;
	*slash++ = '\0';
	snprintf(span, sizeof(span), "%s%s",
		 *slash >= '0' && *slash <= '9' ? "" : "1", slash);
	if (parse_u64(value, ret_n) || parse_duration_ns(span, ret_ns) ||
	    !*ret_ns)
		return -EINVAL;
	return 0;
}

static int parse_limit(struct trigger *t, const char *name, char *value)
{
	if (!strcmp(name, "after"))
		return parse_duration_ns(value, &t->after_ns);
	if (!strcmp(name, "every"))
		return parse_duration_ns(value, &t->every_ns);
	return parse_rate(value, &t->max, &t->max_ns) || !t->max ||
			       t->max > TRIGGER_RATE_MAX
		       ? -EINVAL
		       : 0;
}

/* Where ",name=" of one of the limits stands at the end; NULL: nowhere. */
static char *last_limit(char *text, const char **ret_name)
{
	static const char *const names[] = {"after", "max", "every"};
	char *comma = strrchr(text, ',');
	size_t i, len;

	for (i = 0; comma && i < sizeof(names) / sizeof(names[0]); i++) {
		len = strlen(names[i]);
		if (!strncmp(comma + 1, names[i], len) &&
		    comma[1 + len] == '=') {
			*ret_name = names[i];
			return comma;
		}
	}
	return NULL;
}

static int take_limits(const struct reader *r, char *text)
{
	const char *name;
	char *comma, *value;

	while ((comma = last_limit(text, &name))) {
		value = comma + 2 + strlen(name);
		if (parse_limit(r->t, name, value))
			return wrong(r, (size_t)(value - text),
				     "no value for %s= (write %s)", name,
				     !strcmp(name, "max") ? "max=10/1h"
							  : "5s, 100ms");
		*comma = '\0';
	}
	return 0;
}

static char *skip_blanks(char *p)
{
	return p + strspn(p, " \t");
}

/* "count(" WHAT ")" ">" N/TIME: cut to WHAT. Return: its offset; -EINVAL. */
static int take_count(const struct reader *r, char *text)
{
	char *what = text + strspn(text, " \t"), *end, *p;

	if (strncmp(what, "count(", 6) != 0)
		return 0;
	what += 6;
	end = strrchr(what, ')');
	p = end ? skip_blanks(end + 1) : NULL;
	if (!p || *p != '>')
		return wrong(r, (size_t)(p ? p - text : what - text),
			     "after count(...) comes > and a rate: "
			     "count(task_fork) > 500/s");
	p = skip_blanks(p + 1);
	if (parse_rate(p, &r->t->rate, &r->t->rate_ns) ||
	    r->t->rate > TRIGGER_RATE_MAX)
		return wrong(r, (size_t)(p - text),
			     "no rate up to %d in a time (write 500/s, 3/10m)",
			     TRIGGER_RATE_MAX);
	*end = '\0';
	return (int)(what - text);
}

/* ---- compiling ----------------------------------------------------------- */

/* May a node be true of an event of @kind? */
static bool is_possible(const struct node *n, unsigned kind)
{
	const struct subject *s;
	const struct node *c;

	switch (n->type) {
	case NODE_TEST:
		s = n->test->subjects[kind];
		return s && s->type != SUBJECT_FALSE;
	case NODE_NOT:
		return true;
	default:
		break;
	}
	for (c = n->child; c; c = c->next)
		if (is_possible(c, kind) == (n->type == NODE_OR))
			return n->type == NODE_OR;
	return n->type == NODE_AND;
}

static void find_kinds(struct trigger *t, const struct schema *schema)
{
	unsigned i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		t->kinds[i] = schema_kind(schema, i) &&
			      is_possible(filter_root(t->filter), i);
}

/* Within count() the name of a kind alone will do. */
static int compile(const struct reader *r, const char *expr, size_t at,
		   const struct schema *schema, const struct tasks *tasks,
		   int64_t offset)
{
	char by_kind[96];
	int err;

	if (r->t->rate_ns && schema_kind_by_name(schema, expr)) {
		snprintf(by_kind, sizeof(by_kind), "kind == %s", expr);
		expr = by_kind;
	}
	err = filter_compile(&r->t->filter, expr, schema, tasks, offset, 0,
			     r->err);
	r->err->at += err ? at : 0;
	return err;
}

static int make_memory(struct trigger *t)
{
	t->times = calloc(t->rate + 1, sizeof(*t->times));
	t->fires = calloc(t->max, sizeof(*t->fires));
	return t->times && t->fires ? 0 : -ENOMEM;
}

static int read_all(const struct reader *r, char *text,
		    const struct schema *schema, const struct tasks *tasks,
		    int64_t offset)
{
	int err = take_limits(r, text), at;

	if (err)
		return err;
	r->t->text = strdup(text);
	at = take_count(r, text);
	if (at < 0)
		return at;
	err = compile(r, text + at, (size_t)at, schema, tasks, offset);
	if (err)
		return err;
	find_kinds(r->t, schema);
	return r->t->text ? make_memory(r->t) : -ENOMEM;
}

int trigger_new(struct trigger **ret, const char *text,
		const struct schema *schema, const struct tasks *tasks,
		int64_t offset, struct filter_error *err)
{
	struct trigger *t = calloc(1, sizeof(*t));
	struct reader r = {.t = t, .text = text, .err = err};
	char *copy = strdup(text);
	int e;

	*err = (struct filter_error){0};
	if (!t || !copy) {
		free(t);
		free(copy);
		return -ENOMEM;
	}
	t->after_ns = TRIGGER_AFTER_NS;
	t->every_ns = TRIGGER_EVERY_NS;
	t->max = TRIGGER_MAX;
	t->max_ns = TRIGGER_MAX_NS;
	e = read_all(&r, copy, schema, tasks, offset);
	free(copy);
	if (e) {
		trigger_free(t);
		return e;
	}
	*ret = t;
	return 0;
}

void trigger_free(struct trigger *t)
{
	if (!t)
		return;
	filter_free(t->filter);
	free(t->times);
	free(t->fires);
	free(t->text);
	free(t);
}

const bool *trigger_kinds(const struct trigger *t)
{
	return t->kinds;
}

const struct filter *trigger_filter(const struct trigger *t)
{
	return t->filter;
}

const char *trigger_text(const struct trigger *t)
{
	return t->text;
}

uint64_t trigger_after_ns(const struct trigger *t)
{
	return t->after_ns;
}

/* ---- looking ------------------------------------------------------------- */

/* More than @rate in @rate_ns: the one that many before is younger. One that
 * the budget let through counts for those it did not. */
static bool is_too_many(struct trigger *t, const struct weir_hdr *h)
{
	uint64_t n = WEIR_WEIGHT(h->flags), before;

	if (n > t->rate + 1)
		n = t->rate + 1;
	for (t->seen += n; n; n--) {
		t->times[t->at] = h->ts;
		t->at = (t->at + 1) % (t->rate + 1);
	}
	before = t->times[t->at]; /* the oldest: @rate before this one */
	return t->seen > t->rate && h->ts - before < t->rate_ns;
}

static void count(uint64_t *counter)
{
	__atomic_store_n(counter, *counter + 1, __ATOMIC_RELAXED);
}

/* The oldest of the last @max snapshots is the one to be replaced. */
static bool may_fire(const struct trigger *t, uint64_t ts)
{
	if (t->fired && ts < t->ready_ns)
		return false;
	return t->fired < t->max || ts - t->fires[t->fired_at] >= t->max_ns;
}

enum trigger_said trigger_event(struct trigger *t, const struct event *ev)
{
	uint64_t ts = ev->h->ts;

	if (!filter_match(t->filter, ev) ||
	    (t->rate_ns && !is_too_many(t, ev->h)))
		return TRIGGER_NOTHING;
	if (!may_fire(t, ts)) {
		count(&t->held);
		if (t->told)
			return TRIGGER_HELD;
		t->told = true;
		return TRIGGER_HOLDS;
	}
	t->told = false;
	t->ready_ns = ts + t->after_ns + t->every_ns;
	t->fires[t->fired_at] = ts;
	t->fired_at = (t->fired_at + 1) % t->max;
	count(&t->fired);
	return TRIGGER_FIRES;
}

void trigger_stats(const struct trigger *t, struct trigger_stats *ret)
{
	ret->fired = __atomic_load_n(&t->fired, __ATOMIC_RELAXED);
	ret->held = __atomic_load_n(&t->held, __ATOMIC_RELAXED);
}
