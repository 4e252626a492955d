// SPDX-License-Identifier: BSD-2-Clause
/* archive_dir_test.c - private, locked, and never entered through a link. */
#include "store.h"

#include <seccomp.h>
#include <sys/syscall.h>
#include <sys/wait.h>

static struct store store;
static char dir[64], path[80];
static mode_t mask;
static bool lock_goes; /* just before somebody takes it */

/* Instead of libc's, for all of the archive. */
int fcntl(int fd, int cmd, ...)
{
	va_list args;
	long arg;

	va_start(args, cmd);
	arg = va_arg(args, long);
	va_end(args);
	if (lock_goes && cmd == F_OFD_SETLK) {
		char name[100];

		snprintf(name, sizeof(name), "%s/LOCK", path);
		lock_goes = unlink(name) != 0;
	}
	return (int)syscall(SYS_fcntl, fd, cmd, arg);
}

static int setup(void **state)
{
	(void)state;
	mask = umask(022);
	store_scratch(dir);
	snprintf(path, sizeof(path), "%s/a", dir);
	store_init(&store);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	store_done(&store);
	store_remove(dir);
	umask(mask);
	return 0;
}

static unsigned mode_of(const char *name)
{
	struct stat st;

	assert_int_equal(lstat(name, &st), 0);
	return st.st_mode & 07777;
}

static void expect_private(void)
{
	char file[512];

	assert_int_equal(mode_of(path), 0700);
	assert_true(store_find(path, ".weir", file));
	assert_int_equal(mode_of(file), 0600);
	assert_true(store_find(path, "LOCK", file));
	assert_int_equal(mode_of(file), 0600);
}

static int try(const char *name)
{
	return store_open(&store, name, true, 0);
}

/* ---- permissions ------------------------------------------------------- */

static void files_are_private_whatever_the_umask(void **state)
{
	(void)state;
	umask(0);
	assert_int_equal(try(path), 0);
	store_close(&store);
	expect_private();
	store_remove(path);
	umask(0177);
	assert_int_equal(try(path), 0);
	store_close(&store);
	expect_private();
}

static void an_empty_directory_is_taken_and_made_private(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 0777), 0);
	assert_int_equal(try(path), 0);
	store_close(&store);
	expect_private();
}

static void an_empty_directory_that_is_everybodys_stays_so(void **state)
{
	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	assert_int_equal(chmod(path, 01777), 0);
	assert_int_equal(try(path), -EPERM);
	assert_int_equal(mode_of(path), 01777);
}

static void an_archive_that_others_may_write_to_is_refused(void **state)
{
	(void)state;
	assert_int_equal(try(path), 0);
	store_close(&store);
	assert_int_equal(chmod(path, 0770), 0);
	assert_int_equal(try(path), -EPERM);
	assert_int_equal(chmod(path, 0750), 0);
	assert_int_equal(try(path), 0);
	store_close(&store);
	assert_int_equal(mode_of(path), 0750);
}

static void another_users_directory_is_refused(void **state)
{
	(void)state;
	if (geteuid()) {
		print_message("only root can give a directory away\n");
		skip();
	}
	assert_int_equal(mkdir(path, 0755), 0);
	assert_int_equal(chown(path, 1234, 1234), 0);
	assert_int_equal(try(path), -EPERM);
	assert_int_equal(mode_of(path), 0755);
}

/* ---- what is there already --------------------------------------------- */

static void touch(const char *name)
{
	int fd = open(name, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	close(fd);
}

static void a_directory_of_other_things_is_left_alone(void **state)
{
	char file[512];

	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(file, sizeof(file), "%s/letter.txt", path);
	touch(file);
	assert_int_equal(try(path), -ENOTEMPTY);
	assert_int_equal(mode_of(path), 0755);
	assert_false(store_find(path, "LOCK", file));
}

static void what_is_no_directory_is_refused(void **state)
{
	char below[100];

	(void)state;
	touch(path);
	assert_int_equal(try(path), -ENOTDIR);
	snprintf(below, sizeof(below), "%s/b", path);
	assert_int_equal(try(below), -ENOTDIR);
	snprintf(below, sizeof(below), "%s/none/b", dir);
	assert_int_equal(try(below), -ENOENT);
}

static void segments_are_not_added_to_unasked(void **state)
{
	(void)state;
	assert_int_equal(try(path), 0);
	store_close(&store);
	assert_int_equal(store_open(&store, path, false, 0), -EEXIST);
	assert_int_equal(try(path), 0);
}

/* ---- links ------------------------------------------------------------- */

static void a_link_to_a_directory_is_refused(void **state)
{
	char target[80], slash[96];

	(void)state;
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(mkdir(target, 0700), 0);
	assert_int_equal(symlink(target, path), 0);
	assert_int_equal(try(path), -ELOOP);
	snprintf(slash, sizeof(slash), "%s//", path);
	assert_int_equal(try(slash), -ELOOP);
	assert_int_equal(rmdir(target), 0); /* nothing was put there */
	/* dangling: nothing must be made where it points */
	assert_int_equal(try(path), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
}

static void a_link_in_place_of_the_lock_is_refused(void **state)
{
	char lock[96], target[80];

	(void)state;
	assert_int_equal(mkdir(path, 0700), 0);
	snprintf(lock, sizeof(lock), "%s/LOCK", path);
	snprintf(target, sizeof(target), "%s/target", dir);
	assert_int_equal(symlink(target, lock), 0);
	assert_int_equal(try(path), -ELOOP);
	assert_int_equal(access(target, F_OK), -1);
}

static void a_link_in_place_of_a_segment_is_not_read(void **state)
{
	char file[512], moved[80];
	struct store_read r;

	(void)state;
	assert_int_equal(try(path), 0);
	store_close(&store);
	assert_true(store_find(path, ".weir", file));
	snprintf(moved, sizeof(moved), "%s/moved", dir);
	assert_int_equal(rename(file, moved), 0);
	assert_int_equal(symlink(moved, file), 0);
	r = store_read(path);
	assert_int_equal(r.err, -ELOOP);
}

/* As a kernel before 5.6, or a container's filter, does it. */
static int without_openat2(int (*fn)(void))
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);

	if (!filter ||
	    seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(openat2),
			     0) ||
	    seccomp_load(filter) || syscall(SYS_openat2, 0, "", NULL, 0) >= 0 ||
	    errno != ENOSYS)
		return __LINE__;
	return fn();
}

/* Return: in which line it is not as it should be; 0. */
static int links_and_files(void)
{
	char link[96], lock[96], target[80];
	struct stat st;

	if (try(path))
		return __LINE__;
	store_close(&store);
	snprintf(link, sizeof(link), "%s/link", dir);
	if (symlink(path, link) || try(link) != -ELOOP)
		return __LINE__;
	snprintf(lock, sizeof(lock), "%s/LOCK", path);
	snprintf(target, sizeof(target), "%s/target", dir);
	if (!lstat(lock, &st) && unlink(lock))
		return __LINE__;
	if (symlink(target, lock) || try(path) != -ELOOP || !lstat(target, &st))
		return __LINE__;
	return 0;
}

static void links_are_refused_where_there_is_no_openat2(void **state)
{
	pid_t pid = fork();
	int status;

	(void)state;
	if (!pid)
		_exit(without_openat2(links_and_files) % 255);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void parents_may_be_links(void **state)
{
	char link[80], below[100];

	(void)state;
	assert_int_equal(mkdir(path, 0755), 0);
	snprintf(link, sizeof(link), "%s/link", dir);
	assert_int_equal(symlink("a", link), 0);
	snprintf(below, sizeof(below), "%s/b/", link);
	assert_int_equal(try(below), 0);
}

/* ---- the lock ---------------------------------------------------------- */

static void a_second_recorder_is_refused(void **state)
{
	struct store second;

	(void)state;
	store_init(&second);
	assert_int_equal(try(path), 0);
	assert_int_equal(store_open(&second, path, true, 0), -EBUSY);
	/* a reader that looks at the lock does not take it */
	store_flush(&store);
	assert_int_equal(store_read(path).err, 0);
	assert_int_equal(store_open(&second, path, true, 0), -EBUSY);
	store_close(&store);
	assert_int_equal(store_open(&second, path, true, 0), 0);
	store_done(&second);
}

static void a_lock_that_was_just_removed_locks_nothing(void **state)
{
	struct store second;

	(void)state;
	store_init(&second);
	lock_goes = true;
	assert_int_equal(try(path), 0);
	assert_false(lock_goes);
	assert_int_equal(store_open(&second, path, true, 0), -EBUSY);
	store_done(&second);
}

static void children_do_not_keep_the_lock(void **state)
{
	int to[2], from[2];
	pid_t child;
	char c;

	(void)state;
	assert_int_equal(pipe2(to, O_CLOEXEC), 0);
	assert_int_equal(pipe2(from, O_CLOEXEC), 0);
	assert_int_equal(try(path), 0);
	child = fork();
	if (!child) {
		dup2(to[0], 0);
		dup2(from[1], 1);
		execlp("cat", "cat", (char *)NULL);
		_exit(127);
	}
	/* what it says it can only say after exec */
	assert_int_equal(write(to[1], "x", 1), 1);
	assert_int_equal(read(from[0], &c, 1), 1);
	store_close(&store);
	assert_int_equal(try(path), 0);
	close(to[1]);
	waitpid(child, NULL, 0);
	close(to[0]);
	close(from[0]);
	close(from[1]);
}

static void readers_tell_live_from_cut_off(void **state)
{
	struct verify_report v;
	pid_t child;

	(void)state;
	child = fork();
	if (!child) {
		if (!try(path) && !store_fill(&store, 100))
			store_flush(&store);
		_exit(0); /* as if killed: nothing is sealed */
	}
	waitpid(child, NULL, 0);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unsealed, 1);
	assert_int_equal(v.live, 0);
	assert_int_equal(v.events, 100);
	assert_int_equal(try(path), 0);
	assert_int_equal(store_fill(&store, 50), 0);
	store_flush(&store);
	assert_int_equal(store_verify(path, &v), 0);
	assert_int_equal(v.unsealed, 1);
	assert_int_equal(v.live, 1);
	assert_int_equal(v.events, 150);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(files_are_private_whatever_the_umask),
		T(an_empty_directory_is_taken_and_made_private),
		T(an_empty_directory_that_is_everybodys_stays_so),
		T(an_archive_that_others_may_write_to_is_refused),
		T(another_users_directory_is_refused),
		T(a_directory_of_other_things_is_left_alone),
		T(what_is_no_directory_is_refused),
		T(segments_are_not_added_to_unasked),
		T(a_link_to_a_directory_is_refused),
		T(a_link_in_place_of_the_lock_is_refused),
		T(a_link_in_place_of_a_segment_is_not_read),
		T(links_are_refused_where_there_is_no_openat2),
		T(parents_may_be_links),
		T(a_second_recorder_is_refused),
		T(a_lock_that_was_just_removed_locks_nothing),
		T(children_do_not_keep_the_lock),
		T(readers_tell_live_from_cut_off),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
