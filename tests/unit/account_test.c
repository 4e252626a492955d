// SPDX-License-Identifier: BSD-2-Clause
/* account_test.c - the equations hold while others go on counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "../../user/account.h"

static void happen(struct account_row *live)
{
	live->submitted += 3;
	live->delivered += 3;
	live->kept += 2;
	live->lost_main += 1;
}

/* One event before the kernel's counters are read, one after. */
static void ask_kernel_meanwhile(void *arg)
{
	struct account_row *live = arg;
	uint64_t submitted;

	happen(live);
	submitted = live->submitted;
	happen(live);
	live->submitted = submitted;
}

static void deliveries_while_the_kernel_is_asked_break_nothing(void **state)
{
	struct account_row live = {.source = "block", .cpu = 1}, copy;
	const char *why = "";
	unsigned i;

	(void)state;
	for (i = 0; i < 3; i++) {
		account_snapshot(&copy, &live, 1, ask_kernel_meanwhile, &live);
		assert_int_equal(account_check(&copy, 0, &why), 0);
		live.submitted = live.delivered;
	}
	assert_string_equal(copy.source, "block");
	assert_int_equal(copy.cpu, 1);
	assert_int_equal(copy.submitted, 2 * 6 + 3);
	assert_int_equal(copy.delivered, 2 * 6);
}

static void an_account_at_rest_is_copied_whole(void **state)
{
	struct account_row live = {.source = "net"}, copy;

	(void)state;
	ask_kernel_meanwhile(&live);
	live.submitted = live.delivered;
	account_read(&copy, &live);
	assert_memory_equal(&copy, &live, sizeof(copy));
}

static void each_equation_is_checked(void **state)
{
	static const struct account_row good = {
		.submitted = 6,
		.delivered = 6,
		.kept = 2,
		.rejected = 2,
		.context = 1,
		.lost_main = 1,
		.lost_archive = 1,
	};
	struct account_row row = good;
	const char *why = "";

	(void)state;
	assert_int_equal(account_check(&row, 1, &why), 0);
	row.submitted = 7;
	assert_int_equal(account_check(&row, 0, &why), 0);
	assert_int_equal(account_check(&row, 1, &why), -EBADMSG);
	assert_string_equal(why, "submitted, but never delivered");
	row = good;
	row.submitted = 5;
	assert_int_equal(account_check(&row, 0, &why), -EBADMSG);
	assert_string_equal(why, "more delivered than submitted");
	row = good;
	row.kept = 1;
	assert_int_equal(account_check(&row, 0, &why), 0);
	assert_int_equal(account_check(&row, 1, &why), -EBADMSG);
	row.kept = 3;
	assert_int_equal(account_check(&row, 0, &why), -EBADMSG);
	row = good;
	row.context = 3;
	assert_int_equal(account_check(&row, 0, &why), -EBADMSG);
	assert_string_equal(why, "more context than rejected");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(
			deliveries_while_the_kernel_is_asked_break_nothing),
		cmocka_unit_test(an_account_at_rest_is_copied_whole),
		cmocka_unit_test(each_equation_is_checked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
