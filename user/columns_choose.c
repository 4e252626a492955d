// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

/*
 * Which predictor and form a column gets is found by trying all that could
 * fit on its first rows, and counting bytes. What was found is kept for the
 * next blocks, tried anew every so often, and when it went bad. First rows are
 * few, and blocks differ: so what came next in the trial is now and then tried
 * on all rows of a block, and takes its place when it is better.
 */
#define SAMPLE	     2048 /* rows tried on */
#define TRIAL_ROWS   32	  /* fewer are not worth one */
#define TRIAL_AGE    256  /* blocks */
#define RIVAL_AGE    24	  /* blocks */
#define RIVALS_FIRST 2	  /* tried on the blocks next to a trial */
#define WORSE	     1.3F /* bytes a row, of what they were */
#define CANDIDATES   32
#define COLUMNS_BACK 6	/* earlier columns that are looked at */
#define PLAINER	     64 /* a predictor must save one byte in so many */

struct candidates {
	struct way way[CANDIDATES];
	unsigned count;
};

static void add(struct candidates *l, enum predictor what, uint32_t param)
{
	if (l->count < CANDIDATES)
		l->way[l->count++] = (struct way){.what = (uint8_t)what,
						  .param = param};
}

/* ---- what could fit ------------------------------------------------------ */

static bool is_alike(const struct plan_column *a, const struct plan_column *b)
{
	return a->type == b->type && a->size == b->size;
}

static bool is_string(const struct plan_column *c)
{
	return c->type == PLAN_STR || c->type == PLAN_BYTES;
}

/* Columns of the same sort before this one, near ones first. */
static void add_columns(struct candidates *l, const struct asked *a)
{
	const struct plan *p = a->part->plan;
	const struct plan_column *c = &p->column[a->column], *d;
	unsigned i, found = 0;

	for (i = a->column; i-- && found < COLUMNS_BACK;) {
		d = &p->column[i];
		if (!a->values[i] ||
		    (!is_alike(c, d) && !(is_string(c) && is_string(d))))
			continue;
		add(l, PREDICT_COLUMN, i);
		found++;
	}
}

static bool is_span(const struct asked *a, unsigned column)
{
	return a->values[column] &&
	       a->part->plan->column[column].meaning == MEANING_NS;
}

/* Sums of two spans before this one. */
static void add_sums(struct candidates *l, const struct asked *a)
{
	unsigned i, k;

	for (i = 0; i < a->column; i++)
		for (k = 0; k < i; k++)
			if (is_span(a, i) && is_span(a, k))
				add(l, PREDICT_SUM, i + k * PREDICT_COLUMNS);
}

/* Time between two rows of a CPU may be mostly what the second one took. */
static void add_spans(struct candidates *l, const struct asked *a)
{
	unsigned i;

	for (i = 1; i < a->part->plan->count; i++)
		if (is_span(a, i))
			add(l, PREDICT_COLUMN, i);
}

static void add_by_meaning(struct candidates *l, const struct asked *a)
{
	switch ((enum meaning)a->part->plan->column[a->column].meaning) {
	case MEANING_PID:
		add(l, PREDICT_PID, 0);
		add(l, PREDICT_NEXT_PID, 0);
		break;
	case MEANING_TID:
		add(l, PREDICT_TID, 0);
		add(l, PREDICT_NEXT_TID, 0);
		break;
	case MEANING_CPU:
		add(l, PREDICT_CPU, 0);
		break;
	case MEANING_TIME:
		if (!a->no_times)
			add(l, PREDICT_AGO, 0);
		break;
	case MEANING_NS:
		add_sums(l, a);
		break;
	default:
		break;
	}
}

static void list(struct candidates *l, const struct asked *a)
{
	const struct plan *p = a->part->plan;
	const struct plan_column *c = &p->column[a->column];

	l->count = 0;
	if (is_string(c) || c->type == PLAN_REST)
		add(l, PREDICT_NEW, a->first_string);
	add(l, PREDICT_NONE, 0);
	if (c->type == PLAN_TIME || c->type == PLAN_FULL || c->is_signed)
		add(l, PREDICT_SIGNED, 0);
	if (c->type == PLAN_TIME)
		add_spans(l, a);
	if (c->type == PLAN_TIME || c->type == PLAN_FLAGS)
		return;
	add(l, PREDICT_LAST, 0);
	add(l, PREDICT_TASK, 0);
	if (c->type != PLAN_NUMBER && !is_string(c))
		return;
	add_by_meaning(l, a);
	add_columns(l, a);
}

/* ---- trials -------------------------------------------------------------- */

/* Return: what to store by a predictor. */
static const uint64_t *apply(struct asked *a, const struct way *w, uint32_t n)
{
	if (w->what == PREDICT_NONE)
		return a->v;
	a->predict.what = w->what;
	a->predict.param = w->param;
	a->predict.a = a->values[w->param % PREDICT_COLUMNS];
	a->predict.b = a->values[w->param / PREDICT_COLUMNS % PREDICT_COLUMNS];
	predict_apply(&a->predict, a->v, a->stored, n);
	return a->stored;
}

/* Return: bytes that a way takes; SIZE_MAX: its form does not fit. */
static size_t measure(struct columns *c, const uint64_t *v, size_t n,
		      const struct way *w)
{
	struct column_head h = {.form = w->form};
	bool fits;

	buf_reset(&c->trial);
	column_put(&c->packer, v, n, &h, predict_is_signed(w->what), &c->trial);
	fits = h.form == w->form || h.form == FORM_CONST ||
	       w->form == WISH_LOG_REPEATS;
	return fits ? c->trial.len : SIZE_MAX;
}

/* The best ways so far, least bytes first. */
struct ranking {
	struct way way[1 + RIVALS];
	size_t len[1 + RIVALS];
	unsigned count;
};

/* A predictor costs time: so it has to save some bytes. */
static void rank(struct ranking *r, const struct way *w, size_t len)
{
	unsigned i = r->count;

	if (w->what != PREDICT_NONE)
		len += len / PLAINER + (len != 0);
	if (len == SIZE_MAX || (i > RIVALS && len >= r->len[RIVALS]))
		return;
	if (i <= RIVALS)
		r->count++;
	else
		i = RIVALS;
	for (; i && len < r->len[i - 1]; i--) {
		r->way[i] = r->way[i - 1];
		r->len[i] = r->len[i - 1];
	}
	r->way[i] = *w;
	r->len[i] = len;
}

static void try_all(struct columns *c, struct asked *a, struct choice *h)
{
	uint32_t n = a->n < SAMPLE ? a->n : SAMPLE, i, f;
	struct ranking r = {.count = 0};
	struct candidates l;
	const uint64_t *v;
	size_t len = 1;

	list(&l, a);
	for (i = 0; i < l.count && len; i++) {
		v = apply(a, &l.way[i], n);
		for (f = FORM_PLANES; f < WISHES && len; f++) {
			l.way[i].form = (uint8_t)f;
			len = measure(c, v, n, &l.way[i]);
			if (len != SIZE_MAX)
				rank(&r, &l.way[i], len);
		}
	}
	h->best = r.way[0];
	h->rivals = (uint8_t)(r.count - 1);
	memcpy(h->rival, r.way + 1, sizeof(h->rival));
}

/* ---- memory -------------------------------------------------------------- */

static struct choice *remembered(struct columns *c, const struct asked *a)
{
	uint64_t tag = (uint64_t)a->part->kind << 48 |
		       (uint64_t)a->column << 32 | (a->key + 1);
	struct choice *h = &c->choice[hash_u64(tag) & (CHOICES - 1)];

	if (h->tag != tag)
		*h = (struct choice){.tag = tag};
	return h;
}

static bool is_due(const struct choice *h)
{
	return !h->bytes || h->age >= TRIAL_AGE + h->tag % 64;
}

/* Does a way lack what it follows from in this block? */
static bool is_lacking(const struct asked *a, const struct way *w)
{
	switch ((enum predictor)w->what) {
	case PREDICT_COLUMN:
		return !a->values[w->param];
	case PREDICT_SUM:
		return !a->values[w->param % PREDICT_COLUMNS] ||
		       !a->values[w->param / PREDICT_COLUMNS];
	case PREDICT_AGO:
		return a->no_times;
	default:
		return false;
	}
}

/* Return: the way, as it can be gone in this block. */
static struct way fit(const struct asked *a, const struct way *w)
{
	struct way d = *w;

	if (d.what == PREDICT_NEW)
		d.param = a->first_string;
	if (is_lacking(a, &d)) {
		d.what = PREDICT_NONE;
		d.param = 0;
	}
	return d;
}

static const struct stream *put(struct columns *c, struct asked *a,
				const struct way *w)
{
	struct way d = fit(a, w);
	const uint64_t *v = apply(a, &d, a->n);
	struct stream *s;

	s = write_stream(c, v, a->n, (enum column_form)d.form,
			 predict_is_signed(d.what));
	s->what = d.what;
	s->param = d.param;
	return s;
}

/* Never 0, which is: not known. */
static float bytes_each(size_t len, uint32_t n)
{
	return (float)(len + 1) / (float)n;
}

/* @len: bytes that the best one took. */
static void try_rival(struct columns *c, struct asked *a, struct choice *h,
		      size_t len)
{
	struct way *rival = &h->rival[h->age / RIVAL_AGE % RIVALS], w;
	size_t least;

	if (h->age < RIVALS_FIRST)
		rival = &h->rival[h->age];
	else if (h->age % RIVAL_AGE)
		return;
	if (rival - h->rival >= h->rivals)
		return;
	w = fit(a, rival);
	least = measure(c, apply(a, &w, a->n), a->n, &w);
	if (least >= len - len / PLAINER)
		return;
	w = h->best;
	h->best = *rival;
	*rival = w;
	h->bytes = bytes_each(least, a->n);
}

const struct stream *choose_and_put(struct columns *c, struct asked *a)
{
	const struct plan_column *col = &a->part->plan->column[a->column];
	struct way few = {.form = FORM_PLANES};
	size_t before = c->data.len, len;
	const struct stream *s;
	struct choice *h;
	float bytes;

	if (a->n < TRIAL_ROWS) {
		few.what = is_string(col) ? PREDICT_NEW : PREDICT_NONE;
		return put(c, a, &few);
	}
	h = remembered(c, a);
	if (is_due(h)) {
		try_all(c, a, h);
		h->age = 0;
		h->bytes = 0;
	}
	s = put(c, a, &h->best);
	len = c->data.len - before;
	bytes = bytes_each(len, a->n);
	if (!h->bytes)
		h->bytes = bytes;
	else if (bytes > h->bytes * WORSE + 0.05F)
		h->age = UINT16_MAX / 2;
	try_rival(c, a, h, len);
	h->age++;
	return s;
}
