// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot_copy.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "clock.h"

#define NAP_NS	     NS_PER_MS
#define FOLLOW_SHARE 8	/* copy when so much of the window is new */
#define COPIES_MAX   50 /* tried to begin with */
#define SLACK_BYTES  (1U << 20)
#define SLACK_SHARE  32 /* of the window; a block of the ring is a 64th */

/* ---- chunks -------------------------------------------------------------- */

void snapshot_chunk_free(struct snapshot_chunk *c)
{
	if (c && c->data != MAP_FAILED)
		munmap(c->data, c->cap);
	free(c);
}

/* Page faults take longer than the copy: all of them at once, and of huge
 * pages if there are any. Best effort. */
static void prepare(void *data, size_t len)
{
	(void)madvise(data, len, MADV_HUGEPAGE);
	(void)madvise(data, len, MADV_POPULATE_WRITE);
}

static struct snapshot_chunk *chunk_new(size_t cap)
{
	struct snapshot_chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->cap = cap;
	c->data = mmap(NULL, cap, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (c->data == MAP_FAILED) {
		snapshot_chunk_free(c);
		return NULL;
	}
	prepare(c->data, cap);
	return c;
}

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

static void tell(uint64_t *to, uint64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELEASE);
}

/* Return: 0; -EOVERFLOW too much waits to be written, @chunk is freed. */
static int queue(struct snapshot_copy *c, struct snapshot_chunk *chunk)
{
	uint64_t bytes = c->bytes_put - load(&c->bytes_got) + chunk->cap;
	uint64_t ahead = c->size > SNAPSHOT_AHEAD_BYTES ? c->size
							: SNAPSHOT_AHEAD_BYTES;

	if (bytes > c->size + ahead ||
	    c->put - load(&c->got) == SNAPSHOT_CHUNKS_MAX) {
		snapshot_chunk_free(chunk);
		return -EOVERFLOW;
	}
	c->copied = chunk->first + chunk->len;
	c->bytes_put += chunk->cap;
	c->chunks[c->put % SNAPSHOT_CHUNKS_MAX] = chunk;
	tell(&c->put, c->put + 1);
	return 0;
}

struct snapshot_chunk *snapshot_copy_next(struct snapshot_copy *c,
					  bool *ret_over)
{
	struct snapshot_chunk *chunk;

	*ret_over = __atomic_load_n(&c->over, __ATOMIC_ACQUIRE);
	if (c->got == load(&c->put))
		return NULL;
	chunk = c->chunks[c->got % SNAPSHOT_CHUNKS_MAX];
	tell(&c->bytes_got, c->bytes_got + chunk->cap);
	tell(&c->got, c->got + 1);
	return chunk;
}

void snapshot_copy_leave(struct snapshot_copy *c)
{
	struct snapshot_chunk *chunk;
	bool over;

	__atomic_store_n(&c->leave, 1, __ATOMIC_RELEASE);
	do {
		while ((chunk = snapshot_copy_next(c, &over)))
			snapshot_chunk_free(chunk);
		if (!over)
			clock_sleep(NAP_NS);
	} while (!over);
}

/* ---- copying ------------------------------------------------------------- */

/* Copy what is newer than @from, or as much of it as there still is. */
static int copy_from(const struct snapshot_copy *c, const struct window *w,
		     uint64_t from, uint64_t slack, struct snapshot_chunk **ret)
{
	uint64_t cap = window_end(w) - from + slack;
	struct snapshot_chunk *chunk = chunk_new(cap < c->size ? cap : c->size);
	struct ring_snapshot_info info;

	if (!chunk)
		return -ENOMEM;
	if (window_copy(w, chunk->data, chunk->cap, &info) == RING_CORRUPT) {
		snapshot_chunk_free(chunk);
		return -EBADMSG;
	}
	chunk->first = info.first;
	chunk->len = info.end - info.first;
	*ret = chunk;
	return 0;
}

/* Return: 0; -EOVERFLOW some of it is gone; -ENOMEM; -EBADMSG. */
static int follow(struct snapshot_copy *c, const struct window *w)
{
	struct snapshot_chunk *chunk;
	int err;

	err = copy_from(c, w, c->copied, SLACK_BYTES + c->size / SLACK_SHARE,
			&chunk);
	if (!err && chunk->first > c->copied && chunk->cap < c->size) {
		snapshot_chunk_free(chunk);
		err = copy_from(c, w, c->copied, c->size, &chunk);
	}
	if (err)
		return err;
	if (chunk->first > c->copied) {
		snapshot_chunk_free(chunk);
		return -EOVERFLOW;
	}
	chunk->off = c->copied - chunk->first;
	return queue(c, chunk);
}

/* Until the end, copy what is new before the window forgets it. */
static int follow_all(struct snapshot_copy *c, const struct window *w,
		      const struct snapshot_end *end)
{
	bool known;
	int err = 0;

	while (!err && !__atomic_load_n(&c->leave, __ATOMIC_ACQUIRE)) {
		known = snapshot_end_known(end);
		if (known && c->copied >= end->pos)
			break;
		if (known ||
		    window_end(w) - c->copied >= c->size / FOLLOW_SHARE)
			err = follow(c, w);
		else
			clock_sleep(NAP_NS);
	}
	return err;
}

/* ---- the keyframe it begins with ----------------------------------------- */

struct place {
	size_t begin, state, end; /* offsets in the chunk; end: behind it */
	uint64_t ts;
	bool found;
};

uint64_t snapshot_key_ts(const struct ring_record *rec)
{
	struct window_key k = {0};

	if (rec->len >= sizeof(k))
		memcpy(&k, rec->data, sizeof(k));
	return k.ts;
}

/* The first whole keyframe from @pos on, or else the first of all. */
static struct place find_key(const struct snapshot_chunk *c, uint64_t pos)
{
	struct place here = {0}, found = {0};
	struct ring_record rec;
	size_t off = 0, at = 0;
	bool open = false;

	for (; ring_parse(c->data, c->len, &off, &rec) == RING_OK; at = off) {
		if (rec.type == WINDOW_KEY) {
			open = true;
			here = (struct place){.begin = at,
					      .state = off,
					      .ts = snapshot_key_ts(&rec),
					      .found = true};
		} else if (rec.type == WINDOW_KEY_END && open) {
			here.end = off;
			if (!found.found || c->first + found.begin < pos)
				found = here;
			if (c->first + found.begin >= pos)
				break;
			open = false;
		} else if (rec.type == WINDOW_EVENT) {
			open = false;
		}
	}
	return found;
}

/* Copy it from a whole keyframe on. Return: 0; -ENODATA none was; -errno. */
static int copy_window(const struct snapshot_copy *c, const struct window *w,
		       struct snapshot_chunk **ret)
{
	uint64_t base = window_base(w);
	struct snapshot_chunk *chunk;
	struct place key;
	int err;

	err = copy_from(c, w, base, SLACK_BYTES + c->size / SLACK_SHARE,
			&chunk);
	if (err)
		return err;
	key = find_key(chunk, base);
	if (!key.found) {
		snapshot_chunk_free(chunk);
		return -ENODATA;
	}
	chunk->state = key.state;
	chunk->off = key.end;
	chunk->key_ns = key.ts;
	*ret = chunk;
	return 0;
}

static bool has_key(const struct window *w)
{
	struct window_stats s;

	window_stats(w, &s);
	return s.first_ns != 0;
}

/* The stream may be so fast that it takes the whole window while this thread
 * is kept from running. */
static int begin(struct snapshot_copy *c, const struct window *w,
		 const struct snapshot_end *end)
{
	struct snapshot_chunk *chunk;
	unsigned tries = COPIES_MAX;
	uint64_t to = load(&end->to_ns);
	int err;

	do {
		err = copy_window(c, w, &chunk);
	} while (err == -ENODATA && has_key(w) && --tries);
	if (err)
		return tries ? err : -EOVERFLOW;
	if (to && chunk->key_ns > to) {
		snapshot_chunk_free(chunk);
		return -EOVERFLOW;
	}
	return queue(c, chunk);
}

void snapshot_copy_run(struct snapshot_copy *c, const struct window *w,
		       const struct snapshot_end *end)
{
	struct window_stats s;

	window_stats(w, &s);
	c->size = s.bytes;
	c->err = begin(c, w, end);
	if (!c->err) {
		c->err = follow_all(c, w, end);
		c->cut = c->err == -EOVERFLOW;
		c->err = c->cut ? 0 : c->err;
	}
	__atomic_store_n(&c->over, 1, __ATOMIC_RELEASE);
}
