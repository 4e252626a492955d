// SPDX-License-Identifier: BSD-2-Clause
#include "window.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"

#define KEYS_PER_WINDOW 8
#define KEYS_MAX	32 /* remembered: those by bytes, by time, and room */

struct key {
	uint64_t ts, pos;
};

struct window {
	struct ring_producer *ring;
	struct ring_observer *observer;
	const struct tasks *tasks;
	uint64_t bytes, ns;
	/* the repo's: */
	uint64_t pos;	 /* the ring's tail */
	uint64_t key_at; /* a keyframe is due from this position on */
	struct key keys[KEYS_MAX];
	unsigned key_count;
	/* told to others, relaxed: */
	uint64_t base, base_ns, last_ns;
	uint64_t events, key_number, key_bytes, key_ns;
};

static void tell(uint64_t *to, uint64_t v)
{
	__atomic_store_n(to, v, __ATOMIC_RELAXED);
}

static uint64_t told(const uint64_t *from)
{
	return __atomic_load_n(from, __ATOMIC_RELAXED);
}

/* ---- keyframes ----------------------------------------------------------- */

static void put(struct window *w, enum window_type type, const void *data,
		size_t len)
{
	if (ring_write(w->ring, type, data, len) == RING_OK)
		w->pos += ring_need(len);
}

static int put_state(void *arg, const void *record, size_t len)
{
	put(arg, WINDOW_STATE, record, len);
	return 0;
}

static void forget_first(struct window *w)
{
	w->key_count--;
	memmove(w->keys, w->keys + 1, w->key_count * sizeof(*w->keys));
}

/* Of the keyframes remembered the first is where the window begins. */
static void find_base(struct window *w)
{
	struct ring_stats stats;
	struct key *k = w->keys;

	ring_producer_stats(w->ring, &stats);
	while (w->key_count && k[0].pos < stats.overwritten)
		forget_first(w);
	while (w->ns && w->key_count > 1 && k[1].ts + w->ns <= w->last_ns)
		forget_first(w);
	tell(&w->base, w->key_count ? k[0].pos : 0);
	tell(&w->base_ns, w->key_count ? k[0].ts : 0);
}

static void remember(struct window *w, const struct key *key)
{
	if (w->key_count == KEYS_MAX)
		forget_first(w);
	w->keys[w->key_count++] = *key;
	find_base(w);
}

static void put_key(struct window *w, uint64_t ts)
{
	struct key key = {.ts = ts, .pos = w->pos};
	struct window_key k = {.ts = ts};
	uint64_t begun = clock_now();
	int err;

	put(w, WINDOW_KEY, &k, sizeof(k));
	err = tasks_state(w->tasks, ts, put_state, w);
	if (!err) {
		put(w, WINDOW_KEY_END, &k, sizeof(k));
		remember(w, &key);
		tell(&w->key_number, w->key_number + 1);
	}
	tell(&w->key_bytes, w->pos - key.pos);
	tell(&w->key_ns, clock_now() - begun);
	w->key_at = w->pos + w->bytes / KEYS_PER_WINDOW;
}

/* By bytes; or by time, unless little else than keyframes would be kept. */
static bool key_is_due(const struct window *w)
{
	const struct key *last;

	if (w->pos >= w->key_at)
		return true;
	if (!w->ns || !w->key_count)
		return false;
	last = &w->keys[w->key_count - 1];
	return w->last_ns - last->ts >= w->ns / KEYS_PER_WINDOW &&
	       w->pos - last->pos >= 2 * w->key_bytes;
}

/* ---- events -------------------------------------------------------------- */

void window_put(struct window *w, const struct event *ev)
{
	if (!w->events)
		put_key(w, ev->h->ts);
	if (ev->h->ts > w->last_ns)
		tell(&w->last_ns, ev->h->ts);
	put(w, WINDOW_EVENT, ev->h, ev->len);
	tell(&w->events, w->events + 1);
	if (key_is_due(w))
		put_key(w, w->last_ns);
}

void window_told(struct window *w, uint64_t ts)
{
	struct window_key k = {.ts = ts};

	put(w, WINDOW_TOLD, &k, sizeof(k));
}

void window_tick(struct window *w)
{
	find_base(w);
}

/* ---- who looks ----------------------------------------------------------- */

uint64_t window_end(const struct window *w)
{
	struct ring_stats stats;

	ring_observer_stats(w->observer, &stats);
	return stats.bytes;
}

uint64_t window_base(const struct window *w)
{
	return told(&w->base);
}

int window_copy(const struct window *w, uint64_t from, void *buf, size_t cap,
		struct ring_snapshot_info *ret)
{
	return ring_snapshot_from(w->observer, from, buf, cap, ret);
}

void window_stats(const struct window *w, struct window_stats *ret)
{
	struct ring_stats ring;
	uint64_t last;

	ring_observer_stats(w->observer, &ring);
	last = told(&w->last_ns);
	*ret = (struct window_stats){
		.bytes = w->bytes,
		.used = ring.bytes < w->bytes ? ring.bytes : w->bytes,
		.ns = w->ns,
		.first_ns = told(&w->base_ns),
		.events = told(&w->events),
		.keys = told(&w->key_number),
		.key_bytes = told(&w->key_bytes),
		.key_ns = told(&w->key_ns),
	};
	if (ret->first_ns && ret->first_ns < last)
		ret->reach_ns = last - ret->first_ns;
}

/* ---- life ---------------------------------------------------------------- */

static uint64_t power_of_two(uint64_t bytes)
{
	uint64_t p = WINDOW_BYTES_MIN;

	while (p < bytes)
		p *= 2;
	return p;
}

int window_new(struct window **ret, const struct window_options *o,
	       const struct tasks *tasks)
{
	struct window *w;
	int err;

	if (o->bytes < WINDOW_BYTES_MIN || o->bytes > WINDOW_BYTES_MAX)
		return -EINVAL;
	w = calloc(1, sizeof(*w));
	if (!w)
		return -ENOMEM;
	w->tasks = tasks;
	w->bytes = power_of_two(o->bytes);
	w->ns = o->ns;
	err = ring_new_window(&w->ring, &w->observer, w->bytes, 0);
	if (err) {
		window_free(w);
		return err;
	}
	*ret = w;
	return 0;
}

void window_free(struct window *w)
{
	if (!w)
		return;
	ring_producer_close(w->ring);
	ring_observer_close(w->observer);
	free(w);
}
