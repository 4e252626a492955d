// SPDX-License-Identifier: BSD-2-Clause
/*
 * filter_clause_test.c - what the kernel is asked never refuses what the
 * filter accepts: the kernel's own function against filter_match(), on
 * generated expressions and events of every kind there is.
 *
 * SEED=N repeats a run, EXPRESSIONS=N makes it longer.
 */
#include <errno.h>
#include <stdbool.h>

#include "../../user/clock.h"
#include "../../user/filter.h"
#include "../../user/filter_clause.h"
#include "model.h"

static const struct clauses *sets_of; /* whose sets are asked */

static bool weir_set_has(uint32_t set, uint64_t a, uint64_t b)
{
	const struct weir_set_key *k = sets_of->keys;
	size_t i;

	for (i = 0; i < sets_of->key_count; i++)
		if (k[i].set == set && k[i].word[0] == a && k[i].word[1] == b)
			return true;
	return false;
}

#include "../../bpf/clause_eval.h"

#define WALL 1795356195000000000LL

/* ---- chance -------------------------------------------------------------- */

static uint64_t chance_state;

/* xorshift64*, Vigna 2016 */
static uint64_t chance(void)
{
	chance_state ^= chance_state >> 12;
	chance_state ^= chance_state << 25;
	chance_state ^= chance_state >> 27;
	return chance_state * 2685821657736338717ULL;
}

static unsigned one_in(unsigned n)
{
	return chance() % n;
}

#define PICK(list) (list)[one_in(sizeof(list) / sizeof(*(list)))]

static uint64_t number_of_env(const char *name, uint64_t otherwise)
{
	const char *text = getenv(name);

	return text ? strtoull(text, NULL, 0) : otherwise;
}

/* ---- events -------------------------------------------------------------- */

static const uint64_t numbers[] = {
	0,
	1,
	2,
	3,
	7,
	9,
	42,
	257,
	443,
	511,
	512,
	4096,
	65535,
	10000000,
	0x7fffffff,
	0x80000000,
	0xffffffff,
	(uint64_t)-2,
	(uint64_t)-7,
	0x7fffffffffffffff,
	0x8000000000000000,
	UINT64_MAX,
};
static const char *const texts[] = {
	"",
	"a",
	"sda",
	"sdb",
	"vda",
	"abc",
	"nginx",
	"nginx-wrk",
	"fifteen letters",
	"/etc/passwd",
};
static const char *const comms[] = {
	"load", "nginx", "nginx: worker p", "a", "swapper", "kworker/0:1",
};
static const uint8_t addresses[][16] = {
	{0},
	{[10] = 0xff, 0xff, 10, 1, 2, 3},
	{[10] = 0xff, 0xff, 10, 1, 9, 3},
	{[10] = 0xff, 0xff, 127, 0, 0, 1},
	{[15] = 1},
	{0x20, 0x01, 0x0d, 0xb8, [15] = 7},
};

static void fill_number(struct record *r, const struct schema_field *f)
{
	unsigned i;

	for (i = 0; i < f->count; i++)
		record_put(r, f->name, i, PICK(numbers));
}

static void fill_text(struct record *r, const struct schema_field *f)
{
	const char *text = PICK(texts);
	uint8_t room[256];
	size_t i;

	/* behind its NUL may be anything */
	for (i = 0; i < sizeof(room); i++)
		room[i] = (uint8_t)one_in(3);
	strncpy((char *)room, text, f->size);
	if (strlen(text) < f->size)
		room[strlen(text)] = '\0';
	record_bytes(r, f->name, room, f->size);
}

static void fill_field(struct record *r, const struct schema_field *f)
{
	switch (f->type) {
	case FIELD_UINT:
	case FIELD_INT:
		fill_number(r, f);
		break;
	case FIELD_CHARS:
		fill_text(r, f);
		break;
	case FIELD_BYTES:
		if (f->meaning == MEANING_IP)
			record_bytes(r, f->name, PICK(addresses), f->size);
		break;
	default:
		if (one_in(4))
			record_text(r, f->name, PICK(texts));
		else
			record_str(r, f->name, "", 0, WEIR_STR_UNKNOWN);
	}
}

struct world {
	struct schema *schema;
	unsigned kinds[SCHEMA_KINDS_MAX], kind_count;
};

static void make_event(const struct world *w, struct record *r)
{
	const struct schema_kind *k =
		schema_kind(w->schema, w->kinds[one_in(w->kind_count)]);
	struct weir_hdr *h = record_hdr(r);
	unsigned i;

	record_begin(r, w->schema, k->name);
	h->pid = (uint32_t)PICK(numbers);
	h->tid = (uint32_t)PICK(numbers);
	h->cpu = (uint16_t)one_in(4);
	for (i = 0; i < k->field_count; i++)
		fill_field(r, &k->fields[i]);
}

/* ---- expressions --------------------------------------------------------- */

static void put_text(struct buf *b, bool glob)
{
	static const char *const globs[] = {
		"*",	"s*",	"sd?", "nginx*",	 "*a*",	 "n[gx]inx",
		"ng*x", "vda*", "???", "nginx: worker*", "a\\*",
	};

	buf_printf(b, "'%s'",
		   glob	       ? PICK(globs)
		   : one_in(2) ? PICK(comms)
			       : PICK(texts));
}

static void put_name(struct buf *b, const struct schema_enum *e)
{
	buf_puts(b, e->values[one_in(e->count)].name);
}

static void put_number(struct buf *b, const struct schema_field *f)
{
	static const char *const others[] = {"10ms", "4K",  "ENOENT",
					     "D",    "8:1", "SIGKILL",
					     "-1",   "-7",  "14:03:20"};

	if (!one_in(8))
		buf_puts(b, PICK(others));
	else if (f->type == FIELD_INT && one_in(2))
		buf_printf(b, "%lld", (long long)(int32_t)PICK(numbers));
	else
		buf_printf(b, "%llu", (unsigned long long)PICK(numbers));
}

static void put_value(struct buf *b, const struct schema_field *f, bool glob)
{
	static const char *const nets[] = {
		"10.1.2.3", "10.1.0.0/16", "::1",	"0.0.0.0/0",
		"::/0",	    "10.1.8.0/21", "127.0.0.1", "2001:db8::/33",
	};

	if (glob || !f || f->type > FIELD_BYTES || f->type == FIELD_CHARS)
		put_text(b, glob);
	else if (f->type == FIELD_BYTES)
		buf_puts(b, PICK(nets));
	else if (f->names && f->names->count && one_in(4))
		put_name(b, f->names);
	else
		put_number(b, f);
}

static void put_list(struct buf *b, const struct schema_field *f)
{
	unsigned n = 1 + one_in(one_in(2) ? 3 : 12);

	buf_puts(b, "(");
	while (n--) {
		put_value(b, f, false);
		buf_puts(b, n ? ", " : ")");
	}
}

/* A name by which the filter knows what @ret_field says, or none for a text. */
static void put_subject(struct buf *b, const struct world *w,
			const struct schema_field **ret_field)
{
	static const struct schema_field header = {.type = FIELD_UINT};
	static const char *const heads[] = {"pid", "tid",  "cpu",
					    "ts",  "ppid", "uid"};
	const struct schema_kind *k =
		schema_kind(w->schema, w->kinds[one_in(w->kind_count)]);

	*ret_field = NULL;
	if (!one_in(6)) {
		buf_puts(b, "comm");
	} else if (!one_in(4)) {
		buf_puts(b, PICK(heads));
		*ret_field = &header;
	} else {
		*ret_field = &k->fields[one_in(k->field_count)];
		if (one_in(2))
			buf_printf(b, "%s.", k->name);
		buf_puts(b, (*ret_field)->name);
	}
}

static void put_test(struct buf *b, const struct world *w)
{
	static const char *const ops[] = {
		"==", "==", "!=", "<", "<=", ">", ">=", "~", "!~"};
	const char *op = PICK(ops);
	const struct schema_field *f;
	const struct schema_kind *k;

	if (!one_in(10)) {
		k = schema_kind(w->schema, w->kinds[one_in(w->kind_count)]);
		buf_printf(b, "kind %s %s", one_in(3) ? "==" : "!=", k->name);
		return;
	}
	put_subject(b, w, &f);
	if (!one_in(8))
		return;
	buf_puts(b, " ");
	if (!one_in(4)) {
		buf_puts(b, one_in(3) ? "in " : "not in ");
		put_list(b, f);
		return;
	}
	buf_printf(b, "%s ", op);
	put_value(b, f, strchr(op, '~'));
}

static void put_expr(struct buf *b, const struct world *w, unsigned depth)
{
	static const char *const joins[] = {" and ", " or ", " and "};

	if (!depth || !one_in(3)) {
		put_test(b, w);
		return;
	}
	if (!one_in(5))
		buf_puts(b, "not ");
	buf_puts(b, "(");
	put_expr(b, w, depth - 1);
	buf_puts(b, PICK(joins));
	put_expr(b, w, depth - 1);
	buf_puts(b, ")");
}

/* Until one compiles. */
static struct filter *make_filter(const struct world *w, struct buf *b)
{
	struct filter_error err;
	struct filter *f = NULL;

	do {
		buf_reset(b);
		put_expr(b, w, one_in(5));
		buf_putc(b, '\0');
	} while (filter_compile(&f, b->data, w->schema, NULL, WALL, 0, &err));
	return f;
}

/* ---- the two against each other ------------------------------------------ */

struct totals {
	unsigned asked, refused, accepted, exact, exact_passes, early;
};

struct subject_task {
	struct task task;
	__u64 words[2];
	bool known;
};

static void make_task(struct subject_task *t)
{
	memset(t, 0, sizeof(*t));
	strcpy(t->task.comm, PICK(comms));
	memcpy(t->words, t->task.comm, sizeof(t->words));
	t->task.ppid = (uint32_t)PICK(numbers);
	t->task.exe = "";
	t->known = one_in(8);
}

static void hold(const struct filter *f, const char *expr,
		 const struct clauses *c, const struct event *ev,
		 const struct subject_task *t, struct totals *sum)
{
	static const uint16_t known[WEIR_KNOWN] = {16, 24}; /* pid, 1st field */
	static const uint16_t pid[WEIR_KNOWN] = {16};
	bool yes = filter_match(f, ev), passes, blind, early, alone;
	struct weir_filter first;

	sets_of = c;
	clauses_early(c, known, &first);
	passes = weir_filter_passes(&c->filter, WEIR_CLAUSES, ev->h, t->words);
	blind = weir_filter_passes(&c->filter, WEIR_CLAUSES, ev->h, NULL);
	early = weir_filter_passes(&first, WEIR_CLAUSES_EARLY, ev->h, NULL);
	clauses_early(c, pid, &first);
	alone = weir_filter_passes_number(&first, WEIR_CLAUSES_EARLY,
					  ev->h->pid);
	sum->asked++;
	sum->refused += !passes;
	sum->accepted += yes;
	sum->early += !early;
	sum->exact_passes += c->exact;
	if (yes && !(passes && blind && early && alone))
		fail_msg("%s: a %s that it accepts is refused (%d %d %d %d)",
			 expr, ev->kind->name, passes, blind, early, alone);
	if (alone !=
	    weir_filter_passes(&first, WEIR_CLAUSES_EARLY, ev->h, NULL))
		fail_msg("%s: another answer about the pid alone", expr);
	if (passes && !(blind && early))
		fail_msg("%s: less is known, and more refused", expr);
	if (c->exact && passes != yes)
		fail_msg("%s: exact for %s, but passes %d, accepted %d", expr,
			 ev->kind->name, passes, yes);
}

/* What filter_put() says is the same filter. */
static struct filter *again(const struct world *w, const struct filter *f)
{
	struct filter_error err;
	struct filter *copy = NULL;
	struct buf b = {0};

	filter_put(&b, filter_root(f));
	buf_putc(&b, '\0');
	if (filter_compile(&copy, b.data, w->schema, NULL, WALL, 0, &err))
		fail_msg("%s: %s", b.data, err.what);
	buf_done(&b);
	return copy;
}

static void hold_all(const struct world *w, const struct filter *f,
		     const char *expr, unsigned events, struct totals *sum)
{
	struct filter *copy = again(w, f);
	struct clause_target target = {0};
	static struct record r;
	struct subject_task t;
	struct clauses c;
	struct event ev;

	while (events--) {
		make_event(w, &r);
		ev = record_event(&r, w->schema);
		make_task(&t);
		ev.task = t.known ? &t.task : NULL;
		target.kind = ev.kind->number;
		target.tells_comm = one_in(4);
		target.first_set = one_in(9);
		assert_int_equal(clauses_compile(&c, filter_root(f), &target),
				 0);
		sum->exact += c.exact;
		hold(f, expr, &c, &ev, &t, sum);
		assert_int_equal(filter_match(copy, &ev), filter_match(f, &ev));
		clauses_done(&c);
	}
	filter_free(copy);
}

static void generated(struct world *w)
{
	uint64_t seed = number_of_env("SEED", clock_read(CLOCK_REALTIME) | 1);
	uint64_t n = number_of_env("EXPRESSIONS", 3000), i;
	struct totals sum = {0};
	struct buf expr = {0};
	struct filter *f;

	printf("SEED=%llu\n", (unsigned long long)seed);
	chance_state = seed;
	for (i = 0; i < SCHEMA_KINDS_MAX; i++)
		if (schema_kind(w->schema, (unsigned)i))
			w->kinds[w->kind_count++] = (unsigned)i;
	for (i = 0; i < n; i++) {
		f = make_filter(w, &expr);
		hold_all(w, f, expr.data, 30, &sum);
		filter_free(f);
	}
	printf("%llu expressions, %u events: %u accepted, %u refused by "
	       "clauses (%u early), %u decided by them alone\n",
	       (unsigned long long)n, sum.asked, sum.accepted, sum.refused,
	       sum.early, sum.exact);
	/* or it would prove nothing */
	assert_true(sum.accepted > sum.asked / 20);
	assert_true(sum.refused > sum.asked / 4);
	assert_true(sum.exact > sum.asked / 4);
	assert_true(sum.early > 0);
	buf_done(&expr);
	schema_free(w->schema);
}

static void generated_expressions_agree_on_every_kind(void **state)
{
	struct world w = {.schema = real_schema(NULL)};

	(void)state;
	if (!w.schema)
		skip();
	generated(&w);
}

static void generated_expressions_agree_on_every_meaning(void **state)
{
	struct world w = {.schema = model_schema()};

	(void)state;
	generated(&w);
}

/* ---- what is asked ------------------------------------------------------- */

enum verdict { NOTHING, SOME, ALL, NEVER };

static enum verdict verdict_of(const char *expr, const char *kind)
{
	struct schema *s = model_schema();
	struct clause_target target = {.tells_comm = true};
	struct filter_error err;
	struct filter *f = NULL;
	enum verdict v = NOTHING;
	struct clauses c;

	if (filter_compile(&f, expr, s, NULL, WALL, 0, &err))
		fail_msg("%s: %s", expr, err.what);
	target.kind = schema_kind_by_name(s, kind)->number;
	assert_int_equal(clauses_compile(&c, filter_root(f), &target), 0);
	if (c.filter.never)
		v = NEVER;
	else if (c.exact)
		v = ALL;
	else if (c.filter.used)
		v = SOME;
	clauses_done(&c);
	filter_free(f);
	schema_free(s);
	return v;
}

static void the_kernel_is_asked_as_much_as_it_can_tell(void **state)
{
	static const struct {
		const char *expr;
		enum verdict all, call;
	} rows[] = {
		{"pid == 5", ALL, ALL},
		{"pid == 5 and tid != 6 or cpu > 3", ALL, ALL},
		{"span > 10ms", ALL, NEVER},
		{"not span > 10ms", ALL, ALL},
		{"kind == model_call", NEVER, ALL},
		{"source == model", ALL, ALL},
		{"plain > -1", ALL, NEVER},
		{"plain < -1", NEVER, NEVER},
		{"plain in (1, 2, 3, 9, 11, 13, 15, 17, 19)", ALL, NEVER},
		{"plain in (1, 600, 700, 800, 900, 1000)", ALL, NEVER},
		{"colour == blue", ALL, NEVER},
		{"colour ~ 'b*'", ALL, NEVER},
		{"addr == 10.0.0.0/8", ALL, NEVER},
		{"chars == vda", ALL, NEVER},
		{"chars ~ 'vd*'", ALL, NEVER},
		{"chars ~ 'v*a'", SOME, NEVER},
		{"chars ~ '*a'", NOTHING, NEVER},
		{"comm == nginx", SOME, SOME},
		{"comm in (a, b, c, d, e, f, g)", SOME, SOME},
		{"not comm == nginx", NOTHING, NOTHING},
		{"other_tid_comm == nginx", NOTHING, NEVER},
		{"ts > 14:03:20", NOTHING, NOTHING},
		{"ppid == 1", NOTHING, NOTHING},
		{"path ~ '*.h'", NEVER, NOTHING},
		{"path ~ '*.h' and pid == 5", NEVER, SOME},
		{"path ~ '*.h' or pid == 5", ALL, NOTHING},
		{"state == D", NOTHING, NEVER},
		{"state == D and state > 1", SOME, NEVER},
	};
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		if (verdict_of(rows[i].expr, "model_all") != rows[i].all)
			fail_msg("%s: %d for model_all", rows[i].expr,
				 verdict_of(rows[i].expr, "model_all"));
		if (verdict_of(rows[i].expr, "model_call") != rows[i].call)
			fail_msg("%s: %d for model_call", rows[i].expr,
				 verdict_of(rows[i].expr, "model_call"));
	}
}

static void what_does_not_fit_is_left_out(void **state)
{
	struct buf b = {0};
	int i;

	(void)state;
	for (i = 0; i < 20; i++)
		buf_printf(&b, "%splain != %d", i ? " and " : "", i * 2);
	buf_putc(&b, '\0');
	assert_int_equal(verdict_of(b.data, "model_all"), SOME);
	buf_reset(&b);
	for (i = 0; i < 20; i++)
		buf_printf(&b, "%splain == %d", i ? " or " : "", i * 2);
	buf_putc(&b, '\0');
	assert_int_equal(verdict_of(b.data, "model_all"), NOTHING);
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(generated_expressions_agree_on_every_kind),
		cmocka_unit_test(generated_expressions_agree_on_every_meaning),
		cmocka_unit_test(the_kernel_is_asked_as_much_as_it_can_tell),
		cmocka_unit_test(what_does_not_fit_is_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
