// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_test.c - an answer on columns is the answer by rows: generated
 * statements over a generated archive, both ways, to the byte.
 */
#include "fast_statements.h"
#include "fast_store.h"

#include <ctype.h>

#include "../../user/sql.h"

#define STATEMENTS 500 /* more: WEIR_STATEMENTS */
#define VALUES	   12  /* of each column, to compare with */
#define TABLES	   10
#define JOBS	   5

static char dir[64], path[128];
static struct fast_store store;
static struct replay replay;
static struct sql *sql;
static uint64_t dice = 1;
static unsigned taken[3]; /* statements by path */

static const char *const tables[TABLES] = {
	"events",    "syscall_done", "sched_switch", "task_fork", "task_exec",
	"task_exit", "task_alive",   "block_io",     "net_close", "gap"};

/* ---- a recording --------------------------------------------------------- */

static int set_up(void **state)
{
	char *paths[] = {path};
	struct replay_options o = {0};
	struct replay_error why;
	const char *seed = getenv("WEIR_SEED");

	(void)state;
	dice = seed ? strtoull(seed, NULL, 0) : clock_now();
	print_message("WEIR_SEED=%llu\n", (unsigned long long)dice);
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	fast_store_make(&store, path, &dice);
	assert_int_equal(replay_open(&replay, paths, 1, &o, &why), 0);
	return sql_open(&sql, &replay);
}

static int tear_down(void **state)
{
	(void)state;
	sql_close(sql);
	replay_close(&replay);
	fast_store_done(&store);
	store_remove(dir);
	return 0;
}

static uint32_t roll(uint32_t n)
{
	return store_random(&dice) % n;
}

/* ---- asking -------------------------------------------------------------- */

static void put_cell(struct buf *to, sqlite3_stmt *stmt, int i)
{
	const void *p;

	switch (sqlite3_column_type(stmt, i)) {
	case SQLITE_NULL:
		buf_puts(to, "NULL|");
		return;
	case SQLITE_FLOAT:
		buf_printf(to, "%.17g|", sqlite3_column_double(stmt, i));
		return;
	default:
		p = sqlite3_column_blob(stmt, i);
		buf_printf(to, "%d:", sqlite3_column_type(stmt, i));
		buf_put(to, p ? p : "", (size_t)sqlite3_column_bytes(stmt, i));
		buf_putc(to, '|');
	}
}

/* Names, values, and how it ended; then what it lacks. */
static void ask(const char *text, bool rows_only, struct buf *ret)
{
	struct sql_error why;
	sqlite3_stmt *stmt = NULL;
	const char *tail;
	int i, rc;

	buf_reset(ret);
	sql_rows_only(sql, rows_only);
	rc = sql_prepare(sql, text, &stmt, &tail, &why);
	if (rc) {
		buf_printf(ret, "%s\n%c", why.what, 0);
		return;
	}
	for (i = 0; i < sqlite3_column_count(stmt); i++)
		buf_printf(ret, "%s|", sqlite3_column_name(stmt, i));
	buf_putc(ret, '\n');
	while ((rc = sqlite3_step(stmt)) == SQLITE_ROW) {
		for (i = 0; i < sqlite3_column_count(stmt); i++)
			put_cell(ret, stmt, i);
		buf_putc(ret, '\n');
	}
	buf_printf(ret, "%s\n",
		   rc == SQLITE_DONE ? "" : sqlite3_errmsg(sql_db(sql)));
	sqlite3_finalize(stmt);
	rc = sql_losses(sql);
	buf_printf(ret, "%d: %llu missing, %llu others%c", rc,
		   (unsigned long long)replay.missing,
		   (unsigned long long)replay.others, 0);
}

/* The first line in which they differ. */
static void say_difference(const char *text, const char *a, const char *b)
{
	size_t at = 0, line = 0;

	for (; a[at] && a[at] == b[at]; at++)
		if (a[at] == '\n')
			line = at + 1;
	fail_msg("%s\nby columns: %.300s\nby rows:    %.300s", text, a + line,
		 b + line);
}

static bool is_equal(const struct buf *a, const struct buf *b)
{
	return a->len == b->len && !memcmp(a->data, b->data, a->len);
}

/* By one thread, by several, by rows. */
static enum sql_path agree(const char *text)
{
	struct buf one = {0}, several = {0}, rows = {0};
	enum sql_path how;

	replay.jobs = 1;
	ask(text, false, &one);
	how = sql_path(sql);
	replay.jobs = 2 + roll(JOBS - 1);
	ask(text, false, &several);
	ask(text, true, &rows);
	if (!is_equal(&one, &rows))
		say_difference(text, one.data, rows.data);
	if (!is_equal(&several, &rows))
		say_difference(text, several.data, rows.data);
	buf_done(&one);
	buf_done(&several);
	buf_done(&rows);
	taken[how]++;
	return how;
}

/* ---- statements ---------------------------------------------------------- */

struct column {
	char name[64];
	bool text;
	char value[VALUES][256]; /* as literals */
	unsigned values;
};

struct table {
	struct column column[80];
	unsigned columns;
};

static struct table known[TABLES];

static void learn_values(const char *table, struct column *c)
{
	char text[512];
	sqlite3_stmt *stmt;
	struct sql_error why;
	const char *tail;

	snprintf(text, sizeof(text),
		 "SELECT DISTINCT \"%s\" FROM %s LIMIT %u OFFSET %u", c->name,
		 table, VALUES, roll(3));
	sql_rows_only(sql, true);
	assert_int_equal(sql_prepare(sql, text, &stmt, &tail, &why), 0);
	while (sqlite3_step(stmt) == SQLITE_ROW && c->values < VALUES) {
		char *v = sqlite3_mprintf("%Q", sqlite3_column_text(stmt, 0));

		if (sqlite3_column_type(stmt, 0) == SQLITE_INTEGER)
			snprintf(c->value[c->values++], 256, "%lld",
				 sqlite3_column_int64(stmt, 0));
		else if (strlen(v) < 200)
			strcpy(c->value[c->values++], v);
		sqlite3_free(v);
	}
	sqlite3_finalize(stmt);
	if (!c->values)
		strcpy(c->value[c->values++], "NULL");
}

static void learn_table(unsigned i)
{
	struct table *t = &known[i];
	char text[128];
	sqlite3_stmt *stmt;
	const char *tail;
	struct sql_error why;

	snprintf(text, sizeof(text), "PRAGMA table_xinfo(%s)", tables[i]);
	assert_int_equal(sql_prepare(sql, text, &stmt, &tail, &why), 0);
	while (sqlite3_step(stmt) == SQLITE_ROW) {
		struct column *c = &t->column[t->columns++];

		snprintf(c->name, sizeof(c->name), "%s",
			 sqlite3_column_text(stmt, 1));
		c->text = !strcmp((const char *)sqlite3_column_text(stmt, 2),
				  "TEXT");
	}
	sqlite3_finalize(stmt);
	for (i = 0; i < t->columns; i++)
		learn_values(tables[t - known], &t->column[i]);
}

static const struct column *any_column(const struct table *t)
{
	return &t->column[roll(t->columns)];
}

static const struct column *integer_column(const struct table *t)
{
	const struct column *c;

	do
		c = any_column(t);
	while (c->text);
	return c;
}

/* A value as it is, or one beside it. */
static void put_value(struct buf *b, const struct column *c)
{
	const char *v = c->value[roll(c->values)];

	if (!c->text && isdigit((unsigned char)v[0]) && roll(3) == 0)
		buf_printf(b, "%lld", strtoll(v, NULL, 10) + roll(3) - 1);
	else if (roll(30) == 0)
		buf_puts(b, roll(2) ? "'17'" : roll(2) ? "17.5" : "1e6");
	else
		buf_puts(b, v);
}

static void put_pattern(struct buf *b, const struct column *c)
{
	const char *v = c->value[roll(c->values)];
	bool like = roll(2);
	size_t len = strlen(v), from = roll(3), i;

	buf_puts(b, like ? " LIKE '" : " GLOB '");
	if (roll(3))
		buf_putc(b, like ? '%' : '*');
	for (i = 1 + from; i + 1 < len && i < from + 9; i++)
		if (v[i] != '\'' && v[i] != '[')
			buf_putc(b, roll(8) ? v[i] : like ? '_' : '?');
	if (roll(3) == 0)
		buf_putc(b, like ? '%' : '*');
	buf_putc(b, '\'');
}

static void put_number(struct buf *b, const struct table *t)
{
	const struct column *c = integer_column(t);
	static const char *const ends[] = {
		"",	" / 1000",  " % 7",	    " - 5",
		" / 0", " * 2 + 1", " / 1000000000"};

	buf_printf(b, "%s%s", c->name, ends[roll(3) ? 0 : roll(7)]);
}

static void put_condition(struct buf *b, const struct table *t)
{
	static const char *const ops[] = {
		" = ", " <> ", " < ", " <= ", " > ", " >= ", " != ", " == "};
	const struct column *c = roll(4) ? any_column(t) : &t->column[roll(8)];
	unsigned i, n;

	buf_puts(b, c->name);
	switch (roll(10)) {
	case 0:
		buf_puts(b, roll(2) ? " IS NULL" : " IS NOT NULL");
		return;
	case 1:
		buf_puts(b, roll(3) ? " IN (" : " NOT IN (");
		for (i = 0, n = 1 + roll(4); i < n; i++) {
			put_value(b, c);
			buf_putc(b, i + 1 < n ? ',' : ')');
		}
		return;
	case 2:
		buf_puts(b, " BETWEEN ");
		put_value(b, c);
		buf_puts(b, " AND ");
		put_value(b, c);
		return;
	case 3:
		if (c->text) {
			buf_puts(b, roll(4) ? "" : " NOT");
			put_pattern(b, c);
			return;
		}
		break;
	case 4:
		if (!c->text) {
			buf_puts(b, " % 3");
			break;
		}
		break;
	default:
		break;
	}
	buf_puts(b, ops[roll(8)]);
	put_value(b, c);
}

/* What is in brackets of some sort is not certain. */
static void put_doubt(struct buf *b, const struct table *t)
{
	unsigned kind = roll(3), n = 2 + roll(3), i;

	buf_puts(b, kind == 0 ? "NOT (" : kind == 1 ? "(" : "CASE WHEN ");
	for (i = 0; i < n; i++) {
		buf_puts(b, !i ? "" : roll(3) ? " OR " : " AND ");
		put_condition(b, t);
	}
	buf_puts(b, kind == 2 ? " THEN 1 ELSE 0 END" : ")");
}

static void put_where(struct buf *b, const struct table *t)
{
	unsigned n = roll(4), i;

	for (i = 0; i < n; i++) {
		buf_puts(b, i ? roll(12) ? " AND " : " OR " : " WHERE ");
		if (roll(6))
			put_condition(b, t);
		else
			put_doubt(b, t);
	}
}

static void put_aggregate(struct buf *b, const struct table *t)
{
	static const char *const of[] = {"sum(", "avg(",   "min(",
					 "max(", "total(", "count("};
	unsigned i = roll(8);

	if (i == 6) {
		buf_puts(b, "count(*)");
	} else if (i == 7) {
		buf_puts(b, "quantile(");
		buf_puts(b, integer_column(t)->name);
		buf_puts(b, roll(2) ? ", 0.5)" : ", 0.99)");
	} else {
		buf_puts(b, of[i]);
		if (i >= 2 && i != 4 && roll(2))
			buf_puts(b, any_column(t)->name);
		else
			put_number(b, t);
		buf_puts(b, roll(10) ? ")" : " > 1000)");
	}
}

/* Keys as items, as positions, or by their names. */
static void put_groups(struct buf *b, const struct table *t, const char *table)
{
	struct buf key[4] = {{0}};
	unsigned keys = roll(4), aggs = 1 + roll(3), i;

	buf_puts(b, "SELECT ");
	for (i = 0; i < keys; i++) {
		if (roll(3))
			buf_puts(&key[i], any_column(t)->name);
		else
			put_number(&key[i], t);
		buf_put(b, key[i].data, key[i].len);
		if (roll(4) == 0)
			buf_printf(b, "%s k%u", roll(2) ? " AS" : "", i);
		buf_puts(b, ", ");
	}
	for (i = 0; i < aggs; i++) {
		put_aggregate(b, t);
		buf_printf(b, "%s n", roll(2) ? " AS" : "");
		if (i)
			buf_printf(b, "%u", i);
		buf_puts(b, i + 1 < aggs ? ", " : "");
	}
	buf_printf(b, " FROM %s", table);
	put_where(b, t);
	for (i = 0; i < keys; i++) {
		buf_puts(b, i ? ", " : " GROUP BY ");
		if (roll(2))
			buf_printf(b, "%u", i + 1);
		else
			buf_put(b, key[i].data, key[i].len);
		buf_done(&key[i]);
	}
	if (keys && roll(4) == 0)
		buf_puts(b, " HAVING n > 3");
	if (roll(2))
		buf_puts(b, roll(2) ? " ORDER BY n DESC" : " ORDER BY n");
	if (roll(4) == 0)
		buf_puts(b, " LIMIT 7");
}

static void put_rows(struct buf *b, const struct table *t, const char *table)
{
	unsigned i, n = 1 + roll(4);

	buf_puts(b, "SELECT ");
	for (i = 0; i < n; i++)
		buf_printf(b, "%s%s", i ? ", " : "",
			   roll(20) ? any_column(t)->name : "*");
	buf_printf(b, " FROM %s", table);
	put_where(b, t);
	if (roll(2))
		buf_printf(b, " ORDER BY %s%s", any_column(t)->name,
			   roll(2) ? " DESC" : "");
	if (roll(2))
		buf_printf(b, " LIMIT %u", roll(30));
}

static void generated_statements_agree(void **state)
{
	const char *more = getenv("WEIR_STATEMENTS");
	unsigned n = more ? (unsigned)atoi(more) : STATEMENTS, i, table;
	struct buf text = {0};

	(void)state;
	for (i = 0; i < TABLES; i++)
		learn_table(i);
	sql_losses(sql); /* of those */
	for (i = 0; i < n; i++) {
		table = roll(3) ? roll(3) : roll(TABLES);
		buf_reset(&text);
		if (roll(4))
			put_groups(&text, &known[table], tables[table]);
		else
			put_rows(&text, &known[table], tables[table]);
		buf_putc(&text, '\0');
		agree(text.data);
	}
	buf_done(&text);
	print_message("%u on groups, %u on columns, %u by rows\n",
		      taken[SQL_PATH_GROUPS], taken[SQL_PATH_COLUMNS],
		      taken[SQL_PATH_ROWS]);
	assert_true(taken[SQL_PATH_GROUPS] > n / 4);
	assert_true(taken[SQL_PATH_COLUMNS] > n / 20);
}

/* ---- what must not be missed --------------------------------------------- */

static void usual_questions_are_answered_on_columns(void **state)
{
	static const char *const groups[] = {
		("SELECT comm, count(*) FROM syscall_done "
		 "WHERE name = \"openat\" GROUP BY comm"),
		"SELECT comm, count(*) FROM events WHERE ts >= at('-10s') "
		"GROUP BY comm ORDER BY 2 DESC",
		"SELECT kind, count(*) FROM events GROUP BY kind",
		"SELECT name, count(*) AS n, avg(duration) / 1000 AS us, "
		"quantile(duration, 0.99) FROM syscall_done GROUP BY name "
		"HAVING n > 3 ORDER BY us DESC LIMIT 20",
		"SELECT path, count(*) FROM syscall_done "
		"WHERE path LIKE '%.h' GROUP BY path ORDER BY 2 DESC LIMIT 10",
		"SELECT raddr, rport, count(*), sum(sent) FROM net_close "
		"GROUP BY raddr, rport ORDER BY 3 DESC",
		"SELECT ts / 1000000000 AS s, comm, sum(waited), max(waited) "
		"FROM sched_switch GROUP BY s, comm",
		"SELECT ts / 1000000000 AS s, next_tid_comm, sum(waited) "
		"FROM sched_switch WHERE next_tid_comm <> 'SH' "
		"GROUP BY s, next_tid_comm",
		"SELECT ts / 1000000000, count(*) FROM task_fork GROUP BY 1",
		"SELECT ret_name, count(*) FROM syscall_done WHERE ret < 0 "
		"GROUP BY ret_name ORDER BY count(*) DESC, ret_name",
		"SELECT count(*), min(ts), max(ts), total(cpu) FROM events",
		"SELECT cgroup, container, exe, uid, count(*) FROM events "
		"GROUP BY cgroup, container, exe, uid",
	};
	static const char *const rows[] = {
		"SELECT * FROM events WHERE pid = 105",
		"SELECT * FROM syscall_done WHERE tid = 105 AND ret < 0",
		"SELECT ts, next_tid_comm, comm, waited FROM sched_switch "
		"WHERE next_tid_comm = 'make' AND next_pid_comm IS NOT NULL",
		"SELECT child_tid_comm FROM task_fork WHERE child_tid > 105",
		("SELECT disk, sector, latency FROM block_io "
		 "ORDER BY latency DESC LIMIT 10"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(groups) / sizeof(groups[0]); i++)
		if (agree(groups[i]) != SQL_PATH_GROUPS)
			fail_msg("by rows: %s", groups[i]);
	for (i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (agree(rows[i]) != SQL_PATH_COLUMNS)
			fail_msg("by rows: %s", rows[i]);
}

/* What would need SQLite's own rules goes to SQLite. */
static void what_is_not_known_goes_by_rows(void **state)
{
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(odd_statements) / sizeof(odd_statements[0]); i++)
		agree(odd_statements[i]);
	for (i = 0; i < sizeof(odd_names) / sizeof(odd_names[0]); i++)
		agree(odd_names[i]);
	assert_int_equal(agree(odd_statements[0]), SQL_PATH_ROWS);
}

/* SQLite asks for each part of an OR, and for each row once. */
static void rows_of_several_passes_are_told_apart(void **state)
{
	static const char *const texts[] = {
		("SELECT pid, ts FROM syscall_done WHERE comm LIKE '%' "
		 "AND (pid = 105 OR cpu = 0)"),
		("SELECT pid FROM events WHERE kind > 'm' "
		 "AND (pid = 105 OR kind = 'block_io')"),
		/* passes enough for a memo */
		("SELECT pid, ts FROM syscall_done WHERE comm LIKE '%' AND "
		 "((pid = 105 AND cpu = 0) OR (pid = 106 AND cpu = 0) OR "
		 "(pid = 107 AND cpu = 1) OR (pid = 108 AND cpu = 1))"),
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		assert_int_equal(agree(texts[i]), SQL_PATH_COLUMNS);
}

/* Where a number is asked of a text, SQLite makes a number of that: 007. */
static void a_memo_compares_as_sqlite_does(void **state)
{
	static const char text[] =
		"WITH v(n) AS (SELECT CAST(column1 AS INTEGER) FROM "
		"(VALUES(7), (8), (7), (9), (7))) SELECT n, "
		"(SELECT count(*) FROM %s WHERE s.path = v.n) AS c FROM v";
	static const char *const tables_of[] = {
		"syscall_done s", "(SELECT path FROM syscall_done LIMIT -1) s"};
	struct buf answer[2] = {{0}};
	char asked[512];
	size_t i;

	(void)state;
	for (i = 0; i < 2; i++) {
		snprintf(asked, sizeof(asked), text, tables_of[i]);
		ask(asked, true, &answer[i]);
	}
	if (!is_equal(&answer[0], &answer[1]))
		say_difference(text, answer[0].data, answer[1].data);
	assert_null(strstr(answer[0].data, "1:7|1:0|"));
	buf_done(&answer[0]);
	buf_done(&answer[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(usual_questions_are_answered_on_columns),
		cmocka_unit_test(what_is_not_known_goes_by_rows),
		cmocka_unit_test(rows_of_several_passes_are_told_apart),
		cmocka_unit_test(a_memo_compares_as_sqlite_does),
		cmocka_unit_test(generated_statements_agree),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
