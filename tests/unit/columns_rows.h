/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * columns_rows.h - for the tests of columns: records of any kind, on several
 * CPUs, and a schema that groups some of them.
 */
#ifndef WEIR_TEST_COLUMNS_ROWS_H
#define WEIR_TEST_COLUMNS_ROWS_H

#include "model_schema.h"

#define EV_CALLS   9
#define EV_TASK	   10
#define EV_UNKNOWN 200

/* ---- records ------------------------------------------------------------- */

static uint64_t seed = 1;

static inline uint32_t chance(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33);
}

/* Numbers as they are in life: few, near each other, or anything. */
static inline uint64_t number(void)
{
	uint64_t x = (uint64_t)chance() << 32 | chance();

	switch (chance() % 4) {
	case 0:
		return x % 3;
	case 1:
		return x % 1000;
	case 2:
		return -(x % 50);
	default:
		return x;
	}
}

static inline void put_row(struct buf *rows, const void *record, size_t len)
{
	static const char zeros[8];

	buf_put(rows, record, len);
	buf_put(rows, zeros, -len & 7);
	assert_int_equal(buf_err(rows), 0);
}

static inline size_t fill_strings(uint8_t *rec, const struct schema_kind *k,
				  size_t len)
{
	static const char text[] = "/usr/include/stdio.h/etc/passwd/tmp";
	unsigned i, n;

	for (i = 0; i < k->field_count; i++) {
		struct weir_str s = {.full = chance() % 5 ? 0 : UINT32_MAX};

		if (k->fields[i].type != FIELD_STR)
			continue;
		n = chance() % 3 ? 8 * (chance() % 5) : chance() % 34;
		if (chance() % 5000 == 0)
			n = 4096;
		if (n || chance() % 3 == 0)
			s.off = (uint16_t)len;
		s.len = (uint16_t)n;
		s.full += n;
		for (; n; n--)
			rec[len++] = (uint8_t)text[n % sizeof(text)];
		memcpy(rec + k->fields[i].offset, &s, sizeof(s));
	}
	return len;
}

/* Times that follow from those of the rows: of EV_TASK. */
static inline void fill_times(uint8_t *rec, const struct weir_hdr *h)
{
	static uint64_t last[5];
	uint64_t began = h->ts - chance() % 5000, since;

	if (h->kind != EV_TASK)
		return;
	since = h->ts - last[h->cpu] + chance() % 2;
	last[h->cpu] = h->ts;
	memcpy(rec + 32, &began, 8);
	memcpy(rec + 40, &since, 8);
}

/* A record of a kind that it fits. Return: its length. */
static inline size_t make(uint8_t *rec, const struct schema_kind *k,
			  uint64_t ts)
{
	struct weir_hdr h = {.ts = ts, .kind = k->number};
	size_t len = k->size, at;
	uint64_t x;

	memset(rec, 0, k->size);
	for (at = sizeof(h); at < len; at += 4) {
		x = number();
		memcpy(rec + at, &x, len - at < 4 ? len - at : 4);
	}
	len = fill_strings(rec, k, len);
	h.cpu = chance() % 3 ? 0 : (uint16_t)(chance() % 5);
	h.len = (uint16_t)len;
	h.flags = chance() % 100 ? 0 : (uint16_t)chance();
	h.pid = 100 + chance() % 4;
	h.tid = h.pid + (chance() % 3 == 0);
	memcpy(rec, &h, sizeof(h));
	fill_times(rec, &h);
	return len;
}

/* A record that fits nothing: another kind, or strings elsewhere. */
static inline size_t make_odd(uint8_t *rec, const struct schema_kind *k,
			      uint64_t ts)
{
	size_t len = make(rec, k, ts);
	struct weir_hdr *h = (struct weir_hdr *)rec;

	switch (chance() % 4) {
	case 0:
		h->kind = EV_UNKNOWN;
		break;
	case 1:
		h->kind = (uint16_t)chance();
		break;
	case 2:
		h->len = (uint16_t)(len = sizeof(*h) + chance() % 20);
		break;
	default:
		h->len = (uint16_t)(len + 3);
		memset(rec + len, 'x', 3);
		len += 3;
	}
	return len;
}

static inline const struct schema_kind *any_kind(const struct schema *s)
{
	const struct schema_kind *k;

	do
		k = schema_kind(s, chance() % SCHEMA_KINDS_MAX);
	while (!k);
	return k;
}

struct load {
	unsigned odd;  /* one in so many fits nothing; 0 none */
	unsigned late; /* one in so many is late; 0 none */
	unsigned step; /* time between two at most */
};

static inline void fill(struct buf *rows, const struct schema *s, uint32_t n,
			const struct load *l)
{
	static _Alignas(8) uint8_t rec[65536];
	uint64_t ts = 1000000000000ULL, at;
	size_t len;

	buf_reset(rows);
	while (n--) {
		const struct schema_kind *k = any_kind(s);

		ts += chance() % l->step;
		at = l->late && chance() % l->late == 0 ? ts - chance() % 5000
							: ts;
		if (l->odd && chance() % l->odd == 0)
			len = make_odd(rec, k, at);
		else
			len = make(rec, k, at);
		put_row(rows, rec, len);
	}
}

/* ---- schemas ------------------------------------------------------------- */

static const struct schema_field calls_fields[] = {
	ONE(name, 24, 4, FIELD_UINT, MEANING_NONE),
	ONE(small, 30, 2, FIELD_UINT, MEANING_NONE), /* a hole before it */
	NUMBER(args, 32, 48, 6, FIELD_UINT, MEANING_ARGS),
	ONE(ret, 80, 8, FIELD_INT, MEANING_RET),
	ONE(queued, 88, 8, FIELD_UINT, MEANING_NS),
	ONE(service, 96, 8, FIELD_UINT, MEANING_NS),
	ONE(latency, 104, 8, FIELD_UINT, MEANING_NS),
	ONE(path, 112, 8, FIELD_STR, MEANING_NONE),
	ONE(file, 120, 8, FIELD_STR, MEANING_NONE),
};
#define CALLS_SIZE   128
#define CALLS_FIELDS (sizeof(calls_fields) / sizeof(*calls_fields))

/* Of source task: its rows can be found without the others. */
static const struct schema_field task_fields[] = {
	ONE(name, 24, 4, FIELD_UINT, MEANING_NONE),
	ONE(next, 28, 4, FIELD_UINT, MEANING_TID),
	ONE(began, 32, 8, FIELD_UINT, MEANING_TIME),
	ONE(since, 40, 8, FIELD_UINT, MEANING_NS),
	ONE(file, 48, 8, FIELD_STR, MEANING_NONE),
};
#define TASK_SIZE   56
#define TASK_FIELDS (sizeof(task_fields) / sizeof(*task_fields))

/* model_schema.h, and two kinds whose rows are grouped by the first field. */
static inline struct schema *grouped_schema(void)
{
	static const char *const names[] = {"read",  "write", "open", "close",
					    "stat",  "poll",  "mmap", "brk",
					    "ioctl", "pipe"};
	struct schema_enumerator v[10];
	struct schema_enum e = {"weir_call", 10, v}, *kept;
	struct schema_source task = {"task", "tasks"};
	struct schema_field f[CALLS_FIELDS], g[TASK_FIELDS];
	struct schema *s = model_schema();
	int i;

	for (i = 0; i < 10; i++)
		v[i] = (struct schema_enumerator){i, names[i]};
	assert_int_equal(
		schema_add_enum(s, &e, (const struct schema_enum **)&kept), 0);
	memcpy(f, calls_fields, sizeof(f));
	f[0].names = kept;
	model_add(s, EV_CALLS, "model", "calls", "", CALLS_SIZE, f,
		  CALLS_FIELDS);
	memcpy(g, task_fields, sizeof(g));
	g[0].names = kept;
	assert_int_equal(schema_add_source(s, &task), 0);
	model_add(s, EV_TASK, "task", "task_done", "", TASK_SIZE, g,
		  TASK_FIELDS);
	return s;
}

#endif
