// SPDX-License-Identifier: BSD-2-Clause
/*
 * keep.c - name, give away or discard an archive's directory; see keep.h.
 */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"

#define COPY_BYTES     (1U << 30)
#define NAMES_A_SECOND 100

void keep_name(char name[KEEP_NAME_LEN])
{
	time_t now = time(NULL);
	struct stat st;
	struct tm tm;
	size_t len;
	unsigned i;

	gmtime_r(&now, &tm);
	len = strftime(name, KEEP_NAME_LEN, "weir-%Y%m%dT%H%M%SZ", &tm);
	for (i = 2; !lstat(name, &st) && i < NAMES_A_SECOND; i++)
		snprintf(name + len, KEEP_NAME_LEN - len, "-%u", i);
}

static bool is_dots(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

static DIR *list(int at)
{
	int fd = openat(at, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (fd >= 0 && !dir)
		close(fd);
	return dir;
}

/* Call @fn for each name in the directory. Return: 0; what @fn returned;
 * -errno of readdir(3): there may be more. */
static int each_name(DIR *dir,
		     int (*fn)(void *arg, int dirfd, const char *name),
		     void *arg)
{
	struct dirent *e;
	int err = 0;

	while (!err) {
		errno = 0;
		e = readdir(dir);
		if (!e)
			return -errno;
		if (!is_dots(e->d_name))
			err = fn(arg, dirfd(dir), e->d_name);
	}
	return err;
}

/* ---- whose it is --------------------------------------------------------- */

static int give_file(void *arg, int dirfd, const char *name)
{
	const struct confine_user *o = arg;

	return fchownat(dirfd, name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW)
		       ? -errno
		       : 0;
}

int keep_give(int fd)
{
	struct confine_user o;
	DIR *dir;
	int err;

	if (!confine_caller(&o))
		return 0;
	dir = list(fd);
	if (!dir)
		return -errno;
	err = each_name(dir, give_file, &o);
	if (!err && fchown(fd, o.uid, o.gid))
		err = -errno;
	closedir(dir);
	return err;
}

static int remove_file(void *arg, int dirfd, const char *name)
{
	(void)arg;
	unlinkat(dirfd, name, 0);
	return 0;
}

void keep_discard(int fd, const char *path)
{
	DIR *dir = list(fd);

	if (!dir)
		return;
	each_name(dir, remove_file, NULL);
	closedir(dir);
	rmdir(path);
}

/* ---- a place for archives ------------------------------------------------ */

static int check_owner(int fd, const struct confine_user *user, bool made)
{
	struct stat st;

	if (made && user && fchown(fd, user->uid, user->gid))
		return -errno;
	if (fstat(fd, &st))
		return -errno;
	return st.st_uid == (user ? user->uid : geteuid()) ? 0 : -EPERM;
}

int keep_dir(const char *path, const struct confine_user *user, int *ret_fd)
{
	bool made = !mkdir(path, 0700);
	int fd, err;

	if (!made && errno != EEXIST)
		return -errno;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = check_owner(fd, user, made);
	if (err) {
		close(fd);
		return err;
	}
	*ret_fd = fd;
	return 0;
}

/* ---- moving -------------------------------------------------------------- */

static int copy_bytes(int from, int to)
{
	ssize_t n;

	do {
		n = sendfile(to, from, NULL, COPY_BYTES);
	} while (n > 0);
	return n || fsync(to) ? -errno : 0;
}

static int copy_file(void *arg, int dirfd, const char *name)
{
	const int *into = arg;
	int from = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC), to;
	int err;

	if (from < 0)
		return -errno;
	to = openat(*into, name,
		    O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	err = to < 0 ? -errno : copy_bytes(from, to);
	close(from);
	if (to >= 0)
		close(to);
	return err;
}

static int copy_dir(DIR *from, const char *to)
{
	int into = -1, err = 0;

	if (mkdir(to, 0700))
		return -errno;
	into = open(to, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	err = into < 0 ? -errno : each_name(from, copy_file, &into);
	if (err && into >= 0)
		keep_discard(into, to);
	if (into >= 0)
		close(into);
	return err;
}

static int copy(const char *from, const char *to)
{
	int fd = open(from, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : list(fd);
	int err = dir ? copy_dir(dir, to) : -errno;

	if (!err)
		keep_discard(fd, from);
	if (dir)
		closedir(dir);
	if (fd >= 0)
		close(fd);
	return err;
}

int keep_move(const char *from, const char *to)
{
	if (!renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE))
		return 0;
	return errno == EXDEV ? copy(from, to) : -errno;
}
