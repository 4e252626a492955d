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

#include <errno.h>
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

/* The rest of the ring is one record that was given up. */
static void fake_wrap(struct fake *f)
{
	uint64_t pos = *f->tail, left = RING - (pos & (RING - 1));

	fake_word(f, pos, (uint32_t)(left - 8) | DISCARD);
	__atomic_store_n(f->tail, pos + left, __ATOMIC_RELEASE);
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

/* An aggregator of the rings there are. */
static void begin(struct fixture *x, size_t main_bytes, int keep, bool holds)
{
	struct aggregator_options o = {.cpus = CPUS, .holds = holds};
	struct source_ring ring = {0};
	unsigned i;

	assert_int_equal(ring_new_pair(&x->main_p, &x->main_c, main_bytes, 0),
			 0);
	o.main = x->main_p;
	o.notify_fd = x->notify;
	o.rows = x->rows;
	assert_int_equal(aggregator_new(&x->a, &o), 0);
	for (i = 0; i < SOURCES; i++) {
		ring.at = kring_of_map(x->ring[i].fd, RING);
		ring.source = i;
		ring.keep = (int)i == keep;
		assert_int_equal(aggregator_add(x->a, &ring), 0);
	}
}

static int set_up_with(void **state, size_t main_bytes, int keep)
{
	struct fixture *x = calloc(1, sizeof(*x));
	unsigned i;

	x->notify = eventfd(0, EFD_NONBLOCK);
	for (i = 0; i < SOURCES; i++)
		fake_open(&x->ring[i]);
	begin(x, main_bytes, keep, false);
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

static void end(struct fixture *x)
{
	aggregator_stop(x->a);
	aggregator_free(x->a);
	ring_producer_close(x->main_p);
	ring_consumer_close(x->main_c);
}

static int tear_down(void **state)
{
	struct fixture *x = *state;
	unsigned i;

	end(x);
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

/* ---- one after the other --------------------------------------------------
 */

#define LIVES	 40
#define EACH	 900 /* records put while one lives */
#define AHEAD_NS (10 * NS_PER_MS)

/* What one of them passed on, and what is in the archive of that. */
struct life {
	unsigned seen[LIVES * EACH]; /* how often, since the last mark */
	uint64_t mark;
	struct buf rings;
	unsigned above; /* records passed on though one below was not */
};

static unsigned total[LIVES * EACH];
static bool was_put[LIVES * EACH];

/* Some stamps lie ahead: what comes after them is passed on before. */
static void put_some(struct fixture *x, unsigned from, unsigned n,
		     uint64_t *seed)
{
	struct fake *f;
	unsigned i, r;
	uint64_t pos, at, ts;

	for (i = from; i < from + n; i++) {
		*seed = *seed * 6364136223846793005ULL + 1;
		r = (unsigned)(*seed >> 40);
		f = &x->ring[r % SOURCES];
		ts = r % 29 ? clock_now() - AHEAD_NS : clock_now() + AHEAD_NS;
		if (*f->tail - *f->head > RING - PAGE)
			continue;
		was_put[i] = true;
		if ((*f->tail & (RING - 1)) + PAGE > RING)
			fake_wrap(f);
		pos = fake_put(f, ts, BUSY);
		at = pos & (RING - 1);
		memcpy(f->data + at + 8 + 16, &i, sizeof(i)); /* h.pid */
		memcpy(f->data + at + 8 + RING + 16, &i, sizeof(i));
		fake_submit(f, pos);
	}
}

/* Everything up to this mark is written. */
static void settle(struct fixture *x, struct life *l, const void *record)
{
	const struct aggregator_mark *m = aggregator_mark(x->a, record);
	unsigned i;

	l->mark = m->number;
	buf_reset(&l->rings);
	buf_put(&l->rings, m->rings.data, m->rings.len);
	for (i = 0; i < LIVES * EACH; i++)
		total[i] += l->seen[i];
	memset(l->seen, 0, sizeof(l->seen));
	aggregator_settle(x->a, m->number, m->number);
}

/* Take what comes, until nothing does for a while, or long enough. */
static void live(struct fixture *x, struct life *l, uint64_t ns)
{
	_Alignas(8) uint8_t bytes[64];
	struct ring_record rec = {0};
	const struct weir_hdr *h = (const void *)bytes;
	uint64_t until = clock_now() + ns;

	while (clock_now() < until) {
		if (ring_read(x->main_c, bytes, sizeof(bytes), &rec) !=
		    RING_OK) {
			ring_release(x->main_c);
			clock_sleep(NS_PER_MS / 4);
			continue;
		}
		if (rec.type == AGGREGATOR_MARK)
			settle(x, l, bytes);
		else
			l->seen[h->pid]++;
	}
}

static int resume(struct fixture *x, struct life *l)
{
	struct resume at = {0};
	struct buf b = {0};
	uint32_t i;
	int err;

	buf_put(&b, l->rings.data, l->rings.len);
	resume_put_told(&b, NULL, 0);
	err = resume_parse(&at, b.data, b.len);
	assert_int_equal(err, 0);
	for (i = 0; i < at.rings; i++)
		l->above += at.ring[i].count;
	err = aggregator_resume(x->a, &at);
	resume_done(&at);
	buf_done(&b);
	return err;
}

/* However far each came: what marks tell of was passed on once, all of it. */
static void loses_and_doubles_nothing_over_many_lives(void **state)
{
	struct fixture *x = *state;
	struct life *l = calloc(1, sizeof(*l));
	unsigned i, put = 0, lost = 0, doubled = 0;
	uint64_t seed = 7;

	memset(total, 0, sizeof(total));
	for (i = 0; i < LIVES; i++) {
		end(x);
		memset(l->seen, 0, sizeof(l->seen));
		begin(x, 1 << 20, -1, true);
		if (l->mark)
			assert_int_equal(resume(x, l), 0);
		aggregator_start(x->a);
		put_some(x, i * EACH, EACH / 2, &seed);
		live(x, l, (i % 8 + 1) * 3 * NS_PER_MS);
		put_some(x, i * EACH + EACH / 2, EACH / 2, &seed);
		live(x, l, (i % 16 + 1) * 3 * NS_PER_MS);
	}
	live(x, l, 3 * NS_PER_S / 2);
	for (i = 0; i < LIVES * EACH; i++) {
		put += was_put[i];
		lost += was_put[i] && !total[i];
		doubled += total[i] > 1;
	}
	print_message("%u passed on, %u above a mark\n", put, l->above);
	assert_int_equal(doubled, 0);
	assert_int_equal(lost, 0);
	assert_true(put > LIVES * EACH / 2);
	assert_true(l->above > 0);
	buf_done(&l->rings);
	free(l);
}

/* Positions from a file may be anything. */
static void positions_that_cannot_be_are_refused(void **state)
{
	struct fixture *x = *state;
	struct life *l = calloc(1, sizeof(*l));
	struct resume_ring r;
	uint64_t above;
	unsigned i, j;
	bool sound;

	for (i = 0; i < 3 * 81; i++) {
		end(x);
		begin(x, 1 << 20, -1, true);
		if (!i)
			put(x, 0, 10);
		if (!i)
			put(x, 0, 20);
		above = i / 3 + 31 + i % 3;
		r = (struct resume_ring){i / 3, &above, i % 3 > 0};
		sound = (i / 3 == 0 || i / 3 == 32 || i / 3 == 64) &&
			(!r.count || above == 32);
		buf_reset(&l->rings);
		resume_put_begin(&l->rings, 0, SOURCES);
		for (j = 0; j < SOURCES; j++) {
			resume_put_ring(&l->rings, &r);
			r = (struct resume_ring){0};
		}
		assert_int_equal(resume(x, l), sound ? 0 : -EBADMSG);
	}
	buf_done(&l->rings);
	free(l);
}

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
		TEST(loses_and_doubles_nothing_over_many_lives),
		TEST(positions_that_cannot_be_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
