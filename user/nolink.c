// SPDX-License-Identifier: BSD-2-Clause
#include "nolink.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* O_DIRECTORY | O_NOFOLLOW says ENOTDIR of a link; we promise ELOOP. */
static int open_old(int dirfd, const char *name, int flags, mode_t mode)
{
	struct stat st;
	int fd;

	fd = openat(dirfd, name, flags | O_NOFOLLOW, mode);
	if (fd >= 0)
		return fd;
	if (errno == ENOTDIR &&
	    !fstatat(dirfd, name, &st, AT_SYMLINK_NOFOLLOW) &&
	    S_ISLNK(st.st_mode))
		errno = ELOOP;
	return -errno;
}

/* O_NOFOLLOW would have a link at the end opened as such, or be ENOTDIR. */
static int open_new(int dirfd, const char *name, int flags, mode_t mode)
{
	struct open_how how = {
		.flags = (uint64_t)flags,
		.mode = flags & O_CREAT ? mode : 0,
		.resolve = RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS,
	};
	long fd = syscall(SYS_openat2, dirfd, name, &how, sizeof(how));

	return fd < 0 ? -errno : (int)fd;
}

int nolink_open(int dirfd, const char *name, int flags, mode_t mode)
{
	int fd, err;

	flags |= O_CLOEXEC | O_NONBLOCK | O_NOCTTY;
	fd = open_new(dirfd, name, flags, mode);
	if (fd == -ENOSYS || fd == -EPERM)
		fd = open_old(dirfd, name, flags, mode);
	if (fd < 0 || !(flags & O_CREAT) || !fchmod(fd, mode))
		return fd;
	err = -errno;
	close(fd);
	return err;
}
