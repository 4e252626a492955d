/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * replay.h - archive to sink: the same selection, task table, filter and sinks
 * as live. Thread: the caller's.
 */
#ifndef WEIR_REPLAY_H
#define WEIR_REPLAY_H

#include "archive.h"
#include "filter.h"
#include "select.h"
#include "sink.h"

struct replay {
	struct archive *archive;
	struct tasks *tasks;
	struct render render;
	struct select select;
	uint64_t from_ns, to_ns;	/* monotonic; 0: open */
};

/**
 * replay_open - open archives and compile the selection
 * Return: 0; errors of archive_open() and select_init().
 */
int replay_open(struct replay *r, char *const *paths, unsigned count,
		const char **why);

/**
 * replay_each - hand each selected event to @fn, joined
 * Return: as archive_each().
 */
int replay_each(struct replay *r, int (*fn)(void *arg, const struct event *ev),
		void *arg);

/** replay_sink - the same into a sink, which is ticked; not closed. */
int replay_sink(struct replay *r, struct sink *sink);

void replay_close(struct replay *r);

#endif
