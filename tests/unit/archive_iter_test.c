// SPDX-License-Identifier: BSD-2-Clause
/*
 * archive_iter_test.c - passes that are pulled: the same events as pushed,
 * several at once, ended early, and without context; where events stand.
 */
#include "store.h"

#define EVENTS 30000

static char dir[64];
static char path[128];
static struct store store;

static int set_up(void **state)
{
	(void)state;
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	store_init(&store);
	assert_int_equal(store_open(&store, path, false, 256 * 1024), 0);
	assert_int_equal(store_fill(&store, EVENTS), 0);
	return store_close(&store);
}

static int tear_down(void **state)
{
	(void)state;
	store_done(&store);
	store_remove(dir);
	return 0;
}

static struct archive *open_it(void)
{
	char *paths[] = {path};
	struct archive *a;
	const char *why;

	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	return a;
}

static struct archive_iter *iter(struct archive *a,
				 const struct archive_range *range)
{
	struct archive_iter *it;

	assert_int_equal(archive_iter_open(&it, a, range), 0);
	return it;
}

/* Return: was there another one? */
static bool step(struct archive_iter *it, struct store_read *r)
{
	struct event ev;
	int rc = archive_iter_next(it, &ev);

	assert_true(rc >= 0);
	if (rc)
		store_on_event(r, &ev);
	return rc;
}

static void two_passes_do_not_disturb_each_other(void **state)
{
	struct archive_range all = {0, 0, NULL, false, 0};
	struct archive_range ahead = {0, 0, NULL, false, 3};
	struct store_read first = {0}, second = {0};
	struct archive *a = open_it();
	struct archive_iter *x = iter(a, &all), *y = iter(a, &ahead);
	unsigned i;

	(void)state;
	for (i = 0; i < EVENTS / 2; i++)
		assert_true(step(x, &first));
	while (step(x, &first))
		step(y, &second);
	while (step(y, &second))
		;
	assert_int_equal(first.events, EVENTS);
	assert_true(first.hash == store.hash);
	assert_true(second.hash == store.hash);
	assert_int_equal(archive_iter_next(x, &(struct event){0}), 0);
	assert_int_equal(archive_iter_next(y, &(struct event){0}), 0);
	archive_iter_close(x);
	archive_iter_close(y);
	archive_free(a);
}

static void a_pass_may_end_early(void **state)
{
	struct archive_range all = {0, 0, NULL, false, 1};
	struct store_read r = {0};
	struct archive *a = open_it();
	struct archive_iter *it = iter(a, &all);

	(void)state;
	archive_iter_close(it);
	it = iter(a, &all);
	assert_true(step(it, &r));
	archive_iter_close(it);
	archive_iter_close(NULL);
	archive_free(a);
}

static void a_bare_pass_has_no_context(void **state)
{
	struct archive_info info;
	struct archive_range range = {0, 0, NULL, true, 0};
	struct store_read full, bare = {0};
	struct archive *a = open_it();
	struct archive_iter *it;

	(void)state;
	archive_info(a, &info);
	range.from_ns = (info.first_ns + info.last_ns) / 2;
	range.to_ns = info.last_ns;
	full = store_read_range(path, range.from_ns, range.to_ns, NULL);
	it = iter(a, &range);
	while (step(it, &bare))
		;
	assert_int_equal(full.err, 0);
	assert_true(full.context > 0);
	assert_int_equal(bare.context, 0);
	assert_int_equal(bare.events, full.events);
	assert_true(bare.hash == full.hash);
	archive_iter_close(it);
	archive_free(a);
}

static int remove_file(const char *file)
{
	char name[512];

	snprintf(name, sizeof(name), "%s/%s", path, file);
	return unlink(name);
}

static void what_is_removed_before_it_was_read_is_told(void **state)
{
	struct archive_range all = {0, 0, NULL, false, 0};
	struct store_read r = {0};
	struct archive_info info;
	struct archive *a = open_it();
	struct archive_iter *it = iter(a, &all);
	struct dirent **names;
	int n;

	(void)state;
	assert_true(step(it, &r));
	n = scandir(path, &names, NULL,
		    alphasort); /* with ., .., LOCK; the last may be empty */
	assert_true(n > 6);
	assert_int_equal(remove_file(names[n - 3]->d_name), 0);
	while (step(it, &r))
		;
	archive_info(a, &info);
	assert_int_equal(info.gone, 1);
	assert_true(r.events < EVENTS);
	archive_iter_close(it);
	archive_free(a);
	while (n--)
		free(names[n]);
	free(names);
}

/* Return: how many positions of events of @kind are in @ret. */
static unsigned positions(struct archive *a, const struct archive_range *range,
			  unsigned kind, uint64_t *ret)
{
	struct archive_iter *it = iter(a, range);
	uint64_t at, last = 0;
	struct event ev;
	unsigned n = 0;

	while (archive_iter_next(it, &ev) > 0) {
		at = archive_iter_position(it);
		assert_true(at > last || !last);
		last = at;
		if (range->kinds)
			assert_int_equal(ev.h->kind, kind);
		if (ev.h->kind == kind)
			ret[n++] = at;
	}
	archive_iter_close(it);
	return n;
}

static void an_event_stands_where_it_does_whatever_is_asked_for(void **state)
{
	static const unsigned asked[] = {EV_TASK_FORK, EV_SYSCALL_DONE};
	static uint64_t of_all[EVENTS], of_some[EVENTS];
	struct archive *a = open_it();
	unsigned i, n;

	(void)state;
	for (i = 0; i < 2; i++) {
		bool kinds[SCHEMA_KINDS_MAX] = {false};
		struct archive_range all = {0, 0, NULL, true, 0};
		struct archive_range some = {0, 0, kinds, true, 2};

		kinds[asked[i]] = true;
		n = positions(a, &all, asked[i], of_all);
		assert_in_range(n, 1, EVENTS - 1);
		assert_int_equal(positions(a, &some, asked[i], of_some), n);
		assert_memory_equal(of_some, of_all, n * sizeof(*of_all));
	}
	archive_free(a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(two_passes_do_not_disturb_each_other),
		cmocka_unit_test(a_pass_may_end_early),
		cmocka_unit_test(a_bare_pass_has_no_context),
		cmocka_unit_test(
			an_event_stands_where_it_does_whatever_is_asked_for),
		cmocka_unit_test(what_is_removed_before_it_was_read_is_told),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
