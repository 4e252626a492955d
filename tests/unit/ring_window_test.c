// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_window_test.c - overwrite mode: what a snapshot holds, and how much.
 */
#include "../stress/ring_records.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE_LARGEST (1u << 16)

#define for_each_size(s)                                                       \
	for (size_t s = RING_SIZE_MIN; (s) <= SIZE_LARGEST; (s) *= 2)

struct window {
	struct ring_producer *p;
	struct ring_observer *o;
	unsigned char *buf;
	size_t size;
	struct ring_snapshot_info info;
};

static struct window window_new(size_t size)
{
	struct window w = {.size = size, .buf = malloc(size)};

	assert_int_equal(ring_new_window(&w.p, &w.o, size, 0), 0);
	return w;
}

static void window_close(struct window *w)
{
	ring_observer_close(w->o);
	ring_producer_close(w->p);
	free(w->buf);
}

/* The snapshot must be the newest records, ending with number @last. */
static void check_snapshot(struct window *w, size_t cap, uint64_t last)
{
	struct ring_record rec = {0};
	size_t off = 0, len;
	uint64_t seq;
	int r = ring_snapshot(w->o, w->buf, cap, &w->info);

	assert_true(r == RING_OK || r == RING_EMPTY);
	assert_int_equal(r == RING_EMPTY, w->info.records == 0);
	len = w->info.end - w->info.first;
	assert_true(len <= cap);
	assert_int_equal(w->info.torn_blocks, 0);
	seq = last + 1 - w->info.records;
	while ((r = ring_parse(w->buf, len, &off, &rec)) == RING_OK)
		assert_true(nth_ok(&rec, seq++, ring_max(w->p)));
	assert_int_equal(r, RING_EMPTY);
	assert_int_equal(seq, last + 1);
}

static void snapshot_holds_the_newest_records(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct window w = window_new(size);
		struct ring_stats st;

		for (uint64_t seq = 0; seq < 3000; seq++) {
			assert_int_equal(nth_write(w.p, seq), RING_OK);
			if (seq < 300 || seq % 32 == 0) {
				check_snapshot(&w, size, seq);
				check_snapshot(&w, size / 2, seq);
				check_snapshot(&w, 0, seq);
			}
		}
		ring_observer_stats(w.o, &st);
		assert_int_equal(st.records, 3000);
		assert_int_equal(st.full, 0);
		assert_true(st.overwritten + st.used == st.bytes);
		assert_true(st.used <= size);
		window_close(&w);
	}
}

/* Lost are at most the step ahead, a record, and the block they begin in. */
static void snapshot_keeps_nearly_the_whole_ring(void **state)
{
	struct window w = window_new(1 << 16);

	(void)state;
	for (uint64_t seq = 0; seq < 5000; seq++) {
		assert_int_equal(nth_write(w.p, seq), RING_OK);
		ring_snapshot(w.o, w.buf, w.size, &w.info);
		if (w.info.end > w.size)
			assert_true(w.info.end - w.info.first >=
				    w.size - 3 * (w.size / 64) -
					    2 * (NTH_MAX + 8));
	}
	window_close(&w);
}

static void snapshot_of_an_empty_window_is_empty(void **state)
{
	struct window w = window_new(256);

	(void)state;
	assert_int_equal(ring_snapshot(w.o, w.buf, w.size, &w.info),
			 RING_EMPTY);
	assert_int_equal(w.info.end, 0);
	assert_int_equal(w.info.records, 0);
	window_close(&w);
}

/* Each slice begins where the one before ended, and together they are all. */
static void slices_hold_every_record_in_order(void **state)
{
	const size_t size = 1 << 16, cap = size / 32 + NTH_MAX + 8;
	struct window w = window_new(size);
	uint64_t from = 0, seq = 0, next = 0;
	struct ring_record rec;

	(void)state;
	while (next < 5000) {
		for (unsigned int i = 0; i < 20; i++)
			assert_int_equal(nth_write(w.p, seq++), RING_OK);
		while (ring_snapshot_from(w.o, from, w.buf, cap, &w.info) ==
		       RING_OK) {
			assert_int_equal(w.info.first, from);
			assert_true(w.info.end - w.info.first <= cap);
			for (size_t off = 0;
			     ring_parse(w.buf, w.info.end - w.info.first, &off,
					&rec) == RING_OK;)
				assert_true(
					nth_ok(&rec, next++, ring_max(w.p)));
			from = w.info.end;
		}
		assert_int_equal(next, seq);
	}
	window_close(&w);
}

static void a_slice_of_what_is_overwritten_begins_later(void **state)
{
	const size_t size = 1 << 16;
	struct window w = window_new(size);
	struct ring_stats st;

	(void)state;
	for (uint64_t seq = 0; seq < 5000; seq++)
		assert_int_equal(nth_write(w.p, seq), RING_OK);
	assert_int_equal(ring_snapshot_from(w.o, 8, w.buf, size / 8, &w.info),
			 RING_OK);
	ring_observer_stats(w.o, &st);
	assert_true(w.info.first >= st.overwritten);
	assert_true(w.info.first < st.overwritten + size / 16 + NTH_MAX);
	assert_int_equal(
		ring_snapshot_from(w.o, st.bytes, w.buf, size, &w.info),
		RING_EMPTY);
	assert_int_equal(
		ring_snapshot_from(w.o, st.bytes + 8, w.buf, size, &w.info),
		RING_CORRUPT);
	window_close(&w);
}

static void records_longer_than_a_block_survive(void **state)
{
	struct window w = window_new(4096); /* blocks of 64 bytes */
	unsigned char long_one[512];

	(void)state;
	for (unsigned int seq = 0; seq < 200; seq++) {
		memset(long_one, (int)seq, sizeof(long_one));
		assert_int_equal(ring_write(w.p, 0, long_one, 512 - seq % 80),
				 RING_OK);
		assert_int_equal(ring_snapshot(w.o, w.buf, w.size, &w.info),
				 RING_OK);
		assert_int_equal(w.buf[w.info.end - w.info.first - 80],
				 (unsigned char)seq);
		assert_true(seq < 8 || w.info.records >= 6);
	}
	window_close(&w);
}

static void length_is_checked_wherever_the_tail_is(void **state)
{
	(void)state;
	for_each_size(size)
	{
		struct window w = window_new(size);
		uint32_t max = ring_max(w.p);

		for (size_t at = 0; at < 2 * size; at += 16) {
			assert_non_null(ring_reserve(w.p, 1, max));
			assert_null(ring_reserve(w.p, 1, max + 1));
			assert_int_equal(ring_write(w.p, 1, &at, 8), RING_OK);
		}
		assert_int_equal(ring_snapshot(w.o, w.buf, size, &w.info),
				 RING_OK);
		assert_int_equal(w.info.end, 2 * size);
		window_close(&w);
	}
}

static void window_is_never_full(void **state)
{
	struct window w = window_new(64);

	(void)state;
	for (int i = 0; i < 100; i++)
		assert_int_equal(ring_write(w.p, 0, "12345678", 8), RING_OK);
	assert_int_equal(ring_space(w.p), 64);
	assert_int_equal(ring_write(w.p, 0, "123456789", 9), RING_TOOBIG);
	window_close(&w);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(snapshot_holds_the_newest_records),
		T(snapshot_keeps_nearly_the_whole_ring),
		T(snapshot_of_an_empty_window_is_empty),
		T(slices_hold_every_record_in_order),
		T(a_slice_of_what_is_overwritten_begins_later),
		T(records_longer_than_a_block_survive),
		T(length_is_checked_wherever_the_tail_is),
		T(window_is_never_full),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
