// SPDX-License-Identifier: BSD-2-Clause
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "clock.h"

#define PATIENCE_NS (2 * NS_PER_S) /* nothing is drawn before */
#define EACH_NS	    (NS_PER_S / 5) /* between two drawings */
#define MIB	    (1ULL << 20)
#define NO_WRAP	    "\033[?7l" /* DECAWM */
#define WRAP	    "\033[?7h"

static struct {
	int fd; /* 0: off */
	uint64_t all, done, next_ns;
	bool drawn;
} line;

/* One thread ends it while another is about to draw. */
static int get_fd(void)
{
	return __atomic_load_n(&line.fd, __ATOMIC_RELAXED);
}

static void set_fd(int fd)
{
	__atomic_store_n(&line.fd, fd, __ATOMIC_RELAXED);
}

bool progress_can(int fd)
{
	const char *term = getenv("TERM");

	return isatty(fd) && (!term || strcmp(term, "dumb") != 0);
}

bool progress_line(int fd, const char *text, size_t len)
{
	return dprintf(fd, PROGRESS_WIPE NO_WRAP "%.*s" WRAP, (int)len, text) >
	       0;
}

void progress_start(int fd)
{
	if (!progress_can(fd))
		return;
	line.next_ns = clock_now() + PATIENCE_NS;
	set_fd(fd);
}

void progress_expect(uint64_t bytes)
{
	__atomic_fetch_add(&line.all, bytes, __ATOMIC_RELAXED);
}

/* What was read more than once has no end that is known. */
static void draw(int fd, uint64_t done, uint64_t all)
{
	bool small = all < MIB * 10;
	const char *unit = small ? "KiB" : "MiB";
	unsigned shift = small ? 10 : 20;
	char text[80];
	int len;

	if (done <= all)
		len = snprintf(text, sizeof(text),
			       "weir: %llu %% of %llu %s read",
			       (unsigned long long)(done * 100 / (all + !all)),
			       (unsigned long long)(all >> shift), unit);
	else
		len = snprintf(text, sizeof(text), "weir: %llu %s read",
			       (unsigned long long)(done >> shift), unit);
	line.drawn = true;
	if (!progress_line(fd, text, (size_t)len))
		set_fd(0); /* nobody to tell */
}

void progress_add(uint64_t bytes)
{
	int fd = get_fd();
	uint64_t done, next, now;

	if (!fd)
		return;
	done = __atomic_add_fetch(&line.done, bytes, __ATOMIC_RELAXED);
	next = __atomic_load_n(&line.next_ns, __ATOMIC_RELAXED);
	now = clock_now();
	if (now < next)
		return;
	/* who moves it on is the one that draws; nothing else is ordered */
	if (__atomic_compare_exchange_n(&line.next_ns, &next, now + EACH_NS,
					false, __ATOMIC_RELAXED,
					__ATOMIC_RELAXED))
		draw(fd, done, __atomic_load_n(&line.all, __ATOMIC_RELAXED));
}

void progress_wipe(void)
{
	int fd = get_fd();

	if (line.drawn && fd &&
	    write(fd, PROGRESS_WIPE, sizeof(PROGRESS_WIPE) - 1) < 0)
		set_fd(0);
	line.drawn = false;
	line.done = 0;
	line.next_ns = clock_now() + PATIENCE_NS;
}

void progress_stop(void)
{
	progress_wipe();
	set_fd(0);
}
