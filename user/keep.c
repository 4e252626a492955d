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
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "confine.h"

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

/* Call @fn for each name in the directory. Return: 0; what @fn returned. */
static int each_name(DIR *dir,
		     int (*fn)(void *arg, int dirfd, const char *name),
		     void *arg)
{
	struct dirent *e;
	int err = 0;

	while (!err && (e = readdir(dir)))
		if (!is_dots(e->d_name))
			err = fn(arg, dirfd(dir), e->d_name);
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
