// SPDX-License-Identifier: BSD-2-Clause
/* losses_test.c - what an archive could not write moves to the right column of
 * the right row, once, whoever knew of it when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "../../user/block.h"
#include "../../user/losses.h"
#include "model_schema.h"

struct lost {
	struct schema *schema;
	struct losses losses;
	struct block block;
	const struct account_row *rows; /* as it goes to disk */
	size_t count;
};

static void start(struct lost *x)
{
	x->schema = model_schema();
	assert_int_equal(losses_init(&x->losses, x->schema), 0);
	assert_int_equal(block_init(&x->block), 0);
}

static void done(struct lost *x)
{
	block_done(&x->block);
	losses_done(&x->losses);
	schema_free(x->schema);
}

/* A block of one event is lost. */
static void lose(struct lost *x, const char *kind, unsigned cpu, uint64_t ts,
		 unsigned flags)
{
	struct record rec;
	struct weir_hdr *h;

	record_begin(&rec, x->schema, kind);
	h = record_hdr(&rec);
	h->cpu = (uint16_t)cpu;
	h->ts = ts;
	h->flags = (uint16_t)flags;
	block_reset(&x->block);
	block_add(&x->block, h);
	losses_count(&x->losses, &x->block);
}

/* The account as it goes to disk, of the caller's. */
static void write_account(struct lost *x, const struct account_row *rows,
			  size_t count, bool blind)
{
	x->rows = rows;
	x->count = count;
	assert_int_equal(losses_account(&x->losses, &x->rows, &x->count, blind),
			 0);
}

static const struct account_row *row_of(const struct lost *x,
					const char *source, uint32_t cpu)
{
	size_t i;

	for (i = 0; i < x->count; i++)
		if (x->rows[i].cpu == cpu && !strcmp(x->rows[i].source, source))
			return &x->rows[i];
	fail_msg("no row of %s, CPU %u", source, cpu);
	return NULL;
}

struct told {
	unsigned calls;
	uint64_t count, first, last;
	uint32_t cpu;
	char source[16];
};

static void note(void *arg, const char *source, uint32_t cpu, uint64_t count,
		 uint64_t first, uint64_t last)
{
	struct told *t = arg;

	*t = (struct told){t->calls + 1, count, first, last, cpu, ""};
	snprintf(t->source, sizeof(t->source), "%s", source);
}

static const struct account_row whole[] = {
	{.source = "disk",
	 .cpu = 0,
	 .submitted = 10,
	 .delivered = 10,
	 .kept = 8,
	 .rejected = 2,
	 .context = 2},
	{.source = "model",
	 .cpu = 0,
	 .submitted = 5,
	 .delivered = 5,
	 .kept = 5},
};

static void what_is_lost_moves_from_kept_of_its_row(void **state)
{
	struct lost x;
	const char *why;

	(void)state;
	start(&x);
	lose(&x, "model_disk", 0, 100, 0);
	lose(&x, "model_disk", 0, 90, 0);
	lose(&x, "model_disk", 0, 95, WEIR_F_CONTEXT);
	write_account(&x, whole, 2, false);
	assert_int_equal(x.count, 2);
	assert_int_equal(row_of(&x, "disk", 0)->kept, 6);
	assert_int_equal(row_of(&x, "disk", 0)->lost_archive, 2);
	assert_int_equal(row_of(&x, "disk", 0)->context, 1);
	assert_int_equal(row_of(&x, "disk", 0)->rejected, 2);
	assert_int_equal(account_check(row_of(&x, "disk", 0), 1, &why), 0);
	assert_memory_equal(row_of(&x, "model", 0), &whole[1],
			    sizeof(whole[1]));
	assert_int_equal(whole[0].kept, 8);
	done(&x);
}

static void it_is_told_once_with_its_bounds(void **state)
{
	struct told t = {0};
	struct lost x;

	(void)state;
	start(&x);
	lose(&x, "model_disk", 0, 100, 0);
	lose(&x, "model_disk", 0, 90, 0);
	lose(&x, "model_disk", 0, 10, WEIR_F_CONTEXT);
	losses_tell(&x.losses, note, &t);
	assert_int_equal(t.calls, 1);
	assert_string_equal(t.source, "disk");
	assert_int_equal(t.cpu, 0);
	assert_int_equal(t.count, 2);
	assert_int_equal(t.first, 90);
	assert_int_equal(t.last, 100);
	losses_tell(&x.losses, note, &t);
	assert_int_equal(t.calls, 1);
	lose(&x, "model_disk", 0, 50, 0);
	losses_tell(&x.losses, note, &t);
	assert_int_equal(t.calls, 2);
	assert_int_equal(t.first, 50);
	assert_int_equal(t.last, 50);
	/* the caller has moved them himself by now */
	write_account(&x, whole, 2, false);
	assert_int_equal(row_of(&x, "disk", 0)->kept, 8);
	assert_int_equal(row_of(&x, "disk", 0)->lost_archive, 0);
	done(&x);
}

static void what_the_account_knows_already_is_not_taken_twice(void **state)
{
	struct buf sums = {0};
	struct lost x;

	(void)state;
	start(&x);
	lose(&x, "model_disk", 0, 100, 0);
	lose(&x, "model_disk", 0, 101, WEIR_F_CONTEXT);
	losses_sums(&x.losses, &sums);
	lose(&x, "model_disk", 0, 102, 0);
	losses_known(&x.losses, &sums);
	write_account(&x, whole, 2, false);
	assert_int_equal(row_of(&x, "disk", 0)->kept, 7);
	assert_int_equal(row_of(&x, "disk", 0)->lost_archive, 1);
	assert_int_equal(row_of(&x, "disk", 0)->context, 2);
	buf_done(&sums);
	done(&x);
}

static void of_a_cpu_without_a_row_it_is_any_cpus(void **state)
{
	static const struct account_row any[] = {
		{.source = "disk",
		 .cpu = ACCOUNT_ANY_CPU,
		 .submitted = 3,
		 .delivered = 3,
		 .kept = 3},
	};
	struct lost x;

	(void)state;
	start(&x);
	lose(&x, "model_disk", 0, 100, 0);
	lose(&x, "model_disk", 60000, 100, 0);
	write_account(&x, any, 1, false);
	assert_int_equal(x.count, 1);
	assert_int_equal(x.rows[0].kept, 1);
	assert_int_equal(x.rows[0].lost_archive, 2);
	done(&x);
}

static void what_no_account_knows_of_has_a_row_that_holds(void **state)
{
	const char *why;
	struct lost x;

	(void)state;
	start(&x);
	lose(&x, "model_disk", 0, 100, 0);
	lose(&x, "model_call", 0, 100, 0);
	lose(&x, "model_call", 0, 101, 0);
	write_account(&x, &whole[1], 1, false);
	assert_int_equal(x.count, 2);
	assert_int_equal(row_of(&x, "model", 0)->kept, 3);
	assert_int_equal(row_of(&x, "disk", 0)->lost_archive, 1);
	assert_int_equal(account_check(row_of(&x, "disk", 0), 1, &why), 0);
	/* who has no account at all, and was told already */
	losses_tell(&x.losses, note, &(struct told){0});
	write_account(&x, NULL, 0, true);
	assert_int_equal(x.count, 2);
	assert_int_equal(row_of(&x, "disk", 0)->lost_archive, 1);
	assert_int_equal(row_of(&x, "disk", 0)->delivered, 1);
	assert_int_equal(account_check(row_of(&x, "disk", 0), 1, &why), 0);
	done(&x);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_lost_moves_from_kept_of_its_row),
		cmocka_unit_test(it_is_told_once_with_its_bounds),
		cmocka_unit_test(
			what_the_account_knows_already_is_not_taken_twice),
		cmocka_unit_test(of_a_cpu_without_a_row_it_is_any_cpus),
		cmocka_unit_test(what_no_account_knows_of_has_a_row_that_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
