// SPDX-License-Identifier: BSD-2-Clause
/*
 * syscalls_test.c - the table of bpf/syscalls.h is well-formed and agrees
 * with the kernel headers of this machine.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "../../bpf/syscalls.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

struct row {
	int nr;
	const char *name;
	const char *sig;
	char class;
};

#define ROW(nr, name, sig, class) {nr, #name, sig, class},
static const struct row rows[] = {WEIR_SYSCALLS(ROW)};

#define FITS(nr, name, sig, class)                                             \
	_Static_assert(sizeof(sig) <= 7, #name " has more than 6 arguments");
WEIR_SYSCALLS(FITS)

static const struct row *row_of(int nr)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].nr == nr)
			return &rows[i];
	return NULL;
}

static void numbers_ascend(void **state)
{
	(void)state;
	assert_int_equal(rows[0].nr, 0);
	for (size_t i = 1; i < ARRAY_SIZE(rows); i++)
		assert_true(rows[i].nr > rows[i - 1].nr);
}

static void signature_letters_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *sig = rows[i].sig;

		if (sig[strspn(sig, "fDsSapiluxomztgUw")])
			fail_msg("%s: signature %s", rows[i].name, sig);
	}
}

static void sockaddr_is_followed_by_its_length(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		const char *a = strchr(rows[i].sig, 'a');

		if (a && a[1] != 'z' && a[1] != 'p')
			fail_msg("%s: %s", rows[i].name, rows[i].sig);
	}
}

static void classes_are_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].class && !strchr("FPSC", rows[i].class))
			fail_msg("%s: '%c'", rows[i].name, rows[i].class);
}

static FILE *open_kernel_header(void)
{
	FILE *f = fopen("/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "r");

	return f ? f : fopen("/usr/include/asm/unistd_64.h", "r");
}

/* A header newer than the table may have calls behind its last row. */
static int header_line_agrees(const char *name, int nr)
{
	const struct row *row = row_of(nr);

	if (nr > rows[ARRAY_SIZE(rows) - 1].nr)
		return 1;
	return row && !strcmp(row->name, name);
}

static void names_and_numbers_match_kernel_header(void **state)
{
	FILE *f = open_kernel_header();
	char line[256], name[64];
	int nr, seen = 0;

	(void)state;
	if (!f) {
		print_message("no asm/unistd_64.h on this machine\n");
		skip();
	}
	while (fgets(line, sizeof(line), f)) {
		if (sscanf(line, "#define __NR_%63s %d", name, &nr) != 2)
			continue;
		if (!header_line_agrees(name, nr))
			fail_msg("%d is %s in asm/unistd_64.h", nr, name);
		seen++;
	}
	fclose(f);
	assert_true(seen > 300);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(numbers_ascend),
		cmocka_unit_test(signature_letters_are_known),
		cmocka_unit_test(sockaddr_is_followed_by_its_length),
		cmocka_unit_test(classes_are_known),
		cmocka_unit_test(names_and_numbers_match_kernel_header),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
