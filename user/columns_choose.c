// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <errno.h>
#include <stdlib.h>

#include "hash.h"

/*
 * Which predictor and form a column gets is found by trying all that could
 * fit on its first rows, and counting bytes. What was found is kept for the
 * next blocks, tried anew every so often, and when it went bad.
 */
#define SAMPLE	     2048 /* rows tried on */
#define TRIAL_ROWS   32	  /* fewer are not worth one */
#define TRIAL_AGE    256  /* blocks */
#define WORSE	     1.3F /* bytes a row, of what they were */
#define CANDIDATES   32
#define COLUMNS_BACK 6	/* earlier columns that are looked at */
#define PLAINER	     64 /* a predictor must save one byte in so many */

struct candidate {
	enum predictor what;
	uint32_t param;
};

struct candidates {
	struct candidate c[CANDIDATES];
	unsigned count;
};

static void add(struct candidates *l, enum predictor what, uint32_t param)
{
	if (l->count < CANDIDATES)
		l->c[l->count++] = (struct candidate){what, param};
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
		if (!a->no_times)
			add(l, PREDICT_SINCE, 0);
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
static const uint64_t *apply(struct columns *c, struct asked *a,
			     const struct candidate *d, uint32_t n)
{
	if (d->what == PREDICT_NONE)
		return a->v;
	if (d->what == PREDICT_SINCE && !c->view.since && rows_since(c)) {
		c->data.err = -ENOMEM;
		return a->v;
	}
	a->predict.what = d->what;
	a->predict.param = d->param;
	a->predict.a = a->values[d->param % PREDICT_COLUMNS];
	a->predict.b = a->values[d->param / PREDICT_COLUMNS % PREDICT_COLUMNS];
	predict_apply(&a->predict, a->v, a->stored, n);
	return a->stored;
}

/* Return: bytes that a form takes; SIZE_MAX: it does not fit. */
static size_t measure(struct columns *c, const uint64_t *v, size_t n,
		      enum column_form form, bool is_signed)
{
	struct column_head h = {.form = (uint8_t)form};

	buf_reset(&c->trial);
	column_put(&c->packer, v, n, &h, is_signed, &c->trial);
	return h.form == form || h.form == FORM_CONST ? c->trial.len : SIZE_MAX;
}

static void try_all(struct columns *c, struct asked *a, struct choice *best)
{
	uint32_t n = a->n < SAMPLE ? a->n : SAMPLE, i, f;
	size_t least = SIZE_MAX, len, more;
	struct candidates l;
	const uint64_t *v;

	list(&l, a);
	for (i = 0; i < l.count && least; i++) {
		v = apply(c, a, &l.c[i], n);
		for (f = FORM_PLANES; f < FORMS; f++) {
			len = measure(c, v, n, (enum column_form)f,
				      predict_is_signed(l.c[i].what));
			more = len / PLAINER + 1;
			if (len >= least || (l.c[i].what != PREDICT_NONE &&
					     len && least - len < more))
				continue;
			least = len;
			best->what = (uint8_t)l.c[i].what;
			best->param = l.c[i].param;
			best->form = (uint8_t)f;
			if (!len)
				break;
		}
	}
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

/* Does what went best before lack what it follows from in this block? */
static bool is_lacking(const struct asked *a, const struct candidate *d)
{
	switch (d->what) {
	case PREDICT_COLUMN:
		return !a->values[d->param];
	case PREDICT_SUM:
		return !a->values[d->param % PREDICT_COLUMNS] ||
		       !a->values[d->param / PREDICT_COLUMNS];
	case PREDICT_AGO:
	case PREDICT_SINCE:
		return a->no_times;
	default:
		return false;
	}
}

static const struct stream *put(struct columns *c, struct asked *a,
				const struct choice *h)
{
	struct candidate d = {(enum predictor)h->what, h->param};
	const uint64_t *v;
	struct stream *s;

	if (d.what == PREDICT_NEW)
		d.param = a->first_string;
	if (is_lacking(a, &d))
		d = (struct candidate){PREDICT_NONE, 0};
	v = apply(c, a, &d, a->n);
	s = write_stream(c, v, a->n, (enum column_form)h->form,
			 predict_is_signed(d.what));
	s->what = (uint8_t)d.what;
	s->param = d.param;
	return s;
}

const struct stream *choose_and_put(struct columns *c, struct asked *a)
{
	const struct plan_column *col = &a->part->plan->column[a->column];
	struct choice few = {.form = FORM_PLANES}, *h;
	size_t before = c->data.len;
	const struct stream *s;
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
	s = put(c, a, h);
	h->age++;
	bytes = (float)(c->data.len - before + 1) / (float)a->n;
	if (!h->bytes)
		h->bytes = bytes;
	else if (bytes > h->bytes * WORSE + 0.05F)
		h->age = UINT16_MAX / 2;
	return s;
}
