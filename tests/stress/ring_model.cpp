// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring_model.cpp - the ring under a memory-model checker (Relacy), and proof
 * that the checker would notice.
 *
 * ring.h and ring.c are compiled here as they are; only ring_order.h is
 * replaced, by functions of the same names over Relacy's simulated memory.
 * Each model is a bounded program of two threads; full search runs every
 * interleaving of its shared accesses with every value that C11 lets each
 * load return. Relacy reports a race if two accesses to a plain variable are
 * not ordered, so in refuse mode all record bytes are plain; in overwrite mode
 * they are relaxed atomics and the check is on what the snapshot contains.
 *
 * Then each of the eight ordered operations is weakened to relaxed in turn,
 * and some model must fail. Random search does not find the two fences in a
 * million runs; hence tiny rings and full search.
 */
#include <relacy/relacy.hpp>

#include <cstdio>
#include <cstring>
#include <ostream>
#include <sys/uio.h>

/* --- ring_order.h, simulated --------------------------------------------- */

#define WEIR_RING_ORDER_H
#define RING_LINE 16

enum weakness {
	NOTHING,
	PUBLISH_TAIL,
	FETCH_TAIL,
	PUBLISH_HEAD,
	FETCH_HEAD,
	FENCE_OVERWRITE,
	FENCE_COPIED,
	PUBLISH_CLOSED,
	FETCH_CLOSED,
	WEAKNESSES
};

static const char *const weakness_names[] = {
	"nothing",	     "ring_publish_tail",   "ring_fetch_tail",
	"ring_publish_head", "ring_fetch_head",	    "ring_fence_overwrite",
	"ring_fence_copied", "ring_publish_closed", "ring_fetch_closed",
};

static weakness weak;

static rl::memory_order order(weakness w, rl::memory_order mo)
{
	return weak == w ? rl::mo_relaxed : mo;
}

typedef rl::atomic<uint64_t> ring_word;
typedef uint64_t ring_counter;

#define MODEL_WORDS 10

static unsigned char model_bytes[MODEL_WORDS * 8]; /* addresses only */
static rl::var<uint64_t> *model_plain;		   /* what is there, or */
static ring_word *model_raced;			   /* in overwrite mode */

static size_t model_index(const unsigned char *at)
{
	RL_ASSERT(at >= model_bytes && (at - model_bytes) % 8 == 0);
	RL_ASSERT(at + 8 <= model_bytes + sizeof(model_bytes));
	return (size_t)(at - model_bytes) / 8;
}

static void model_store(unsigned char *at, uint64_t v)
{
	if (model_plain)
		model_plain[model_index(at)]($) = v;
	else
		model_raced[model_index(at)].store(v, rl::mo_relaxed, $);
}

static uint64_t model_load(const unsigned char *at)
{
	if (model_plain)
		return model_plain[model_index(at)]($);
	return model_raced[model_index(at)].load(rl::mo_relaxed, $);
}

static void ring_publish_tail(ring_word *w, uint64_t v)
{
	w->store(v, order(PUBLISH_TAIL, rl::mo_release), $);
}

static uint64_t ring_fetch_tail(const ring_word *w)
{
	return w->load(order(FETCH_TAIL, rl::mo_acquire), $);
}

static void ring_publish_head(ring_word *w, uint64_t v)
{
	w->store(v, order(PUBLISH_HEAD, rl::mo_release), $);
}

static uint64_t ring_fetch_head(const ring_word *w)
{
	return w->load(order(FETCH_HEAD, rl::mo_acquire), $);
}

static void ring_fence_overwrite(void)
{
	if (weak != FENCE_OVERWRITE)
		rl::atomic_thread_fence(rl::mo_release, $);
}

static void ring_fence_copied(void)
{
	if (weak != FENCE_COPIED)
		rl::atomic_thread_fence(rl::mo_acquire, $);
}

static void ring_publish_closed(ring_word *w, uint64_t v)
{
	w->store(v, order(PUBLISH_CLOSED, rl::mo_release), $);
}

static uint64_t ring_fetch_closed(const ring_word *w)
{
	return w->load(order(FETCH_CLOSED, rl::mo_acquire), $);
}

static void ring_count(ring_counter *w, uint64_t v)
{
	*w = v;
}

static uint64_t ring_counted(const ring_counter *w)
{
	return *w;
}

static void ring_set(ring_word *w, uint64_t v)
{
	w->store(v, rl::mo_relaxed, $);
}

static uint64_t ring_get(const ring_word *w)
{
	return w->load(rl::mo_relaxed, $);
}

static void ring_header_set(unsigned char *rec, uint64_t header)
{
	model_store(rec, header);
}

static uint64_t ring_header_get(const unsigned char *rec)
{
	return model_load(rec);
}

static void ring_expect(const unsigned char *)
{
}

static void ring_copy_in(unsigned char *dst, const void *src, size_t len, bool)
{
	uint64_t w;

	for (size_t i = 0; i < len; i += 8) {
		memcpy(&w, (const char *)src + i, 8);
		model_store(dst + i, w);
	}
}

static void ring_copy_out(void *dst, const unsigned char *src, size_t len, bool)
{
	uint64_t w;

	for (size_t i = 0; i < len; i += 8) {
		w = model_load(src + i);
		memcpy((char *)dst + i, &w, 8);
	}
}

/* --- the ring itself ----------------------------------------------------- */

#include "../../ring/ring.c"

/* --- models -------------------------------------------------------------- */

enum { PRODUCER, READER };

/* What every model has: shared pages, and both private halves. */
template <typename model> struct ring_model : rl::test_suite<model, 2> {
	ring_tx tx;
	ring_rx rx;
	rl::var<uint64_t> plain[MODEL_WORDS];
	ring_word raced[MODEL_WORDS];
	ring_producer p;
	ring_consumer c;
	ring_observer o;

	void set_up(uint64_t size, unsigned int block_shift, bool overwrite)
	{
		model_plain = overwrite ? NULL : plain;
		model_raced = raced;
		ring_set(&tx.tail, 0);
		ring_set(&tx.wbeg, 0);
		ring_set(&tx.closed, 0);
		ring_set(&rx.head, 0);
		for (uint64_t i = 0; i < size >> block_shift; i++)
			ring_set(&tx.note[i], 0);
		for (size_t i = 0; overwrite && i < MODEL_WORDS; i++)
			ring_set(&raced[i], 0);
		memset(&p, 0, sizeof(p));
		p.data = model_bytes;
		p.mask = size - 1;
		p.max = 8;
		p.tx = &tx;
		p.rx = &rx;
		p.overwrite = overwrite;
		p.block_shift = block_shift;
		p.room = overwrite ? 0 : size;
		memset(&c, 0, sizeof(c));
		c.data = model_bytes;
		c.mask = size - 1;
		c.max = 8;
		c.tx = &tx;
		c.rx = &rx;
		ring_seek(&c, 0);
		memset(&o, 0, sizeof(o));
		o.data = model_bytes;
		o.mask = size - 1;
		o.max = 8;
		o.overwrite = overwrite;
		o.block_shift = block_shift;
		o.tx = &tx;
		o.rx = &rx;
	}

	int write(uint64_t seq)
	{
		return ring_write(&p, 1, &seq, 8);
	}

	/* The next record must be @seq; was there one? */
	bool read(uint64_t seq)
	{
		ring_record rec;
		uint64_t v;
		int r = ring_read(&c, &v, 8, &rec);

		RL_ASSERT(r == RING_OK || r == RING_EMPTY);
		if (r == RING_OK)
			RL_ASSERT(rec.len == 8 && rec.type == 1 && v == seq);
		return r == RING_OK;
	}
};

/* One record fills the ring, so that each waits for the one before it. */
struct refuse_each : ring_model<refuse_each> {
	void before()
	{
		set_up(16, 3, false);
	}

	void thread(unsigned int me)
	{
		uint64_t seq = 0;

		for (int i = 0; i < 3; i++)
			seq += me == PRODUCER ? write(seq) == RING_OK
					      : read(seq);
	}
};

/* In place, two records fill the ring, given back together. */
struct refuse_batch : ring_model<refuse_batch> {
	void before()
	{
		set_up(32, 3, false);
		ring_hold(&c, UINT64_MAX);
	}

	void produce()
	{
		for (uint64_t seq = 1; seq <= 3; seq++) {
			void *at = ring_reserve(&p, seq, 8);

			if (!at)
				continue;
			ring_copy_in((unsigned char *)at, &seq, 8, false);
			ring_commit(&p, 8);
		}
	}

	void consume()
	{
		uint64_t v, last = 0;
		ring_record rec;

		for (int i = 0; i < 3; i++) {
			if (ring_peek(&c, &rec) != RING_OK) {
				ring_release(&c);
				continue;
			}
			ring_copy_out(&v, (const unsigned char *)rec.data, 8,
				      false);
			RL_ASSERT(v == rec.type && v > last);
			last = v;
			ring_next(&c);
		}
		ring_release(&c);
	}

	void thread(unsigned int me)
	{
		me == PRODUCER ? produce() : consume();
	}
};

/* Who is told that the producer has gone must have been able to read all. */
struct refuse_close : ring_model<refuse_close> {
	void before()
	{
		set_up(32, 3, false);
	}

	void thread(unsigned int me)
	{
		uint64_t seq = 0;

		if (me == PRODUCER) {
			write(0);
			write(1);
			ring_publish_closed(&tx.closed, 1);
			return;
		}
		for (int i = 0; i < 4; i++) {
			int r = ring_poll(&c, 16);

			if (r == RING_OK)
				seq += read(seq);
			else if (r == RING_PEER_DEAD)
				RL_ASSERT(seq == 2);
		}
	}
};

/*
 * @OLD records are there, @NEW are written while a snapshot is taken. What it
 * holds must be records in sequence that end with the tail it saw.
 */
template <int SIZE, int SHIFT, int OLD, int NEW>
struct overwrite : ring_model<overwrite<SIZE, SHIFT, OLD, NEW>> {
	void before()
	{
		this->set_up(SIZE, SHIFT, true);
		for (int seq = 0; seq < OLD; seq++)
			this->write(seq);
	}

	void observe()
	{
		ring_snapshot_info info;
		ring_record rec;
		unsigned char buf[SIZE];
		uint64_t v, seq;
		size_t off = 0;
		int r = ring_snapshot(&this->o, buf, SIZE, &info);

		RL_ASSERT(r == RING_OK || r == RING_EMPTY);
		RL_ASSERT(info.end >= OLD * 16 && info.end % 16 == 0);
		seq = info.end / 16 - info.records;
		while (ring_parse(buf, info.end - info.first, &off, &rec) ==
		       RING_OK) {
			memcpy(&v, rec.data, 8);
			RL_ASSERT(rec.len == 8 && rec.type == 1 && v == seq);
			seq++;
		}
		RL_ASSERT(seq == info.end / 16);
	}

	void thread(unsigned int me)
	{
		if (me == READER)
			return observe();
		for (int seq = OLD; seq < OLD + NEW; seq++)
			this->write(seq);
	}
};

/* --- running ------------------------------------------------------------- */

struct outcome {
	bool passed;
	unsigned long runs;
	const char *how;
};

/* Swallows Relacy's report without allocating: a failing run owns the heap. */
struct silence : std::streambuf {
	int overflow(int c)
	{
		return c;
	}
};

template <typename model> static outcome search()
{
	rl::test_params params;
	silence nothing;
	std::ostream out(&nothing);

	params.search_type = rl::sched_full;
	params.output_stream = &out;
	params.progress_stream = &out;
	params.progress_output_period = 1000000;
	rl::simulate<model>(params);
	return {params.test_result == rl::test_result_success,
		(unsigned long)params.stop_iteration,
		rl::test_result_str(params.test_result)};
}

struct named_model {
	const char *name;
	outcome (*run)();
};

static const named_model models[] = {
	{"refuse_each", search<refuse_each>},
	{"refuse_batch", search<refuse_batch>},
	{"refuse_close", search<refuse_close>},
	{"overwrite 2+1", search<overwrite<32, 4, 2, 1>>},
	{"overwrite 2+2", search<overwrite<32, 4, 2, 2>>},
	{"overwrite 4+1", search<overwrite<64, 4, 4, 1>>},
};

/* Intact, each model must pass. */
static int check_models()
{
	int failed = 0;

	for (const named_model &m : models) {
		outcome r = m.run();

		printf("%-16s %9lu runs  %s\n", m.name, r.runs, r.how);
		fflush(stdout);
		failed += !r.passed;
	}
	return failed;
}

/* Weakened, one must fail. */
static int check_weakness(weakness w)
{
	weak = w;
	for (const named_model &m : models) {
		outcome r = m.run();

		if (!r.passed) {
			printf("without %-20s %-14s run %-7lu %s\n",
			       weakness_names[w], m.name, r.runs, r.how);
			return 0;
		}
	}
	printf("without %-20s NOT NOTICED\n", weakness_names[w]);
	return 1;
}

int main()
{
	int failed = check_models();

	for (int w = NOTHING + 1; w < WEAKNESSES; w++)
		failed += check_weakness((weakness)w);
	return failed ? 1 : 0;
}
