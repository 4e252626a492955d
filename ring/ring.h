/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * ring.h - a lock-free byte ring for exactly one producer and one consumer.
 *
 * Invariant: a record exists when the shared tail has passed its end, and its
 * space is free when the shared head has. Positions are bytes since creation,
 * 64 bits wide, multiples of 8, and never wrap (12 GiB/s: 49 years). Each side
 * computes with private copies of its own position and treats the other's as
 * a claim to be checked, so a peer can be dead, stopped or hostile.
 *
 *   one process, two threads    ring_new_pair    ring_write      ring_read
 *   without copying                              ring_reserve    ring_peek
 *                                                ring_commit     ring_next
 *   without chasing             ring_wait (sleep until enough has gathered)
 *   two processes               ring_create, then ring_attach_* on the memfd
 *   the last N bytes            ring_new_window  ring_write      ring_snapshot
 *
 * Two modes. Refuse: a full ring refuses the new record and counts it.
 * Overwrite: the oldest records give way and the producer is never refused;
 * there is no consumer, observers take verified copies while it goes on.
 *
 * Layout:
 *
 *   page 0   struct ring_id   what this is; written once, by the creator
 *   page 1   struct ring_rx   written by the consumer only
 *   page 2   struct ring_tx   written by the producer only
 *   data     size bytes, then the apron
 *
 * A record is always contiguous: one that begins before the end of the data
 * runs on into the apron (room for one record of ring_max() bytes), and the
 * next begins behind its image at the front. So every position has exactly
 * one place, and nothing is padded or mapped twice.
 *
 * Record: one 64-bit word { u32 len; u16 type; u16 zero } in host order, then
 * len bytes, then up to 7 bytes of padding that are not initialised.
 *
 * What acquires a resource returns 0 or -errno and leaves its ret_ outputs
 * untouched on failure; the rest returns enum ring_status, and is wait-free,
 * without a system call or an allocation, unless it says otherwise. Producer
 * and consumer are one thread each; handing the part over needs a
 * happens-before of your own.
 */
#ifndef WEIR_RING_H
#define WEIR_RING_H

#include "ring_order.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Bytes. The longest payload of a given ring: ring_max(). */
#define RING_SIZE_MIN	 64u
#define RING_SIZE_MAX	 (1u << 30)
#define RING_PAYLOAD_MAX (1u << 20)
#define RING_HEADER	 8u

/* Naps of ring_wait(), unless ring_set_nap() says otherwise: 20 us to 1 ms. */
#define RING_NAP_MIN_NS 20000ull
#define RING_NAP_MAX_NS 1000000ull

/* Block notes of an overwrite ring at most: a power of two. */
#define RING_NOTES 64u

/* No position beyond it is real. */
#define RING_POSITION_MAX (UINT64_MAX >> 2)

/* What an operation on records came to. */
enum ring_status {
	RING_OK = 0,
	RING_FULL,	/* no room now; the record is refused and counted */
	RING_EMPTY,	/* nothing to read now */
	RING_TOOBIG,	/* does not fit: into the ring, or into your buffer */
	RING_TIMEOUT,	/* less than asked for came in time */
	RING_CORRUPT,	/* the peer broke the protocol; for good */
	RING_PEER_DEAD, /* the producer has gone; less than asked for is left */
};

/* Flags of ring_create(), ring_new_pair() and ring_new_window(). */
enum ring_flags {
	RING_OVERWRITE = 1 << 0, /* ring_create(): oldest records give way */
	/*
	 * All memory now. Of ring_create() none is lacking later
	 * (fallocate(2)); within a process it is tried (MAP_POPULATE, which
	 * does not fail).
	 */
	RING_PREFAULT = 1 << 1,
};

/* One record, in place or copied; see who filled it in for how long. */
struct ring_record {
	const void *data;
	uint32_t len;  /* bytes */
	uint16_t type; /* the producer's, not interpreted */
};

/* Counters since creation; read at any time, each exact in itself. */
struct ring_stats {
	uint64_t size;	      /* bytes of data */
	uint64_t records;     /* committed; may be 1 more per SIGKILL */
	uint64_t bytes;	      /* committed, headers and padding included */
	uint64_t used;	      /* bytes committed and not yet given back */
	uint64_t full;	      /* records refused, ring full */
	uint64_t toobig;      /* records refused, longer than ring_max() */
	uint64_t overwritten; /* bytes that gave way (overwrite mode) */
	uint64_t forged;      /* heads ignored because they cannot be true */
};

/* What ring_snapshot() took. */
struct ring_snapshot_info {
	uint64_t first;	      /* position of the first byte taken: the oldest */
	uint64_t end;	      /* position behind the last: tail at the start */
	uint64_t records;     /* in between */
	uint64_t torn_blocks; /* overwritten under the copy, which began anew */
};

/* --- shared memory, exactly as laid out above --------------------------- */

/* Page 2: written by the producer. */
struct ring_tx {
	ring_word tail __attribute__((aligned(RING_LINE)));
	ring_counter records;
	ring_word wbeg __attribute__((aligned(RING_LINE))); /* see ring.c */
	ring_counter full __attribute__((aligned(RING_LINE)));
	ring_counter toobig;
	ring_counter forged;
	ring_word closed; /* 1: the last producer said good-bye */
	ring_word note[RING_NOTES] __attribute__((aligned(RING_LINE)));
};

/* Page 1: written by the consumer. */
struct ring_rx {
	ring_word head __attribute__((aligned(RING_LINE)));
};

/* --- handles: private memory; the fields are not for you ---------------- */

struct ring_map; /* a mapping, shared by the handles on it */

struct ring_producer {
	uintptr_t base; /* position p lies at address base + p, this lap */
	uint64_t tail;	/* where the next record goes */
	uint64_t limit; /* bytes below may be written without asking */
	uint64_t open;	/* where the last reservation is; open if at tail */
	struct ring_tx *tx;
	uint32_t max;	   /* payload bytes */
	uint32_t open_len; /* bytes last reserved, for what type */
	uint16_t open_type;
	bool overwrite;
	unsigned int block_shift; /* refuse mode: the ring is one block */
	unsigned char *data;
	uint64_t mask;	    /* size - 1 */
	uint64_t room;	    /* bytes below are free; overwrite mode: wbeg */
	uint64_t block_end; /* a record from here on begins a block */
	const struct ring_rx *rx;
	uint64_t head; /* last believed */
	uint64_t full, toobig, forged;
	struct ring_map *map;
} __attribute__((aligned(RING_LINE)));

struct ring_consumer {
	uintptr_t at;	   /* address of the next record to read */
	uintptr_t next;	   /* of the one after it, once peeked; else at */
	uintptr_t end;	   /* of the tail last believed */
	uintptr_t stop;	   /* from here on ring_next() needs ring_pass() */
	uint32_t max;	   /* payload bytes */
	bool corrupt;	   /* latched */
	bool dead;	   /* the watched process has ended */
	int pidfd;	   /* borrowed, or -1 */
	uint64_t lap;	   /* address a is position lap + a, this lap */
	uint64_t released; /* the shared head */
	uint64_t quantum;  /* bytes read before ring_next() gives back */
	struct ring_rx *rx;
	const struct ring_tx *tx;
	const unsigned char *data;
	uint64_t mask; /* size - 1 */
	uint64_t nap_ns, nap_min_ns, nap_max_ns;
	struct ring_map *map;
} __attribute__((aligned(RING_LINE)));

struct ring_observer {
	const unsigned char *data;
	uint64_t mask; /* size - 1 */
	uint32_t max;  /* payload bytes */
	bool overwrite;
	unsigned int block_shift;
	const struct ring_tx *tx;
	const struct ring_rx *rx;
	struct ring_map *map;
};

/* --- making rings (ring_map.c) ----------------------------------------- */

/**
 * ring_new_pair - a ring within this process, refuse mode
 * @ret_p, @ret_c: its ends, the caller's to close
 * @size:  bytes, a power of two, RING_SIZE_MIN..RING_SIZE_MAX
 * @flags: 0 or RING_PREFAULT
 *
 * The memory lives until both ends are closed, in any order and by any thread;
 * after fork() each process has a copy of its own.
 * Return: 0; -EINVAL size or flags, RING_OVERWRITE among them; -ENOMEM.
 */
int ring_new_pair(struct ring_producer **ret_p, struct ring_consumer **ret_c,
		  size_t size, unsigned int flags);

/**
 * ring_new_window - the same, overwrite mode
 *
 * Any number of threads may use the observer at a time. Return: as above.
 */
int ring_new_window(struct ring_producer **ret_p, struct ring_observer **ret_o,
		    size_t size, unsigned int flags);

/**
 * ring_create - a ring in a sealed memfd, for several processes
 * @ret_fd: close-on-exec, the caller's; needed until all have attached
 * @size:   as ring_new_pair()
 * @flags:  RING_OVERWRITE, RING_PREFAULT
 *
 * Return: 0; -EINVAL size or flags; -ENOSPC or -ENOMEM no memory (prefault);
 *         -EMFILE, -ENFILE, -ENOSYS from memfd_create.
 */
int ring_create(int *ret_fd, size_t size, unsigned int flags);

/**
 * ring_attach_producer - become the one producer of a shared ring
 *
 * Goes on where the last one ended, however it ended: what that had committed
 * stays, what it had only reserved never was. @fd is not kept. That there is
 * one at a time is up to the caller.
 * Return: 0; -EINVAL not a memfd of tmpfs that is sealed against shrinking,
 *         growing and taking the seals off (no access can fault then);
 *         -EBADMSG not a ring, or its positions cannot be true;
 *         -EPROTONOSUPPORT other version or page size; -ENOMEM;
 *         -EACCES the fd does not allow it (it is read-only).
 */
int ring_attach_producer(struct ring_producer **ret, int fd);

/**
 * ring_attach_consumer - become the one consumer of a shared ring
 *
 * Goes on at the shared head: what a consumer that was killed had not given
 * back (see ring_next()) comes again, nothing is skipped.
 * Return: as ring_attach_producer(); -EINVAL also for an overwrite ring.
 */
int ring_attach_consumer(struct ring_consumer **ret, int fd);

/**
 * ring_attach_observer - look at a shared ring without taking part
 *
 * A read-only fd will do (open /proc/self/fd/N with O_RDONLY), and is what to
 * give to readers that are not trusted. Return: as ring_attach_producer().
 */
int ring_attach_observer(struct ring_observer **ret, int fd);

/** ring_producer_close - nothing more will come; what is reserved and not
 * committed never was. NULL: no-op */
void ring_producer_close(struct ring_producer *p);

/** ring_consumer_close - give back what was read, let go. NULL: no-op */
void ring_consumer_close(struct ring_consumer *c);

/** ring_observer_close - let go. NULL: no-op */
void ring_observer_close(struct ring_observer *o);

/* --- what the inline functions below are made of; not for you ------------ */

/** ring_make_room - slow path of ring_claim() */
bool ring_make_room(struct ring_producer *p, size_t len);

/** ring_seek - have the consumer go on at @head */
void ring_seek(struct ring_consumer *c, uint64_t head);

/** ring_pass - slow path of ring_next(): give back what is due, begin a lap */
void ring_pass(struct ring_consumer *c);

/** ring_refresh - slow path of ring_peek(): RING_OK, _EMPTY or _CORRUPT */
int ring_refresh(struct ring_consumer *c);

/** ring_latch_corrupt - the peer is not to be believed; RING_CORRUPT */
int ring_latch_corrupt(struct ring_consumer *c);

/** ring_need - bytes that a payload of @len bytes takes in the ring */
static inline uint64_t ring_need(uint64_t len)
{
	return (RING_HEADER + len + 7) & ~(uint64_t)7;
}

/**
 * ring_claim - may a record of @len bytes be put at @pos? If not: counted
 *
 * One compare for room, length, lap and block: see set_limit() in ring.c.
 */
static inline bool ring_claim(struct ring_producer *p, uint64_t pos, size_t len)
{
	return __builtin_expect(len <= RING_PAYLOAD_MAX &&
					pos + ring_need(len) <= p->limit,
				1) ||
	       ring_make_room(p, len);
}

/** ring_at - where the record at @pos, once claimed, lies */
static inline unsigned char *ring_at(const struct ring_producer *p,
				     uint64_t pos)
{
	return (unsigned char *)(p->base + pos);
}

/** ring_publish - header and tail for the record ready in @rec, at @pos */
static inline void ring_publish(struct ring_producer *p, unsigned char *rec,
				uint64_t pos, uint64_t type, uint64_t len)
{
	struct ring_tx *tx = p->tx;

	ring_expect(rec + ring_need(len));
	ring_header_set(rec, type << 32 | len);
	p->tail = pos + ring_need(len);
	ring_count(&tx->records, ring_counted(&tx->records) + 1);
	ring_publish_tail(&tx->tail, pos + ring_need(len));
}

/* --- producer: its thread only ------------------------------------------- */

/** ring_max - longest payload in bytes: size / 8, at most RING_PAYLOAD_MAX */
static inline uint32_t ring_max(const struct ring_producer *p)
{
	return p->max;
}

/**
 * ring_reserve - claim contiguous space for one record
 * @len: payload bytes, 0..ring_max(p)
 *
 * No loop, and on x86 no fence that costs an instruction.
 * Lifetime: until ring_commit(). One reservation is open at most: another
 *           call, granted or refused, abandons it.
 * Return:   8-aligned pointer; NULL full or too big, counted (ring_stats).
 */
static inline void *ring_reserve(struct ring_producer *p, uint16_t type,
				 size_t len)
{
	uint64_t pos = p->tail;

	if (!ring_claim(p, pos, len))
		return NULL;
	p->open = pos;
	p->open_len = (uint32_t)len;
	p->open_type = type;
	return ring_at(p, pos) + RING_HEADER;
}

/**
 * ring_commit - publish the open reservation as a record
 * @len: payload bytes used, at most those reserved; the rest is free again
 *
 * Without an open reservation: no-op.
 */
static inline void ring_commit(struct ring_producer *p, size_t len)
{
	uint64_t pos = p->tail;

	if (__builtin_expect(p->open != pos, 0))
		return;
	if (__builtin_expect(len > p->open_len, 0))
		len = p->open_len;
	ring_publish(p, ring_at(p, pos), pos, p->open_type, len);
}

/**
 * ring_write - append one record
 *
 * Return: RING_OK; RING_FULL (refuse mode), RING_TOOBIG: not written, counted.
 */
static inline int ring_write(struct ring_producer *p, uint16_t type,
			     const void *buf, size_t len)
{
	uint64_t pos = p->tail;
	unsigned char *rec;

	if (!ring_claim(p, pos, len))
		return len > p->max ? RING_TOOBIG : RING_FULL;
	rec = ring_at(p, pos);
	if (len)
		ring_copy_in(rec + RING_HEADER, buf, len, p->overwrite);
	ring_publish(p, rec, pos, type, len);
	return RING_OK;
}

struct iovec;

/** ring_writev - one record, of @count pieces, used for the call. Pieces whose
 * lengths add up to more than a size_t are too big. Return: as ring_write(). */
int ring_writev(struct ring_producer *p, uint16_t type, const struct iovec *iov,
		int count);

/**
 * ring_space - bytes that can be written now
 *
 * A record takes ring_need() of them; nothing else makes them fewer. Reads the
 * consumer's head. Overwrite mode: the whole size.
 */
uint64_t ring_space(struct ring_producer *p);

/* --- consumer: its thread only ------------------------------------------- */

/**
 * ring_release - give everything read so far back to the producer
 *
 * Ends the life of what ring_peek() showed, but of the record not yet passed by
 * ring_next().
 */
static inline void ring_release(struct ring_consumer *c)
{
	uint64_t head = c->lap + c->at;

	if (head != c->released) {
		c->released = head;
		ring_publish_head(&c->rx->head, head);
	}
}

/**
 * ring_peek - look at the next record in place
 * @ret: private, and checked; its data is 8-aligned
 *
 * Lifetime: until ring_next(), or, with ring_hold(), until ring_release(). The
 *           bytes are the producer's: where it is not trusted they can change
 *           under your eyes, so copy before you check, or use ring_read().
 * Return:   RING_OK; RING_EMPTY; RING_CORRUPT.
 */
static inline int ring_peek(struct ring_consumer *c, struct ring_record *ret)
{
	const unsigned char *rec;
	uint64_t header, len;
	int r;

	if (c->at == c->end) {
		r = ring_refresh(c);
		if (r != RING_OK)
			return r;
	}
	rec = (const unsigned char *)c->at;
	header = ring_header_get(rec);
	len = (uint32_t)header;
	if (__builtin_expect(len > c->max || header >> 48 ||
				     ring_need(len) > c->end - c->at,
			     0)) {
		ring_latch_corrupt(c);
		return RING_CORRUPT;
	}
	c->next = c->at + ring_need(len);
	ret->data = rec + RING_HEADER;
	ret->len = (uint32_t)len;
	ret->type = (uint16_t)(header >> 32);
	return RING_OK;
}

/**
 * ring_next - pass the record that ring_peek() showed
 *
 * Gives space back whenever an eighth of the ring has been read, unless
 * ring_hold() says otherwise. Without a peek before it: no-op.
 */
static inline void ring_next(struct ring_consumer *c)
{
	c->at = c->next;
	if (__builtin_expect(c->at >= c->stop, 0))
		ring_pass(c);
}

/**
 * ring_hold - choose when space is given back
 * @bytes: whenever so many have been read, or the ring was found empty;
 *         UINT64_MAX: only by ring_release() and ring_wait(), so that a batch
 *         of peeked records can be held
 */
static inline void ring_hold(struct ring_consumer *c, uint64_t bytes)
{
	c->quantum = bytes;
	c->stop = 0;
}

/**
 * ring_read - copy the next record out and pass it
 * @buf: @cap bytes; may be NULL if @cap is 0
 * @ret: len, type, and data = @buf
 *
 * Return: RING_OK; RING_EMPTY; RING_TOOBIG: @cap is too small, ret->len tells
 *         what is needed, the record is kept; RING_CORRUPT.
 */
int ring_read(struct ring_consumer *c, void *buf, size_t cap,
	      struct ring_record *ret);

/** ring_avail - bytes that can be read now, headers and padding included; 0
 * also when corrupt. */
uint64_t ring_avail(struct ring_consumer *c);

/**
 * ring_poll - has enough gathered?
 * @min_bytes: as counted by ring_avail(); 0 counts as 1; more than half the
 *             ring counts as half, since a full ring may hold little more
 *
 * Return: RING_OK; less than that is there, possibly something: RING_EMPTY, or
 *         RING_PEER_DEAD no more will come; RING_CORRUPT.
 */
int ring_poll(struct ring_consumer *c, uint64_t min_bytes);

/**
 * ring_wait - sleep until @min_bytes have gathered (ring_wait.c)
 * @min_bytes:  as for ring_poll(). 64 KiB is a good watermark: who reads right
 *              behind the producer fights it for cache lines (2-8 times slower)
 * @timeout_ns: 0: do not sleep
 *
 * Gives back what was read, then sleeps in naps that adapt to the rate: for the
 * producer to wake it would cost a fence per record. A signal ends it early.
 * The timeout is on CLOCK_MONOTONIC; UINT64_MAX: for ever. Not wait-free.
 * Return: as ring_poll(), but RING_TIMEOUT for RING_EMPTY, and after a signal.
 */
int ring_wait(struct ring_consumer *c, uint64_t min_bytes, uint64_t timeout_ns);

/**
 * ring_set_nap - bounds for the naps of ring_wait(), ns
 *
 * The ring must hold what comes in @max_ns at the full rate.
 */
static inline void ring_set_nap(struct ring_consumer *c, uint64_t min_ns,
				uint64_t max_ns)
{
	c->nap_min_ns = min_ns;
	c->nap_max_ns = max_ns < min_ns ? min_ns : max_ns;
	c->nap_ns = c->nap_max_ns;
}

/**
 * ring_watch - have ring_wait() notice the death of the producer's process
 * @pidfd: from pidfd_open(2), borrowed until the next call or close; -1: none
 *
 * ring_producer_close() is noticed without it, SIGKILL only with it.
 */
static inline void ring_watch(struct ring_consumer *c, int pidfd)
{
	c->pidfd = pidfd;
	c->dead = false;
}

/* --- observer: any thread, any number at a time; writes nothing shared ---- */

/**
 * ring_snapshot - copy the newest records out of an overwrite ring
 * @buf: gets whole records, headers included, oldest first and without a gap,
 *       up to the tail at the time of the call; for ring_parse(). Its content
 *       is undefined unless RING_OK is returned
 * @cap: bytes; ring size for all there is, less for the newest only
 *
 * Copies block by block (size / 64) and verifies each right after copying it:
 * if the producer has come near meanwhile, what was taken so far is dropped
 * and the copy goes on behind it. Of 4 MiB it keeps 99 % at 5 million
 * records/s and 98 % at 20; a producer that does nothing but write may
 * overtake the copy, and leave it a twentieth.
 * Return: RING_OK; RING_EMPTY no record, or none survived (*ret is filled in);
 *         RING_CORRUPT the producer broke the protocol, or refuses when full.
 */
int ring_snapshot(const struct ring_observer *o, void *buf, size_t cap,
		  struct ring_snapshot_info *ret);

/**
 * ring_snapshot_from - copy some of an overwrite ring, from @from on
 * @from: where a record begins: the @first or @end of a copy before
 * @cap:  bytes; two 64ths of the ring and a longest record always make progress
 *
 * As ring_snapshot(), but the oldest from there on: where @from is overwritten
 * @ret->first is later. What comes next begins at @ret->end. Records are not
 * looked at: @ret->records is 0. Return: as ring_snapshot(), RING_EMPTY also
 * when no block fits @cap; RING_CORRUPT also when @from is not a position of
 * this ring.
 */
int ring_snapshot_from(const struct ring_observer *o, uint64_t from, void *buf,
		       size_t cap, struct ring_snapshot_info *ret);

/**
 * ring_parse - walk records in private memory, such as a snapshot's
 * @len: bytes in @buf
 * @off: where to go on; 0 at first
 * @ret: the record, pointing into @buf; 8-aligned if that is
 *
 * Trusts nothing in @buf but that it is @len bytes.
 * Return: RING_OK, @off moved on; RING_EMPTY: the end; RING_CORRUPT: not
 * records.
 */
int ring_parse(const void *buf, size_t len, size_t *off,
	       struct ring_record *ret);

/* --- counters ------------------------------------------------------------ */

/* Each is read for itself, so they may be of different moments. */

/** ring_producer_stats - counters, as seen by the producer's thread */
void ring_producer_stats(const struct ring_producer *p, struct ring_stats *ret);

/** ring_consumer_stats - counters, as seen by the consumer's thread */
void ring_consumer_stats(const struct ring_consumer *c, struct ring_stats *ret);

/** ring_observer_stats - counters, as seen by anybody. Thread: any. */
void ring_observer_stats(const struct ring_observer *o, struct ring_stats *ret);

#ifdef __cplusplus
}
#endif

#endif /* WEIR_RING_H */
