// SPDX-License-Identifier: BSD-2-Clause
#include "columns_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Which group each key below KEYS has; the last one is for the others. */
static bool map_keys(const struct part *p, uint16_t *group)
{
	uint32_t rest = p->group_count - 1, i;

	for (i = 0; i < KEYS; i++)
		group[i] = (uint16_t)rest;
	for (i = 0; i < rest; i++) {
		uint64_t key = p->group[i].key;

		if (key >= KEYS || group[key] != rest)
			return false;
		group[key] = (uint16_t)i;
	}
	return true;
}

static bool place_groups(struct part *p)
{
	uint32_t i;
	uint64_t at = 0;

	for (i = 0; i < p->group_count; i++) {
		p->group[i].first = (uint32_t)at;
		at += p->group[i].rows;
	}
	return at == p->rows;
}

int part_group(struct columns *c, struct part *p)
{
	uint16_t group[KEYS];
	uint32_t *row, *fill, i;

	if (!p->group_count || p->group_count > KEYS + 1 || !place_groups(p) ||
	    !map_keys(p, group))
		return -EBADMSG;
	if (p->group_count == 1)
		return 0;
	row = pool_alloc(&c->block, p->rows, sizeof(*row));
	fill = pool_zero(&c->block, p->group_count, sizeof(*fill));
	if (!row || !fill)
		return -ENOMEM;
	for (i = 0; i < p->rows; i++) {
		uint64_t key = p->key[i];
		uint32_t g = key < KEYS ? group[key] : p->group_count - 1;

		if (fill[g] == p->group[g].rows)
			return -EBADMSG;
		row[p->group[g].first + fill[g]++] = p->row[i];
	}
	p->row = row;
	return 0;
}

int rows_since(struct columns *c, const uint64_t *part_of)
{
	uint64_t *since = pool_alloc(&c->block, c->head.rows, sizeof(*since));
	const struct row_view *v = &c->view;
	uint64_t last[PARTS_MAX] = {0};
	uint32_t i;

	if (!since)
		return -ENOMEM;
	for (i = 0; i < v->count; i++) {
		uint64_t part = part_of[i];

		if (i && v->run[i] != v->run[i - 1])
			memset(last, 0, sizeof(last));
		since[i] = last[part] ? v->ts[i] - last[part] : 0;
		last[part] = v->ts[i];
	}
	c->view.since = since;
	return 0;
}

/* ---- beginning and end --------------------------------------------------- */

int columns_new(struct columns **ret, const struct schema *s)
{
	struct columns *c = calloc(1, sizeof(*c));
	int err;

	if (!c)
		return -ENOMEM;
	err = packer_init(&c->packer);
	if (!err)
		err = plans_new(&c->plans, s);
	if (err) {
		columns_free(c);
		return err;
	}
	*ret = c;
	return 0;
}

void columns_free(struct columns *c)
{
	if (!c)
		return;
	plans_free(c->plans);
	packer_done(&c->packer);
	pool_done(&c->block);
	pool_done(&c->group);
	strings_done(&c->strings);
	buf_done(&c->directory);
	buf_done(&c->data);
	buf_done(&c->trial);
	free(c->choice);
	free(c->stream);
	free(c);
}

/* ---- how it came out ----------------------------------------------------- */

static const char *const common_names[COMMON_STREAMS] = {
	"cpu",	    "cpu rows",	 "kind",      "pid",	 "tid",
	"task",	    "task rows", "late row",  "late by", "pick at",
	"pick run", "str len",	 "str bytes",
};

static const char *const type_names[] = {
	[PLAN_TIME] = "ts",	[PLAN_FLAGS] = "flags", [PLAN_NUMBER] = "value",
	[PLAN_BYTES] = "bytes", [PLAN_STR] = "string",	[PLAN_OFF] = "offset",
	[PLAN_FULL] = "full",	[PLAN_KIND] = "kind",	[PLAN_REST] = "rest",
};

static const char *const form_names[FORMS] = {"const", "planes", "log", "dict",
					      "runs"};

static const char *const predictor_names[PREDICTORS] = {
	"",    "signed", "last", "task",     "column",	 "sum",	  "ago",
	"pid", "tid",	 "cpu",	 "next pid", "next tid", "since", "new"};

/* Which column of which part a stream is. */
static const struct plan_column *column_of(const struct columns *c, uint32_t i,
					   const struct part **ret)
{
	uint32_t k, n;

	for (k = 0; k < c->head.parts; k++) {
		const struct part *p = &c->part[k];
		const struct plan *plan = p->plan;

		if (!plan)
			break;
		n = part_columns(plan);
		if (i < p->stream || i >= part_stream(p, p->group_count, 0))
			continue;
		*ret = p;
		i -= p->stream;
		if (plan->key < 0)
			return &plan->column[i % n];
		if (!i)
			return &plan->column[plan->key];
		i = (i - 1) % n;
		return &plan->column[i + ((int)i >= plan->key)];
	}
	return NULL;
}

bool columns_stream(const struct columns *c, uint32_t i,
		    struct columns_stream *ret)
{
	const struct plan_column *column;
	const struct part *p = NULL;
	const struct stream *s;

	if (i >= c->stream_count)
		return false;
	s = &c->stream[i];
	*ret = (struct columns_stream){
		.field = -1,
		.element = -1,
		.what = i < COMMON_STREAMS ? common_names[i] : "unknown",
		.form = s->head.form < FORMS ? form_names[s->head.form] : "?",
		.predictor = s->what < PREDICTORS ? predictor_names[s->what]
						  : "?",
		.bytes = s->len,
	};
	column = i < COMMON_STREAMS ? NULL : column_of(c, i, &p);
	if (!column)
		return true;
	ret->kind = p->kind;
	ret->what = type_names[column->type];
	ret->field = column->field == PLAN_NO_FIELD ? -1 : column->field;
	ret->element = column->element;
	return true;
}
