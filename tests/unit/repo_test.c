// SPDX-License-Identifier: BSD-2-Clause
/* repo_test.c - what the repo makes of records that no program should write. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "../../user/repo_internal.h"

/* A repo without its thread: the test is that. */
struct place {
	struct sources *sources;
	struct select select;
	struct tasks *tasks;
	struct aggregator *aggregator;
	struct ring_producer *main_p, *own_p;
	struct ring_consumer *main_c, *own_c;
	struct repo *repo;
	struct sink sink;
	uint64_t events, gaps, lost;
	struct ev_gap gap; /* the last */
};

static int on_event(struct sink *s, const struct event *ev)
{
	struct place *p =
		(struct place *)((char *)s - offsetof(struct place, sink));

	if (ev->h->kind == EV_BLOCK_IO)
		p->events++;
	if (ev->h->kind != EV_GAP)
		return 0;
	memcpy(&p->gap, ev->h, sizeof(p->gap));
	p->gaps++;
	p->lost += p->gap.count;
	return 0;
}

static int on_tick(struct sink *s, uint64_t mono_ns)
{
	(void)s;
	(void)mono_ns;
	return 0;
}

static int on_close(struct sink *s)
{
	(void)s;
	return 0;
}

static const struct sink_ops ops = {"test", on_event, on_tick, on_close};

static void open_parts(struct place *p)
{
	struct sources_options so = {0};
	struct select_options se = {0};
	struct filter_error fe;
	char why[512];

	assert_int_equal(sources_open(&p->sources, &so, why, sizeof(why)), 0);
	assert_int_equal(tasks_new(&p->tasks, sources_schema(p->sources)), 0);
	assert_int_equal(select_init(&p->select, &se,
				     sources_schema(p->sources), p->tasks, 0,
				     why, sizeof(why), &fe),
			 0);
	assert_int_equal(ring_new_pair(&p->main_p, &p->main_c, 1 << 16, 0), 0);
	assert_int_equal(ring_new_pair(&p->own_p, &p->own_c, 1 << 16, 0), 0);
}

static int set_up(void **state)
{
	static struct place place;
	struct place *p = &place;
	struct aggregator_options ao = {0};
	struct repo_options ro = {0};
	size_t rows;

	*p = (struct place){.sink = {.ops = &ops}};
	open_parts(p);
	ao.main = p->main_p;
	ao.notify_fd = ro.notify_fd = eventfd(0, EFD_CLOEXEC);
	ao.cpus = sources_cpus(p->sources);
	ao.rows = sources_rows(p->sources, &rows);
	assert_int_equal(aggregator_new(&p->aggregator, &ao), 0);
	ro.schema = sources_schema(p->sources);
	ro.sources = p->sources;
	ro.aggregator = p->aggregator;
	ro.main = p->main_c;
	ro.own = p->own_p;
	ro.select = &p->select;
	ro.tasks = p->tasks;
	assert_int_equal(repo_new(&p->repo, &ro), 0);
	assert_int_equal(repo_add_sink(p->repo, &p->sink), 0);
	p->repo->direct = true; /* what it has to say comes at once */
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->repo->o.notify_fd);
	repo_free(p->repo);
	aggregator_free(p->aggregator);
	ring_producer_close(p->main_p);
	ring_consumer_close(p->main_c);
	ring_producer_close(p->own_p);
	ring_consumer_close(p->own_c);
	select_done(&p->select);
	tasks_free(p->tasks);
	sources_free(p->sources);
	return 0;
}

/* The last @less bytes are missing. */
static void put_io(struct place *p, uint64_t ts, size_t less)
{
	struct ev_block_io io = {.h = {.ts = ts, .kind = EV_BLOCK_IO}};

	io.h.len = (uint16_t)(sizeof(io) - less);
	repo_accept(p->repo, &io, io.h.len);
}

static void a_record_that_does_not_fit_its_kind_is_lost_and_told(void **state)
{
	const struct account_row *row;
	struct place *p = *state;

	put_io(p, 100, 0);
	put_io(p, 200, 8);
	put_io(p, 300, 8);
	put_io(p, 400, 0);
	row = repo_find_row(p->repo, "block", 0);
	assert_non_null(row);
	assert_int_equal(row->kept, 2);
	assert_int_equal(row->lost_archive, 2);
	repo_report_losses(p->repo);
	assert_int_equal(p->events, 2);
	assert_int_equal(p->gaps, 1);
	assert_int_equal(p->lost, 2);
	assert_string_equal(p->gap.of, "block");
	assert_int_equal(p->gap.first, 200);
	assert_int_equal(p->gap.last, 300);
	repo_report_losses(p->repo);
	assert_int_equal(p->gaps, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(
			a_record_that_does_not_fit_its_kind_is_lost_and_told,
			set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
