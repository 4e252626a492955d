// SPDX-License-Identifier: BSD-2-Clause
/*
 * keep.c - name, give away or discard an archive's directory; see keep.h.
 */
#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

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

int keep_open(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
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

static int found(void *arg, int dirfd, const char *name)
{
	(void)arg;
	(void)dirfd;
	(void)name;
	return 1;
}

bool keep_is_new(const char *path)
{
	int fd = keep_open(path);
	bool empty;
	DIR *dir;

	if (fd < 0)
		return fd == -ENOENT;
	dir = list(fd);
	empty = dir && !each_name(dir, found, NULL);
	if (dir)
		closedir(dir);
	close(fd);
	return empty;
}

/* ---- whose it is --------------------------------------------------------- */

struct owner {
	uid_t uid;
	gid_t gid;
};

static bool parse_id(const char *text, unsigned *ret)
{
	unsigned long n;
	char *end;

	if (!text || *text < '0' || *text > '9')
		return false;
	errno = 0;
	n = strtoul(text, &end, 10);
	*ret = (unsigned)n;
	return !*end && !errno && n < UINT_MAX;
}

static int give_file(void *arg, int dirfd, const char *name)
{
	const struct owner *o = arg;

	return fchownat(dirfd, name, o->uid, o->gid, AT_SYMLINK_NOFOLLOW)
		       ? -errno
		       : 0;
}

int keep_give(int fd)
{
	struct owner o;
	DIR *dir;
	int err;

	if (getuid() || !parse_id(getenv("SUDO_UID"), &o.uid) || !o.uid ||
	    !parse_id(getenv("SUDO_GID"), &o.gid))
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
