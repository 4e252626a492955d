// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_slice_test.c - ring_snapshot_from() beside a producer that goes on in
 * the middle of it, or that lies: here each look at a shared word can be the
 * moment at which something happens, so nothing is left to chance.
 */
#include "../../ring/ring_order.h"

static void looked(void);

static inline uint64_t ring_get_and_tell(const ring_word *w)
{
	looked();
	return ring_get(w);
}

#define ring_get ring_get_and_tell
#include "../../ring/ring.c"
#undef ring_get

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define SIZE	  4096u /* blocks of 64 bytes */
#define CAP	  256u
#define PAYLOAD	  24u /* two records a block */
#define LOOKS_MAX 10000u
#define CANARY	  0xa5

static struct ring_producer *producer;
static unsigned looks, lap_at; /* so many looks on, all is written anew */

static void write_bytes(uint64_t bytes)
{
	static const char text[PAYLOAD];

	for (; bytes; bytes -= RING_HEADER + PAYLOAD)
		assert_int_equal(ring_write(producer, 1, text, PAYLOAD),
				 RING_OK);
}

static void looked(void)
{
	assert_true(++looks < LOOKS_MAX);
	if (producer && looks == lap_at)
		write_bytes(SIZE + SIZE / 2);
}

/* Nothing at or behind @buf + CAP may have been written to. */
static void check_canary(const unsigned char *buf)
{
	for (size_t i = CAP; i < CAP + 2 * SIZE; i++)
		assert_int_equal(buf[i], CANARY);
}

/* Return: had it ended before the lap came? */
static bool slice_with_lap(unsigned at)
{
	unsigned char *buf = malloc(CAP + 2 * SIZE);
	struct ring_snapshot_info info = {0};
	struct ring_observer *o;
	int r;

	assert_non_null(buf);
	memset(buf, CANARY, CAP + 2 * SIZE);
	assert_int_equal(ring_new_window(&producer, &o, SIZE, 0), 0);
	write_bytes(SIZE / 2);
	looks = 0;
	lap_at = at;
	r = ring_snapshot_from(o, 0, buf, CAP, &info);
	assert_true(r == RING_OK || r == RING_EMPTY);
	assert_true(info.end - info.first <= CAP);
	check_canary(buf);
	ring_producer_close(producer);
	producer = NULL;
	ring_observer_close(o);
	free(buf);
	return looks < at;
}

static void a_slice_stays_in_its_buffer_whenever_a_lap_comes(void **state)
{
	unsigned at = 1;

	(void)state;
	while (!slice_with_lap(at))
		at++;
	assert_true(at > 4);
}

/* A ring whose producer claims to be at @tail, and to have overwritten nothing.
 */
static struct ring_observer *forged(uint64_t tail)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct ring_observer *o;
	struct ring_tx *tx;
	int fd;

	assert_int_equal(ring_create(&fd, SIZE, RING_OVERWRITE), 0);
	tx = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd,
		  2 * (off_t)page);
	assert_true(tx != MAP_FAILED);
	tx->tail = tail;
	munmap(tx, page);
	assert_int_equal(ring_attach_observer(&o, fd), 0);
	close(fd);
	return o;
}

static void a_tail_farther_away_than_the_ring_is_long_is_corrupt(void **state)
{
	struct ring_snapshot_info info;
	unsigned char buf[CAP];
	struct ring_observer *o = forged(RING_POSITION_MAX & ~7ull);

	(void)state;
	looks = 0;
	assert_int_equal(ring_snapshot_from(o, 0, buf, sizeof(buf), &info),
			 RING_CORRUPT);
	ring_observer_close(o);
}

#define T(name) cmocka_unit_test(name)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_slice_stays_in_its_buffer_whenever_a_lap_comes),
		T(a_tail_farther_away_than_the_ring_is_long_is_corrupt),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
