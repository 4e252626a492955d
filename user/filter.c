// SPDX-License-Identifier: BSD-2-Clause
/* filter.c - compile an expression, and hold events against it. */
#include "filter.h"

#include <errno.h>
#include <string.h>

#include "clock.h"
#include "filter_tree.h"
#include "glob.h"
#include "names.h"

#define CONTAINER_SHORT 12 /* digits of an id that are taken for all of it */

/* ---- compiling ----------------------------------------------------------- */

static int bind_all(struct compiler *c, struct node *n)
{
	int err = 0;

	if (n->type == NODE_TEST)
		return filter_bind(c, n->test);
	for (n = n->child; n && !err; n = n->next)
		err = bind_all(c, n);
	return err;
}

int filter_compile(struct filter **ret, const char *expr,
		   const struct schema *schema, const struct tasks *tasks,
		   int64_t offset, uint64_t near_ns, struct filter_error *err)
{
	struct arena arena = {0};
	struct compiler c = {
		.arena = &arena,
		.expr = expr,
		.schema = schema,
		.offset = offset,
		.now_ns = near_ns ? near_ns : clock_read(CLOCK_REALTIME),
		.err = err,
	};
	struct filter *f = arena_alloc(&arena, sizeof(*f));
	int e = f ? filter_parse(&c, &f->root) : -ENOMEM;

	if (!e)
		e = bind_all(&c, f->root);
	if (e) {
		arena_done(&arena);
		return e;
	}
	*err = (struct filter_error){0};
	f->tasks = tasks;
	f->arena = arena;
	*ret = f;
	return 0;
}

void filter_free(struct filter *f)
{
	struct arena arena;

	if (!f)
		return;
	arena = f->arena;
	arena_done(&arena);
}

const struct node *filter_root(const struct filter *f)
{
	return f->root;
}

/* ---- what an event has --------------------------------------------------- */

struct number {
	uint64_t v;
	bool negative;
};

static bool task_number(const struct task *t, enum common common,
			struct number *ret)
{
	if (!t)
		return false;
	switch (common) {
	case COMMON_PPID:
		ret->v = t->ppid;
		return true;
	case COMMON_UID:
		ret->v = t->uid;
		return true;
	default: /* COMMON_CGROUP */
		ret->v = t->cgroup ? t->cgroup->id : 0;
		return t->cgroup != NULL;
	}
}

/* Return: false when the event does not have it, or nobody knows. */
static bool get_number(const struct subject *s, const struct event *ev,
		       struct number *ret)
{
	ret->negative = false;
	switch (s->common) {
	case COMMON_NONE:
		ret->v = (uint64_t)field_s64(ev, s->field, 0);
		ret->negative = s->field->type == FIELD_INT &&
				(int64_t)ret->v < 0;
		return true;
	case COMMON_TS:
		ret->v = ev->h->ts;
		return true;
	case COMMON_CPU:
		ret->v = ev->h->cpu;
		return true;
	case COMMON_PID:
		ret->v = ev->h->pid;
		return true;
	case COMMON_TID:
		ret->v = ev->h->tid;
		return true;
	default:
		return task_number(ev->task, s->common, ret);
	}
}

struct text {
	const char *data;
	size_t len;
	bool words; /* an argv: a NUL is a blank */
};

static bool set_text(struct text *ret, const char *s)
{
	if (!s)
		return false;
	*ret = (struct text){s, strlen(s), false};
	return true;
}

static bool cgroup_text(const struct cgroup *c, struct text *ret)
{
	return c && *c->path && set_text(ret, c->path);
}

static bool field_text(const struct filter *f, const struct schema_field *field,
		       const struct event *ev, struct text *ret)
{
	struct field_bytes s;

	if (field->names)
		return set_text(
			ret, enum_name(field->names, field_s64(ev, field, 0)));
	if (field->meaning == MEANING_CGROUP)
		return f->tasks &&
		       cgroup_text(
			       tasks_cgroup(f->tasks, field_u64(ev, field, 0)),
			       ret);
	s = field_bytes(ev, field);
	if (s.full == WEIR_STR_UNKNOWN)
		return false;
	*ret = (struct text){(const char *)s.data, s.len,
			     field->meaning == MEANING_ARGV};
	if (ret->words && ret->len && !ret->data[ret->len - 1])
		ret->len--;
	return true;
}

static bool get_text(const struct filter *f, const struct subject *s,
		     const struct event *ev, struct text *ret)
{
	const struct task *t = ev->task;

	if (s->common == COMMON_NONE)
		return field_text(f, s->field, ev, ret);
	if (s->field)
		t = f->tasks ? tasks_find(f->tasks,
					  (uint32_t)field_u64(ev, s->field, 0))
			     : NULL;
	if (!t)
		return false;
	switch (s->common) {
	case COMMON_COMM:
		return set_text(ret, t->comm);
	case COMMON_EXE:
		*ret = (struct text){t->exe, t->exe_len, false};
		return t->exe != NULL;
	case COMMON_CONTAINER:
		return t->cgroup && set_text(ret, t->cgroup->container);
	default: /* COMMON_CGROUP */
		return cgroup_text(t->cgroup, ret);
	}
}

/* ---- comparing ----------------------------------------------------------- */

/* Return: less than, equal to or greater than 0, as @a is to @b. */
static int compare(const struct number *a, const struct value *b)
{
	if (a->negative != b->negative)
		return a->negative ? -1 : 1;
	/* two's complement keeps the order among negative numbers, too */
	return (a->v > b->number) - (a->v < b->number);
}

static bool number_is(const struct number *n, const struct value *v)
{
	if (v->type == VALUE_LETTER)
		return state_letter(n->v) == (char)v->number;
	return compare(n, v) == 0;
}

static bool words_equal(const struct text *t, const struct value *v)
{
	size_t i;

	if (t->len != v->len)
		return false;
	for (i = 0; i < t->len; i++)
		if ((t->data[i] ? t->data[i] : ' ') != v->text[i])
			return false;
	return true;
}

static bool text_is(const struct subject *s, const struct text *t,
		    const struct value *v)
{
	if (t->words)
		return words_equal(t, v);
	if (s->common == COMMON_CONTAINER && v->len >= CONTAINER_SHORT &&
	    v->len < t->len)
		return !memcmp(t->data, v->text, v->len);
	return t->len == v->len && !memcmp(t->data, v->text, v->len);
}

static bool ip_is(const uint8_t *addr, const struct value *v)
{
	unsigned bytes = v->bits / 8, rest = v->bits % 8;

	if (memcmp(addr, v->addr, bytes) != 0)
		return false;
	return !rest || !((addr[bytes] ^ v->addr[bytes]) >> (8 - rest));
}

static bool number_matches(const struct test *t, const struct subject *s,
			   const struct number *n)
{
	const struct value *v = s->values;
	uint32_t i;

	switch (t->op) {
	case OP_ALONE:
		return n->v != 0;
	case OP_LT:
		return compare(n, v) < 0;
	case OP_LE:
		return compare(n, v) <= 0;
	case OP_GT:
		return compare(n, v) > 0;
	case OP_GE:
		return compare(n, v) >= 0;
	default:
		break;
	}
	for (i = 0; i < s->value_count; i++)
		if (number_is(n, &v[i]))
			return t->op == OP_EQ || t->op == OP_IN;
	return t->op == OP_NE || t->op == OP_NOT_IN;
}

static bool text_matches(const struct test *t, const struct subject *s,
			 const struct text *text)
{
	const struct value *v = s->values;
	bool hit = false;
	uint32_t i;

	if (t->op == OP_ALONE)
		return text->len != 0;
	if (t->op == OP_GLOB || t->op == OP_NOT_GLOB)
		return glob_match(v->text, v->len, text->data, text->len) ==
		       (t->op == OP_GLOB);
	for (i = 0; i < s->value_count && !hit; i++)
		hit = text_is(s, text, &v[i]);
	return hit == (t->op == OP_EQ || t->op == OP_IN);
}

static bool ip_matches(const struct test *t, const struct subject *s,
		       const struct event *ev)
{
	const uint8_t *addr = field_bytes(ev, s->field).data;
	bool hit = false;
	uint32_t i;

	if (t->op == OP_ALONE)
		return !field_is_empty(ev, s->field);
	for (i = 0; i < s->value_count && !hit; i++)
		hit = ip_is(addr, &s->values[i]);
	return hit == (t->op == OP_EQ || t->op == OP_IN);
}

/* ---- matching ------------------------------------------------------------ */

static bool test_matches(const struct filter *f, const struct test *t,
			 const struct event *ev)
{
	const struct subject *s = t->subjects[ev->kind->number];
	struct number number;
	struct text text;

	if (!s)
		return false;
	switch (s->type) {
	case SUBJECT_TRUE:
		return true;
	case SUBJECT_FALSE:
		return false;
	case SUBJECT_NUMBER:
		return get_number(s, ev, &number) &&
		       number_matches(t, s, &number);
	case SUBJECT_IP:
		return ip_matches(t, s, ev);
	default:
		return get_text(f, s, ev, &text) && text_matches(t, s, &text);
	}
}

static bool node_matches(const struct filter *f, const struct node *n,
			 const struct event *ev)
{
	const struct node *child = n->child;
	bool stop = n->type == NODE_OR;

	if (n->type == NODE_TEST)
		return test_matches(f, n->test, ev);
	if (n->type == NODE_NOT)
		return !node_matches(f, child, ev);
	/* "or" ends with the first that is true, "and" with one that is not */
	for (; child; child = child->next)
		if (node_matches(f, child, ev) == stop)
			return stop;
	return !stop;
}

bool filter_match(const struct filter *f, const struct event *ev)
{
	return node_matches(f, f->root, ev);
}
