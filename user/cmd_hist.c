// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_hist.c - `weir hist`: how a number of events is distributed.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cmd.h"
#include "cmd_hist.h"
#include "json.h"
#include "near.h"
#include "table.h"

struct hist_args {
	struct query_args query;
	const char *by;
	bool csv;
};

static const struct opt opts[] = {
	{
		.name = "by",
		.type = OPT_STRING,
		.arg = "FIELD",
		.offset = offsetof(struct hist_args, by),
		.help = "one histogram for each value of FIELD: name, comm, "
			"disk",
	},
	{
		.name = "csv",
		.type = OPT_FLAG,
		.offset = offsetof(struct hist_args, csv),
		.help = "print comma-separated values: a line for each power "
			"of two",
	},
	{0},
};

#define BAR 40 /* characters of the longest bar */

/* ---- which events have it ------------------------------------------------ */

/* @name: FIELD, or KIND.FIELD as filters have it. */
static const struct sql_column *
find(const struct sql_columns *c, const struct schema_kind *k, const char *name)
{
	const char *dot = strchr(name, '.');
	unsigned i;

	if (dot) {
		if (strncmp(k->name, name, (size_t)(dot - name)) ||
		    k->name[dot - name])
			return NULL;
		name = dot + 1;
	}
	for (i = 0; i < c->count; i++)
		if (!strcmp(c->column[i].name, name))
			return &c->column[i];
	return NULL;
}

static bool is_number(const struct sql_column *c)
{
	return c->what == SQL_FIELD && c->integer;
}

/* Only kinds that have the field are read. Return: how many; -ENOMEM. */
static int choose_kinds(struct distribution *d, struct near *near)
{
	struct select *select = &d->r.select;
	const struct schema_kind *k;
	const struct sql_column *c;
	unsigned i, j;
	int count = 0;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = select->kinds[i] ? schema_kind(d->r.render.schema, i)
				     : NULL;
		if (!k)
			continue;
		if (sql_columns_init(&d->columns[i], k))
			return -ENOMEM;
		for (j = 0; j < d->columns[i].count; j++)
			if (is_number(&d->columns[i].column[j]))
				near_try(near, d->columns[i].column[j].name);
		c = find(&d->columns[i], k, d->field);
		select->kinds[i] = c && is_number(c) &&
				   (!d->by || find(&d->columns[i], k, d->by));
		if (!select->kinds[i])
			continue;
		d->value_of[i] = c;
		d->name_of[i] = d->by ? find(&d->columns[i], k, d->by) : NULL;
		if (!count++)
			d->meaning = (enum meaning)c->field->meaning;
		else if (d->meaning != c->field->meaning)
			d->meaning = MEANING_NONE;
	}
	return count;
}

static int say_no_field(const struct distribution *d, const struct near *near)
{
	if (near_best(near) && strcmp(near_best(near), d->field))
		return usage("no event that was asked for has a number '%.60s' "
			     "(did you mean '%s'?)",
			     d->field, near_best(near));
	if (d->by)
		return usage("no event that was asked for has a number '%.60s' "
			     "and '%.60s' (weir list fields EVENT)",
			     d->field, d->by);
	return usage("no event that was asked for has a number '%.60s' (weir "
		     "list fields EVENT)",
		     d->field);
}

/* ---- order ----------------------------------------------------------------
 */

/* Of as many, by name. */
static int busiest(const void *a, const void *b)
{
	const struct group *x = a, *y = b;
	size_t len = x->len < y->len ? x->len : y->len;
	int rc = memcmp(x->name, y->name, len);

	if (x->hist.count != y->hist.count)
		return x->hist.count < y->hist.count ? 1 : -1;
	return rc ? rc : (x->len > y->len) - (x->len < y->len);
}

/* The least number of a bucket of hist_log2(). */
static uint64_t bucket_from(unsigned i)
{
	return i ? 1ULL << (i - 1) : 0;
}

/* ---- as text ------------------------------------------------------------- */

static void put_number(const struct distribution *d, struct buf *b, uint64_t v)
{
	if (d->meaning == MEANING_NS)
		render_ns(b, v);
	else if (d->meaning == MEANING_BYTES)
		render_bytes(b, v);
	else
		buf_u64(b, v);
}

static const struct {
	const char *name;
	double share;
} quantiles[] = {
	{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p99.9", 0.999}, {"max", 1},
};

#define QUANTILES (sizeof(quantiles) / sizeof(quantiles[0]))

static void put_summary(struct distribution *d, const struct group *g)
{
	size_t i;

	if (d->by) {
		buf_printf(&d->out, "%s = ", d->by);
		render_escape(&d->out, g->name, g->len);
		buf_putc(&d->out, '\n');
	}
	buf_printf(&d->out, "%s: %llu", d->field,
		   (unsigned long long)g->hist.count);
	for (i = 0; i < QUANTILES; i++) {
		buf_printf(&d->out, "  %s ", quantiles[i].name);
		put_number(d, &d->out,
			   hist_quantile(&g->hist, quantiles[i].share));
	}
	buf_putc(&d->out, '\n');
}

static void put_bar(struct distribution *d, struct table *t, unsigned i,
		    uint64_t n, uint64_t most)
{
	static const char bar[BAR + 1] =
		"########################################";
	uint64_t len = (uint64_t)((double)n / (double)most * BAR + 0.5);
	struct buf b = {0};

	put_number(d, &b, bucket_from(i));
	table_buf(t, &b);
	buf_done(&b);
	table_cell(t, "%llu", (unsigned long long)n);
	table_cell(t, "%.*s", (int)(n && !len ? 1 : len), bar);
}

static void put_bars(struct distribution *d, const struct group *g)
{
	struct table t = {.align = "rrl"};
	uint64_t counts[HIST_LOG2], most = 0;
	unsigned i, first = HIST_LOG2, last = 0;

	hist_log2(&g->hist, counts);
	for (i = 0; i < HIST_LOG2; i++) {
		if (!counts[i])
			continue;
		first = i < first ? i : first;
		last = i;
		most = counts[i] > most ? counts[i] : most;
	}
	table_cell(&t, "FROM");
	table_cell(&t, "COUNT");
	table_cell(&t, " ");
	for (i = first; i <= last; i++)
		put_bar(d, &t, i, counts[i], most);
	table_print(&t, &d->out);
}

static void put_text(struct distribution *d)
{
	size_t i;

	for (i = 0; i < d->count; i++) {
		if (i)
			buf_putc(&d->out, '\n');
		put_summary(d, &d->group[i]);
		put_bars(d, &d->group[i]);
	}
}

/* ---- as CSV -------------------------------------------------------------- */

static void put_csv_group(struct distribution *d, const struct group *g)
{
	uint64_t counts[HIST_LOG2], from;
	unsigned i;

	hist_log2(&g->hist, counts);
	for (i = 0; i < HIST_LOG2; i++) {
		if (!counts[i])
			continue;
		from = bucket_from(i);
		if (d->by) {
			render_csv_text(&d->out, g->name, g->len);
			buf_putc(&d->out, ',');
		}
		buf_printf(&d->out, "%llu,%llu,%llu\n",
			   (unsigned long long)from,
			   (unsigned long long)(i ? from + (from - 1) : 0),
			   (unsigned long long)counts[i]);
	}
}

static void put_csv(struct distribution *d)
{
	size_t i;

	if (d->by)
		buf_printf(&d->out, "%s,", d->by);
	buf_puts(&d->out, "from,to,count\n");
	for (i = 0; i < d->count; i++)
		put_csv_group(d, &d->group[i]);
}

/* ---- as JSON ------------------------------------------------------------- */

static void put_json_buckets(struct json *j, const struct hist *h)
{
	uint64_t counts[HIST_LOG2];
	unsigned i;

	hist_log2(h, counts);
	json_key(j, "buckets");
	json_begin(j, '[');
	for (i = 0; i < HIST_LOG2; i++) {
		if (!counts[i])
			continue;
		json_begin(j, '{');
		json_member_u64(j, "from", bucket_from(i));
		json_member_u64(j, "count", counts[i]);
		json_end(j, '}');
	}
	json_end(j, ']');
}

/* A group's name may have any bytes; members of json.h end at a NUL. */
static void put_json(struct distribution *d, const struct group *g)
{
	struct json j = {.b = &d->out};
	size_t i;

	json_begin(&j, '{');
	json_member_str(&j, "field", d->field);
	if (d->by) {
		json_key(&j, d->by);
		render_json_string(&d->out, g->name, g->len);
		j.comma = true;
	}
	json_member_u64(&j, "count", g->hist.count);
	json_member_u64(&j, "min", g->hist.min);
	json_key(&j, "mean");
	buf_printf(&d->out, "%.1f", hist_mean(&g->hist));
	j.comma = true;
	for (i = 0; i < QUANTILES; i++)
		json_member_u64(&j, quantiles[i].name,
				hist_quantile(&g->hist, quantiles[i].share));
	put_json_buckets(&j, &g->hist);
	json_end(&j, '}');
	json_line(&j);
}

/* -------------------------------------------------------------------------- */

static int print(struct distribution *d, const struct hist_args *args)
{
	size_t i;

	if (d->count)
		qsort(d->group, d->count, sizeof(*d->group), busiest);
	if (args->csv)
		put_csv(d);
	else if (args->query.json)
		for (i = 0; i < d->count; i++)
			put_json(d, &d->group[i]);
	else
		put_text(d);
	if (!d->count)
		say("no event of the interval has a number '%.60s'", d->field);
	if (d->negative)
		say("%llu negative values of %s are left out (-f '%s >= 0' "
		    "says so)",
		    (unsigned long long)d->negative, d->field, d->field);
	return put_stdout(&d->out);
}

static void release(struct distribution *d)
{
	size_t i;

	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		sql_columns_done(&d->columns[i]);
	distribution_forget(d);
	buf_done(&d->name);
	buf_done(&d->scratch);
	replay_close(&d->r);
	free(d);
}

static int distribute(struct distribution *d, const struct hist_args *args)
{
	struct near near;
	int count, err, rc = EXIT_OK, end;

	near_init(&near, d->field, strlen(d->field));
	count = choose_kinds(d, &near);
	if (count < 0)
		return fail("out of memory");
	if (!count)
		return say_no_field(d, &near);
	err = distribution_count(d);
	if (!err || err == -EBADMSG)
		rc = print(d, args);
	end = query_end(&d->r, err);
	return rc ? rc : end;
}

static int hist(const void *arg, const struct opt_words *words)
{
	const struct hist_args *args = arg;
	struct distribution *d = calloc(1, sizeof(*d));
	struct opt_words archives = *words;
	int rc;

	if (!d)
		return fail("out of memory");
	d->field = words->word[--archives.count];
	d->by = args->by;
	rc = args->csv && args->query.json
		     ? usage("hist: --csv or --json? (leave one out)")
		     : query_open(&d->r, &args->query, &archives);
	if (!rc)
		rc = distribute(d, args);
	release(d);
	return rc;
}

const struct command cmd_hist = {
	.name = "hist",
	.synopsis = "ARCHIVE... FIELD",
	.help = "show how a number is distributed: duration, latency, bytes",
	.about = "A line for each power of two, and the values that half, 90, "
		 "99 and 99.9\n"
		 "percent do not exceed, within 0.4 percent. FIELD is a number "
		 "of any event that\n"
		 "was asked for, or of one: block_io.latency (weir list fields "
		 "EVENT).\n",
	.opts = {opts, opts_select, opts_span, opts_jobs, opts_json, opts_utc,
		 opts_quiet},
	.args_size = sizeof(struct hist_args),
	.min_words = 2,
	.max_words = ARCHIVES_MAX,
	.run = hist,
};
