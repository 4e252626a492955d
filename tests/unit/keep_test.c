// SPDX-License-Identifier: BSD-2-Clause
/* keep_test.c - a place for archives is one's own and no link; an archive that
 * is moved is whole at one of the two places, also between file systems. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* after the four above */
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../user/keep.h"

#define SIZE 300000

static char dir[] = "/tmp/weir-keep-XXXXXX",
	    shm[] = "/dev/shm/weir-keep-XXXXXX";
static bool has_shm;

static int setup(void **state)
{
	(void)state;
	strcpy(strchr(dir, '-') + 6, "XXXXXX");
	strcpy(strchr(shm, '-') + 6, "XXXXXX");
	has_shm = mkdtemp(shm);
	return mkdtemp(dir) ? chdir(dir) : -1;
}

static int teardown(void **state)
{
	char command[128];

	(void)state;
	snprintf(command, sizeof(command), "rm -rf '%s' '%s'", dir,
		 has_shm ? shm : dir);
	return system(command);
}

static void make_file(const char *path, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL, mode), i;

	assert_true(fd >= 0);
	for (i = 0; i < SIZE; i += (int)sizeof(i))
		assert_int_equal(write(fd, &i, sizeof(i)), sizeof(i));
	close(fd);
}

static void expect_file(const char *path)
{
	int fd = open(path, O_RDONLY), i, n;

	assert_true(fd >= 0);
	for (i = 0; i < SIZE; i += (int)sizeof(i)) {
		assert_int_equal(read(fd, &n, sizeof(n)), sizeof(n));
		assert_int_equal(n, i);
	}
	assert_int_equal(read(fd, &n, 1), 0);
	close(fd);
}

static void make_archive(const char *path)
{
	char name[128];

	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(name, sizeof(name), "%s/one.weir", path);
	make_file(name, 0600);
	snprintf(name, sizeof(name), "%s/two.weir", path);
	make_file(name, 0600);
}

static void expect_archive(const char *path)
{
	char name[128];
	struct stat st;

	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	snprintf(name, sizeof(name), "%s/one.weir", path);
	expect_file(name);
	assert_int_equal(stat(name, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	snprintf(name, sizeof(name), "%s/two.weir", path);
	expect_file(name);
}

static bool is_there(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

static void a_place_is_made_for_its_user_alone(void **state)
{
	struct stat st;
	int fd, again;

	(void)state;
	assert_int_equal(keep_dir("a", NULL, &fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0700);
	assert_int_equal(keep_dir("a", NULL, &again), 0);
	close(fd);
	close(again);
	assert_int_equal(symlink("a", "link"), 0);
	fd = -7;
	again = keep_dir("link", NULL, &fd);
	assert_true(again == -ELOOP || again == -ENOTDIR);
	make_file("file", 0600);
	assert_int_equal(keep_dir("file", NULL, &fd), -ENOTDIR);
	assert_int_equal(keep_dir("no/a", NULL, &fd), -ENOENT);
	assert_int_equal(fd, -7);
}

static void a_place_of_another_user_is_refused(void **state)
{
	struct confine_user nobody;
	struct stat st;
	int fd = -7;

	(void)state;
	if (geteuid())
		skip();
	assert_int_equal(confine_user(CONFINE_NOBODY, &nobody), 0);
	assert_int_equal(keep_dir("a", &nobody, &fd), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_uid, nobody.uid);
	close(fd);
	fd = -7;
	assert_int_equal(keep_dir("a", NULL, &fd), -EPERM);
	assert_int_equal(mkdir("b", 0700), 0);
	assert_int_equal(keep_dir("b", &nobody, &fd), -EPERM);
	assert_int_equal(stat("b", &st), 0);
	assert_int_equal(st.st_uid, 0);
	assert_int_equal(fd, -7);
}

static void an_archive_is_moved_whole(void **state)
{
	(void)state;
	make_archive("a");
	assert_int_equal(keep_move("a", "b"), 0);
	expect_archive("b");
	assert_false(is_there("a"));
	make_archive("a");
	assert_int_equal(keep_move("a", "b"), -EEXIST);
	expect_archive("a");
	assert_int_equal(keep_move("a", "no/b"), -ENOENT);
	expect_archive("a");
}

/* "a", to be moved to @to, "b" of another file system; or all is skipped. */
static void make_one_to_move_elsewhere(char *to, size_t size)
{
	struct stat here, there;

	if (!has_shm || stat(".", &here) || stat(shm, &there) ||
	    here.st_dev == there.st_dev)
		skip();
	snprintf(to, size, "%s/b", shm);
	make_archive("a");
}

static void to_another_file_system_it_is_copied(void **state)
{
	char to[128];

	(void)state;
	make_one_to_move_elsewhere(to, sizeof(to));
	assert_int_equal(keep_move("a", to), 0);
	expect_archive(to);
	assert_false(is_there("a"));
	make_archive("a");
	assert_int_equal(keep_move("a", to), -EEXIST);
	expect_archive("a");
	expect_archive(to);
}

/* What cannot be copied, a link here, leaves all as it was. */
static void a_copy_that_fails_leaves_nothing(void **state)
{
	char to[128];

	(void)state;
	make_one_to_move_elsewhere(to, sizeof(to));
	assert_int_equal(symlink("/etc/passwd", "a/link"), 0);
	assert_int_equal(keep_move("a", to), -ELOOP);
	expect_archive("a");
	assert_false(is_there(to));
}

static void what_is_discarded_is_gone(void **state)
{
	int fd;

	(void)state;
	make_archive("a");
	assert_int_equal(symlink("../kept", "a/link"), 0);
	make_file("kept", 0600);
	fd = open("a", O_RDONLY | O_DIRECTORY);
	keep_discard(fd, "a");
	close(fd);
	assert_false(is_there("a"));
	expect_file("kept");
}

static void a_name_is_free(void **state)
{
	char first[KEEP_NAME_LEN], second[KEEP_NAME_LEN];

	(void)state;
	keep_name(first);
	assert_int_equal(mkdir(first, 0700), 0);
	keep_name(second);
	assert_string_not_equal(first, second);
	assert_false(is_there(second));
}

#define in_dir(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		in_dir(a_place_is_made_for_its_user_alone),
		in_dir(a_place_of_another_user_is_refused),
		in_dir(an_archive_is_moved_whole),
		in_dir(to_another_file_system_it_is_copied),
		in_dir(a_copy_that_fails_leaves_nothing),
		in_dir(what_is_discarded_is_gone),
		in_dir(a_name_is_free),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
