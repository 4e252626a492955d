// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_attach_test.c - the ring over a memfd: who may attach, where a
 * successor goes on, and what a peer that lies can and cannot do.
 */
#include "../../ring/ring.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define SIZE	4096u
#define LONGEST (SIZE / 8)

enum { ID_MAGIC, ID_ABI_FLAGS, ID_SIZE, ID_PAGE }; /* 64-bit words of page 0 */

/* A shared ring with all parts attached, and a forger's view of its pages. */
struct shared {
	int fd;
	struct ring_producer *p;
	struct ring_consumer *c;
	struct ring_rx *rx;
	struct ring_tx *tx;
	unsigned char *data;
};

static size_t page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t fd_size(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (size_t)st.st_size;
}

static struct shared shared_new(unsigned int flags)
{
	struct shared s = {0};
	unsigned char *at;

	assert_int_equal(ring_create(&s.fd, SIZE, flags), 0);
	assert_int_equal(ring_attach_producer(&s.p, s.fd), 0);
	if (!(flags & RING_OVERWRITE))
		assert_int_equal(ring_attach_consumer(&s.c, s.fd), 0);
	at = mmap(NULL, fd_size(s.fd), PROT_READ | PROT_WRITE, MAP_SHARED, s.fd,
		  0);
	assert_true(at != MAP_FAILED);
	s.rx = (void *)(at + page());
	s.tx = (void *)(at + 2 * page());
	s.data = at + 3 * page();
	return s;
}

static void shared_close(struct shared *s)
{
	munmap((char *)s->rx - page(), fd_size(s->fd));
	ring_producer_close(s->p);
	ring_consumer_close(s->c);
	close(s->fd);
}

static void write_u64(struct ring_producer *p, uint64_t v)
{
	assert_int_equal(ring_write(p, 1, &v, sizeof(v)), RING_OK);
}

static void expect_u64(struct ring_consumer *c, uint64_t v)
{
	struct ring_record rec = {0};
	uint64_t got;

	assert_int_equal(ring_read(c, &got, sizeof(got), &rec), RING_OK);
	assert_int_equal(rec.len, sizeof(got));
	assert_int_equal(got, v);
}

static void expect_refused(int fd, int err)
{
	struct ring_producer *p = (void *)1;
	struct ring_consumer *c = (void *)2;
	struct ring_observer *o = (void *)3;

	assert_int_equal(ring_attach_producer(&p, fd), err);
	assert_int_equal(ring_attach_consumer(&c, fd), err);
	assert_int_equal(ring_attach_observer(&o, fd), err);
	assert_true(p == (void *)1 && c == (void *)2 && o == (void *)3);
}

/* --- who may attach ------------------------------------------------------ */

static void new_ring_is_sealed_and_closed_on_exec(void **state)
{
	int fd;

	(void)state;
	assert_int_equal(ring_create(&fd, SIZE, RING_PREFAULT), 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(ftruncate(fd, 4096), -1);
	assert_int_equal(ftruncate(fd, 1 << 20), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	close(fd);
}

static void what_is_no_sealed_memfd_is_refused(void **state)
{
	FILE *f = tmpfile();
	int fds[2];

	(void)state;
	expect_refused(-1, -EINVAL);
	assert_non_null(f);
	expect_refused(fileno(f), -EINVAL);
	(void)fclose(f);
	assert_int_equal(pipe(fds), 0);
	expect_refused(fds[0], -EINVAL);
	close(fds[0]);
	close(fds[1]);
}

/* A copy of a fresh ring's file with one word changed and @seals put on. */
static int forge(int word, uint64_t value, off_t more, int seals)
{
	int from, fd = memfd_create("forged", MFD_ALLOW_SEALING);
	uint64_t id[4];
	size_t len;

	assert_int_equal(ring_create(&from, SIZE, 0), 0);
	assert_int_equal(pread(from, id, sizeof(id), 0), sizeof(id));
	len = fd_size(from);
	close(from);
	id[word] = value ? value : id[word];
	assert_int_equal(ftruncate(fd, (off_t)len + more), 0);
	assert_int_equal(pwrite(fd, id, sizeof(id), 0), sizeof(id));
	assert_int_equal(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void missing_seal_is_refused(void **state)
{
	static const int seals[] = {F_SEAL_SHRINK, F_SEAL_GROW, F_SEAL_SEAL};
	int fd = forge(0, 0, 0, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	struct ring_observer *o;

	(void)state;
	assert_int_equal(ring_attach_observer(&o, fd), 0);
	ring_observer_close(o);
	close(fd);
	for (int i = 0; i < 3; i++) {
		fd = forge(0, 0, 0,
			   (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) &
				   ~seals[i]);
		expect_refused(fd, -EINVAL);
		close(fd);
	}
}

static void wrong_identity_is_refused(void **state)
{
	static const struct {
		uint64_t value;
		off_t more;
		int word;
		int err;
	} cases[] = {
		{1, 0, ID_MAGIC, -EBADMSG},
		{2, 0, ID_ABI_FLAGS, -EPROTONOSUPPORT},
		{1 | 4ull << 32, 0, ID_ABI_FLAGS, -EBADMSG},
		{SIZE / 2, 0, ID_SIZE, -EBADMSG},
		{SIZE * 2, 0, ID_SIZE, -EBADMSG},
		{SIZE - 8, 0, ID_SIZE, -EBADMSG},
		{1ull << 63, 0, ID_SIZE, -EBADMSG},
		{32, 0, ID_SIZE, -EBADMSG},
		{1024, 0, ID_PAGE, -EPROTONOSUPPORT},
		{0, 4096, ID_MAGIC, -EBADMSG},
		{0, -4096, ID_MAGIC, -EBADMSG},
		{0, 1, ID_MAGIC, -EBADMSG},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = forge(cases[i].word, cases[i].value, cases[i].more,
			       F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);

		expect_refused(fd, cases[i].err);
		close(fd);
	}
}

static void empty_sealed_memfd_is_refused(void **state)
{
	int fd = memfd_create("empty", MFD_ALLOW_SEALING);

	(void)state;
	fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL);
	expect_refused(fd, -EBADMSG);
	close(fd);
}

static void read_only_fd_serves_observers_only(void **state)
{
	struct shared s = shared_new(RING_OVERWRITE);
	struct ring_producer *p = NULL;
	struct ring_snapshot_info info;
	struct ring_observer *o;
	unsigned char buf[SIZE];
	char path[64];
	int ro;

	(void)state;
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", s.fd);
	ro = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(ro >= 0);
	assert_int_equal(ring_attach_producer(&p, ro), -EACCES);
	assert_null(p);
	assert_int_equal(ring_attach_observer(&o, ro), 0);
	write_u64(s.p, 42);
	assert_int_equal(ring_snapshot(o, buf, sizeof(buf), &info), RING_OK);
	assert_int_equal(info.records, 1);
	ring_observer_close(o);
	close(ro);
	shared_close(&s);
}

static void overwrite_ring_takes_no_consumer(void **state)
{
	struct shared s = shared_new(RING_OVERWRITE);

	(void)state;
	assert_int_equal(ring_attach_consumer(&s.c, s.fd), -EINVAL);
	assert_null(s.c);
	shared_close(&s);
}

static void refuse_ring_gives_no_snapshot(void **state)
{
	struct shared s = shared_new(0);
	struct ring_snapshot_info info;
	struct ring_observer *o;
	unsigned char buf[SIZE];
	struct ring_stats st;

	(void)state;
	assert_int_equal(ring_attach_observer(&o, s.fd), 0);
	write_u64(s.p, 42);
	assert_int_equal(ring_snapshot(o, buf, sizeof(buf), &info),
			 RING_CORRUPT);
	ring_observer_stats(o, &st);
	assert_int_equal(st.records, 1);
	assert_int_equal(st.used, 16);
	ring_observer_close(o);
	shared_close(&s);
}

/* Does a store to @at kill a child? (sanitizers turn SIGSEGV into an exit) */
static bool store_kills(unsigned char *at)
{
	int status;
	pid_t pid = fork();

	if (!pid) {
		(void)signal(SIGSEGV, SIG_DFL); /* cmocka catches it */
		(void)signal(SIGBUS, SIG_DFL);
		(void)freopen("/dev/null", "w", stderr);
		*(volatile unsigned char *)at = 0;
		_exit(0);
	}
	waitpid(pid, &status, 0);
	return !WIFEXITED(status) || WEXITSTATUS(status);
}

static void each_part_maps_only_its_own_pages_writable(void **state)
{
	struct shared s = shared_new(0);
	unsigned char *in_p = s.p->data, *in_c = (void *)(uintptr_t)s.c->data;
	size_t len = fd_size(s.fd) - 3 * page();

	(void)state;
	assert_false(store_kills(in_p));
	assert_false(store_kills(in_p + len - 1));
	assert_true(store_kills(in_p + len)); /* guard */
	assert_false(store_kills((void *)s.p->tx));
	assert_true(store_kills((void *)(uintptr_t)s.p->rx));
	assert_true(store_kills(in_p - 3 * page()));
	assert_true(store_kills(in_p - 3 * page() - 1)); /* guard */
	assert_true(store_kills(in_c));
	assert_true(store_kills((void *)(uintptr_t)s.c->tx));
	assert_false(store_kills((void *)s.c->rx));
	shared_close(&s);
}

/* --- successors ---------------------------------------------------------- */

static void next_producer_goes_on_where_the_last_ended(void **state)
{
	struct shared s = shared_new(0);
	struct ring_record rec = {0};
	struct ring_stats st;

	(void)state;
	for (uint64_t seq = 0; seq < 1000; seq++) {
		write_u64(s.p, seq);
		assert_non_null(ring_reserve(s.p, 1, 100)); /* and dies */
		if (seq % 2) {
			ring_producer_close(s.p);
			assert_int_equal(ring_poll(s.c, 17), RING_PEER_DEAD);
			assert_int_equal(ring_attach_producer(&s.p, s.fd), 0);
			assert_int_equal(ring_poll(s.c, 17), RING_EMPTY);
		}
		expect_u64(s.c, seq);
		assert_int_equal(ring_peek(s.c, &rec), RING_EMPTY);
	}
	ring_producer_stats(s.p, &st);
	assert_int_equal(st.records, 1000);
	assert_int_equal(st.full, 0);
	shared_close(&s);
}

/* Read three records, give two back, die. */
static void read_and_die(int fd)
{
	struct ring_record rec = {0};
	struct ring_consumer *c;
	uint64_t v;

	if (ring_attach_consumer(&c, fd) ||
	    ring_read(c, &v, sizeof(v), &rec) != RING_OK ||
	    ring_read(c, &v, sizeof(v), &rec) != RING_OK)
		_exit(1);
	ring_release(c);
	_exit(ring_read(c, &v, sizeof(v), &rec) != RING_OK || v != 2);
}

static void next_consumer_is_given_again_what_was_not_released(void **state)
{
	struct shared s = shared_new(0);
	int status;
	pid_t pid;

	(void)state;
	for (uint64_t seq = 0; seq < 10; seq++)
		write_u64(s.p, seq);
	pid = fork();
	if (!pid)
		read_and_die(s.fd);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
	ring_consumer_close(s.c);
	assert_int_equal(ring_attach_consumer(&s.c, s.fd), 0);
	expect_u64(s.c, 2);
	ring_consumer_close(s.c); /* gives back */
	assert_int_equal(ring_attach_consumer(&s.c, s.fd), 0);
	expect_u64(s.c, 3);
	shared_close(&s);
}

static void window_survives_its_producer(void **state)
{
	struct shared s = shared_new(RING_OVERWRITE);
	struct ring_snapshot_info info;
	struct ring_observer *o;
	unsigned char buf[SIZE];
	uint64_t newest;

	(void)state;
	assert_int_equal(ring_attach_observer(&o, s.fd), 0);
	for (uint64_t seq = 0; seq < 2000; seq++) {
		write_u64(s.p, seq);
		if (seq % 3 == 0) {
			ring_producer_close(s.p);
			assert_int_equal(ring_attach_producer(&s.p, s.fd), 0);
		}
		assert_int_equal(ring_snapshot(o, buf, SIZE, &info), RING_OK);
		memcpy(&newest, buf + (info.end - info.first) - 8, 8);
		assert_int_equal(newest, seq);
		assert_int_equal(info.records, (info.end - info.first) / 16);
		assert_true(seq < 256 || info.records > 224);
	}
	ring_observer_close(o);
	shared_close(&s);
}

static void attach_refuses_positions_that_cannot_be_true(void **state)
{
	static const struct {
		uint64_t head, tail;
	} cases[] = {
		{0, SIZE + 8},
		{8, 0},
		{0, 4},
		{4, 4},
		{1ull << 63, 1ull << 63},
		{0, UINT64_MAX - 7},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct shared s = shared_new(0);
		struct ring_producer *p;
		struct ring_consumer *c;

		s.rx->head = cases[i].head;
		s.tx->tail = cases[i].tail;
		assert_int_equal(ring_attach_producer(&p, s.fd), -EBADMSG);
		assert_int_equal(ring_attach_consumer(&c, s.fd), -EBADMSG);
		shared_close(&s);
	}
}

static void attach_refuses_a_watermark_that_cannot_be_true(void **state)
{
	static const uint64_t wbegs[] = {0, 1000, 1 << 20, UINT64_MAX - 7};

	(void)state;
	for (size_t i = 0; i < sizeof(wbegs) / sizeof(wbegs[0]); i++) {
		struct shared s = shared_new(RING_OVERWRITE);
		struct ring_producer *p;

		for (int n = 0; n < 1000; n++)
			write_u64(s.p, 1);
		s.tx->wbeg = wbegs[i];
		assert_int_equal(ring_attach_producer(&p, s.fd), -EBADMSG);
		shared_close(&s);
	}
}

/* --- a peer that lies ---------------------------------------------------- */

static void expect_corrupt_for_good(struct shared *s, uint64_t good_tail)
{
	struct ring_record rec = {0};
	char buf[SIZE];

	assert_int_equal(ring_peek(s->c, &rec), RING_CORRUPT);
	s->tx->tail = good_tail;
	assert_int_equal(ring_peek(s->c, &rec), RING_CORRUPT);
	assert_int_equal(ring_read(s->c, buf, SIZE, &rec), RING_CORRUPT);
	assert_int_equal(ring_poll(s->c, 1), RING_CORRUPT);
	assert_int_equal(ring_wait(s->c, 1, UINT64_MAX), RING_CORRUPT);
	assert_int_equal(ring_avail(s->c), 0);
}

static void forged_tail_is_corrupt(void **state)
{
	/* head is 32; the tail seen so far 48 */
	static const uint64_t tails[] = {
		0, 1, 24, 32, 40, 49, 32 + SIZE + 8, 1ull << 40, UINT64_MAX - 7,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(tails) / sizeof(tails[0]); i++) {
		struct shared s = shared_new(0);

		for (uint64_t seq = 0; seq < 3; seq++)
			write_u64(s.p, seq);
		expect_u64(s.c, 0);
		expect_u64(s.c, 1);
		assert_int_equal(ring_avail(s.c), 16);
		s.tx->tail = tails[i];
		assert_int_equal(ring_poll(s.c, 1), RING_CORRUPT);
		expect_corrupt_for_good(&s, 48);
		shared_close(&s);
	}
}

static void forged_header_is_corrupt(void **state)
{
	static const uint64_t headers[] = {
		9,	    17,		LONGEST + 1,	0xffffffff,
		0xfffffff8, 0x80000000, 8 | 1ull << 48, 8 | 1ull << 63,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++) {
		struct shared s = shared_new(0);

		write_u64(s.p, 1);
		*(uint64_t *)(void *)s.data = headers[i];
		expect_corrupt_for_good(&s, 16);
		shared_close(&s);
	}
}

static void forged_head_cannot_free_unread_space(void **state)
{
	/* the head seen so far is 32 */
	static const uint64_t heads[] = {0, 24, 36, 1ull << 40, UINT64_MAX - 7};

	(void)state;
	for (size_t i = 0; i < sizeof(heads) / sizeof(heads[0]); i++) {
		struct shared s = shared_new(0);
		struct ring_stats st;
		uint64_t n = 0;

		write_u64(s.p, 0);
		write_u64(s.p, 0);
		expect_u64(s.c, 0);
		expect_u64(s.c, 0);
		ring_release(s.c);
		assert_int_equal(ring_space(s.p), SIZE);
		s.rx->head = heads[i];
		while (ring_write(s.p, 0, NULL, 0) == RING_OK)
			n++;
		assert_int_equal(n, SIZE / 8);
		assert_int_equal(ring_space(s.p), 0);
		ring_producer_stats(s.p, &st);
		assert_int_equal(st.forged, 2);
		shared_close(&s);
	}
}

static void forged_notes_never_lead_out_of_the_window(void **state)
{
	struct shared s = shared_new(RING_OVERWRITE);
	struct ring_snapshot_info info;
	struct ring_observer *o;
	unsigned char buf[SIZE];
	uint64_t was;
	int r;

	(void)state;
	assert_int_equal(ring_attach_observer(&o, s.fd), 0);
	for (int n = 0; n < 1000; n++)
		write_u64(s.p, 1);
	for (unsigned int i = 0; i < RING_NOTES; i++)
		for (unsigned int bit = 0; bit < 64; bit++) {
			was = s.tx->note[i];
			s.tx->note[i] ^= 1ull << bit;
			r = ring_snapshot(o, buf, SIZE, &info);
			assert_true(r == RING_OK || r == RING_CORRUPT);
			s.tx->note[i] = was;
		}
	memset(s.tx->note, 0xff, sizeof(s.tx->note));
	assert_int_equal(ring_snapshot(o, buf, SIZE, &info), RING_EMPTY);
	s.tx->tail = UINT64_MAX - 7;
	assert_int_equal(ring_snapshot(o, buf, SIZE, &info), RING_CORRUPT);
	ring_observer_close(o);
	shared_close(&s);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(new_ring_is_sealed_and_closed_on_exec),
		T(what_is_no_sealed_memfd_is_refused),
		T(missing_seal_is_refused),
		T(wrong_identity_is_refused),
		T(empty_sealed_memfd_is_refused),
		T(read_only_fd_serves_observers_only),
		T(overwrite_ring_takes_no_consumer),
		T(refuse_ring_gives_no_snapshot),
		T(each_part_maps_only_its_own_pages_writable),
		T(next_producer_goes_on_where_the_last_ended),
		T(next_consumer_is_given_again_what_was_not_released),
		T(window_survives_its_producer),
		T(attach_refuses_positions_that_cannot_be_true),
		T(attach_refuses_a_watermark_that_cannot_be_true),
		T(forged_tail_is_corrupt),
		T(forged_header_is_corrupt),
		T(forged_head_cannot_free_unread_space),
		T(forged_notes_never_lead_out_of_the_window),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
