// SPDX-License-Identifier: BSD-2-Clause
#include "archive_dir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/fsuid.h>
#include <sys/stat.h>
#include <unistd.h>

#include "nolink.h"
#include "segment.h"

#define LOCK_NAME "LOCK"

int archive_dir_each(int fd, int (*fn)(void *arg, const char *name), void *arg)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *e;
	int rc = 0;
	DIR *d;

	if (copy < 0)
		return -errno;
	d = fdopendir(copy);
	if (!d) {
		rc = -errno;
		close(copy);
		return rc;
	}
	while (!rc && (errno = 0, e = readdir(d))) {
		if (strcmp(e->d_name, ".") && strcmp(e->d_name, ".."))
			rc = fn(arg, e->d_name);
	}
	if (!rc && errno)
		rc = -errno;
	closedir(d);
	return rc;
}

int archive_dir_split(char *path, const char **ret_name)
{
	size_t len = strlen(path);
	char *slash;
	int fd;

	while (len > 1 && path[len - 1] == '/')
		path[--len] = '\0';
	slash = strrchr(path, '/');
	if (!slash || slash == path) {
		*ret_name = slash && path[1] ? path + 1 : path;
		slash = slash ? "/" : ".";
		fd = open(slash, O_PATH | O_DIRECTORY | O_CLOEXEC);
		return fd < 0 ? -errno : fd;
	}
	*slash = '\0';
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	*slash = '/';
	*ret_name = slash + 1;
	return fd < 0 ? -errno : fd;
}

/* ---- what is there ----------------------------------------------------- */

struct content {
	uint64_t last_number;
	bool segments, lock, others;
};

static int look_at(void *arg, const char *name)
{
	struct content *c = arg;
	struct segment_head h;
	bool sealed;

	if (segment_parse_name(name, &h, &sealed)) {
		c->segments = true;
		if (h.number > c->last_number)
			c->last_number = h.number;
	} else if (!strcmp(name, LOCK_NAME)) {
		c->lock = true;
	} else {
		c->others = true;
	}
	return 0;
}

static int look(int fd, struct content *ret)
{
	*ret = (struct content){0};
	return archive_dir_each(fd, look_at, ret);
}

/*
 * Nobody else may be able to put a file of his in place of one of ours.
 * @ret: whose it is now
 */
static int make_ours(int fd, bool empty, const struct confine_user *user,
		     struct confine_user *ret)
{
	struct stat st;

	if (fstat(fd, &st))
		return -errno;
	*ret = (struct confine_user){st.st_uid, st.st_gid};
	if (st.st_uid != geteuid() && (!user || st.st_uid != user->uid))
		return -EPERM;
	if (st.st_mode & S_ISVTX) /* everybody's, like /tmp: it stays so */
		return -EPERM;
	if (!empty)
		return st.st_mode & (S_IWGRP | S_IWOTH) ? -EPERM : 0;
	if (fchmod(fd, 0700))
		return -errno;
	if (!user || st.st_uid == user->uid)
		return 0;
	*ret = *user;
	return fchown(fd, user->uid, user->gid) ? -errno : 0;
}

/* ---- the lock ---------------------------------------------------------- */

static int try_lock(int fd, int *ret)
{
	struct flock l = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	int lock, err;

	lock = nolink_open(fd, LOCK_NAME, O_RDWR | O_CREAT, 0600);
	if (lock < 0)
		return lock;
	if (!fcntl(lock, F_OFD_SETLK, &l)) {
		*ret = lock;
		return 0;
	}
	err = errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
	close(lock);
	return err;
}

/*
 * One that gives up removes its lock, undo(), and then lets go of it: who had
 * opened it before has locked what nobody else will find.
 */
static int take_lock(int fd, int *ret)
{
	struct stat st;
	int err;

	while (!(err = try_lock(fd, ret)) && !fstat(*ret, &st) && !st.st_nlink)
		close(*ret);
	return err;
}

bool archive_dir_is_locked(int fd)
{
	struct flock l = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
	int lock = nolink_open(fd, LOCK_NAME, O_RDONLY, 0);
	bool locked;

	if (lock < 0)
		return false;
	locked = !fcntl(lock, F_OFD_GETLK, &l) && l.l_type != F_UNLCK;
	close(lock);
	return locked;
}

/* ---- making it --------------------------------------------------------- */

static int make_dir(int parent, const char *name)
{
	bool made = !mkdirat(parent, name, 0700);
	int fd, err;

	if (!made && errno != EEXIST)
		return -errno;
	fd = nolink_open(parent, name, O_RDONLY | O_DIRECTORY, 0);
	if (fd < 0 || !made || !fchmod(fd, 0700))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

static int open_dir(const char *path)
{
	char *copy = strdup(path);
	const char *name;
	int parent, fd;

	if (!copy)
		return -ENOMEM;
	parent = archive_dir_split(copy, &name);
	fd = parent < 0 ? parent : make_dir(parent, name);
	if (parent >= 0)
		close(parent);
	free(copy);
	return fd;
}

/*
 * A link planted there must lead to nothing its owner could not reach himself.
 * setfsuid(2) takes root's rights to files from the calling thread.
 */
static int lock_as(struct archive_dir *d)
{
	uid_t uid = geteuid();
	gid_t gid = getegid();
	int err;

	if (uid == d->owner.uid)
		return take_lock(d->fd, &d->lock_fd);
	setfsgid(d->owner.gid);
	setfsuid(d->owner.uid);
	err = take_lock(d->fd, &d->lock_fd);
	setfsuid(uid);
	setfsgid(gid);
	return err;
}

static int enter(struct archive_dir *d, bool exist_ok,
		 const struct confine_user *user)
{
	struct content c;
	int err;

	err = look(d->fd, &c);
	if (err)
		return err;
	if (c.others && !c.segments && !c.lock)
		return -ENOTEMPTY;
	d->is_fresh = !c.segments && !c.lock;
	err = make_ours(d->fd, !c.segments, user, &d->owner);
	if (!err)
		err = lock_as(d);
	if (!err)
		err = look(d->fd, &c);
	if (err)
		return err;
	d->last_number = c.last_number;
	return c.segments && !exist_ok ? -EEXIST : 0;
}

/* What is fresh has our lock in it, and no more: as if it had not been. */
static void undo(const struct archive_dir *d, const char *path)
{
	if (d->is_fresh && d->lock_fd >= 0 && !unlinkat(d->fd, LOCK_NAME, 0))
		rmdir(path);
}

int archive_dir_create_for(struct archive_dir *ret, const char *path,
			   bool exist_ok, const struct confine_user *user)
{
	struct archive_dir d = {.fd = -1, .lock_fd = -1};
	int err;

	d.fd = open_dir(path);
	if (d.fd < 0)
		return d.fd;
	err = enter(&d, exist_ok, user);
	if (err) {
		undo(&d, path);
		archive_dir_done(&d);
		return err;
	}
	*ret = d;
	return 0;
}

int archive_dir_create(struct archive_dir *ret, const char *path, bool exist_ok)
{
	return archive_dir_create_for(ret, path, exist_ok, NULL);
}

void archive_dir_done(struct archive_dir *d)
{
	if (d->lock_fd >= 0)
		close(d->lock_fd);
	if (d->fd >= 0)
		close(d->fd);
	d->fd = d->lock_fd = -1;
}

bool archive_dir_is_gone(const struct archive_dir *d)
{
	struct stat st;

	return fstat(d->fd, &st) || !st.st_nlink;
}
