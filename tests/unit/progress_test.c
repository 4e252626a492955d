// SPDX-License-Identifier: BSD-2-Clause
/*
 * progress_test.c - nothing for two seconds, nothing but on a terminal, and
 * nothing is left.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../../user/clock.h"
#include "../../user/progress.h"

#define MIB	    (1ULL << 20)
#define WIPE	    "\r\033[K"
#define PATIENCE_NS (2100 * NS_PER_MS)

/* All that there is to be read, as a string. */
static const char *read_all(int fd)
{
	static char text[1024];
	struct pollfd p = {.fd = fd, .events = POLLIN};
	size_t len = 0;
	ssize_t n;

	while (len < sizeof(text) - 1 && poll(&p, 1, 50) > 0) {
		n = read(fd, text + len, sizeof(text) - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	text[len] = '\0';
	return text;
}

static void a_terminal_sees_it_after_two_seconds(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY), slave;

	(void)state;
	setenv("TERM", "vt100", 1);
	assert_true(master >= 0 && !grantpt(master) && !unlockpt(master));
	slave = open(ptsname(master), O_RDWR | O_NOCTTY);
	assert_true(slave >= 0);
	progress_start(slave);
	progress_expect(200 * MIB);
	progress_add(10 * MIB);
	assert_string_equal(read_all(master), "");
	clock_sleep(PATIENCE_NS);
	progress_add(90 * MIB);
	assert_string_equal(read_all(master),
			    WIPE "\033[?7lweir: 50 % of 200 MiB read\033[?7h");
	progress_wipe();
	assert_string_equal(read_all(master), WIPE);
	progress_add(1); /* it is counted anew */
	progress_wipe();
	assert_string_equal(read_all(master), "");
	clock_sleep(PATIENCE_NS);
	progress_add(300 * MIB); /* a second pass: no end is known */
	assert_string_equal(read_all(master),
			    WIPE "\033[?7lweir: 300 MiB read\033[?7h");
	progress_stop();
	assert_string_equal(read_all(master), WIPE);
	progress_add(MIB);
	assert_string_equal(read_all(master), "");
	close(slave);
	close(master);
}

static void one_that_cannot_wipe_sees_nothing(void **state)
{
	int master = posix_openpt(O_RDWR | O_NOCTTY);

	(void)state;
	assert_true(master >= 0);
	setenv("TERM", "dumb", 1);
	assert_false(progress_can(master));
	setenv("TERM", "vt100", 1);
	assert_true(progress_can(master));
	unsetenv("TERM");
	assert_true(progress_can(master));
	close(master);
}

static void a_file_sees_nothing(void **state)
{
	int fds[2];

	(void)state;
	assert_int_equal(pipe(fds), 0);
	progress_start(fds[1]);
	clock_sleep(PATIENCE_NS);
	progress_add(MIB);
	progress_stop();
	assert_string_equal(read_all(fds[0]), "");
	close(fds[0]);
	close(fds[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_terminal_sees_it_after_two_seconds),
		cmocka_unit_test(one_that_cannot_wipe_sees_nothing),
		cmocka_unit_test(a_file_sees_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
