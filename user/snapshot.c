// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "render.h"
#include "snapshot_account.h"

#define NAP_NS	     NS_PER_MS
#define NEAR_NS	     (200 * NS_PER_MS)
#define LOOK_EVERY   4096 /* records written between two looks at the ring */
#define LOOK_BYTES   (1U << 20) /* or so many bytes */
#define BLOCKS_MAX   2		/* of the archive on their way */
#define FOLLOW_SHARE 8		/* copy when so much of the window is new */
#define WAITING_MAX  2	/* windows copied and not yet written: at most */
#define COPIES_MAX   50 /* tried to begin with */
#define NAME_LEN     96
#define NAMES_MAX    100 /* tried for an archive of its own */
#define SLACK_BYTES  (1U << 20)
#define SLACK_SHARE  32 /* of the window; a block of the ring is a 64th */

/* Records copied out of the window, to be written. */
struct chunk {
	struct chunk *next;
	unsigned char *data; /* mapped */
	size_t cap, len, off;
	uint64_t first; /* position of data[0] */
};

struct taking {
	const struct snapshot_plan *p;
	struct snapshot_result *r;
	struct tasks *tasks; /* as of the last event written */
	struct snapshot_account account;
	struct archive_writer *writer;
	struct chunk *head, **tail;
	uint64_t waiting; /* bytes in chunks */
	uint64_t copied;  /* position up to which the window was copied */
	uint64_t size;	  /* of the window */
	uint64_t last_ns; /* latest event written */
	uint64_t told_ns; /* the losses up to here are in it */
	unsigned until_look;
	uint64_t bytes_until_look;
	bool done;
};

/* ---- copying ------------------------------------------------------------- */

static void chunk_free(struct chunk *c)
{
	if (c && c->data != MAP_FAILED)
		munmap(c->data, c->cap);
	free(c);
}

static struct chunk *chunk_new(size_t cap)
{
	struct chunk *c = calloc(1, sizeof(*c));

	if (!c)
		return NULL;
	c->cap = cap;
	c->data = mmap(NULL, cap, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (c->data != MAP_FAILED)
		return c;
	chunk_free(c);
	return NULL;
}

/* Copy what is newer than @from, or as much of it as there still is. */
static int copy_from(struct taking *t, uint64_t from, uint64_t slack,
		     struct chunk **ret)
{
	struct ring_snapshot_info info;
	uint64_t cap = window_end(t->p->window) - from + slack;
	struct chunk *c = chunk_new(cap < t->size ? cap : t->size);
	int rc;

	if (!c)
		return -ENOMEM;
	rc = window_copy(t->p->window, c->data, c->cap, &info);
	if (rc == RING_CORRUPT) {
		chunk_free(c);
		return -EBADMSG;
	}
	c->first = info.first;
	c->len = info.end - info.first;
	*ret = c;
	return 0;
}

static void queue(struct taking *t, struct chunk *c)
{
	t->copied = c->first + c->len;
	t->waiting += c->len - c->off;
	*t->tail = c;
	t->tail = &c->next;
}

/* Return: 0; -EOVERFLOW some of it is gone; -ENOMEM; -EBADMSG. */
static int follow(struct taking *t)
{
	struct chunk *c;
	int err;

	err = copy_from(t, t->copied, SLACK_BYTES + t->size / SLACK_SHARE, &c);
	if (!err && c->first > t->copied && c->cap < t->size) {
		chunk_free(c);
		err = copy_from(t, t->copied, t->size, &c);
	}
	if (err)
		return err;
	if (c->first > t->copied) {
		chunk_free(c);
		return -EOVERFLOW;
	}
	c->off = t->copied - c->first;
	queue(t, c);
	return t->waiting > WAITING_MAX * t->size ? -EOVERFLOW : 0;
}

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

static bool end_is_known(const struct taking *t)
{
	return __atomic_load_n(&t->p->end->known, __ATOMIC_ACQUIRE);
}

/* Copy what is new before the window forgets it, and at the end the rest. */
static int keep_up(struct taking *t)
{
	bool known = end_is_known(t);
	uint64_t end = window_end(t->p->window);
	int err = 0;

	if (known && t->copied >= t->p->end->pos)
		return 0;
	if (known || end - t->copied >= t->size / FOLLOW_SHARE)
		err = follow(t);
	if (err == -EOVERFLOW) {
		t->r->cut = true;
		return 0;
	}
	return err;
}

/* ---- the keyframe it begins with ----------------------------------------- */

struct place {
	size_t begin, state, end; /* offsets in the chunk; end: behind it */
	uint64_t ts;
	bool found;
};

static uint64_t key_ts(const struct ring_record *rec)
{
	struct window_key k = {0};

	if (rec->len >= sizeof(k))
		memcpy(&k, rec->data, sizeof(k));
	return k.ts;
}

/* The first whole keyframe from @pos on, or else the first of all. */
static struct place find_key(const struct chunk *c, uint64_t pos)
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
					      .ts = key_ts(&rec),
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

/* The state that every later event builds on. Return: 0; -ENOMEM. */
static int apply_key(struct taking *t, const struct chunk *c,
		     const struct place *key)
{
	struct ring_record rec;
	size_t off = key->state;
	struct event ev;
	int err = 0;

	while (!err && off < key->end &&
	       ring_parse(c->data, c->len, &off, &rec) == RING_OK)
		if (rec.type == WINDOW_STATE &&
		    !event_init(&ev, t->p->schema, rec.data, rec.len))
			err = tasks_apply(t->tasks, &ev);
	return err;
}

/* Copy it from a whole keyframe on. Return: 0; -ENODATA none was; -errno. */
static int copy_window(struct taking *t, struct chunk **ret, struct place *key)
{
	uint64_t base = window_base(t->p->window);
	struct chunk *c;
	int err;

	err = copy_from(t, base, SLACK_BYTES + t->size / SLACK_SHARE, &c);
	if (err)
		return err;
	*key = find_key(c, base);
	if (!key->found) {
		chunk_free(c);
		return -ENODATA;
	}
	*ret = c;
	return 0;
}

static bool has_key(const struct taking *t)
{
	struct window_stats s;

	window_stats(t->p->window, &s);
	return s.first_ns != 0;
}

/* The stream may be so fast that it takes the whole window while this thread
 * is kept from running. Return: 0; -ENODATA; -EOVERFLOW; -ENOMEM. */
static int begin(struct taking *t)
{
	uint64_t to = load(&t->p->end->to_ns);
	unsigned tries = COPIES_MAX;
	struct place key;
	struct chunk *c;
	int err;

	do {
		err = copy_window(t, &c, &key);
	} while (err == -ENODATA && has_key(t) && --tries);
	if (err)
		return tries ? err : -EOVERFLOW;
	err = to && key.ts > to ? -EOVERFLOW : apply_key(t, c, &key);
	if (err) {
		chunk_free(c);
		return err;
	}
	c->off = key.end;
	t->last_ns = key.ts;
	t->r->from_ns = key.ts > t->p->begun_ns ? key.ts : t->p->begun_ns;
	queue(t, c);
	return 0;
}

/* ---- writing ------------------------------------------------------------- */

/* What comes after the end is there to tell of losses before it. */
static bool is_beyond(const struct taking *t, const struct event *ev)
{
	uint64_t to = load(&t->p->end->to_ns);

	return to && ev->h->ts > to &&
	       !snapshot_account_is_gap(&t->account, ev);
}

static int write_event(struct taking *t, const struct ring_record *rec)
{
	struct event ev;

	if (event_init(&ev, t->p->schema, rec->data, rec->len) ||
	    is_beyond(t, &ev))
		return 0;
	if (ev.h->ts > t->last_ns)
		t->last_ns = ev.h->ts;
	tasks_apply(t->tasks, &ev);
	snapshot_account_add(&t->account, &ev);
	return archive_append(t->writer, &ev);
}

/*
 * Blocks are lost when too many are on their way, so wait until few are; the
 * window is copied meanwhile. Return: 0; -errno of the archive, of keep_up().
 */
static int look(struct taking *t)
{
	struct archive_stats s;
	int err;

	t->until_look = 0;
	t->bytes_until_look = 0;
	for (;;) {
		err = t->r->cut ? 0 : keep_up(t);
		if (!err)
			err = archive_tick(t->writer, clock_now());
		archive_writer_stats(t->writer, &s);
		if (err || s.waiting <= BLOCKS_MAX)
			return err;
		clock_sleep(NAP_NS);
	}
}

/* Return: 0; -errno of the archive, or of keep_up(). */
static int write_chunk(struct taking *t, struct chunk *c)
{
	struct ring_record rec;
	uint64_t pos = c->first + c->off;
	int err = 0;

	while (!err && !t->done &&
	       ring_parse(c->data, c->len, &c->off, &rec) == RING_OK) {
		if (end_is_known(t) && pos >= t->p->end->pos) {
			t->done = true;
			break;
		}
		if (rec.type == WINDOW_EVENT)
			err = write_event(t, &rec);
		else if (rec.type == WINDOW_TOLD)
			t->told_ns = key_ts(&rec);
		pos = c->first + c->off;
		t->bytes_until_look += rec.len;
		if (err || (++t->until_look < LOOK_EVERY &&
			    t->bytes_until_look < LOOK_BYTES))
			continue;
		err = look(t);
	}
	return err;
}

static int write_next(struct taking *t)
{
	struct chunk *c = t->head;
	uint64_t bytes = c->len - c->off;
	int err = write_chunk(t, c);

	t->waiting -= bytes;
	t->head = c->next;
	if (!t->head)
		t->tail = &t->head;
	chunk_free(c);
	return err;
}

static bool is_over(const struct taking *t)
{
	if (t->done || t->r->cut)
		return true;
	return end_is_known(t) && t->copied >= t->p->end->pos;
}

/* Until the end, or until it can go on no longer. */
static int write_all(struct taking *t)
{
	int err = 0;

	while (!err && !t->done) {
		if (t->head) {
			err = write_next(t);
			continue;
		}
		if (is_over(t))
			break;
		clock_sleep(NAP_NS);
		err = archive_tick(t->writer, clock_now());
		if (!err)
			err = keep_up(t);
	}
	return err;
}

/* ---- the archive --------------------------------------------------------- */

static int put_state(void *arg, const void *record, size_t len)
{
	return archive_state(arg, record, len);
}

static int on_state(void *arg, struct archive_writer *w)
{
	struct taking *t = arg;

	return tasks_state(t->tasks, t->last_ns, put_state, w);
}

static size_t on_account(void *arg, const struct account_row **ret)
{
	return snapshot_account_rows(&((struct taking *)arg)->account, ret);
}

static void on_lost(void *arg, const char *source, uint32_t cpu, uint64_t count,
		    uint64_t first, uint64_t last)
{
	struct taking *t = arg;

	(void)first;
	(void)last;
	snapshot_account_lost(&t->account, source, cpu, count);
}

/* snapshot-<UTC>-<number>, and -<n> behind it when that is taken. */
static void own_name(const struct taking *t, unsigned n, char name[NAME_LEN])
{
	time_t now = time(NULL);
	char when[32];
	struct tm tm;
	int len;

	gmtime_r(&now, &tm);
	strftime(when, sizeof(when), "%Y%m%dT%H%M%SZ", &tm);
	len = snprintf(name, NAME_LEN, "snapshot-%s-%llu", when,
		       (unsigned long long)t->p->number);
	if (n)
		snprintf(name + len, (size_t)(NAME_LEN - len), "-%u", n);
}

/* By a name alone: the directory may be out of reach by its path. */
static int create(struct taking *t)
{
	char name[NAME_LEN];
	struct archive_options o = {
		.path = name,
		.state = on_state,
		.account = on_account,
		.arg = t,
	};
	unsigned n = 0;
	int err = t->p->error, len;

	while (!err) {
		own_name(t, n, name);
		err = archive_create(&t->writer, t->p->schema, &o);
		if (err != -EEXIST || n++ == NAMES_MAX)
			break;
		err = 0;
	}
	len = snprintf(t->r->made, sizeof(t->r->made), "%s/%s", t->p->dir,
		       name);
	snprintf(t->r->path, sizeof(t->r->path), "%s",
		 t->p->path ? t->p->path : t->r->made);
	if (!err && len >= (int)sizeof(t->r->made))
		return -ENAMETOOLONG;
	return err;
}

static int describe(struct taking *t)
{
	struct buf covers = {0};
	int64_t wall = t->r->wall_offset;
	int err;

	render_iso(&covers, t->r->from_ns + (uint64_t)wall);
	buf_puts(&covers, " .. ");
	render_iso(&covers, t->r->to_ns + (uint64_t)wall);
	buf_putc(&covers, '\0');
	err = archive_note(t->writer, "snapshot", t->p->why);
	if (!err && t->p->event[0])
		err = archive_note(t->writer, "trigger", t->p->event);
	if (!err && !buf_err(&covers))
		err = archive_note(t->writer, "covers", covers.data);
	if (!err && t->r->cut)
		err = archive_note(t->writer, "cut",
				   "ends early: could not keep up");
	buf_done(&covers);
	return err;
}

/* Ended early: of what came after the last report losses are not known. */
static uint64_t told(const struct taking *t)
{
	return t->told_ns > t->r->from_ns ? t->told_ns : t->r->from_ns;
}

static int finish(struct taking *t)
{
	uint64_t to = load(&t->p->end->to_ns);
	struct archive_stats stats;
	int err, err2;

	err = archive_flush(t->writer);
	archive_lost(t->writer, on_lost, t);
	t->r->to_ns = to && !t->r->cut && !err ? to : told(t);
	err2 = describe(t);
	archive_writer_stats(t->writer, &stats);
	t->r->bytes = stats.bytes;
	t->r->events = t->account.events;
	t->r->lost = t->account.lost;
	if (!err)
		err = err2;
	err2 = archive_close(t->writer);
	return err ? err : err2;
}

/* ---- all of it ----------------------------------------------------------- */

/* When the end is near all is copied before the writing, which takes longer,
 * begins. Return: 0; -errno of keep_up(). */
static int copy_to_end(struct taking *t)
{
	uint64_t until = clock_now() + NEAR_NS;
	int err = 0;

	while (!err && !is_over(t) && clock_now() < until) {
		clock_sleep(NAP_NS);
		err = keep_up(t);
	}
	return err;
}

static int take(struct taking *t)
{
	int err, err2;

	err = begin(t);
	if (!err)
		err = copy_to_end(t);
	setpriority(PRIO_PROCESS, (id_t)gettid(), 0);
	if (!err)
		err = create(t);
	if (err)
		return err;
	err = keep_up(t);
	if (!err)
		err = write_all(t);
	err2 = finish(t);
	return err ? err : err2;
}

static void explain(struct snapshot_result *r, const struct window *w)
{
	struct window_stats s;

	window_stats(w, &s);
	if (r->err == -ENODATA)
		snprintf(r->what, sizeof(r->what),
			 "the window is too small for the state of all tasks "
			 "(%llu bytes; record with a larger --window)",
			 (unsigned long long)s.key_bytes);
	else if (r->err == -EOVERFLOW)
		snprintf(r->what, sizeof(r->what),
			 "all of the window was overwritten before it could be "
			 "copied (record with a larger --window)");
	else
		snprintf(r->what, sizeof(r->what), "%s", strerror(-r->err));
}

void snapshot_take(const struct snapshot_plan *plan,
		   struct snapshot_result *ret)
{
	struct taking t = {.p = plan, .r = ret};
	struct window_stats w;

	*ret = (struct snapshot_result){.number = plan->number};
	snprintf(ret->why, sizeof(ret->why), "%s", plan->why);
	ret->wall_offset = clock_wall_offset();
	window_stats(plan->window, &w);
	t.size = w.bytes;
	t.tail = &t.head;
	ret->err = tasks_new(&t.tasks, plan->schema);
	if (!ret->err)
		ret->err = snapshot_account_init(&t.account, plan->schema);
	if (!ret->err)
		ret->err = take(&t);
	if (ret->err)
		explain(ret, plan->window);
	while (t.head) {
		struct chunk *c = t.head;

		t.head = c->next;
		chunk_free(c);
	}
	snapshot_account_done(&t.account);
	tasks_free(t.tasks);
}
