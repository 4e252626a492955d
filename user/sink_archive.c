// SPDX-License-Identifier: BSD-2-Clause
/*
 * sink_archive.c - events into an archive.
 *
 * Takes context as well: an archive must know every task that its events
 * belong to, whatever was filtered out.
 */
#include <errno.h>
#include <stdlib.h>

#include "archive.h"
#include "sink.h"

struct sink_archive {
	struct sink sink;
	struct archive_writer *writer; /* owned */
};

static struct archive_writer *writer(struct sink *s)
{
	return ((struct sink_archive *)s)->writer;
}

static int on_event(struct sink *s, const struct event *ev)
{
	return archive_append(writer(s), ev);
}

static int on_tick(struct sink *s, uint64_t mono_ns)
{
	return archive_tick(writer(s), mono_ns);
}

static int on_close(struct sink *s)
{
	int err = archive_close(writer(s));

	free(s);
	return err;
}

static const struct sink_ops archive_ops = {
	.name = "archive",
	.event = on_event,
	.tick = on_tick,
	.close = on_close,
};

int sink_archive_open(struct sink **ret, struct archive_writer *w,
		      const struct tasks *tasks)
{
	struct sink_archive *s = calloc(1, sizeof(*s));

	(void)tasks;
	if (!s)
		return -ENOMEM;
	s->sink.ops = &archive_ops;
	s->sink.wants_context = true;
	s->writer = w;
	*ret = &s->sink;
	return 0;
}
