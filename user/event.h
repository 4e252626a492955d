/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * event.h - one event as every stage after the main ring sees it, and how to
 * read a field of it.
 *
 * An event is a view: it points into the ring or a decoded block and is valid
 * only inside the callback that gets it. event_init() checks the record once
 * against its kind; after that every field read stays inside it.
 */
#ifndef WEIR_EVENT_H
#define WEIR_EVENT_H

#include "../bpf/events.h"
#include "schema.h"

struct task; /* tasks.h */

/* All of it is borrowed: the record, the schema, the task table. */
struct event {
	const struct weir_hdr *h; /* 8-aligned; the fixed part behind it */
	const struct schema_kind *kind;
	const struct task *task; /* whose event it is, by tasks_apply(); NULL:
				    unknown, or not joined */
	uint32_t len;		 /* bytes at @h */
};

/**
 * event_init - make a view of a record
 * @data: 8-aligned record, header first
 * @len:  bytes there
 *
 * ev->task is NULL afterwards. A string of no bytes may point anywhere.
 * Return: 0; -EBADMSG shorter than it says, of an unknown kind, or a string
 * that points outside; @ev is untouched then.
 */
int event_init(struct event *ev, const struct schema *s, const void *data,
	       size_t len);

/** field_extend - the sign of a number of so many bytes, in 64 bits. */
static inline int64_t field_extend(uint64_t v, unsigned bytes)
{
	switch (bytes) {
	case 1:
		return (int8_t)v;
	case 2:
		return (int16_t)v;
	case 4:
		return (int32_t)v;
	default:
		return (int64_t)v;
	}
}

/**
 * field_u64, field_s64 - element @i of a number, extended to 64 bits
 * @ev: of the kind that @f is of
 * @f:  FIELD_UINT or FIELD_INT, which is not checked here
 * @i:  less than f->count
 *
 * field_u64() extends with zeros, whatever the type; field_s64() by the sign of
 * a FIELD_INT.
 */
uint64_t field_u64(const struct event *ev, const struct schema_field *f,
		   unsigned i);
int64_t field_s64(const struct event *ev, const struct schema_field *f,
		  unsigned i);

struct field_bytes {
	const uint8_t *data; /* inside the record */
	uint32_t len;
	uint32_t full; /* true length, more than @len where it was cut;
			  WEIR_STR_UNKNOWN: unreadable */
};

/**
 * field_bytes - content of FIELD_CHARS (to its NUL), FIELD_BYTES, FIELD_STR
 *
 * As long as the record is there. data is never NULL, be len 0; the bytes are
 * anyone's: they may have NULs, and need not be UTF-8.
 */
struct field_bytes field_bytes(const struct event *ev,
			       const struct schema_field *f);

/**
 * field_is_empty - zero, or a string of no bytes: what [optional] parts of a
 * human line leave out.
 */
bool field_is_empty(const struct event *ev, const struct schema_field *f);

/*
 * A field bound by name, for code that needs one (the task table, statistics):
 * schemas of other versions may lack it, so it is optional at use. The schema
 * is borrowed for its life. All zero is one that is not bound.
 */
struct bound {
	const struct schema_kind *kind;
	const struct schema_field *field;
};

/**
 * bound_init - look up "kind.field"; of variants all that have it are meant
 * Return: true when the schema has it.
 */
bool bound_init(struct bound *b, const struct schema *s, const char *kind,
		const char *field);

/** bound_in - Return: the field in an event of this kind, or NULL. */
const struct schema_field *bound_in(const struct bound *b,
				    const struct schema_kind *k);

/**
 * bound_u64 - Return: element 0, a FIELD_INT with its sign; @fallback when not
 * bound, when the event is of another kind, or when it is no number.
 */
uint64_t bound_u64(const struct bound *b, const struct event *ev,
		   uint64_t fallback);

/**
 * bound_bytes - Return: as field_bytes(); all zero, data NULL, when not bound
 * in an event of this kind.
 */
struct field_bytes bound_bytes(const struct bound *b, const struct event *ev);

#endif
