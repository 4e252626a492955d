/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * archive_ways.h - ways to keep a block of events, side by side.
 */
#ifndef WEIR_ARCHIVE_WAYS_H
#define WEIR_ARCHIVE_WAYS_H

#include "../../user/buf.h"
#include "../../user/columns.h"
#include "../../user/event.h"
#include "../../user/tasks.h"

/* What the ways work with. */
struct tools {
	struct schema *schema;
	struct columns *columns;
	struct tasks *tasks;
	struct event *event; /* of the block being kept, if its way asks */
	uint32_t event_count;
	void *pack, *unpack; /* zstd */
	struct buf text;
	void *sqlite;
	char *path; /* of the SQLite database */
};

/** tools_init - Return: 0; -errno. @s is borrowed. */
int tools_init(struct tools *t, struct schema *s);
void tools_done(struct tools *t);

struct way {
	const char *name, *key; /* for people, for programs */
	/* Begin, and end: bytes that did not go to @to. NULL: nothing to do. */
	int (*begin)(struct tools *t);
	uint64_t (*end)(struct tools *t);
	/* Append a block. NULL decode: not measured. */
	int (*encode)(struct tools *t, const struct buf *rows, struct buf *to);
	int (*decode)(struct tools *t, const struct buf *from, size_t len,
		      struct buf *rows);
	bool events;	 /* asks for tools.event */
	unsigned blocks; /* at most so many, spread evenly; 0: all */
};

/* In the order they are shown; those we measure with are way_columns. */
extern const struct way ways[];
#define WAYS	    6
#define WAY_COLUMNS 1

#endif
