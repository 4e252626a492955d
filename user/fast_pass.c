// SPDX-License-Identifier: BSD-2-Clause
/*
 * fast_pass.c - which rows of a batch pass a condition; see fast_eval.h.
 */
#include <errno.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "fast_eval.h"
#include "render.h"

/* ---- of a text ----------------------------------------------------------- */

static bool is_one_of(const struct fast_pred *p, const struct fast_text *t)
{
	unsigned i;

	for (i = 0; i < p->count; i++)
		if (p->string[i].len == t->len &&
		    !memcmp(p->string[i].data, t->data, t->len))
			return true;
	return false;
}

static bool holds(enum fast_op op, int sign)
{
	switch (op) {
	case FAST_EQ:
		return !sign;
	case FAST_LT:
		return sign < 0;
	case FAST_LE:
		return sign <= 0;
	case FAST_GT:
		return sign > 0;
	default:
		return sign >= 0;
	}
}

/*
 * %.h of LIKE and *.h of GLOB, as most ask: the end decides. Bytes from 0x80
 * on may be half a character.
 */
static const char *ending_of(const struct fast_pred *p, size_t *ret_len)
{
	const char *text = p->string->data;
	bool like = p->test == FAST_TEST_LIKE;
	size_t i;

	if (*text != (like ? '%' : '*'))
		return NULL;
	for (i = 1; text[i]; i++)
		if ((unsigned char)text[i] >= 0x80 ||
		    strchr(like ? "%_" : "*?[", text[i]))
			return NULL;
	*ret_len = i - 1;
	return text + 1;
}

/* SQLite reads up to a NUL. */
static bool ends(const struct fast_pred *p, const struct fast_memo *m,
		 const char *text, size_t len)
{
	const char *nul = memchr(text, 0, len);

	len = nul ? (size_t)(nul - text) : len;
	if (len < m->end_len)
		return false;
	text += len - m->end_len;
	return p->test == FAST_TEST_LIKE
		       ? !strncasecmp(text, m->end, m->end_len)
		       : !memcmp(text, m->end, m->end_len);
}

/* @t ends with a NUL, as SQLite has it. */
static bool is_like(const struct fast_pred *p, const struct fast_text *t)
{
	return p->test == FAST_TEST_LIKE
		       ? !sqlite3_strlike(p->string->data, t->data, 0)
		       : !sqlite3_strglob(p->string->data, t->data);
}

static bool passes_text(const struct fast_pred *p, const struct fast_text *t)
{
	bool yes;

	if (p->test == FAST_TEST_STRINGS)
		yes = is_one_of(p, t);
	else if (p->test == FAST_TEST_COMPARE)
		yes = holds(p->compare, fast_text_compare(t, p->string));
	else
		yes = is_like(p, t);
	return yes != p->negated;
}

/* ---- what was found out before ------------------------------------------- */

static int room_for(struct fast_memo *m, uint32_t number)
{
	uint32_t room = m->room ? m->room : 64;
	uint8_t *p;

	if (number < m->room)
		return 0;
	while (room <= number)
		room *= 2;
	p = realloc(m->known, room);
	if (!p)
		return -ENOMEM;
	memset(p + m->room, 0, room - m->room);
	m->known = p;
	m->room = room;
	return 0;
}

/* Of a string of the block; those of the last block are others. */
static int test_string(struct fast_eval *e, const struct fast_pred *p,
		       struct fast_memo *m, uint32_t string)
{
	const char *text;
	size_t len;
	int err;

	err = fast_column_text(e, p->what->column, string, &text, &len);
	if (err)
		return err;
	m->known[string] = 1;
	if (!text)
		return 0;
	if (m->end) {
		m->known[string] += ends(p, m, text, len) != p->negated;
		return 0;
	}
	if (text != e->scratch.data || !e->scratch.data) {
		buf_reset(&e->scratch);
		buf_put(&e->scratch, text, len);
	}
	buf_putc(&e->scratch, '\0');
	if (buf_err(&e->scratch))
		return -ENOMEM;
	m->known[string] += passes_text(
		p, &(struct fast_text){e->scratch.data, (uint32_t)len});
	return 0;
}

static inline int string_passes(struct fast_eval *e, const struct fast_pred *p,
				struct fast_memo *m, uint32_t string, bool *ret)
{
	int err = string < m->room ? 0 : room_for(m, string);

	if (!err && !m->known[string])
		err = test_string(e, p, m, string);
	*ret = !err && m->known[string] == 2;
	return err;
}

static int number_passes(struct fast_eval *e, const struct fast_pred *p,
			 struct fast_memo *m, uint32_t number, bool *ret)
{
	int err = room_for(m, number);

	if (!err && !m->known[number])
		m->known[number] =
			1 + (number && passes_text(p, &e->texts->text[number]));
	*ret = !err && m->known[number] == 2;
	return err;
}

static int symbol_passes(struct fast_eval *e, const struct fast_pred *p,
			 struct fast_memo *m, const struct fast_vector *v,
			 uint32_t i, bool *ret)
{
	uint32_t number;
	int err = fast_eval_number(e, p->what, v, i, &number);

	return err ? err : number_passes(e, p, m, number, ret);
}

/* ---- a batch ------------------------------------------------------------- */

static void fail_all(const struct fast_eval *e, uint8_t *pass)
{
	memset(pass, 0, e->count);
}

static int pass_texts(struct fast_eval *e, const struct fast_pred *p,
		      struct fast_memo *m, const struct fast_vector *v,
		      uint8_t *pass, bool *ret_all)
{
	bool yes = false;
	uint32_t i;
	int err = 0;

	if (v->strings && m->block != e->block->number) {
		if (m->known)
			memset(m->known, 0, m->room);
		m->block = e->block->number;
		m->end = p->test < FAST_TEST_LIKE ? NULL
						  : ending_of(p, &m->end_len);
	}
	if (v->same) { /* not in the memo: that may be of strings */
		*ret_all = v->one && passes_text(p, &e->texts->text[v->one]);
		if (!*ret_all)
			fail_all(e, pass);
		return 0;
	}
	for (i = 0; i < e->count && !err; i++) {
		if (!pass[i])
			continue;
		if (v->symbols)
			err = symbol_passes(e, p, m, v, i, &yes);
		else if (!v->strings)
			err = number_passes(e, p, m, (uint32_t)v->v[i], &yes);
		else if (v->nulls && v->nulls[i])
			yes = false;
		else
			err = string_passes(e, p, m, (uint32_t)v->v[i], &yes);
		pass[i] = yes;
	}
	return err;
}

static bool is_number_of(const struct fast_pred *p, int64_t v)
{
	unsigned i;

	for (i = 0; i < p->count; i++)
		if (p->number[i] == v)
			return true;
	return false;
}

static bool passes_number(const struct fast_pred *p, int64_t v)
{
	return (p->test == FAST_TEST_TRUE ? v != 0 : is_number_of(p, v)) !=
	       p->negated;
}

static void pass_numbers(struct fast_eval *e, const struct fast_pred *p,
			 const struct fast_vector *v, uint8_t *pass,
			 bool *ret_all)
{
	uint32_t i;

	if (v->same) {
		*ret_all = !v->null && passes_number(p, v->one);
		if (!*ret_all)
			fail_all(e, pass);
		return;
	}
	if (!v->nulls && p->test == FAST_TEST_TRUE && !p->negated) {
		for (i = 0; i < e->count; i++)
			pass[i] &= v->v[i] != 0;
		return;
	}
	for (i = 0; i < e->count; i++)
		pass[i] = pass[i] && !(v->nulls && v->nulls[i]) &&
			  passes_number(p, v->v[i]);
}

/* Return: false: it is not as plain as that. */
static bool pass_plain(enum fast_op op, const int64_t *a, int64_t b,
		       uint8_t *pass, uint32_t n)
{
	uint32_t i;

	switch (op) {
	case FAST_LT:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] < b;
		return true;
	case FAST_LE:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] <= b;
		return true;
	case FAST_GT:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] > b;
		return true;
	case FAST_GE:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] >= b;
		return true;
	case FAST_EQ:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] == b;
		return true;
	case FAST_NE:
		for (i = 0; i < n; i++)
			pass[i] &= a[i] != b;
		return true;
	default:
		return false;
	}
}

/*
 * A column compared with a number, without a vector of what came out.
 * Return: 1 done; 0 it is something else; errors.
 */
static int pass_compared(struct fast_eval *e, const struct fast_pred *p,
			 uint8_t *pass)
{
	const struct fast_expr *x = p->what;
	struct fast_vector a;
	int err;

	if (p->test != FAST_TEST_TRUE || p->negated || x->op < FAST_EQ ||
	    x->a->op != FAST_COLUMN || x->b->op != FAST_NUMBER ||
	    fast_eval_known(e, x))
		return 0;
	err = fast_eval_value(e, x->a, &a);
	if (err)
		return err;
	return !a.same && !a.nulls &&
	       pass_plain(x->op, a.v, x->b->number, pass, e->count);
}

static int pass_nulls(struct fast_eval *e, const struct fast_pred *p,
		      const struct fast_vector *v, uint8_t *pass)
{
	bool text = fast_expr_text(e->q, p->what);
	uint32_t i, number;
	bool null;
	int err = 0;

	for (i = 0; i < e->count && !err; i++) {
		if (!pass[i])
			continue;
		if (text) {
			err = fast_eval_number(e, p->what, v, i, &number);
			null = !number;
		} else {
			null = v->same ? v->null : v->nulls && v->nulls[i];
		}
		pass[i] = null != p->negated;
	}
	return err;
}

/* ---- times as text ------------------------------------------------------- */

static int sign_of_time(struct fast_eval *e, const struct fast_pred *p,
			uint64_t wall)
{
	buf_reset(&e->scratch);
	render_iso(&e->scratch, wall);
	return fast_text_compare(
		&(struct fast_text){e->scratch.data, (uint32_t)e->scratch.len},
		p->string);
}

/* Equal is 0; the order of times is that of their texts. */
static int pass_times(struct fast_eval *e, const struct fast_pred *p,
		      uint8_t *pass, bool *ret_all)
{
	enum fast_op op = p->test == FAST_TEST_COMPARE ? p->compare : FAST_EQ;
	const struct archive_block *b = &e->block->at;
	uint64_t offset = (uint64_t)b->wall_offset;
	const uint64_t *ts;
	int first = sign_of_time(e, p, b->first_ns + offset);
	int last = sign_of_time(e, p, b->last_ns + offset), err;
	uint32_t i;

	if (first && last && (first < 0) == (last < 0)) {
		*ret_all = holds(op, first) != p->negated;
		if (!*ret_all)
			fail_all(e, pass);
		return 0;
	}
	err = fast_eval_times(e, &ts);
	for (i = 0; i < e->count && !err; i++)
		if (pass[i])
			pass[i] = holds(op,
					sign_of_time(e, p,
						     ts[e->row[i]] + offset)) !=
				  p->negated;
	return err;
}

int fast_eval_pass(struct fast_eval *e, unsigned pred, uint8_t *pass,
		   bool *ret_all)
{
	const struct fast_pred *p = &e->q->pred[pred];
	struct fast_vector v;
	int err;

	*ret_all = false;
	if (p->what->op == FAST_COLUMN &&
	    e->q->columns.column[p->what->column].what == SQL_TIME)
		return pass_times(e, p, pass, ret_all);
	err = pass_compared(e, p, pass);
	if (err)
		return err > 0 ? 0 : err;
	err = fast_eval_value(e, p->what, &v);
	if (err)
		return err;
	if (p->test == FAST_TEST_NULL)
		return pass_nulls(e, p, &v, pass);
	if (p->test >= FAST_TEST_STRINGS)
		return pass_texts(e, p, &e->memo[pred], &v, pass, ret_all);
	pass_numbers(e, p, &v, pass, ret_all);
	return 0;
}
