// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"

#define COPIER_NICE  (-10) /* as the aggregator */
#define NAP_NS	     NS_PER_MS
#define FOLLOW_SHARE 8	/* copy when so much of the window is new */
#define HASTE_SHARE  4	/* no pause when only so much can still be written */
#define LATE_SHARE   2	/* then, for lack of memory, one is given up */
#define TRIES_MAX    50 /* to begin */
#define SLICE_BYTES  (1U << 20) /* or more: */
#define SLICE_SHARE  32		/* two blocks of the ring */

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

static void tell(uint64_t *to, uint64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELEASE);
}

static int state_of(const struct snapshot_copy *copy)
{
	return __atomic_load_n(&copy->state, __ATOMIC_ACQUIRE);
}

/* ---- chunks -------------------------------------------------------------- */

static void chunk_free(struct snapshot_chunk *c)
{
	munmap(c->data, c->cap);
	__atomic_sub_fetch(c->held, c->cap, __ATOMIC_RELAXED);
	free(c);
}

/* The last to go sees all that others did with it. */
static void chunk_put(struct snapshot_chunk *c)
{
	if (!__atomic_sub_fetch(&c->refs, 1, __ATOMIC_ACQ_REL))
		chunk_free(c);
}

void snapshot_part_done(struct snapshot_part *p)
{
	if (p->chunk)
		chunk_put(p->chunk);
	p->chunk = NULL;
}

/* Page faults take longer than the copy: all of them at once, and of huge
 * pages if there are any. Best effort. */
static void prepare(void *data, size_t len)
{
	(void)madvise(data, len, MADV_HUGEPAGE);
	(void)madvise(data, len, MADV_POPULATE_WRITE);
}

static struct snapshot_chunk *chunk_new(uint64_t *held, size_t cap, size_t use)
{
	struct snapshot_chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	*c = (struct snapshot_chunk){.cap = cap, .refs = 1, .held = held};
	c->data = mmap(NULL, cap, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->data == MAP_FAILED) {
		free(c);
		return NULL;
	}
	__atomic_add_fetch(held, cap, __ATOMIC_RELAXED);
	prepare(c->data, use < cap ? use : cap);
	return c;
}

/* ---- what is kept for those who come ------------------------------------- */

static uint64_t chunk_end(const struct snapshot_chunk *c)
{
	return c->first + c->len;
}

static void forget(struct snapshot_copier *c, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		chunk_put(c->kept[i]);
	c->kept_count -= count;
	memmove(c->kept, c->kept + count, c->kept_count * sizeof(*c->kept));
}

/* What the window has forgotten nobody needs to begin with. */
static void forget_old(struct snapshot_copier *c)
{
	uint64_t base = window_base(c->window);
	unsigned n = 0;

	while (n < c->kept_count && chunk_end(c->kept[n]) <= base)
		n++;
	forget(c, n);
}

/* Takes over the reference. */
static void keep(struct snapshot_copier *c, struct snapshot_chunk *chunk)
{
	if (c->kept_count == SNAPSHOT_KEPT_MAX)
		forget(c, 1);
	c->kept[c->kept_count++] = chunk;
	c->copied = chunk_end(chunk);
}

static void go_back(struct snapshot_copier *c, uint64_t pos)
{
	forget(c, c->kept_count);
	c->copied = pos;
	c->follows = true;
}

/* ---- those who write ----------------------------------------------------- */

static void end_copy(struct snapshot_copy *copy, int err)
{
	copy->cut = err == -EOVERFLOW && state_of(copy) == COPY_FED;
	copy->err = copy->cut ? 0 : err;
	__atomic_store_n(&copy->state, COPY_OVER, __ATOMIC_RELEASE);
}

/* What is new to it in @chunk, where it begins not behind what it has. */
static void feed(struct snapshot_copy *copy, struct snapshot_chunk *chunk)
{
	struct snapshot_part part = {chunk, copy->fed - chunk->first};

	if (copy->fed >= chunk_end(chunk))
		return;
	if (copy->put - load(&copy->got) == SNAPSHOT_PARTS_MAX) {
		end_copy(copy, -EOVERFLOW);
		return;
	}
	__atomic_add_fetch(&chunk->refs, 1, __ATOMIC_RELAXED);
	copy->fed = chunk_end(chunk);
	copy->bytes_put += chunk->len - part.off;
	copy->parts[copy->put % SNAPSHOT_PARTS_MAX] = part;
	tell(&copy->put, copy->put + 1);
}

static void feed_all(struct snapshot_copier *c, struct snapshot_chunk *chunk)
{
	struct snapshot_copy *copy;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++)
		if (state_of(copy) == COPY_FED)
			feed(copy, chunk);
}

static void end_all(struct snapshot_copier *c, int err)
{
	struct snapshot_copy *copy;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++)
		if (state_of(copy) == COPY_FED || state_of(copy) == COPY_ASKED)
			end_copy(copy, err);
}

/* The window lacks what lies before @pos: who needs it can go on no longer. */
static void end_behind(struct snapshot_copier *c, uint64_t pos)
{
	struct snapshot_copy *copy;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++)
		if (state_of(copy) == COPY_FED && copy->fed < pos)
			end_copy(copy, -EOVERFLOW);
}

/* Who holds most is given up, so that the others can go on. */
static void cut_one(struct snapshot_copier *c)
{
	struct snapshot_copy *copy, *most = NULL;
	uint64_t bytes, max = 0;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++) {
		if (state_of(copy) != COPY_FED)
			continue;
		bytes = copy->bytes_put - load(&copy->bytes_got);
		if (most && bytes <= max)
			continue;
		most = copy;
		max = bytes;
	}
	if (most)
		end_copy(most, -EOVERFLOW);
}

/* ---- copying ------------------------------------------------------------- */

static bool has_room(const struct snapshot_copier *c, size_t cap)
{
	uint64_t ahead = c->size > SNAPSHOT_AHEAD_BYTES ? c->size
							: SNAPSHOT_AHEAD_BYTES;

	return load(&c->held) + cap <= c->size + ahead;
}

/* Return: 0, and *ret may be NULL: nothing is new; -EAGAIN no memory until
 * something is written; -ENOMEM; -EBADMSG. */
static int copy_slice(struct snapshot_copier *c, struct snapshot_chunk **ret)
{
	size_t cap = c->size / SLICE_SHARE, is_new;
	struct ring_snapshot_info info;
	struct snapshot_chunk *chunk;
	int status;

	cap = cap < SLICE_BYTES ? SLICE_BYTES : cap;
	is_new = window_end(c->window) - c->copied;
	if (!has_room(c, cap))
		forget(c, c->kept_count);
	if (!has_room(c, cap))
		return -EAGAIN;
	chunk = chunk_new(&c->held, cap, is_new);
	if (!chunk)
		return -ENOMEM;
	status = window_copy(c->window, c->copied, chunk->data, cap, &info);
	chunk->first = info.first;
	chunk->len = info.end - info.first;
	*ret = status == RING_OK ? chunk : NULL;
	if (status != RING_OK)
		chunk_put(chunk);
	return status == RING_CORRUPT ? -EBADMSG : 0;
}

/* Return: 0; -ENODATA nothing is new; errors of copy_slice(). */
static int follow(struct snapshot_copier *c)
{
	struct snapshot_chunk *chunk;
	int err = copy_slice(c, &chunk);

	if (err || !chunk)
		return err ? err : -ENODATA;
	if (chunk->first > c->copied) {
		c->gone = chunk->first;
		end_behind(c, c->gone);
		forget(c, c->kept_count);
	}
	feed_all(c, chunk);
	keep(c, chunk);
	return 0;
}

/* Bytes that can be written before what is next is overwritten. */
static uint64_t margin(const struct snapshot_copier *c)
{
	uint64_t behind = window_end(c->window) - c->copied;

	return behind < c->size ? c->size - behind : 0;
}

/* ---- the keyframe that one begins with ----------------------------------- */

uint64_t snapshot_key_ts(const struct ring_record *rec)
{
	struct window_key k = {0};

	if (rec->len >= sizeof(k))
		memcpy(&k, rec->data, sizeof(k));
	return k.ts;
}

struct place {
	unsigned kept;
	uint64_t pos, ts;
};

/* The first whole keyframe from @pos on, which may lie in several chunks. */
static bool find_key(const struct snapshot_copier *c, uint64_t pos,
		     struct place *ret)
{
	const struct snapshot_chunk *k;
	struct ring_record rec;
	bool open = false;
	size_t off, at;
	unsigned i;

	for (i = 0; i < c->kept_count; i++) {
		k = c->kept[i];
		if (chunk_end(k) <= pos)
			continue;
		off = at = pos > k->first ? pos - k->first : 0;
		for (; ring_parse(k->data, k->len, &off, &rec) == RING_OK;
		     at = off) {
			if (rec.type == WINDOW_KEY)
				*ret = (struct place){i, k->first + at,
						      snapshot_key_ts(&rec)};
			if (rec.type == WINDOW_KEY_END && open)
				return true;
			open = rec.type == WINDOW_KEY ||
			       (rec.type == WINDOW_STATE && open);
		}
	}
	return false;
}

/* As it begins: with the first event there is a keyframe, if it has room. */
static bool is_empty(const struct window *w)
{
	struct window_stats s;

	window_stats(w, &s);
	return !s.events;
}

static bool has_key(const struct window *w)
{
	struct window_stats s;

	window_stats(w, &s);
	return s.first_ns != 0;
}

static void hand_over(struct snapshot_copier *c, struct snapshot_copy *copy,
		      const struct place *key)
{
	unsigned i;

	copy->fed = key->pos;
	for (i = key->kept; i < c->kept_count; i++)
		feed(copy, c->kept[i]);
	if (state_of(copy) == COPY_ASKED)
		__atomic_store_n(&copy->state, COPY_FED, __ATOMIC_RELEASE);
}

/*
 * Begin one, once the keyframe it begins with was copied. The stream may be so
 * fast that it takes the whole window while this thread is kept from running:
 * then from what there is.
 */
static void join(struct snapshot_copier *c, struct snapshot_copy *copy)
{
	uint64_t to = load(&copy->end->to_ns), base = window_base(c->window);
	struct place key = {0};

	base = base > c->gone ? base : c->gone;
	if (is_empty(c->window)) {
		if (snapshot_end_known(copy->end))
			end_copy(copy, -ENOMSG);
	} else if (!has_key(c->window)) {
		end_copy(copy, -ENODATA);
	} else if (!c->follows ||
		   base < (c->kept_count ? c->kept[0]->first : c->copied)) {
		go_back(c, base);
		if (++copy->tries > TRIES_MAX)
			end_copy(copy, -EOVERFLOW);
	} else if (find_key(c, base, &key)) {
		if (to && key.ts > to)
			end_copy(copy, key.pos ? -EOVERFLOW : -ENOMSG);
		else
			hand_over(c, copy, &key);
	}
}

/* ---- the thread ---------------------------------------------------------- */

void snapshot_copier_init(struct snapshot_copier *c, const struct window *w)
{
	*c = (struct snapshot_copier){.window = w};
	sem_init(&c->go, 0, 0);
	sem_init(&c->runs, 0, 0);
}

static bool has_all(const struct snapshot_copy *copy)
{
	return snapshot_end_known(copy->end) && copy->fed >= copy->end->pos;
}

/* Begin and end. Return: how many there are now. */
static unsigned tend(struct snapshot_copier *c)
{
	struct snapshot_copy *copy;
	unsigned count = 0;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++) {
		if (state_of(copy) == COPY_ASKED)
			join(c, copy);
		if (state_of(copy) == COPY_FED && has_all(copy))
			end_copy(copy, 0);
		if (state_of(copy) != COPY_ASKED && state_of(copy) != COPY_FED)
			continue;
		if (__atomic_load_n(&copy->leave, __ATOMIC_ACQUIRE))
			end_copy(copy, 0);
		else
			count++;
	}
	return count;
}

/* Are so many bytes that are new to be copied now? At once where one lacks
 * nothing else, or has to begin. */
static bool is_due(const struct snapshot_copier *c, uint64_t bytes)
{
	const struct snapshot_copy *copy;
	bool any = false;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++) {
		if (state_of(copy) == COPY_ASKED)
			return true;
		if (state_of(copy) != COPY_FED)
			continue;
		if (snapshot_end_known(copy->end))
			return true;
		any = true;
	}
	return any && bytes >= c->size / FOLLOW_SHARE;
}

/* The less of the window is left for others to write, the shorter. */
static uint64_t pause_of(const struct snapshot_copier *c)
{
	uint64_t left = margin(c);

	if (left > c->size / 2)
		return 4 * NAP_NS;
	return left > c->size / HASTE_SHARE ? NAP_NS : 0;
}

/* Return: how long to pause, ns. */
static uint64_t go_on(struct snapshot_copier *c)
{
	int err;

	if (!c->follows || !is_due(c, window_end(c->window) - c->copied))
		return NAP_NS;
	err = follow(c);
	if (!err)
		forget_old(c);
	else if (err == -EAGAIN && margin(c) < c->size / LATE_SHARE)
		cut_one(c);
	else if (err != -EAGAIN && err != -ENODATA)
		end_all(c, err);
	return err ? NAP_NS : pause_of(c);
}

/* Until nobody needs it any more. */
static void copy_all(struct snapshot_copier *c)
{
	uint64_t pause;

	while (tend(c)) {
		pause = go_on(c);
		if (pause)
			clock_sleep(pause);
	}
	forget(c, c->kept_count);
	c->follows = false;
}

static void wait_for(sem_t *sem)
{
	while (sem_wait(sem) && errno == EINTR)
		;
}

static void *run(void *arg)
{
	struct snapshot_copier *c = arg;
	struct window_stats s;

	window_stats(c->window, &s);
	c->size = s.bytes;
	c->tid = gettid();
	sem_post(&c->runs);
	do {
		wait_for(&c->go);
		copy_all(c);
	} while (!__atomic_load_n(&c->leaves, __ATOMIC_ACQUIRE));
	return NULL;
}

int snapshot_copier_start(struct snapshot_copier *c)
{
	int err = pthread_create(&c->thread, NULL, run, c);

	c->running = !err;
	if (!err)
		wait_for(&c->runs);
	return -err;
}

void snapshot_copier_hurry(struct snapshot_copier *c)
{
	(void)setpriority(PRIO_PROCESS, (id_t)c->tid, COPIER_NICE);
}

void snapshot_copier_wake(struct snapshot_copier *c)
{
	sem_post(&c->go);
}

void snapshot_copier_stop(struct snapshot_copier *c)
{
	if (!c->running)
		return;
	__atomic_store_n(&c->leaves, true, __ATOMIC_RELEASE);
	snapshot_copier_wake(c);
	pthread_join(c->thread, NULL);
	c->running = false;
}

void snapshot_copier_done(struct snapshot_copier *c)
{
	snapshot_copier_stop(c);
	sem_destroy(&c->go);
	sem_destroy(&c->runs);
}

/* ---- who asks, and who writes -------------------------------------------- */

void snapshot_copy_ask(struct snapshot_copy *copy,
		       const struct snapshot_end *end)
{
	copy->leave = 0;
	copy->end = end;
	copy->put = copy->got = 0;
	copy->bytes_put = copy->bytes_got = 0;
	copy->tries = 0;
	copy->cut = false;
	copy->err = 0;
	__atomic_store_n(&copy->state, COPY_ASKED, __ATOMIC_RELEASE);
}

bool snapshot_copy_next(struct snapshot_copy *copy, struct snapshot_part *ret,
			bool *ret_over)
{
	*ret_over = snapshot_copy_over(copy);
	if (copy->got == load(&copy->put))
		return false;
	*ret = copy->parts[copy->got % SNAPSHOT_PARTS_MAX];
	tell(&copy->bytes_got, copy->bytes_got + ret->chunk->len - ret->off);
	tell(&copy->got, copy->got + 1);
	return true;
}

void snapshot_copy_leave(struct snapshot_copy *copy)
{
	struct snapshot_part part;
	bool over;

	__atomic_store_n(&copy->leave, 1, __ATOMIC_RELEASE);
	do {
		while (snapshot_copy_next(copy, &part, &over))
			snapshot_part_done(&part);
		if (!over)
			clock_sleep(NAP_NS);
	} while (!over);
}
