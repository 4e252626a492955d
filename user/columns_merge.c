// SPDX-License-Identifier: BSD-2-Clause
#include "columns_merge.h"

#include <errno.h>
#include <stdbool.h>

static bool is_before(const struct merge *m, uint32_t a, uint32_t b)
{
	uint64_t x = m->key[m->next[a]], y = m->key[m->next[b]];

	return x < y || (x == y && a < b);
}

static void sift_down(struct merge *m, uint32_t at)
{
	uint32_t run = m->heap[at];

	for (;;) {
		uint32_t child = 2 * at + 1;

		if (child >= m->heap_len)
			break;
		if (child + 1 < m->heap_len &&
		    is_before(m, m->heap[child + 1], m->heap[child]))
			child++;
		if (!is_before(m, m->heap[child], run))
			break;
		m->heap[at] = m->heap[child];
		at = child;
	}
	m->heap[at] = run;
}

int merge_begin(struct merge *m, struct pool *pool, const uint64_t *key,
		const uint64_t *run_rows, uint32_t runs)
{
	uint32_t i, row = 0;

	*m = (struct merge){.key = key, .runs = runs};
	m->next = pool_alloc(pool, runs, sizeof(*m->next));
	m->end = pool_alloc(pool, runs, sizeof(*m->end));
	m->heap = pool_alloc(pool, runs, sizeof(*m->heap));
	if (!m->next || !m->end || !m->heap)
		return -ENOMEM;
	for (i = 0; i < runs; i++) {
		m->next[i] = row;
		row += (uint32_t)run_rows[i];
		m->end[i] = row;
		if (run_rows[i])
			m->heap[m->heap_len++] = i;
	}
	m->rows = row;
	for (i = m->heap_len / 2; i--;)
		sift_down(m, i);
	return 0;
}

/* Its key grew, or it has no more rows: the heap has to learn it. */
static void settle(struct merge *m, uint32_t at)
{
	uint32_t run = m->heap[at], up;

	if (m->next[run] == m->end[run]) {
		m->heap[at] = m->heap[--m->heap_len];
		if (at == m->heap_len)
			return;
		/* what came from the end may belong higher up */
		run = m->heap[at];
		while (at && is_before(m, run, m->heap[up = (at - 1) / 2])) {
			m->heap[at] = m->heap[up];
			m->heap[up] = run;
			at = up;
		}
	}
	sift_down(m, at);
}

/* Is the best run still the best? Rows of a CPU come in bursts. */
static inline bool goes_on(const struct merge *m, uint32_t run)
{
	return m->heap[0] == run && m->next[run] != m->end[run] &&
	       (m->heap_len < 2 || is_before(m, run, m->heap[1])) &&
	       (m->heap_len < 3 || is_before(m, run, m->heap[2]));
}

/* The best run but heap[0]. There is one. */
static uint32_t second_best(const struct merge *m)
{
	if (m->heap_len > 2 && is_before(m, m->heap[2], m->heap[1]))
		return m->heap[2];
	return m->heap[1];
}

uint32_t merge_burst(struct merge *m, uint64_t max, uint32_t *ret)
{
	uint32_t run = m->heap[0], row = m->next[run], end = m->end[run], i;
	const uint64_t *key = m->key;
	uint64_t bound = UINT64_MAX;
	bool first = true;

	if (max < end - row)
		end = row + (uint32_t)max;
	if (m->heap_len > 1) {
		uint32_t rival = second_best(m);

		bound = key[m->next[rival]];
		first = run < rival;
	}
	for (i = row + 1; i < end; i++)
		if (key[i] > bound || (key[i] == bound && !first))
			break;
	m->next[run] = i;
	settle(m, 0);
	*ret = row;
	return i - row;
}

uint32_t merge_take(struct merge *m, uint32_t run)
{
	uint32_t row = m->next[run]++, at = 0;

	if (goes_on(m, run))
		return row;
	while (m->heap[at] != run)
		at++;
	settle(m, at);
	return row;
}
