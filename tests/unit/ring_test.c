// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_test.c - the ring within one process: making, records, giving back.
 *
 * Most cases run at every size from the smallest, where each record wraps, to
 * one that is larger than any record sent.
 */
#include "../stress/ring_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>
#include <errno.h>
#include <sys/uio.h>

#define SIZE_LARGEST (1u << 16)

#define for_each_size(s)                                                       \
	for (size_t s = RING_SIZE_MIN; (s) <= SIZE_LARGEST; (s) *= 2)

static const unsigned char zeroes[56];

struct pair {
	struct ring_producer *p;
	struct ring_consumer *c;
};

static struct pair pair_new(size_t size)
{
	struct pair r = {0};

	assert_int_equal(ring_new_pair(&r.p, &r.c, size, 0), 0);
	return r;
}

static void pair_close(struct pair *r)
{
	ring_producer_close(r->p);
	ring_consumer_close(r->c);
}

/* --- making -------------------------------------------------------------- */

static void size_that_is_no_power_of_two_in_range_is_refused(void **state)
{
	static const size_t bad[] = {
		0, 1, 8, 32, 63, 65, 96, (1u << 20) - 8, 3 << 20, 1ull << 31};
	struct ring_producer *p = (void *)1;
	struct ring_consumer *c = (void *)2;
	struct ring_observer *o = (void *)3;
	int fd = -7;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		assert_int_equal(ring_new_pair(&p, &c, bad[i], 0), -EINVAL);
		assert_int_equal(ring_new_window(&p, &o, bad[i], 0), -EINVAL);
		assert_int_equal(ring_create(&fd, bad[i], 0), -EINVAL);
	}
	assert_int_equal(ring_new_pair(&p, &c, 64, RING_OVERWRITE), -EINVAL);
	assert_int_equal(ring_new_pair(&p, &c, 64, 1 << 9), -EINVAL);
	assert_int_equal(ring_new_window(&p, &o, 64, 1 << 9), -EINVAL);
	assert_int_equal(ring_create(&fd, 64, 1 << 9), -EINVAL);
	assert_true(p == (void *)1 && c == (void *)2 && o == (void *)3);
	assert_int_equal(fd, -7);
}

static void largest_ring_can_be_made(void **state)
{
	struct pair r = {0};
	int err = ring_new_pair(&r.p, &r.c, RING_SIZE_MAX, 0);

	(void)state;
	if (err == -ENOMEM)
		skip(); /* a small machine that does not overcommit */
	assert_int_equal(err, 0);
	assert_int_equal(ring_max(r.p), RING_PAYLOAD_MAX);
	assert_int_equal(ring_space(r.p), RING_SIZE_MAX);
	pair_close(&r);
}

static void prefaulted_ring_works(void **state)
{
	struct pair r = {0};

	(void)state;
	assert_int_equal(ring_new_pair(&r.p, &r.c, 4096, RING_PREFAULT), 0);
	assert_int_equal(ring_write(r.p, 1, "x", 1), RING_OK);
	pair_close(&r);
}

static void halves_close_in_any_order(void **state)
{
	struct pair r = pair_new(64);

	(void)state;
	ring_consumer_close(r.c);
	assert_int_equal(ring_write(r.p, 1, "x", 1), RING_OK);
	ring_producer_close(r.p);
	ring_producer_close(NULL);
	ring_consumer_close(NULL);
	ring_observer_close(NULL);
}

/* --- records ------------------------------------------------------------- */

static void records_come_out_as_they_went_in(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct pair r = pair_new(size);
		uint64_t in = 0, out = 0;
		unsigned char buf[NTH_MAX];
		struct ring_record rec = {0};

		while (out < 5000) {
			while (nth_write(r.p, in) == RING_OK)
				in++;
			while (ring_read(r.c, buf, sizeof(buf), &rec) ==
			       RING_OK)
				assert_true(nth_ok(&rec, out++, ring_max(r.p)));
			assert_int_equal(in, out);
		}
		pair_close(&r);
	}
}

/* Is the record aligned, and @len times @want? */
static bool is_all(const struct ring_record *rec, unsigned char want,
		   size_t len)
{
	const unsigned char *b = rec->data;

	return b && rec->len == len && (uintptr_t)b % 8 == 0 && b[0] == want &&
	       !memcmp(b, b + 1, len - 1);
}

static void every_offset_wraps(void **state)
{
	struct ring_record rec = {0};

	(void)state;
	/* move by 8, then send the longest record across whatever comes */
	for_each_size(size)
	{
		struct pair r = pair_new(size);
		unsigned char *b, want = 0;

		ring_hold(r.c, 0);
		for (size_t at = 0; at < 2 * size && at < 4096; at += 8) {
			b = ring_reserve(r.p, 1, ring_max(r.p));
			assert_non_null(b);
			memset(b, ++want, ring_max(r.p));
			ring_commit(r.p, ring_max(r.p));
			assert_int_equal(ring_write(r.p, 2, NULL, 0), RING_OK);
			assert_int_equal(ring_peek(r.c, &rec), RING_OK);
			assert_true(is_all(&rec, want, ring_max(r.p)));
			ring_next(r.c);
			assert_int_equal(ring_peek(r.c, &rec), RING_OK);
			assert_int_equal(rec.type, 2);
			assert_int_equal(rec.len, 0);
			ring_next(r.c);
		}
		pair_close(&r);
	}
}

static void every_byte_is_usable(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct pair r = pair_new(size);
		struct ring_record rec = {0};
		struct ring_stats st;
		size_t n = 0;

		while (ring_write(r.p, 0, NULL, 0) == RING_OK)
			n++;
		assert_int_equal(n, size / 8);
		assert_int_equal(ring_space(r.p), 0);
		assert_int_equal(ring_avail(r.c), size);
		ring_hold(r.c, 0);
		assert_int_equal(ring_peek(r.c, &rec), RING_OK);
		assert_int_equal(ring_write(r.p, 0, NULL, 0), RING_FULL);
		ring_next(r.c);
		assert_int_equal(ring_write(r.p, 0, NULL, 0), RING_OK);
		assert_int_equal(ring_write(r.p, 0, NULL, 0), RING_FULL);
		ring_producer_stats(r.p, &st);
		assert_int_equal(st.full, 3);
		assert_int_equal(st.records, n + 1);
		assert_int_equal(st.used, size);
		assert_int_equal(st.bytes, size + 8);
		pair_close(&r);
	}
}

static void longest_record_fits_and_one_more_byte_does_not(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct pair r = pair_new(size);
		unsigned char *buf = calloc(1, size + 1);
		struct ring_record rec = {0};
		struct ring_stats st;

		assert_int_equal(ring_max(r.p), size / 8);
		assert_int_equal(ring_write(r.p, 0, buf, size / 8 + 1),
				 RING_TOOBIG);
		assert_null(ring_reserve(r.p, 0, SIZE_MAX));
		assert_int_equal(ring_peek(r.c, &rec), RING_EMPTY);
		assert_int_equal(ring_write(r.p, 0, buf, size / 8), RING_OK);
		assert_int_equal(ring_read(r.c, buf, size, &rec), RING_OK);
		assert_int_equal(rec.len, size / 8);
		ring_consumer_stats(r.c, &st);
		assert_int_equal(st.toobig, 2);
		assert_int_equal(st.full, 0);
		free(buf);
		pair_close(&r);
	}
}

static void reservation_is_invisible_until_committed(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};
	void *first;

	(void)state;
	first = ring_reserve(r.p, 1, 64);
	assert_int_equal(ring_peek(r.c, &rec), RING_EMPTY);
	assert_ptr_equal(ring_reserve(r.p, 2, 100), first);
	ring_commit(r.p, 40);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	assert_int_equal(rec.type, 2);
	assert_int_equal(rec.len, 40);
	assert_ptr_equal(rec.data, first);
	assert_int_equal(ring_avail(r.c), 48);
	pair_close(&r);
}

static void commit_never_exceeds_the_reservation(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	ring_commit(r.p, 8);
	assert_int_equal(ring_peek(r.c, &rec), RING_EMPTY);
	assert_non_null(ring_reserve(r.p, 1, 16));
	ring_commit(r.p, 1000);
	ring_commit(r.p, 1000);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	assert_int_equal(rec.len, 16);
	assert_int_equal(ring_avail(r.c), 24);
	pair_close(&r);
}

static void refused_reservation_closes_the_open_one(void **state)
{
	struct pair r = pair_new(64);
	struct ring_record rec = {0};

	(void)state;
	assert_non_null(ring_reserve(r.p, 1, 8));
	assert_null(ring_reserve(r.p, 1, 9));
	ring_commit(r.p, 8);
	assert_int_equal(ring_peek(r.c, &rec), RING_EMPTY);
	pair_close(&r);
}

static void granted_write_closes_the_open_reservation(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	assert_non_null(ring_reserve(r.p, 1, 64));
	assert_int_equal(ring_write(r.p, 2, "12345678", 8), RING_OK);
	ring_commit(r.p, 64);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	assert_int_equal(rec.type, 2);
	assert_int_equal(ring_avail(r.c), 16);
	pair_close(&r);
}

static void length_is_checked_wherever_the_tail_is(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct pair r = pair_new(size);
		struct ring_record rec = {0};
		uint32_t max = ring_max(r.p);

		ring_hold(r.c, 0);
		for (size_t at = 0; at < 2 * size && at < 8192; at += 16) {
			assert_non_null(ring_reserve(r.p, 1, max));
			assert_null(ring_reserve(r.p, 1, max + 1));
			assert_null(ring_reserve(r.p, 1, SIZE_MAX - at));
			assert_int_equal(ring_write(r.p, 1, &at, 8), RING_OK);
			assert_int_equal(ring_peek(r.c, &rec), RING_OK);
			assert_memory_equal(rec.data, &at, 8);
			ring_next(r.c);
		}
		pair_close(&r);
	}
}

static void writev_gathers(void **state)
{
	struct iovec iov[] = {
		{(void *)"flight ", 7}, {NULL, 0}, {(void *)"recorder", 8}};
	struct iovec wraps[] = {{NULL, SIZE_MAX}, {NULL, 2}};
	struct pair r = pair_new(256);
	struct ring_record rec = {0};
	char buf[32];

	(void)state;
	assert_int_equal(ring_writev(r.p, 9, iov, 3), RING_OK);
	assert_int_equal(ring_read(r.c, buf, sizeof(buf), &rec), RING_OK);
	assert_int_equal(rec.len, 15);
	assert_int_equal(rec.type, 9);
	assert_memory_equal(buf, "flight recorder", 15);
	assert_int_equal(ring_writev(r.p, 9, wraps, 2), RING_TOOBIG);
	assert_int_equal(ring_writev(r.p, 9, NULL, 0), RING_OK);
	while (ring_writev(r.p, 9, iov, 3) == RING_OK)
		;
	assert_int_equal(ring_writev(r.p, 9, iov, 3), RING_FULL);
	pair_close(&r);
}

static void read_keeps_a_record_that_the_buffer_cannot_hold(void **state)
{
	struct pair r = pair_new(256);
	struct ring_record rec = {0};
	char buf[16];

	(void)state;
	ring_write(r.p, 5, "0123456789", 10);
	assert_int_equal(ring_read(r.c, NULL, 0, &rec), RING_TOOBIG);
	assert_int_equal(rec.len, 10);
	assert_int_equal(ring_read(r.c, buf, 9, &rec), RING_TOOBIG);
	assert_int_equal(ring_read(r.c, buf, 10, &rec), RING_OK);
	assert_ptr_equal(rec.data, buf);
	assert_memory_equal(buf, "0123456789", 10);
	assert_int_equal(ring_read(r.c, buf, 10, &rec), RING_EMPTY);
	pair_close(&r);
}

static void peek_repeats_and_next_without_peek_does_nothing(void **state)
{
	struct pair r = pair_new(256);
	struct ring_record rec = {0};

	(void)state;
	ring_write(r.p, 1, "a", 1);
	ring_write(r.p, 2, "b", 1);
	ring_next(r.c);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(ring_peek(r.c, &rec), RING_OK);
		assert_int_equal(rec.type, 1);
	}
	ring_next(r.c);
	ring_next(r.c);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	assert_int_equal(rec.type, 2);
	ring_next(r.c);
	assert_int_equal(ring_peek(r.c, &rec), RING_EMPTY);
	pair_close(&r);
}

static void space_comes_back_by_the_quantum(void **state)
{
	struct pair r = pair_new(1024); /* quantum 128: two of these records */
	struct ring_record rec = {0};

	(void)state;
	while (ring_write(r.p, 0, zeroes, 56) == RING_OK)
		;
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	ring_next(r.c);
	assert_int_equal(ring_space(r.p), 0);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	ring_next(r.c);
	assert_int_equal(ring_space(r.p), 128);
	assert_int_equal(ring_peek(r.c, &rec), RING_OK);
	ring_next(r.c);
	ring_release(r.c);
	assert_int_equal(ring_space(r.p), 192);
	while (ring_peek(r.c, &rec) == RING_OK)
		ring_next(r.c);
	assert_int_equal(ring_space(r.p), 1024);
	pair_close(&r);
}

static void held_records_stay_until_released(void **state)
{
	struct pair r = pair_new(1024);
	struct ring_record rec = {0};

	(void)state;
	ring_hold(r.c, UINT64_MAX);
	while (ring_write(r.p, 0, zeroes, 56) == RING_OK)
		;
	while (ring_peek(r.c, &rec) == RING_OK)
		ring_next(r.c);
	assert_int_equal(ring_space(r.p), 0);
	ring_release(r.c);
	assert_int_equal(ring_space(r.p), 1024);
	pair_close(&r);
}

static void parse_refuses_what_are_no_records(void **state)
{
	uint64_t buf[4] = {8, 0, 16, 0};
	struct ring_record rec = {0};
	size_t off = 0;

	(void)state;
	assert_int_equal(ring_parse(buf, sizeof(buf), &off, &rec), RING_OK);
	assert_int_equal(off, 16);
	assert_int_equal(ring_parse(buf, sizeof(buf), &off, &rec),
			 RING_CORRUPT);
	assert_int_equal(off, 16);
	assert_int_equal(ring_parse(buf, 20, &off, &rec), RING_CORRUPT);
	buf[2] = 1ull << 48;
	assert_int_equal(ring_parse(buf, sizeof(buf), &off, &rec),
			 RING_CORRUPT);
	assert_int_equal(ring_parse(buf, 16, &off, &rec), RING_EMPTY);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(size_that_is_no_power_of_two_in_range_is_refused),
		T(largest_ring_can_be_made),
		T(prefaulted_ring_works),
		T(halves_close_in_any_order),
		T(records_come_out_as_they_went_in),
		T(every_offset_wraps),
		T(every_byte_is_usable),
		T(longest_record_fits_and_one_more_byte_does_not),
		T(reservation_is_invisible_until_committed),
		T(commit_never_exceeds_the_reservation),
		T(refused_reservation_closes_the_open_one),
		T(granted_write_closes_the_open_reservation),
		T(length_is_checked_wherever_the_tail_is),
		T(writev_gathers),
		T(read_keeps_a_record_that_the_buffer_cannot_hold),
		T(peek_repeats_and_next_without_peek_does_nothing),
		T(space_comes_back_by_the_quantum),
		T(held_records_stay_until_released),
		T(parse_refuses_what_are_no_records),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
