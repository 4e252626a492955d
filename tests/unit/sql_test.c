// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_test.c - the tables of SQL: what is tested in the pass leaves the rows
 * that SQLite alone would leave, a memo has the rows of passes, statements only
 * read, and what an answer lacks is told.
 */
#include "store.h"

#include <signal.h>
#include <sys/time.h>

#include "../../user/sql.h"

#define EVENTS	   20000
#define CONDITIONS 300
#define TEXT_MAX   512

static char dir[64];
static char path[128];
static struct store store;
static struct replay replay;
static struct sql *sql;
static int64_t first_ts, last_ts; /* ns since the epoch */

/* ---- a recording --------------------------------------------------------- */

static void add_gap(uint64_t count)
{
	struct store_record r;

	store.ts += 1000;
	store_begin(&r, EV_GAP, store.ts, 0, 48);
	memcpy(r.data + 24, "syscall", 8);
	memcpy(r.data + 40, &count, sizeof(count));
	assert_int_equal(store_append(&store, &r), 0);
}

static int set_up(void **state)
{
	char *paths[] = {path};
	struct replay_options o = {0};
	struct replay_error why;

	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	store_init(&store);
	assert_int_equal(store_open(&store, path, false, 128 * 1024), 0);
	assert_int_equal(store_fill(&store, EVENTS / 2), 0);
	add_gap(7);
	assert_int_equal(store_fill(&store, EVENTS / 2), 0);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(replay_open(&replay, paths, 1, &o, &why), 0);
	first_ts = (int64_t)replay.info.first_ns + replay.info.wall_offset;
	last_ts = (int64_t)replay.info.last_ns + replay.info.wall_offset;
	return sql_open(&sql, &replay);
}

static int tear_down(void **state)
{
	(void)state;
	sql_close(sql);
	replay_close(&replay);
	store_done(&store);
	store_remove(dir);
	return 0;
}

/* ---- asking -------------------------------------------------------------- */

/* All values of all rows, a blank or a newline after each. */
static void ask(const char *text, struct buf *ret)
{
	struct sql_error why;
	sqlite3_stmt *stmt;
	const char *tail;
	int i, rc;

	buf_reset(ret);
	rc = sql_prepare(sql, text, &stmt, &tail, &why);
	if (rc)
		fail_msg("%s: %s", text, why.what);
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (i = 0; i < sqlite3_column_count(stmt); i++)
			buf_printf(ret, "%s%s", i ? " " : "",
				   sqlite3_column_type(stmt, i) == SQLITE_NULL
					   ? "NULL"
					   : (const char *)sqlite3_column_text(
						     stmt, i));
		buf_putc(ret, '\n');
	}
	if (rc != SQLITE_DONE)
		fail_msg("%s: %s", text, sqlite3_errmsg(sql_db(sql)));
	buf_putc(ret, '\0');
	sqlite3_finalize(stmt);
}

static void answers(const char *text, const char *want)
{
	struct buf got = {0};

	ask(text, &got);
	assert_string_equal(got.data, want);
	buf_done(&got);
}

static void agree(const char *a, const char *b)
{
	struct buf x = {0}, y = {0};

	ask(a, &x);
	ask(b, &y);
	if (strcmp(x.data, y.data))
		fail_msg("%s\n%.300s\n%s\n%.300s", a, x.data, b, y.data);
	buf_done(&x);
	buf_done(&y);
}

static int64_t number(const char *text)
{
	struct buf got = {0};
	int64_t v;

	ask(text, &got);
	v = strtoll(got.data, NULL, 10);
	buf_done(&got);
	return v;
}

static void all_events_are_there(void **state)
{
	char want[64];

	(void)state;
	snprintf(want, sizeof(want), "%u\n", EVENTS + 1);
	answers("SELECT count(*) FROM events", want);
	agree("SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind",
	      "SELECT 'gap', count(*) FROM gap "
	      "UNION ALL SELECT 'syscall_done', count(*) FROM syscall_done "
	      "UNION ALL SELECT 'task_exec', count(*) FROM task_exec "
	      "UNION ALL SELECT 'task_fork', count(*) FROM task_fork");
}

/* ---- conditions ---------------------------------------------------------- */

/* A time as text, cut after some characters, with or without its Z. */
static void put_time(char *to, size_t len, uint64_t *seed, int64_t ts)
{
	static const unsigned ends[] = {4, 10, 13, 16, 19, 20, 21, 25, 29, 30};
	struct buf b = {0};
	unsigned end = ends[store_random(seed) % 10];

	render_iso(&b, (uint64_t)ts);
	snprintf(to, len, "'%.*s%s'", (int)end, b.data,
		 store_random(seed) % 4 ? "" : "Z");
	buf_done(&b);
}

static void put_value(char *to, size_t len, uint64_t *seed, const char *column)
{
	static const char *const kinds[] = {"'task_exec'", "'task_fork'",
					    "'syscall_done'", "'gap'",
					    "'none'"};
	static const char *const odd[] = {"NULL",  "'x'",   "100.5", "-1",
					  "1e300", "'100'", "''",    "x'41'"};
	int64_t ts = first_ts + (int64_t)((double)(last_ts - first_ts) *
					  (store_random(seed) % 1000) / 1000);
	uint32_t x = store_random(seed);

	if (x % 8 == 0)
		snprintf(to, len, "%s", odd[x / 8 % 8]);
	else if (!strcmp(column, "kind"))
		snprintf(to, len, "%s", kinds[x / 8 % 5]);
	else if (!strcmp(column, "source"))
		snprintf(to, len, "'%s'", store_sources[x / 8 % STORE_SOURCES]);
	else if (!strcmp(column, "ts"))
		snprintf(to, len, "%lld", (long long)ts);
	else if (!strcmp(column, "time"))
		put_time(to, len, seed, ts);
	else if (!strcmp(column, "cpu"))
		snprintf(to, len, "%u", x / 8 % 2 * 300);
	else
		snprintf(to, len, "%u", x / 8 % 2 * 300 + 100);
}

/*
 * One condition, twice: as it is, and with a + before the column, which makes
 * it an expression that only SQLite can test; it keeps the column's type by a
 * cast.
 */
static void put_condition(char *plain, char *only, size_t len, uint64_t *seed)
{
	static const char *const columns[] = {"kind", "source", "ts", "time",
					      "cpu",  "pid",	"tid"};
	static const char *const types[] = {"TEXT",   "TEXT",	 "INTEGER",
					    "TEXT",   "INTEGER", "INTEGER",
					    "INTEGER"};
	static const char *const ops[] = {"=", "<", "<=", ">", ">=", "IN"};
	unsigned i = store_random(seed) % 7;
	const char *op = ops[store_random(seed) % 6];
	char v[64], w[64], value[160];

	put_value(v, sizeof(v), seed, columns[i]);
	put_value(w, sizeof(w), seed, columns[i]);
	snprintf(value, sizeof(value), *op == 'I' ? "(%s, %s)" : "%s", v, w);
	snprintf(plain, len, "%s %s %s", columns[i], op, value);
	snprintf(only, len, "CAST(%s AS %s) %s %s", columns[i], types[i], op,
		 value);
}

static void tests_of_the_pass_change_no_answer(void **state)
{
	static const char *const tables[] = {"events", "syscall_done",
					     "task_exec"};
	char a[2][200], b[2][200], plain[TEXT_MAX * 2], only[TEXT_MAX * 2];
	uint64_t seed = 7;
	unsigned i;

	(void)state;
	for (i = 0; i < CONDITIONS; i++) {
		const char *join = i % 5 ? "AND" : "OR";

		put_condition(a[0], b[0], sizeof(a[0]), &seed);
		put_condition(a[1], b[1], sizeof(a[1]), &seed);
		snprintf(plain, sizeof(plain),
			 "SELECT count(*), sum(ts %% 1000), max(ts) FROM %s "
			 "WHERE %s %s %s",
			 tables[i % 3], a[0], join, a[1]);
		snprintf(only, sizeof(only),
			 "SELECT count(*), sum(ts %% 1000), max(ts) FROM %s "
			 "WHERE %s %s %s",
			 tables[i % 3], b[0], join, b[1]);
		agree(plain, only);
	}
}

static void a_time_as_text_is_pushed_down(void **state)
{
	int64_t all = number("SELECT count(*) FROM events"), part;
	struct buf mid = {0};
	char text[TEXT_MAX];

	(void)state;
	render_iso(&mid, (uint64_t)(first_ts + (last_ts - first_ts) / 2));
	snprintf(text, sizeof(text),
		 "SELECT count(*) FROM events WHERE time < '%.*s'",
		 (int)mid.len, mid.data);
	part = number(text);
	assert_true(part > 0 && part < all);
	buf_done(&mid);
}

/* ---- joins --------------------------------------------------------------- */

/* LIMIT -1 makes SQLite keep the rows of a subquery, and join them alone. */
static void a_join_has_the_rows_of_its_tables(void **state)
{
	(void)state;
	agree("SELECT count(*), sum(e.ts % 1000) FROM task_fork f "
	      "JOIN task_exec e ON e.tid = f.tid AND e.ts > f.ts "
	      "WHERE f.ts < (SELECT min(ts) + 400000 FROM events)",
	      "SELECT count(*), sum(e.ts % 1000) FROM "
	      "(SELECT * FROM task_fork LIMIT -1) f "
	      "JOIN (SELECT * FROM task_exec LIMIT -1) e "
	      "ON e.tid = f.tid AND e.ts > f.ts "
	      "WHERE f.ts < (SELECT min(ts) + 400000 FROM events)");
}

static void a_memo_knows_which_values_change(void **state)
{
	(void)state;
	/* 3 passes with cpu = 0, then cpu = 300: its rows must be there */
	agree("WITH v(c) AS (VALUES(0),(0),(0),(0),(300),(300),(0)) "
	      "SELECT c, (SELECT count(*) FROM task_exec e WHERE e.cpu = v.c) "
	      "FROM v",
	      "WITH v(c) AS (VALUES(0),(0),(0),(0),(300),(300),(0)) "
	      "SELECT c, (SELECT count(*) FROM task_exec e WHERE "
	      "CAST(e.cpu AS INTEGER) = v.c) FROM v");
}

/* ---- tables of their own ------------------------------------------------- */

static void tasks_count_their_events(void **state)
{
	(void)state;
	answers("SELECT sum(events) FROM tasks", "20001\n");
	assert_true(number("SELECT count(*) FROM tasks") >= 2);
	answers("SELECT sum(kept) FROM account", "20001\n");
}

static void what_is_lost_is_told(void **state)
{
	char text[TEXT_MAX];

	(void)state;
	sql_losses(sql);
	number("SELECT count(*) FROM syscall_done");
	assert_int_equal(sql_losses(sql), 0);
	assert_int_equal(replay.missing, 7);
	number("SELECT count(*) FROM gap"); /* whole: nothing of repo's lost */
	assert_int_equal(sql_losses(sql), 0);
	assert_int_equal(replay.missing, 0);
	assert_int_equal(replay.others, 7);
	snprintf(text, sizeof(text),
		 "SELECT count(*) FROM syscall_done WHERE ts < %lld",
		 (long long)first_ts - 10000000000LL);
	number(text);
	assert_int_equal(sql_losses(sql), 0);
	number("SELECT 1");
	assert_int_equal(sql_losses(sql), 0);
	assert_int_equal(replay.missing, 0);
}

/* ---- statements ---------------------------------------------------------- */

static void refused(const char *text, const char *what)
{
	struct sql_error why;
	sqlite3_stmt *stmt = NULL;
	const char *tail;

	assert_int_equal(sql_prepare(sql, text, &stmt, &tail, &why), -EINVAL);
	if (!strstr(why.what, what))
		fail_msg("%s: %s", text, why.what);
}

static void a_statement_only_reads(void **state)
{
	static const char *const writes[] = {
		"DELETE FROM tasks",
		"UPDATE account SET cpu = 1",
		"INSERT INTO tasks(pid) VALUES(1)",
		"CREATE TABLE t(a)",
		"CREATE TEMP TABLE t(a)",
		"CREATE VIEW v AS SELECT 1",
		"DROP TABLE tasks",
		"ATTACH 'x.db' AS x",
		"VACUUM INTO 'x.db'",
		"PRAGMA writable_schema = 1",
		"PRAGMA temp_store_directory = '/'",
		"BEGIN",
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(writes) / sizeof(writes[0]); i++)
		refused(writes[i], "only be asked");
	refused("SELECT load_extension('x')", "not authorized");
	refused("SELECT nobody FROM events", "no such column: nobody");
	number("PRAGMA table_xinfo('events')");
	number("EXPLAIN SELECT 1");
}

static void interrupt(int number)
{
	(void)number;
	sql_interrupt(sql);
}

/* Return: how many of some thousand tries were ended by a timer. */
static unsigned interrupted(const char *text)
{
	const struct itimerval often = {{0, 1000}, {0, 1000}}, never = {0};
	unsigned tries = 0, ended = 0;
	struct sql_error why;
	sqlite3_stmt *stmt;
	const char *tail;
	int rc;

	signal(SIGALRM, interrupt);
	setitimer(ITIMER_REAL, &often, NULL);
	for (; tries < 5000 && !ended; tries++) {
		stmt = NULL;
		rc = sql_prepare(sql, text, &stmt, &tail, &why);
		while (!rc && (rc = sqlite3_step(stmt)) == SQLITE_ROW)
			rc = 0;
		ended += rc == -EINTR || rc == SQLITE_INTERRUPT;
		sqlite3_finalize(stmt);
	}
	setitimer(ITIMER_REAL, &never, NULL);
	return ended;
}

static void a_pass_can_be_interrupted(void **state)
{
	char want[64];

	(void)state;
	assert_true(interrupted("SELECT name, sum(duration) FROM syscall_done "
				"GROUP BY name"));
	assert_true(interrupted("SELECT * FROM events WHERE pid = 4711"));
	sql_rows_only(sql, true);
	assert_true(interrupted("SELECT * FROM events WHERE pid = 4711"));
	sql_rows_only(sql, false);
	snprintf(want, sizeof(want), "%u\n", EVENTS + 1);
	answers("SELECT count(*) FROM events", want);
}

static void numbers_are_read_as_people_write_them(void **state)
{
	(void)state;
	answers("SELECT span('1.5ms'), size('64K'), at('@5')",
		"1500000 65536 5000000000\n");
	answers("WITH v(x) AS (VALUES(5),(1),(4),(NULL),(2),(3)) SELECT "
		"quantile(x, 0.5), quantile(x, 1), quantile(x, 0) FROM v",
		"3 5 1\n");
	answers("SELECT quantile(1, 0.5) WHERE 0", "NULL\n");
}

static void tables_are_described(void **state)
{
	struct buf b = {0};

	(void)state;
	assert_int_equal(sql_describe(sql, "task_exec", &b), 0);
	buf_putc(&b, '\0');
	assert_non_null(strstr(b.data, "\n  \"filename\" TEXT,"));
	assert_non_null(strstr(b.data, "\"filename_full\" INTEGER HIDDEN"));
	buf_reset(&b);
	assert_int_equal(sql_describe(sql, "tasks", &b), 0);
	assert_int_equal(sql_describe(sql, "nobody", &b), -ENOENT);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_events_are_there),
		cmocka_unit_test(tests_of_the_pass_change_no_answer),
		cmocka_unit_test(a_time_as_text_is_pushed_down),
		cmocka_unit_test(a_join_has_the_rows_of_its_tables),
		cmocka_unit_test(a_memo_knows_which_values_change),
		cmocka_unit_test(tasks_count_their_events),
		cmocka_unit_test(what_is_lost_is_told),
		cmocka_unit_test(a_statement_only_reads),
		cmocka_unit_test(a_pass_can_be_interrupted),
		cmocka_unit_test(numbers_are_read_as_people_write_them),
		cmocka_unit_test(tables_are_described),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
