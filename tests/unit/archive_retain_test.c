// SPDX-License-Identifier: BSD-2-Clause
/* archive_retain_test.c - only so much is kept: the oldest segments go, whole.
 */
#include "store_place.h"

#include <sys/syscall.h>

#define KEEP	ARCHIVE_KEEP_MIN
#define CHUNK	5000 /* events; some 200 KiB */
#define DAY_S	86400
#define HOUR_NS (3600 * NS_PER_S)

#define FILES_MAX 512 /* of an archive here */

static time_t wall_step; /* seconds that the wall clock was set forth */

/* Instead of libc's, for all of the archive. */
int clock_gettime(clockid_t id, struct timespec *ret)
{
	long err = syscall(SYS_clock_gettime, id, ret);

	if (!err && id == CLOCK_REALTIME)
		ret->tv_sec += wall_step;
	return (int)err;
}

static uint64_t most_bytes; /* on disk, whenever something was written */

static uint64_t disk_bytes(unsigned *ret_files);

/* Instead of libc's; room for it is allocated before. The archive's thread. */
ssize_t pwrite(int fd, const void *from, size_t n, off_t at)
{
	unsigned files;
	uint64_t bytes = disk_bytes(&files);

	most_bytes = bytes > most_bytes ? bytes : most_bytes;
	return syscall(SYS_pwrite64, fd, from, n, at);
}

static int set_up(void **state)
{
	place_set_up(state);
	wall_step = 0;
	store.state_records = 2;
	return 0;
}

static int begin(uint64_t segment_bytes, uint64_t keep_bytes, uint64_t keep_ns)
{
	struct archive_options o = {
		.path = path,
		.exist_ok = true,
		.segment_bytes = segment_bytes,
		.keep_bytes = keep_bytes,
		.keep_ns = keep_ns,
		.state = store_state,
		.account = store_account,
		.arg = &store,
	};

	return archive_create(&store.writer, store.schema, &o);
}

/* Of one that is renamed meanwhile both names may come. */
static bool is_new(ino_t ino, ino_t *seen, unsigned *count)
{
	unsigned i;

	for (i = 0; i < *count; i++)
		if (seen[i] == ino)
			return false;
	assert_true(*count < FILES_MAX);
	seen[(*count)++] = ino;
	return true;
}

/* What the files of the archive take on disk. */
static uint64_t disk_bytes(unsigned *ret_files)
{
	DIR *d = opendir(path);
	ino_t seen[FILES_MAX];
	unsigned count = 0;
	struct dirent *e;
	uint64_t sum = 0;
	struct stat st;

	assert_non_null(d);
	*ret_files = 0;
	while ((e = readdir(d))) {
		if (e->d_name[0] == '.' ||
		    fstatat(dirfd(d), e->d_name, &st, 0) ||
		    !is_new(st.st_ino, seen, &count))
			continue;
		sum += (uint64_t)st.st_blocks * 512;
		*ret_files += strcmp(e->d_name, "LOCK") != 0;
	}
	closedir(d);
	return sum;
}

static void put_chunks(unsigned n)
{
	while (n--) {
		assert_int_equal(store_fill(&store, CHUNK), 0);
		assert_int_equal(archive_flush(store.writer), 0);
		assert_int_equal(archive_tick(store.writer, clock_now()), 0);
	}
}

static void expect_end_of_it(void)
{
	struct verify_report v;
	struct store_read r;

	assert_int_equal(store_verify(path, &v), 0);
	assert_true(v.removed > 0);
	assert_int_equal(v.unaccounted + v.lost + v.unsealed, 0);
	r = store_read(path);
	assert_int_equal(r.err, 0);
	assert_true(r.events > 0 && r.events < store.appended);
	assert_int_equal(r.info.last_ns, store.ts);
}

/* ---- size ---------------------------------------------------------------- */

static void it_never_takes_more_than_that(void **state)
{
	uint64_t bytes, most = 0;
	unsigned i, files;

	(void)state;
	most_bytes = 0;
	assert_int_equal(begin(0, KEEP, 0), 0);
	for (i = 0; i < 60; i++) {
		put_chunks(1);
		bytes = disk_bytes(&files);
		assert_true(bytes <= KEEP);
		most = bytes > most ? bytes : most;
	}
	assert_true(most > KEEP / 2);
	assert_true(most_bytes <= KEEP);
	assert_int_equal(store_close(&store), 0);
	assert_true(disk_bytes(&files) <= KEEP);
	assert_true(files >= 3);
	expect_end_of_it();
}

static void what_earlier_runs_left_counts_as_well(void **state)
{
	unsigned before, after;
	struct verify_report v;

	(void)state;
	assert_int_equal(begin(1 << 20, 0, 0), 0);
	put_chunks(40);
	assert_int_equal(store_close(&store), 0);
	assert_true(disk_bytes(&before) > KEEP);
	assert_int_equal(begin(0, KEEP, 0), 0);
	assert_true(disk_bytes(&after) <= KEEP);
	assert_true(after > 2 && after < before);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.removed, before - after + 1);
}

/* Left open by a recorder that was killed: nobody's. */
static void a_segment_without_its_end_goes_as_well(void **state)
{
	char name[512], open_name[520];
	unsigned files;

	(void)state;
	assert_int_equal(begin(1 << 20, 0, 0), 0);
	put_chunks(40);
	assert_int_equal(store_close(&store), 0);
	assert_true(store_find(path, "-0000000001.weir", name));
	snprintf(open_name, sizeof(open_name), "%s.open", name);
	assert_int_equal(rename(name, open_name), 0);
	assert_int_equal(begin(0, KEEP, 0), 0);
	assert_true(disk_bytes(&files) <= KEEP);
	assert_int_equal(access(open_name, F_OK), -1);
	assert_int_equal(store_close(&store), 0);
}

static void the_segment_being_written_stays(void **state)
{
	unsigned files;

	(void)state;
	assert_int_equal(begin(1 << 30, KEEP, 0), 0);
	put_chunks(40);
	assert_true(disk_bytes(&files) > KEEP);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_read(path).events, store.appended);
}

/* ---- age ----------------------------------------------------------------- */

static void make_older(const char *suffix, unsigned days)
{
	struct timespec t[2] = {{0}};
	char name[512];

	assert_true(store_find(path, suffix, name));
	t[0].tv_sec = t[1].tv_sec = time(NULL) - days * DAY_S;
	assert_int_equal(utimensat(AT_FDCWD, name, t, 0), 0);
}

static void what_is_older_than_that_goes(void **state)
{
	unsigned before, after;
	struct verify_report v;

	(void)state;
	assert_int_equal(begin(1 << 20, 0, 0), 0);
	put_chunks(30);
	assert_int_equal(store_close(&store), 0);
	disk_bytes(&before);
	assert_true(before > 4);
	make_older("-0000000001.weir", 9);
	make_older("-0000000002.weir", 8);
	make_older("-0000000003.weir", 6);
	assert_int_equal(begin(0, 0, 7 * 24 * HOUR_NS), 0);
	disk_bytes(&after);
	assert_int_equal(after, before - 2 + 1);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.removed, 2);
}

/* A host that boots with the wrong time learns of the right one. */
static void what_is_young_stays_when_the_wall_clock_is_set(void **state)
{
	struct verify_report v;
	unsigned before, after;

	(void)state;
	assert_int_equal(begin(1 << 20, 0, HOUR_NS), 0);
	put_chunks(20);
	disk_bytes(&before);
	assert_true(before > 3);
	wall_step = 20 * 365 * DAY_S;
	put_chunks(20);
	disk_bytes(&after);
	assert_true(after > before);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.removed, 0);
}

/* ---- full disks ---------------------------------------------------------- */

static void a_full_disk_takes_the_oldest_and_loses_nothing(void **state)
{
	struct archive_stats stats;

	(void)state;
	place_small_disk("size=6m");
	assert_int_equal(begin(1 << 20, 1 << 30, 0), 0);
	put_chunks(60);
	archive_writer_stats(store.writer, &stats);
	assert_true(stats.retired > 0);
	archive_lost(store.writer, store_told, &store);
	assert_int_equal(store.lost, 0);
	assert_int_equal(store_close(&store), 0);
	expect_end_of_it();
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(it_never_takes_more_than_that),
		T(what_earlier_runs_left_counts_as_well),
		T(a_segment_without_its_end_goes_as_well),
		T(the_segment_being_written_stays),
		T(what_is_older_than_that_goes),
		T(what_is_young_stays_when_the_wall_clock_is_set),
		T(a_full_disk_takes_the_oldest_and_loses_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
