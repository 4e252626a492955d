/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring_queues.h - ring/ and the single-producer queues that Debian packages,
 * behind one interface, each used as its own documentation says.
 *
 * A queue of records of at most N bytes (N == 0: of 48 to 256, "mixed"):
 *
 *   queue(bytes)        room for about as many bytes, slots included
 *   put(image, len)     producer: append, false when there is no room
 *   flush()             producer: hand over what a bulk interface holds back
 *   take(use)           consumer: use(data, len) for what is there; how many
 *   gathered()          consumer: bytes that are there (for the watermark)
 *
 * Queues of fixed slots copy no more of a slot than the record needs, where
 * their interface lets the slot's own copy constructor decide (boost).
 */
#ifndef WEIR_RING_QUEUES_H
#define WEIR_RING_QUEUES_H

#include <boost/lockfree/spsc_queue.hpp>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <new>

/* ck 0.7.1 returns false where C++ wants a null pointer. */
#define false 0
extern "C" {
#include <ck_ring.h>
}
#undef false
#include <rte_ring.h>
#include <rte_ring_elem.h>

#include "ring/ring.h"

static constexpr unsigned LONGEST = 256; /* bytes of a mixed record */
static constexpr unsigned BULK = 32;	 /* records, as in DPDK's examples */

/* A slot for records of N bytes. */
template <unsigned N> struct slot {
	unsigned char bytes[N];

	void fill(const unsigned char *image, uint32_t)
	{
		memcpy(bytes, image, N);
	}
	uint32_t size() const
	{
		return N;
	}
};

/* A slot for mixed records: copies only what is used. */
template <> struct slot<0> {
	uint64_t len = 0;
	unsigned char bytes[LONGEST];

	slot()
	{
	} /* bytes are as they are */
	slot(const slot &o)
	{
		*this = o;
	}
	slot &operator=(const slot &o)
	{
		len = o.len;
		memcpy(bytes, o.bytes, o.len);
		return *this;
	}
	void fill(const unsigned char *image, uint32_t n)
	{
		len = n;
		memcpy(bytes, image, n);
	}
	uint32_t size() const
	{
		return (uint32_t)len;
	}
};

/* The largest power of two of slots that fit. */
template <class T> static unsigned slots_of(size_t bytes)
{
	unsigned n = 1;

	while ((size_t)n * 2 * sizeof(T) <= bytes)
		n *= 2;
	return n;
}

/* --- ring/ ------------------------------------------------------------- */

template <unsigned N> struct weir_queue {
	struct ring_producer *p;
	struct ring_consumer *c;

	explicit weir_queue(size_t bytes)
	{
		if (ring_new_pair(&p, &c, bytes, RING_PREFAULT))
			abort();
	}
	~weir_queue()
	{
		ring_producer_close(p);
		ring_consumer_close(c);
	}
	bool put(const unsigned char *image, uint32_t len)
	{
		return ring_write(p, 1, image, N ? N : len) == RING_OK;
	}
	void flush()
	{
	}
	template <class F> size_t take(F use)
	{
		struct ring_consumer *mine = c; /* as a program would */
		struct ring_record r;
		size_t n = 0;

		while (ring_peek(mine, &r) == RING_OK) {
			use((const unsigned char *)r.data, N ? N : r.len);
			ring_next(mine);
			n++;
		}
		return n;
	}
	size_t gathered()
	{
		return ring_avail(c);
	}
};

/* --- boost::lockfree::spsc_queue ----------------------------------------- */

template <unsigned N> struct boost_queue {
	boost::lockfree::spsc_queue<slot<N>> q;
	slot<N> s;

	explicit boost_queue(size_t bytes) : q(bytes / sizeof(slot<N>))
	{
	}
	bool put(const unsigned char *image, uint32_t len)
	{
		s.fill(image, len);
		return q.push(s);
	}
	void flush()
	{
	}
	template <class F> size_t take(F use)
	{
		return q.consume_all(
			[&](const slot<N> &r) { use(r.bytes, r.size()); });
	}
	size_t gathered()
	{
		return q.read_available() * sizeof(slot<N>);
	}
};

/* What gathers slots and puts BULK of them at a time: by Q's drain(). */
template <unsigned N, class Q> struct in_bulks {
	std::unique_ptr<slot<N>[]> held { new slot<N>[ BULK ] };
	size_t end = 0;

	bool drain()
	{
		return static_cast<Q *>(this)->drain();
	}
	bool put(const unsigned char *image, uint32_t len)
	{
		if (end == BULK && !drain())
			return false;
		held[end++].fill(image, len);
		return true;
	}
	void flush()
	{
		while (end && !drain())
			;
	}
};

template <unsigned N>
struct boost_bulk : boost_queue<N>, in_bulks<N, boost_bulk<N>> {
	using bulks = in_bulks<N, boost_bulk<N>>;
	size_t first = 0;

	using boost_queue<N>::boost_queue;
	using bulks::flush;
	using bulks::put;
	bool drain()
	{
		first += this->q.push(this->held.get() + first,
				      this->end - first);
		if (first == this->end)
			first = this->end = 0;
		return !this->end;
	}
};

/* --- ck_ring: pointers into a pool of slots ------------------------------- */

template <unsigned N> struct ck_queue {
	unsigned size;
	unsigned next = 0;
	std::unique_ptr<slot<N>[]> pool;
	std::unique_ptr<ck_ring_buffer_t[]> cells;
	ck_ring_t ring;

	explicit ck_queue(size_t bytes)
	    : size(slots_of<slot<N>>(bytes)), pool(new slot<N>[size]),
	      cells(new ck_ring_buffer_t[size])
	{
		ck_ring_init(&ring, size);
	}
	/* One slot is read, one written, while the ring holds the others. */
	bool put(const unsigned char *image, uint32_t len)
	{
		slot<N> *s = &pool[next & (size - 1)];

		if (ck_ring_size(&ring) + 2 >= size)
			return false;
		s->fill(image, len);
		next++;
		return ck_ring_enqueue_spsc(&ring, cells.get(), s);
	}
	void flush()
	{
	}
	template <class F> size_t take(F use)
	{
		slot<N> *s;
		size_t n = 0;

		for (; ck_ring_dequeue_spsc(&ring, cells.get(), &s); n++)
			use(s->bytes, s->size());
		return n;
	}
	size_t gathered()
	{
		return ck_ring_size(&ring) * sizeof(slot<N>);
	}
};

/* --- rte_ring of elements, in bulks ------------------------------------- */

template <unsigned N> struct rte_queue : in_bulks<N, rte_queue<N>> {
	static constexpr unsigned ESIZE = sizeof(slot<N>);
	struct rte_ring *r;
	std::unique_ptr<slot<N>[]> got { new slot<N>[ BULK ] };

	explicit rte_queue(size_t bytes)
	{
		unsigned n = slots_of<slot<N>>(bytes);
		ssize_t need = rte_ring_get_memsize_elem(ESIZE, n);

		r = (struct rte_ring *)aligned_alloc(RTE_CACHE_LINE_SIZE,
						     (size_t)need);
		if (!r ||
		    rte_ring_init(r, "bench", n, RING_F_SP_ENQ | RING_F_SC_DEQ))
			abort();
		memset((void *)(r + 1), 0, (size_t)need - sizeof(*r));
	}
	~rte_queue()
	{
		free(r);
	}
	bool drain()
	{
		unsigned n = rte_ring_sp_enqueue_bulk_elem(
			r, this->held.get(), ESIZE, (unsigned)this->end, NULL);

		if (n)
			this->end = 0;
		return n;
	}
	template <class F> size_t take(F use)
	{
		size_t all = 0;
		unsigned n, i;

		while ((n = rte_ring_sc_dequeue_burst_elem(r, got.get(), ESIZE,
							   BULK, NULL))) {
			for (i = 0; i < n; i++)
				use(got[i].bytes, got[i].size());
			all += n;
		}
		return all;
	}
	size_t gathered()
	{
		return (size_t)rte_ring_count(r) * ESIZE;
	}
};

#endif /* WEIR_RING_QUEUES_H */
