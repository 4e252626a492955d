// SPDX-License-Identifier: BSD-2-Clause
/* flight_test.c - the threads of snapshots, when they cannot begin. */
#include "window_feed.h"

#include <sys/syscall.h>

#include "../../user/flight.h"
#include "../../user/source.h"

static bool no_way; /* into the directory of snapshots, and it is slow */

/* Instead of libc's. */
int fchdir(int fd)
{
	if (!no_way)
		return (int)syscall(SYS_fchdir, fd);
	clock_sleep(100 * NS_PER_MS);
	errno = EACCES;
	return -1;
}

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

/* Else it would be made wherever the recorder was started. */
static void a_directory_out_of_reach_is_known_before_anybody_asks(void **state)
{
	struct flight_options o = {
		.window = {.bytes = WINDOW_BYTES_MIN},
		.dir = "/nowhere",
		.dir_fd = -1,
	};
	struct flight_ask ask = {.why = "a test"};
	struct sources_options so = {0};
	static struct snapshot_result r;
	struct feed feed = {.step_ns = 500};
	struct sources *sources;
	uint64_t cursor = 0;
	struct flight *f;
	char why[256];

	(void)state;
	assert_int_equal(sources_open(&sources, &so, why, sizeof(why)), 0);
	feed.schema = sources_schema(sources);
	feed.ts = clock_now();
	assert_int_equal(tasks_new(&feed.tasks, feed.schema), 0);
	assert_int_equal(flight_new(&f, &o, feed.schema, feed.tasks), 0);
	feed.window = (struct window *)(uintptr_t)flight_window(f);
	no_way = true;
	assert_int_equal(flight_start(f), 0);
	feed_fork(&feed, TASK_TID, TASK_COMM);
	feed_until(&feed, 1000);
	assert_int_equal(flight_ask(f, &ask, NULL), 0);
	flight_end(f, feed.ts);
	flight_stop(f);
	no_way = false;
	assert_true(flight_ended(f, &cursor, &r));
	assert_int_equal(r.err, -EACCES);
	flight_free(f);
	tasks_free(feed.tasks);
	sources_free(sources);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_writer_that_lacks_memory_is_none),
		cmocka_unit_test(
			a_directory_out_of_reach_is_known_before_anybody_asks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
