// SPDX-License-Identifier: BSD-2-Clause
/* rodata_test.c - the constants of the syscall source and of its plain twin. */
#include <bpf/libbpf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../user/rodata.h"
#include "../../user/source.h"

struct twins {
	struct bpf_object *all, *plain;
	uint8_t *as_built;
};

static struct bpf_object *open_bytes(const void *data, size_t size)
{
	struct bpf_object *obj = bpf_object__open_mem(data, size, NULL);

	assert_non_null(obj);
	return obj;
}

static int set_up(void **state)
{
	struct twins *t = calloc(1, sizeof(*t));
	const struct embedded *e = weir_embedded;
	size_t size;

	while (strcmp(e->name, "syscall"))
		e++;
	assert_non_null(e->plain);
	t->all = open_bytes(e->data, e->size);
	t->plain = open_bytes(e->plain, e->plain_size);
	rodata_bytes(t->all, &size);
	t->as_built = malloc(size);
	memcpy(t->as_built, rodata_bytes(t->all, &size), size);
	*state = t;
	return 0;
}

static int tear_down(void **state)
{
	struct twins *t = *state;

	bpf_object__close(t->all);
	bpf_object__close(t->plain);
	free(t->as_built);
	free(t);
	return 0;
}

static const char *carry(const struct twins *t)
{
	return rodata_carry(t->plain, t->all, t->as_built);
}

static void what_the_twin_has_is_carried(void **state)
{
	const struct twins *t = *state;
	size_t size, plain_size;
	uint8_t *mode = rodata_find(t->all, "syscall_mode", &size), *carried;

	memset(mode, 2, size);
	rodata_set(t->all, "weir_self", 4711);
	assert_null(carry(t));
	assert_int_equal(rodata_get(t->plain, "weir_self", 0), 4711);
	carried = rodata_find(t->plain, "syscall_mode", &plain_size);
	assert_int_equal(plain_size, size);
	assert_memory_equal(carried, mode, size);
}

struct turn {
	const struct twins *t;
	unsigned knobs;
};

/* Every byte of a knob says that it was turned. */
static void turn_one(void *arg, const char *name)
{
	struct turn *turn = arg;
	size_t size, ignored, i;
	uint8_t *knob = rodata_find(turn->t->all, name, &size);

	if (!knob || rodata_find(turn->t->plain, name, &ignored))
		return;
	turn->knobs++;
	for (i = 0; i < size; i++) {
		knob[i] ^= 1;
		assert_string_equal(carry(turn->t), name);
		knob[i] ^= 1;
	}
	assert_null(carry(turn->t));
}

static void what_the_twin_lacks_must_not_be_changed(void **state)
{
	static const char *const some[] = {
		"weir_pinned", "weir_follow", "weir_budget",
		"weir_filter_syscall_done", "weir_exit_syscall_done"};
	struct turn turn = {*state, 0};
	size_t i, size;

	rodata_each(turn.t->all, "", turn_one, &turn);
	assert_true(turn.knobs >= sizeof(some) / sizeof(some[0]));
	for (i = 0; i < sizeof(some) / sizeof(some[0]); i++) {
		assert_non_null(rodata_find(turn.t->all, some[i], &size));
		assert_null(rodata_find(turn.t->plain, some[i], &size));
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(what_the_twin_has_is_carried),
		T(what_the_twin_lacks_must_not_be_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
