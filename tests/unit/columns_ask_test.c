// SPDX-License-Identifier: BSD-2-Clause
/* Columns read alone have what the rows have. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>

#include "../../user/columns.h"
#include "columns_rows.h"

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

/* Groups of the kind by the rows they say they are of. */
static void check_group(struct columns *c, const struct schema *s,
			const struct weir_hdr **row, unsigned kind, uint32_t g)
{
	const struct schema_kind *k = schema_kind(s, kind);
	const uint64_t *v, *flags;
	struct columns_group group;
	const uint32_t *of;
	uint64_t same;
	struct event ev;
	unsigned f;
	uint32_t i;

	assert_true(columns_group(c, kind, g, &group) > g);
	assert_int_equal(columns_group_rows(c, kind, g, &of), 0);
	assert_int_equal(
		columns_group_u64(c, kind, g, COLUMNS_FLAGS, 0, &flags), 0);
	for (i = 0; i < group.rows; i++) {
		assert_int_equal(row[of[i]]->kind, kind);
		assert_int_equal(row[of[i]]->flags, flags[i]);
	}
	for (f = 0; f < k->field_count; f++) {
		if (k->fields[f].type > FIELD_INT)
			continue;
		assert_int_equal(columns_group_u64(c, kind, g, f, 0, &v), 0);
		for (i = 0; i < group.rows; i++) {
			assert_int_equal(
				event_init(&ev, s, row[of[i]], row[of[i]]->len),
				0);
			assert_int_equal(v[i],
					 field_u64(&ev, &k->fields[f], 0));
			if (columns_group_same(c, kind, g, f, 0, &same))
				assert_int_equal(v[i], same);
		}
	}
}

static void check_order(struct columns *c, const struct buf *rows,
			const struct weir_hdr **row, uint32_t n)
{
	uint32_t *place = calloc(n, sizeof(*place)), i;
	const struct weir_hdr **came = calloc(n, sizeof(*came));
	const uint64_t *key;
	bool picked;
	size_t at;

	for (at = 0, i = 0; at < rows->len; i++) {
		came[i] = (const struct weir_hdr *)(rows->data + at);
		at += (came[i]->len + 7U) & ~7U;
	}
	assert_int_equal(columns_places(c, place), 0);
	for (i = 0; i < n; i++)
		assert_ptr_equal(came[place[i]], row[i]);
	assert_int_equal(columns_keys(c, &key, &picked), 0);
	for (i = 1; i < n && !picked; i++)
		assert_int_equal(place[i - 1] < place[i], key[i - 1] <= key[i]);
	free(place);
	free(came);
}

static void columns_tell_groups_and_order(void **state)
{
	static const struct load loads[] = {{0, 100, 2000}, {30, 2, 2000}};
	const struct weir_hdr **row = calloc(5000, sizeof(*row));
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns_group group;
	struct columns *c;
	uint32_t n, g, i;
	unsigned kind;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < 2; i++) {
		buf_reset(&rows);
		buf_reset(&packed);
		fill(&rows, s, 5000, &loads[i]);
		n = cpu_major(&rows, row);
		assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
		assert_int_equal(columns_open(c, packed.data, packed.len), 0);
		for (kind = 1; kind < SCHEMA_KINDS_MAX; kind++)
			for (g = 0; g < columns_group(c, kind, g, &group); g++)
				check_group(c, s, row, kind, g);
		check_order(c, &rows, row, n);
	}
	free(row);
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

/* As the rows have it, first without any other row, then with all. */
static void check_context(struct columns *c, const struct schema *s,
			  const struct buf *rows, const struct weir_hdr **row,
			  uint32_t n)
{
	struct columns_group group;
	const uint32_t *place;
	const uint64_t *ts, *all;
	uint32_t i, g, at = 0;
	size_t end;

	assert_int_equal(columns_context(c, &place), 0);
	assert_int_equal(columns_kind_times(c, EV_TASK, &ts), 0);
	for (g = 0; g < columns_group(c, EV_TASK, g, &group); g++)
		check_group(c, s, row, EV_TASK, g);
	for (end = 0; end < rows->len; at++) {
		const struct weir_hdr *h =
			(const struct weir_hdr *)(rows->data + end);

		end += (h->len + 7U) & ~7U;
		for (i = 0; i < n && h->kind == EV_TASK; i++)
			if (row[i] == h)
				assert_true(place[i] == at && ts[i] == h->ts);
	}
	assert_int_equal(columns_times(c, &all), 0);
	check_order(c, rows, row, n);
	assert_int_equal(columns_kind_times(c, EV_TASK, &ts), 0);
	assert_ptr_equal(ts, all);
	for (g = 0; g < columns_group(c, EV_TASK, g, &group); g++)
		check_group(c, s, row, EV_TASK, g);
}

static void rows_of_tasks_are_found_without_the_others(void **state)
{
	static const struct load loads[] = {{0, 0, 2000}, {0, 30, 3}};
	const struct weir_hdr **row = calloc(5000, sizeof(*row));
	struct buf rows = {0}, packed = {0};
	struct schema *s = grouped_schema();
	struct columns *c;
	uint32_t i, n;

	(void)state;
	assert_int_equal(columns_new(&c, s), 0);
	for (i = 0; i < 2; i++) {
		buf_reset(&packed);
		fill(&rows, s, 5000, &loads[i]);
		n = cpu_major(&rows, row);
		assert_int_equal(columns_encode(c, &rows, i, &packed), 0);
		assert_int_equal(columns_open(c, packed.data, packed.len), 0);
		check_context(c, s, &rows, row, n);
	}
	/* records kept whole may be of these kinds */
	buf_reset(&packed);
	fill(&rows, s, 500, &(struct load){2, 0, 2000});
	assert_int_equal(columns_encode(c, &rows, false, &packed), 0);
	assert_int_equal(columns_open(c, packed.data, packed.len), 0);
	assert_int_equal(columns_context(c, &(const uint32_t *){NULL}),
			 -ENOENT);
	free(row);
	buf_done(&rows);
	buf_done(&packed);
	columns_free(c);
	schema_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_read_alone),
		cmocka_unit_test(columns_tell_groups_and_order),
		cmocka_unit_test(rows_of_tasks_are_found_without_the_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
