/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * sink.h - what the repo, or a reader, hands events to.
 *
 * A sink gets every event in the one order, already joined to its task and
 * passed by the filter. It may keep nothing of the view. Live and replay use
 * the same sinks, so `show` of an archive prints what `watch` printed.
 * Thread: the repo's (live) or the command's (replay); never two at once.
 */
#ifndef WEIR_SINK_H
#define WEIR_SINK_H

#include "render.h"
#include "tasks.h"

struct sink;

struct sink_ops {
	const char *name;
	/* Return: 0; -errno when the event could not be taken (counted). */
	int (*event)(struct sink *s, const struct event *ev);
	/* now and then, at least once a second: flush. Return: 0; -errno. */
	int (*tick)(struct sink *s, uint64_t mono_ns);
	/* flush, release, free @s. Return: 0; -errno of what was left. */
	int (*close)(struct sink *s);
};

/* First member of every sink; made by the sink's own <name>_open(). */
struct sink {
	const struct sink_ops *ops;
	bool wants_context; /* also gets events flagged WEIR_F_CONTEXT */
};

/**
 * sink_text_open, sink_json_open, sink_csv_open - lines of text on @fd
 * @r:     borrowed for the sink's life
 * @kinds: as csv_new(), not needed afterwards
 * @fd:    stays the caller's; writes block
 *
 * What they write, and what a failed write means: sink_lines.h, render.h.
 * Return: 0, to be ended with ops->close(); -ENOMEM.
 */
int sink_text_open(struct sink **ret, const struct render *r, int fd);
int sink_json_open(struct sink **ret, const struct render *r, int fd);
int sink_csv_open(struct sink **ret, const struct render *r, const bool *kinds,
		  int fd);

struct archive_writer; /* archive.h */

/**
 * sink_archive_open - events into an archive, context too
 * @w:     the sink's from here on: ops->close() is archive_close()
 * @tasks: not used
 *
 * Return: 0; -ENOMEM, and @w stays the caller's. event, tick and close return
 * as archive_append(), archive_tick() and archive_close().
 */
int sink_archive_open(struct sink **ret, struct archive_writer *w,
		      const struct tasks *tasks);

#endif
