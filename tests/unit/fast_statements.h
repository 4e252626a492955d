/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_statements.h - statements of which some part means to SQLite what is not
 * plain to see: for fast_test.c.
 */
#ifndef WEIR_TEST_FAST_STATEMENTS_H
#define WEIR_TEST_FAST_STATEMENTS_H

static const char *const odd_statements[] = {
	"SELECT count(*) FROM events, task_fork",
	"SELECT comm, kind, count(*) FROM events GROUP BY comm",
	"SELECT count(DISTINCT comm) FROM events",
	"SELECT sum(duration) FILTER (WHERE ret < 0) FROM syscall_done",
	"SELECT count(*) FROM events WHERE kind = 'gap' OR cpu = 1",
	"SELECT count(*) FROM events WHERE comm = 5",
	"SELECT count(*) FROM events WHERE pid = '105'",
	"SELECT comm COLLATE NOCASE, count(*) FROM events GROUP BY 1",
	"SELECT sum(duration / 1e6) FROM syscall_done",
	"SELECT quantile(ret, 0.5) FROM syscall_done",
	"SELECT sum(ts * 1) FROM events", /* overflows */
	"SELECT sum(ts * 100) FROM events",
	"SELECT ts / 1000 * 7 + 1, count(*) FROM events GROUP BY ts",
	"EXPLAIN SELECT count(*) FROM events",
	"SELECT max(cpu, pid) FROM events GROUP BY cpu, pid",
	"SELECT count(*) FROM events UNION SELECT 5",
	"SELECT kind, count(*) FROM events GROUP BY -1",
	"SELECT kind, count(*) FROM events GROUP BY 'kind'",
	"SELECT kind AS cpu, count(*) FROM events GROUP BY cpu",
	"SELECT 5 / 2, count(*) FROM events",
	("SELECT 100 - ts / 1000, count(*) FROM events "
	 "GROUP BY ts / 1000"),
	"SELECT count(*) >> 2, count(*) << 2 FROM events",
	("SELECT sum(cpu) FROM events WHERE CASE WHEN cpu = 0 "
	 "AND pid = 5 AND tid = 6 THEN 1 ELSE 1 END"),
	"SELECT kind AS k, count(*) FROM events GROUP BY 'k'",
	("SELECT kind AS k, count(*) FROM events GROUP BY k "
	 "ORDER BY 'k' DESC"),
	"SELECT cpu ISNULL, count(*) FROM events GROUP BY cpu",
	"SELECT max(ret) NOTNULL FROM syscall_done",
	("SELECT count(*) AS kind FROM events GROUP BY kind "
	 "ORDER BY (kind)"),
};
/* a name is the item's, and brackets are no function's */
static const char *const odd_names[] = {
	("SELECT count(*) AS kind FROM events GROUP BY kind "
	 "ORDER BY kind NULLS LAST"),
	"SELECT pid AS 'cpu' FROM events ORDER BY cpu LIMIT 3",
	"SELECT 1 IN (1, 2) FROM events WHERE cpu = 0",
	"SELECT comm, count(*) FROM events WHERE kind = \"source\"",
	"SELECT count(*) FROM events WHERE comm = \"oid\"",
	("SELECT kind AS gap, count(*) FROM events "
	 "WHERE kind = \"gap\" GROUP BY kind"),
	"SELECT count(*) FROM events WHERE kind = `gap`",
	"SELECT cpu FROM events WHERE pid > 105 AND CASE WHEN cpu = 0 "
	"AND pid = 5 AND tid = 6 THEN 1 ELSE 1 END",
};

#endif
