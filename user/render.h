/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * render.h - events and fields as people and programs read them.
 *
 * No byte of an event reaches the output unescaped: text shows C0, C1, DEL,
 * bidirectional controls and what is not UTF-8 as \xHH (and \ as \\), whether
 * or not it goes to a terminal; JSON is always valid UTF-8 and lossless: a
 * byte that is no part of a UTF-8 sequence becomes \udcHH (the lone surrogate
 * of Python's surrogateescape, PEP 383). Thread: no state but the arguments.
 */
#ifndef WEIR_RENDER_H
#define WEIR_RENDER_H

#include "event.h"

struct tasks;

/* What rendering needs to know beside the event. */
struct render {
	const struct schema *schema;
	const struct tasks *tasks; /* names of other tasks; may be NULL */
	int64_t wall_offset;	   /* realtime - monotonic, ns; 0 unknown */
	/* of archives of several boots: which one the event is of, */
	unsigned boot;
	uint64_t shift; /* and what makes its times ones of the first, ns */
	bool utc;	/* times of day in UTC, not the local zone */
	bool dated;	/* with the date before them */
};

/** render_escape - append @len bytes escaped for text. */
void render_escape(struct buf *b, const void *data, size_t len);

/** render_json_string - append them as a JSON string, quotes included. */
void render_json_string(struct buf *b, const void *data, size_t len);

/** render_ns - a span for people: 812ns 12.3us 340us 1.25s 2m05s */
void render_ns(struct buf *b, uint64_t ns);

/** render_bytes - a size for people: 512 8.0K 1.5M 3.2G */
void render_bytes(struct buf *b, uint64_t bytes);

/** render_time - 14:03:20.512345 of a monotonic instant; dated:
 * 2026-11-22T14:03:20.512345, which parse_time() takes. */
void render_time(struct buf *b, const struct render *r, uint64_t mono_ns);

/** render_date - 2026-11-22 of a monotonic instant. */
void render_date(struct buf *b, const struct render *r, uint64_t mono_ns);

/** render_day - the days from 1970 to that of a monotonic instant, there where
 * its time of day is of. */
uint64_t render_day(const struct render *r, uint64_t mono_ns);

/** render_iso - 2026-11-22T14:03:20.512345678Z of ns since the epoch. */
void render_iso(struct buf *b, uint64_t realtime_ns);

/** render_instant - 2026-11-22T14:03:20.512345678+01:00 of a monotonic instant,
 * for people; Z in UTC. parse_time() takes both. */
void render_instant(struct buf *b, const struct render *r, uint64_t mono_ns);

/** render_field - one field as in the human line, by its meaning. */
void render_field(struct buf *b, const struct render *r, const struct event *ev,
		  const struct schema_field *f);

/**
 * render_text - the human line, newline included:
 * time, cpu, comm[pid] (comm[pid/tid] for a thread; [pid] alone when nobody
 * knows it), kind, and the kind's template: {field} is a field, [ … ] is left
 * out when every field in it is empty. A kind without one prints name=value
 * pairs. Flags worth knowing (late, partial, io_uring) follow in parentheses.
 */
void render_text(struct buf *b, const struct render *r, const struct event *ev);

/**
 * render_json - one JSON object and a newline: ts (ns since the epoch),
 * source, kind, cpu, pid, tid, comm, then the kind's fields by their schema
 * names; enums by name, errno and signals as numbers with a second key
 * <name>_name, times as ns since the epoch, spans and sizes as numbers, IPs as
 * strings, argv as an array of strings; a string that was cut has
 * <name>_full: its true length; one that was unreadable is null. `marks` is an
 * array of the names of the header's flags when any is set (late, context,
 * partial, io_uring, stalled). An instant that is 0 (unknown) is null, device
 * numbers, addresses and flags are strings, task states numbers with a name;
 * args an array, see args.h.
 */
void render_json(struct buf *b, const struct render *r, const struct event *ev);

/** render_json_value - one field as render_json() shows it, without its key. */
void render_json_value(struct buf *b, const struct render *r,
		       const struct event *ev, const struct schema_field *f);

/**
 * render_json_name - what <name>_name would say of an element of a field
 * Return: a static string or @scratch; NULL: it has no such key.
 */
const char *render_json_name(const struct schema_field *f, int64_t v,
			     char scratch[16]);

/** render_csv_text - a string as a cell, escaped and quoted as render_csv(). */
void render_csv_text(struct buf *b, const void *data, size_t len);

/**
 * render_csv_head, render_csv - one line of comma-separated values: RFC 4180,
 * but that lines end with LF, as every tool of a shell expects
 *
 * Columns: time (ISO 8601), source, kind, cpu, pid, tid, comm, then a column
 * for each field name of @kinds in order of first appearance (so a narrower
 * -e gives a narrower file), then marks, with a blank between them, and
 * weight: how many events it stands for. @kinds is by number, NULL: all.
 * Strings are escaped as text; a value that a spreadsheet would take for a
 * formula (= + -
 * @ first, in a string column) gets a ' before it. Spans and sizes are plain
 * numbers; what has a name in text has it here.
 * csv_new - Return: 0; -ENOMEM. @s is borrowed for its life.
 */
struct csv; /* column set */
int csv_new(struct csv **ret, const struct schema *s, const bool *kinds);
void csv_free(struct csv *c);
void render_csv_head(struct buf *b, const struct csv *c);
void render_csv(struct buf *b, const struct csv *c, const struct render *r,
		const struct event *ev);

/**
 * render_check_text - does a template name only fields its kind has?
 * Return: 0; -EINVAL with the offending name in @ret_name (into the template).
 */
int render_check_text(const struct schema_kind *k, const char **ret_name);

#endif
