// SPDX-License-Identifier: BSD-2-Clause
/* segment_scan_test.c - what it costs to look for a frame in bytes that are
 * none. */
#include "../../user/segment.h"
#include "store.h"

#include <sys/syscall.h>

#define BYTES	   (4U << 20)
#define READS_MOST (BYTES >> 11) /* some for each chunk, where it ends */

static unsigned reads;

/* Instead of libc's, for all of the archive. */
ssize_t pread(int fd, void *to, size_t n, off_t at)
{
	reads++;
	return syscall(SYS_pread64, fd, to, n, at);
}

/* Return: a file that is @text over and over; nobody finds it. */
static int file_of(const char *text)
{
	char path[] = "/tmp/weir-scan.XXXXXX", some[4096];
	int fd = mkostemp(path, O_CLOEXEC);
	size_t i;

	assert_true(fd >= 0);
	assert_int_equal(unlink(path), 0);
	for (i = 0; i < sizeof(some); i++)
		some[i] = text[i % strlen(text)];
	for (i = 0; i < BYTES; i += sizeof(some))
		assert_int_equal(write(fd, some, sizeof(some)), sizeof(some));
	return fd;
}

/* Each may begin a frame, by its first bytes. */
static void what_looks_like_frames_is_not_read_for_each(void **state)
{
	struct segment_reader r;
	struct frame f;

	(void)state;
	assert_int_equal(segment_open(&r, file_of("WEIR")), 0);
	reads = 0;
	assert_int_equal(segment_next(&r, &f), -EBADMSG);
	assert_int_equal(r.damage.bytes, BYTES);
	assert_in_range(reads, 1, READS_MOST);
	assert_int_equal(segment_next(&r, &f), 0);
	segment_done(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_like_frames_is_not_read_for_each),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
