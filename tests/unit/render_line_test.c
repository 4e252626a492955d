// SPDX-License-Identifier: BSD-2-Clause
/* render_line_test.c - templates, heads, marks, and the real events. */
#include <errno.h>

#include "../../user/tasks.h"
#include "render_fixture.h"

/* ---- whole lines --------------------------------------------------------- */

static void line_is(struct fixture *x, const char *line)
{
	struct event ev = record_event(&x->record, x->schema);

	render_text(&x->buf, &x->render, &ev);
	expect(&x->buf, line);
}

#define UNKNOWN_FLAG 0x0400 /* within WEIR_F_MARKS */
#define HEAD	     "14:03:20.000000 cpu1 [812] model_all "

static void templates(void **state)
{
	static const struct {
		const char *template, *line;
	} rows[] = {
		{"{plain} @{sector}[ error={error}][ {chars}]!", "7 @0 vda!"},
		{"[none {error}{negative}]x", "x"},
		{"{nosuch} {", "{nosuch} {"},
		{"a] [b", "a] "},
		{"[{error}", ""},
		{"[[{plain}]]", "[7]"},
		{"{plain}{plain}", "77"},
		{"}{plain}{}", "}7{}"},
	};
	char line[128];
	struct fixture x;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		fixture_start(&x, rows[i].template);
		record_set(&x.record, "plain", 7);
		record_bytes(&x.record, "chars", "vda", 3);
		snprintf(line, sizeof(line), HEAD "%s\n", rows[i].line);
		line_is(&x, line);
		fixture_done(&x);
	}
}

static void template_with_an_unknown_name(void **state)
{
	struct schema *s = model_schema_with("{plain} {nosuch}");
	const struct schema_kind *k = schema_kind(s, EV_MODEL_ALL);
	const char *name = NULL;

	(void)state;
	assert_int_equal(render_check_text(k, &name), -EINVAL);
	assert_ptr_equal(name, k->text + 8);
	assert_int_equal(
		render_check_text(schema_kind(s, EV_MODEL_CALL), &name), 0);
	schema_free(s);
}

static void a_kind_without_template_prints_pairs(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "");
	record_begin(&x.record, x.schema, "model_disk");
	record_bytes(&x.record, "disk", "vda", 3);
	record_set(&x.record, "latency", 352000);
	line_is(&x, "14:03:20.000000 cpu1 [812] model_disk "
		    "disk=vda latency=352us name=\n");
	fixture_done(&x);
}

static void marks_and_threads(void **state)
{
	struct fixture x;

	(void)state;
	fixture_start(&x, "{plain}");
	record_hdr(&x.record)->tid = 815;
	record_hdr(&x.record)->flags = WEIR_F_LATE | WEIR_F_CONTEXT |
				       WEIR_F_URING | UNKNOWN_FLAG;
	line_is(&x, "14:03:20.000000 cpu1 [812/815] model_all 0 "
		    "(late, io_uring)\n");
	json_has(&x, ",\"marks\":[\"late\",\"context\",\"io_uring\"]}\n");
	record_hdr(&x.record)->flags = UNKNOWN_FLAG;
	line_is(&x, "14:03:20.000000 cpu1 [812/815] model_all 0\n");
	json_has(&x, ",\"marks\":[]}\n");
	fixture_done(&x);
}

static void head_of_json(void **state)
{
	struct task task = {.comm = "post\"gres"};
	struct fixture x;
	struct event ev;

	(void)state;
	fixture_start(&x, "{plain}");
	json_has(&x, "{\"ts\":1795356200000000000,\"source\":\"model\","
		     "\"kind\":\"model_all\",\"cpu\":1,\"pid\":812,"
		     "\"tid\":812,\"comm\":null,\"plain\":0,");
	ev = record_event(&x.record, x.schema);
	ev.task = &task;
	render_json(&x.buf, &x.render, &ev);
	buf_putc(&x.buf, '\0');
	assert_non_null(strstr(x.buf.data, ",\"comm\":\"post\\\"gres\","));
	buf_reset(&x.buf);
	render_text(&x.buf, &x.render, &ev);
	expect(&x.buf, "14:03:20.000000 cpu1 post\"gres[812] model_all 0\n");
	fixture_done(&x);
}

static void csv_columns_follow_the_kinds(void **state)
{
	bool kinds[SCHEMA_KINDS_MAX] = {
		[EV_MODEL_CALL] = true, [EV_MODEL_DISK] = true};
	struct fixture x;
	struct event ev;

	(void)state;
	fixture_start(&x, "");
	assert_int_equal(csv_new(&x.csv, x.schema, kinds), 0);
	render_csv_head(&x.buf, x.csv);
	expect(&x.buf,
	       "time,source,kind,cpu,pid,tid,comm,"
	       "name,compat,args,path,path2,disk,latency,marks,weight\n");
	record_begin(&x.record, x.schema, "model_disk");
	record_bytes(&x.record, "disk", "vda", 3);
	record_bytes(&x.record, "name", "x", 1);
	ev = record_event(&x.record, x.schema);
	render_csv(&x.buf, x.csv, &x.render, &ev);
	expect(&x.buf, "2026-11-22T14:03:20.000000000Z,disk,model_disk,1,812,"
		       "812,,x,,,,,vda,0,,1\n");
	record_hdr(&x.record)->flags = WEIR_F_LATE | WEIR_F_PARTIAL |
				       (7 << WEIR_WEIGHT_SHIFT);
	render_csv(&x.buf, x.csv, &x.render, &ev);
	expect(&x.buf, "2026-11-22T14:03:20.000000000Z,disk,model_disk,1,812,"
		       "812,,x,,,,,vda,0,late partial,128\n");
	/* of a kind without columns: the head alone */
	record_begin(&x.record, x.schema, "model_all");
	ev = record_event(&x.record, x.schema);
	render_csv(&x.buf, x.csv, &x.render, &ev);
	expect(&x.buf, "2026-11-22T14:03:20.000000000Z,model,model_all,1,812,"
		       "812,,,,,,,,,,1\n");
	fixture_done(&x);
}

/* ---- with the real events ------------------------------------------------ */

static void real_lines(void **state)
{
	struct schema *s = real_schema(NULL);
	struct render r = {.schema = s, .wall_offset = WALL, .utc = true};
	const char *name;
	struct buf b = {0};
	struct record rec;
	struct event ev;
	unsigned i;

	(void)state;
	if (!s)
		skip();
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		if (!schema_kind(s, i))
			continue;
		if (render_check_text(schema_kind(s, i), &name))
			fail_msg("%s: unknown %s", schema_kind(s, i)->name,
				 name);
		record_begin(&rec, s, schema_kind(s, i)->name);
		ev = record_event(&rec, s);
		render_text(&b, &r, &ev);
		render_json(&b, &r, &ev);
	}
	assert_int_equal(buf_err(&b), 0);
	buf_done(&b);
	schema_free(s);
}

/* The names of other tasks come from the task table. */
static void tasks_are_named(void **state)
{
	struct schema *s = real_schema(NULL);
	struct render r = {.schema = s, .wall_offset = WALL, .utc = true};
	struct buf b = {0};
	struct record rec;
	struct tasks *t;
	struct event ev;

	(void)state;
	if (!s)
		skip();
	assert_int_equal(tasks_new(&t, s), 0);
	record_begin(&rec, s, "task_alive");
	record_bytes(&rec, "task_comm", "bash\033", 5);
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	record_begin(&rec, s, "cgroup_path");
	record_set(&rec, "cgroup", 99);
	record_text(&rec, "path", "/system.slice");
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	r.tasks = t;
	record_begin(&rec, s, "task_cgroup");
	record_set(&rec, "target_tid", 812);
	record_set(&rec, "cgroup", 99);
	ev = record_event(&rec, s);
	assert_int_equal(tasks_apply(t, &ev), 0);
	render_text(&b, &r, &ev);
	expect(&b, "14:03:20.000000 cpu1 bash\\x1b[812] task_cgroup "
		   "bash\\x1b[812] -> /system.slice\n");
	buf_done(&b);
	tasks_free(t);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(templates),
		cmocka_unit_test(template_with_an_unknown_name),
		cmocka_unit_test(a_kind_without_template_prints_pairs),
		cmocka_unit_test(marks_and_threads),
		cmocka_unit_test(head_of_json),
		cmocka_unit_test(csv_columns_follow_the_kinds),
		cmocka_unit_test(real_lines),
		cmocka_unit_test(tasks_are_named),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
