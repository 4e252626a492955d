// SPDX-License-Identifier: BSD-2-Clause
#include "columns_predict.h"

#include <string.h>

/* ---- differences ------------------------------------------------------------
 */

static uint64_t mask_of(unsigned bits)
{
	return bits < 64 ? (1ULL << bits) - 1 : UINT64_MAX;
}

/* A difference in @bits bits, the highest of them being its sign. */
static inline uint64_t extend(uint64_t d, unsigned unused)
{
	return (uint64_t)((int64_t)(d << unused) >> unused);
}

/* ---- guesses from the rows ----------------------------------------------- */

static void guess_by_task(const struct predict *p, const uint64_t *id,
			  uint32_t n)
{
	const struct row_view *v = p->view;
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = id[v->task[p->row[i]]];
}

static uint64_t next_task(const struct row_view *v, const uint64_t *id,
			  uint32_t row)
{
	if (row + 1 >= v->count || v->run[row + 1] != v->run[row])
		return 0;
	return id[v->task[row + 1]];
}

static void guess_next(const struct predict *p, const uint64_t *id, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = next_task(p->view, id, p->row[i]);
}

static void guess_by_row(const struct predict *p, const uint64_t *v, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = v[p->row[i]];
}

static void guess_cpu(const struct predict *p, uint32_t n)
{
	const struct row_view *v = p->view;
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = v->cpu[v->run[p->row[i]]];
}

static void guess_sum(const struct predict *p, uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++)
		p->guess[i] = p->a[i] + p->b[i];
}

/* Return: what each value is compared with. */
static const uint64_t *guesses(const struct predict *p, uint32_t n)
{
	switch (p->what) {
	case PREDICT_COLUMN:
		return p->a;
	case PREDICT_SUM:
		guess_sum(p, n);
		break;
	case PREDICT_AGO:
		guess_by_row(p, p->view->ts, n);
		break;
	case PREDICT_PID:
		guess_by_task(p, p->view->pid, n);
		break;
	case PREDICT_TID:
		guess_by_task(p, p->view->tid, n);
		break;
	case PREDICT_CPU:
		guess_cpu(p, n);
		break;
	case PREDICT_NEXT_PID:
		guess_next(p, p->view->pid, n);
		break;
	case PREDICT_NEXT_TID:
		guess_next(p, p->view->tid, n);
		break;
	case PREDICT_SINCE:
		guess_by_row(p, p->view->since, n);
		break;
	default: /* PREDICT_SIGNED */
		memset(p->guess, 0, n * sizeof(*p->guess));
	}
	return p->guess;
}

/* ---- forth -----------------------------------------------------------------
 */

static void apply_last(const uint64_t *v, uint64_t *ret, uint32_t n,
		       unsigned unused)
{
	uint64_t last = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		ret[i] = extend(v[i] - last, unused);
		last = v[i];
	}
}

static void apply_task(const struct predict *p, const uint64_t *v,
		       uint64_t *ret, uint32_t n, unsigned unused)
{
	uint64_t *last = p->view->last;
	uint32_t i;

	memset(last, 0, p->view->tasks * sizeof(*last));
	for (i = 0; i < n; i++) {
		uint32_t task = p->view->task[p->row[i]];

		ret[i] = extend(v[i] - last[task], unused);
		last[task] = v[i];
	}
}

static void apply_new(uint64_t next, const uint64_t *v, uint64_t *ret,
		      uint32_t n)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		ret[i] = next - v[i];
		next += !ret[i];
	}
}

static void apply_guess(const struct predict *p, const uint64_t *v,
			uint64_t *ret, uint32_t n, unsigned unused)
{
	const uint64_t *guess = guesses(p, n);
	uint32_t i;

	if (p->what == PREDICT_AGO)
		for (i = 0; i < n; i++)
			ret[i] = extend(guess[i] - v[i], unused);
	else
		for (i = 0; i < n; i++)
			ret[i] = extend(v[i] - guess[i], unused);
}

void predict_apply(const struct predict *p, const uint64_t *v, uint64_t *ret,
		   uint32_t n)
{
	unsigned unused = 64 - p->bits;

	switch (p->what) {
	case PREDICT_NONE:
		memcpy(ret, v, n * sizeof(*v));
		return;
	case PREDICT_LAST:
		apply_last(v, ret, n, unused);
		return;
	case PREDICT_TASK:
		apply_task(p, v, ret, n, unused);
		return;
	case PREDICT_NEW:
		apply_new(p->param, v, ret, n);
		return;
	default:
		apply_guess(p, v, ret, n, unused);
	}
}

/* ---- and back ------------------------------------------------------------ */

static void undo_last(uint64_t *v, uint32_t n, uint64_t mask)
{
	uint64_t last = 0;
	uint32_t i;

	for (i = 0; i < n; i++) {
		last += v[i];
		v[i] = last & mask;
	}
}

static void undo_task(const struct predict *p, uint64_t *v, uint32_t n,
		      uint64_t mask)
{
	uint64_t *last = p->view->last;
	uint32_t i;

	memset(last, 0, p->view->tasks * sizeof(*last));
	for (i = 0; i < n; i++) {
		uint32_t task = p->view->task[p->row[i]];

		v[i] = last[task] = (last[task] + v[i]) & mask;
	}
}

static void undo_new(uint64_t next, uint64_t *v, uint32_t n, uint64_t mask)
{
	uint32_t i;

	for (i = 0; i < n; i++) {
		uint64_t below = v[i];

		v[i] = (next - below) & mask;
		next += !below;
	}
}

static void undo_guess(const struct predict *p, uint64_t *v, uint32_t n,
		       uint64_t mask)
{
	const uint64_t *guess = guesses(p, n);
	uint32_t i;

	if (p->what == PREDICT_AGO)
		for (i = 0; i < n; i++)
			v[i] = (guess[i] - v[i]) & mask;
	else
		for (i = 0; i < n; i++)
			v[i] = (guess[i] + v[i]) & mask;
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
		undo_last(v, n, mask);
		return;
	case PREDICT_TASK:
		undo_task(p, v, n, mask);
		return;
	case PREDICT_NEW:
		undo_new(p->param, v, n, mask);
		return;
	default:
		undo_guess(p, v, n, mask);
	}
}
