// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_column.c - the columns of a batch as vectors; see fast_eval.h.
 *
 * What a text says is found as for a row: a record is made that has nothing
 * but the one field, and asked. That happens once for each value there is.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "fast_eval.h"
#include "hash.h"
#include "sums.h"

#define CACHE_MIN 64
#define UNKNOWN	  UINT32_MAX

static const struct sql_column *column_of(const struct fast_eval *e,
					  unsigned column)
{
	return &e->q->columns.column[column];
}

/* ---- one value ----------------------------------------------------------- */

/* A record in which only this field is not zero. */
static void make_record(struct fast_eval *e, const struct schema_field *f,
			const void *data, size_t len)
{
	size_t size = e->kind->size;
	struct weir_hdr h = {.kind = e->kind->number};
	char *rec;

	buf_reset(&e->record);
	rec = buf_space(&e->record, size + len);
	if (!rec)
		return;
	memset(rec, 0, size + len);
	h.len = (uint16_t)size;
	if (f && f->type == FIELD_STR) {
		struct weir_str s = {(uint16_t)size, (uint16_t)len,
				     (uint32_t)len};

		memcpy(rec + f->offset, &s, sizeof(s));
		memcpy(rec + size, data, len);
		h.len = (uint16_t)(size + len);
	} else if (f) {
		memcpy(rec + f->offset, data, len < f->size ? len : f->size);
	}
	memcpy(rec, &h, sizeof(h));
	e->record.len = size + len;
}

static int ask_record(struct fast_eval *e, const struct sql_column *c,
		      struct sql_value *ret)
{
	struct render r = {.schema = e->schema};
	struct event ev = {
		.h = (const struct weir_hdr *)e->record.data,
		.kind = e->kind,
		.len = (uint32_t)e->record.len,
	};

	if (buf_err(&e->record))
		return -ENOMEM;
	sql_column_get(c, &r, NULL, &ev, &e->scratch, ret);
	return buf_err(&e->scratch);
}

/* The text that stands for a number. */
static int number_of_raw(struct fast_eval *e, const struct sql_column *c,
			 uint64_t raw, uint32_t *ret)
{
	struct sql_value v;
	int err;

	make_record(e, c->field, &raw, sizeof(raw));
	if (c->what == SQL_MARKS && !buf_err(&e->record))
		((struct weir_hdr *)e->record.data)->flags = (uint16_t)raw;
	err = ask_record(e, c, &v);
	*ret = 0;
	if (err || v.type == SQL_NULL)
		return err;
	if (v.type != SQL_TEXT)
		return -EOPNOTSUPP;
	return fast_texts_number(e->texts, v.text, v.len, ret);
}

static int grow_values(struct fast_cache *c)
{
	uint32_t cap = c->value_cap ? c->value_cap * 2 : CACHE_MIN, i, at;
	void *old = c->value, *made = calloc(cap, sizeof(*c->value));
	__typeof__(c->value) from = old, to = made;

	if (!made)
		return -ENOMEM;
	for (i = 0; i < c->value_cap; i++) {
		if (!from[i].used)
			continue;
		at = (uint32_t)hash_u64(from[i].raw) & (cap - 1);
		while (to[at].used)
			at = (at + 1) & (cap - 1);
		to[at] = from[i];
	}
	free(old);
	c->value = made;
	c->value_cap = cap;
	return 0;
}

int fast_column_symbol(struct fast_eval *e, unsigned column, uint64_t raw,
		       int64_t *ret)
{
	struct fast_cache *c = &e->cache[column];
	uint32_t at, number;
	int err;

	if (c->values >= c->value_cap / 2 && grow_values(c))
		return -ENOMEM;
	at = (uint32_t)hash_u64(raw) & (c->value_cap - 1);
	while (c->value[at].used && c->value[at].raw != raw)
		at = (at + 1) & (c->value_cap - 1);
	if (!c->value[at].used) {
		err = number_of_raw(e, column_of(e, column), raw, &number);
		if (err)
			return err;
		c->value[at].raw = raw;
		c->value[at].number = number;
		c->value[at].used = true;
		c->values++;
	}
	*ret = c->value[at].number;
	return 0;
}

/* ---- strings of the block ------------------------------------------------ */

int fast_column_text(struct fast_eval *e, unsigned column, uint32_t string,
		     const char **ret, size_t *ret_len)
{
	const struct sql_column *c = column_of(e, column);
	struct sql_value v;
	uint32_t len;
	const char *p = columns_string(e->block->columns, string, &len);
	int err;

	*ret = p;
	*ret_len = len;
	if (c->field->type == FIELD_STR && c->field->meaning != MEANING_ARGV)
		return 0;
	make_record(e, c->field, p, len);
	err = ask_record(e, c, &v);
	*ret = v.type == SQL_TEXT ? v.text : NULL;
	*ret_len = v.len;
	return err;
}

static int room_for_strings(struct fast_cache *c, const struct fast_block *b)
{
	uint32_t count;
	void *p;
	int err = columns_strings(b->columns, &count);

	if (err || c->block == b->number)
		return err;
	if (count > c->room) {
		p = reallocarray(c->number, count, sizeof(*c->number));
		if (!p)
			return -ENOMEM;
		c->number = p;
		c->room = count;
	}
	if (count)
		memset(c->number, 0xff, count * sizeof(*c->number));
	c->block = b->number;
	return 0;
}

int fast_column_number(struct fast_eval *e, unsigned column, uint32_t string,
		       uint32_t *ret)
{
	struct fast_cache *c = &e->cache[column];
	const char *text;
	size_t len;
	int err = room_for_strings(c, e->block);

	if (err)
		return err;
	*ret = c->number[string];
	if (*ret != UNKNOWN)
		return 0;
	*ret = 0;
	err = fast_column_text(e, column, string, &text, &len);
	if (!err && text)
		err = fast_texts_number(e->texts, text, len, ret);
	if (!err)
		c->number[string] = *ret;
	return err;
}

/* ---- what the rows have in common ---------------------------------------- */

static int64_t *room(struct fast_eval *e)
{
	return pool_alloc(&e->pool, e->count, sizeof(int64_t));
}

static int times(struct fast_eval *e, struct fast_vector *ret)
{
	int64_t *v = room(e), offset = e->block->at.wall_offset;
	const uint64_t *ts;
	uint32_t i;
	int err = v ? fast_eval_times(e, &ts) : -ENOMEM;

	for (i = 0; i < e->count && !err; i++)
		v[i] = (int64_t)ts[e->row[i]] + offset;
	ret->v = v;
	return err;
}

static uint32_t of_turn(enum sql_what what, const struct columns_turn *t)
{
	return what == SQL_CPU ? t->cpu : what == SQL_PID ? t->pid : t->tid;
}

/* @last: of the row before */
static inline uint32_t turn_of(const struct fast_eval *e, uint32_t i,
			       uint32_t last)
{
	return e->by_turn ? i : fast_block_turn(e->block, e->row[i], last);
}

static int ids(struct fast_eval *e, enum sql_what what, struct fast_vector *ret)
{
	int64_t *v = room(e);
	uint32_t i, t = 0;
	int err = v ? fast_block_turns(e->block) : -ENOMEM;

	if (!err && !e->by_turn)
		err = fast_eval_rows(e);
	for (i = 0; i < e->count && !err; i++) {
		t = turn_of(e, i, t);
		v[i] = of_turn(what, &e->block->turn[t]);
	}
	ret->v = v;
	return err;
}

/* Of each turn, what its task is, and that of its first row. */
static int fact(struct fast_eval *e, uint32_t turn, uint32_t row, unsigned i,
		struct fast_vector *ret, uint32_t at, bool text)
{
	const struct fast_info *info;
	uint32_t number;
	int err;

	err = fast_view_find(e->tasks, e->block, e->block->turn[turn].tid, row,
			     &number);
	if (err)
		return err;
	info = fast_view_info(e->tasks, number);
	((int64_t *)ret->v)[at] = info->value[i];
	if (!text)
		((uint8_t *)ret->nulls)[at] = info->null[i];
	return 0;
}

static int facts(struct fast_eval *e, const struct sql_column *c,
		 struct fast_vector *ret)
{
	unsigned i = c->what - SQL_COMM;
	bool settled = false; /* the task of the last turn */
	uint32_t k, turn = 0, last = UINT32_MAX;
	int err = fast_block_turns(e->block);

	if (!err && !e->by_turn)
		err = fast_eval_rows(e);
	ret->v = room(e);
	if (c->integer)
		ret->nulls = pool_alloc(&e->pool, e->count, 1);
	if (!ret->v || (c->integer && !ret->nulls))
		return -ENOMEM;
	for (k = 0; k < e->count && !err; k++) {
		turn = turn_of(e, k, turn);
		if (turn == last && settled) {
			((int64_t *)ret->v)[k] = ret->v[k - 1];
			if (c->integer)
				((uint8_t *)ret->nulls)[k] = ret->nulls[k - 1];
			continue;
		}
		if (turn != last)
			settled = fast_view_settled(e->tasks,
						    e->block->turn[turn].tid);
		last = turn;
		err = fact(e, turn, e->by_turn ? 0 : e->row[k], i, ret, k,
			   !c->integer);
	}
	return err;
}

static int constant_text(struct fast_eval *e, const char *text,
			 struct fast_vector *ret)
{
	uint32_t number;
	int err = fast_texts_number(e->texts, text, strlen(text), &number);

	ret->same = true;
	ret->one = number;
	return err;
}

/* ---- fields -------------------------------------------------------------- */

static unsigned field_index(const struct fast_eval *e,
			    const struct schema_field *f)
{
	return (unsigned)(f - e->kind->fields);
}

static int read_raw(struct fast_eval *e, unsigned field, unsigned element,
		    struct fast_vector *ret)
{
	uint64_t same;

	if (columns_group_same(e->block->columns, e->kind->number, e->group,
			       field, element, &same)) {
		ret->same = true;
		ret->one = (int64_t)same;
		return 0;
	}
	return columns_group_u64(e->block->columns, e->kind->number, e->group,
				 field, element, (const uint64_t **)&ret->v);
}

static int sign_extend(struct fast_eval *e, unsigned size,
		       struct fast_vector *ret)
{
	int64_t *v;
	uint32_t i;

	if (ret->same) {
		ret->one = field_extend((uint64_t)ret->one, size);
		return 0;
	}
	if (size == sizeof(*v))
		return 0;
	v = room(e);
	if (!v)
		return -ENOMEM;
	for (i = 0; i < e->count; i++)
		v[i] = field_extend((uint64_t)ret->v[i], size);
	ret->v = v;
	return 0;
}

/* A number SQLite has no integer for is a real there. */
static int check_sign(const struct fast_eval *e, const struct fast_vector *v)
{
	uint64_t any = v->same ? (uint64_t)v->one
			       : sums_of((const uint64_t *)v->v, e->count).any;

	return any >> 63 ? -EOPNOTSUPP : 0;
}

/* An instant; 0 is unknown. */
static int instants(struct fast_eval *e, struct fast_vector *ret)
{
	int64_t *v = room(e), offset = e->block->at.wall_offset;
	uint8_t *nulls = pool_alloc(&e->pool, e->count, 1);
	uint32_t i;

	if (!v || !nulls)
		return -ENOMEM;
	if (ret->same) {
		ret->null = !ret->one;
		ret->one += offset;
		return 0;
	}
	for (i = 0; i < e->count; i++) {
		nulls[i] = !ret->v[i];
		v[i] = (int64_t)((uint64_t)ret->v[i] + (uint64_t)offset);
	}
	ret->v = v;
	ret->nulls = nulls;
	return 0;
}

static int truths(struct fast_eval *e, struct fast_vector *ret)
{
	int64_t *v = room(e);
	uint32_t i;

	if (!v)
		return -ENOMEM;
	ret->one = ret->one != 0;
	for (i = 0; i < e->count && !ret->same; i++)
		v[i] = ret->v[i] != 0;
	ret->v = v;
	return 0;
}

static int integers(struct fast_eval *e, const struct sql_column *c,
		    struct fast_vector *ret)
{
	const struct schema_field *f = c->field;
	int err = read_raw(e, field_index(e, f), 0, ret);

	if (!err && f->type == FIELD_INT)
		err = sign_extend(e, f->size, ret);
	if (err || c->what == SQL_NR)
		return err;
	if (f->meaning == MEANING_TIME)
		return instants(e, ret);
	if (f->type == FIELD_UINT)
		err = check_sign(e, ret);
	return !err && f->meaning == MEANING_BOOL ? truths(e, ret) : err;
}

static int weights(struct fast_eval *e, struct fast_vector *ret)
{
	int err = read_raw(e, COLUMNS_FLAGS, 0, ret);
	int64_t *v = err ? NULL : room(e);
	uint32_t i;

	if (!v)
		return err ? err : -ENOMEM;
	ret->one = (int64_t)WEIR_WEIGHT(ret->one);
	for (i = 0; i < e->count && !ret->same; i++)
		v[i] = (int64_t)WEIR_WEIGHT(ret->v[i]);
	ret->v = v;
	return 0;
}

/* Texts that stand for numbers: which, is found for the rows that pass. */
static int symbols(struct fast_eval *e, unsigned column, unsigned field,
		   struct fast_vector *ret)
{
	int err = read_raw(e, field, 0, ret);

	if (err)
		return err;
	if (ret->same)
		return fast_column_symbol(e, column, (uint64_t)ret->one,
					  &ret->one);
	ret->symbols = true;
	return 0;
}

/* Strings that could not be read are NULL. */
static int unreadable(struct fast_eval *e, unsigned field,
		      struct fast_vector *ret)
{
	struct fast_vector more = {0};
	uint8_t *nulls;
	uint32_t i;
	int err = read_raw(e, field, COLUMNS_MORE, &more);

	if (err || (more.same && !more.one))
		return err;
	nulls = pool_alloc(&e->pool, e->count, 1);
	if (!nulls)
		return -ENOMEM;
	for (i = 0; i < e->count; i++) {
		uint32_t string = (uint32_t)(ret->same ? ret->one : ret->v[i]),
			 cut = (uint32_t)(more.same ? more.one : more.v[i]),
			 len;

		nulls[i] = 0;
		if (!cut)
			continue;
		columns_string(e->block->columns, string, &len);
		nulls[i] = len + cut == WEIR_STR_UNKNOWN;
	}
	ret->nulls = nulls;
	return 0;
}

static int strings(struct fast_eval *e, unsigned column,
		   struct fast_vector *ret)
{
	const struct sql_column *c = column_of(e, column);
	unsigned field = field_index(e, c->field);
	uint32_t count, i, number;
	int64_t *v;
	int err = columns_strings(e->block->columns, &count);

	if (!err)
		err = read_raw(e, field, 0, ret);
	if (!err && c->field->type == FIELD_STR)
		err = unreadable(e, field, ret);
	if (!err && ret->same && !ret->nulls) {
		err = fast_column_number(e, column, (uint32_t)ret->one,
					 &number);
		ret->one = number;
		return err;
	}
	ret->strings = true;
	if (err || !ret->same)
		return err;
	v = room(e);
	for (i = 0; i < e->count && v; i++)
		v[i] = ret->one;
	ret->v = v;
	ret->same = false;
	return v ? 0 : -ENOMEM;
}

/* ---- names of other tasks ------------------------------------------------ */

static int comm_of(struct fast_eval *e, uint32_t tid, uint32_t row,
		   int64_t *ret)
{
	uint32_t number;
	int err = fast_view_find(e->tasks, e->block, tid, row, &number);

	if (!err)
		*ret = fast_view_info(e->tasks, number)->value[FAST_COMM];
	return err;
}

static int comms_of(struct fast_eval *e, const struct sql_column *c,
		    struct fast_vector *ret)
{
	int64_t *v = room(e), tid;
	struct fast_vector tids = {0};
	uint32_t i;
	int err = v ? fast_eval_rows(e) : -ENOMEM;

	if (!err)
		err = read_raw(e, field_index(e, c->field), 0, &tids);
	for (i = 0; i < e->count && !err; i++) {
		tid = tids.same ? tids.one : tids.v[i];
		err = comm_of(e, (uint32_t)tid, e->row[i], &v[i]);
	}
	ret->v = v;
	return err;
}

/* -------------------------------------------------------------------------- */

int fast_column_value(struct fast_eval *e, unsigned column,
		      struct fast_vector *ret)
{
	const struct sql_column *c = column_of(e, column);

	*ret = (struct fast_vector){0};
	switch (c->what) {
	case SQL_TS:
		return times(e, ret);
	case SQL_CPU:
	case SQL_PID:
	case SQL_TID:
		return ids(e, c->what, ret);
	case SQL_SOURCE:
		return constant_text(e, e->kind->source, ret);
	case SQL_KIND:
		return constant_text(e, e->kind->name, ret);
	case SQL_MARKS:
		return e->block->at.state
			       ? -EOPNOTSUPP
			       : symbols(e, column, COLUMNS_FLAGS, ret);
	case SQL_WEIGHT:
		return e->block->at.state ? -EOPNOTSUPP : weights(e, ret);
	case SQL_NAME:
		return symbols(e, column, field_index(e, c->field), ret);
	case SQL_OF:
		return comms_of(e, c, ret);
	case SQL_FIELD:
	case SQL_NR:
		if (c->integer)
			return integers(e, c, ret);
		return c->field->type > FIELD_INT
			       ? strings(e, column, ret)
			       : symbols(e, column, field_index(e, c->field),
					 ret);
	default:
		return sql_column_is_task(c) ? facts(e, c, ret) : -EOPNOTSUPP;
	}
}
