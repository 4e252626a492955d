// SPDX-License-Identifier: BSD-2-Clause
#include "columns_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "columns_write.h"

/* Where a group's next row goes, and behind where its last one does. */
struct fill {
	uint32_t at, end;
};

/* There is room for all: the groups' rows are as many as the block's. */
static void begin_fill(struct columns *c, struct fill *f, uint32_t *row)
{
	uint32_t i, k, at = 0;

	for (i = 0; i < c->head.parts; i++) {
		for (k = 0; k < c->part[i].group_count; k++) {
			struct group *g = &c->part[i].group[k];

			g->row = row + at;
			f->at = at;
			at += g->rows;
			f++->end = at;
		}
	}
}

/*
 * From both ends at once: where a group's row goes is known when the one before
 * is put, so one after the other they would wait for each other.
 */
int groups_fill(struct columns *c)
{
	uint32_t rows = (uint32_t)c->head.rows, i, k;
	uint32_t *row = pool_alloc(&c->block, rows, sizeof(*row));
	struct fill *fill = pool_alloc(&c->block, c->group_count,
				       sizeof(*fill));
	const uint16_t *group = c->group_of;

	if (!row || !fill)
		return -ENOMEM;
	begin_fill(c, fill, row);
	for (i = 0, k = rows; i < k; i++) {
		struct fill *f = &fill[group[i]];

		if (f->at == f->end)
			return -EBADMSG;
		row[f->at++] = i;
		if (i == --k)
			break;
		f = &fill[group[k]];
		if (f->at == f->end)
			return -EBADMSG;
		row[--f->end] = k;
	}
	return 0;
}

/* Which part each group is of. */
static uint8_t *parts_of_groups(struct columns *c)
{
	uint8_t *part = pool_alloc(&c->block, c->group_count, sizeof(*part));
	uint32_t i;

	for (i = 0; i < c->head.parts && part; i++)
		memset(part + c->part[i].first_group, (int)i,
		       c->part[i].group_count);
	return part;
}

int rows_since(struct columns *c)
{
	uint64_t *since = pool_alloc(&c->block, c->head.rows, sizeof(*since));
	uint8_t *part_of = parts_of_groups(c);
	const struct row_view *v = &c->view;
	uint64_t last[PARTS_MAX] = {0};
	uint32_t i;

	if (!since || !part_of)
		return -ENOMEM;
	for (i = 0; i < v->count; i++) {
		unsigned part = part_of[c->group_of[i]];

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
	"cpu",	    "cpu rows",	 "group",     "pid",	 "tid",
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

		n = p->plan->count;
		if (i < p->group->stream ||
		    i >= p->group->stream + p->group_count * n)
			continue;
		*ret = p;
		return &p->plan->column[(i - p->group->stream) % n];
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
