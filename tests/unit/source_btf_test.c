// SPDX-License-Identifier: BSD-2-Clause
/* The part of the kernel's types that objects are relocated against. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../../user/source_internal.h"

/*
 * struct task { int pid; struct info info; struct task *next; int old[4]; };
 * and beside it what nobody asks for.
 */
static struct btf *make_kernel(void)
{
	struct btf *b = btf__new_empty();
	int num, info, ptr, array;

	btf__add_struct(b, "unrelated", 4);
	num = btf__add_int(b, "int", 4, BTF_INT_SIGNED);
	info = btf__add_struct(b, "info", 8);
	btf__add_field(b, "flags", num, 0, 3);
	btf__add_field(b, "state", num, 32, 0);
	array = btf__add_array(b, num, num, 4);
	ptr = btf__add_ptr(b, array + 2); /* the task */
	btf__add_struct(b, "task", 40);
	btf__add_field(b, "pid", num, 0, 0);
	btf__add_field(b, "info", info, 32, 0);
	btf__add_field(b, "next", ptr, 128, 0);
	btf__add_field(b, "old", array, 192, 0);
	btf__add_enum(b, "op", 4);
	btf__add_enum_value(b, "OP_READ", 7);
	btf__add_typedef(b, "handler_t", btf__add_func_proto(b, num));
	return b;
}

/* One that knows task, by two of its shapes, op and handler_t. */
static struct btf *make_object(void)
{
	struct btf *b = btf__new_empty();

	btf__add_struct(b, "task___old", 4);
	btf__add_enum(b, "op", 4);
	btf__add_typedef(b, "handler_t", 0);
	btf__add_struct(b, "mine", 4);
	return b;
}

struct fixture {
	struct btf *kernel, *object, *copy;
};

static int begin(void **state)
{
	static struct fixture f;
	const struct btf *by[1];

	f.kernel = make_kernel();
	f.object = make_object();
	by[0] = f.object;
	*state = &f;
	return source_btf_copy(&f.copy, f.kernel, by, 1);
}

static int end(void **state)
{
	struct fixture *f = *state;

	btf__free(f->kernel);
	btf__free(f->object);
	btf__free(f->copy);
	return 0;
}

static const struct btf_type *find(const struct fixture *f, const char *name,
				   uint32_t kind)
{
	int id = btf__find_by_name_kind(f->copy, name, kind);

	return id > 0 ? btf__type_by_id(f->copy, (uint32_t)id) : NULL;
}

static const struct btf_type *member_type(const struct fixture *f,
					  const struct btf_type *t, unsigned i)
{
	return btf__type_by_id(f->copy, btf_members(t)[i].type);
}

static void only_what_is_named_is_copied(void **state)
{
	assert_non_null(find(*state, "task", BTF_KIND_STRUCT));
	assert_non_null(find(*state, "op", BTF_KIND_ENUM));
	assert_null(find(*state, "unrelated", BTF_KIND_STRUCT));
	assert_null(find(*state, "mine", BTF_KIND_STRUCT));
}

static void a_struct_keeps_its_members_and_their_types(void **state)
{
	struct fixture *f = *state;
	const struct btf_type *t = find(f, "task", BTF_KIND_STRUCT), *info;

	assert_int_equal(t->size, 40);
	assert_int_equal(btf_vlen(t), 4);
	assert_int_equal(btf_member_bit_offset(t, 1), 32);
	info = member_type(f, t, 1);
	assert_string_equal(btf__name_by_offset(f->copy, info->name_off),
			    "info");
	assert_int_equal(btf_member_bitfield_size(info, 0), 3);
	assert_true(btf_is_int(member_type(f, info, 1)));
	assert_true(btf_is_array(member_type(f, t, 3)));
	assert_int_equal(btf_array(member_type(f, t, 3))->nelems, 4);
}

static void a_pointer_leads_nowhere(void **state)
{
	struct fixture *f = *state;
	const struct btf_type *t = find(f, "task", BTF_KIND_STRUCT), *ptr;

	ptr = member_type(f, t, 2);
	assert_true(btf_is_ptr(ptr));
	assert_int_equal(ptr->type, 0);
}

static void values_of_enums_are_there(void **state)
{
	const struct btf_type *t = find(*state, "op", BTF_KIND_ENUM);

	assert_int_equal(btf_vlen(t), 1);
	assert_int_equal(btf_enum(t)->val, 7);
}

/* As libbpf will: what does not add up it refuses. */
static void the_copy_can_be_parsed(void **state)
{
	struct fixture *f = *state;
	const void *data;
	struct btf *again;
	uint32_t len, i;

	data = btf__raw_data(f->copy, &len);
	assert_non_null(data);
	again = btf__new(data, len);
	assert_non_null(again);
	assert_int_equal(btf__type_cnt(again), btf__type_cnt(f->copy));
	for (i = 1; i < btf__type_cnt(again); i++)
		assert_true(btf__resolve_size(again, i) >= 0 ||
			    btf_is_func_proto(btf__type_by_id(again, i)) ||
			    btf_is_typedef(btf__type_by_id(again, i)));
	btf__free(again);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_what_is_named_is_copied),
		cmocka_unit_test(a_struct_keeps_its_members_and_their_types),
		cmocka_unit_test(a_pointer_leads_nowhere),
		cmocka_unit_test(values_of_enums_are_there),
		cmocka_unit_test(the_copy_can_be_parsed),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
