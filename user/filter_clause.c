// SPDX-License-Identifier: BSD-2-Clause
/* filter_clause.c - the tests of a filter as clauses; see filter_clause.h. */
#include "filter_clause.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "filter_place.h"
#include "glob.h"

/* ---- numbers ------------------------------------------------------------- */

static bool is_negative(enum test_op op)
{
	return op == OP_NE || op == OP_NOT_IN || op == OP_NOT_GLOB;
}

static wide number_of(const struct value *v)
{
	return v->negative ? (wide)(int64_t)v->number : (wide)v->number;
}

static struct cnf among_values(struct maker *m, const struct place *p,
			       const struct subject *s, bool outside)
{
	struct range *r = arena_array(&m->arena, s->value_count, sizeof(*r));
	uint32_t i;

	for (i = 0; r && i < s->value_count; i++) {
		if (s->values[i].type != VALUE_NUMBER)
			return cnf_unknown(); /* the letter of a state */
		r[i].lo = r[i].hi = number_of(&s->values[i]);
	}
	if (!r)
		return cnf_unknown();
	return one_of(m, p, r, s->value_count, outside);
}

static struct cnf number_test(struct maker *m, const struct test *t,
			      const struct subject *s, const struct place *p,
			      bool inverse)
{
	struct range r = {0, 0}, all = domain_of(p);

	if (t->op == OP_ALONE)
		return in_range(m, p, r, !inverse);
	if (t->op < OP_LT || t->op > OP_GE)
		return among_values(m, p, s, is_negative(t->op) != inverse);
	r.lo = r.hi = number_of(s->values);
	if (t->op == OP_LT || t->op == OP_LE)
		r.lo = all.lo;
	else
		r.hi = all.hi;
	r.hi -= t->op == OP_LT;
	r.lo += t->op == OP_GT;
	return in_range(m, p, r, inverse);
}

/* ---- texts --------------------------------------------------------------- */

static struct cnf text_glob(struct maker *m, const struct place *p,
			    const struct value *v, bool inverse)
{
	size_t literal = 0;
	struct cnf c;

	while (literal < v->len && !strchr("*?[\\", v->text[literal]))
		literal++;
	if (literal == v->len)
		return text_is(m, p, v->text, literal, false, inverse);
	if (literal + 1 == v->len && v->text[literal] == '*')
		return text_is(m, p, v->text, literal, true, inverse);
	if (inverse)
		return cnf_unknown();
	c = text_is(m, p, v->text, literal, true, false);
	c.exact = c.never;
	return c;
}

static struct cnf text_among(struct maker *m, const struct place *p,
			     const struct subject *s, bool outside)
{
	struct cnf c = cnf_constant(outside), next;
	uint32_t i;

	for (i = 0; i < s->value_count; i++) {
		next = text_is(m, p, s->values[i].text, s->values[i].len, false,
			       outside);
		c = both(m, outside, c, next);
	}
	return c;
}

static struct cnf text_test(struct maker *m, const struct test *t,
			    const struct subject *s, const struct place *p,
			    bool inverse)
{
	if (t->op == OP_ALONE)
		return text_is(m, p, "", 0, false, !inverse);
	if (t->op == OP_GLOB || t->op == OP_NOT_GLOB)
		return text_glob(m, p, s->values,
				 is_negative(t->op) != inverse);
	return text_among(m, p, s, is_negative(t->op) != inverse);
}

/* ---- the task's name ----------------------------------------------------- */

static const struct place comm_place = {0, WEIR_COMM_LEN, WEIR_CLAUSE_COMM};

static void comm_words(const struct value *v, uint64_t word[2])
{
	word[0] = word[1] = 0;
	memcpy(word, v->text, v->len);
}

static bool is_comm(const struct value *v)
{
	return v->len <= WEIR_COMM_LEN && !memchr(v->text, '\0', v->len);
}

static struct cnf comm_is(struct maker *m, const struct value *v, bool inverse)
{
	struct weir_clause c = {
		.size = 8,
		.flags = WEIR_CLAUSE_COMM | WEIR_CLAUSE_TEXT,
	};
	uint64_t word[2];

	if (!is_comm(v))
		return cnf_constant(inverse);
	comm_words(v, word);
	c.lo = word[0];
	c.span = word[1];
	if (inverse)
		c.flags |= WEIR_CLAUSE_NOT;
	return cnf_clause(&m->arena, &c);
}

static struct cnf comm_set(struct maker *m, const struct subject *s,
			   bool inverse)
{
	uint64_t word[2];
	uint32_t i;

	for (i = 0; i < s->value_count; i++) {
		if (!is_comm(&s->values[i]))
			continue;
		comm_words(&s->values[i], word);
		if (add_key(m, word[0], word[1]))
			return cnf_unknown();
	}
	return in_set(m, &comm_place,
		      WEIR_CLAUSE_TEXT | WEIR_CLAUSE_SET |
			      (inverse ? WEIR_CLAUSE_NOT : 0));
}

static struct cnf comm_test(struct maker *m, const struct test *t,
			    const struct subject *s)
{
	bool inverse = is_negative(t->op);
	struct cnf c = cnf_constant(inverse), next;
	uint32_t i;

	if (t->op == OP_ALONE || t->op == OP_GLOB || t->op == OP_NOT_GLOB)
		return text_test(m, t, s, &comm_place, false);
	if (s->value_count > RANGES_MAX)
		return comm_set(m, s, inverse);
	for (i = 0; i < s->value_count; i++) {
		next = comm_is(m, &s->values[i], inverse);
		c = both(m, inverse, c, next);
	}
	return c;
}

/* ---- addresses, names ---------------------------------------------------- */

static struct cnf ip_is(struct maker *m, const struct place *p,
			const struct value *v, bool inverse)
{
	uint8_t mask[sizeof(v->addr)] = {0};
	unsigned i;

	for (i = 0; i < v->bits; i++)
		mask[i / 8] |= (uint8_t)(0x80 >> (i % 8));
	return bytes_are(m, p, v->addr, mask, sizeof(mask), inverse);
}

static struct cnf ip_test(struct maker *m, const struct test *t,
			  const struct subject *s, const struct place *p,
			  bool inverse)
{
	static const struct value zero = {.type = VALUE_IP, .bits = 128};
	bool outside = is_negative(t->op) != inverse;
	struct cnf c = cnf_constant(outside), next;
	uint32_t i;

	if (t->op == OP_ALONE)
		return ip_is(m, p, &zero, !inverse);
	for (i = 0; i < s->value_count; i++) {
		next = ip_is(m, p, &s->values[i], outside);
		c = both(m, outside, c, next);
	}
	return c;
}

/* A glob over the names of an enum: the numbers whose names match. */
static struct cnf name_test(struct maker *m, const struct test *t,
			    const struct subject *s, const struct place *p,
			    bool inverse)
{
	const struct schema_enum *e = s->field->names;
	struct range *r = arena_array(&m->arena, e->count, sizeof(*r));
	const struct value *v = s->values;
	const char *name;
	size_t count = 0;
	uint32_t i;

	if (!r || (t->op != OP_GLOB && t->op != OP_NOT_GLOB))
		return cnf_unknown();
	for (i = 0; i < e->count; i++) {
		name = e->values[i].name;
		if (glob_match(v->text, v->len, name, strlen(name)) !=
		    (t->op == OP_GLOB))
			continue;
		r[count].lo = r[count].hi = e->values[i].value;
		count++;
	}
	return one_of(m, p, r, count, inverse);
}

/* ---- tests --------------------------------------------------------------- */

#define PLACE(field, flag)                                                     \
	{                                                                      \
		offsetof(struct weir_hdr, field),                              \
			sizeof(((struct weir_hdr *)0)->field), flag            \
	}

/* Return: false when the kernel does not know it. */
static bool find_place(const struct subject *s, struct place *ret)
{
	static const struct place header[COMMONS] = {
		[COMMON_CPU] = PLACE(cpu, 0),
		[COMMON_PID] = PLACE(pid, 0),
		[COMMON_TID] = PLACE(tid, 0),
	};
	const struct schema_field *f = s->field;

	*ret = header[s->common];
	if (s->common != COMMON_NONE)
		return ret->size != 0;
	ret->offset = f->offset;
	ret->size = f->size;
	ret->flags = f->type == FIELD_INT ? WEIR_CLAUSE_SIGNED : 0;
	return f->type != FIELD_STR;
}

static struct cnf test_clauses(struct maker *m, const struct test *t,
			       bool inverse)
{
	const struct subject *s = t->subjects[m->target->kind];
	struct place p;
	struct cnf c;

	if (!s || s->type == SUBJECT_FALSE)
		return cnf_constant(inverse);
	if (s->type == SUBJECT_TRUE)
		return cnf_constant(!inverse);
	if (s->common == COMMON_COMM && !s->field && m->target->tells_comm &&
	    !inverse) {
		c = comm_test(m, t, s);
		c.exact = c.never;
		return c;
	}
	if (!find_place(s, &p))
		return cnf_unknown();
	if (s->type == SUBJECT_NUMBER)
		return number_test(m, t, s, &p, inverse);
	if (s->type == SUBJECT_IP)
		return ip_test(m, t, s, &p, inverse);
	if (s->field->names)
		return name_test(m, t, s, &p, inverse);
	if (s->field->type != FIELD_CHARS)
		return cnf_unknown();
	return text_test(m, t, s, &p, inverse);
}

static struct cnf node_clauses(struct maker *m, const struct node *n,
			       bool inverse)
{
	bool all = (n->type == NODE_AND) != inverse;
	struct cnf c = cnf_constant(all), next;
	const struct node *child;

	if (n->type == NODE_TEST)
		return test_clauses(m, n->test, inverse);
	if (n->type == NODE_NOT)
		return node_clauses(m, n->child, !inverse);
	for (child = n->child; child; child = child->next) {
		next = node_clauses(m, child, inverse);
		c = both(m, all, c, next);
	}
	return c;
}

int clauses_compile(struct clauses *ret, const struct node *n,
		    const struct clause_target *target)
{
	struct maker m = {.out = ret, .target = target};
	struct weir_filter *f = &ret->filter;
	struct cnf c;
	unsigned i;

	memset(ret, 0, sizeof(*ret));
	c = node_clauses(&m, n, false);
	ret->exact = cnf_flatten(c, f->clauses, WEIR_CLAUSES) && c.exact;
	f->never = c.never;
	f->used = c.never || f->clauses[0].flags;
	for (i = 0; i < WEIR_CLAUSES; i++)
		f->comm |= !!(f->clauses[i].flags & WEIR_CLAUSE_COMM);
	arena_done(&m.arena);
	if (!m.failed)
		return 0;
	clauses_done(ret);
	return -ENOMEM;
}

/* ---- what can be asked early --------------------------------------------- */

static bool is_known(const struct weir_clause *c, const uint16_t *known)
{
	unsigned i;

	if (c->flags & WEIR_CLAUSE_COMM)
		return false;
	for (i = 0; i < WEIR_KNOWN && known[i]; i++)
		if (c->offset == known[i])
			return true;
	return false;
}

void clauses_early(const struct clauses *c, const uint16_t known[WEIR_KNOWN],
		   struct weir_filter *ret)
{
	const struct weir_clause *from = c->filter.clauses;
	unsigned i, first = 0, n = 0;
	bool all = true;

	memset(ret, 0, sizeof(*ret));
	memcpy(ret->known, known, sizeof(ret->known));
	memcpy(ret->bits, c->filter.bits, sizeof(ret->bits));
	for (i = 0; i < WEIR_CLAUSES && from[i].flags; i++) {
		all = all && is_known(&from[i], known);
		if (!(from[i].flags & WEIR_CLAUSE_LAST))
			continue;
		if (all && n + i + 1 - first <= WEIR_CLAUSES_EARLY) {
			memcpy(ret->clauses + n, from + first,
			       (i + 1 - first) * sizeof(*from));
			n += i + 1 - first;
		}
		first = i + 1;
		all = true;
	}
	ret->never = c->filter.never;
	ret->used = ret->never || n;
}

void clauses_done(struct clauses *c)
{
	free(c->keys);
	c->keys = NULL;
	c->key_count = 0;
}
