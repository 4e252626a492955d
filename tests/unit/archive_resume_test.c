// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_resume_test.c - what a recorder leaves for its successor is what is
 * in the file, wherever that was cut off.
 */
#include "store_place.h"

#include "../../user/archive_resume.h"

#define RUN    0x1234567890abcdefULL
#define BLOCKS 12
#define EVENTS 300 /* of a block, at most */

static char file[512];
static uint64_t keep_bytes, needed; /* of options */

static int set_up(void **state)
{
	place_set_up(state);
	store.state_records = 2;
	return 0;
}

static void open_marked(uint64_t segment_bytes)
{
	struct archive_options o = {
		.path = path,
		.exist_ok = true,
		.segment_bytes = segment_bytes,
		.keep_bytes = keep_bytes,
		.needed = needed,
		.state = store_state,
		.account = store_account,
		.arg = &store,
		.marked = true,
		.run = RUN,
		.run_realtime = 1,
	};

	assert_int_equal(archive_create(&store.writer, store.schema, &o), 0);
}

/* Some events and a mark, whose data is its number. */
static void put_marked(uint64_t number, unsigned events)
{
	struct archive_mark m = {number, store.rows, STORE_ROWS, &number,
				 sizeof(number)};
	struct store_record r;

	while (events--) {
		store_make(&r, &store.seed, &store.ts);
		assert_int_equal(store_append(&store, &r), 0);
	}
	assert_int_equal(archive_mark(store.writer, &m), 0);
}

/* As if killed: the segment has no end. */
static void leave(void)
{
	uint64_t settled, written;
	char cmd[2000];
	int tries = 0;

	do
		archive_marked(store.writer, &settled, &written);
	while (settled < BLOCKS);
	assert_int_equal(written, BLOCKS);
	snprintf(cmd, sizeof(cmd), "rm -rf %s.left; cp -r %s %s.left", path,
		 path, path);
	while (system(cmd)) /* one was renamed meanwhile: it is complete */
		assert_true(++tries < 10);
	store_close(&store);
	store_remove(path);
	snprintf(cmd, sizeof(cmd), "%s.left", path);
	assert_int_equal(rename(cmd, path), 0);
}

static int find(struct archive_resume *ret)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc;

	rc = archive_resume_find(fd, RUN, ret);
	close(fd);
	return rc;
}

static uint64_t number_of(const struct archive_resume *r)
{
	uint64_t number;

	assert_int_equal(r->data.len, sizeof(number));
	memcpy(&number, r->data.data, sizeof(number));
	return number;
}

static uint64_t kept_by(const struct archive_resume *r)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < r->count; i++)
		sum += r->rows[i].kept;
	return sum;
}

static void the_last_mark_comes_back_with_its_account(void **state)
{
	struct archive_resume r = {0};
	uint64_t i;

	(void)state;
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, (unsigned)i % 3 * 100);
	leave();
	assert_int_equal(find(&r), 1);
	assert_int_equal(number_of(&r), BLOCKS);
	assert_true(r.at_ns && r.at_ns <= clock_now());
	assert_int_equal(r.count, STORE_ROWS);
	assert_memory_equal(r.rows, store.rows, sizeof(store.rows));
	assert_int_equal(store_read(path).events, kept_by(&r));
	assert_false(r.ended);
	archive_resume_done(&r);
}

static void a_block_without_a_mark_says_that_all_was_written(void **state)
{
	struct archive_resume r = {0};
	struct store_record record;
	uint64_t i;

	(void)state;
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, 10);
	store_make(&record, &store.seed, &store.ts);
	assert_int_equal(store_append(&store, &record), 0);
	assert_int_equal(archive_flush(store.writer), 0);
	leave();
	assert_int_equal(find(&r), 1);
	assert_int_equal(number_of(&r), BLOCKS);
	assert_true(r.ended);
	archive_resume_done(&r);
}

/* At every 13th byte; 13 visits all places in a frame's header. */
static void wherever_it_is_cut_the_mark_tells_what_is_there(void **state)
{
	uint64_t i, last = BLOCKS + 1, seen = 0;
	struct archive_resume r;
	struct stat st;
	off_t size;
	int rc;

	(void)state;
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, (unsigned)(i * 7 % EVENTS));
	leave();
	assert_true(store_find(path, ".open", file));
	assert_int_equal(stat(file, &st), 0);
	for (size = st.st_size; size > 0; size -= 13) {
		assert_int_equal(truncate(file, size), 0);
		r = (struct archive_resume){0};
		rc = find(&r);
		if (rc <= 0)
			continue;
		if (number_of(&r) < last)
			seen++;
		assert_true(number_of(&r) <= last);
		last = number_of(&r);
		assert_int_equal(store_read(path).events, kept_by(&r));
		archive_resume_done(&r);
	}
	assert_int_equal(seen, BLOCKS);
}

static void a_successor_goes_on_in_the_same_account(void **state)
{
	struct verify_report v;
	struct archive_resume r = {0};
	uint64_t i;

	(void)state;
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, 100);
	leave();
	assert_int_equal(find(&r), 1);
	archive_resume_done(&r);
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, 100);
	store_close(&store);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.events, 2 * BLOCKS * 100);
	assert_int_equal(v.unsealed, 0);
	assert_int_equal(v.segments, 2);
}

/* The account of the second says less than what is at the end of the first. */
static void events_that_were_taken_twice_are_found(void **state)
{
	struct account_row rows[STORE_ROWS];
	struct verify_report v;
	uint64_t i;

	(void)state;
	open_marked(0);
	for (i = 1; i <= BLOCKS; i++) {
		if (i == BLOCKS)
			memcpy(rows, store.rows, sizeof(rows));
		put_marked(i, 100);
	}
	leave();
	memcpy(store.rows, rows, sizeof(rows));
	open_marked(0);
	store_close(&store);
	assert_int_equal(store_verify(path, &v), -EBADMSG);
	assert_true(v.unaccounted > 0);
}

static void it_is_found_in_the_segment_before(void **state)
{
	struct archive_resume r = {0};
	uint64_t i;

	(void)state;
	open_marked(1); /* each block ends one */
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, 200);
	leave();
	assert_int_equal(find(&r), 1);
	assert_int_equal(number_of(&r), BLOCKS);
	archive_resume_done(&r);
}

/* All blocks, by one who may keep a byte, and is gone before its end. */
static void put_all_and_leave(void)
{
	uint64_t i;

	keep_bytes = 1;
	open_marked(1);
	for (i = 1; i <= BLOCKS; i++)
		put_marked(i, 200);
	store_flush(&store); /* another segment has begun */
	leave();
}

/* One byte may be kept: but not all that tells how far it came goes. */
static void what_a_successor_needs_is_not_removed(void **state)
{
	struct archive_resume r = {0};
	char cmd[300];

	(void)state;
	put_all_and_leave();
	keep_bytes = 0;
	snprintf(cmd, sizeof(cmd), "test $(ls %s/*.weir* | wc -l) -le 3", path);
	assert_int_equal(system(cmd), 0);
	assert_int_equal(find(&r), 1);
	assert_int_equal(number_of(&r), BLOCKS);
	archive_resume_done(&r);
}

/* One that is killed before it has made a mark of its own. */
static void nor_by_the_successor_before_it_made_a_mark(void **state)
{
	struct archive_resume r = {0};

	(void)state;
	put_all_and_leave();
	assert_int_equal(find(&r), 1);
	needed = r.number;
	archive_resume_done(&r);
	open_marked(1);
	assert_int_equal(find(&r), 1);
	assert_int_equal(r.number, needed);
	assert_int_equal(number_of(&r), BLOCKS);
	keep_bytes = needed = 0;
	store_close(&store);
	archive_resume_done(&r);
}

static void another_run_tells_nothing(void **state)
{
	struct archive_resume r = {0};

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	store_fill(&store, 100);
	store_close(&store);
	assert_int_equal(find(&r), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(the_last_mark_comes_back_with_its_account),
		T(a_block_without_a_mark_says_that_all_was_written),
		T(wherever_it_is_cut_the_mark_tells_what_is_there),
		T(a_successor_goes_on_in_the_same_account),
		T(events_that_were_taken_twice_are_found),
		T(it_is_found_in_the_segment_before),
		T(what_a_successor_needs_is_not_removed),
		T(nor_by_the_successor_before_it_made_a_mark),
		T(another_run_tells_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
