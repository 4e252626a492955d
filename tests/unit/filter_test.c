// SPDX-License-Identifier: BSD-2-Clause
/* filter_test.c - what an expression matches, and where its caret stands. */
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "../../user/clock.h"
#include "../../user/filter.h"
#include "../../user/filter_tree.h"
#include "../../user/names.h"
#include "../../user/tasks.h"
#include "model.h"

#define WALL 1795356195000000000LL /* 5 s are 2026-11-22T14:03:20Z */

struct fixture {
	struct schema *schema;
	struct record all, call, disk;
	struct cgroup cgroup;
	struct task task;
};

static struct fixture x;

/* One event of each kind, so that every row of a table can ask any of them. */
static int setup(void **state)
{
	static const uint8_t addr[] = {[10] = 0xff, 0xff, 10, 1, 2, 3};

	(void)state;
	x.schema = model_schema();
	record_begin(&x.all, x.schema, "model_all");
	record_set(&x.all, "plain", 42);
	record_set(&x.all, "negative", (uint32_t)-7);
	record_set(&x.all, "flag", 1);
	record_set(&x.all, "port", 443);
	record_set(&x.all, "colour", 7);
	record_set(&x.all, "when", 6000000000);
	record_set(&x.all, "span", 12000000);
	record_set(&x.all, "error", 2);
	record_set(&x.all, "size", 65536);
	record_set(&x.all, "number", UINT64_MAX);
	record_set(&x.all, "ret", (uint64_t)-2);
	record_set(&x.all, "dev", 8 << 20 | 17);
	record_set(&x.all, "group", 4711);
	record_bytes(&x.all, "addr", addr, 16);
	record_set(&x.all, "sig", 9);
	record_set(&x.all, "state", 0x402);
	record_set(&x.all, "bits", 0xffffffff81000000);
	record_set(&x.all, "value", (uint64_t)-5);
	record_bytes(&x.all, "chars", "vda", 3);
	record_text(&x.all, "text", "/etc/passwd");
	record_str(&x.all, "argv", "ls\0-l\0/tmp\0", 11, 11);
	record_begin(&x.call, x.schema, "model_call");
	record_set(&x.call, "name", 257);
	record_str(&x.call, "path", "", 0, WEIR_STR_UNKNOWN);
	record_begin(&x.disk, x.schema, "model_disk");
	record_bytes(&x.disk, "name", "257", 3);
	record_bytes(&x.disk, "disk", "sdb", 3);
	record_set(&x.disk, "latency", 500);
	x.cgroup = (struct cgroup){
		.id = 99,
		.path = "/system.slice/docker-0123456789abcdef.scope",
		.container = "0123456789abcdef0123456789abcdef"
			     "0123456789abcdef0123456789abcdef",
	};
	x.task = (struct task){
		.tid = 812,
		.pid = 812,
		.ppid = 1,
		.uid = 1000,
		.cgroup = &x.cgroup,
		.comm = "postgres",
		.exe = "/usr/bin/postgres",
		.exe_len = 17,
	};
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	schema_free(x.schema);
	return 0;
}

static struct filter *compile(const char *expr)
{
	struct filter_error err;
	struct filter *f = NULL;
	int e = filter_compile(&f, expr, x.schema, NULL, WALL, 0, &err);

	if (e)
		fail_msg("%s: %d at %zu: %s", expr, e, err.at, err.what);
	return f;
}

/* Which of the three events match: a all, c call, d disk; all of them with
 * the task that they are by, or without.
 */
static void matches(const char *expr, bool joined, char ret[4])
{
	const struct record *records[] = {&x.all, &x.call, &x.disk};
	struct filter *f = compile(expr);
	struct event ev;
	size_t i, n = 0;

	for (i = 0; i < 3; i++) {
		ev = record_event(records[i], x.schema);
		ev.task = joined ? &x.task : NULL;
		if (filter_match(f, &ev))
			ret[n++] = "acd"[i];
	}
	ret[n] = '\0';
	filter_free(f);
}

struct row {
	const char *expr, *hits;
};

static void check(const struct row *rows, size_t n, bool joined)
{
	char hits[4];
	size_t i;

	for (i = 0; i < n; i++) {
		matches(rows[i].expr, joined, hits);
		if (strcmp(hits, rows[i].hits) != 0)
			fail_msg("%s: '%s'", rows[i].expr, hits);
	}
}

#define CHECK(rows, joined) check(rows, sizeof(rows) / sizeof(*(rows)), joined)

static void numbers(void **state)
{
	static const struct row rows[] = {
		{"plain == 42", "a"},
		{"plain = 42", "a"},
		{"plain == 0x2a", "a"},
		{"plain != 42", ""},
		{"plain != 41", "a"},
		{"plain < 43", "a"},
		{"plain < 42", ""},
		{"plain <= 42", "a"},
		{"plain >= 42", "a"},
		{"plain > 42", ""},
		{"plain > -1", "a"},
		{"plain < -1", ""},
		{"plain == -1", ""},
		{"plain in (1, 42)", "a"},
		{"plain in (1)", ""},
		{"plain not in (1, 2)", "a"},
		{"plain not in (1, 42)", ""},
		{"plain", "a"},
		{"small", ""},
		{"negative == -7", "a"},
		{"negative < 0", "a"},
		{"negative > -8", "a"},
		{"negative < -6", "a"},
		{"negative > 5", ""},
		{"negative < 18446744073709551615", "a"},
		{"number == 18446744073709551615", "a"},
		{"number > -5", "a"},
		{"number > 9223372036854775807", "a"},
		{"value == -5", "a"},
		{"value < 10ms", "a"},
		{"value > 64K", ""},
		{"bits >= 0xffffffff80000000", "a"},
		{"port == 443", "a"},
	};

	(void)state;
	CHECK(rows, true);
}

static void signals_have_several_names(void **state)
{
	static const struct {
		const char *name;
		int64_t number; /* 0: none has that name */
	} rows[] = {
		{"SIGIO", SIGIO},    {"poll", SIGIO},	  {"SIGIOT", SIGABRT},
		{"cld", SIGCHLD},    {"SIGRTMAX", 64},	  {"SIGRTMAX-1", 63},
		{"SIGRTMAX-29", 35}, {"SIGRTMIN+29", 63}, {"SIGRTMAX-30", 0},
		{"SIGRTMAX-64", 0},  {"SIGRTMAX-", 0},	  {"", 0},
	};
	int64_t number;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		number = 0;
		(void)signal_by_name(rows[i].name, strlen(rows[i].name),
				     &number);
		assert_int_equal(number, rows[i].number);
	}
}

static void values_by_meaning(void **state)
{
	static const struct row rows[] = {
		{"span > 10ms", "a"},
		{"span > 1s", ""},
		{"span == 12000000", "a"},
		{"span < 0.0125s", "a"},
		{"size == 64K", "a"},
		{"size >= 1M", ""},
		{"size == 65536", "a"},
		{"error == ENOENT", "a"},
		{"error == enoent", "a"},
		{"error == 2", "a"},
		{"error != EIO", "a"},
		{"error in (EIO, ENOENT)", "a"},
		{"ret == ENOENT", "a"},
		{"ret == -ENOENT", "a"},
		{"ret == -2", "a"},
		{"ret < 0", "a"},
		{"ret == EAGAIN", ""},
		{"sig == SIGKILL", "a"},
		{"sig == kill", "a"},
		{"sig == 9", "a"},
		{"sig < SIGIO", "a"},
		{"sig != SIGRTMAX-1", "a"},
		{"sig in (TERM, KILL)", "a"},
		{"state == I", "a"},
		{"state == D", ""},
		{"state != D", "a"},
		{"state in (S, I)", "a"},
		{"state == 0x402", "a"},
		{"flag == true", "a"},
		{"flag == no", ""},
		{"flag", "a"},
		{"dev == 8:17", "a"},
		{"dev == 8:16", ""},
		{"dev == 8388625", "a"},
		{"group == 4711", "a"},
		{"colour == blue", "a"},
		{"colour == BLUE", "a"},
		{"colour == 7", "a"},
		{"colour != red", "a"},
		{"colour > green", "a"},
		{"colour in (red, blue)", "a"},
		{"colour ~ \"bl*\"", "a"},
		{"colour !~ bl*", ""},
		{"when == 2026-11-22T14:03:21Z", "a"},
		{"when > 2026-11-22T14:03:20.5Z", "a"},
		{"when == 1795356201000000000", "a"},
		{"when < 1970-01-02", ""},
		{"ts < 2026-11-22T14:03:20.5Z", "acd"},
		{"ts >= 2026-11-22T14:03:20Z", "acd"},
		{"ts > 2026-11-22T14:03:20Z", ""},
		{"ts < -0", "acd"},
	};

	(void)state;
	/* the last row: the time of the test is after the time of the event */
	if (clock_read(CLOCK_REALTIME) < WALL + 5000000000ULL)
		check(rows, sizeof(rows) / sizeof(*rows) - 1, true);
	else
		CHECK(rows, true);
}

static void addresses(void **state)
{
	static const struct row rows[] = {
		{"addr == 10.1.2.3", "a"},
		{"addr == ::ffff:10.1.2.3", "a"},
		{"addr == 10.0.0.0/8", "a"},
		{"addr == 10.1.2.0/30", "a"},
		{"addr == 10.1.2.4/30", ""},
		{"addr == 0.0.0.0/0", "a"},
		{"addr == ::/0", "a"},
		{"addr == [::]/0", "a"},
		{"addr == ::1", ""},
		{"addr != 10.0.0.0/8", ""},
		{"addr != 11.0.0.0/8", "a"},
		{"addr in (127.0.0.0/8, 10.0.0.0/8)", "a"},
		{"addr not in (127.0.0.0/8, 10.0.0.0/8)", ""},
		{"addr", "a"},
	};

	(void)state;
	CHECK(rows, true);
}

static void strings(void **state)
{
	static const struct row rows[] = {
		{"chars == vda", "a"},
		{"chars == \"vda\"", "a"},
		{"chars == 'vda'", "a"},
		{"chars == vd", ""},
		{"chars == vda1", ""},
		{"chars != sda", "a"},
		{"chars ~ vd?", "a"},
		{"chars ~ [sv]da", "a"},
		{"chars !~ sd*", "a"},
		{"chars in (sda, vda)", "a"},
		{"text == /etc/passwd", "a"},
		{"text ~ /etc/*", "a"},
		{"text ~ *passwd", "a"},
		{"text ~ passwd", ""},
		{"text == \"\\x2fetc\\x2Fpasswd\"", "a"},
		{"text == '\\x2fetc/passwd'", ""},
		{"text != \"quote\\\" and \\\\\"", "a"},
		{"text ~ \"/et\\c*\"", "a"},
		{"argv == \"ls -l /tmp\"", "a"},
		{"argv ~ \"* -l *\"", "a"},
		{"argv ~ \"ls*/tmp\"", "a"},
		{"argv == ls", ""},
		{"text", "a"},
		/* unreadable: neither equal nor different */
		{"path == x", ""},
		{"path != x", ""},
		{"path ~ *", ""},
		{"path not in (x)", ""},
		{"not path == x", "acd"},
		{"path", ""},
	};

	(void)state;
	CHECK(rows, true);
}

static void names_of_kinds(void **state)
{
	static const struct row rows[] = {
		{"source == model", "ac"},
		{"source != model", "d"},
		{"source in (model, disk)", "acd"},
		{"source not in (model)", "d"},
		{"source ~ m*", "ac"},
		{"kind == model_disk", "d"},
		{"kind != model_disk", "ac"},
		{"kind ~ model_?all", "c"},
		{"kind !~ *a*", "d"},
		{"kind in (model_all, model_call)", "ac"},
		{"kind", "acd"},
		{"source", "acd"},
		{"model_disk.latency > 100ns", "d"},
		{"model_all.plain", "a"},
		/* one name, a number here and text there */
		{"name == 257", "cd"},
		{"name == 0x101", "c"},
		{"model_call.name == 257", "c"},
		{"name != 1", "cd"},
		{"name ~ 2*", "d"},
		{"model_disk.name != word", "d"},
		{"name > 5", "c"},
		{"latency", "d"},
		{"latency != 1", "d"},
		{"not latency == 500", "ac"},
	};

	(void)state;
	CHECK(rows, true);
}

static void what_every_event_has(void **state)
{
	static const struct row rows[] = {
		{"cpu == 1", "acd"},   {"cpu in (2, 3)", ""},
		{"pid == 812", "acd"}, {"tid != 812", ""},
		{"pid", "acd"},	       {"cpu > 0", "acd"},
	};
	static const struct row known[] = {
		{"comm == postgres", "acd"},
		{"comm ~ \"post*\"", "acd"},
		{"comm != sh", "acd"},
		{"ppid == 1", "acd"},
		{"uid == 1000", "acd"},
		{"uid != 0", "acd"},
		{"exe == /usr/bin/postgres", "acd"},
		{"exe ~ */postgres", "acd"},
		{"cgroup == 99", "acd"},
		{"cgroup ~ /system.slice/*", "acd"},
		{"cgroup == /system.slice", ""},
		{"container == 0123456789ab", "acd"},
		{"container == 0123456789a", ""},
		{"container == 0123456789abcdef0123456789abcdef"
		 "0123456789abcdef0123456789abcdef",
		 "acd"},
		{"container", "acd"},
	};
	static const struct row unknown[] = {
		{"comm == postgres", ""}, {"comm != postgres", ""},
		{"uid != 0", ""},	  {"not uid == 0", "acd"},
		{"cgroup ~ *", ""},	  {"cgroup != 1", ""},
		{"container", ""},	  {"exe !~ x", ""},
	};

	(void)state;
	CHECK(rows, false);
	CHECK(known, true);
	CHECK(unknown, false);
}

/* A field that names a task has its name beside it: 0 is the idle task. */
static void other_tasks_have_names(void **state)
{
	static const struct {
		const char *expr;
		bool hit;
	} rows[] = {
		{"other_tid_comm == swapper", true},
		{"model_all.other_tid_comm ~ 'swap*'", true},
		{"other_tid_comm != sh", true},
		{"other_tid_comm == postgres", false},
		{"other_pid_comm == sh", false}, /* nobody knows 812 */
		{"other_pid_comm != sh", false},
		{"not other_pid_comm == sh", true},
		{"other_tid_comm and other_pid == 812", true},
	};
	struct record r;
	struct filter_error err;
	struct filter *f;
	struct tasks *t;
	struct event ev;
	size_t i;

	(void)state;
	assert_int_equal(tasks_new(&t, x.schema), 0);
	record_begin(&r, x.schema, "model_all");
	record_set(&r, "other_pid", 812);
	ev = record_event(&r, x.schema);
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (filter_compile(&f, rows[i].expr, x.schema, t, WALL, 0,
				   &err))
			fail_msg("%s: %s", rows[i].expr, err.what);
		if (filter_match(f, &ev) != rows[i].hit)
			fail_msg("%s: %d", rows[i].expr, !rows[i].hit);
		filter_free(f);
	}
	tasks_free(t);
}

static void logic(void **state)
{
	static const struct row rows[] = {
		{"plain == 42 and port == 443", "a"},
		{"plain == 42 && port == 80", ""},
		{"plain == 1 or port == 443", "a"},
		{"plain == 1 || latency == 500", "d"},
		{"plain == 42 or latency == 500 and disk == sda", "a"},
		{"(plain == 42 or latency == 500) and disk == sda", ""},
		{"not plain == 42", "cd"},
		{"!plain == 42", "cd"},
		{"not not plain", "a"},
		{"not (plain or latency)", "c"},
		{"((plain))", "a"},
		{"plain AND port OR NOT span", "acd"},
		{"plain==42&&port==443||latency==500", "ad"},
		{"plain in(1,42)and port>1", "a"},
		{"  plain  ", "a"},
	};

	(void)state;
	CHECK(rows, true);
}

/* Long, but flat: neither the parser nor the matcher recurses. */
static void length_is_not_depth(void **state)
{
	struct buf b = {0};
	char hits[4];
	int i;

	(void)state;
	for (i = 0; i < 3000; i++)
		buf_puts(&b, "plain == 1 or port == 2 and span == 3 or ");
	buf_puts(&b, "plain == 42");
	buf_putc(&b, '\0');
	matches(b.data, true, hits);
	assert_string_equal(hits, "a");
	buf_done(&b);
}

/* ---- the tree ------------------------------------------------------------ */

static unsigned children(const struct node *n, enum node_type type)
{
	const struct node *child;
	unsigned count = 0;

	assert_int_equal(n->type, type);
	for (child = n->child; child; child = child->next)
		count++;
	return count;
}

static void conjuncts_are_the_children_of_the_root(void **state)
{
	struct filter *f = compile("(plain == 1 and (port and span)) and "
				   "(size or error or (ret or dev)) and sig");
	const struct node *root = filter_root(f), * or ;

	(void)state;
	assert_int_equal(children(root, NODE_AND), 5);
	or = root->child->next->next->next;
	assert_int_equal(children(or, NODE_OR), 4);
	assert_null(root->next);
	filter_free(f);
	f = compile("plain");
	assert_int_equal(filter_root(f)->type, NODE_TEST);
	filter_free(f);
}

static void tests_are_bound_by_kind(void **state)
{
	struct filter *f = compile("name == 257");
	const struct test *t = filter_root(f)->test;

	(void)state;
	assert_int_equal(t->op, OP_EQ);
	assert_null(t->subjects[EV_MODEL_ALL]);
	assert_int_equal(t->subjects[EV_MODEL_CALL]->type, SUBJECT_NUMBER);
	assert_int_equal(t->subjects[EV_MODEL_CALL]->field->offset, 24);
	assert_int_equal(t->subjects[EV_MODEL_CALL]->values[0].number, 257);
	assert_int_equal(t->subjects[EV_MODEL_DISK]->type, SUBJECT_TEXT);
	filter_free(f);
	filter_free(NULL);
}

/* ---- with the real events ------------------------------------------------ */

static void real_expressions(void **state)
{
	static const char *const exprs[] = {
		"source == task and lifetime > 10ms and comm == \"postgres\"",
		"name == openat and ret == ENOENT and path ~ \"*.so\"",
		"kind == task_exec and argv ~ '*--force*'",
		"signal == SIGKILL or exit_code != 0",
		"task_fork.uid == 0 and uid != 0",
		"task_cgroup.cgroup ~ /system.slice/*",
		"ts > -5m and duration > 1s",
	};
	struct schema *s = real_schema(NULL);
	struct filter_error err;
	struct filter *f;
	size_t i;

	(void)state;
	if (!s || !schema_kind_by_name(s, "syscall_done"))
		skip();
	for (i = 0; i < sizeof(exprs) / sizeof(*exprs); i++) {
		if (filter_compile(&f, exprs[i], s, NULL, WALL, 0, &err))
			fail_msg("%s: %zu %s", exprs[i], err.at, err.what);
		filter_free(f);
	}
	assert_int_equal(
		filter_compile(&f, "name == opneat", s, NULL, WALL, 0, &err),
		-EINVAL);
	assert_non_null(strstr(err.what, "did you mean 'openat'?"));
	assert_int_equal(err.at, 8);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers),
		cmocka_unit_test(signals_have_several_names),
		cmocka_unit_test(values_by_meaning),
		cmocka_unit_test(addresses),
		cmocka_unit_test(strings),
		cmocka_unit_test(names_of_kinds),
		cmocka_unit_test(what_every_event_has),
		cmocka_unit_test(other_tasks_have_names),
		cmocka_unit_test(logic),
		cmocka_unit_test(length_is_not_depth),
		cmocka_unit_test(conjuncts_are_the_children_of_the_root),
		cmocka_unit_test(tests_are_bound_by_kind),
		cmocka_unit_test(real_expressions),
	};

	return cmocka_run_group_tests(tests, setup, teardown);
}
