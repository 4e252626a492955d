// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_repeat.c - an archive of any size: events of others, over and over
 *
 *	archive_repeat ARCHIVE... OUT EVENTS
 *
 * All events are read, one archive behind the other in time, and written to OUT
 * until there are EVENTS of them, each time later by how long they take
 * together. All instants in them are shifted, so that a task that lives again
 * is another one.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "../../user/tasks.h"
#include "recording.h"

#define PAUSE_NS 1000000ULL

struct repeat {
	struct archive_writer *to;
	struct schema *schema;
	struct tasks *tasks;
	struct buf events; /* of all archives, one after the other */
	uint64_t first_ns, last_ns, left, at_ns;
	int64_t shift; /* of the archive being read */
};

/* ---- shifting ------------------------------------------------------------ */

static void shift_u64(void *at, uint64_t by)
{
	uint64_t v;

	memcpy(&v, at, sizeof(v));
	if (v)
		v += by;
	memcpy(at, &v, sizeof(v));
}

static void shift(const struct schema_kind *k, void *record, uint64_t by)
{
	struct weir_hdr *h = record;
	unsigned i;

	h->ts += by;
	for (i = 0; i < k->field_count; i++)
		if (k->fields[i].meaning == MEANING_TIME)
			shift_u64((char *)record + k->fields[i].offset, by);
}

/* ---- reading ------------------------------------------------------------- */

static int keep(void *arg, struct event *ev)
{
	struct repeat *r = arg;
	size_t at = r->events.len;

	recording_put(&r->events, ev);
	shift(ev->kind, r->events.data + at, (uint64_t)r->shift);
	if (ev->h->ts + (uint64_t)r->shift > r->last_ns)
		r->last_ns = ev->h->ts + (uint64_t)r->shift;
	return 0;
}

static void read_archive(struct repeat *r, char *path)
{
	struct archive *a = recording_open(path);
	struct archive_info info;

	archive_info(a, &info);
	if (!r->schema) {
		r->schema = recording_schema(a);
		r->first_ns = r->last_ns = info.first_ns;
	}
	r->shift = (int64_t)(r->last_ns - info.first_ns + PAUSE_NS);
	recording_each(a, keep, r);
	archive_free(a);
}

/* ---- writing ------------------------------------------------------------- */

static int put_state(void *arg, const void *record, size_t len)
{
	return archive_state(((struct repeat *)arg)->to, record, len);
}

static int on_state(void *arg, struct archive_writer *w)
{
	struct repeat *r = arg;

	r->to = w;
	return tasks_state(r->tasks, r->at_ns, put_state, r);
}

/* The writer takes what comes, and counts as lost what it has no room for. */
static void wait_for_room(struct repeat *r)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct archive_stats s;

	for (;;) {
		archive_tick(r->to, 0);
		archive_writer_stats(r->to, &s);
		if (s.error)
			die("writing", s.error);
		if (!s.waiting)
			return;
		nanosleep(&pause, NULL);
	}
}

static void write_once(struct repeat *r, uint64_t by)
{
	_Alignas(8) char record[65536 + 8];
	struct event ev;
	size_t at = 0;
	int err;

	while (at < r->events.len && r->left) {
		const struct weir_hdr *h = (void *)(r->events.data + at);

		memcpy(record, h, h->len);
		at += recording_room(h->len);
		err = event_init(&ev, r->schema, record, h->len);
		if (err)
			die("an event", err);
		shift(ev.kind, record, by);
		r->at_ns = ev.h->ts;
		tasks_apply(r->tasks, &ev);
		err = archive_append(r->to, &ev);
		if (err)
			die("writing", err);
		if (--r->left % 4096 == 0)
			wait_for_room(r);
	}
}

static void write_all(struct repeat *r, const char *path)
{
	struct archive_options o = {
		.path = path,
		.state = on_state,
		.arg = r,
		.command = "archive_repeat",
	};
	uint64_t turn;
	int err;

	err = tasks_new(&r->tasks, r->schema);
	if (!err)
		err = archive_create(&r->to, r->schema, &o);
	if (err)
		die(path, err);
	for (turn = 0; r->left && r->events.len; turn++)
		write_once(r, turn * (r->last_ns - r->first_ns + PAUSE_NS));
	err = archive_close(r->to);
	if (err)
		die(path, err);
}

int main(int argc, char **argv)
{
	struct repeat r = {0};
	int i;

	if (argc < 4) {
		fputs("usage: archive_repeat ARCHIVE... OUT EVENTS\n", stderr);
		return 2;
	}
	r.left = strtoull(argv[argc - 1], NULL, 0);
	for (i = 1; i < argc - 2; i++)
		read_archive(&r, argv[i]);
	write_all(&r, argv[argc - 2]);
	return 0;
}
