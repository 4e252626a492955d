// SPDX-License-Identifier: BSD-2-Clause
/*
 * schema_btf_test.c - from BTF to the table: what is read, what is refused,
 * and that a host compiler lays the structs of bpf/events.h out alike.
 */
#include <errno.h>
#include <linux/btf.h>
#include <unistd.h>

#include "../../user/template.h"
#include "model.h"

#define BITS 8

/* ---- BTF made by hand ---------------------------------------------------- */

/* An object with one source and one event, to be spoilt by a test. */
struct made {
	struct btf *btf;
	int u8, u16, u32, u64, s64, chr, hdr, str, ns, ev;
	unsigned bytes; /* where the next member goes */
	unsigned size, count;
	struct {
		const char *name;
		int type;
		unsigned at, bit_size;
	} members[8];
};

static void made_types(struct made *m)
{
	m->btf = btf__new_empty();
	assert_non_null(m->btf);
	m->u8 = btf__add_int(m->btf, "unsigned char", 1, 0);
	m->u16 = btf__add_int(m->btf, "unsigned short", 2, 0);
	m->u32 = btf__add_int(m->btf, "unsigned int", 4, 0);
	m->u64 = btf__add_int(m->btf, "unsigned long long", 8, 0);
	m->s64 = btf__add_int(m->btf, "long long", 8, BTF_INT_SIGNED);
	m->chr = btf__add_int(m->btf, "char", 1, BTF_INT_SIGNED);
	m->hdr = btf__add_struct(m->btf, "weir_hdr", 24);
	assert_int_equal(btf__add_field(m->btf, "ts", m->u64, 0, 0), 0);
	m->str = btf__add_struct(m->btf, "weir_str", 8);
	assert_int_equal(btf__add_field(m->btf, "off", m->u16, 0, 0), 0);
	m->ns = btf__add_typedef(m->btf, "weir_ns_t", m->u64);
}

static void made_begin(struct made *m, unsigned size)
{
	memset(m, 0, sizeof(*m));
	made_types(m);
	m->size = size;
	m->bytes = 24;
}

static void made_field(struct made *m, const char *name, int type,
		       unsigned size)
{
	m->members[m->count].name = name;
	m->members[m->count].type = type;
	m->members[m->count++].at = m->bytes;
	m->bytes += size;
}

/* The struct, of the members so far: libbpf adds to the last type only. */
static void made_struct(struct made *m)
{
	unsigned i;

	m->ev = btf__add_struct(m->btf, "ev_made_event", m->size);
	assert_int_equal(btf__add_field(m->btf, "h", m->hdr, 0, 0), 0);
	for (i = 0; i < m->count; i++)
		assert_int_equal(btf__add_field(m->btf, m->members[i].name,
						m->members[i].type,
						m->members[i].at * BITS,
						m->members[i].bit_size),
				 0);
}

static void made_section(struct made *m, const char *section, const char *var,
			 int type)
{
	int id = btf__add_var(m->btf, var, BTF_VAR_GLOBAL_ALLOCATED, type);

	assert_true(btf__add_datasec(m->btf, section, 8) > 0);
	assert_int_equal(btf__add_datasec_var_info(m->btf, id, 0, 8), 0);
}

static void made_source(struct made *m)
{
	int src = btf__add_struct(m->btf, "weir_source_made", 4);

	btf__add_field(m->btf, "unused", m->u32, 0, 0);
	btf__add_decl_tag(m->btf, "doc:made by hand", src, -1);
	made_section(m, ".weir.source", "weir_source",
		     btf__add_ptr(m->btf, btf__add_const(m->btf, src)));
}

static void made_event(struct made *m, int ev, unsigned number)
{
	int of = btf__add_const(m->btf, ev);
	int array = btf__add_array(m->btf, m->u32, of, number);

	made_section(m, ".weir.events", "weir_event_made_event",
		     btf__add_ptr(m->btf, array));
}

static int made_add(struct made *m, struct schema **ret_s, const char **why)
{
	int err;

	*why = "";
	assert_int_equal(schema_new(ret_s), 0);
	err = schema_add_btf(*ret_s, "made", m->btf, NULL, why);
	btf__free(m->btf);
	return err;
}

static void a_kind_made_by_hand(void **state)
{
	const struct schema_field *f;
	const struct schema_kind *k;
	struct schema *s;
	const char *why;
	struct made m;

	(void)state;
	made_begin(&m, 64);
	made_field(&m, "span", m.ns, 8);
	made_field(&m, "text", m.str, 8);
	made_field(&m, "name", btf__add_array(m.btf, m.u32, m.chr, 16), 16);
	made_field(&m, "pair", btf__add_array(m.btf, m.u32, m.u32, 2), 8);
	made_struct(&m);
	btf__add_decl_tag(m.btf, "text:{span} {name}", m.ev, -1);
	btf__add_decl_tag(m.btf, "doc:an event", m.ev, -1);
	btf__add_decl_tag(m.btf, "doc:how long", m.ev, 1);
	made_source(&m);
	made_event(&m, m.ev, 230);
	if (made_add(&m, &s, &why))
		fail_msg("%s", why);
	assert_string_equal(schema_source(s, 0)->name, "made");
	assert_string_equal(schema_source(s, 0)->help, "made by hand");
	k = schema_kind(s, 230);
	assert_string_equal(k->name, "made_event");
	assert_string_equal(k->source, "made");
	assert_string_equal(k->help, "an event");
	assert_string_equal(k->text, "{span} {name}");
	assert_int_equal(k->part_count, 3);
	assert_int_equal(k->size, 64);
	assert_int_equal(k->field_count, 4);
	f = schema_field(k, "span");
	assert_int_equal(f->meaning, MEANING_NS);
	assert_string_equal(f->help, "how long");
	f = schema_field(k, "text");
	assert_int_equal(f->type, FIELD_STR);
	assert_string_equal(f->help, "");
	f = schema_field(k, "name");
	assert_int_equal(f->type, FIELD_CHARS);
	assert_int_equal(f->size, 16);
	f = schema_field(k, "pair");
	assert_int_equal(f->type, FIELD_UINT);
	assert_int_equal(f->count, 2);
	assert_int_equal(f->offset, 56);
	schema_free(s);
}

/* ---- what is refused ----------------------------------------------------- */

static void refused(struct made *m, const char *because)
{
	struct schema *s;
	const char *why;

	assert_int_equal(made_add(m, &s, &why), -EINVAL);
	if (!strstr(why, because))
		fail_msg("'%s' says nothing of '%s'", why, because);
	schema_free(s);
}

static void bit_field(struct made *m)
{
	made_field(m, "bits", m->u32, 4);
	m->members[0].bit_size = 3;
}

static void pointer(struct made *m)
{
	made_field(m, "ptr", btf__add_ptr(m->btf, m->u8), 8);
}

static void nested_struct(struct made *m)
{
	made_field(m, "inner", m->hdr, 24);
}

static void nested_array(struct made *m)
{
	int row = btf__add_array(m->btf, m->u32, m->u8, 4);

	made_field(m, "rows", btf__add_array(m->btf, m->u32, row, 2), 8);
}

static void empty_array(struct made *m)
{
	made_field(m, "none", btf__add_array(m->btf, m->u32, m->u8, 0), 0);
}

static void floating(struct made *m)
{
	made_field(m, "real", btf__add_float(m->btf, "double", 8), 8);
}

static void forward_only(struct made *m)
{
	int fwd = btf__add_fwd(m->btf, "later", BTF_FWD_STRUCT);

	made_field(m, "later", fwd, 8);
}

static void reserved_name(struct made *m)
{
	made_field(m, "comm", m->u64, 8);
}

static void dirty_help(struct made *m)
{
	made_field(m, "x", m->u64, 8);
	made_struct(m);
	btf__add_decl_tag(m->btf, "doc:\033[31mred", m->ev, 1);
}

static void bad_address(struct made *m)
{
	made_field(m, "addr", btf__add_typedef(m->btf, "weir_ip_t", m->u64), 8);
}

static void fields_that_are_refused(void **state)
{
	static const struct {
		void (*spoil)(struct made *m);
		const char *why;
	} rows[] = {
		{bit_field, "ev_made_event.bits: a bit-field"},
		{pointer, "ev_made_event.ptr: neither"},
		{nested_struct, "ev_made_event.inner: neither"},
		{nested_array, "ev_made_event.rows: neither"},
		{empty_array, "ev_made_event.none: neither"},
		{floating, "ev_made_event.real: neither"},
		{forward_only, "ev_made_event.later: neither"},
		{reserved_name, "made_event.comm: a name that every"},
		{dirty_help, "made_event.x: its help"},
		{bad_address, "made_event.addr: its type does not fit"},
	};
	struct made m;
	size_t i;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		made_begin(&m, 64);
		rows[i].spoil(&m);
		if (!m.ev)
			made_struct(&m);
		made_source(&m);
		made_event(&m, m.ev, 230);
		refused(&m, rows[i].why);
	}
}

static void markers_that_are_refused(void **state)
{
	struct made m;

	(void)state;
	/* no sections at all */
	made_begin(&m, 24);
	made_struct(&m);
	refused(&m, "WEIR_SOURCE");
	/* a number that no archive could hold */
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_event(&m, m.ev, 256);
	refused(&m, "1..255");
	/* what clang leaves of a struct behind a member's pointer */
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_event(&m, btf__add_fwd(m.btf, "ev_x", BTF_FWD_STRUCT), 5);
	refused(&m, "not in the BTF");
	/* no event struct: wrong name, no header */
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_event(&m, m.str, 5);
	refused(&m, "begins with h");
	/* no array */
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_section(&m, ".weir.events", "weir_event_x",
		     btf__add_ptr(m.btf, m.ev));
	refused(&m, "WEIR_EVENT");
}

static void what_is_there_already(void **state)
{
	struct schema *s;
	const char *why;
	struct made m;

	(void)state;
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_event(&m, m.ev, 7);
	assert_int_equal(made_add(&m, &s, &why), 0);
	made_begin(&m, 24);
	made_struct(&m);
	made_source(&m);
	made_event(&m, m.ev, 7);
	assert_int_equal(schema_add_btf(s, "made", m.btf, NULL, &why), -EEXIST);
	assert_non_null(strstr(why, "made"));
	assert_int_equal(schema_add_btf(s, "other", m.btf, NULL, &why),
			 -EEXIST);
	btf__free(m.btf);
	schema_free(s);
}

/* ---- names of enums ------------------------------------------------------ */

struct names {
	const char *given[14], *want[14];
};

static const struct schema_enum *only_enum(struct made *m, int type,
					   struct schema **ret_s)
{
	const char *why;

	made_field(m, "e", type, 4);
	made_struct(m);
	made_source(m);
	made_event(m, m->ev, 9);
	if (made_add(m, ret_s, &why))
		fail_msg("%s", why);
	return schema_field(schema_kind(*ret_s, 9), "e")->names;
}

static void names_lose_what_all_have(void **state)
{
	static const struct names rows[] = {
		{{"WEIR_OP_READ", "WEIR_OP_WRITE"}, {"read", "write"}},
		{{"WEIR_X_ONE", "WEIR_Y_TWO"}, {"x_one", "y_two"}},
		{{"RED", "GREEN"}, {"red", "green"}},
		{{"A_", "A_B"}, {"a_", "a_b"}},
		{{"ALONE_NAME"}, {"name"}},
		/* too few for an outlier to be one */
		{{"S_A_X", "S_A_Y", "S_Z"}, {"a_x", "a_y", "z"}},
		/* one of eleven; without SKB_ it is still its own */
		{{"SKB_CONSUMED", "SKB_DROP_REASON_A", "SKB_DROP_REASON_B",
		  "SKB_DROP_REASON_C", "SKB_DROP_REASON_D", "SKB_DROP_REASON_E",
		  "SKB_DROP_REASON_F", "SKB_DROP_REASON_G", "SKB_DROP_REASON_H",
		  "SKB_DROP_REASON_I", "SKB_DROP_REASON_J"},
		 {"consumed", "a", "b", "c", "d", "e", "f", "g", "h", "i",
		  "j"}},
		/* an outlier that would take another's name: nobody loses */
		{{"SKB_A", "SKB_R_A", "SKB_R_B", "SKB_R_C", "SKB_R_D",
		  "SKB_R_E", "SKB_R_F", "SKB_R_G", "SKB_R_H", "SKB_R_I",
		  "SKB_R_J"},
		 {"SKB_A", "SKB_R_A", "SKB_R_B"}},
	};
	const struct schema_enum *e;
	struct schema *s;
	struct made m;
	size_t i, j;
	int type;

	(void)state;
	for (i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		made_begin(&m, 64);
		type = btf__add_enum(m.btf, "some", 4);
		for (j = 0; rows[i].given[j]; j++)
			btf__add_enum_value(m.btf, rows[i].given[j],
					    (int64_t)j);
		e = only_enum(&m, type, &s);
		for (j = 0; rows[i].want[j]; j++)
			assert_string_equal(e->values[j].name, rows[i].want[j]);
		schema_free(s);
	}
}

static void values_ascend_and_are_kept_once(void **state)
{
	const struct schema_enum *e;
	struct schema *s;
	struct made m;
	int type;

	(void)state;
	made_begin(&m, 64);
	type = btf__add_enum(m.btf, "some", 4);
	btf__add_enum_value(m.btf, "E_B", 5);
	btf__add_enum_value(m.btf, "E_A", 0);
	btf__add_enum_value(m.btf, "E_MAX", 5);
	btf__add_enum_value(m.btf, "E_MASK", 0xffff0000);
	e = only_enum(&m, type, &s);
	assert_int_equal(e->count, 3);
	assert_string_equal(enum_name(e, 0), "a");
	assert_non_null(enum_name(e, 5));
	assert_string_equal(enum_name(e, 0xffff0000), "mask");
	schema_free(s);
}

static void signed_and_wide_enums(void **state)
{
	const struct schema_enum *e;
	const struct schema_field *f;
	struct schema *s;
	struct made m;
	int type;

	(void)state;
	made_begin(&m, 64);
	type = btf__add_enum64(m.btf, "wide", 8, true);
	btf__add_enum64_value(m.btf, "W_LOW", (uint64_t)INT64_MIN);
	btf__add_enum64_value(m.btf, "W_HIGH", INT64_MAX);
	e = only_enum(&m, type, &s);
	f = schema_field(schema_kind(s, 9), "e");
	assert_int_equal(f->type, FIELD_INT);
	assert_int_equal(f->size, 8);
	assert_string_equal(enum_name(e, INT64_MIN), "low");
	assert_string_equal(enum_name(e, INT64_MAX), "high");
	schema_free(s);
}

/* ---- the objects that were built ----------------------------------------- */

static void every_object_is_read(void **state)
{
	struct schema *s = real_schema(NULL);
	const struct schema_kind *k;
	const char *name;
	unsigned i, j;

	(void)state;
	if (!s)
		skip();
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		k = schema_kind(s, i);
		if (!k)
			continue;
		assert_true(*k->help);
		assert_true(*k->text);
		if (template_check(k, &name))
			fail_msg("%s: no field %s", k->name, name);
		for (j = 0; j < k->field_count; j++)
			if (!*k->fields[j].help)
				fail_msg("%s.%s has no WEIR_DOC()", k->name,
					 k->fields[j].name);
	}
	k = schema_kind_by_name(s, "task_exec");
	assert_int_equal(k->number, EV_TASK_EXEC);
	assert_int_equal(k->size, sizeof(struct ev_task_exec));
	assert_int_equal(schema_field(k, "argv")->meaning, MEANING_ARGV);
	assert_int_equal(schema_field(k, "argv")->type, FIELD_STR);
	assert_int_equal(schema_field(k, "ppid")->meaning, MEANING_PID);
	schema_free(s);
}

/*
 * The host's view: the table as assertions, put before the host's compiler.
 * So no test lists the events a second time.
 */
static void assert_layout(FILE *out, const struct schema *s)
{
	unsigned i, j;

	fprintf(out, "#include <stddef.h>\n#include \"bpf/events.h\"\n"
		     "#define SIZE(s, m) sizeof(((struct s *)0)->m)\n");
	for (i = 0; i < SCHEMA_KINDS_MAX; i++) {
		const struct schema_kind *k = schema_kind(s, i);

		if (!k || k->number >= EV_PRIVATE)
			continue;
		fprintf(out,
			"_Static_assert(sizeof(struct ev_%s) == %u, \"\");\n",
			k->name, k->size);
		for (j = 0; j < k->field_count; j++) {
			const struct schema_field *f = &k->fields[j];

			fprintf(out,
				"_Static_assert(offsetof(struct ev_%s, %s) == "
				"%u && SIZE(ev_%s, %s) == %u, \"%s.%s\");\n",
				k->name, f->name, f->offset, k->name, f->name,
				f->size, k->name, f->name);
		}
	}
}

static void the_host_lays_structs_out_alike(void **state)
{
	struct schema *s = real_schema(NULL);
	const char *cc = getenv("CC");
	char command[256];
	FILE *out;

	(void)state;
	if (!cc)
		cc = "cc";
	snprintf(command, sizeof(command), "%s --version >/dev/null 2>&1", cc);
	if (!s || access("bpf/events.h", R_OK) || system(command)) {
		schema_free(s);
		skip();
	}
	snprintf(command, sizeof(command),
		 "%s -std=gnu11 -I. -fsyntax-only -x c -", cc);
	out = popen(command, "w");
	assert_non_null(out);
	assert_layout(out, s);
	assert_int_equal(pclose(out), 0);
	schema_free(s);
}

/* ---- the running kernel -------------------------------------------------- */

static void names_from_the_kernel(void **state)
{
	struct btf *kernel = btf__parse("/sys/kernel/btf/vmlinux", NULL);
	struct schema *s = kernel ? real_schema(kernel) : NULL;
	const struct schema_kind *k;
	const struct schema_enum *e;

	(void)state;
	k = s ? schema_kind_by_name(s, "net_drop") : NULL;
	e = k ? schema_field(k, "reason")->names : NULL;
	if (e) {
		int64_t v;

		assert_int_equal(enum_value(e, "no_socket", 9, &v), 0);
		assert_int_equal(enum_value(e, "consumed", 8, &v), 0);
	}
	schema_free(s);
	btf__free(kernel);
	if (!e)
		skip();
}

static void arguments_of_tracepoints(void **state)
{
	struct btf *kernel = btf__new_empty();
	int proto, id, three, odd;

	(void)state;
	id = btf__add_int(kernel, "int", 4, BTF_INT_SIGNED);
	proto = btf__add_func_proto(kernel, 0);
	btf__add_func_param(kernel, NULL, id);
	btf__add_func_param(kernel, NULL, id);
	btf__add_func_param(kernel, NULL, id);
	three = btf__add_typedef(kernel, "btf_trace_three",
				 btf__add_ptr(kernel, proto));
	odd = btf__add_typedef(kernel, "btf_trace_odd", id);
	assert_int_equal(btf_tracepoint_args(kernel, (uint32_t)three), 2);
	assert_int_equal(btf_tracepoint_args(kernel, (uint32_t)odd), -ENOENT);
	assert_int_equal(btf_tracepoint_args(kernel, 99), -ENOENT);
	btf__free(kernel);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_kind_made_by_hand),
		cmocka_unit_test(fields_that_are_refused),
		cmocka_unit_test(markers_that_are_refused),
		cmocka_unit_test(what_is_there_already),
		cmocka_unit_test(names_lose_what_all_have),
		cmocka_unit_test(values_ascend_and_are_kept_once),
		cmocka_unit_test(signed_and_wide_enums),
		cmocka_unit_test(every_object_is_read),
		cmocka_unit_test(the_host_lays_structs_out_alike),
		cmocka_unit_test(names_from_the_kernel),
		cmocka_unit_test(arguments_of_tracepoints),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
