// SPDX-License-Identifier: BSD-2-Clause
//
// ring_bench.cpp - the ring beside the queues that Debian packages.
//
//     ring_bench [-r ROUNDS] [-j FILE] [-c THROUGHPUT,ONE_CORE,…]
//
// Virtual cores move between hosts' cores and share them, which changes every
// number by up to ten times. So: in each round every queue runs once, 40 ms,
// forwards in one round and backwards in the next; before and after a run a
// ping-pong of two cache lines tells how far apart the cores are; a run whose
// threads had less than 95 % of their cores, or during which they moved, does
// not count. What is printed are medians of the runs in the state that was
// seen most often, and their number; compare within a table only. The
// consumer adds up every word and checks the order, in every run.
#include "tests/bench/ring_queues.h"

#include <algorithm>
#include <atomic>
#include <cstdio>
#include <functional>
#include <map>
#include <pthread.h>
#include <sched.h>
#include <string>
#include <thread>
#include <time.h>
#include <unistd.h>
#include <vector>

namespace
{

const uint64_t WATERMARK = 64 << 10;
const double RUN_SECONDS = 0.04;
const double LEAST_SHARE = 0.95;

void relax()
{
	__builtin_ia32_pause();
}

double seconds(clockid_t id)
{
	struct timespec t;

	clock_gettime(id, &t);
	return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (pthread_setaffinity_np(pthread_self(), sizeof(set), &set)) {
		fprintf(stderr, "ring_bench: there is no CPU %d\n", cpu);
		exit(2);
	}
}

double median(std::vector<double> v)
{
	if (v.empty())
		return 0;
	std::sort(v.begin(), v.end());
	return v[v.size() / 2];
}

// --- how far apart the cores are -------------------------------------------

struct line {
	alignas(128) std::atomic<uint64_t> word{0};
};

// Nanoseconds of a round trip over two cache lines.
double probe()
{
	const uint64_t rounds = 20000;
	line there, back;
	double start = 0, end = 0;

	std::thread echo([&] {
		pin(1);
		for (uint64_t i = 1; i <= rounds; i++) {
			while (there.word.load(std::memory_order_acquire) != i)
				;
			back.word.store(i, std::memory_order_release);
		}
	});
	std::thread call([&] {
		pin(0);
		for (uint64_t i = 1; i <= rounds; i++) {
			if (i == rounds / 10)
				start = seconds(CLOCK_MONOTONIC);
			there.word.store(i, std::memory_order_release);
			while (back.word.load(std::memory_order_acquire) != i)
				;
		}
		end = seconds(CLOCK_MONOTONIC);
	});
	call.join();
	echo.join();
	return (end - start) * 1e9 / ((double)rounds * 0.9);
}

// The bounds stand in the middle between what one sees: 60, 120 and 470 ns.
std::string state_of(double ns)
{
	return ns < 90 ? "siblings" : ns < 260 ? "one L3" : "far";
}

// --- records ------------------------------------------------------------

// Sizes hashed from the number: a branch predictor must not learn them.
template <unsigned N> uint32_t length(uint64_t seq)
{
	if (N)
		return N;
	return 48 + 8 * (uint32_t)((((seq + 1) * 0x9e3779b97f4a7c15ull >> 40) *
				    27) >>
				   24);
}

struct image {
	alignas(64) unsigned char bytes[LONGEST];

	image()
	{
		for (unsigned i = 0; i < LONGEST; i++)
			bytes[i] = (unsigned char)(i * 7 + 1);
	}
};

// Images numbered well before they are copied: a number that is still on its
// way to the cache when wider loads want it would stall the copy, and that
// stall would be all one measures.
struct images {
	static const uint64_t AHEAD = 16;
	image ring[2 * AHEAD];

	images()
	{
		for (uint64_t i = 0; i < AHEAD; i++)
			number(i);
	}
	void number(uint64_t seq)
	{
		memcpy(ring[seq % (2 * AHEAD)].bytes, &seq, sizeof(seq));
	}
	const unsigned char *at(uint64_t seq)
	{
		number(seq + AHEAD);
		return ring[seq % (2 * AHEAD)].bytes;
	}
};

uint64_t sum_words(const unsigned char *data, uint32_t len)
{
	uint64_t sum = 0, w;

	for (uint32_t i = 0; i < len; i += 8) {
		memcpy(&w, data + i, 8);
		sum += w;
	}
	return sum;
}

// What a consumer of the records 0..n-1 must have added up.
template <unsigned N> uint64_t sum_of(uint64_t n)
{
	image im;
	uint64_t sum = 0, by_len[LONGEST / 8 + 1];

	memset(im.bytes, 0, 8);
	for (uint32_t k = 0; k <= LONGEST / 8; k++)
		by_len[k] = sum_words(im.bytes, k * 8);
	for (uint64_t seq = 0; seq < n; seq++)
		sum += seq + by_len[length<N>(seq) / 8];
	return sum;
}

// --- one run ----------------------------------------------------------------

struct outcome {
	double seconds;
	double share; // of their CPUs that the threads had
};

struct meeting {
	std::atomic<int> ready{0};
	std::atomic<bool> produced{false};

	void meet()
	{
		ready++;
		while (ready < 2)
			sched_yield();
	}
};

// With one core for both, who finds nothing to do lets the other run.
struct patience {
	bool one_core;
	unsigned tries = 0;

	void pause()
	{
		for (int i = 0; i < 64; i++)
			relax();
	}
	void wait()
	{
		if (one_core && ++tries % 16 == 0)
			sched_yield();
		else
			relax();
	}
};

template <class Q, unsigned N>
void produce(Q &q, uint64_t n, bool one_core, meeting &m, double *cpu)
{
	patience p{one_core};
	images im;

	m.meet();
	*cpu = -seconds(CLOCK_THREAD_CPUTIME_ID);
	for (uint64_t seq = 0; seq < n; seq++) {
		const unsigned char *bytes = im.at(seq);

		while (!q.put(bytes, length<N>(seq)))
			p.wait();
	}
	q.flush();
	*cpu += seconds(CLOCK_THREAD_CPUTIME_ID);
	m.produced.store(true, std::memory_order_release);
}

template <class Q, unsigned N>
void consume(Q &q, uint64_t n, bool one_core, uint64_t watermark, meeting &m,
	     double *cpu, double *wall)
{
	patience p{one_core};
	uint64_t sum = 0, seq = 0, first;

	m.meet();
	*wall = -seconds(CLOCK_MONOTONIC);
	*cpu = -seconds(CLOCK_THREAD_CPUTIME_ID);
	while (seq < n) {
		while (watermark && q.gathered() < watermark &&
		       !m.produced.load(std::memory_order_acquire))
			p.pause(); // not to take the line at every store
		size_t got = q.take([&](const unsigned char *d, uint32_t len) {
			memcpy(&first, d, sizeof(first));
			if (first != seq++)
				abort();
			sum += sum_words(d, len);
		});
		if (!got)
			p.wait();
	}
	*cpu += seconds(CLOCK_THREAD_CPUTIME_ID);
	*wall += seconds(CLOCK_MONOTONIC);
	if (sum != sum_of<N>(n))
		abort();
}

template <template <unsigned> class Q, unsigned N>
outcome run(size_t bytes, uint64_t n, uint64_t watermark, bool one_core)
{
	Q<N> q(bytes);
	meeting m;
	double in = 0, out = 0, wall = 0;

	std::thread consumer([&] {
		pin(one_core ? 0 : 1);
		consume<Q<N>, N>(q, n, one_core, watermark, m, &out, &wall);
	});
	std::thread producer([&] {
		pin(0);
		produce<Q<N>, N>(q, n, one_core, m, &in);
	});
	producer.join();
	consumer.join();
	return {wall, one_core ? (in + out) / wall : out / wall};
}

// --- cells of a table -------------------------------------------------------

struct cell {
	std::map<std::string, std::vector<double>> values; // by state
	unsigned dropped = 0;
};

struct way {
	const char *name;
	std::function<outcome(uint64_t n)> run;
	uint64_t n; // records for RUN_SECONDS
	cell rates; // M records/s
};

FILE *json;
unsigned rounds = 9;
std::map<std::string, double> told; // "case/ring/record/queue"

const std::pair<const std::string, std::vector<double>> *most(const cell &c)
{
	const std::pair<const std::string, std::vector<double>> *best = nullptr;

	for (const auto &v : c.values)
		if (!best || v.second.size() > best->second.size())
			best = &v;
	return best;
}

double value_in(const cell &c, const std::string &state)
{
	auto at = c.values.find(state);

	return at == c.values.end() ? 0 : median(at->second);
}

void tell(const char *what, const char *ring, const char *size,
	  const char *queue, const std::string &state, size_t n, double value)
{
	told[std::string(what) + "/" + ring + "/" + size + "/" + queue] = value;
	if (json)
		fprintf(json,
			"{\"case\":\"%s\",\"ring\":\"%s\",\"record\":\"%s\","
			"\"queue\":\"%s\",\"state\":\"%s\",\"runs\":%zu,"
			"\"value\":%.4g}\n",
			what, ring, size, queue, state.c_str(), n, value);
}

void calibrate(way &w)
{
	outcome o;

	for (w.n = 20000;; w.n *= 4) {
		o = w.run(w.n);
		if (o.seconds > RUN_SECONDS / 8)
			break;
	}
	w.n = std::max<uint64_t>(
		(uint64_t)((double)w.n * RUN_SECONDS / o.seconds), 1000);
}

void measure(std::vector<way> &ways, bool one_core)
{
	for (way &w : ways)
		calibrate(w);
	for (unsigned round = 0; round < rounds; round++) {
		for (size_t i = 0; i < ways.size(); i++) {
			way &w = ways[round % 2 ? ways.size() - 1 - i : i];
			std::string before = one_core ? "" : state_of(probe());
			outcome o = w.run(w.n);
			std::string after = one_core ? "" : state_of(probe());

			if (o.share < LEAST_SHARE || before != after)
				w.rates.dropped++;
			else
				w.rates.values[before].push_back(
					(double)w.n / o.seconds * 1e-6);
		}
	}
}

// The first way is the ring as it is meant to be used: the others' ratio to it.
void print_ways(const char *what, const char *ring, const char *size,
		std::vector<way> &ways)
{
	const auto *best = most(ways[0].rates);
	std::string state = best ? best->first : "";
	double ours = value_in(ways[0].rates, state);

	for (way &w : ways) {
		double v = value_in(w.rates, state);
		size_t n = v > 0 ? w.rates.values[state].size() : 0;

		printf("%-8s %-8s %-22s %8.1f %7.2f  %-8s %2zu (%u dropped)\n",
		       ring, size, w.name, v, v > 0 ? ours / v : 0,
		       state.c_str(), n, w.rates.dropped);
		tell(what, ring, size, w.name, state, n, v);
	}
	fflush(stdout);
}

template <unsigned N> std::vector<way> ways_of(size_t bytes, bool one_core)
{
	std::vector<way> v;
	auto add = [&](const char *name, auto f, uint64_t watermark) {
		v.push_back({name,
			     [=](uint64_t n) {
				     return f(bytes, n, watermark, one_core);
			     },
			     0,
			     {}});
	};

	if (!one_core)
		add("weir, watermark", run<weir_queue, N>, WATERMARK);
	add("weir", run<weir_queue, N>, 0);
	add("boost", run<boost_queue, N>, 0);
	add("boost, bulk 32", run<boost_bulk, N>, 0);
	add("ck_ring", run<ck_queue, N>, 0);
	add("rte_ring, bulk 32", run<rte_queue, N>, 0);
	if (!one_core) {
		add("boost, watermark", run<boost_queue, N>, WATERMARK);
		add("boost, bulk, watermark", run<boost_bulk, N>, WATERMARK);
		add("ck_ring, watermark", run<ck_queue, N>, WATERMARK);
		add("rte_ring, watermark", run<rte_queue, N>, WATERMARK);
	}
	return v;
}

template <unsigned N>
void throughput(const char *ring, size_t bytes, const char *size, bool one_core)
{
	std::vector<way> ways = ways_of<N>(bytes, one_core);

	measure(ways, one_core);
	print_ways(one_core ? "one core" : "throughput", ring, size, ways);
}

void all_sizes(const char *ring, size_t bytes, bool one_core)
{
	throughput<8>(ring, bytes, "8", one_core);
	throughput<64>(ring, bytes, "64", one_core);
	throughput<128>(ring, bytes, "128", one_core);
	throughput<0>(ring, bytes, "48-256", one_core);
}

void heading(const char *title, const char *unit)
{
	printf("\n%s\n%-8s %-8s %-22s %8s %7s  %-8s runs\n", title, "ring",
	       "record", "queue", unit, "ratio", "cores");
}

void bench_throughput()
{
	heading("Two cores (ratio: the first line's to this one's)", "M/s");
	all_sizes("256 KiB", 256 << 10, false);
	all_sizes("4 MiB", 4 << 20, false);
	all_sizes("16 MiB", 16 << 20, false);
}

void bench_one_core()
{
	heading("One core for both, sched_yield after 16 tries", "M/s");
	all_sizes("256 KiB", 256 << 10, true);
}

// --- round trip -------------------------------------------------------------

template <template <unsigned> class Q, unsigned N>
outcome round_trips(uint64_t n)
{
	Q<N> there(256 << 10), back(256 << 10);
	double cpu = 0, wall = 0;
	meeting m;

	auto wait_one = [](Q<N> &q) {
		while (!q.take([](const unsigned char *, uint32_t) {}))
			;
	};
	auto put_one = [](Q<N> &q, image &im) {
		q.put(im.bytes, N);
		q.flush();
	};
	std::thread echo([&] {
		image im;

		pin(1);
		m.meet();
		for (uint64_t i = 0; i < n; i++) {
			wait_one(there);
			put_one(back, im);
		}
	});
	std::thread call([&] {
		image im;

		pin(0);
		m.meet();
		wall = -seconds(CLOCK_MONOTONIC);
		cpu = -seconds(CLOCK_THREAD_CPUTIME_ID);
		for (uint64_t i = 0; i < n; i++) {
			put_one(there, im);
			wait_one(back);
		}
		cpu += seconds(CLOCK_THREAD_CPUTIME_ID);
		wall += seconds(CLOCK_MONOTONIC);
	});
	call.join();
	echo.join();
	return {wall, cpu / wall};
}

template <unsigned N> void round_trip(const char *size)
{
	std::vector<way> ways = {
		{"weir", round_trips<weir_queue, N>, 0, {}},
		{"boost", round_trips<boost_queue, N>, 0, {}},
		{"ck_ring", round_trips<ck_queue, N>, 0, {}},
		{"rte_ring", round_trips<rte_queue, N>, 0, {}},
	};

	measure(ways, false);
	print_ways("round trip", "256 KiB", size, ways);
}

void bench_round_trip()
{
	heading("Round trip, both sides spin", "M/s");
	round_trip<8>("8");
	round_trip<128>("128");
}

// --- the producer alone: what it costs never to be refused -----------------

template <unsigned N> double fill(struct ring_producer *p, uint64_t n)
{
	images im;
	double start = seconds(CLOCK_THREAD_CPUTIME_ID);

	for (uint64_t seq = 0; seq < n; seq++)
		ring_write(p, 1, im.at(seq), length<N>(seq));
	return (seconds(CLOCK_THREAD_CPUTIME_ID) - start) * 1e9 / (double)n;
}

template <unsigned N> void overwrite(const char *size)
{
	const size_t bytes = 4 << 20;
	const uint64_t n = bytes / (8 + (N ? N : LONGEST)) - 1;
	struct ring_producer *plain, *window;
	struct ring_consumer *c;
	struct ring_observer *o;
	struct ring_record r;
	std::vector<double> refuse, give_way;
	uint64_t sum = 0;

	if (ring_new_pair(&plain, &c, bytes, RING_PREFAULT) ||
	    ring_new_window(&window, &o, bytes, RING_PREFAULT))
		abort();
	for (unsigned i = 0; i < rounds * 40; i++) {
		sum += sum_words(c->data, bytes); // both from the same cache
		refuse.push_back(fill<N>(plain, n));
		while (ring_peek(c, &r) == RING_OK)
			ring_next(c);
		ring_release(c);
		sum += sum_words(o->data, bytes);
		give_way.push_back(fill<N>(window, n));
	}
	if (sum == 1) // so that it is not left out
		abort();
	printf("%-8s %-8s refuse %6.2f ns, overwrite %6.2f ns, ratio %.2f\n",
	       "4 MiB", size, median(refuse), median(give_way),
	       median(give_way) / median(refuse));
	tell("producer ns", "4 MiB", size, "refuse", "", refuse.size(),
	     median(refuse));
	tell("producer ns", "4 MiB", size, "overwrite", "", give_way.size(),
	     median(give_way));
	ring_producer_close(plain);
	ring_consumer_close(c);
	ring_producer_close(window);
	ring_observer_close(o);
}

void bench_overwrite()
{
	printf("\nThe producer alone, ns per record\n");
	overwrite<64>("64");
	overwrite<128>("128");
	overwrite<256>("256");
	overwrite<0>("48-256");
}

// --- a paced producer: what waiting costs the consumer ---------------------

template <class Put> void paced(double per_second, double for_seconds, Put put)
{
	double start = seconds(CLOCK_MONOTONIC), now = start;
	uint64_t seq = 0, due;
	images im;

	while (now - start < for_seconds) {
		due = (uint64_t)((now - start) * per_second);
		for (due = std::min(due, seq + 1000); seq < due; seq++)
			put(im.at(seq), length<0>(seq));
		now = seconds(CLOCK_MONOTONIC);
	}
}

// Percent of a core that the consumer takes; wait(): sleep or spin.
template <class Q, class Wait>
double consumer_cpu(Q &q, double per_second, Wait wait)
{
	std::atomic<bool> done{false};
	double cpu = 0, wall = 0;
	uint64_t sum = 0;

	std::thread consumer([&] {
		auto use = [&](const unsigned char *d, uint32_t len) {
			sum += sum_words(d, len);
		};

		pin(1);
		cpu = -seconds(CLOCK_THREAD_CPUTIME_ID);
		wall = -seconds(CLOCK_MONOTONIC);
		while (!done) {
			wait(q);
			q.take(use);
		}
		cpu += seconds(CLOCK_THREAD_CPUTIME_ID);
		wall += seconds(CLOCK_MONOTONIC);
	});
	std::thread producer([&] {
		pin(0);
		paced(per_second, 0.3, [&](const unsigned char *b, uint32_t n) {
			while (!q.put(b, n))
				relax();
		});
		done = true;
	});
	producer.join();
	consumer.join();
	return cpu / wall * 100;
}

void waiting(const char *rate, double per_second)
{
	std::vector<double> ours, spinning, napping;

	for (unsigned i = 0; i < rounds; i++) {
		weir_queue<0> w(4 << 20);
		boost_queue<0> b1(4 << 20), b2(4 << 20);

		ours.push_back(
			consumer_cpu(w, per_second, [](weir_queue<0> &q) {
				ring_wait(q.c, WATERMARK, 10000000);
			}));
		spinning.push_back(
			consumer_cpu(b1, per_second, [](boost_queue<0> &) {}));
		napping.push_back(
			consumer_cpu(b2, per_second,
				     [](boost_queue<0> &) { usleep(1000); }));
	}
	printf("%-8s weir, ring_wait %5.1f %%   boost, spinning %5.1f %%   "
	       "boost, sleeping 1 ms %5.1f %%\n",
	       rate, median(ours), median(spinning), median(napping));
	tell("consumer %", "4 MiB", rate, "weir", "", rounds, median(ours));
	tell("consumer %", "4 MiB", rate, "boost spinning", "", rounds,
	     median(spinning));
	tell("consumer %", "4 MiB", rate, "boost sleeping", "", rounds,
	     median(napping));
}

void bench_waiting()
{
	printf("\nThe consumer's CPU, 48-256 B, 4 MiB\n");
	waiting("1 M/s", 1e6);
	waiting("5 M/s", 5e6);
}

// --- snapshots: what share of the window they save -------------------------

void snapshots(const char *rate, double per_second)
{
	const size_t bytes = 4 << 20;
	std::unique_ptr<unsigned char[]> buf(new unsigned char[bytes]);
	struct ring_snapshot_info info;
	std::atomic<bool> done{false};
	struct ring_producer *p;
	struct ring_observer *o;
	std::vector<double> shares;

	if (ring_new_window(&p, &o, bytes, RING_PREFAULT))
		abort();
	std::thread producer([&] {
		pin(0);
		paced(per_second, 0.6, [&](const unsigned char *b, uint32_t n) {
			ring_write(p, 1, b, n);
		});
		done = true;
	});
	std::thread taker([&] {
		pin(1);
		usleep(100000); // until it has been filled once
		while (!done) {
			if (ring_snapshot(o, buf.get(), bytes, &info) ==
			    RING_OK)
				shares.push_back(
					(double)(info.end - info.first) /
					(double)bytes * 100);
			usleep(5000);
		}
	});
	producer.join();
	taker.join();
	printf("%-8s median %5.1f %%, least %5.1f %%, %zu snapshots\n", rate,
	       median(shares), *std::min_element(shares.begin(), shares.end()),
	       shares.size());
	tell("snapshot %", "4 MiB", rate, "weir", "", shares.size(),
	     median(shares));
	ring_producer_close(p);
	ring_observer_close(o);
}

void bench_snapshots()
{
	printf("\nShare of a 4 MiB window that a snapshot keeps, 48-256 B\n");
	snapshots("1 M/s", 1e6);
	snapshots("5 M/s", 5e6);
	snapshots("20 M/s", 20e6);
	snapshots("full", 1e12);
}

// --- what was set out to be reached -------------------------------------

double value_of(const char *what, const char *ring, const char *size,
		const char *queue)
{
	return told[std::string(what) + "/" + ring + "/" + size + "/" + queue];
}

double best_of(const char *what, const char *ring, const char *size,
	       std::vector<const char *> queues)
{
	double best = 0;

	for (const char *q : queues)
		best = std::max(best, value_of(what, ring, size, q));
	return best;
}

void target(const std::string &text, double value, double bound, bool least)
{
	if (value <= 0 || value > 1e9)
		return; // that case did not run
	printf("%-58s %s %-5g %7.2f  %s\n", text.c_str(),
	       least ? "at least" : "at most ", bound, value,
	       (least ? value >= bound : value <= bound) ? "reached"
							 : "missed");
}

void against(const char *what, const char *ring, const char *size, double bound,
	     const char *ours, const char *title,
	     std::vector<const char *> queues)
{
	double peer = best_of(what, ring, size, queues);

	target(std::string(size) + " B, " + ring + ", " + title,
	       peer > 0 ? value_of(what, ring, size, ours) / peer : 0, bound,
	       true);
}

void targets()
{
	const char *wm = "weir, watermark", *two = "throughput";
	std::vector<const char *> documented = {"boost", "boost, bulk 32",
						"ck_ring", "rte_ring, bulk 32"};

	printf("\nTargets\n");
	for (const char *size : {"64", "128"})
		against(two, "4 MiB", size, 2, wm, "best peer as documented",
			documented);
	for (const char *ring : {"4 MiB", "16 MiB"})
		against(two, ring, "48-256", 1.4, wm, "best peer as documented",
			documented);
	for (const char *size : {"8", "64", "128"})
		against(two, "4 MiB", size, 1, wm, "boost, same watermark",
			{"boost, watermark"});
	against(two, "4 MiB", "48-256", 1.15, wm, "boost, same watermark",
		{"boost, watermark"});
	against("one core", "256 KiB", "48-256", 1.1, "weir",
		"one core, best of boost", {"boost", "boost, bulk 32"});
	for (const char *size : {"64", "128", "256", "48-256"})
		target(std::string(size) + " B, overwrite to refuse",
		       value_of("producer ns", "4 MiB", size, "overwrite") /
			       value_of("producer ns", "4 MiB", size, "refuse"),
		       1.15, false);
	target("consumer's CPU at 1 M/s, %",
	       value_of("consumer %", "4 MiB", "1 M/s", "weir"), 6, false);
	target("snapshot's share at 5 M/s, %",
	       value_of("snapshot %", "4 MiB", "5 M/s", "weir"), 97, true);
}

const struct {
	const char *name;
	void (*run)();
} CASES[] = {
	{"throughput", bench_throughput}, {"one_core", bench_one_core},
	{"round_trip", bench_round_trip}, {"overwrite", bench_overwrite},
	{"waiting", bench_waiting},	  {"snapshots", bench_snapshots},
};

int usage()
{
	fprintf(stderr, "usage: ring_bench [-r ROUNDS] [-j FILE] [-c CASE,…]\n"
			"cases:");
	for (const auto &c : CASES)
		fprintf(stderr, " %s", c.name);
	fprintf(stderr, "\n");
	return 2;
}

} // namespace

int main(int argc, char **argv)
{
	const char *cases = nullptr;
	int opt;

	while ((opt = getopt(argc, argv, "r:j:c:")) >= 0) {
		if (opt == 'r')
			rounds = (unsigned)atoi(optarg);
		else if (opt == 'j')
			json = fopen(optarg, "w");
		else if (opt == 'c')
			cases = optarg;
		if (opt == '?' || (opt == 'j' && !json) || !rounds)
			return usage();
	}
	if (sysconf(_SC_NPROCESSORS_ONLN) < 2) {
		fprintf(stderr, "ring_bench: needs two CPUs\n");
		return 2;
	}
	for (const auto &c : CASES)
		if (!cases || strstr(cases, c.name))
			c.run();
	targets();
	return json && fclose(json) ? 1 : 0;
}
