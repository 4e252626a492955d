// SPDX-License-Identifier: BSD-2-Clause
/* segment_scan_test.c - what a file that means harm makes its reader do. */
#include "../../user/block.h"
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

#define ROWS	 300000 /* compared with each other they take minutes, … */
#define PATIENCE 60	/* … one after the other a tenth of a second */

static void put_packed(struct segment *s, uint8_t type, const struct buf *bytes)
{
	struct frame f = {.type = type};
	struct block_codec *codec;
	struct buf b = {0};

	assert_int_equal(block_codec_new(&codec), 0);
	segment_frame(&b);
	assert_int_equal(block_pack(codec, bytes->data, bytes->len, &f, &b), 0);
	assert_int_equal(segment_put(s, &f, &b), 0);
	block_codec_free(codec);
	buf_done(&b);
}

static void put_account(struct segment *s)
{
	struct account_row *rows = calloc(ROWS, sizeof(*rows));
	struct buf b = {0};
	uint32_t i;

	assert_non_null(rows);
	for (i = 0; i < ROWS; i++) {
		strcpy(rows[i].source, "task");
		rows[i].cpu = i;
	}
	segment_put_account(&b, rows, ROWS, LOSS_BEGIN);
	put_packed(s, FRAME_LOSS, &b);
	put_packed(s, FRAME_LOSS, &b);
	buf_done(&b);
	free(rows);
}

static void make_segment(const char *dir)
{
	const struct segment_head head = {.run = 1, .number = 1};
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct schema *schema = store_schema();
	struct segment *s;
	struct buf b = {0};

	assert_int_equal(segment_create(&s, fd, &head), 0);
	schema_encode(schema, &b);
	put_packed(s, FRAME_SCHEMA, &b);
	put_account(s);
	assert_int_equal(segment_seal(s, &b), 0);
	assert_int_equal(segment_publish(s), 0);
	segment_close(s);
	schema_free(schema);
	buf_done(&b);
	close(fd);
}

static void an_account_of_very_many_rows_is_no_hang(void **state)
{
	char dir[64], *paths[] = {dir};
	const struct account_row *rows;
	struct verify_report v;
	struct archive *a;
	const char *why;

	(void)state;
	store_scratch(dir);
	make_segment(dir);
	alarm(PATIENCE);
	assert_int_equal(archive_open(&a, paths, 1, &why), 0);
	assert_int_equal(archive_account(a, &rows), ROWS);
	archive_free(a);
	assert_int_equal(store_verify(dir, &v), 0);
	alarm(0);
	store_remove(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_looks_like_frames_is_not_read_for_each),
		cmocka_unit_test(an_account_of_very_many_rows_is_no_hang),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
