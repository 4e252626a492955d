// SPDX-License-Identifier: BSD-2-Clause
/* archive_test.c - what went in comes out, in order, from wherever one cuts. */
#include "store_place.h"

#define MINUTE_NS (60 * NS_PER_S)

static void make(unsigned events, uint64_t segment_bytes)
{
	assert_int_equal(store_open(&store, path, false, segment_bytes), 0);
	assert_int_equal(store_fill(&store, events), 0);
	assert_int_equal(store_close(&store), 0);
}

static void expect_all(const struct store_read *r)
{
	assert_int_equal(r->err, 0);
	assert_int_equal(r->events, store.appended);
	assert_true(r->hash == store.hash);
}

static void expect_whole(void)
{
	struct verify_report v;

	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.events, store.appended);
	assert_int_equal(v.lost + v.unsealed + v.torn_bytes, 0);
}

/* ---- round trip -------------------------------------------------------- */

static void every_byte_comes_back(void **state)
{
	struct store_read r;

	(void)state;
	make(100000, 0);
	r = store_read(path);
	expect_all(&r);
	assert_int_equal(r.info.events, 100000);
	assert_int_equal(r.info.segments, 1);
	assert_int_equal(r.info.open_segments + r.info.damaged, 0);
	assert_int_equal(r.info.last_ns, store.ts);
	expect_whole();
}

static void an_archive_of_no_events_is_whole(void **state)
{
	struct store_read r;

	(void)state;
	make(0, 0);
	r = store_read(path);
	expect_all(&r);
	expect_whole();
}

static void it_says_where_it_was_made(void **state)
{
	char *paths[] = {path}, host[65] = "";
	struct archive_info info;
	struct archive *a;
	const char *why;
	int64_t wall;

	(void)state;
	make(10, 0);
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	archive_info(a, &info);
	gethostname(host, sizeof(host) - 1);
	assert_string_equal(info.host, host);
	assert_string_equal(info.command, "a test");
	assert_int_equal(strlen(info.boot_id), 36);
	assert_true(*info.kernel && *info.version);
	wall = clock_wall_offset() - info.wall_offset;
	assert_true(wall < 1000000 && wall > -1000000);
	archive_free(a);
}

static void notes_come_back_whatever_went_the_same_way_before(void **state)
{
	static const char *const names[] = {"snapshot", "trigger", "covers",
					    "cut"};
	struct archive_info i;
	struct archive *a;
	const char *why;
	unsigned n;

	(void)state;
	store.rows[0].filtered = 1; /* an odd number of NULs in the account */
	assert_int_equal(store_open(&store, path, false, 0), 0);
	for (n = 0; n < 4; n++)
		assert_int_equal(archive_note(store.writer, names[n], names[n]),
				 0);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(archive_open(&a, (char *[]){path}, 1, &why), 0);
	archive_info(a, &i);
	assert_string_equal(i.snapshot, "snapshot");
	assert_string_equal(i.trigger, "trigger");
	assert_string_equal(i.covers, "covers");
	assert_string_equal(i.cut, "cut");
	archive_free(a);
}

static void the_account_comes_back(void **state)
{
	const struct account_row *rows;
	char *paths[] = {path};
	struct archive *a;
	const char *why;
	size_t i, n;

	(void)state;
	make(1000, 0);
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	n = archive_account(a, &rows);
	assert_int_equal(n, STORE_ROWS);
	for (i = 0; i < n; i++)
		assert_memory_equal(&rows[i], &store.rows[i], sizeof(rows[i]));
	archive_free(a);
}

/* ---- segments ---------------------------------------------------------- */

static int count_files(const char *suffix)
{
	struct dirent *e;
	DIR *d = opendir(path);
	int n = 0;

	while ((e = readdir(d)))
		n += strlen(e->d_name) > strlen(suffix) &&
		     !strcmp(e->d_name + strlen(e->d_name) - strlen(suffix),
			     suffix);
	closedir(d);
	return n;
}

static void segments_end_by_size_and_read_as_one(void **state)
{
	struct store_read r;

	(void)state;
	store.state_records = 5;
	make(200000, 512 << 10);
	assert_true(count_files(".weir") >= 3);
	assert_int_equal(count_files(".open"), 0);
	r = store_read(path);
	expect_all(&r);
	assert_int_equal(r.context, 5); /* one state: the rest is no news */
	expect_whole();
}

/* The same instant is the same wall clock time in each segment. */
static void all_segments_have_the_same_clock(void **state)
{
	struct store_read r;

	(void)state;
	make(200000, 512 << 10);
	assert_true(count_files(".weir") >= 3);
	r = store_read(path);
	expect_all(&r);
	assert_int_equal(r.info.wall_offset_max - r.info.wall_offset_min, 0);
}

static void segments_end_by_time(void **state)
{
	struct store_read r;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	store_fill(&store, 100);
	assert_int_equal(archive_tick(store.writer, clock_now()), 0);
	assert_int_equal(
		archive_tick(store.writer, clock_now() + 16 * MINUTE_NS), 0);
	store_fill(&store, 100);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(count_files(".weir"), 2);
	r = store_read(path);
	expect_all(&r);
	expect_whole();
}

/* Each of its files alone: schema, clock, state and events. */
static void every_segment_decodes_alone(void **state)
{
	uint64_t events = 0, context = 0;
	struct dirent *e;
	char one[512];
	int n = 0;
	DIR *d;

	(void)state;
	store.state_records = 7;
	make(195000, 512 << 10);
	d = opendir(path);
	while ((e = readdir(d))) {
		struct store_read r;

		if (e->d_name[0] == '.' || !strcmp(e->d_name, "LOCK"))
			continue;
		snprintf(one, sizeof(one), "%s/%s", path, e->d_name);
		r = store_read(one);
		assert_int_equal(r.err, 0);
		events += r.events;
		context += r.context;
		n++;
	}
	closedir(d);
	assert_int_equal(events, store.appended);
	assert_int_equal(context, 7 * n);
}

static void remove_segment(unsigned number)
{
	char name[512], suffix[32];

	snprintf(suffix, sizeof(suffix), "-%010u.weir", number);
	assert_true(store_find(path, suffix, name));
	assert_int_equal(unlink(name), 0);
}

static void first_segments_may_go_but_not_middle_ones(void **state)
{
	struct verify_report v;

	(void)state;
	make(300000, 512 << 10);
	remove_segment(1);
	remove_segment(2);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.removed, 2);
	assert_int_equal(v.unaccounted, 0);
	remove_segment(4);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.removed, 3);
	assert_int_equal(v.unaccounted, 0);
}

/* ---- order ------------------------------------------------------------- */

static void append_at(uint64_t ts, unsigned flags)
{
	struct store_record r;

	store_begin(&r, EV_SYSCALL_DONE, ts, 0, 64);
	store_hdr(&r)->flags = (uint16_t)flags;
	assert_int_equal(store_append(&store, &r), 0);
}

static void late_events_are_no_disorder_when_flagged(void **state)
{
	struct verify_report v;
	struct store_read r;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	append_at(1000, 0);
	append_at(3000, 0);
	append_at(2000, WEIR_F_LATE);
	append_at(3000, 0);
	store_close(&store);
	expect_whole();
	r = store_read_range(path, 1500, 2500, NULL);
	assert_int_equal(r.events, 1);

	assert_int_equal(store_open(&store, path, true, 0), 0);
	append_at(1000, 0);
	append_at(3000, 0);
	append_at(2000, WEIR_F_LATE);
	append_at(2500, 0); /* above the late one, yet too late */
	store_close(&store);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.disorder, 1);
}

static void runs_are_read_one_after_the_other(void **state)
{
	uint64_t seed = store.seed;
	struct store_read r;

	(void)state;
	make(1000, 0);
	/* another boot: its clock began anew */
	store.ts = 5000;
	assert_int_equal(store_open(&store, path, true, 0), 0);
	assert_int_equal(store_fill(&store, 1000), 0);
	assert_int_equal(store_close(&store), 0);
	assert_true(store.seed != seed);
	r = store_read(path);
	expect_all(&r);
	assert_int_equal(r.info.segments, 2);
	assert_int_equal(count_files("-0000000002.weir"), 1);
}

static void archives_may_be_given_in_any_order(void **state)
{
	char second[80], *paths[] = {second, path, path};
	struct archive_range all = {0};
	struct store_read r = {0};
	struct archive *a;
	const char *why;

	(void)state;
	make(1000, 0);
	snprintf(second, sizeof(second), "%s/b", dir);
	assert_int_equal(store_open(&store, second, false, 0), 0);
	assert_int_equal(store_fill(&store, 1000), 0);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(archive_open(&a, paths, 3, &why), 0);
	r.err = archive_each(a, &all, store_on_event, &r);
	archive_free(a);
	expect_all(&r);
}

/* ---- ranges and context ------------------------------------------------ */

static void a_range_is_half_open(void **state)
{
	struct store_read r;
	unsigned i;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	for (i = 1; i <= 100; i++)
		append_at(i * 10, 0);
	store_close(&store);
	r = store_read_range(path, 200, 300, NULL);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.events, 10);
	assert_int_equal(store_read_range(path, 0, 300, NULL).events, 29);
	assert_int_equal(store_read_range(path, 990, 0, NULL).events, 2);
	assert_int_equal(store_read_range(path, 2000, 0, NULL).events, 0);
}

struct seen {
	char text[64]; /* a letter for each event */
};

static int on_seen(void *arg, struct event *ev)
{
	struct seen *s = arg;
	size_t n = strlen(s->text);

	assert_true(n + 1 < sizeof(s->text));
	s->text[n] = ev->h->kind == EV_TASK_FORK ? 'f' : 's';
	if (ev->h->flags & WEIR_F_CONTEXT)
		s->text[n] = (char)(s->text[n] - 'a' + 'A');
	return 0;
}

static void append_kind(unsigned kind, unsigned size, uint64_t ts)
{
	struct store_record r;

	store_begin(&r, kind, ts, 0, size);
	assert_int_equal(store_append(&store, &r), 0);
}

static struct seen see(uint64_t from, uint64_t to, const bool *kinds)
{
	struct archive_range range = {from, to, kinds, false, 0};
	char *paths[] = {path};
	struct seen s = {""};
	struct archive *a;
	const char *why;

	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	assert_int_equal(archive_each(a, &range, on_seen, &s), 0);
	archive_free(a);
	return s;
}

static void what_the_task_table_needs_comes_first(void **state)
{
	bool calls[SCHEMA_KINDS_MAX] = {[EV_SYSCALL_DONE] = true};

	(void)state;
	store.state_records = 2;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	append_kind(EV_TASK_FORK, 32, 1000);
	append_kind(EV_SYSCALL_DONE, 64, 2000);
	archive_flush(store.writer);
	append_kind(EV_TASK_FORK, 32, 3000);
	append_kind(EV_SYSCALL_DONE, 64, 4000);
	archive_flush(store.writer);
	append_kind(EV_TASK_FORK, 32, 5000);
	append_kind(EV_SYSCALL_DONE, 64, 6000);
	store_close(&store);
	assert_string_equal(see(0, 0, NULL).text, "FFfsfsfs");
	assert_string_equal(see(2500, 0, NULL).text, "FFFfsfs");
	assert_string_equal(see(3500, 4500, NULL).text, "FFFFs");
	assert_string_equal(see(0, 0, calls).text, "FFFsFsFs");
	assert_string_equal(see(5500, 0, calls).text, "FFFFFs");
	assert_string_equal(see(9000, 0, NULL).text, "");
}

static void a_range_in_a_later_segment_begins_with_its_state(void **state)
{
	uint64_t middle;
	struct store_read r;

	(void)state;
	store.state_records = 3;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	store_fill(&store, 1000);
	archive_tick(store.writer, clock_now() + 16 * MINUTE_NS);
	middle = store.ts + 1;
	store_fill(&store, 1000);
	store_close(&store);
	r = store_read_range(path, middle, 0, NULL);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.events, 1000);
	assert_int_equal(r.context, 3);
}

static void context_events_are_accounted_for_apart(void **state)
{
	struct store_read r;
	unsigned i;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	for (i = 1; i <= 100; i++)
		append_at(i * 10, i % 3 ? 0 : WEIR_F_CONTEXT);
	store_close(&store);
	r = store_read(path);
	assert_int_equal(r.context, 33);
	expect_whole();
}

static int stop_at_third(void *arg, struct event *ev)
{
	(void)ev;
	return ++*(int *)arg == 3 ? -EBADMSG : 0;
}

static void a_pass_can_be_stopped(void **state)
{
	struct archive_range all = {0};
	char *paths[] = {path};
	struct archive *a;
	const char *why;
	int n = 0;

	(void)state;
	make(100, 0);
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	assert_int_equal(archive_each(a, &all, stop_at_third, &n), -EBADMSG);
	assert_int_equal(n, 3);
	archive_free(a);
}

/* ---- the account ------------------------------------------------------- */

static void what_the_account_gets_wrong_is_found(void **state)
{
	struct verify_report v;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	store_fill(&store, 1000);
	store.rows[0].kept++;
	store.rows[0].delivered++;
	store.rows[0].submitted++;
	store_close(&store);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.unaccounted, 1);
	assert_int_equal(v.damaged, 0);
}

static void without_an_account_nothing_is_held_against_it(void **state)
{
	struct archive_options o = {.path = path};
	struct verify_report v;

	(void)state;
	assert_int_equal(archive_create(&store.writer, store.schema, &o), 0);
	assert_int_equal(store_fill(&store, 1000), 0);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.events, 1000);
}

static void an_equation_that_does_not_hold_is_found(void **state)
{
	struct verify_report v;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	store_fill(&store, 1000);
	store.rows[0].submitted += 5;
	store.rows[1].lost_kernel = 7;
	store.rows[1].missed = 2;
	store_close(&store);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_int_equal(v.unaccounted, 1);
	assert_int_equal(v.lost, 9);
}

/* ---- what is no archive ------------------------------------------------ */

static int open_error(const char *name, const char **ret_why)
{
	char *paths[] = {(char *)name};
	struct archive *a = NULL;
	int err;

	*ret_why = NULL;
	err = archive_open(&a, paths, 1, ret_why);
	archive_free(a);
	return err;
}

static void put_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "we");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void other_things_are_refused_by_name(void **state)
{
	char file[100], fifo[100];
	const char *why;

	(void)state;
	assert_int_equal(open_error(path, &why), -ENOENT);
	assert_ptr_equal(why, path);
	assert_int_equal(open_error(dir, &why), -EBADMSG);
	snprintf(file, sizeof(file), "%s/x", dir);
	put_file(file, "hello");
	assert_int_equal(open_error(file, &why), -EBADMSG);
	assert_ptr_equal(why, file);
	snprintf(fifo, sizeof(fifo), "%s/y", dir);
	assert_int_equal(mkfifo(fifo, 0600), 0);
	assert_int_equal(open_error(fifo, &why), -EBADMSG);
}

#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(every_byte_comes_back),
		T(an_archive_of_no_events_is_whole),
		T(it_says_where_it_was_made),
		T(notes_come_back_whatever_went_the_same_way_before),
		T(the_account_comes_back),
		T(segments_end_by_size_and_read_as_one),
		T(segments_end_by_time),
		T(all_segments_have_the_same_clock),
		T(every_segment_decodes_alone),
		T(first_segments_may_go_but_not_middle_ones),
		T(late_events_are_no_disorder_when_flagged),
		T(runs_are_read_one_after_the_other),
		T(archives_may_be_given_in_any_order),
		T(a_range_is_half_open),
		T(what_the_task_table_needs_comes_first),
		T(a_range_in_a_later_segment_begins_with_its_state),
		T(context_events_are_accounted_for_apart),
		T(a_pass_can_be_stopped),
		T(what_the_account_gets_wrong_is_found),
		T(without_an_account_nothing_is_held_against_it),
		T(an_equation_that_does_not_hold_is_found),
		T(other_things_are_refused_by_name),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
