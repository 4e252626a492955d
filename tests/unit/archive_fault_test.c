// SPDX-License-Identifier: BSD-2-Clause
/* archive_fault_test.c - full disks, removed files, kills: all accounted for.
 */
#include "store_place.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "../../user/segment.h"

#define CHUNK	      1000    /* events of a block here */
#define WRITER_EVENTS 2000000 /* a child writes at most */

static int set_up(void **state)
{
	place_set_up(state);
	store.state_records = 2;
	return 0;
}

/* One block. Return: of writing it. */
static int put_block(void)
{
	struct store_record r;
	int i, err;

	for (i = 0; i < CHUNK; i++) {
		store_make(&r, &store.seed, &store.ts);
		assert_int_equal(store_append(&store, &r), 0);
	}
	err = archive_flush(store.writer);
	archive_lost(store.writer, store_told, &store);
	return err ? err : archive_tick(store.writer, clock_now());
}

static unsigned put_blocks(unsigned n, int want)
{
	unsigned failed = 0;
	int err;

	while (n--) {
		err = put_block();
		failed += err != 0;
		assert_true(!err || err == want);
	}
	return failed;
}

static void expect_accounted(unsigned removed)
{
	struct verify_report v;
	struct store_read r;

	r = store_read(path);
	assert_int_equal(r.err, 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.events, r.events);
	assert_int_equal(v.lost, store.lost);
	assert_int_equal(v.removed, removed);
	assert_int_equal(v.unsealed + v.torn_bytes, 0);
	if (!removed)
		assert_int_equal(r.events + store.lost, store.appended);
}

/* ---- full disks -------------------------------------------------------- */

static void a_full_disk_costs_what_it_says(void **state)
{
	unsigned failed;

	(void)state;
	place_small_disk("size=1m");
	assert_int_equal(store_open(&store, path, false, 300000), 0);
	failed = put_blocks(100, -ENOSPC);
	assert_true(failed > 20 && failed < 90);
	assert_int_equal(store.lost, failed * CHUNK);
	/* what seals a segment found room all the same */
	assert_int_equal(store_close(&store), 0);
	expect_accounted(0);
}

static void fill_disk(const char *name)
{
	static const char zeros[4096];
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	while (write(fd, zeros, sizeof(zeros)) > 0)
		;
	close(fd);
}

static void recording_resumes_when_there_is_room_again(void **state)
{
	struct archive_stats stats;
	char ballast[80];

	(void)state;
	place_small_disk("size=2m");
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_int_equal(put_blocks(10, 0), 0);
	fill_disk(ballast);
	assert_true(put_blocks(40, -ENOSPC) > 10);
	archive_writer_stats(store.writer, &stats);
	assert_int_equal(stats.error, -ENOSPC);
	assert_int_equal(unlink(ballast), 0);
	put_block();
	assert_int_equal(put_blocks(10, 0), 0);
	archive_writer_stats(store.writer, &stats);
	assert_int_equal(stats.error, 0);
	assert_int_equal(store_close(&store), 0);
	expect_accounted(0);
	/* the hole cost forks, so the state stands again behind it */
	assert_true(store_read(path).context >= 4);
}

static void an_archive_that_cannot_begin_leaves_no_segment(void **state)
{
	char ballast[80], file[512];

	(void)state;
	place_small_disk("size=1m");
	snprintf(ballast, sizeof(ballast), "%s/ballast", dir);
	fill_disk(ballast);
	assert_int_equal(store_open(&store, path, false, 0), -ENOSPC);
	if (!access(path, F_OK))
		assert_false(store_find(path, ".open", file));
}

static void a_size_limit_begins_new_segments(void **state)
{
	struct rlimit old, low;

	(void)state;
	getrlimit(RLIMIT_FSIZE, &old);
	low = old;
	low.rlim_cur = 300000;
	setrlimit(RLIMIT_FSIZE, &low);
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_true(put_blocks(40, -EFBIG) > 1);
	assert_int_equal(store_close(&store), 0);
	setrlimit(RLIMIT_FSIZE, &old);
	assert_true(store_read(path).info.segments > 3);
	expect_accounted(0);
}

/* A write that the disk breaks off in the middle. */
static void half_a_frame_is_cut_back(void **state)
{
	struct segment_head head = {.run = 1, .number = 1, .realtime = 1};
	struct frame f = {.type = FRAME_BLOCK};
	struct buf b = {0};
	struct segment *s;
	struct stat st;
	int fd;

	(void)state;
	place_small_disk("size=1m");
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(segment_create(&s, fd, &head), 0);
	s->sealing = true; /* so it does not ask for room first */
	segment_frame(&b);
	buf_space(&b, 2 << 20);
	memset(b.data + b.len, 'x', 2 << 20);
	b.len += 2 << 20;
	assert_int_equal(segment_put(s, &f, &b), -ENOSPC);
	assert_int_equal(fstat(s->fd, &st), 0);
	assert_int_equal(st.st_size, s->size);
	segment_frame(&b);
	assert_int_equal(segment_put(s, &f, &b), 0);
	assert_int_equal(segment_seal(s, &b), 0);
	segment_close(s);
	buf_done(&b);
	close(fd);
}

/* ---- removed files ----------------------------------------------------- */

static void a_removed_segment_is_followed_by_a_new_one(void **state)
{
	char name[512];

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_int_equal(put_blocks(3, 0), 0);
	assert_true(store_find(path, ".open", name));
	assert_int_equal(unlink(name), 0);
	assert_int_equal(put_block(), -ENOENT);
	assert_int_equal(store.lost, CHUNK);
	assert_int_equal(put_blocks(3, 0), 0);
	assert_int_equal(store_close(&store), 0);
	expect_accounted(1);
	assert_int_equal(store_read(path).events, 3 * CHUNK);
}

static void a_removed_directory_is_made_again(void **state)
{
	struct store_read r;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_int_equal(put_blocks(3, 0), 0);
	store_remove(path);
	assert_int_equal(put_block(), -ENOENT);
	assert_int_equal(put_blocks(3, 0), 0);
	assert_int_equal(store_close(&store), 0);
	r = store_read(path);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.events, 3 * CHUNK);
	expect_accounted(1);
}

/* Numbers tell which segment is older, so each is there once. */
static void
a_directory_that_somebody_else_made_again_is_gone_on_in(void **state)
{
	struct store other;
	char name[512];
	unsigned i;

	(void)state;
	store_init(&other);
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_int_equal(put_blocks(3, 0), 0);
	store_remove(path);
	for (i = 0; i < 3; i++) {
		assert_int_equal(store_open(&other, path, true, 0), 0);
		assert_int_equal(store_close(&other), 0);
	}
	store_done(&other);
	assert_int_equal(put_block(), -ENOENT);
	assert_int_equal(put_blocks(3, 0), 0);
	assert_true(store_find(path, "-0000000004.weir.open", name));
	assert_int_equal(store_close(&store), 0);
}

static void a_recorder_that_never_said_it_ended_is_told(void **state)
{
	struct verify_report v;
	char name[512], end[32];

	(void)state;
	assert_int_equal(store_open(&store, path, false, 100000), 0);
	assert_int_equal(put_blocks(6, 0), 0);
	assert_int_equal(store_close(&store), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unsealed, 0);
	snprintf(end, sizeof(end), "-%010u.weir", (unsigned)v.segments);
	assert_true(v.segments > 1 && store_find(path, end, name));
	assert_int_equal(unlink(name), 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unsealed, 1);
}

/* ---- kills ------------------------------------------------------------- */

struct shared {
	volatile uint64_t written; /* events in blocks that are written */
	volatile uint64_t appended;
};

/* Nor does it outlive a test that failed, or fill the disk. */
static void write_until_killed(struct shared *sh)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (store_open(&store, path, false, 200000))
		_exit(1);
	while (store.appended < WRITER_EVENTS) {
		sh->appended = store.appended + CHUNK;
		if (store_fill(&store, CHUNK) || archive_flush(store.writer))
			_exit(2);
		sh->written = store.appended;
	}
	pause();
}

static struct shared *share(void)
{
	struct shared *sh = mmap(NULL, sizeof(*sh), PROT_READ | PROT_WRITE,
				 MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(sh, MAP_FAILED);
	return sh;
}

/* A writer that has written something. Not reaped, so its pid stays its. */
static pid_t start_writer(struct shared *sh)
{
	siginfo_t info = {0};
	pid_t child;

	sh->written = sh->appended = 0;
	child = fork();
	if (!child)
		write_until_killed(sh);
	assert_true(child > 0);
	while (!sh->written && !info.si_pid) {
		sched_yield();
		waitid(P_PID, (id_t)child, &info, WEXITED | WNOHANG | WNOWAIT);
	}
	return child;
}

static void kill_writer(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
}

static void a_killed_writer_leaves_what_it_wrote(void **state)
{
	struct shared *sh = share();
	struct verify_report v;
	struct store_read r;
	uint64_t seed = 7;
	pid_t child;
	int i;

	(void)state;
	for (i = 0; i < 50; i++) {
		child = start_writer(sh);
		usleep(store_random(&seed) % 20000);
		kill_writer(child);
		r = store_read(path);
		assert_int_equal(r.err, 0);
		assert_true(r.events >= sh->written);
		assert_true(r.events <= sh->appended);
		assert_int_equal(store_verify(path, &v), 0);
		assert_int_equal(v.events, r.events);
		assert_int_equal(v.unsealed, 1);
		assert_int_equal(v.live, 0);
		store_remove(path);
	}
	munmap(sh, sizeof(*sh));
}

static void it_can_be_read_while_it_is_written(void **state)
{
	struct shared *sh = share();
	struct verify_report v;
	struct store_read r;
	uint64_t last = 0, before;
	pid_t child;
	int i;

	(void)state;
	child = start_writer(sh);
	for (i = 0; i < 8; i++) {
		before = sh->written;
		r = store_read(path);
		assert_int_equal(r.err, 0);
		assert_true(r.events >= before && r.events >= last);
		last = r.events;
		assert_int_equal(store_verify(path, &v), 0);
		assert_true(v.events >= last);
		assert_true(v.live <= 1 && !v.unsealed && !v.torn_bytes);
		usleep(20000);
	}
	kill_writer(child);
	munmap(sh, sizeof(*sh));
}

#define T(test) cmocka_unit_test_setup_teardown(test, set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_full_disk_costs_what_it_says),
		T(recording_resumes_when_there_is_room_again),
		T(an_archive_that_cannot_begin_leaves_no_segment),
		T(a_size_limit_begins_new_segments),
		T(half_a_frame_is_cut_back),
		T(a_removed_segment_is_followed_by_a_new_one),
		T(a_removed_directory_is_made_again),
		T(a_directory_that_somebody_else_made_again_is_gone_on_in),
		T(a_recorder_that_never_said_it_ended_is_told),
		T(a_killed_writer_leaves_what_it_wrote),
		T(it_can_be_read_while_it_is_written),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
