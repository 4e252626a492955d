// SPDX-License-Identifier: BSD-2-Clause
#include "snapshot.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "render.h"
#include "snapshot_account.h"

#define NAP_NS	   NS_PER_MS
#define NEAR_NS	   (200 * NS_PER_MS)
#define STOP_NS	   (100 * NS_PER_MS) /* once recording has ended */
#define LOOK_EVERY 4096 /* records written between two looks at the ring */
#define LOOK_BYTES (1U << 20) /* or so many bytes */
#define NAME_LEN   96
#define NAMES_MAX  100 /* tried for an archive of its own */

struct taking {
	const struct snapshot_plan *p;
	struct snapshot_result *r;
	struct tasks *tasks; /* as of the last event written */
	struct snapshot_account account;
	struct archive_writer *writer;
	struct snapshot_copy *copy;
	struct snapshot_part part; /* to be written next; no chunk: none yet */
	uint64_t last_ns;	   /* latest event written */
	uint64_t told_ns;	   /* the losses up to here are in it */
	unsigned until_look;
	uint64_t bytes_until_look;
	uint64_t stop_ns; /* recording has ended: not beyond */
	bool done;
	bool is_broken; /* what was copied are no records */
};

static uint64_t load(const uint64_t *v)
{
	return __atomic_load_n(v, __ATOMIC_ACQUIRE);
}

/* ---- what was copied ----------------------------------------------------- */

/* Take the next part, for which this one goes. Return: is there one? */
static bool next_part(struct taking *t, bool *ret_over)
{
	snapshot_part_done(&t->part);
	return snapshot_copy_next(t->copy, &t->part, ret_over);
}

/* Wait for it. Return: false: there will be none. */
static bool await_part(struct taking *t)
{
	bool over = false;

	while (!next_part(t, &over)) {
		if (over)
			return false;
		clock_sleep(NAP_NS);
	}
	return true;
}

/* Take the next record of this part. Return: is there one? */
static bool next_record(struct taking *t, struct ring_record *ret)
{
	const struct snapshot_chunk *c = t->part.chunk;
	int r = c ? ring_parse(c->data, c->len, &t->part.off, ret) : RING_EMPTY;

	t->is_broken |= r == RING_CORRUPT;
	return r == RING_OK;
}

/* A record of the keyframe it begins with: the state that all builds on. */
static int apply_key(struct taking *t, const struct ring_record *rec)
{
	struct event ev;

	if (rec->type == WINDOW_KEY)
		t->last_ns = snapshot_key_ts(rec);
	if (rec->type != WINDOW_STATE ||
	    event_init(&ev, t->p->schema, rec->data, rec->len))
		return 0;
	return tasks_apply(t->tasks, &ev);
}

/* Wait for the first parts, and take in the keyframe. */
static int begin(struct taking *t)
{
	struct ring_record rec = {0};
	int err = 0;

	while (!err && rec.type != WINDOW_KEY_END) {
		if (next_record(t, &rec))
			err = apply_key(t, &rec);
		else if (t->is_broken)
			err = -EBADMSG;
		else if (!await_part(t))
			err = t->copy->err ? t->copy->err : -ENOMSG;
	}
	t->r->from_ns = t->last_ns > t->p->begun_ns ? t->last_ns
						    : t->p->begun_ns;
	return err;
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

/* Recording has ended: there is little time left. */
static bool is_late(struct taking *t)
{
	if (!__atomic_load_n(t->p->stopping, __ATOMIC_RELAXED))
		return false;
	if (!t->stop_ns)
		t->stop_ns = clock_now() + STOP_NS;
	return clock_now() >= t->stop_ns;
}

/* Return: 0; -errno of the archive. */
static int look(struct taking *t)
{
	t->until_look = 0;
	t->bytes_until_look = 0;
	if (is_late(t))
		t->done = t->r->cut = true;
	return archive_tick(t->writer, clock_now());
}

/* What is left of this part. Return: 0; -errno of the archive. */
static int write_part(struct taking *t)
{
	uint64_t pos = t->part.chunk->first + t->part.off;
	struct ring_record rec;
	int err = 0;

	while (!err && !t->done && next_record(t, &rec)) {
		if (snapshot_end_known(t->p->end) && pos >= t->p->end->pos) {
			t->done = true;
			break;
		}
		if (rec.type == WINDOW_EVENT)
			err = write_event(t, &rec);
		else if (rec.type == WINDOW_TOLD)
			t->told_ns = snapshot_key_ts(&rec);
		pos = t->part.chunk->first + t->part.off;
		t->bytes_until_look += rec.len;
		if (err || (++t->until_look < LOOK_EVERY &&
			    t->bytes_until_look < LOOK_BYTES))
			continue;
		err = look(t);
	}
	return t->is_broken ? -EBADMSG : err;
}

/* Until the end, or until it can go on no longer. */
static int write_all(struct taking *t)
{
	bool over = false;
	int err = 0;

	while (!err && !t->done) {
		if (t->part.chunk)
			err = write_part(t);
		if (err || next_part(t, &over))
			continue;
		if (over)
			break;
		clock_sleep(NAP_NS);
		err = look(t);
	}
	if (!t->done)
		t->r->cut = t->copy->cut;
	return err || !over ? err : t->copy->err;
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

/* By another recorder, which had a number like ours in the same second and may
 * still be at it, or by whatever is called so. */
static bool is_taken(int err)
{
	return err == -EEXIST || err == -EBUSY || err == -ENOTEMPTY;
}

/* By a name alone: the directory may be out of reach by its path. */
static int create(struct taking *t)
{
	char name[NAME_LEN];
	struct archive_options o = {
		.path = name,
		.asked = t->p->asked,
		.state = on_state,
		.account = on_account,
		.patient = true,
		.arg = t,
	};
	unsigned n = 0;
	int err = t->p->error, len;

	while (!err) {
		own_name(t, n, name);
		err = archive_create(&t->writer, t->p->schema, &o);
		if (!is_taken(err) || n++ == NAMES_MAX)
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

/* When the end is near all is copied before the writing, which would take the
 * CPU of those who record, begins. */
static void wait_for_copy(const struct taking *t)
{
	uint64_t until = clock_now() + NEAR_NS;

	while (!snapshot_copy_over(t->copy) && clock_now() < until)
		clock_sleep(NAP_NS);
}

static int take(struct taking *t)
{
	int err, err2;

	err = begin(t);
	if (err)
		return err;
	wait_for_copy(t);
	err = create(t);
	if (err)
		return err;
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
	else if (r->err == -ENOMSG)
		snprintf(r->what, sizeof(r->what),
			 "nothing had been recorded before its end");
	else if (r->err == -EOVERFLOW)
		snprintf(r->what, sizeof(r->what),
			 "all of the window was overwritten before it could be "
			 "copied (record with a larger --window)");
	else
		snprintf(r->what, sizeof(r->what), "%s", strerror(-r->err));
}

void snapshot_take(const struct snapshot_plan *plan, struct snapshot_copy *copy,
		   struct snapshot_result *ret)
{
	struct taking t = {.p = plan, .r = ret, .copy = copy};

	*ret = (struct snapshot_result){.number = plan->number};
	snprintf(ret->why, sizeof(ret->why), "%s", plan->why);
	ret->wall_offset = clock_wall_offset();
	ret->err = tasks_new(&t.tasks, plan->schema);
	if (!ret->err)
		ret->err = snapshot_account_init(&t.account, plan->schema);
	if (!ret->err)
		ret->err = take(&t);
	snapshot_part_done(&t.part);
	snapshot_copy_leave(copy);
	if (ret->err)
		explain(ret, plan->window);
	snapshot_account_done(&t.account);
	tasks_free(t.tasks);
}
