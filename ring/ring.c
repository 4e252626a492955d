// SPDX-License-Identifier: BSD-2-Clause
/*
 * ring.c - the ring's algorithm: what the fast paths in ring.h leave over.
 *
 * No system call and no memory of its own: all of it runs unchanged in the
 * model checker (tests/stress/ring_model.cpp).
 *
 * Overwrite mode. Position q lies where q - size lay, so writing below wbeg
 * destroys what is older than wbeg - size. The producer therefore raises wbeg
 * before it touches a byte at or above it, a step ahead at a time; and for
 * each block (size / 64) it notes where the first record in it begins, since
 * a reader that jumps in needs a record boundary. An observer copies the
 * records that begin in one block, then looks at wbeg: if it is no more than
 * size past the copy's first byte, no byte of the copy was touched.
 */
#include "ring.h"

#include <sys/uio.h>

static uint64_t ring_size(uint64_t mask)
{
	return mask + 1;
}

static uint64_t round_up(uint64_t v, uint64_t align)
{
	return (v + align - 1) & ~(align - 1);
}

/* --- producer ------------------------------------------------------------ */

/* How far ahead of need wbeg is raised: rarely, yet little of the past lost. */
static uint64_t wbeg_step(const struct ring_producer *p)
{
	uint64_t block = (uint64_t)1 << p->block_shift;

	return block < 4096 ? block : 4096;
}

static void raise_wbeg(struct ring_producer *p, uint64_t end)
{
	uint64_t step = wbeg_step(p);

	p->room = round_up(end, step) + step;
	ring_set(&p->tx->wbeg, p->room);
	ring_fence_overwrite();
}

/*
 * A head is believed if it lies between the last one and tail. A consumer
 * that moves it back would have reservations overlap what is still unread; one
 * that lies gains nothing but a full ring.
 */
static void believe_head(struct ring_producer *p)
{
	uint64_t head = ring_fetch_head(&p->rx->head);

	if (head - p->head > p->tail - p->head || head & 7) {
		ring_count(&p->tx->forged, ++p->forged);
		return;
	}
	p->head = head;
	p->room = head + ring_size(p->mask);
}

/* An open reservation is abandoned as well. */
static bool refuse(struct ring_producer *p, ring_counter *shared, uint64_t *own)
{
	p->open = UINT64_MAX;
	ring_count(shared, ++*own);
	return false;
}

/*
 * The next record is the first to begin in its block. It is noted before it is
 * there: no one looks at a note beyond tail.
 */
static void begin_block(struct ring_producer *p)
{
	uint64_t block = p->tail >> p->block_shift;
	uint64_t notes = ring_size(p->mask) >> p->block_shift;

	if (p->overwrite)
		ring_set(&p->tx->note[block & (notes - 1)], p->tail);
	p->block_end = (block + 1) << p->block_shift;
}

/*
 * Below limit nothing needs a look: there is room, no lap or block begins, and
 * what fits is no longer than a longest record.
 */
static void set_limit(struct ring_producer *p)
{
	uint64_t limit = p->tail + p->max;

	if (limit > p->block_end)
		limit = p->block_end;
	if (limit > p->room)
		limit = p->room;
	p->limit = limit;
	p->base = (uintptr_t)p->data - (uintptr_t)(p->tail & ~p->mask);
}

bool ring_make_room(struct ring_producer *p, size_t len)
{
	uint64_t end = p->tail + ring_need(len);

	if (len > p->max)
		return refuse(p, &p->tx->toobig, &p->toobig);
	if (end > p->room && p->overwrite)
		raise_wbeg(p, end);
	else if (end > p->room)
		believe_head(p);
	if (end > p->room)
		return refuse(p, &p->tx->full, &p->full);
	if (p->tail >= p->block_end)
		begin_block(p);
	set_limit(p);
	return true;
}

static size_t iov_len(const struct iovec *iov, int count)
{
	size_t len = 0;

	/* saturates, so that a sum that wraps is too big as well */
	for (int i = 0; i < count; i++)
		if (__builtin_add_overflow(len, iov[i].iov_len, &len))
			return SIZE_MAX;
	return len;
}

static void gather(struct ring_producer *p, unsigned char *dst,
		   const struct iovec *iov, int count)
{
	for (int i = 0; i < count; dst += iov[i++].iov_len)
		if (iov[i].iov_len)
			ring_copy_in(dst, iov[i].iov_base, iov[i].iov_len,
				     p->overwrite);
}

int ring_writev(struct ring_producer *p, uint16_t type, const struct iovec *iov,
		int count)
{
	size_t len = iov_len(iov, count);
	unsigned char *dst = (unsigned char *)ring_reserve(p, type, len);

	if (!dst)
		return len > p->max ? RING_TOOBIG : RING_FULL;
	gather(p, dst, iov, count);
	ring_commit(p, len);
	return RING_OK;
}

uint64_t ring_space(struct ring_producer *p)
{
	if (p->overwrite)
		return ring_size(p->mask);
	believe_head(p);
	return p->room - p->tail;
}

/* --- consumer ------------------------------------------------------------ */

int ring_latch_corrupt(struct ring_consumer *c)
{
	c->corrupt = true;
	c->end = c->next = c->at;
	return RING_CORRUPT;
}

/* A tail is believed if it does not go back and promises no more than fits. */
static int believe_tail(struct ring_consumer *c)
{
	uint64_t tail, avail;

	if (c->corrupt)
		return RING_CORRUPT;
	tail = ring_fetch_tail(&c->tx->tail);
	avail = tail - (c->lap + c->at);
	if (avail > ring_size(c->mask) || avail < c->end - c->at || tail & 7)
		return ring_latch_corrupt(c);
	c->end = c->at + avail;
	return RING_OK;
}

void ring_seek(struct ring_consumer *c, uint64_t head)
{
	c->at = c->next = c->end = (uintptr_t)c->data + (head & c->mask);
	c->lap = head - c->at;
	c->released = head;
}

/* At the end of the data, or behind it in the apron: on at the front. */
static void next_lap(struct ring_consumer *c)
{
	uint64_t size = ring_size(c->mask);

	c->at -= size;
	c->next -= size;
	c->end -= size;
	c->lap += size;
}

void ring_pass(struct ring_consumer *c)
{
	uintptr_t data_end = (uintptr_t)c->data + ring_size(c->mask);
	uint64_t more;

	if (c->at >= data_end)
		next_lap(c);
	if (c->lap + c->at - c->released >= c->quantum)
		ring_release(c);
	more = c->quantum - (c->lap + c->at - c->released);
	c->stop = more < data_end - c->at ? c->at + more : data_end;
}

/* Slow path of ring_peek(): all that was known of is read. Is there more? */
int ring_refresh(struct ring_consumer *c)
{
	int r = believe_tail(c);

	if (r != RING_OK || c->at != c->end)
		return r;
	if (c->quantum != UINT64_MAX)
		ring_release(c);
	return RING_EMPTY;
}

int ring_read(struct ring_consumer *c, void *buf, size_t cap,
	      struct ring_record *ret)
{
	int r = ring_peek(c, ret);

	if (r != RING_OK)
		return r;
	if (ret->len > cap) {
		ret->data = NULL;
		return RING_TOOBIG;
	}
	if (ret->len)
		ring_copy_out(buf, (const unsigned char *)ret->data, ret->len,
			      false);
	ret->data = buf;
	ring_next(c);
	return RING_OK;
}

uint64_t ring_avail(struct ring_consumer *c)
{
	believe_tail(c);
	return c->end - c->at;
}

int ring_poll(struct ring_consumer *c, uint64_t min_bytes)
{
	/* before tail: who has gone has published all it ever will */
	bool gone = c->dead || ring_fetch_closed(&c->tx->closed);
	uint64_t half = ring_size(c->mask) / 2;
	int r = believe_tail(c);

	if (r != RING_OK)
		return r;
	if (min_bytes > half)
		min_bytes = half;
	if (c->end - c->at >= (min_bytes ? min_bytes : 1))
		return RING_OK;
	return gone ? RING_PEER_DEAD : RING_EMPTY;
}

/* --- observer ------------------------------------------------------------ */

/* A snapshot under way: records from @first up to @pos are in the buffer. */
struct snapshot {
	const struct ring_observer *o;
	unsigned char *buf;
	uint64_t cap;
	uint64_t first; /* position of buf[0] */
	uint64_t pos;	/* the next record boundary to copy from */
	uint64_t end;
	uint64_t torn_blocks;
};

/* Smallest position from which at most @cap bytes lead up to @end. */
static uint64_t oldest_wanted(const struct ring_observer *o, uint64_t end,
			      uint64_t cap)
{
	uint64_t size = ring_size(o->mask);
	uint64_t wbeg = ring_get(&o->tx->wbeg);
	uint64_t oldest = wbeg > size ? wbeg - size : 0;

	if (cap > size)
		cap = size;
	if (end > cap && oldest < end - cap)
		oldest = end - cap;
	return oldest;
}

/*
 * First record known to begin in [from, end), else @end. A note of another lap
 * is skipped: an older one means that no record begins in this block; a newer
 * one that the block is gone, which the check of wbeg will find.
 */
static uint64_t first_noted(const struct ring_observer *o, uint64_t from,
			    uint64_t end)
{
	uint64_t notes = ring_size(o->mask) >> o->block_shift;
	uint64_t block, pos;

	for (block = from >> o->block_shift; block << o->block_shift < end;
	     block++) {
		pos = ring_get(&o->tx->note[block & (notes - 1)]);
		if (pos >> o->block_shift == block && pos >= from &&
		    pos < end && !(pos & 7))
			return pos;
	}
	return end;
}

/* Was nothing at or above @pos overwritten until now? */
static bool still_whole(const struct ring_observer *o, uint64_t pos)
{
	ring_fence_copied();
	return ring_get(&o->tx->wbeg) <= pos + ring_size(o->mask);
}

/* A block was torn: drop everything, go on at what is whole now. */
static void restart_behind(struct snapshot *s, uint64_t next)
{
	uint64_t oldest = oldest_wanted(s->o, s->end, s->cap);

	s->torn_blocks++;
	s->pos = first_noted(s->o, oldest > next ? oldest : next, s->end);
	s->first = s->pos;
}

/* Where the first record begins that the block of @s->pos does not have. */
static uint64_t next_block(const struct snapshot *s)
{
	uint64_t block = s->pos >> s->o->block_shift;

	return first_noted(s->o, (block + 1) << s->o->block_shift, s->end);
}

/*
 * Copy the records that begin in the block of @s->pos, up to @next: that of
 * next_block(), asked once, since the answer may be another the next time. They
 * are contiguous: a block never wraps, and its last record at most runs into
 * the apron. That the notes say otherwise is the producer's fault, or the sign
 * of a torn block.
 */
static int copy_block(struct snapshot *s, uint64_t next)
{
	const struct ring_observer *o = s->o;
	uint64_t at = s->pos & o->mask, len = next - s->pos;
	bool fits = at + len <= ring_size(o->mask) + ring_need(o->max) - 8;

	if (fits)
		ring_copy_out(s->buf + (s->pos - s->first), o->data + at, len,
			      true);
	if (!still_whole(o, s->pos))
		restart_behind(s, next);
	else if (fits)
		s->pos = next;
	else
		return RING_CORRUPT;
	return RING_OK;
}

static int count_records(const unsigned char *buf, size_t len,
			 uint64_t *ret_records)
{
	struct ring_record rec;
	uint64_t records = 0;
	size_t off = 0;
	int r;

	while ((r = ring_parse(buf, len, &off, &rec)) == RING_OK)
		records++;
	if (r == RING_CORRUPT)
		return r;
	*ret_records = records;
	return records ? RING_OK : RING_EMPTY;
}

int ring_snapshot(const struct ring_observer *o, void *buf, size_t cap,
		  struct ring_snapshot_info *ret)
{
	struct snapshot s = {o, (unsigned char *)buf, cap, 0, 0, 0, 0};

	s.end = ring_fetch_tail(&o->tx->tail);
	if (!o->overwrite || s.end > RING_POSITION_MAX || s.end & 7)
		return RING_CORRUPT;
	s.pos = first_noted(o, oldest_wanted(o, s.end, cap), s.end);
	s.first = s.pos;
	while (s.pos < s.end)
		if (copy_block(&s, next_block(&s)) != RING_OK)
			return RING_CORRUPT;
	ret->first = s.first;
	ret->end = s.end;
	ret->torn_blocks = s.torn_blocks;
	return count_records(s.buf, s.end - s.first, &ret->records);
}

/* As many blocks as fit into @cap bytes. */
static int copy_slice(struct snapshot *s, size_t cap)
{
	uint64_t next;

	while (s->pos < s->end) {
		next = next_block(s);
		if (next - s->first > cap)
			return RING_OK;
		if (copy_block(s, next) != RING_OK)
			return RING_CORRUPT;
	}
	return RING_OK;
}

int ring_snapshot_from(const struct ring_observer *o, uint64_t from, void *buf,
		       size_t cap, struct ring_snapshot_info *ret)
{
	uint64_t size = ring_size(o->mask);
	struct snapshot s = {o, (unsigned char *)buf, size, from, from, 0, 0};

	s.end = ring_fetch_tail(&o->tx->tail);
	if (!o->overwrite || s.end > RING_POSITION_MAX || (s.end | from) & 7 ||
	    from > s.end)
		return RING_CORRUPT;
	if (!still_whole(o, from))
		restart_behind(&s, from);
	else if (s.end - from > size)
		return RING_CORRUPT;
	if (copy_slice(&s, cap) != RING_OK)
		return RING_CORRUPT;
	ret->first = s.first;
	ret->end = s.pos;
	ret->records = 0;
	ret->torn_blocks = s.torn_blocks;
	return s.pos > s.first ? RING_OK : RING_EMPTY;
}

int ring_parse(const void *buf, size_t len, size_t *off,
	       struct ring_record *ret)
{
	const unsigned char *rec = (const unsigned char *)buf + *off;
	uint64_t header, left = len - *off;

	if (*off >= len)
		return RING_EMPTY;
	if (left < RING_HEADER)
		return RING_CORRUPT;
	memcpy(&header, rec, sizeof(header));
	if (ring_need((uint32_t)header) > left || header >> 48)
		return RING_CORRUPT;
	ret->data = rec + RING_HEADER;
	ret->len = (uint32_t)header;
	ret->type = (uint16_t)(header >> 32);
	*off += ring_need(ret->len);
	return RING_OK;
}

/* --- counters ------------------------------------------------------------ */

static void fill_stats(const struct ring_tx *tx, const struct ring_rx *rx,
		       uint64_t mask, struct ring_stats *ret)
{
	uint64_t size = ring_size(mask), wbeg = ring_get(&tx->wbeg);

	ret->size = size;
	ret->bytes = ring_get(&tx->tail);
	ret->records = ring_counted(&tx->records);
	ret->full = ring_counted(&tx->full);
	ret->toobig = ring_counted(&tx->toobig);
	ret->forged = ring_counted(&tx->forged);
	ret->overwritten = wbeg > size ? wbeg - size : 0;
	ret->used = ret->bytes - ring_get(&rx->head) - ret->overwritten;
	if (ret->used > size)
		ret->used = size;
}

void ring_producer_stats(const struct ring_producer *p, struct ring_stats *ret)
{
	fill_stats(p->tx, p->rx, p->mask, ret);
}

void ring_consumer_stats(const struct ring_consumer *c, struct ring_stats *ret)
{
	fill_stats(c->tx, c->rx, c->mask, ret);
}

void ring_observer_stats(const struct ring_observer *o, struct ring_stats *ret)
{
	fill_stats(o->tx, o->rx, o->mask, ret);
}
