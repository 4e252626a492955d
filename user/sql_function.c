// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_function.c - functions for statements: numbers as people write them, and
 * quantiles; sql_internal.h.
 */
#include <stdlib.h>
#include <string.h>

#include "hist.h"
#include "sql_internal.h"
#include "units.h"

/* ---- at('-5m'), span('10ms'), size('64K') -------------------------------- */

static void put_number(sqlite3_context *to, int err, uint64_t v,
		       const char *what)
{
	if (err || v > INT64_MAX)
		sqlite3_result_error(to, what, -1);
	else
		sqlite3_result_int64(to, (sqlite3_int64)v);
}

/* Times without a date are near the archive's end. */
static void at(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	const struct sql *s = sqlite3_user_data(to);
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	const struct archive_info *info = &s->replay->info;
	uint64_t v = 0;
	int err;

	(void)argc;
	if (!text)
		return;
	err = parse_time(text, info->last_ns + (uint64_t)info->wall_offset, &v);
	put_number(to, err, v,
		   "at(): no time (write '14:03:20.5', "
		   "'2026-11-22T14:03:20', or '-5m')");
}

static void span(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	uint64_t v = 0;
	int err = text ? parse_duration_ns(text, &v) : 0;

	(void)argc;
	if (text)
		put_number(to, err, v,
			   "span(): no span (write '10ms', '2.5s', '1h30m')");
}

static void size(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	const char *text = (const char *)sqlite3_value_text(argv[0]);
	uint64_t v = 0;
	int err = text ? parse_size(text, &v) : 0;

	(void)argc;
	if (text)
		put_number(to, err, v,
			   "size(): no size (write '4096', '64K', '1.5G')");
}

/* ---- quantile(number, share) --------------------------------------------- */

struct quantile {
	struct hist *hist; /* NULL: nothing yet */
	double share;
};

static void fail_quantile(sqlite3_context *to, const char *what)
{
	sqlite3_result_error(to, what, -1);
}

static void quantile_step(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct quantile *q = sqlite3_aggregate_context(to, sizeof(*q));
	sqlite3_int64 v = sqlite3_value_int64(argv[0]);

	(void)argc;
	if (!q || sqlite3_value_type(argv[0]) == SQLITE_NULL)
		return;
	q->share = sqlite3_value_double(argv[1]);
	if (!(q->share >= 0 && q->share <= 1)) {
		fail_quantile(to, "quantile(): the share is 0 to 1: 0.99");
		return;
	}
	if (v < 0) {
		fail_quantile(to, "quantile(): takes no negative numbers "
				  "(leave them out: WHERE ret >= 0)");
		return;
	}
	if (!q->hist)
		q->hist = calloc(1, sizeof(*q->hist));
	if (!q->hist || hist_add(q->hist, (uint64_t)v))
		sqlite3_result_error_nomem(to);
}

static void quantile_final(sqlite3_context *to)
{
	struct quantile *q = sqlite3_aggregate_context(to, 0);

	if (!q || !q->hist)
		return; /* of nothing: NULL */
	sqlite3_result_int64(to,
			     (sqlite3_int64)hist_quantile(q->hist, q->share));
	hist_done(q->hist);
	free(q->hist);
	q->hist = NULL;
}

/* ---- avg(number), total(number) ------------------------------------------ */

/*
 * As SQLite's, but that integers are added up exactly: SQLite 3.40 rounds each
 * step to a double, so that the order of the rows decides the last digits.
 */
struct mean {
	uint64_t low; /* a sum of 128 bits, which need no alignment so */
	int64_t high;
	double reals;
	int64_t count;
};

static __int128 sum_of(const struct mean *m)
{
	return (__int128)((unsigned __int128)m->high << 64 | m->low);
}

static void mean_add(struct mean *m, sqlite3_value *v, int sign)
{
	__int128 sum = sum_of(m);

	switch (sqlite3_value_numeric_type(v)) {
	case SQLITE_NULL:
		return;
	case SQLITE_INTEGER:
		sum += sign * (__int128)sqlite3_value_int64(v);
		m->low = (uint64_t)sum;
		m->high = (int64_t)(sum >> 64);
		break;
	default:
		m->reals += sign * sqlite3_value_double(v);
	}
	m->count += sign;
}

static void mean_step(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct mean *m = sqlite3_aggregate_context(to, sizeof(*m));

	(void)argc;
	if (m)
		mean_add(m, argv[0], 1);
}

static void mean_inverse(sqlite3_context *to, int argc, sqlite3_value **argv)
{
	struct mean *m = sqlite3_aggregate_context(to, sizeof(*m));

	(void)argc;
	if (m)
		mean_add(m, argv[0], -1);
}

static double mean_total(const struct mean *m)
{
	return m ? (double)sum_of(m) + m->reals : 0;
}

static void put_total(sqlite3_context *to)
{
	sqlite3_result_double(to, mean_total(sqlite3_aggregate_context(to, 0)));
}

static void put_avg(sqlite3_context *to)
{
	const struct mean *m = sqlite3_aggregate_context(to, 0);

	if (m && m->count)
		sqlite3_result_double(to, mean_total(m) / (double)m->count);
}

/* -------------------------------------------------------------------------- */

#define PURE (SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_INNOCUOUS)

int sql_add_functions(struct sql *s)
{
	static const struct {
		const char *name;
		void (*fn)(sqlite3_context *to, int argc, sqlite3_value **argv);
	} scalars[] = {{"at", at}, {"span", span}, {"size", size}};
	int rc = SQLITE_OK;
	size_t i;

	for (i = 0; i < sizeof(scalars) / sizeof(scalars[0]) && !rc; i++)
		rc = sqlite3_create_function_v2(s->db, scalars[i].name, 1, PURE,
						s, scalars[i].fn, NULL, NULL,
						NULL);
	if (!rc)
		rc = sqlite3_create_function_v2(s->db, "quantile", 2, PURE, s,
						NULL, quantile_step,
						quantile_final, NULL);
	if (!rc)
		rc = sqlite3_create_window_function(s->db, "avg", 1, PURE, NULL,
						    mean_step, put_avg, put_avg,
						    mean_inverse, NULL);
	if (!rc)
		rc = sqlite3_create_window_function(
			s->db, "total", 1, PURE, NULL, mean_step, put_total,
			put_total, mean_inverse, NULL);
	return rc;
}
