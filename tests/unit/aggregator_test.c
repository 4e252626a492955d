// SPDX-License-Identifier: BSD-2-Clause
/*
 * The watermark merge on rings laid out as the kernel's, in a memfd: what the
 * kernel does rarely (a record held busy, a stall) is done on purpose here.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "../../bpf/events.h"
#include "../../user/aggregator.h"
#include "../../user/clock.h"

#define PAGE	    4096UL
#define RING	    65536UL
#define BUSY	    (1U << 31)
#define DISCARD	    (1U << 30)
#define CPUS	    4
#define SOURCES	    3
#define PATIENCE_NS (2 * NS_PER_S)
#define LATER_NS    NS_PER_S /* stamps begin here below now: they are past */

/* The producer's side of a BPF ring buffer; the second copy by hand. */
struct fake {
	int fd;
	uint8_t *map;
	uint64_t *head, *tail;
	uint8_t *data;
};

struct fixture {
	struct fake ring[SOURCES];
	struct ring_producer *main_p;
	struct ring_consumer *main_c;
	struct aggregator *a;
	struct account_row rows[SOURCES_MAX * (CPUS + 1)];
	int notify;
	uint64_t base;
};

static void fake_open(struct fake *f)
{
	size_t size = 2 * PAGE + 2 * RING;

	f->fd = memfd_create("fake", MFD_CLOEXEC);
	assert_int_equal(ftruncate(f->fd, (off_t)size), 0);
	f->map = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, f->fd, 0);
	assert_ptr_not_equal(f->map, MAP_FAILED);
	f->head = (uint64_t *)f->map;
	f->tail = (uint64_t *)(f->map + PAGE);
	f->data = f->map + 2 * PAGE;
}

static void fake_close(struct fake *f)
{
	munmap(f->map, 2 * PAGE + 2 * RING);
	close(f->fd);
}

static void fake_word(struct fake *f, uint64_t pos, uint32_t word)
{
	uint64_t at = pos & (RING - 1);

	__atomic_store_n((uint32_t *)(f->data + at), word, __ATOMIC_RELEASE);
	__atomic_store_n((uint32_t *)(f->data + at + RING), word,
			 __ATOMIC_RELEASE);
}

/* Reserve a record with header word @flags. Return: its position. */
static uint64_t fake_put(struct fake *f, uint64_t ts, uint32_t flags)
{
	struct weir_hdr h = {.ts = ts, .kind = 1, .cpu = 1, .len = sizeof(h)};
	uint64_t pos = *f->tail, at = pos & (RING - 1);

	assert_true(at + 8 + sizeof(h) <= RING);
	memcpy(f->data + at + 8, &h, sizeof(h));
	memcpy(f->data + at + 8 + RING, &h, sizeof(h));
	fake_word(f, pos, sizeof(h) | flags);
	__atomic_store_n(f->tail, pos + 8 + sizeof(h), __ATOMIC_RELEASE);
	return pos;
}

static void fake_submit(struct fake *f, uint64_t pos)
{
	fake_word(f, pos, sizeof(struct weir_hdr));
}

/* As a BPF program does it: reserve, then read the clock, then submit. */
static void fake_now(struct fake *f)
{
	uint64_t pos = fake_put(f, 0, BUSY), at = pos & (RING - 1), ts;

	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	ts = clock_now();
	memcpy(f->data + at + 8, &ts, sizeof(ts));
	memcpy(f->data + at + 8 + RING, &ts, sizeof(ts));
	fake_submit(f, pos);
}

static int set_up_with(void **state, size_t main_bytes, int keep)
{
	struct fixture *x = calloc(1, sizeof(*x));
	struct aggregator_options o = {.cpus = CPUS};
	struct source_ring ring = {.bytes = RING};
	unsigned i;

	x->notify = eventfd(0, EFD_NONBLOCK);
	assert_int_equal(ring_new_pair(&x->main_p, &x->main_c, main_bytes, 0),
			 0);
	o.main = x->main_p;
	o.notify_fd = x->notify;
	o.rows = x->rows;
	assert_int_equal(aggregator_new(&x->a, &o), 0);
	for (i = 0; i < SOURCES; i++) {
		fake_open(&x->ring[i]);
		ring.fd = x->ring[i].fd;
		ring.source = i;
		ring.keep = (int)i == keep;
		assert_int_equal(aggregator_add(x->a, &ring), 0);
	}
	x->base = clock_now() - LATER_NS;
	*state = x;
	return 0;
}

static int set_up(void **state)
{
	return set_up_with(state, 1 << 20, -1);
}

static int set_up_small(void **state)
{
	return set_up_with(state, 4096, 2);
}

static int tear_down(void **state)
{
	struct fixture *x = *state;
	unsigned i;

	aggregator_stop(x->a);
	aggregator_free(x->a);
	ring_producer_close(x->main_p);
	ring_consumer_close(x->main_c);
	for (i = 0; i < SOURCES; i++)
		fake_close(&x->ring[i]);
	close(x->notify);
	free(x);
	return 0;
}

/* Next event, or NULL when none comes in @patience. Valid until the next. */
static const struct weir_hdr *next(struct fixture *x, uint64_t patience)
{
	static struct weir_hdr h;
	struct ring_record rec = {0};
	uint64_t end = clock_now() + patience;

	while (ring_read(x->main_c, &h, sizeof(h), &rec) != RING_OK) {
		if (clock_now() > end)
			return NULL;
		clock_sleep(NS_PER_MS);
	}
	return &h;
}

static void expect(struct fixture *x, uint64_t ts, unsigned flags)
{
	const struct weir_hdr *h = next(x, PATIENCE_NS);

	assert_non_null(h);
	assert_int_equal(h->ts - x->base, ts);
	assert_int_equal(h->flags, flags);
}

static void put(struct fixture *x, unsigned ring, uint64_t ts)
{
	fake_put(&x->ring[ring], x->base + ts, 0);
}

static void passes_on_in_time_order(void **state)
{
	struct fixture *x = *state;

	put(x, 0, 10);
	put(x, 0, 40);
	put(x, 0, 30); /* an inversion within a ring */
	put(x, 1, 20);
	put(x, 1, 50);
	put(x, 2, 5);
	aggregator_start(x->a);
	expect(x, 5, 0);
	expect(x, 10, 0);
	expect(x, 20, 0);
	expect(x, 30, 0);
	expect(x, 40, 0);
	expect(x, 50, 0);
	assert_int_equal(x->rows[0 * (CPUS + 1) + 1].delivered, 3);
	assert_int_equal(x->rows[2 * (CPUS + 1) + 1].delivered, 1);
}

static void skips_discarded_and_counts_malformed(void **state)
{
	struct fixture *x = *state;
	struct aggregator_stats st;
	uint64_t pos;

	fake_put(&x->ring[0], x->base + 1, DISCARD);
	pos = fake_put(&x->ring[0], x->base + 2, 0);
	x->ring[0].data[(pos & (RING - 1)) + 8 + 12] = 255; /* h.len */
	put(x, 0, 3);
	aggregator_start(x->a);
	expect(x, 3, 0);
	aggregator_stats(x->a, &st);
	assert_int_equal(st.malformed, 1);
}

static void frees_what_it_has_passed_on(void **state)
{
	struct fixture *x = *state;
	int i;

	aggregator_start(x->a);
	for (i = 0; i < 100; i++)
		put(x, 0, (uint64_t)i);
	for (i = 0; i < 100; i++)
		expect(x, (uint64_t)i, 0);
	aggregator_stop(x->a);
	assert_int_equal(*x->ring[0].head, *x->ring[0].tail);
}

/* What came after a record that is being written waits for it. */
static void holds_back_for_a_busy_record(void **state)
{
	struct fixture *x = *state;
	uint64_t pos;

	pos = fake_put(&x->ring[0], x->base + 10, BUSY);
	put(x, 1, 20);
	aggregator_start(x->a);
	assert_null(next(x, 20 * NS_PER_MS));
	fake_submit(&x->ring[0], pos);
	expect(x, 10, 0);
	expect(x, 20, 0);
}

/* A stalled writer holds up nobody for ever; its event is marked. */
static void flags_what_passes_a_stalled_writer(void **state)
{
	struct fixture *x = *state;
	struct aggregator_stats st;
	uint64_t pos;

	pos = fake_put(&x->ring[0], x->base + 10, BUSY);
	put(x, 1, 20);
	aggregator_start(x->a);
	expect(x, 20, WEIR_F_STALLED);
	fake_submit(&x->ring[0], pos);
	expect(x, 10, WEIR_F_LATE);
	put(x, 1, 30);
	expect(x, 30, 0);
	aggregator_stats(x->a, &st);
	assert_int_equal(st.stalls, 1);
	assert_int_equal(st.late, 1);
	assert_int_equal(x->rows[1].late, 1);
}

/* A full main ring is waited for; nothing is lost while only it is full. */
static void waits_for_a_full_main_ring(void **state)
{
	struct fixture *x = *state;
	struct aggregator_stats st;
	int i;

	for (i = 0; i < 500; i++) /* 16 KiB into a ring of 4 */
		put(x, 0, (uint64_t)i);
	aggregator_start(x->a);
	clock_sleep(50 * NS_PER_MS);
	for (i = 0; i < 500; i++)
		expect(x, (uint64_t)i, 0);
	aggregator_stats(x->a, &st);
	assert_true(st.waits > 0);
	assert_int_equal(x->rows[1].lost_main, 0);
}

/* When a source that must not lose is in danger, others make way, counted. */
static void sacrifices_others_for_a_keeper(void **state)
{
	struct fixture *x = *state;
	uint64_t first, last, seen = 0, kept = 0, i;
	const struct weir_hdr *h;

	for (i = 0; i < 1000; i++)
		put(x, 0, i);
	for (i = 0; i < 1500; i++) /* 48 of 64 KiB */
		put(x, 2, 10000 + i);
	aggregator_start(x->a);
	clock_sleep(50 * NS_PER_MS);
	while ((h = next(x, 100 * NS_PER_MS))) {
		if (h->ts - x->base >= 10000)
			kept++;
		else
			seen++;
	}
	assert_int_equal(kept, 1500);
	assert_true(x->rows[1].lost_main > 0);
	assert_int_equal(seen + x->rows[1].lost_main, 1000);
	assert_int_equal(x->rows[1].delivered, 1000);
	aggregator_lost_span(x->a, 1, &first, &last);
	assert_true(first >= x->base && last < x->base + 1000);
}

/* A user-space producer's stamp is moved up, never behind what has passed. */
static void moves_user_events_up_to_the_watermark(void **state)
{
	struct fixture *x = *state;
	struct weir_hdr h = {.kind = 1, .cpu = 0, .len = sizeof(h)};
	struct ring_producer *p;
	struct ring_consumer *c;

	ring_new_pair(&p, &c, 65536, 0);
	assert_int_equal(aggregator_add_user(x->a, c, 1), 0);
	put(x, 0, 100);
	aggregator_start(x->a);
	expect(x, 100, 0);
	h.ts = x->base + 50;
	ring_write(p, 1, &h, sizeof(h));
	expect(x, 100, 0);
	aggregator_stop(x->a);
	ring_producer_close(p);
	ring_consumer_close(c);
}

/* Random stamps over three rings while it runs: one order, none missing. */
static void keeps_one_order_under_load(void **state)
{
	struct fixture *x = *state;
	uint64_t n[SOURCES] = {0}, got = 0, previous = 0, put_count = 0;
	const struct weir_hdr *h;
	unsigned r;

	aggregator_start(x->a);
	srandom(1);
	while (put_count < 20000) {
		r = (unsigned)random() % SOURCES;
		if (*x->ring[r].tail -
			    __atomic_load_n(x->ring[r].head, __ATOMIC_ACQUIRE) >
		    RING - 4096)
			continue;
		fake_now(&x->ring[r]);
		n[r]++;
		put_count++;
		for (; put_count % 500 == 0 && got < put_count; got++) {
			h = next(x, PATIENCE_NS);
			assert_non_null(h);
			assert_true(h->ts >= previous);
			assert_int_equal(h->flags, 0);
			previous = h->ts;
		}
	}
	assert_int_equal(got, n[0] + n[1] + n[2]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
#define TEST_SMALL(name)                                                       \
	cmocka_unit_test_setup_teardown(name, set_up_small, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(passes_on_in_time_order),
		TEST(skips_discarded_and_counts_malformed),
		TEST(frees_what_it_has_passed_on),
		TEST(holds_back_for_a_busy_record),
		TEST(flags_what_passes_a_stalled_writer),
		TEST_SMALL(waits_for_a_full_main_ring),
		TEST_SMALL(sacrifices_others_for_a_keeper),
		TEST(moves_user_events_up_to_the_watermark),
		TEST(keeps_one_order_under_load),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
