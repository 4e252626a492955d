// SPDX-License-Identifier: BSD-2-Clause
/* window_test.c - what a snapshot holds, whatever the window has forgotten. */
#include "window_feed.h"

#include "../../user/archive_dir.h"
#include "../../user/source.h"

static char dir[64];
static struct sources *sources;
static const struct schema *schema;
static uint64_t number;

/* One who writes, of several that share who copies. */
static void take_from(struct snapshot_copier *c, unsigned i, struct feed *f,
		      const bool *stopping, struct snapshot_result *ret)
{
	struct snapshot_plan p = {
		.window = f->window,
		.schema = schema,
		.end = &f->end,
		.stopping = stopping,
		.number = __atomic_add_fetch(&number, 1, __ATOMIC_RELAXED),
		.dir = dir,
		.why = "a test",
		.event = "",
	};

	snapshot_copy_ask(&c->copies[i], &f->end);
	snapshot_copier_wake(c);
	snapshot_take(&p, &c->copies[i], ret);
}

static struct snapshot_result take_until(struct feed *f, const bool *stopping)
{
	static struct snapshot_copier c;
	static struct snapshot_result r;

	snapshot_copier_init(&c, f->window);
	assert_int_equal(snapshot_copier_start(&c), 0);
	take_from(&c, 0, f, stopping, &r);
	snapshot_copier_done(&c);
	assert_int_equal(c.held, 0);
	return r;
}

static struct snapshot_result take(struct feed *f)
{
	static const bool never;

	return take_until(f, &never);
}

/* ---- what is in it ------------------------------------------------------- */

struct seen {
	struct tasks *tasks;
	struct bound sector;
	uint64_t first, last, count, unnamed;
};

static int look(void *arg, struct event *ev)
{
	struct seen *s = arg;
	uint64_t seq;

	assert_int_equal(tasks_apply(s->tasks, ev), 0);
	if (ev->kind->number != EV_BLOCK_IO)
		return 0;
	seq = bound_u64(&s->sector, ev, 0);
	if (s->count++)
		assert_int_equal(seq, s->last + 1);
	else
		s->first = seq;
	s->last = seq;
	s->unnamed += !ev->task || strcmp(ev->task->comm, TASK_COMM) != 0;
	return 0;
}

/* Whole by itself: every event without a gap, and whose it was. */
static struct seen expect_whole(const struct snapshot_result *r)
{
	struct archive_range all = {0};
	struct verify_report v;
	char path[SNAPSHOT_PATH_LEN], *paths[] = {path};
	struct seen s = {0};
	struct archive_info info;
	struct archive *a;
	const char *why;

	assert_int_equal(r->err, 0);
	memcpy(path, r->made, sizeof(path));
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unsealed + v.torn_bytes + v.unaccounted, 0);
	assert_int_equal(v.lost, r->lost);
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	archive_info(a, &info);
	assert_string_equal(info.snapshot, "a test");
	assert_int_equal(tasks_new(&s.tasks, archive_schema(a)), 0);
	bound_init(&s.sector, archive_schema(a), "block_io", "sector");
	assert_int_equal(archive_each(a, &all, look, &s), 0);
	assert_int_equal(s.unnamed, 0);
	tasks_free(s.tasks);
	archive_free(a);
	return s;
}

static int setup(void **state)
{
	struct sources_options o = {0};
	char why[256];

	(void)state;
	store_scratch(dir);
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(sources_open(&sources, &o, why, sizeof(why)), 0);
	schema = sources_schema(sources);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	sources_free(sources);
	store_remove(dir);
	return 0;
}

/* ---- tests --------------------------------------------------------------- */

static void a_window_that_forgot_nothing_has_all(void **state)
{
	struct snapshot_result r;
	struct feed f;
	struct seen s;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_until(&f, 1000);
	feed_end(&f);
	r = take(&f);
	s = expect_whole(&r);
	assert_int_equal(s.count, 1000);
	assert_int_equal(s.last, 1000);
	feed_done(&f);
}

#define SECONDS 20 /* that the test may take */

/* Two recorders in one directory may choose the same name. */
static void a_name_that_another_recorder_has_is_not_taken(void **state)
{
	struct archive_dir other[SECONDS];
	time_t now = time(NULL), t;
	struct snapshot_result r;
	char name[128];
	struct feed f;
	unsigned i;

	(void)state;
	for (i = 0; i < SECONDS; i++) {
		t = now + i;
		strftime(name, sizeof(name), "snapshot-%Y%m%dT%H%M%SZ",
			 gmtime(&t));
		snprintf(name + strlen(name), 32, "-%u", (unsigned)number + 1);
		assert_int_equal(archive_dir_create(&other[i], name, false), 0);
	}
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_until(&f, 1000);
	feed_end(&f);
	r = take(&f);
	assert_int_equal(expect_whole(&r).count, 1000);
	assert_string_equal(r.made + strlen(r.made) - 2, "-1");
	feed_done(&f);
	for (i = 0; i < SECONDS; i++)
		archive_dir_done(&other[i]);
}

static void what_it_forgot_still_gives_names(void **state)
{
	struct snapshot_result r;
	struct feed f;
	struct seen s;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_until(&f, 200000);
	feed_end(&f);
	r = take(&f);
	s = expect_whole(&r);
	assert_int_equal(s.last, 200000);
	assert_true(s.first > 1);
	/* three quarters of the bytes are of use, and what that means in time
	 * is told rightly */
	assert_true(s.count * (sizeof(struct ev_block_io) + 8) >
		    WINDOW_BYTES_MIN * 3 / 5);
	assert_true(r.to_ns == f.ts);
	assert_true(r.to_ns - r.from_ns >= s.count * f.step_ns);
	assert_true(r.to_ns - r.from_ns <=
		    (s.count + s.count / 50) * f.step_ns);
	feed_done(&f);
}

static void it_reaches_as_far_as_its_time(void **state)
{
	struct window_stats s;
	struct feed f;
	unsigned i;

	(void)state;
	feed_init(&f, schema, 4 * WINDOW_BYTES_MIN, 10 * NS_PER_MS);
	for (i = 0; i < 200; i++) {
		uint64_t until = f.seq + 1000;

		feed_until(&f, until);
		window_tick(f.window);
		window_stats(f.window, &s);
		if (i < 40)
			continue;
		assert_in_range(s.reach_ns, 10 * NS_PER_MS, 12 * NS_PER_MS);
	}
	feed_done(&f);
}

/* However short its time: half of what is written at least is events. */
static void keyframes_leave_room_for_events(void **state)
{
	struct window_stats before, s;
	uint64_t begin;
	struct feed f;

	(void)state;
	feed_init(&f, schema, 4 * WINDOW_BYTES_MIN, 80 * NS_PER_US);
	feed_until(&f, 110000);
	window_stats(f.window, &before);
	begin = window_end(f.window);
	feed_until(&f, 130000);
	window_stats(f.window, &s);
	assert_true(s.keys > before.keys + 2);
	assert_true((s.keys - before.keys - 1) * s.key_bytes * 2 <=
		    window_end(f.window) - begin);
	feed_done(&f);
}

static void losses_in_it_are_told(void **state)
{
	struct ev_gap gap = {.stage = WEIR_STAGE_KERNEL_RING,
			     .on_cpu = 0,
			     .count = 42,
			     .of = "block"};
	struct snapshot_result r;
	struct feed f;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_next(&f);
	gap.first = gap.last = f.ts;
	feed_event(&f, &gap, sizeof(gap), EV_GAP);
	feed_end(&f);
	r = take(&f);
	assert_int_equal(r.lost, 42);
	expect_whole(&r);
	feed_done(&f);
}

static void what_comes_after_the_end_is_not_in_it(void **state)
{
	struct snapshot_result r;
	struct feed f;
	struct seen s;
	unsigned i;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_until(&f, 100);
	__atomic_store_n(&f.end.to_ns, f.ts, __ATOMIC_RELEASE);
	for (i = 0; i < 50; i++)
		feed_next(&f);
	f.end.pos = window_end(f.window);
	__atomic_store_n(&f.end.known, 1, __ATOMIC_RELEASE);
	for (i = 0; i < 50; i++)
		feed_next(&f);
	r = take(&f);
	s = expect_whole(&r);
	assert_int_equal(s.last, 100);
	feed_done(&f);
}

static void a_window_too_small_for_the_tasks_says_so(void **state)
{
	struct snapshot_result r;
	struct feed f;
	uint32_t tid;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	for (tid = 1000; tid < 60000; tid++)
		feed_fork(&f, tid, "one-of-many");
	feed_until(&f, 200000);
	feed_end(&f);
	r = take(&f);
	assert_int_equal(r.err, -ENODATA);
	assert_non_null(strstr(r.what, "too small"));
	feed_done(&f);
}

static void *begin_late(void *arg)
{
	struct feed *f = arg;

	clock_sleep(20 * NS_PER_MS);
	feed_fork(f, TASK_TID, TASK_COMM);
	feed_until(f, 1000);
	feed_end(f);
	return NULL;
}

/* As of a recorder that has just begun to capture. */
static void an_empty_window_is_waited_for(void **state)
{
	struct snapshot_result r;
	struct feed f;

	(void)state;
	feed_init_empty(&f, schema, WINDOW_BYTES_MIN, 0);
	assert_int_equal(pthread_create(&f.thread, NULL, begin_late, &f), 0);
	r = take(&f);
	pthread_join(f.thread, NULL);
	assert_int_equal(expect_whole(&r).count, 1000);
	feed_done(&f);
}

static void nothing_before_the_end_is_told_as_that(void **state)
{
	struct snapshot_result r;
	struct feed f;

	(void)state;
	feed_init_empty(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_end(&f);
	r = take(&f);
	assert_int_equal(r.err, -ENOMSG);
	feed_fork(&f, TASK_TID, TASK_COMM); /* behind the end */
	f.end.pos = window_end(f.window);
	r = take(&f);
	assert_int_equal(r.err, -ENOMSG);
	assert_non_null(strstr(r.what, "nothing had been recorded"));
	feed_done(&f);
}

static void feed_told(struct feed *f)
{
	feed_next(f);
	if (f->seq % 100 == 0)
		window_told(f->window, f->ts);
}

static void feed_told_until(struct feed *f, uint64_t seq)
{
	while (f->seq < seq)
		feed_told(f);
}

static void *flood(void *arg)
{
	struct feed *f = arg;

	while (!__atomic_load_n(&f->stop, __ATOMIC_RELAXED))
		feed_told(f);
	feed_end(f);
	return NULL;
}

static void an_end_of_recording_cuts_it(void **state)
{
	static const bool stopping = true;
	struct snapshot_result r;
	struct feed f;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_told_until(&f, 100000);
	r = take_until(&f, &stopping); /* else it would wait for an end */
	expect_whole(&r);
	assert_true(r.cut);
	assert_true(r.from_ns < r.to_ns && r.to_ns <= f.ts);
	feed_done(&f);
}

/* At full speed, so that the window turns over several times meanwhile. */
static void it_is_contiguous_under_a_flood(void **state)
{
	struct snapshot_result r;
	struct seen s;
	struct feed f;
	int i;

	(void)state;
	for (i = 0; i < 8; i++) {
		feed_init(&f, schema, WINDOW_BYTES_MIN << i % 3, 0);
		f.step_ns = 50;
		feed_told_until(&f, 100000);
		assert_int_equal(pthread_create(&f.thread, NULL, flood, &f), 0);
		if (i % 2) /* else the flood goes on until it is cut */
			__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
		r = take(&f);
		__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
		pthread_join(f.thread, NULL);
		s = expect_whole(&r);
		assert_true(s.count > 1000);
		if (!r.cut)
			assert_int_equal(s.last, f.seq);
		assert_true(r.from_ns < r.to_ns && r.to_ns <= f.ts);
		feed_done(&f);
	}
}

/* ---- several at once ----------------------------------------------------- */

struct asker {
	struct snapshot_copier *copier;
	unsigned i;
	struct feed *feed;
	struct snapshot_result r;
	pthread_t thread;
};

static void *ask(void *arg)
{
	static const bool never;
	struct asker *a = arg;

	take_from(a->copier, a->i, a->feed, &never, &a->r);
	return NULL;
}

static void start_asker(struct asker *a, struct snapshot_copier *c, unsigned i,
			struct feed *f)
{
	*a = (struct asker){.copier = c, .i = i, .feed = f};
	assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

static uint64_t held_by(const struct snapshot_copier *c)
{
	return __atomic_load_n(&c->held, __ATOMIC_RELAXED);
}

/* The second comes when the first has its part; both go on to the end. */
static void several_share_one_copy(void **state)
{
	static struct snapshot_copier c;
	static struct asker a[SNAPSHOTS_MAX];
	struct window_stats w;
	struct feed f;
	struct seen s;
	unsigned i;

	(void)state;
	feed_init(&f, schema, 4 * WINDOW_BYTES_MIN, 0);
	feed_told_until(&f, 100000);
	snapshot_copier_init(&c, f.window);
	assert_int_equal(snapshot_copier_start(&c), 0);
	start_asker(&a[0], &c, 0, &f);
	while (!held_by(&c))
		clock_sleep(NS_PER_MS);
	for (i = 1; i < SNAPSHOTS_MAX; i++)
		start_asker(&a[i], &c, i, &f);
	for (i = 1; i < SNAPSHOTS_MAX; i++)
		while (__atomic_load_n(&c.copies[i].state, __ATOMIC_ACQUIRE) !=
		       COPY_FED)
			clock_sleep(NS_PER_MS);
	window_stats(f.window, &w);
	assert_true(held_by(&c) < 2 * w.used);
	feed_told_until(&f, 101000);
	feed_end(&f);
	for (i = 0; i < SNAPSHOTS_MAX; i++) {
		pthread_join(a[i].thread, NULL);
		s = expect_whole(&a[i].r);
		assert_false(a[i].r.cut);
		assert_int_equal(s.first, 1);
		assert_int_equal(s.last, 101000);
	}
	snapshot_copier_done(&c);
	assert_int_equal(c.held, 0);
	feed_done(&f);
}

/* They come one after the other while the window turns over, each with an end
 * far away, so that none can be given all that it wants. */
static void memory_is_bounded_whoever_asks(void **state)
{
	static struct snapshot_copier c;
	static struct asker a[SNAPSHOTS_MAX];
	uint64_t most = 0, held;
	struct feed f;
	unsigned i, n;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_told_until(&f, 100000);
	snapshot_copier_init(&c, f.window);
	assert_int_equal(snapshot_copier_start(&c), 0);
	assert_int_equal(pthread_create(&f.thread, NULL, flood, &f), 0);
	for (i = 0; i < SNAPSHOTS_MAX; i++) {
		start_asker(&a[i], &c, i, &f);
		for (n = 0; n < 100; n++) {
			held = held_by(&c);
			most = held > most ? held : most;
			clock_sleep(NS_PER_MS);
		}
	}
	__atomic_store_n(&f.stop, 1, __ATOMIC_RELAXED);
	pthread_join(f.thread, NULL);
	for (i = 0; i < SNAPSHOTS_MAX; i++) {
		pthread_join(a[i].thread, NULL);
		if (a[i].r.err != -EOVERFLOW)
			expect_whole(&a[i].r);
	}
	assert_true(most > 0);
	assert_true(most <= WINDOW_BYTES_MIN + SNAPSHOT_AHEAD_BYTES);
	snapshot_copier_done(&c);
	assert_int_equal(c.held, 0);
	feed_done(&f);
}

/* Nobody takes what the first is given: it is cut when memory is used up, and
 * another has all the same what it asked for. */
static void who_does_not_write_is_cut_and_others_are_not(void **state)
{
	static struct snapshot_copier c;
	static struct asker a;
	struct snapshot_end far = {0};
	struct feed f;
	struct seen s;

	(void)state;
	feed_init(&f, schema, WINDOW_BYTES_MIN, 0);
	feed_told_until(&f, 100000);
	snapshot_copier_init(&c, f.window);
	assert_int_equal(snapshot_copier_start(&c), 0);
	snapshot_copy_ask(&c.copies[0], &far);
	snapshot_copier_wake(&c);
	while (!snapshot_copy_over(&c.copies[0])) {
		feed_told(&f);
		if (f.seq % 1000 == 0)
			clock_sleep(200 * NS_PER_US);
	}
	assert_true(c.copies[0].cut);
	assert_int_equal(c.copies[0].err, 0);
	snapshot_copy_leave(&c.copies[0]);
	start_asker(&a, &c, 1, &f);
	feed_told(&f);
	feed_end(&f);
	pthread_join(a.thread, NULL);
	s = expect_whole(&a.r);
	assert_false(a.r.cut);
	assert_int_equal(s.last, f.seq);
	snapshot_copier_done(&c);
	feed_done(&f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_window_that_forgot_nothing_has_all),
		cmocka_unit_test(a_name_that_another_recorder_has_is_not_taken),
		cmocka_unit_test(what_it_forgot_still_gives_names),
		cmocka_unit_test(it_reaches_as_far_as_its_time),
		cmocka_unit_test(keyframes_leave_room_for_events),
		cmocka_unit_test(losses_in_it_are_told),
		cmocka_unit_test(what_comes_after_the_end_is_not_in_it),
		cmocka_unit_test(a_window_too_small_for_the_tasks_says_so),
		cmocka_unit_test(an_empty_window_is_waited_for),
		cmocka_unit_test(nothing_before_the_end_is_told_as_that),
		cmocka_unit_test(an_end_of_recording_cuts_it),
		cmocka_unit_test(it_is_contiguous_under_a_flood),
		cmocka_unit_test(several_share_one_copy),
		cmocka_unit_test(memory_is_bounded_whoever_asks),
		cmocka_unit_test(who_does_not_write_is_cut_and_others_are_not),
	};

	return cmocka_run_group_tests_name("window", tests, setup, teardown);
}
