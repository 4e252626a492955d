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
	return rc;
}
