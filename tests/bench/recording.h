/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * recording.h - the events of an archive in memory, for benchmarks that use
 * them again. Errors end the program.
 */
#ifndef WEIR_BENCH_RECORDING_H
#define WEIR_BENCH_RECORDING_H

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../../user/archive.h"

static inline void die(const char *what, int err)
{
	fprintf(stderr, "%s: %s: %s\n", program_invocation_short_name, what,
		strerror(-err));
	exit(1);
}

/* A copy that outlives the archive, as the events in memory do. */
static inline struct schema *recording_schema(const struct archive *a)
{
	struct buf wire = {0};
	struct schema *s = NULL;
	int err;

	schema_encode(archive_schema(a), &wire);
	err = buf_err(&wire);
	if (!err)
		err = schema_decode(&s, wire.data, wire.len);
	if (err)
		die("schema", err);
	buf_done(&wire);
	return s;
}

static inline struct archive *recording_open(char *path)
{
	const char *why = path;
	char *paths[] = {path};
	struct archive *a;
	int err = archive_open(&a, paths, 1, &why);

	if (err)
		die(why, err);
	return a;
}

/* Call @each for all events until it returns other than 0: an error if < 0. */
static inline void recording_each(struct archive *a,
				  int (*each)(void *, struct event *),
				  void *arg)
{
	struct archive_range all = {0};
	int err = archive_each(a, &all, each, arg);

	if (err < 0)
		die("reading", err);
}

/* Records stand behind each other, each at a multiple of 8. */
static inline size_t recording_room(uint32_t len)
{
	return (len + 7UL) & ~7UL;
}

static inline void recording_put(struct buf *events, const struct event *ev)
{
	static const char zeros[8];

	buf_put(events, ev->h, ev->len);
	buf_put(events, zeros, recording_room(ev->len) - ev->len);
	if (buf_err(events))
		die("memory", buf_err(events));
}

#endif
