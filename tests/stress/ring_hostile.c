// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_hostile.c - one side works as it should, the other forges everything it
 * can reach while it does.
 *
 * The forger has mapped the whole file writable, as a hostile peer would. It
 * scribbles over indices, headers, notes, payloads and the identity page, with
 * values that are wild, nearly right, or right. The victim must stay within
 * its memory (ASan, UBSan, guard pages), return from every call, and hand out
 * no record that is not wholly inside the ring. That it also gets something
 * done, and notices something, shows that the forgeries are not all refused
 * at the first check.
 */
#include "ring_check.h"
#include "ring_records.h"

#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define RING_BYTES   4096u
#define WINDOW_BYTES (1u << 16) /* pages do not round its bounds up */
#define ROUND_NS     (1500 * MS)
#define HANG_S	     120 /* SIGALRM kills what does not end */

struct shared {
	int fd;
	size_t len;
	unsigned char *base; /* the forger's mapping */
	struct ring_rx *rx;
	struct ring_tx *tx;
	unsigned char *data;
	const struct ring_producer *victim;
	bool stop; /* atomic */
};

static struct shared shared_new(size_t size, unsigned int flags)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct shared s = {0};
	struct stat st;

	check(!ring_create(&s.fd, size, flags));
	check(!fstat(s.fd, &st));
	s.len = (size_t)st.st_size;
	s.base = mmap(NULL, s.len, PROT_READ | PROT_WRITE, MAP_SHARED, s.fd, 0);
	check(s.base != MAP_FAILED);
	s.rx = (void *)(s.base + page);
	s.tx = (void *)(s.base + 2 * page);
	s.data = s.base + 3 * page;
	return s;
}

static void shared_close(struct shared *s)
{
	munmap(s->base, s->len);
	close(s->fd);
}

static uint64_t now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (uint64_t)ts.tv_sec * 1000000000u + (uint64_t)ts.tv_nsec;
}

/* --- forging ------------------------------------------------------------- */

/* Something near @near, or far, or at an edge. */
static uint64_t lie(uint64_t *x, uint64_t near)
{
	switch (rnd(x) % 8) {
	case 0:
		return rnd(x);
	case 1:
		return UINT64_MAX - rnd(x) % 64;
	case 2:
		return rnd(x) % (2 * RING_BYTES);
	case 3:
		return near - rnd(x) % (RING_BYTES + 64);
	default:
		return near + rnd(x) % 64 * 8;
	}
}

/* A header that is mostly fine, or too long, too long by one, or nonsense. */
static uint64_t lie_header(uint64_t *x)
{
	switch (rnd(x) % 128) {
	case 0:
		return rnd(x);
	case 1:
		return RING_BYTES / 8 + rnd(x) % 2;
	case 2:
		return UINT32_MAX - rnd(x) % 16;
	case 3:
		return rnd(x) % 64;
	default:
		return 0;
	}
}

static void poke(ring_word *w, uint64_t v)
{
	__atomic_store_n(w, v, __ATOMIC_RELAXED);
}

static void forge_producer(struct shared *s, uint64_t *x)
{
	uint64_t head = ring_get(&s->rx->head), tail = ring_get(&s->tx->tail);

	for (int i = 0; i < 32; i++)
		poke((ring_word *)(void *)s->data +
			     rnd(x) % (RING_BYTES / 8 + 64),
		     lie_header(x));
	/* mostly plausible, so that the victim gets to the headers */
	if (rnd(x) % 1024 == 0)
		tail = lie(x, tail);
	else if (tail - head < RING_BYTES - 128)
		tail += rnd(x) % 16 * 8;
	poke(&s->tx->tail, tail);
	poke(&s->tx->closed, rnd(x) % 2);
}

static void forge_consumer(struct shared *s, uint64_t *x)
{
	/* peeks into the victim for the truth, or nothing would ever move */
	uint64_t tail = __atomic_load_n(&s->victim->tail, __ATOMIC_RELAXED);

	poke(&s->rx->head, rnd(x) % 2 ? tail : lie(x, tail));
	poke(&s->tx->tail, lie(x, tail));
	poke((ring_word *)(void *)s->data + rnd(x) % (RING_BYTES / 8),
	     lie_header(x));
}

static void forge_window(struct shared *s, uint64_t *x)
{
	uint64_t tail = ring_get(&s->tx->tail), block = WINDOW_BYTES / 64;
	uint64_t i = rnd(x) % RING_NOTES;

	/* wild now and then, and soon the truth again */
	if (rnd(x) % 4096 == 0)
		tail = lie(x, tail) & ~7ull;
	if (rnd(x) % 1024 == 0) {
		tail = WINDOW_BYTES * 3;
		memset(s->data, 0, WINDOW_BYTES);
	}
	poke(&s->tx->tail, tail);
	poke(&s->tx->wbeg, rnd(x) % 4 ? tail : lie(x, tail));
	poke(&s->tx->note[i],
	     rnd(x) % 4 ? (tail / WINDOW_BYTES - 1) * WINDOW_BYTES + i * block
			: lie(x, tail));
	if (rnd(x) % 256 == 0)
		poke((ring_word *)(void *)s->data + rnd(x) % (WINDOW_BYTES / 8),
		     lie_header(x));
}

static void forge_identity(struct shared *s, uint64_t *x)
{
	ring_word *w = (ring_word *)(void *)s->base + rnd(x) % 4, was = *w;

	poke(w, rnd(x) % 2 ? rnd(x) : was ^ 1ull << rnd(x) % 64);
	poke(w, was);
	poke(&s->rx->head, rnd(x) % 2 ? 0 : lie(x, 0));
	poke(&s->tx->tail, rnd(x) % 2 ? 0 : lie(x, 0));
	poke(&s->tx->wbeg, rnd(x) % 2 ? 0 : lie(x, 0));
}

struct forger {
	struct shared *s;
	void (*forge)(struct shared *s, uint64_t *x);
	pthread_t thread;
};

static void *forger_main(void *arg)
{
	uint64_t x = 0x2545f4914f6cdd1dull;
	struct forger *f = arg;

	while (!__atomic_load_n(&f->s->stop, __ATOMIC_RELAXED))
		f->forge(f->s, &x);
	return NULL;
}

static void forger_start(struct forger *f)
{
	check(!pthread_create(&f->thread, NULL, forger_main, f));
}

static void forger_stop(struct forger *f)
{
	__atomic_store_n(&f->s->stop, true, __ATOMIC_RELAXED);
	check(!pthread_join(f->thread, NULL));
}

/* --- victims ------------------------------------------------------------- */

static volatile unsigned char sink;

static void touch(const struct ring_record *rec)
{
	const unsigned char *b = rec->data;

	for (size_t i = 0; i < rec->len; i++)
		sink = b[i];
}

static void check_in_place(const struct ring_consumer *c,
			   const struct ring_record *rec)
{
	const unsigned char *b = rec->data;

	check(rec->len <= c->max);
	check(b >= c->data + RING_HEADER);
	check(b + rec->len <= c->data + RING_BYTES + c->max);
	touch(rec);
}

struct score {
	unsigned long long accepted, refused, attached;
};

/*
 * A round lasts until @end, and on a busy host as much longer as it takes to
 * have met both sorts; main()'s alarm is the limit.
 */
static bool goes_on(uint64_t end, const struct score *score,
		    unsigned long long accepted)
{
	return now_ns() < end || score->accepted <= accepted ||
	       score->refused <= 10;
}

/* Read until the ring is found out, then start over with a fresh handle. */
static void read_until_corrupt(struct ring_consumer *c, uint64_t *x,
			       struct score *score)
{
	unsigned char buf[RING_BYTES / 8];
	struct ring_record rec = {0};
	int r;

	for (int i = 0; i < 100000; i++) {
		check(ring_avail(c) <= RING_BYTES);
		if (rnd(x) % 2) {
			r = ring_peek(c, &rec);
			if (r == RING_OK)
				check_in_place(c, &rec);
			ring_next(c);
		} else {
			r = ring_read(c, buf, sizeof(buf), &rec);
			if (r == RING_OK)
				touch(&rec);
		}
		score->accepted += r == RING_OK;
		check(r != RING_TOOBIG);
		if (r == RING_EMPTY)
			r = ring_wait(c, 64, 0);
		if (r == RING_CORRUPT)
			break;
	}
	score->refused++;
}

static void hostile_producer(void)
{
	struct shared s = shared_new(RING_BYTES, 0);
	struct forger f = {.s = &s, .forge = forge_producer};
	uint64_t x = 1, end = now_ns() + ROUND_NS;
	struct score score = {0};
	struct ring_consumer *c;

	forger_start(&f);
	while (goes_on(end, &score, 1000)) {
		int r = ring_attach_consumer(&c, s.fd);

		check(!r || r == -EBADMSG);
		if (r) {
			poke(&s.tx->tail, ring_get(&s.rx->head));
			continue;
		}
		score.attached++;
		read_until_corrupt(c, &x, &score);
		ring_consumer_close(c);
	}
	forger_stop(&f);
	printf("hostile producer: %llu records accepted, %llu times refused\n",
	       score.accepted, score.refused);
	check(score.accepted > 1000 && score.refused > 10);
	shared_close(&s);
}

static void write_some(struct ring_producer *p, uint64_t *x,
		       struct score *score)
{
	size_t len = rnd(x) % (ring_max(p) + 1);
	unsigned char *at = ring_reserve(p, 1, len);

	check(ring_space(p) <= RING_BYTES);
	if (!at) {
		score->refused++;
		return;
	}
	check(at >= p->data + RING_HEADER);
	check(at + len <= p->data + RING_BYTES + p->max);
	memset(at, 0xa5, len);
	ring_commit(p, len);
	score->accepted++;
}

static void hostile_consumer(void)
{
	struct shared s = shared_new(RING_BYTES, 0);
	struct forger f = {.s = &s, .forge = forge_consumer};
	uint64_t x = 1, end = now_ns() + ROUND_NS;
	struct score score = {0};
	struct ring_producer *p;
	struct ring_stats st;

	check(!ring_attach_producer(&p, s.fd));
	s.victim = p;
	forger_start(&f);
	while (now_ns() < end || score.accepted <= 1000)
		for (int i = 0; i < 100; i++)
			write_some(p, &x, &score);
	forger_stop(&f);
	ring_producer_stats(p, &st);
	printf("hostile consumer: %llu written, %llu refused, %llu heads "
	       "ignored\n",
	       score.accepted, score.refused, (unsigned long long)st.forged);
	check(score.accepted > 1000 && st.forged > 10);
	ring_producer_close(p);
	shared_close(&s);
}

/* Take one, or a slice, into memory that is exactly as large as it says, and
 * walk it. */
static void snapshot_some(const struct ring_observer *o, uint64_t *x,
			  uint64_t *from, struct score *score)
{
	size_t cap = rnd(x) % 4 ? WINDOW_BYTES : rnd(x) % WINDOW_BYTES;
	unsigned char *buf = malloc(cap + !cap);
	struct ring_snapshot_info info;
	struct ring_record rec = {0};
	size_t off = 0;
	int r;

	check(buf);
	r = rnd(x) % 2 ? ring_snapshot(o, buf, cap, &info)
		       : ring_snapshot_from(o, *from & ~(uint64_t)7, buf, cap,
					    &info);
	*from = r == RING_OK && rnd(x) % 4 ? info.end
					   : rnd(x) % (4 * WINDOW_BYTES);
	score->accepted += r == RING_OK;
	score->refused += r == RING_CORRUPT;
	if (r == RING_OK) {
		check(info.end - info.first <= cap);
		while (ring_parse(buf, info.end - info.first, &off, &rec) ==
		       RING_OK)
			touch(&rec);
	}
	free(buf);
}

static void hostile_window(void)
{
	struct shared s = shared_new(WINDOW_BYTES, RING_OVERWRITE);
	struct forger f = {.s = &s, .forge = forge_window};
	uint64_t x = 1, from = 0, end = now_ns() + ROUND_NS;
	struct score score = {0};
	struct ring_observer *o;

	check(!ring_attach_observer(&o, s.fd));
	forger_start(&f);
	while (goes_on(end, &score, 10))
		snapshot_some(o, &x, &from, &score);
	forger_stop(&f);
	printf("hostile window: %llu snapshots, %llu refused\n", score.accepted,
	       score.refused);
	check(score.accepted > 10 && score.refused > 10);
	ring_observer_close(o);
	shared_close(&s);
}

/* Attach as everything to a file whose every word may change meanwhile. */
static void attach_all(int fd, struct score *score)
{
	struct ring_producer *p = NULL;
	struct ring_consumer *c = NULL;
	struct ring_observer *o = NULL;
	int r[] = {ring_attach_producer(&p, fd), ring_attach_consumer(&c, fd),
		   ring_attach_observer(&o, fd)};

	for (int i = 0; i < 3; i++) {
		score->accepted += !r[i];
		score->refused += r[i] < 0;
	}
	if (p)
		ring_write(p, 1, "hostile", 7);
	ring_producer_close(p);
	ring_consumer_close(c);
	ring_observer_close(o);
}

static void hostile_identity(unsigned int flags)
{
	struct shared s = shared_new(RING_BYTES, flags);
	struct forger f = {.s = &s, .forge = forge_identity};
	uint64_t end = now_ns() + ROUND_NS / 2;
	struct score score = {0};

	forger_start(&f);
	while (goes_on(end, &score, 10))
		attach_all(s.fd, &score);
	forger_stop(&f);
	printf("hostile identity: %llu attached, %llu refused\n",
	       score.accepted, score.refused);
	check(score.accepted > 10 && score.refused > 10);
	shared_close(&s);
}

int main(void)
{
	alarm(HANG_S);
	hostile_producer();
	hostile_consumer();
	hostile_window();
	hostile_identity(0);
	hostile_identity(RING_OVERWRITE);
	return 0;
}
