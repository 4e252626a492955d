/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fast_store.h - an archive in which all that makes an answer hard happens
 * within some thousand events: tasks that come, go, change name and cgroup,
 * numbers used again, events of one instant and late ones, strings that are
 * cut, unreadable or hostile, losses, several blocks and segments.
 */
#ifndef WEIR_TEST_FAST_STORE_H
#define WEIR_TEST_FAST_STORE_H

#include "store.h"

#include "../../user/source.h"
#include "../../user/tasks.h"

#define FAST_EVENTS 9000
#define FAST_TIDS   24
#define FAST_FIRST  100

struct fast_store {
	struct schema *schema;
	struct tasks *tasks;
	struct archive_writer *writer;
	uint64_t *dice, ts;
};

static inline uint32_t fast_roll(struct fast_store *s, uint32_t n)
{
	return store_random(s->dice) % n;
}

static inline void fast_schema(struct fast_store *s)
{
	struct sources_options o = {0};
	struct buf bytes = {0};
	struct sources *all;
	char why[256];

	assert_int_equal(sources_open(&all, &o, why, sizeof(why)), 0);
	schema_encode(sources_schema(all), &bytes);
	assert_int_equal(schema_decode(&s->schema, bytes.data, bytes.len), 0);
	buf_done(&bytes);
	sources_free(all);
}

/* ---- records ------------------------------------------------------------- */

static inline uint64_t fast_number(struct fast_store *s,
				   const struct schema_field *f)
{
	switch ((enum meaning)f->meaning) {
	case MEANING_PID:
	case MEANING_TID:
		return FAST_FIRST + fast_roll(s, FAST_TIDS);
	case MEANING_TIME:
		return fast_roll(s, 9) ? s->ts - fast_roll(s, 3) * 1000 : 0;
	case MEANING_NS:
		return fast_roll(s, 5) ? fast_roll(s, 9) * 700
				       : fast_roll(s, 90000000);
	case MEANING_RET:
		return fast_roll(s, 4) ? fast_roll(s, 5)
				       : (uint64_t) - (1 + fast_roll(s, 40));
	case MEANING_ERRNO:
		return fast_roll(s, 3) ? 0 : fast_roll(s, 12);
	case MEANING_BOOL:
		return fast_roll(s, 3);
	default:
		if (!f->names)
			return fast_roll(s, 6);
		/* some names are so frequent that they have columns alone */
		return fast_roll(s, 4) ? fast_roll(s, 2)
				       : fast_roll(s, f->names->count + 2);
	case MEANING_SECTOR: /* no integer of SQLite's */
		return fast_roll(s, 50) ? fast_roll(s, 6) : UINT64_MAX;
	}
}

static inline void fast_string(struct fast_store *s, struct store_record *r,
			       const struct schema_field *f)
{
	static const char *const texts[] = {"/usr/include/stdio.h",
					    "/usr/include/STDLIB.H",
					    "/etc/passwd",
					    "",
					    "/tmp/\xc3\xa4.h",
					    "\xff\xfe.h",
					    "a\nb",
					    "/x",
					    "007"};
	const char *text = texts[fast_roll(s, 9)];
	struct weir_hdr *h = store_hdr(r);
	struct weir_str str = {h->len, (uint16_t)strlen(text), 0};

	str.full = str.len + (fast_roll(s, 9) ? 0 : 100);
	if (fast_roll(s, 9) == 0)
		str = (struct weir_str){h->len, 0, WEIR_STR_UNKNOWN};
	memcpy(r->data + f->offset, &str, sizeof(str));
	memcpy(r->data + h->len, text, str.len);
	h->len = (uint16_t)(h->len + str.len);
}

static inline void fast_chars(struct fast_store *s, struct store_record *r,
			      const struct schema_field *f)
{
	static const char *const names[] = {
		"cc1", "make",	      "nginx",		"SH",
		"sh",  "kworker/0:1", "exactly16chars!"};
	const char *name = names[fast_roll(s, 7)];

	memset(r->data + f->offset, 0, f->size);
	if (f->type == FIELD_BYTES)
		memset(r->data + f->offset, (int)fast_roll(s, 3), f->size);
	else
		memcpy(r->data + f->offset, name, strnlen(name, f->size));
}

static inline void fast_fill(struct fast_store *s, struct store_record *r,
			     const struct schema_kind *k)
{
	unsigned i, e, size;
	uint64_t v;

	for (i = 0; i < k->field_count; i++) {
		const struct schema_field *f = &k->fields[i];

		if (f->type == FIELD_STR)
			fast_string(s, r, f);
		else if (f->type > FIELD_INT)
			fast_chars(s, r, f);
		size = f->size / f->count;
		for (e = 0; e < f->count && f->type <= FIELD_INT; e++) {
			v = fast_number(s, f);
			memcpy(r->data + f->offset + e * size, &v, size);
		}
	}
}

/* What has the first name has the same in all its rows. */
static inline void fast_make_same(struct store_record *r,
				  const struct schema_kind *k)
{
	const struct schema_field *f = &k->fields[0];
	uint32_t name = 1;
	unsigned i;

	if (f->names && f->size == sizeof(name))
		memcpy(&name, r->data + f->offset, sizeof(name));
	if (name)
		return;
	store_hdr(r)->len = k->size;
	for (i = 0; i < k->field_count; i++)
		memset(r->data + k->fields[i].offset, 0, k->fields[i].size);
}

/* ---- events -------------------------------------------------------------- */

static inline const struct schema_kind *fast_kind(struct fast_store *s)
{
	static const char *const often[] = {"syscall_done", "syscall_done",
					    "syscall_done", "sched_switch",
					    "block_io",	    "net_close"};
	const struct schema_kind *k = NULL;

	if (fast_roll(s, 8))
		return schema_kind_by_name(s->schema, often[fast_roll(s, 6)]);
	while (!k || (!strcmp(k->name, "gap") && fast_roll(s, 4)))
		k = schema_kind(s->schema, fast_roll(s, SCHEMA_KINDS_MAX));
	return k;
}

static inline void fast_one(struct fast_store *s)
{
	const struct schema_kind *k = fast_kind(s);
	struct store_record r;
	struct weir_hdr *h = store_hdr(&r);
	struct event ev;

	s->ts += fast_roll(s, 4) ? fast_roll(s, 3) * 1000
				 : fast_roll(s, 4000000);
	store_begin(&r, k->number, s->ts, fast_roll(s, 4), k->size);
	h->pid = FAST_FIRST + fast_roll(s, FAST_TIDS);
	h->tid = h->pid + (fast_roll(s, 4) == 0);
	if (fast_roll(s, 60) == 0) {
		h->ts -= fast_roll(s, 100000);
		h->flags |= WEIR_F_LATE;
	}
	if (!strcmp(k->source, "repo") ? strcmp(k->name, "gap") != 0
				       : fast_roll(s, 40) == 0)
		h->flags |= WEIR_F_CONTEXT;
	if (fast_roll(s, 50) == 0)
		h->flags |= WEIR_F_PARTIAL;
	fast_fill(s, &r, k);
	fast_make_same(&r, k);
	assert_int_equal(event_init(&ev, s->schema, h, h->len), 0);
	tasks_apply(s->tasks, &ev);
	assert_int_equal(archive_append(s->writer, &ev), 0);
	if (fast_roll(s, 2500) == 0)
		assert_int_equal(archive_flush(s->writer), 0);
}

static inline int fast_put_state(void *arg, const void *record, size_t len)
{
	return archive_state(arg, record, len);
}

static inline int fast_state(void *arg, struct archive_writer *w)
{
	struct fast_store *s = arg;

	return tasks_state(s->tasks, s->ts, fast_put_state, w);
}

/* @dice: what the archive is made by, and goes on from there. */
static inline void fast_store_make(struct fast_store *s, const char *path,
				   uint64_t *dice)
{
	struct archive_options o = {.path = path,
				    .segment_bytes = 64 * 1024,
				    .state = fast_state,
				    .arg = s};
	unsigned i;

	*s = (struct fast_store){.dice = dice, .ts = clock_now()};
	fast_schema(s);
	assert_int_equal(tasks_new(&s->tasks, s->schema), 0);
	assert_int_equal(archive_create(&s->writer, s->schema, &o), 0);
	for (i = 0; i < FAST_EVENTS; i++)
		fast_one(s);
	assert_int_equal(archive_close(s->writer), 0);
}

static inline void fast_store_done(struct fast_store *s)
{
	tasks_free(s->tasks);
	schema_free(s->schema);
}

#endif
