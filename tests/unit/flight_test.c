// SPDX-License-Identifier: BSD-2-Clause
/* flight_test.c - the threads of snapshots, when memory runs out. */
#include "store.h"

#include "../../user/flight.h"

#ifdef __SANITIZE_ADDRESS__
#define OWN_MALLOC 0 /* it brings one */
#else
#define OWN_MALLOC 1

static size_t refused_size; /* of what is asked for in vain; 0: nothing */

void *__libc_malloc(size_t size);

/* Instead of libc's. */
void *malloc(size_t size)
{
	if (size != refused_size || !size)
		return __libc_malloc(size);
	errno = ENOMEM;
	return NULL;
}
#endif

static void a_writer_that_lacks_memory_is_none(void **state)
{
#if OWN_MALLOC
	struct flight_options o = {
		.window = {.bytes = WINDOW_BYTES_MIN},
		.dir = "/tmp",
	};
	struct schema *schema = store_schema();
	struct tasks *tasks;
	struct flight *f;

	(void)state;
	o.dir_fd = open(o.dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(tasks_new(&tasks, schema), 0);
	assert_int_equal(flight_new(&f, &o, schema, tasks), 0);
	refused_size = sizeof(struct snapshot_result);
	assert_int_equal(flight_start(f), -ENOMEM);
	refused_size = 0;
	flight_free(f);
	tasks_free(tasks);
	schema_free(schema);
	close(o.dir_fd);
#else
	(void)state;
	skip();
#endif
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_that_lacks_memory_is_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
