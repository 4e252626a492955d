// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_stress.c - two threads on one ring, every record checked to the byte.
 *
 * Built plain and with ThreadSanitizer. Both threads use one mapping, without
 * which TSan sees two unrelated addresses and nothing to complain about. In
 * refuse mode payloads are copied plainly, so that each is race-checked; in
 * overwrite mode, where the copies race by design, by relaxed words
 * (RING_TSAN), and what a snapshot holds is checked instead.
 */
#include "ring_check.h"
#include "ring_records.h"

#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <sys/uio.h>

#ifdef RING_TSAN
#define RECORDS 100000ull
#else
#define RECORDS 1500000ull
#endif

#define SPINS 64 /* tries before the core is given up */

/* --- refuse mode --------------------------------------------------------- */

/* How the two sides go about it; the ring must not care. */
struct style {
	const char *name;
	uint64_t hold;	 /* ring_hold(), 0: leave the default */
	uint64_t gather; /* ring_wait() for so many bytes, 0: chase */
	bool reserve;	 /* fill in place, shrinking at commit */
	bool peek;	 /* check in place, giving back in batches */
	bool drop;	 /* do not try again when refused */
};

static const struct style styles[] = {
	{.name = "write, read, chase"},
	{.name = "reserve, peek, chase", .reserve = true, .peek = true},
	{.name = "write, peek, batches", .peek = true, .hold = UINT64_MAX},
	{.name = "reserve, read, gather", .reserve = true, .gather = 65536},
	{.name = "write, read, drop", .gather = 4096, .drop = true},
};

struct job {
	const struct style *style;
	struct ring_producer *p;
	struct ring_consumer *c;
	uint64_t records;
	uint64_t refused;
};

static int write_in_place(struct ring_producer *p, uint64_t seq)
{
	size_t len = nth_len(seq, ring_max(p));
	unsigned char *at = ring_reserve(p, (uint16_t)seq, ring_max(p));

	/* ask for the longest; what is left over near the end is no reason */
	if (!at)
		at = ring_reserve(p, (uint16_t)seq, len);
	if (!at)
		return RING_FULL;
	nth_fill(at, len, seq);
	ring_commit(p, len);
	return RING_OK;
}

static void *produce(void *arg)
{
	struct job *j = arg;
	uint64_t seq = 0;
	int r;

	for (uint64_t tries = 0; seq < j->records; tries++) {
		r = j->style->reserve ? write_in_place(j->p, seq)
				      : nth_write(j->p, seq);
		check(r == RING_OK || r == RING_FULL);
		seq += r == RING_OK;
		j->refused += r == RING_FULL;
		if (r == RING_FULL && (j->style->drop || tries % SPINS == 0))
			sched_yield();
	}
	ring_producer_close(j->p);
	return NULL;
}

static int read_one(struct job *j, uint64_t seq)
{
	unsigned char buf[NTH_MAX];
	struct ring_record rec;
	int r = j->style->peek ? ring_peek(j->c, &rec)
			       : ring_read(j->c, buf, sizeof(buf), &rec);

	if (r == RING_OK)
		check(nth_ok(&rec, seq, j->c->max));
	if (r == RING_OK && j->style->peek)
		ring_next(j->c);
	return r;
}

/* Nothing to read: wait as the style has it. Is more to come? */
static bool wait_more(struct job *j, uint64_t idle)
{
	int r;

	if (j->style->gather) {
		r = ring_wait(j->c, j->style->gather, 50 * MS);
	} else {
		ring_release(j->c);
		if (idle % SPINS == 0)
			sched_yield();
		r = ring_poll(j->c, 1);
	}
	check(r != RING_CORRUPT);
	return r != RING_PEER_DEAD || ring_avail(j->c);
}

static uint64_t consume(struct job *j)
{
	uint64_t seq = 0, idle = 0;
	int r;

	if (j->style->hold)
		ring_hold(j->c, j->style->hold);
	do {
		while ((r = read_one(j, seq)) == RING_OK)
			seq++;
		check(r == RING_EMPTY);
	} while (wait_more(j, idle++));
	return seq;
}

static void refuse(const struct style *style, size_t size, uint64_t records)
{
	struct job j = {.style = style, .records = records};
	struct ring_stats st;
	pthread_t t;

	check(!ring_new_pair(&j.p, &j.c, size, 0));
	check(!pthread_create(&t, NULL, produce, &j));
	check(consume(&j) == records);
	check(!pthread_join(t, NULL));
	ring_consumer_stats(j.c, &st);
	check(st.records == records && st.used == 0 && st.toobig == 0);
	check(style->reserve || st.full == j.refused);
	ring_consumer_close(j.c);
	printf("%-22s %8zu B  %" PRIu64 " records, %" PRIu64 " refused\n",
	       style->name, size, records, st.full);
}

/* --- overwrite mode ------------------------------------------------------ */

struct window_job {
	struct ring_producer *p;
	uint64_t records;
	unsigned int pause; /* records between giving up the core, 0: never */
	uint64_t written;   /* atomic */
};

/* 8 bytes of number before the record, since snapshots begin anywhere. */
static void write_numbered(struct ring_producer *p, uint64_t seq)
{
	size_t len = nth_len(seq, ring_max(p) - sizeof(seq));
	unsigned char buf[NTH_MAX];
	struct iovec iov[] = {{&seq, sizeof(seq)}, {buf, len}};

	nth_fill(buf, len, seq);
	check(ring_writev(p, (uint16_t)seq, iov, 2) == RING_OK);
}

static void *overwrite(void *arg)
{
	struct window_job *j = arg;

	for (uint64_t seq = 0; seq < j->records; seq++) {
		write_numbered(j->p, seq);
		__atomic_store_n(&j->written, seq + 1, __ATOMIC_RELEASE);
		if (j->pause && seq % j->pause == 0)
			sched_yield();
	}
	return NULL;
}

/* The records of a snapshot in sequence; returns the number after the last. */
static uint64_t check_run(const unsigned char *buf, size_t len, size_t max)
{
	struct ring_record rec, body;
	uint64_t seq, next = 0;
	size_t off = 0;
	int r;

	while ((r = ring_parse(buf, len, &off, &rec)) == RING_OK) {
		check(rec.len >= sizeof(seq));
		memcpy(&seq, rec.data, sizeof(seq));
		check(!next || seq == next);
		next = seq + 1;
		body = rec;
		body.data = (const unsigned char *)rec.data + sizeof(seq);
		body.len = rec.len - sizeof(seq);
		check(nth_ok(&body, seq, max - sizeof(seq)));
	}
	check(r == RING_EMPTY);
	return next;
}

struct tally {
	uint64_t snapshots, empty, torn, records;
	uint64_t kept, there; /* bytes */
};

/* Take one; it must reach up to what was written before, @size bytes back. */
static void take(const struct ring_observer *o, struct window_job *j,
		 unsigned char *buf, struct tally *t)
{
	uint64_t before = __atomic_load_n(&j->written, __ATOMIC_ACQUIRE);
	struct ring_snapshot_info info;
	uint64_t next;
	int r = ring_snapshot(o, buf, o->mask + 1, &info);

	check(r == RING_OK || r == RING_EMPTY);
	next = check_run(buf, info.end - info.first, o->max);
	check(r == RING_EMPTY || next >= before);
	t->snapshots++;
	t->empty += r == RING_EMPTY;
	t->torn += info.torn_blocks;
	t->records += info.records;
	t->kept += info.end - info.first;
	t->there += info.end <= o->mask ? info.end : o->mask + 1;
}

static void window(size_t size, uint64_t records, unsigned int pause)
{
	struct window_job j = {.records = records, .pause = pause};
	unsigned char *buf = malloc(size);
	struct tally all = {0}, last = {0};
	struct ring_observer *o;
	pthread_t t;

	check(buf && !ring_new_window(&j.p, &o, size, 0));
	check(!pthread_create(&t, NULL, overwrite, &j));
	while (!__atomic_load_n(&j.written, __ATOMIC_RELAXED))
		sched_yield();
	while (__atomic_load_n(&j.written, __ATOMIC_RELAXED) < records)
		take(o, &j, buf, &all);
	check(!pthread_join(t, NULL));
	take(o, &j, buf, &last);
	check(last.records && last.torn == 0 && last.kept > size / 2);
	ring_producer_close(j.p);
	ring_observer_close(o);
	free(buf);
	printf("overwrite, pause %-5u %8zu B  %" PRIu64 " records, %" PRIu64
	       " snapshots, %" PRIu64 " %% kept, %" PRIu64 " empty, %" PRIu64
	       " torn\n",
	       pause, size, records, all.snapshots,
	       all.kept * 100 / (all.there + 1), all.empty, all.torn);
}

int main(void)
{
	for (size_t i = 0; i < sizeof(styles) / sizeof(styles[0]); i++) {
		/* a nap for every few records */
		refuse(&styles[i], 64, RECORDS / (styles[i].gather ? 50 : 4));
		refuse(&styles[i], 4096, RECORDS / 2);
		refuse(&styles[i], 1 << 20, RECORDS);
	}
	window(1024, RECORDS / 2, 0);
	window(1 << 16, RECORDS, 0);
	window(1 << 16, RECORDS / 2, 100);
	window(1 << 20, RECORDS, 0);
	window(1 << 20, RECORDS / 2, 1000);
	return 0;
}
