// SPDX-License-Identifier: BSD-2-Clause
/*
 * sql_match.c - the tests of a pass: sql_tests_*() of sql_plan.h.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "sql_plan.h"
#include "units.h"

#define REAL_MAX 9.2e18 /* what is larger may not fit an int64_t */

/* ---- integers ------------------------------------------------------------ */

static void narrow(struct sql_test *t, char op, int64_t lo, int64_t hi)
{
	switch (op) {
	case '>':
		t->lo = lo < INT64_MAX ? lo + 1 : lo;
		break;
	case 'g':
		t->lo = lo;
		break;
	case '<':
		t->hi = hi > INT64_MIN ? hi - 1 : hi;
		break;
	case 'l':
		t->hi = hi;
		break;
	default:
		t->lo = lo;
		t->hi = hi;
	}
}

/* A real stands between two integers; the test is a little too wide. */
static void narrow_real(struct sql_test *t, char op, double d)
{
	int64_t whole;

	if (!(d > -REAL_MAX && d < REAL_MAX))
		return;
	whole = (int64_t)d;
	narrow(t, op == '>' ? 'g' : op == '<' ? 'l' : op, whole - 1, whole + 1);
}

/* ---- text that is a time ------------------------------------------------- */

/*
 * A time is compared as text, so what is pushed down must hold for any text;
 * only those that begin as ours do are understood: 2026-11-22T14:03:20.5.
 */
static bool is_like_ours(const char *text)
{
	static const char form[] = "0000-00-00T00:00:00.000000000Z";
	size_t i;

	for (i = 0; text[i]; i++) {
		if (i >= sizeof(form) - 1)
			return false;
		if (form[i] == '0' ? text[i] < '0' || text[i] > '9'
				   : text[i] != form[i])
			return text[i] == 'Z' && !text[i + 1] && i >= 19;
	}
	return i == 10 || i == 16 || i >= 19;
}

static bool read_time(sqlite3_value *v, uint64_t *ret)
{
	const char *text = (const char *)sqlite3_value_text(v);
	char room[40];
	size_t len;

	if (!text || !is_like_ours(text))
		return false;
	len = strlen(text);
	if (len > 19 && text[len - 1] == '.')
		return false;
	strcpy(room, text);
	if (len > 10 && text[len - 1] != 'Z')
		strcpy(room + len, "Z");
	if (len == 10)
		strcpy(room + len, "T00:00Z");
	return !parse_time(room, 0, ret);
}

/* ---- what is compared with something of another sort ----------------------
 */

static void note_odd(struct sql_tests *t, const struct sql_column *c,
		     sqlite3_value *v)
{
	const char *text = (const char *)sqlite3_value_text(v);

	t->odd = c;
	snprintf(t->odd_value, sizeof(t->odd_value), "%s", text ? text : "");
}

/* All numbers are before it. */
static bool is_no_number(sqlite3_value *v)
{
	return sqlite3_value_type(v) == SQLITE_TEXT &&
	       sqlite3_value_numeric_type(v) == SQLITE_TEXT;
}

/* Neither '13:05' nor a number sorts among texts that begin with a year. */
static bool is_no_time(sqlite3_value *v)
{
	const char *text = (const char *)sqlite3_value_text(v);

	return sqlite3_value_type(v) != SQLITE_TEXT || !text ||
	       strspn(text, "0123456789") < strlen("2026");
}

/* '…20Z' sorts after all of the second that it begins: 1 s is added. */
static void bind_time(struct sql_tests *t, const struct sql_column *col,
		      char op, sqlite3_value *v)
{
	uint64_t ns;
	int64_t lo, hi;

	if (is_no_time(v))
		note_odd(t, col, v);
	if (sqlite3_value_type(v) != SQLITE_TEXT || !read_time(v, &ns))
		return;
	lo = (int64_t)ns;
	hi = lo + (int64_t)NS_PER_S;
	if (strchr(">g=", op) && lo > t->ts_lo)
		t->ts_lo = lo;
	if (strchr("<l=", op) && hi < t->ts_hi)
		t->ts_hi = hi;
}

/* ---- lists --------------------------------------------------------------- */

static int by_number(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return (x > y) - (x < y);
}

static int add_string(struct sql_test *t, sqlite3_value *v)
{
	size_t len = (size_t)sqlite3_value_bytes(v);
	char *copy = malloc(len + 1);

	if (!copy)
		return SQLITE_NOMEM;
	memcpy(copy, sqlite3_value_blob(v) ? sqlite3_value_blob(v) : "", len);
	t->strings[t->count] = copy;
	t->lens[t->count++] = len;
	return SQLITE_OK;
}

static int grow(struct sql_test *t)
{
	void *p;

	if (t->count & (t->count - 1)) /* doubled at powers of two */
		return SQLITE_OK;
	if (!t->text) {
		p = reallocarray(t->numbers, t->count ? 2 * t->count : 1,
				 sizeof(*t->numbers));
		t->numbers = p ? p : t->numbers;
		return p ? SQLITE_OK : SQLITE_NOMEM;
	}
	p = reallocarray(t->strings, t->count ? 2 * t->count : 1,
			 sizeof(*t->strings));
	if (!p)
		return SQLITE_NOMEM;
	t->strings = p;
	p = reallocarray(t->lens, t->count ? 2 * t->count : 1,
			 sizeof(*t->lens));
	t->lens = p ? p : t->lens;
	return p ? SQLITE_OK : SQLITE_NOMEM;
}

/* Return: SQLITE_OK; SQLITE_MISMATCH a value of another type: no test. */
static int add_value(struct sql_test *t, sqlite3_value *v)
{
	int type = sqlite3_value_type(v), rc;

	if (type == SQLITE_NULL)
		return SQLITE_OK; /* equal to nothing */
	if (type != (t->text ? SQLITE_TEXT : SQLITE_INTEGER))
		return SQLITE_MISMATCH;
	rc = grow(t);
	if (rc)
		return rc;
	if (t->text)
		return add_string(t, v);
	t->numbers[t->count++] = sqlite3_value_int64(v);
	return SQLITE_OK;
}

static int bind_list(struct sql_tests *ts, struct sql_test *t,
		     sqlite3_value *list)
{
	sqlite3_value *v;
	int rc = sqlite3_vtab_in_first(list, &v);

	while (rc == SQLITE_OK) {
		rc = add_value(t, v);
		if (rc == SQLITE_MISMATCH && !t->text && is_no_number(v))
			note_odd(ts, t->column, v);
		if (rc)
			return rc;
		rc = sqlite3_vtab_in_next(list, &v);
	}
	if (rc != SQLITE_DONE)
		return rc;
	if (t->numbers)
		qsort(t->numbers, t->count, sizeof(*t->numbers), by_number);
	if (t->numbers) {
		t->lo = t->numbers[0];
		t->hi = t->numbers[t->count - 1];
	}
	return SQLITE_OK;
}

/* ---- binding ------------------------------------------------------------- */

static void free_test(struct sql_test *t)
{
	unsigned i;

	for (i = 0; t->strings && i < t->count; i++)
		free(t->strings[i]);
	free(t->strings);
	free(t->lens);
	free(t->numbers);
	memset(t, 0, sizeof(*t));
}

/* Return: as add_value(). */
static int bind_number(struct sql_test *t, char op, sqlite3_value *v)
{
	switch (sqlite3_value_type(v)) {
	case SQLITE_INTEGER:
		narrow(t, op, sqlite3_value_int64(v), sqlite3_value_int64(v));
		return SQLITE_OK;
	case SQLITE_FLOAT:
		narrow_real(t, op, sqlite3_value_double(v));
		return SQLITE_OK;
	default:
		return SQLITE_MISMATCH;
	}
}

static int bind_one(struct sql_tests *ts, const struct sql_column *col, char op,
		    sqlite3_value *v)
{
	struct sql_test t = {.column = col,
			     .text = !col->integer,
			     .lo = INT64_MIN,
			     .hi = INT64_MAX};
	int rc;

	if (op == 'i')
		rc = bind_list(ts, &t, v);
	else
		rc = t.text ? add_value(&t, v) : bind_number(&t, op, v);
	if (rc == SQLITE_MISMATCH && op != 'i' && !t.text && is_no_number(v))
		note_odd(ts, col, v);
	if (rc) {
		free_test(&t);
		return rc == SQLITE_NOMEM ? rc : SQLITE_OK;
	}
	if ((op == 'i' || t.text) && !t.count)
		ts->never = true; /* an empty list, or NULL */
	if (col->what == SQL_TS && t.lo > ts->ts_lo)
		ts->ts_lo = t.lo;
	if (col->what == SQL_TS && t.hi < ts->ts_hi)
		ts->ts_hi = t.hi;
	ts->test[ts->count++] = t;
	return SQLITE_OK;
}

static int bind(struct sql_tests *t, const struct sql_column *col, char op,
		sqlite3_value *v)
{
	if (op != 'i' && sqlite3_value_type(v) == SQLITE_NULL) {
		t->never = true;
		return SQLITE_OK;
	}
	if (col->what != SQL_TIME)
		return bind_one(t, col, op, v);
	if (op != 'i')
		bind_time(t, col, op, v);
	return SQLITE_OK;
}

int sql_tests_init(struct sql_tests *ret, const struct sql_plan *p,
		   const struct sql_columns *c, sqlite3_value *const *argv,
		   const bool *skip)
{
	unsigned i;
	int rc = SQLITE_OK;

	memset(ret, 0, sizeof(*ret));
	ret->ts_lo = INT64_MIN;
	ret->ts_hi = INT64_MAX;
	for (i = 0; i < p->count && !rc; i++)
		if (!skip || !skip[i])
			rc = bind(ret, &c->column[p->cond[i].column],
				  p->cond[i].op, argv[i]);
	if (rc)
		sql_tests_done(ret);
	return rc;
}

void sql_tests_done(struct sql_tests *t)
{
	while (t->count)
		free_test(&t->test[--t->count]);
}

/* ---- testing ------------------------------------------------------------- */

static bool has_number(const struct sql_test *t, int64_t v)
{
	if (v < t->lo || v > t->hi)
		return false;
	return !t->numbers || bsearch(&v, t->numbers, t->count,
				      sizeof(*t->numbers), by_number);
}

static bool has_string(const struct sql_test *t, const char *text, size_t len)
{
	unsigned i;

	for (i = 0; i < t->count; i++)
		if (t->lens[i] == len && !memcmp(t->strings[i], text, len))
			return true;
	return false;
}

static bool passes(const struct sql_test *t, const struct sql_value *v)
{
	switch (v->type) {
	case SQL_INT:
		return t->text || has_number(t, v->i);
	case SQL_TEXT:
		return !t->text || has_string(t, v->text, v->len);
	case SQL_REAL:
		return true;
	default:
		return false;
	}
}

bool sql_tests_pass(const struct sql_tests *t, const struct render *r,
		    const struct sql_names *names, const struct event *ev,
		    struct buf *scratch)
{
	struct sql_value v;
	unsigned i;

	for (i = 0; i < t->count; i++) {
		sql_column_get(t->test[i].column, r, names, ev, scratch, &v);
		if (!passes(&t->test[i], &v))
			return false;
	}
	return true;
}

void sql_tests_kinds(const struct sql_tests *t, const struct schema *s,
		     bool *kinds)
{
	const struct schema_kind *k;
	const char *name;
	unsigned i, j;

	for (i = 0; i < t->count; i++) {
		enum sql_what what = t->test[i].column->what;

		if (what != SQL_KIND && what != SQL_SOURCE)
			continue;
		for (j = 0; j < SCHEMA_KINDS_MAX; j++) {
			k = kinds[j] ? schema_kind(s, j) : NULL;
			name = !k ? "" : what == SQL_KIND ? k->name : k->source;
			if (k && !has_string(&t->test[i], name, strlen(name)))
				kinds[j] = false;
		}
	}
}
