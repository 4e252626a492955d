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

/* What rendering needs to know beside the event. All of it is borrowed. */
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

/**
 * render_escape - append @len bytes escaped for text
 *
 * A NUL is one of them: \x00. Like all here, an error is latched in @b.
 */
void render_escape(struct buf *b, const void *data, size_t len);

/** render_json_string - append them as a JSON string, quotes included. */
void render_json_string(struct buf *b, const void *data, size_t len);

/**
 * render_ns - a span for people: 812ns 12.3us 340us 1.25s 2m05s 3h07m 2d04h
 *
 * Three digits, what is behind them cut off and not rounded.
 */
void render_ns(struct buf *b, uint64_t ns);

/**
 * render_bytes - a size for people: 512 8.0K 1.5M 3.2G
 *
 * K M G T P E are powers of 1024; the rest is cut off and not rounded. From
 * 100 of them on without a decimal.
 */
void render_bytes(struct buf *b, uint64_t bytes);

/**
 * render_time - 14:03:20.512345 of a monotonic instant; dated:
 * 2026-11-22T14:03:20.512345, which parse_time() takes
 *
 * Microseconds, the rest cut off. With a wall offset of 0 it is reckoned from
 * the boot. The local zone is that of localtime_r(3).
 */
void render_time(struct buf *b, const struct render *r, uint64_t mono_ns);

/** render_date - 2026-11-22 of a monotonic instant. */
void render_date(struct buf *b, const struct render *r, uint64_t mono_ns);

/**
 * render_day - Return: the days from 1970-01-01 to that of a monotonic instant,
 * in the zone in which its time of day is told.
 */
uint64_t render_day(const struct render *r, uint64_t mono_ns);

/** render_iso - 2026-11-22T14:03:20.512345678Z of ns since the epoch. */
void render_iso(struct buf *b, uint64_t realtime_ns);

/**
 * render_instant - 2026-11-22T14:03:20.512345678+01:00 of a monotonic instant,
 * for people; Z in UTC. parse_time() takes both.
 *
 * Where the zone's offset is no whole minute, Z as well.
 */
void render_instant(struct buf *b, const struct render *r, uint64_t mono_ns);

/**
 * render_field - one field as in the human line, by its meaning
 * @f: of the event's kind
 *
 * Elements of an array have commas between. A tid is comm[tid] where r->tasks
 * knows it, a cgroup its path, an instant that is 0 (unknown) a -, a string
 * that could not be read a ?; one that was cut says so (render_value.h).
 */
void render_field(struct buf *b, const struct render *r, const struct event *ev,
		  const struct schema_field *f);

/**
 * render_text - the human line, newline included:
 * time, cpu, comm[pid] (comm[pid/tid] for a thread; [pid] alone when nobody
 * knows it), kind, and the kind's template: {field} is a field, [ … ] is left
 * out when every field in it is empty. A kind without one prints name=value
 * pairs. Flags worth knowing (late, partial, io_uring, stalled) follow in
 * parentheses, and of a sampled event "(one of N)".
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
 * partial, io_uring, stalled), `weight` how many events it stands for, where
 * that is more than one. comm is null where nobody knows the task. An instant
 * that is 0 (unknown) is null, device numbers, addresses and flags are strings,
 * task states numbers with a name; args an array, see args.h.
 */
void render_json(struct buf *b, const struct render *r, const struct event *ev);

/** render_json_value - one field as render_json() shows it, without its key. */
void render_json_value(struct buf *b, const struct render *r,
		       const struct event *ev, const struct schema_field *f);

/**
 * render_json_name - what <name>_name would say of an element of a field
 * @v: sign-extended if the field is a FIELD_INT
 *
 * Of errors, what calls returned, signals and task states; enums have their
 * name in the place of the number. Return: a static string or @scratch; NULL:
 * it has no such key.
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
 * formula (one of "=+-@" first, in a string column) gets a ' before it. Spans
 * and sizes are plain numbers; what has a name in text has it here. csv_new -
 * Return: 0; -ENOMEM. @s is borrowed for its life. @kinds is not needed
 * afterwards; of an event of another kind the fields are left empty. csv_free -
 * NULL-safe.
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
