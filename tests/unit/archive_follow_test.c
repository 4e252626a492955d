// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_follow_test.c - a pass that follows a recorder gets all it writes,
 * once, over blocks and segments, and knows how it ended.
 */
#include "store.h"

#include <limits.h>
#include <sys/wait.h>

#include "../../user/segment.h"

#define ROUNDS 40
#define EACH   900 /* events of a round: some fill a segment, some do not */

static char dir[64];
static char path[128];

/* What is written each time the pass has nothing left to read. */
struct story {
	struct store store;
	struct archive_follow follow;
	struct store_read read;
	unsigned round, rounds;
	bool dies;	 /* the file is as a killed recorder leaves it */
	bool goes_on;	 /* another recorder comes at once */
	unsigned remove; /* the round in which retention takes segments */
	int fill;	 /* bytes of a frame, torn */
};

static int set_up(void **state)
{
	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	store_remove(dir);
	return 0;
}

static void open_writer(struct story *s, bool exist_ok)
{
	assert_int_equal(store_open(&s->store, path, exist_ok, 64 * 1024), 0);
}

/* What was taken is in the file; a segment that is full is ended. */
static int settle(struct story *s)
{
	int err = store_flush(&s->store);

	return err ? err : archive_tick(s->store.writer, clock_now());
}

/* Each name in the directory that ends with @end, in order. */
static unsigned names(const char *end, char ret[][NAME_MAX + 1], unsigned max)
{
	struct dirent **list;
	int i, n = scandir(path, &list, NULL, alphasort);
	unsigned count = 0;

	assert_true(n >= 0);
	for (i = 0; i < n; i++) {
		size_t len = strlen(list[i]->d_name);

		if (count < max && len > strlen(end) &&
		    !strcmp(list[i]->d_name + len - strlen(end), end))
			strcpy(ret[count++], list[i]->d_name);
		free(list[i]);
	}
	free(list);
	return count;
}

/* All sealed ones but the last: the reader may be in that. */
static void retire(struct story *s)
{
	char name[64][NAME_MAX + 1], file[512];
	unsigned i, n = 0;

	for (i = 0; i < 10; i++) {
		assert_int_equal(store_fill(&s->store, 5 * EACH), 0);
		assert_int_equal(settle(s), 0);
	}
	for (i = 0; i < 10000 && n < 4; i++) {
		usleep(1000); /* sealing is another thread's */
		n = names(".weir", name, 64);
	}
	assert_true(n >= 4);
	for (i = 0; i + 1 < n; i++) {
		snprintf(file, sizeof(file), "%s/%.255s", path, name[i]);
		assert_int_equal(unlink(file), 0);
	}
}

static void end(struct story *s)
{
	assert_int_equal(store_close(&s->store), 0);
	if (s->goes_on) {
		open_writer(s, true);
		assert_int_equal(store_fill(&s->store, 10), 0);
		assert_int_equal(settle(s), 0);
	}
}

static int write_more(void *arg)
{
	struct story *s = arg;

	s->round++;
	if (s->round == s->remove)
		retire(s);
	else if (s->round <= s->rounds) {
		assert_int_equal(store_fill(&s->store, EACH), 0);
		assert_int_equal(settle(s), 0);
	} else if (s->store.writer && !s->dies)
		end(s);
	return s->round > s->rounds + 3;
}

static void follow(struct story *s)
{
	struct archive_range all = {0, 0, NULL, false, 1};
	char *paths[] = {path};
	struct archive *a;
	const char *why;

	s->follow = (struct archive_follow){.wait = write_more, .arg = s};
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	archive_follow(a, &s->follow);
	s->read.err = archive_each(a, &all, store_on_event, &s->read);
	archive_free(a);
}

static void begin(struct story *s)
{
	store_init(&s->store);
	open_writer(s, false);
	assert_int_equal(store_fill(&s->store, EACH), 0);
	assert_int_equal(settle(s), 0);
}

static void all_that_is_written_is_read_once(void **state)
{
	struct story s = {.rounds = ROUNDS};
	char name[64][NAME_MAX + 1];

	(void)state;
	begin(&s);
	follow(&s);
	assert_int_equal(s.read.err, 0);
	assert_int_equal(s.follow.end, FOLLOW_ENDED);
	assert_true(s.follow.skipped == 0);
	assert_true(s.read.events == s.store.appended);
	assert_true(s.read.hash == s.store.hash);
	assert_true(names(".weir", name, 64) > 2);
	store_done(&s.store);
}

static void what_ended_before_is_read_to_its_end(void **state)
{
	struct story s = {.rounds = 0};

	(void)state;
	begin(&s);
	assert_int_equal(store_close(&s.store), 0);
	follow(&s);
	assert_int_equal(s.follow.end, FOLLOW_ENDED);
	assert_int_equal(s.round, 0); /* it did not wait */
	assert_true(s.read.hash == s.store.hash);
	store_done(&s.store);
}

static void who_waits_may_stop(void **state)
{
	struct story s = {.rounds = 2, .dies = true};

	(void)state;
	begin(&s);
	follow(&s);
	assert_int_equal(s.follow.end, FOLLOW_STOPPED);
	assert_true(s.read.hash == s.store.hash);
	store_done(&s.store);
}

static void another_recorder_is_not_followed(void **state)
{
	struct story s = {.rounds = 3, .goes_on = true};

	(void)state;
	begin(&s);
	follow(&s);
	assert_int_equal(s.follow.end, FOLLOW_ENDED);
	assert_int_equal(s.read.events, s.store.appended - 10);
	store_done(&s.store);
}

static void what_retention_took_is_counted(void **state)
{
	struct story s = {.rounds = 6, .remove = 3};

	(void)state;
	begin(&s);
	follow(&s);
	assert_int_equal(s.follow.end, FOLLOW_ENDED);
	assert_true(s.follow.skipped > 0);
	assert_true(s.read.events < s.store.appended);
	assert_true(s.read.events >= 6 * EACH);
	store_done(&s.store);
}

/* As SIGKILL leaves it: no end, and the lock gone with the process. */
static void a_recorder_that_was_killed_is_told(void **state)
{
	struct story s = {.rounds = 0};
	pid_t pid = fork();

	(void)state;
	if (!pid) {
		begin(&s);
		_exit(0);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	follow(&s);
	assert_int_equal(s.read.err, 0);
	assert_int_equal(s.follow.end, FOLLOW_CUT);
	assert_int_equal(s.read.events, EACH);
}

/* A frame that is half written when it is looked at comes later, whole. */
static void half_a_frame_is_left_for_later(void **state)
{
	struct segment_reader r;
	struct segment_frames all, some = {0};
	char copy[512], name[4][NAME_MAX + 1], *bytes = NULL;
	struct story s = {.rounds = 0};
	uint64_t at, size, next = 0;
	int fd;

	(void)state;
	begin(&s);
	assert_int_equal(store_fill(&s.store, EACH), 0);
	assert_int_equal(store_close(&s.store), 0);
	assert_int_equal(names(".weir", name, 4), 1);
	snprintf(copy, sizeof(copy), "%s/%.255s", path, name[0]);
	assert_int_equal(segment_open(&r, open(copy, O_RDONLY)), 0);
	assert_int_equal(segment_frames(&r, &all), 0);
	size = r.size;
	bytes = malloc(size);
	assert_true(pread(r.fd, bytes, size, 0) == (ssize_t)size);
	segment_done(&r);
	snprintf(copy, sizeof(copy), "%s/growing", dir);
	fd = open(copy, O_RDWR | O_CREAT, 0600);
	assert_int_equal(segment_open(&r, dup(fd)), 0);
	for (at = 0; at < size; at += 37) {
		size_t n = size - at < 37 ? size - at : 37;

		assert_true(pwrite(fd, bytes + at, n, (off_t)at) == (ssize_t)n);
		while (next < all.count &&
		       all.frame[next].offset + frame_bytes(&all.frame[next]) <=
			       at + n)
			next++;
		assert_true(segment_more(&r, &some) >= 0);
		if (next < all.count)
			assert_true(some.count == next);
		assert_int_equal(some.sealed, at + n == size);
	}
	assert_true(some.count == all.count + 2); /* INDEX, TRAILER */
	assert_int_equal(some.damaged, 0);
	segment_frames_done(&some);
	segment_frames_done(&all);
	segment_done(&r);
	close(fd);
	free(bytes);
	store_done(&s.store);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(all_that_is_written_is_read_once),
		TEST(what_ended_before_is_read_to_its_end),
		TEST(who_waits_may_stop),
		TEST(another_recorder_is_not_followed),
		TEST(what_retention_took_is_counted),
		TEST(a_recorder_that_was_killed_is_told),
		TEST(half_a_frame_is_left_for_later),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
