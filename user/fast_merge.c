// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_merge.c - the groups of one thread added to those of another; see
 * fast_agg.h.
 */
#include <errno.h>
#include <stdlib.h>

#include "fast_agg.h"

struct merging {
	struct fast_groups *to;
	const struct fast_groups *from;
	uint32_t *number; /* of @to's texts, by @from's; 0: not known yet */
};

/* A text of @from's by the number it has in @to. */
static int take_text(struct merging *m, int64_t number, int64_t *ret)
{
	const struct fast_text *t = &m->from->texts->text[number];
	uint32_t *at = &m->number[number];
	int err = 0;

	if (number && !*at)
		err = fast_texts_number(m->to->texts, t->data, t->len, at);
	*ret = *at;
	return err;
}

static int find(struct merging *m, uint32_t group, uint32_t *ret)
{
	const struct fast_query *q = m->from->q;
	int64_t key[FAST_KEYS];
	unsigned k;
	int err = 0;

	for (k = 0; k < q->keys && !err; k++) {
		key[k] = m->from->key[group][k];
		if (fast_expr_text(q, q->key[k]))
			err = take_text(m, key[k], &key[k]);
	}
	return err ? err
		   : fast_groups_find(m->to, key, m->from->null[group], ret);
}

static int add_hist(struct merging *m, struct fast_cell *to,
		    const struct fast_cell *from)
{
	int err;

	if (!from->hist)
		return 0;
	err = fast_groups_hist(m->to, to);
	return err ? err : hist_merge(to->hist, from->hist);
}

static void add_texts(const struct fast_texts *texts, struct fast_cell *to,
		      int64_t min, int64_t max)
{
	const struct fast_text *t = texts->text;

	if (!to->count || fast_text_compare(&t[min], &t[to->min]) < 0)
		to->min = min;
	if (!to->count || fast_text_compare(&t[max], &t[to->max]) > 0)
		to->max = max;
}

static void add_numbers(struct fast_cell *to, int64_t min, int64_t max)
{
	if (!to->count || min < to->min)
		to->min = min;
	if (!to->count || max > to->max)
		to->max = max;
}

static int add_cell(struct merging *m, unsigned agg, struct fast_cell *to,
		    const struct fast_cell *from)
{
	const struct fast_expr *x = m->from->q->agg[agg].what;
	int64_t min, max;
	int err = 0;

	if (!from->count)
		return 0;
	if (x && fast_expr_text(m->from->q, x)) {
		err = take_text(m, from->min, &min);
		if (!err)
			err = take_text(m, from->max, &max);
		if (!err)
			add_texts(m->to->texts, to, min, max);
	} else {
		add_numbers(to, from->min, from->max);
	}
	to->count += from->count;
	to->above += from->above;
	to->below += from->below;
	return err ? err : add_hist(m, to, from);
}

static int add_group(struct merging *m, uint32_t group)
{
	unsigned aggs = m->from->q->aggs, i;
	uint32_t to;
	int err = find(m, group, &to);

	for (i = 0; i < aggs && !err; i++)
		err = add_cell(m, i, &m->to->cell[(size_t)to * aggs + i],
			       &m->from->cell[(size_t)group * aggs + i]);
	return err;
}

int fast_groups_merge(struct fast_groups *to, const struct fast_groups *from)
{
	struct merging m = {.to = to, .from = from};
	uint32_t i;
	int err = 0;

	m.number = calloc(from->texts->count + 1U, sizeof(*m.number));
	if (!m.number)
		return -ENOMEM;
	for (i = 0; i < from->count && !err; i++)
		err = add_group(&m, i);
	free(m.number);
	return err;
}
