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

/* @r is borrowed for the sink's life; @fd stays the caller's. */
int sink_text_open(struct sink **ret, const struct render *r, int fd);
int sink_json_open(struct sink **ret, const struct render *r, int fd);
int sink_csv_open(struct sink **ret, const struct render *r, const bool *kinds,
		  int fd);

struct archive_writer; /* archive.h */
int sink_archive_open(struct sink **ret, struct archive_writer *w,
		      const struct tasks *tasks);

#endif
