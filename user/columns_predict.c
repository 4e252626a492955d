// SPDX-License-Identifier: BSD-2-Clause
#include "columns_predict.h"

#include <string.h>

#define SUM_BASE 2048 /* PLAN_COLUMNS */

/* ---- differences ------------------------------------------------------------
 */

static uint64_t mask_of(unsigned bits)
{
	return bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
}

/* Of a difference in @bits bits, its sign being the highest of them. */
static inline uint64_t zigzag(uint64_t d, unsigned bits)
{
	int64_t s = (int64_t)(d << (64 - bits)) >> (64 - bits);

	return ((uint64_t)s << 1) ^ (uint64_t)(s >> 63);
}

static inline uint64_t unzigzag(uint64_t z)
{
	return (z >> 1) ^ (0 - (z & 1));
}

/* ---- guesses from the rows ----------------------------------------------- */

static uint64_t next_task(const struct row_view *v, const uint64_t *id,
			  uint32_t row)
{
	if (row + 1 >= v->count || v->run[row + 1] != v->run[row])
		return 0;
	return id[v->task[row + 1]];
}

static uint64_t sum(const struct predict *p, uint32_t i)
{
	return p->column[p->param % SUM_BASE][i] +
	       p->column[p->param / SUM_BASE][i];
}

static uint64_t guess(const struct predict *p, uint32_t i)
{
	const struct row_view *v = p->view;
	uint32_t row = p->row[i];

	switch (p->what) {
	case PREDICT_COLUMN:
		return p->column[p->param][i];
	case PREDICT_SUM:
		return sum(p, i);
	case PREDICT_AGO:
		return v->ts[row];
	case PREDICT_PID:
		return v->pid[v->task[row]];
	case PREDICT_TID:
		return v->tid[v->task[row]];
	case PREDICT_CPU:
		return v->cpu[v->run[row]];
	case PREDICT_NEXT_PID:
		return next_task(v, v->pid, row);
	case PREDICT_NEXT_TID:
		return next_task(v, v->tid, row);
	case PREDICT_SINCE:
		return v->since[row];
	default:
		return 0;
	}
}

static void guess_all(const struct predict *p, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = guess(p, i);
}

/* ---- forth -----------------------------------------------------------------
 */

static void apply_last(const struct predict *p, const uint64_t *v,
		       uint64_t *ret, uint32_t n)
{
	uint64_t last = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		ret[i] = zigzag(v[i] - last, p->bits);
		last = v[i];
	}
}

static void apply_task(const struct predict *p, const uint64_t *v,
		       uint64_t *ret, uint32_t n)
{
	uint64_t *last = p->view->last;
	uint32_t i;

	memset(last, 0, p->view->tasks * sizeof(*last));
	for (i = 0; i < n; i++) {
		uint32_t task = p->view->task[p->row[i]];

		ret[i] = zigzag(v[i] - last[task], p->bits);
		last[task] = v[i];
	}
}

static void apply_new(const struct predict *p, const uint64_t *v, uint64_t *ret,
		      uint32_t n)
{
	uint64_t next = p->param;
	uint32_t i;

	for (i = 0; i < n; i++) {
		ret[i] = next - v[i];
		next += !ret[i];
	}
}

void predict_apply(const struct predict *p, const uint64_t *v, uint64_t *ret,
		   uint32_t n)
{
	uint32_t i;

	switch (p->what) {
	case PREDICT_NONE:
		memcpy(ret, v, n * sizeof(*v));
		return;
	case PREDICT_LAST:
		apply_last(p, v, ret, n);
		return;
	case PREDICT_TASK:
		apply_task(p, v, ret, n);
		return;
	case PREDICT_NEW:
		apply_new(p, v, ret, n);
		return;
	default:
		break;
	}
	guess_all(p, n);
	if (p->what == PREDICT_AGO)
		for (i = 0; i < n; i++)
			ret[i] = (p->guess[i] - v[i]) & mask_of(p->bits);
	else
		for (i = 0; i < n; i++)
			ret[i] = zigzag(v[i] - p->guess[i], p->bits);
}

/* ---- and back ------------------------------------------------------------ */

static void undo_last(const struct predict *p, uint64_t *v, uint32_t n)
{
	uint64_t mask = mask_of(p->bits), last = 0;
	uint32_t i;

	for (i = 0; i < n; i++)
		v[i] = last = (last + unzigzag(v[i])) & mask;
}

static void undo_task(const struct predict *p, uint64_t *v, uint32_t n)
{
	uint64_t mask = mask_of(p->bits), *last = p->view->last;
	uint32_t i;

	memset(last, 0, p->view->tasks * sizeof(*last));
	for (i = 0; i < n; i++) {
		uint32_t task = p->view->task[p->row[i]];

		v[i] = last[task] = (last[task] + unzigzag(v[i])) & mask;
	}
}

static void undo_new(const struct predict *p, uint64_t *v, uint32_t n)
{
	uint64_t mask = mask_of(p->bits), next = p->param;
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint64_t below = v[i];

		v[i] = (next - below) & mask;
		next += !below;
	}
}

void predict_undo(const struct predict *p, uint64_t *v, uint32_t n)
{
	uint64_t mask = mask_of(p->bits);
	uint32_t i;

	switch (p->what) {
	case PREDICT_NONE:
		for (i = 0; i < n && p->bits < 64; i++)
			v[i] &= mask;
		return;
	case PREDICT_LAST:
		undo_last(p, v, n);
		return;
	case PREDICT_TASK:
		undo_task(p, v, n);
		return;
	case PREDICT_NEW:
		undo_new(p, v, n);
		return;
	default:
		break;
	}
	guess_all(p, n);
	if (p->what == PREDICT_AGO)
		for (i = 0; i < n; i++)
			v[i] = (p->guess[i] - v[i]) & mask;
	else
		for (i = 0; i < n; i++)
			v[i] = (p->guess[i] + unzigzag(v[i])) & mask;
}
