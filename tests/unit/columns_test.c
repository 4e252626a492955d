// SPDX-License-Identifier: BSD-2-Clause
/* Columns: what goes in comes out, to the byte and in order, whatever it is. */
#include <cmocka.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <errno.h>

#include "../../user/block.h"
#include "../../user/columns.h"
#include "../../user/source.h"
#include "model_schema.h"

#define EV_CALLS     9
#define EV_UNKNOWN   200
#define ROWS_MAX     (80U << 20)
#define DAMAGED_ROWS 60

/* ---- records ------------------------------------------------------------- */

static uint64_t seed = 1;

static uint32_t chance(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return (uint32_t)(seed >> 33);
}

/* Numbers as they are in life: few, near each other, or anything. */
static uint64_t number(void)
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

static void put_row(struct buf *rows, const void *record, size_t len)
{
	static const char zeros[8];

	buf_put(rows, record, len);
	buf_put(rows, zeros, -len & 7);
	assert_int_equal(buf_err(rows), 0);
}

static size_t fill_strings(uint8_t *rec, const struct schema_kind *k,
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

/* A record of a kind that it fits. Return: its length. */
static size_t make(uint8_t *rec, const struct schema_kind *k, uint64_t ts)
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
	return len;
}

/* A record that fits nothing: another kind, or strings elsewhere. */
static size_t make_odd(uint8_t *rec, const struct schema_kind *k, uint64_t ts)
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

static const struct schema_kind *any_kind(const struct schema *s)
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

static void fill(struct buf *rows, const struct schema *s, uint32_t n,
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

/* model_schema.h, and a kind whose rows are grouped by the first field. */
static struct schema *grouped_schema(void)
{
	static const char *const names[] = {"read",  "write", "open", "close",
					    "stat",  "poll",  "mmap", "brk",
					    "ioctl", "pipe"};
	struct schema_enumerator v[10];
	struct schema_enum e = {"weir_call", 10, v}, *kept;
	struct schema_field f[CALLS_FIELDS];
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
	return s;
}

/* ---- round trips --------------------------------------------------------- */

static void check(struct columns *c, const struct buf *rows, bool hurry)
{
	struct buf packed = {0}, back = {0};

	assert_int_equal(columns_encode(c, rows, hurry, &packed), 0);
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	assert_int_equal(columns_decode(c, &back, rows->len), 0);
	assert_int_equal(back.len, rows->len);
	assert_memory_equal(back.data, rows->data, rows->len);
	/* one byte less is too little room */
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	assert_int_equal(columns_decode(c, &back, rows->len - 1), -EBADMSG);
	buf_done(&packed);
	buf_done(&back);
}

static void check_schema(struct schema *s)
{
	static const uint32_t counts[] = {1, 2, 31, 500, 5000, 40000};
	static const struct load loads[] = {
		{0, 0, 2000}, {50, 0, 2000}, {0, 30, 2000},
		{9, 9, 3},    {1, 0, 100},   {0, 2, 1000000},
	};
	struct buf rows = {0};
	struct columns *c;
	size_t i, k;

	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < sizeof(counts) / sizeof(*counts); i++) {
		for (k = 0; k < sizeof(loads) / sizeof(*loads); k++) {
			fill(&rows, s, counts[i], &loads[k]);
			check(c, &rows, k % 2);
		}
	}
	buf_done(&rows);
	columns_free(c);
	schema_free(s);
}

static void anything_comes_back(void **state)
{
	(void)state;
	check_schema(grouped_schema());
}

static void real_kinds_come_back(void **state)
{
	struct sources_options o = {0};
	struct buf bytes = {0};
	struct sources *all;
	struct schema *s;
	char why[256];

	(void)state;
	assert_int_equal(sources_open(&all, &o, why, sizeof(why)), 0);
	schema_encode(sources_schema(all), &bytes);
	assert_int_equal(schema_decode(&s, bytes.data, bytes.len), 0);
	buf_done(&bytes);
	sources_free(all);
	check_schema(s);
}

/* What the predictors are for, so that each is taken by some column. */
static void put_call(struct buf *rows, const struct schema *s, uint32_t i)
{
	static struct record r;
	uint32_t call = i % 7 ? chance() % 4 : chance() % 10;
	uint64_t queued = chance() % 100000, service = chance() % 1000;

	record_begin(&r, s, "calls");
	record_hdr(&r)->ts += i * 1000 + chance() % 500;
	record_hdr(&r)->cpu = (uint16_t)(i / 50 % 2);
	record_hdr(&r)->tid += i / 10 % 3;
	record_set(&r, "name", call);
	record_put(&r, "args", 0, 3 + call);
	record_put(&r, "args", 1, 0x7f0000000000 + record_hdr(&r)->tid * 4096);
	record_put(&r, "args", 2, chance() % 60000);
	record_put(&r, "args", 3, i);
	record_put(&r, "args", 4, chance() % 200 * 0x10001000100ULL);
	record_set(&r, "ret", call % 2 ? -(chance() % 4) : chance() % 60000);
	if (call == 2)
		memcpy(r.data + 80, r.data + 32 + 16, 8);
	record_set(&r, "queued", queued);
	record_set(&r, "service", service);
	record_set(&r, "latency", queued + service);
	if (call == 2) {
		char path[64];

		snprintf(path, sizeof(path), "/some/where/%u", i);
		record_text(&r, "path", path);
		record_text(&r, "file", path);
	}
	put_row(rows, r.data, record_hdr(&r)->len);
}

static void used(const struct columns *c, const char *form,
		 const char *predictor)
{
	struct columns_stream st;
	uint32_t i;

	for (i = 0; columns_stream(c, i, &st); i++)
		if (form ? !strcmp(st.form, form)
			 : !strcmp(st.predictor, predictor))
			return;
	fail_msg("no column is %s", form ? form : predictor);
}

static void each_form_finds_its_column(void **state)
{
	struct schema *s = grouped_schema();
	struct buf rows = {0}, packed = {0};
	struct columns *c;
	uint32_t i;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < 20000; i++)
		put_call(&rows, s, i);
	check(c, &rows, false);
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	assert_true(packed.len < rows.len / 8);
	used(c, "const", NULL);
	used(c, "planes", NULL);
	used(c, "log", NULL);
	used(c, "dict", NULL);
	used(c, NULL, "last");
	used(c, NULL, "column");
	used(c, NULL, "sum");
	used(c, NULL, "new");
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

static void equal_times_keep_their_order(void **state)
{
	static const struct load same = {0, 0, 1};
	struct schema *s = grouped_schema();
	struct buf rows = {0};
	struct columns *c;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	fill(&rows, s, 65536, &same);
	check(c, &rows, false);
	buf_done(&rows);
	columns_free(c);
	schema_free(s);
}

static void what_is_no_block_is_refused(void **state)
{
	static const uint64_t junk[8];
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns *c;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	assert_int_equal(columns_encode(c, &rows, false, &packed), -E2BIG);
	buf_put(&rows, junk, sizeof(junk));
	assert_int_equal(columns_encode(c, &rows, false, &packed), -E2BIG);
	assert_int_equal(packed.len, 0);
	assert_int_equal(columns_open(c, junk, 0), -EBADMSG);
	assert_int_equal(columns_open(c, junk, 8), -EPROTONOSUPPORT);
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

/* ---- frames -------------------------------------------------------------- */

static void check_frame(struct block_codec *c, const struct block *b,
			uint32_t encoding)
{
	struct buf payload = {0};
	struct block back = {0};
	struct frame f = {0};

	assert_int_equal(block_encode(c, b, &f, &payload), 0);
	assert_int_equal(f.encoding, encoding);
	assert_int_equal(block_decode(c, &f, &payload, &back), 0);
	assert_int_equal(back.rows.len, b->rows.len);
	assert_memory_equal(back.rows.data, b->rows.data, b->rows.len);
	assert_int_equal(back.events, b->events);
	f.raw_len += 8;
	assert_int_equal(block_decode(c, &f, &payload, &back), -EBADMSG);
	buf_done(&payload), block_done(&back);
}

static void frames_of_few_events_are_rows(void **state)
{
	struct schema *s = grouped_schema();
	struct block_codec *c;
	struct buf rows = {0};
	struct block b;
	uint32_t i;

	(void)state;
	assert_int_equal(block_init(&b), 0);
	assert_int_equal(block_codec_new(&c), 0);
	for (i = 0; i < 3000; i++)
		put_call(&rows, s, i);
	block_add(&b, (const struct weir_hdr *)rows.data);
	check_frame(c, &b, FRAME_ZSTD);
	assert_int_equal(block_codec_schema(c, s), 0);
	check_frame(c, &b, FRAME_ZSTD);
	block_reset(&b);
	for (i = 0; i < rows.len;
	     i += (((struct weir_hdr *)(rows.data + i))->len + 7U) & ~7U)
		block_add(&b, (const struct weir_hdr *)(rows.data + i));
	check_frame(c, &b, FRAME_COLUMNS);
	buf_done(&rows), block_done(&b);
	block_codec_free(c);
	schema_free(s);
}

/* ---- columns alone ------------------------------------------------------- */

struct truth {
	const struct schema_kind *kind;
	const struct buf *rows;
	uint64_t ts[5000];
	uint32_t kind_rows;
};

/* Rows CPU by CPU, as a reader of columns sees them. */
static uint32_t cpu_major(const struct buf *rows, const struct weir_hdr **ret)
{
	uint32_t n = 0;
	unsigned cpu;
	size_t at;

	for (cpu = 0; cpu < 5; cpu++) {
		for (at = 0; at < rows->len;) {
			const struct weir_hdr *h =
				(const struct weir_hdr *)(rows->data + at);

			if (h->cpu == cpu)
				ret[n++] = h;
			at += (h->len + 7U) & ~7U;
		}
	}
	return n;
}

static void check_field(struct columns *c, const struct schema *s,
			const struct weir_hdr **row, uint32_t n, unsigned kind,
			unsigned field, unsigned element)
{
	const struct schema_kind *k = schema_kind(s, kind);
	const struct schema_field *f = &k->fields[field];
	uint64_t *v = calloc(n, sizeof(*v));
	uint32_t i, at = 0, len;
	const char *text;

	assert_int_equal(columns_u64(c, kind, field, element, v), 0);
	for (i = 0; i < n; i++) {
		struct event ev;
		struct field_bytes b;

		if (row[i]->kind != kind)
			continue;
		assert_int_equal(event_init(&ev, s, row[i], row[i]->len), 0);
		if (f->type <= FIELD_INT) {
			assert_int_equal(v[at++], field_u64(&ev, f, element));
			continue;
		}
		b = field_bytes(&ev, f);
		text = columns_string(c, (uint32_t)v[at++], &len);
		assert_true(len >= b.len);
		assert_memory_equal(text, b.data, b.len);
	}
	assert_int_equal(at, columns_kind_rows(c, kind));
	free(v);
}

static void check_fields(struct columns *c, const struct schema *s,
			 const struct weir_hdr **row, uint32_t n)
{
	unsigned kind, i, e;

	for (kind = 1; kind < SCHEMA_KINDS_MAX; kind++) {
		const struct schema_kind *k = schema_kind(s, kind);

		if (!k || !columns_kind_rows(c, kind))
			continue;
		for (i = 0; i < k->field_count; i++)
			for (e = 0; e < k->fields[i].count; e++)
				check_field(c, s, row, n, kind, i, e);
	}
}

static void columns_read_alone(void **state)
{
	static const struct load plain = {0, 100, 2000};
	const struct weir_hdr **row = calloc(5000, sizeof(*row));
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	const struct columns_turn *turn;
	uint32_t n, i, k, turns, at = 0;
	const uint64_t *ts;
	struct columns *c;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	fill(&rows, s, 5000, &plain);
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	n = cpu_major(&rows, row);
	assert_int_equal(columns_rows(c), n);
	assert_int_equal(columns_strings(c, &k), 0);
	check_fields(c, s, row, n);
	assert_int_equal(columns_times(c, &ts), 0);
	for (i = 0; i < n; i++)
		assert_int_equal(ts[i], row[i]->ts);
	assert_int_equal(columns_turns(c, &turn, &turns), 0);
	for (i = 0; i < turns; i++)
		for (k = 0; k < turn[i].rows; k++, at++)
			assert_true(turn[i].tid == row[at]->tid &&
				    turn[i].pid == row[at]->pid &&
				    turn[i].cpu == row[at]->cpu);
	assert_int_equal(at, n);
	assert_int_equal(columns_u64(c, EV_UNKNOWN, 0, 0, NULL), -ENOENT);
	free(row);
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

/* ---- damage -------------------------------------------------------------- */

/* Any error will do, and so will other rows; a crash will not. */
static void try_to_read(struct columns *c, const void *data, size_t len)
{
	uint8_t *exact = malloc(len + !len); /* so that ASan sees its end */
	struct buf back = {0};

	memcpy(exact, data, len);
	if (!columns_open(c, exact, len) && !columns_decode(c, &back, ROWS_MAX))
		assert_true(back.len <= ROWS_MAX);
	buf_done(&back);
	free(exact);
}

static void damage_is_no_crash(void **state)
{
	static const struct load plain = {20, 20, 2000};
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns *c;
	size_t i;
	int bit;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	fill(&rows, s, DAMAGED_ROWS, &plain);
	for (i = 0; i < DAMAGED_ROWS; i++)
		put_call(&rows, s, (uint32_t)i);
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	for (i = 0; i < packed.len; i++)
		try_to_read(c, packed.data, i);
	for (i = 0; i < packed.len; i++) {
		for (bit = 0; bit < 8; bit += 1 + (i > 100) * 2) {
			packed.data[i] ^= (char)(1 << bit);
			try_to_read(c, packed.data, packed.len);
			packed.data[i] ^= (char)(1 << bit);
		}
	}
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(anything_comes_back),
		cmocka_unit_test(real_kinds_come_back),
		cmocka_unit_test(each_form_finds_its_column),
		cmocka_unit_test(equal_times_keep_their_order),
		cmocka_unit_test(what_is_no_block_is_refused),
		cmocka_unit_test(frames_of_few_events_are_rows),
		cmocka_unit_test(columns_read_alone),
		cmocka_unit_test(damage_is_no_crash),
	};

	return cmocka_run_group_tests_name("columns", tests, NULL, NULL);
}
