// SPDX-License-Identifier: BSD-2-Clause
/* filter_bind.c - the names of an expression, looked up in the schema. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "filter_tree.h"
#include "glob.h"
#include "near.h"
#include "units.h"

static const struct {
	const char *name;
	enum subject_type type;
	enum meaning meaning;
} commons[COMMONS] = {
	[COMMON_NONE] = {"", SUBJECT_FALSE, MEANING_NONE},
	[COMMON_TS] = {"ts", SUBJECT_NUMBER, MEANING_TIME},
	[COMMON_SOURCE] = {"source", SUBJECT_TEXT, MEANING_NONE},
	[COMMON_KIND] = {"kind", SUBJECT_TEXT, MEANING_NONE},
	[COMMON_CPU] = {"cpu", SUBJECT_NUMBER, MEANING_CPU},
	[COMMON_PID] = {"pid", SUBJECT_NUMBER, MEANING_PID},
	[COMMON_TID] = {"tid", SUBJECT_NUMBER, MEANING_TID},
	[COMMON_COMM] = {"comm", SUBJECT_TEXT, MEANING_NONE},
	[COMMON_PPID] = {"ppid", SUBJECT_NUMBER, MEANING_PID},
	[COMMON_UID] = {"uid", SUBJECT_NUMBER, MEANING_UID},
	[COMMON_CGROUP] = {"cgroup", SUBJECT_NUMBER, MEANING_CGROUP},
	[COMMON_CONTAINER] = {"container", SUBJECT_TEXT, MEANING_NONE},
	[COMMON_EXE] = {"exe", SUBJECT_TEXT, MEANING_NONE},
};

enum common common_by_name(const char *name)
{
	enum common c;

	for (c = COMMON_NONE + 1; c < COMMONS; c++)
		if (!strcmp(commons[c].name, name))
			return c;
	return COMMON_NONE;
}

const char *common_name(enum common c)
{
	return commons[c].name;
}

/* ---- what a test looks at ------------------------------------------------ */

static bool is_glob(enum test_op op)
{
	return op == OP_GLOB || op == OP_NOT_GLOB;
}

static bool is_order(enum test_op op)
{
	return op >= OP_LT && op <= OP_GE;
}

/* Cgroups are numbers to some and paths to others: as the values are. */
static bool wants_path(const struct test *t)
{
	const struct literal *lit;
	uint64_t number;

	if (is_glob(t->op))
		return true;
	for (lit = t->literals; lit; lit = lit->next)
		if (parse_u64(lit->text, &number))
			return true;
	return false;
}

static int fail_field(struct compiler *c, const struct test *t,
		      const char *what)
{
	return filter_fail(c, t->at, "'%.60s' %s", t->name, what);
}

static int field_subject(struct compiler *c, const struct test *t,
			 const struct schema_field *f, struct subject *s)
{
	bool glob = is_glob(t->op);

	s->field = f;
	s->meaning = f->meaning;
	if (f->meaning == MEANING_IP) {
		s->type = SUBJECT_IP;
		return 0;
	}
	if (f->type == FIELD_BYTES)
		return fail_field(c, t, "is raw bytes, which no test can read");
	if (f->count > 1)
		return fail_field(c, t, "is a list, which no test can read");
	s->type = SUBJECT_NUMBER;
	if (f->type > FIELD_INT || (f->names && glob))
		s->type = SUBJECT_TEXT;
	if (f->meaning == MEANING_CGROUP && wants_path(t))
		s->type = SUBJECT_TEXT;
	return 0;
}

static void common_subject(const struct test *t, enum common common,
			   struct subject *s)
{
	s->common = (uint8_t)common;
	s->type = (uint8_t)commons[common].type;
	s->meaning = (uint8_t)commons[common].meaning;
	if (common == COMMON_CGROUP && wants_path(t))
		s->type = SUBJECT_TEXT;
}

static int check_operator(struct compiler *c, const struct test *t,
			  const struct subject *s)
{

	if (is_glob(t->op) && s->type != SUBJECT_TEXT)
		return filter_fail(
			c, t->op_at, "~ compares text, and '%.60s' is %s",
			t->name,
			s->type == SUBJECT_IP ? "an address: == 10.0.0.0/8"
					      : "a number");
	if (is_order(t->op) && s->type == SUBJECT_TEXT)
		return filter_fail(c, t->op_at,
				   "'%.60s' is text, which has no order: "
				   "== != ~ !~ in",
				   t->name);
	if (is_order(t->op) && s->type == SUBJECT_IP)
		return filter_fail(c, t->op_at,
				   "'%.60s' is an address, which has no order: "
				   "== != in",
				   t->name);
	return 0;
}

/* Read the values for @s and keep it for @kind. */
static int add_subject(struct compiler *c, struct test *t, unsigned kind,
		       struct subject *s)
{
	const struct literal *lit;
	struct value *values;
	struct subject *copy;
	uint32_t i = 0;
	int err = check_operator(c, t, s);

	if (err)
		return err;
	copy = arena_alloc(c->arena, sizeof(*copy));
	values = arena_array(c->arena, t->literal_count, sizeof(*values));
	if (!copy || !values)
		return -ENOMEM;
	for (lit = t->literals; lit; lit = lit->next) {
		err = filter_value(c, t, s, lit, &values[i++]);
		if (err)
			return err;
	}
	*copy = *s;
	copy->value_count = t->literal_count;
	copy->values = values;
	t->subjects[kind] = copy;
	return 0;
}

static int add_field(struct compiler *c, struct test *t,
		     const struct schema_kind *k, const struct schema_field *f)
{
	struct subject s = {0};
	int err = field_subject(c, t, f, &s);

	return err ? err : add_subject(c, t, k->number, &s);
}

/* @task: the field that says whose name it is, or NULL: the event's task. */
static int add_common(struct compiler *c, struct test *t,
		      const struct schema_kind *k, enum common common,
		      const struct schema_field *task)
{
	struct subject s = {0};

	common_subject(t, common, &s);
	s.field = task;
	return add_subject(c, t, k->number, &s);
}

/* ---- source and kind: decided here, once for all events ------------------ */

static const struct subject always = {.type = SUBJECT_TRUE};
static const struct subject never = {.type = SUBJECT_FALSE};

static const char *name_of(const struct schema_kind *k, enum common common)
{
	return common == COMMON_KIND ? k->name : k->source;
}

static bool name_matches(const struct test *t, const char *name)
{
	const struct literal *lit;
	bool glob = is_glob(t->op);

	for (lit = t->literals; lit; lit = lit->next) {
		if (glob ? glob_match(lit->text, lit->len, name, strlen(name))
			 : !strcmp(lit->text, name))
			return true;
	}
	return false;
}

static bool is_negated(enum test_op op)
{
	return op == OP_NE || op == OP_NOT_GLOB || op == OP_NOT_IN;
}

/* A name that nothing has is a mistake, not a test that is never true. */
static int check_name(struct compiler *c, const struct literal *lit,
		      enum common common)
{
	const char *what = common_name(common), *name;
	struct near near;
	unsigned i;

	near_init(&near, lit->text, lit->len);
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		if (!schema_kind(c->schema, i))
			continue;
		name = name_of(schema_kind(c->schema, i), common);
		if (!strcmp(name, lit->text))
			return 0;
		near_try(&near, name);
	}
	if (common == COMMON_SOURCE &&
	    schema_source_by_name(c->schema, lit->text))
		return 0;
	if (near_best(&near))
		return filter_fail(c, lit->at,
				   "no %s '%.40s'; did you mean '%s'?", what,
				   lit->text, near_best(&near));
	return filter_fail(c, lit->at, "no %s '%.40s' (see weir list %ss)",
			   what, lit->text,
			   common == COMMON_KIND ? "event" : what);
}

static int bind_names(struct compiler *c, struct test *t, enum common common)
{
	const struct literal *lit;
	unsigned i;
	bool hit;
	int err;

	if (is_order(t->op))
		return filter_fail(c, t->op_at,
				   "'%s' is a name, which has no order: "
				   "== != ~ !~ in",
				   t->name);
	for (lit = t->literals; lit; lit = lit->next) {
		if (is_glob(t->op))
			break;
		err = check_name(c, lit, common);
		if (err)
			return err;
	}
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		if (!schema_kind(c->schema, i))
			continue;
		hit = name_matches(t,
				   name_of(schema_kind(c->schema, i), common));
		if (t->op == OP_ALONE || hit != is_negated(t->op))
			t->subjects[i] = &always;
		else
			t->subjects[i] = &never;
	}
	return 0;
}

/* ---- all other names ----------------------------------------------------- */

/* A name of something else than of a field. Return: 0 when it is none. */
static int fail_misplaced(struct compiler *c, const struct test *t)
{
	const struct schema_field *f;
	const struct schema_kind *k;
	unsigned i;

	if (schema_kind_by_name(c->schema, t->name))
		return fail_field(c, t, "is an event: write kind == …");
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(c->schema, i);
		if (k && !strcmp(k->source, t->name))
			return filter_fail(
				c, t->at,
				"'%.40s' is a source: write source == …, or a "
				"field of it (weir list fields %.40s)",
				t->name, k->name);
	}
	f = schema_field_of_value(c->schema, t->name, &k);
	return f ? filter_fail(c, t->at,
			       "no field '%.40s', but a value: write %.40s == "
			       "%.40s",
			       t->name, f->name, t->name)
		 : 0;
}

/* What strace, perf and bpftrace call a field, in our words. */
static const char *translated(const char *name)
{
	static const char *const words[][2] = {
		{"errno", "ret"},    {"err", "ret"},	{"retval", "ret"},
		{"rc", "ret"},	     {"fname", "path"}, {"pathname", "path"},
		{"process", "comm"}, {"thread", "tid"}, {"elapsed", "duration"},
	};
	size_t i;

	for (i = 0; i < sizeof(words) / sizeof(words[0]); i++)
		if (!strcmp(words[i][0], name))
			return words[i][1];
	return name;
}

static int fail_unknown(struct compiler *c, const struct test *t)
{
	const char *wanted = translated(t->name);
	int err = fail_misplaced(c, t);
	struct near near;
	unsigned i, j;

	if (err)
		return err;
	near_init(&near, wanted, strlen(wanted));
	for (i = COMMON_NONE + 1; i < COMMONS; i++)
		near_try(&near, common_name(i));
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		const struct schema_kind *k = schema_kind(c->schema, i);

		for (j = 0; k && j < k->field_count; j++)
			near_try(&near, k->fields[j].name);
	}
	if (near_best(&near))
		return filter_fail(c, t->at,
				   "no field '%.40s'; did you mean '%.40s'?",
				   t->name, near_best(&near));
	return filter_fail(c, t->at,
			   "no field '%.40s' (see weir list fields EVENT)",
			   t->name);
}

static int fail_unknown_kind(struct compiler *c, const struct test *t,
			     const char *kind)
{
	struct near near;
	unsigned i;

	near_init(&near, kind, strlen(kind));
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(c->schema, i))
			near_try(&near, schema_kind(c->schema, i)->name);
	if (near_best(&near))
		return filter_fail(c, t->at,
				   "no event '%.40s'; did you mean '%.40s'?",
				   kind, near_best(&near));
	return filter_fail(c, t->at, "no event '%.40s' (see weir list events)",
			   kind);
}

static int fail_unknown_field(struct compiler *c, const struct test *t,
			      const struct schema_kind *k, const char *field)
{
	size_t at = t->at + (size_t)(field - t->name);
	struct near near;
	unsigned i;

	near_init(&near, field, strlen(field));
	for (i = 0; i < k->field_count; i++)
		near_try(&near, k->fields[i].name);
	if (near_best(&near))
		return filter_fail(c, at,
				   "%.40s has no field '%.40s'; did you mean "
				   "'%.40s'?",
				   k->name, field, near_best(&near));
	return filter_fail(c, at,
			   "%.40s has no field '%.40s' (see weir list fields "
			   "%.40s)",
			   k->name, field, k->name);
}

static bool any_has(const struct schema_kind *k, const char *field)
{
	while (k && !schema_field(k, field) && !schema_task_field(k, field))
		k = k->variant;
	return k != NULL;
}

/* Return: 0, the kind has it or not; -EINVAL; -ENOMEM. */
static int bind_variant(struct compiler *c, struct test *t,
			const struct schema_kind *k, const char *field)
{
	const struct schema_field *f = schema_field(k, field);
	const struct schema_field *task = schema_task_field(k, field);

	if (task)
		return add_common(c, t, k, COMMON_COMM, task);
	return f ? add_field(c, t, k, f) : 0;
}

/* As for kinds: it must be a value for one of the variants that have it. */
static int bind_variants(struct compiler *c, struct test *t,
			 const struct schema_kind *k, const char *field)
{
	bool bound = false;
	int err = 0, rc;

	for (; k; k = k->variant) {
		rc = bind_variant(c, t, k, field);
		if (rc && rc != -EINVAL)
			return rc;
		bound |= t->subjects[k->number] != NULL;
		err = rc ? rc : err;
	}
	return bound ? 0 : err;
}

/* kind.field */
static int bind_dotted(struct compiler *c, struct test *t, const char *dot)
{
	const struct schema_kind *k;
	char *kind = arena_copy(c->arena, t->name, (size_t)(dot - t->name));

	if (!kind)
		return -ENOMEM;
	k = schema_kind_by_name(c->schema, kind);
	if (!k)
		return fail_unknown_kind(c, t, kind);
	if (!any_has(k, dot + 1))
		return fail_unknown_field(c, t, k, dot + 1);
	return bind_variants(c, t, k, dot + 1);
}

/* What went on while a test was bound for one kind after the other. */
struct tally {
	bool typed;	  /* bound as something that can be wrong */
	const char *text; /* the first kind where it is text */
	bool failed;
	struct filter_error first; /* when @failed */
};

static int bind_kind(struct compiler *c, struct test *t,
		     const struct schema_kind *k, enum common common,
		     struct tally *tally)
{
	const struct schema_field *f = schema_field(k, t->name);
	const struct schema_field *task = schema_task_field(k, t->name);
	int err;

	if (task)
		common = COMMON_COMM;
	if (!f && !common)
		return 0;
	err = f ? add_field(c, t, k, f) : add_common(c, t, k, common, task);
	if (err == -EINVAL && !tally->failed) {
		tally->failed = true;
		tally->first = *c->err;
	}
	if (err)
		return err == -EINVAL ? 0 : err;
	if (t->subjects[k->number]->type != SUBJECT_TEXT)
		tally->typed = true;
	else if (!tally->text)
		tally->text = k->name;
	return 0;
}

/* Say what the first kind said, and how to ask for the one where it is text. */
static int fail_first(struct compiler *c, const struct test *t,
		      const struct tally *tally)
{
	size_t len;

	*c->err = tally->first;
	len = strlen(c->err->what);
	if (tally->text)
		snprintf(c->err->what + len, sizeof(c->err->what) - len,
			 " (or write %.32s.%.32s)", tally->text, t->name);
	return -EINVAL;
}

/*
 * A name means what it means in each kind. A value may be none for one kind:
 * the test is false there. But it must be one where that can be told: text
 * takes everything, and name == opneat is a mistake, though metrics have a
 * name that is text.
 */
static int bind_plain(struct compiler *c, struct test *t, enum common common)
{
	struct tally tally = {0};
	unsigned i;
	int err = 0;

	for (i = 0; i < SCHEMA_KINDS_MAX && !err; i++)
		if (schema_kind(c->schema, i))
			err = bind_kind(c, t, schema_kind(c->schema, i), common,
					&tally);
	if (err || tally.typed)
		return err;
	if (tally.text && (!tally.failed || is_glob(t->op)))
		return 0;
	return tally.failed ? fail_first(c, t, &tally) : fail_unknown(c, t);
}

int filter_bind(struct compiler *c, struct test *t)
{
	enum common common = common_by_name(t->name);
	const char *dot = strchr(t->name, '.');

	if (common == COMMON_SOURCE || common == COMMON_KIND)
		return bind_names(c, t, common);
	if (dot)
		return bind_dotted(c, t, dot);
	return bind_plain(c, t, common);
}
