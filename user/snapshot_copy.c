// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <unistd.h>

#include "clock.h"

#define COPIER_NICE  (-20)
#define NAP_NS	     NS_PER_MS
#define FOLLOW_SHARE 8	/* copy when so much of the window is new */
#define LATE_SHARE   2	/* so much of it, for lack of memory: give one up */
#define COPIES_MAX   50 /* tried to begin with */
#define SLACK_BYTES  (1U << 20)
#define SLACK_SHARE  32 /* of the window; a block of the ring is a 64th */

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

static struct snapshot_chunk *chunk_new(uint64_t *held, size_t cap)
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
	prepare(c->data, cap);
	return c;
}

/* ---- what is kept for those who come ------------------------------------- */

static uint64_t part_begin(const struct snapshot_part *p)
{
	return p->chunk->first + p->off;
}

static uint64_t part_end(const struct snapshot_part *p)
{
	return p->chunk->first + p->chunk->len;
}

static void forget(struct snapshot_copier *c, unsigned count)
{
	unsigned i;

	for (i = 0; i < count; i++)
		snapshot_part_done(&c->kept[i]);
	c->kept_count -= count;
	memmove(c->kept, c->kept + count, c->kept_count * sizeof(*c->kept));
}

/* What the window has forgotten nobody needs to begin with. */
static void forget_old(struct snapshot_copier *c)
{
	uint64_t base = window_base(c->window);
	unsigned n = 0;

	while (n < c->kept_count && part_end(&c->kept[n]) <= base)
		n++;
	forget(c, n);
}

/* Takes over the reference. */
static void keep(struct snapshot_copier *c, struct snapshot_chunk *chunk,
		 size_t off)
{
	if (c->kept_count == SNAPSHOT_KEPT_MAX)
		forget(c, 1);
	c->kept[c->kept_count++] = (struct snapshot_part){chunk, off};
	c->copied = chunk->first + chunk->len;
}

/* ---- those who write ----------------------------------------------------- */

static void end_copy(struct snapshot_copy *copy, int err)
{
	copy->cut = err == -EOVERFLOW && state_of(copy) == COPY_FED;
	copy->err = copy->cut ? 0 : err;
	__atomic_store_n(&copy->state, COPY_OVER, __ATOMIC_RELEASE);
}

static void end_all(struct snapshot_copier *c, int err)
{
	struct snapshot_copy *copy;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++)
		if (state_of(copy) == COPY_FED)
			end_copy(copy, err);
}

static void feed(struct snapshot_copy *copy, struct snapshot_part part)
{
	if (copy->put - load(&copy->got) == SNAPSHOT_PARTS_MAX) {
		end_copy(copy, -EOVERFLOW);
		return;
	}
	__atomic_add_fetch(&part.chunk->refs, 1, __ATOMIC_RELAXED);
	copy->bytes_put += part.chunk->len - part.off;
	copy->parts[copy->put % SNAPSHOT_PARTS_MAX] = part;
	tell(&copy->put, copy->put + 1);
}

/* What is new in @chunk, for all that have what is before. */
static void feed_all(struct snapshot_copier *c, struct snapshot_chunk *chunk)
{
	struct snapshot_part part = {chunk, c->copied - chunk->first};
	struct snapshot_copy *copy;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++)
		if (state_of(copy) == COPY_FED)
			feed(copy, part);
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

/* Copy what is newer than @from, or as much of it as there still is. Return: 0;
 * -EAGAIN no memory until something is written; -ENOMEM; -EBADMSG. */
static int copy_from(struct snapshot_copier *c, uint64_t from, uint64_t slack,
		     struct snapshot_chunk **ret)
{
	uint64_t cap = window_end(c->window) - from + slack;
	struct ring_snapshot_info info;
	struct snapshot_chunk *chunk;

	cap = cap < c->size ? cap : c->size;
	if (!has_room(c, cap))
		forget(c, c->kept_count);
	if (!has_room(c, cap))
		return -EAGAIN;
	chunk = chunk_new(&c->held, cap);
	if (!chunk)
		return -ENOMEM;
	if (window_copy(c->window, chunk->data, cap, &info) == RING_CORRUPT) {
		chunk_put(chunk);
		return -EBADMSG;
	}
	chunk->first = info.first;
	chunk->len = info.end - info.first;
	*ret = chunk;
	return 0;
}

static uint64_t slack_of(const struct snapshot_copier *c)
{
	return SLACK_BYTES + c->size / SLACK_SHARE;
}

/* Return: 0; -EOVERFLOW some of what is new is gone; errors of copy_from(). */
static int follow(struct snapshot_copier *c)
{
	struct snapshot_chunk *chunk;
	int err;

	err = copy_from(c, c->copied, slack_of(c), &chunk);
	if (!err && chunk->first > c->copied && chunk->cap < c->size) {
		chunk_put(chunk);
		err = copy_from(c, c->copied, c->size, &chunk);
	}
	if (err)
		return err;
	if (chunk->first > c->copied) {
		chunk_put(chunk);
		return -EOVERFLOW;
	}
	feed_all(c, chunk);
	keep(c, chunk, c->copied - chunk->first);
	return 0;
}

/* The whole window, for one that comes; the others take of it what is new. */
static int copy_window(struct snapshot_copier *c)
{
	struct snapshot_chunk *chunk;
	int err = copy_from(c, window_base(c->window), slack_of(c), &chunk);

	if (err)
		return err;
	if (chunk->first > c->copied)
		end_all(c, -EOVERFLOW);
	else
		feed_all(c, chunk);
	forget(c, c->kept_count);
	keep(c, chunk, 0);
	return 0;
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
	unsigned part; /* of those kept */
	size_t off;
	uint64_t ts;
};

/* The first whole keyframe from @pos on, which may lie in several parts. */
static bool find_key(const struct snapshot_copier *c, uint64_t pos,
		     struct place *ret)
{
	const struct snapshot_part *p;
	struct ring_record rec;
	bool open = false;
	size_t off, at;
	unsigned i;

	for (i = 0; i < c->kept_count; i++) {
		p = &c->kept[i];
		if (part_end(p) <= pos)
			continue;
		at = pos > part_begin(p) ? pos - p->chunk->first : p->off;
		for (off = at; ring_parse(p->chunk->data, p->chunk->len, &off,
					  &rec) == RING_OK;
		     at = off) {
			if (rec.type == WINDOW_KEY)
				*ret = (struct place){i, at,
						      snapshot_key_ts(&rec)};
			if (rec.type == WINDOW_KEY_END && open)
				return true;
			open = rec.type == WINDOW_KEY ||
			       (rec.type == WINDOW_STATE && open);
		}
	}
	return false;
}

static bool has_key(const struct window *w)
{
	struct window_stats s;

	window_stats(w, &s);
	return s.first_ns != 0;
}

static bool reaches(const struct snapshot_copier *c, uint64_t pos)
{
	return c->kept_count && part_begin(&c->kept[0]) <= pos &&
	       pos < c->copied;
}

/* Return: 0, and @ret; -ENODATA; errors of copy_from(). */
static int begin(struct snapshot_copier *c, struct place *ret)
{
	uint64_t base = window_base(c->window);
	int err = 0;

	if (!reaches(c, base))
		err = copy_window(c);
	if (!err && !find_key(c, base, ret)) {
		forget(c, c->kept_count); /* else the next looks there */
		err = -ENODATA;
	}
	return err;
}

/*
 * Begin one. The stream may be so fast that it takes the whole window while
 * this thread is kept from running.
 */
static void join(struct snapshot_copier *c, struct snapshot_copy *copy)
{
	uint64_t to = load(&copy->end->to_ns);
	unsigned tries = COPIES_MAX, i;
	struct place key = {0};
	int err;

	do {
		err = begin(c, &key);
	} while (err == -ENODATA && has_key(c->window) && --tries);
	if (err == -EAGAIN)
		return; /* later */
	if (!tries || (!err && to && key.ts > to))
		err = -EOVERFLOW;
	if (err) {
		end_copy(copy, err);
		return;
	}
	feed(copy, (struct snapshot_part){c->kept[key.part].chunk, key.off});
	for (i = key.part + 1; i < c->kept_count; i++)
		feed(copy, c->kept[i]);
	__atomic_store_n(&copy->state, COPY_FED, __ATOMIC_RELEASE);
}

/* ---- the thread ---------------------------------------------------------- */

void snapshot_copier_init(struct snapshot_copier *c, const struct window *w)
{
	*c = (struct snapshot_copier){.window = w};
	sem_init(&c->go, 0, 0);
	sem_init(&c->runs, 0, 0);
}

static bool has_all(const struct snapshot_copier *c,
		    const struct snapshot_copy *copy)
{
	return snapshot_end_known(copy->end) && c->copied >= copy->end->pos;
}

/* Begin and end. Return: how many there are now. */
static unsigned tend(struct snapshot_copier *c)
{
	struct snapshot_copy *copy;
	unsigned count = 0;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++) {
		if (state_of(copy) == COPY_ASKED)
			join(c, copy);
		if (state_of(copy) == COPY_FED && has_all(c, copy))
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

/* Are so many bytes that are new to be copied now? At once where that is all
 * that one lacks. */
static bool is_due(const struct snapshot_copier *c, uint64_t bytes)
{
	const struct snapshot_copy *copy;
	bool any = false;

	for (copy = c->copies; copy < c->copies + SNAPSHOTS_MAX; copy++) {
		if (state_of(copy) != COPY_FED)
			continue;
		if (snapshot_end_known(copy->end))
			return true;
		any = true;
	}
	return any && bytes >= c->size / FOLLOW_SHARE;
}

/* Return: is there nothing to do at present? */
static bool go_on(struct snapshot_copier *c)
{
	uint64_t is_new = window_end(c->window) - c->copied;
	int err;

	if (!is_due(c, is_new))
		return true;
	err = follow(c);
	if (!err)
		forget_old(c);
	else if (err != -EAGAIN)
		end_all(c, err);
	else if (is_new >= c->size / LATE_SHARE)
		cut_one(c);
	return err == -EAGAIN;
}

/* Until nobody needs it any more. */
static void copy_all(struct snapshot_copier *c)
{
	while (tend(c))
		if (go_on(c))
			clock_sleep(NAP_NS);
	forget(c, c->kept_count);
	c->copied = 0;
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
