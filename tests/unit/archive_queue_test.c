// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_queue_test.c - between who takes events and the thread that writes
 * them: order, bounds, and that nobody waits. `make test-tsan` runs it, too.
 */
#include "store_place.h"

#include <pthread.h>

#include "../../user/archive_queue.h"

#define PARCELS	    20000 /* through a queue */
#define PACKERS	    3
#define FLOOD_BYTES (8ULL << 30)
#define LARGE	    8192 /* bytes of a record of the flood */
#define NOISE	    (8U << 20)
#define CALL_EVERY  64 /* records of the flood one is a small one */

/* ---- the queue ----------------------------------------------------------- */

/* What a packer does to a parcel here: numbers it, in its own way. */
struct packer {
	struct archive_queue *q;
	unsigned i;
};

static void *hand_on(void *arg)
{
	struct packer *k = arg;
	struct parcel *p;

	while ((p = archive_queue_unpacked(k->q, k->i))) {
		p->packed.len = p->segment_bytes;
		archive_queue_packed(k->q, k->i, p);
	}
	return NULL;
}

/* Checks that parcels come in the order of their numbers, and counts. */
static void *take_all(void *arg)
{
	struct archive_queue *q = arg;
	uint64_t *seen = calloc(1, sizeof(*seen));
	enum parcel_job job;
	struct parcel *p;

	do {
		p = archive_queue_take(q);
		job = p->job;
		if (p->segment_bytes == *seen && p->packed.len == *seen)
			++*seen;
		p->error = (int)(p->segment_bytes % 7);
		archive_queue_return(q, p);
	} while (job != PARCEL_END);
	return seen;
}

static struct parcel *next_parcel(struct archive_queue *q, uint64_t *back)
{
	struct parcel *p;

	while (!(p = archive_queue_spare(q))) {
		p = archive_queue_back(q, true);
		assert_int_equal(p->segment_bytes, *back);
		assert_int_equal(p->error, *back % 7);
		++*back;
		archive_queue_keep(q, p);
	}
	return p;
}

static void parcels_keep_their_order_both_ways(void **state)
{
	uint64_t i, back = 0, *seen;
	struct packer packer[PACKERS];
	pthread_t thread, packers[PACKERS];
	struct archive_queue *q;
	struct parcel *p;
	void *ret;

	(void)state;
	assert_int_equal(archive_queue_new(&q, PACKERS), 0);
	assert_int_equal(pthread_create(&thread, NULL, take_all, q), 0);
	for (i = 0; i < PACKERS; i++) {
		packer[i] = (struct packer){q, (unsigned)i};
		assert_int_equal(
			pthread_create(&packers[i], NULL, hand_on, &packer[i]),
			0);
	}
	for (i = 0; i < PARCELS; i++) {
		p = next_parcel(q, &back);
		p->job = i + 1 < PARCELS ? PARCEL_EVENTS : PARCEL_END;
		p->segment_bytes = i;
		archive_queue_send(q, p);
	}
	while ((p = archive_queue_back(q, true))) {
		assert_int_equal(p->segment_bytes, back);
		back++;
		archive_queue_keep(q, p);
	}
	assert_int_equal(pthread_join(thread, &ret), 0);
	seen = ret;
	archive_queue_end(q);
	for (i = 0; i < PACKERS; i++)
		assert_int_equal(pthread_join(packers[i], NULL), 0);
	assert_int_equal(back, PARCELS);
	assert_int_equal(*seen, PARCELS);
	assert_int_equal(archive_queue_spares(q), ARCHIVE_QUEUED + PACKERS);
	free(seen);
	archive_queue_free(q);
}

static void there_are_so_many_parcels_and_no_more(void **state)
{
	struct parcel *p[ARCHIVE_QUEUED + 1];
	struct archive_queue *q;
	unsigned i;

	(void)state;
	assert_int_equal(archive_queue_new(&q, 1), 0);
	for (i = 0; i < ARCHIVE_QUEUED + 1; i++) {
		p[i] = archive_queue_spare(q);
		assert_non_null(p[i]);
		archive_queue_send(q, p[i]);
	}
	assert_null(archive_queue_spare(q));
	assert_null(archive_queue_back(q, false));
	assert_ptr_equal(archive_queue_unpacked(q, 0), p[0]);
	assert_int_equal(archive_queue_waiting(q), ARCHIVE_QUEUED);
	assert_int_equal(archive_queue_away(q), ARCHIVE_QUEUED + 1);
	archive_queue_packed(q, 0, p[0]);
	assert_ptr_equal(archive_queue_take(q), p[0]);
	archive_queue_return(q, p[0]);
	assert_ptr_equal(archive_queue_back(q, false), p[0]);
	archive_queue_keep(q, p[0]);
	assert_ptr_equal(archive_queue_spare(q), p[0]);
	archive_queue_free(q);
}

/* ---- the writer ---------------------------------------------------------- */

/* Each is another piece of what is more than a block, at random. */
static void make_large(struct store_record *r)
{
	static uint8_t noise[NOISE];
	size_t at;

	for (at = noise[NOISE - 1] ? NOISE : 0; at < NOISE; at++)
		noise[at] = (uint8_t)(store_random(&store.seed) | 1);
	store_begin(r, EV_TASK_EXEC, ++store.ts, 0, LARGE);
	at = store.appended * LARGE % NOISE;
	memcpy(r->data + 64, noise + at, LARGE - 64);
}

/* What cannot be packed, as fast as it can be copied. Return: refused calls. */
static unsigned flood(unsigned segments)
{
	struct archive_stats stats = {0};
	struct store_record r;
	uint64_t bytes = 0;
	unsigned refused = 0;
	int err;

	while (bytes < FLOOD_BYTES &&
	       (refused < 3 || !stats.hurried || stats.segments < segments)) {
		if (store.appended % CALL_EVERY)
			make_large(&r);
		else
			store_begin(&r, EV_SYSCALL_DONE, ++store.ts, 0, 64);
		err = store_append(&store, &r);
		assert_true(!err || err == -ENOBUFS);
		refused += err != 0;
		bytes += LARGE;
		archive_writer_stats(store.writer, &stats);
		assert_true(stats.waiting <
			    ARCHIVE_QUEUED + (store.packers ?: 1));
	}
	assert_true(stats.hurried > 0);
	return refused;
}

static void who_outruns_it_loses_what_is_counted(unsigned packers)
{
	struct verify_report v;
	struct store_read r;

	store.packers = packers;
	store.state_records = 3;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_true(flood(1) >= 3);
	archive_flush(store.writer);
	archive_lost(store.writer, store_told, &store);
	assert_int_equal(archive_tick(store.writer, clock_now()), 0);
	assert_true(store.lost > 0 && store.lost < store.appended);
	assert_int_equal(store_close(&store), 0);
	r = store_read(path);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.events + store.lost, store.appended);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.lost, store.lost);
	/* the state stands again behind the losses */
	assert_true(store.states > 1);
}

static void who_outruns_the_thread_loses_what_is_counted(void **state)
{
	(void)state;
	who_outruns_it_loses_what_is_counted(1);
}

static void who_outruns_several_that_pack_does_too(void **state)
{
	(void)state;
	who_outruns_it_loses_what_is_counted(PACKERS);
}

static void several_that_pack_keep_the_order(void **state)
{
	struct store_read r;

	(void)state;
	store.packers = PACKERS;
	assert_int_equal(store_open(&store, path, false, 1 << 20), 0);
	assert_int_equal(store_fill(&store, 400000), 0);
	assert_int_equal(store_close(&store), 0);
	r = store_read(path);
	assert_int_equal(r.err, 0);
	assert_int_equal(r.events, store.appended);
	assert_int_equal(r.hash, store.hash);
}

static void what_is_vital_stays(void **state)
{
	const struct account_row *calls = store_row(&store, "syscall", 0);
	struct verify_report v;
	struct store_read r;

	(void)state;
	store.vital[EV_SYSCALL_DONE] = true;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_true(flood(1) >= 3);
	archive_flush(store.writer);
	archive_lost(store.writer, store_told, &store);
	assert_int_equal(store_close(&store), 0);
	assert_true(store.lost > 0);
	assert_int_equal(calls->lost_archive, 0);
	assert_int_equal(calls->kept,
			 (store.appended + CALL_EVERY - 1) / CALL_EVERY);
	r = store_read(path);
	assert_int_equal(r.events + store.lost, store.appended);
	assert_int_equal(store_verify(path, &v), 0);
}

/* Nobody fetches what was lost: the account that is written knows of it. */
static void losses_nobody_was_told_of_are_in_the_account(void **state)
{
	struct verify_report v;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 0), 0);
	assert_true(flood(1) >= 3);
	store_close(&store);
	assert_int_equal(store_verify(path, &v), 0);
	assert_true(v.lost > 0);
	assert_int_equal(v.events + v.lost, store.appended);
}

static void segments_end_in_a_flood_as_well(void **state)
{
	struct verify_report v;
	struct store_read r;

	(void)state;
	assert_int_equal(store_open(&store, path, false, 8 << 20), 0);
	flood(4);
	archive_flush(store.writer);
	archive_lost(store.writer, store_told, &store);
	assert_int_equal(store_close(&store), 0);
	r = store_read(path);
	assert_int_equal(r.events + store.lost, store.appended);
	assert_true(r.info.segments >= 4);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unaccounted, 0);
}

#define T(test)                                                                \
	cmocka_unit_test_setup_teardown(test, place_set_up, place_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(parcels_keep_their_order_both_ways),
		T(there_are_so_many_parcels_and_no_more),
		T(who_outruns_the_thread_loses_what_is_counted),
		T(who_outruns_several_that_pack_does_too),
		T(several_that_pack_keep_the_order),
		T(what_is_vital_stays),
		T(losses_nobody_was_told_of_are_in_the_account),
		T(segments_end_in_a_flood_as_well),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
