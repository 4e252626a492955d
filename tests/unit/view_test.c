// SPDX-License-Identifier: BSD-2-Clause
/*
 * view_test.c - views count, add up and order what they are told; and all of
 * views[] bind to the schema that is built.
 */
#include "model.h"

#include <errno.h>

#include "../../user/tasks.h"
#include "../../user/view.h"

static const struct view_spec calls = {
	.name = "calls",
	.of = {{"model_all", "ret", false}},
	.keys = {{.head = "COLOUR", .key = "colour", .field = "colour"},
		 {.head = "TEXT", .key = "text", .field = "chars"}},
	.columns = {{.head = "COUNT", .key = "count", .what = VIEW_COUNT},
		    {.head = "FAILED", .key = "failed", .what = VIEW_FAILED},
		    {.head = "MOSTLY", .key = "error", .what = VIEW_ERROR},
		    {.head = "TIME",
		     .key = "total",
		     .what = VIEW_SUM,
		     .field = "span",
		     .order = true},
		    {.head = "MEAN",
		     .key = "mean",
		     .what = VIEW_MEAN,
		     .field = "span"},
		    {.head = "P50",
		     .key = "p50",
		     .what = VIEW_QUANTILE,
		     .field = "span",
		     .share = 0.5},
		    {.head = "LEAST",
		     .key = "least",
		     .what = VIEW_LEAST,
		     .field = "size"},
		    {.head = "MOST",
		     .key = "most",
		     .what = VIEW_MOST,
		     .field = "size"}},
};

static const struct view_spec failures = {
	.name = "failures",
	.of = {{"model_all", "ret", true}},
	.keys = {{.head = "ERROR", .key = "error", .field = "ret"}},
	.columns = {{.head = "COUNT",
		     .key = "count",
		     .what = VIEW_COUNT,
		     .order = true}},
};

struct fixture {
	struct schema *schema;
	struct render render;
	struct view view;
	struct record record;
};

static void open_view(struct fixture *f, struct schema *s,
		      const struct view_spec *spec)
{
	f->schema = s;
	f->render = (struct render){.schema = s};
	assert_int_equal(view_init(&f->view, spec, &f->render), 0);
}

static void close_view(struct fixture *f)
{
	view_done(&f->view);
	schema_free(f->schema);
}

static void feed(struct fixture *f)
{
	struct event ev = record_event(&f->record, f->schema);

	assert_int_equal(view_event(&f->view, &ev), 0);
}

static void call(struct fixture *f, uint64_t colour, const char *text,
		 int64_t ret, uint64_t span, uint64_t size)
{
	record_begin(&f->record, f->schema, "model_all");
	record_set(&f->record, "colour", colour);
	record_bytes(&f->record, "chars", text, strlen(text));
	record_set(&f->record, "ret", (uint64_t)ret);
	record_set(&f->record, "span", span);
	record_set(&f->record, "size", size);
	feed(f);
}

/* Group @at and column @column as text. */
static void expect_cell(struct fixture *f, size_t at, unsigned column,
			const char *text)
{
	struct buf b = {0};

	view_cell(&f->view, f->view.list[at], column, &b);
	expect(&b, text);
	buf_done(&b);
}

static void groups_have_counts_sums_and_quantiles(void **state)
{
	static const char *const green[] = {"3",    "2",    "ENOENT", "60us",
					    "20us", "20us", "5",      "7.0K"};
	struct fixture f;
	unsigned i;

	(void)state;
	open_view(&f, model_schema(), &calls);
	call(&f, 0, "a", 0, 100, 1);
	call(&f, 1, "a", -2, 10000, 5);
	call(&f, 1, "a", 7, 20000, 6);
	call(&f, 1, "a", -2, 30000, 7168);
	call(&f, 1, "b", -13, 1, 0);
	view_sort(&f.view);
	assert_int_equal(f.view.count, 3);
	assert_string_equal(view_label(f.view.list[0], 0), "green");
	assert_string_equal(view_label(f.view.list[0], 1), "a");
	assert_string_equal(view_label(f.view.list[1], 0), "red");
	assert_string_equal(view_label(f.view.list[2], 1), "b");
	for (i = 0; i < 8; i++)
		expect_cell(&f, 0, i, green[i]);
	expect_cell(&f, 1, 2, "");
	close_view(&f);
}

static void the_commonest_error_is_named(void **state)
{
	struct fixture f;
	char scratch[16];

	(void)state;
	open_view(&f, model_schema(), &calls);
	call(&f, 0, "", -1, 0, 0);
	call(&f, 0, "", -11, 0, 0);
	call(&f, 0, "", -11, 0, 0);
	call(&f, 1, "", -4000, 0, 0);
	call(&f, 7, "", -4096, 0, 0); /* no error: MAX_ERRNO is 4095 */
	assert_string_equal(view_error(f.view.list[0], scratch), "EAGAIN");
	assert_string_equal(view_error(f.view.list[1], scratch), "4000");
	assert_null(view_error(f.view.list[2], scratch));
	close_view(&f);
}

static void only_failures_where_only_they_are_wanted(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, model_schema(), &failures);
	call(&f, 0, "", 3, 0, 0);
	call(&f, 0, "", -2, 0, 0);
	call(&f, 0, "", -13, 0, 0);
	call(&f, 0, "", -13, 0, 0);
	view_sort(&f.view);
	assert_int_equal(f.view.count, 2);
	assert_string_equal(view_label(f.view.list[0], 0), "EACCES");
	assert_int_equal(view_number(&f.view, f.view.list[0], 0), 2);
	close_view(&f);
}

static void a_sum_stops_at_its_largest(void **state)
{
	struct fixture f;

	(void)state;
	open_view(&f, model_schema(), &calls);
	call(&f, 0, "", 0, UINT64_MAX, UINT64_MAX);
	call(&f, 0, "", 0, UINT64_MAX, 0);
	assert_true(view_number(&f.view, f.view.list[0], 3) == UINT64_MAX);
	assert_true(view_number(&f.view, f.view.list[0], 5) == UINT64_MAX);
	assert_true(view_number(&f.view, f.view.list[0], 6) == 0);
	assert_true(view_number(&f.view, f.view.list[0], 7) == UINT64_MAX);
	close_view(&f);
}

static void a_span_that_is_not_known_is_no_zero(void **state)
{
	struct fixture f;
	struct event ev;

	(void)state;
	open_view(&f, model_schema(), &calls);
	call(&f, 0, "", 0, 1000, 0);
	record_set(&f.record, "span", 0);
	record_hdr(&f.record)->flags = WEIR_F_PARTIAL;
	ev = record_event(&f.record, f.schema);
	assert_int_equal(view_event(&f.view, &ev), 0);
	expect_cell(&f, 0, 0, "2");
	expect_cell(&f, 0, 4, "1us");
	close_view(&f);
}

static void gap(struct fixture *f, uint64_t count, uint64_t first,
		uint64_t last)
{
	record_begin(&f->record, f->schema, "gap");
	record_set(&f->record, "count", count);
	record_set(&f->record, "first", first);
	record_set(&f->record, "last", last);
	feed(f);
}

static void a_loss_at_no_known_instant_was_not_at_boot(void **state)
{
	struct schema *s = real_schema(NULL);
	const struct view_spec *spec = views;
	struct fixture f;

	(void)state;
	if (!s)
		skip();
	while (strcmp(spec->name, "losses") != 0)
		spec++;
	open_view(&f, s, spec);
	gap(&f, 5, 0, 0);
	expect_cell(&f, 0, 0, "5");
	expect_cell(&f, 0, 1, "-");
	expect_cell(&f, 0, 2, "-");
	gap(&f, 2, 30, 40);
	expect_cell(&f, 0, 0, "7");
	assert_int_equal(view_number(&f.view, f.view.list[0], 1), 30);
	assert_int_equal(view_number(&f.view, f.view.list[0], 2), 40);
	close_view(&f);
}

static void a_key_without_a_field_is_the_events_own_task(void **state)
{
	static const struct view_spec ended = {
		.name = "ended",
		.of = {{"model_all", NULL, false}},
		.keys = {{.head = "ENDED", .key = "comm"}},
		.columns = {{.head = "COUNT",
			     .key = "count",
			     .what = VIEW_COUNT,
			     .order = true}},
	};
	struct task sh = {.comm = "sh"}, longest = {.comm = "exactly16chars!!"};
	const struct task *of[] = {&sh, &longest, NULL, &sh, &longest, &sh};
	struct fixture f;
	struct event ev;
	size_t i;

	(void)state;
	open_view(&f, model_schema(), &ended);
	record_begin(&f.record, f.schema, "model_all");
	for (i = 0; i < sizeof(of) / sizeof(of[0]); i++) {
		ev = record_event(&f.record, f.schema);
		ev.task = of[i];
		assert_int_equal(view_event(&f.view, &ev), 0);
	}
	view_sort(&f.view);
	assert_int_equal(f.view.count, 3);
	assert_string_equal(view_label(f.view.list[0], 0), "sh");
	expect_cell(&f, 0, 0, "3");
	assert_string_equal(view_label(f.view.list[1], 0), "exactly16chars!!");
	assert_string_equal(view_label(f.view.list[2], 0), "?");
	close_view(&f);
}

static void what_has_no_room_is_counted_together(void **state)
{
	uint64_t total = 0;
	struct fixture f;
	char name[12];
	size_t i;

	(void)state;
	open_view(&f, model_schema(), &calls);
	for (i = 0; i < VIEW_GROUPS_MAX + 100; i++) {
		snprintf(name, sizeof(name), "%zu", i);
		call(&f, 0, name, 0, 1, 0);
	}
	assert_int_equal(f.view.count, VIEW_GROUPS_MAX + 1);
	view_sort(&f.view);
	assert_string_equal(view_label(f.view.list[0], 0), "(others)");
	assert_string_equal(view_label(f.view.list[0], 1), "");
	expect_cell(&f, 0, 0, "100");
	for (i = 0; i < f.view.count; i++)
		total += view_number(&f.view, f.view.list[i], 0);
	assert_int_equal(total, VIEW_GROUPS_MAX + 100);
	close_view(&f);
}

static void a_schema_without_the_fields_gives_an_empty_view(void **state)
{
	const struct view_spec *spec;
	struct fixture f;

	(void)state;
	for (spec = views; spec->name; spec++) {
		open_view(&f, model_schema(), spec);
		call(&f, 0, "", -2, 1, 1);
		assert_int_equal(f.view.count, 0);
		close_view(&f);
	}
}

static void all_views_bind_to_the_events_there_are(void **state)
{
	struct schema *s = real_schema(NULL);
	const struct view_spec *spec;
	struct fixture f;
	unsigned i;

	(void)state;
	if (!s)
		skip();
	schema_free(s);
	for (spec = views; spec->name; spec++) {
		open_view(&f, real_schema(NULL), spec);
		assert_non_null(f.view.of[0].kind);
		assert_true(!spec->of[1].kind || f.view.of[1].kind);
		assert_true(!spec->of[0].error || f.view.of[0].error);
		for (i = 0; i < f.view.number_count; i++)
			assert_non_null(f.view.like[i]);
		close_view(&f);
	}
}

/* ---- connections --------------------------------------------------------- */

static const struct view_spec *peers(void)
{
	const struct view_spec *spec = views;

	while (spec->name && !spec->by_peer)
		spec++;
	return spec;
}

static void flow(struct fixture *f, const char *kind, unsigned lport,
		 unsigned rport, uint64_t sent)
{
	static const uint8_t addr[16] = {[10] = 0xff, 0xff, 10, 0, 0, 7};

	record_begin(&f->record, f->schema, kind);
	record_set(&f->record, "lport", lport);
	if (schema_field(f->record.kind, "rport")) {
		record_set(&f->record, "rport", rport);
		record_bytes(&f->record, "raddr", addr, sizeof(addr));
	}
	if (sent)
		record_set(&f->record, "sent", sent);
	feed(f);
}

static void expect_peer(struct fixture *f, size_t at, const char *port,
			const char *side, uint64_t count)
{
	const struct view_group *g = f->view.list[at];

	assert_string_equal(view_label(g, 0), "10.0.0.7");
	assert_string_equal(view_label(g, 1), port);
	assert_string_equal(view_label(g, 2), side);
	assert_int_equal(view_number(&f->view, g, 0), count);
}

static void connections_are_grouped_by_service(void **state)
{
	struct schema *s = real_schema(NULL);
	struct fixture f;

	(void)state;
	if (!s)
		skip();
	open_view(&f, s, peers());
	flow(&f, "net_accept", 50051, 40000, 0); /* a high port served here */
	flow(&f, "net_close", 50051, 40000, 4000);
	flow(&f, "net_close", 50051, 40001, 4000);
	flow(&f, "net_connect", 40002, 60000, 0); /* and one called */
	flow(&f, "net_close", 40002, 60000, 3000);
	flow(&f, "net_close", 22, 41000, 2000); /* neither was seen */
	flow(&f, "net_close", 42000, 443, 1000);
	record_begin(&f.record, f.schema, "net_connect");
	record_set(&f.record, "error", 111);
	feed(&f);
	view_sort(&f.view);
	assert_int_equal(f.view.count, 5);
	expect_peer(&f, 0, "50051", "client", 2);
	expect_peer(&f, 1, "60000", "server", 1);
	expect_peer(&f, 2, "22", "client", 1);
	expect_peer(&f, 3, "443", "server", 1);
	assert_int_equal(f.view.list[4]->failed, 1);
	close_view(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_have_counts_sums_and_quantiles),
		cmocka_unit_test(the_commonest_error_is_named),
		cmocka_unit_test(only_failures_where_only_they_are_wanted),
		cmocka_unit_test(a_sum_stops_at_its_largest),
		cmocka_unit_test(a_span_that_is_not_known_is_no_zero),
		cmocka_unit_test(a_loss_at_no_known_instant_was_not_at_boot),
		cmocka_unit_test(a_key_without_a_field_is_the_events_own_task),
		cmocka_unit_test(what_has_no_room_is_counted_together),
		cmocka_unit_test(
			a_schema_without_the_fields_gives_an_empty_view),
		cmocka_unit_test(all_views_bind_to_the_events_there_are),
		cmocka_unit_test(connections_are_grouped_by_service),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
