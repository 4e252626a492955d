// SPDX-License-Identifier: BSD-2-Clause
#include "columns_write.h"

#include <stdlib.h>

#include "hash.h"

/*
 * Which predictor and form a column gets is found by trying all that could
 * fit on its first rows, and counting bytes. What was found is kept for the
 * next blocks, tried anew every so often, and when it went bad.
 */
#define SAMPLE	     2048 /* rows tried on */
#define TRIAL_ROWS   32	  /* fewer are not worth one */
#define TRIAL_AGE    64	  /* blocks */
#define WORSE	     1.3F /* bytes a row, of what they were */
#define CANDIDATES   32
#define COLUMNS_BACK 6 /* earlier columns that are looked at */
#define SUM_BASE     2048

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
static void add_columns(struct candidates *l, const struct plan *p,
			unsigned column)
{
	const struct plan_column *c = &p->column[column], *d;
	unsigned i, found = 0;

	for (i = column; i-- && found < COLUMNS_BACK;) {
		d = &p->column[i];
		if (!is_alike(c, d) && !(is_string(c) && is_string(d)))
			continue;
		add(l, PREDICT_COLUMN, i);
		found++;
	}
}

/* Sums of two spans before this one. */
static void add_sums(struct candidates *l, const struct plan *p,
		     unsigned column)
{
	unsigned i, k;

	for (i = 0; i < column; i++)
		for (k = 0; k < i; k++)
			if (p->column[i].meaning == MEANING_NS &&
			    p->column[k].meaning == MEANING_NS)
				add(l, PREDICT_SUM, i + k * SUM_BASE);
}

static void add_by_meaning(struct candidates *l, const struct plan *p,
			   unsigned column)
{
	switch ((enum meaning)p->column[column].meaning) {
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
		add(l, PREDICT_AGO, 0);
		break;
	case MEANING_NS:
		add(l, PREDICT_SINCE, 0);
		add_sums(l, p, column);
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
	if ((int)a->column == p->key)
		return; /* read before there is anything to predict from */
	if (c->type == PLAN_TIME || c->type == PLAN_FULL || c->is_signed)
		add(l, PREDICT_SIGNED, 0);
	if (c->type == PLAN_TIME || c->type == PLAN_FLAGS)
		return;
	add(l, PREDICT_LAST, 0);
	add(l, PREDICT_TASK, 0);
	if (c->type != PLAN_NUMBER && !is_string(c))
		return;
	add_by_meaning(l, p, a->column);
	add_columns(l, p, a->column);
}

/* ---- trials -------------------------------------------------------------- */

static void apply(struct asked *a, const struct candidate *d, uint32_t n)
{
	a->predict.what = d->what;
	a->predict.param = d->param;
	predict_apply(&a->predict, a->v, a->stored, n);
}

/* Return: bytes that a form takes. */
static size_t measure(struct columns *c, const uint64_t *v, size_t n,
		      enum column_form *form)
{
	struct column_head h = {.form = (uint8_t)*form};

	buf_reset(&c->trial);
	column_put(&c->packer, v, n, &h, &c->trial);
	*form = (enum column_form)h.form;
	return c->trial.len;
}

static void try_all(struct columns *c, struct asked *a, struct choice *best)
{
	uint32_t n = a->n < SAMPLE ? a->n : SAMPLE, i, f;
	size_t least = SIZE_MAX, len;
	struct candidates l;

	list(&l, a);
	for (i = 0; i < l.count && least; i++) {
		apply(a, &l.c[i], n);
		for (f = FORM_PLANES; f < FORMS; f++) {
			enum column_form form = (enum column_form)f;

			len = measure(c, a->stored, n, &form);
			if (form != f && form != FORM_CONST)
				continue; /* it did not fit */
			if (len >= least)
				continue;
			least = len;
			best->what = (uint8_t)l.c[i].what;
			best->param = l.c[i].param;
			best->form = (uint8_t)form;
			if (form == FORM_CONST)
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
	return !h->bytes || h->age >= TRIAL_AGE + h->tag % 16;
}

static void put(struct columns *c, struct asked *a, const struct choice *h)
{
	struct candidate d = {(enum predictor)h->what, h->param};
	struct stream *s;

	if (d.what == PREDICT_NEW)
		d.param = a->first_string;
	apply(a, &d, a->n);
	write_stream(c, a->stored, a->n, (enum column_form)h->form);
	s = &c->stream[c->stream_count - 1];
	s->what = h->what;
	s->param = d.param;
}

static bool is_constant(const uint64_t *v, uint32_t n)
{
	uint32_t i = 1;

	while (i < n && v[i] == v[0])
		i++;
	return i >= n;
}

void choose_and_put(struct columns *c, struct asked *a)
{
	const struct plan_column *col = &a->part->plan->column[a->column];
	struct choice few = {.form = FORM_PLANES}, *h;
	size_t before = c->data.len;
	float bytes;

	if (is_constant(a->v, a->n)) {
		put(c, a, &few);
		return;
	}
	if (a->n < TRIAL_ROWS) {
		few.what = is_string(col) ? PREDICT_NEW : PREDICT_NONE;
		put(c, a, &few);
		return;
	}
	h = remembered(c, a);
	if (is_due(h)) {
		try_all(c, a, h);
		h->age = 0;
		h->bytes = 0;
	}
	put(c, a, h);
	h->age++;
	bytes = (float)(c->data.len - before + 1) / (float)a->n;
	if (!h->bytes)
		h->bytes = bytes;
	else if (bytes > h->bytes * WORSE + 0.05F)
		h->age = UINT16_MAX / 2;
}
