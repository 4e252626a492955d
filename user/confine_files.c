// SPDX-License-Identifier: BSD-2-Clause
/*
 * confine_files.c - Landlock; see confine.h.
 *
 * Protocol, versions and rights: Documentation/userspace-api/landlock.rst. The
 * header of the machine that builds may be older than the kernel that runs,
 * so what came after version 2 is spelled out.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "confine.h"

#define ACCESS_FS_ALL_1	   ((1ULL << 13) - 1)
#define ACCESS_FS_REFER	   (1ULL << 13) /* version 2, Linux 5.19 */
#define ACCESS_FS_TRUNCATE (1ULL << 14) /* version 3, 6.2 */
#define ACCESS_FS_IOCTL	   (1ULL << 15) /* version 5, 6.10 */
#define ACCESS_NET_ALL_4   3ULL		/* bind and connect of TCP; 6.7 */

/*
 * What is read by path later on: by archive_create() and self_rss(). The
 * descriptors stay open, for a rule belongs to an inode, and procfs makes a
 * new one once it has forgotten the name.
 */
static const char *const readable[] = {
	"/proc/self/statm",
	"/proc/sys/kernel/random/boot_id",
	"/sys/devices/system/cpu/possible",
};

#define READABLE (sizeof(readable) / sizeof(readable[0]))

/* What weir does with the files of an archive, and where snapshots go. */
#define ACCESS_ARCHIVE                                                         \
	(LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_READ_FILE |        \
	 LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE |        \
	 LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_DIR)

/* struct landlock_ruleset_attr as of version 4. */
struct ruleset {
	uint64_t fs, net;
};

int confine_files_abi(void)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0,
			   LANDLOCK_CREATE_RULESET_VERSION);

	return abi > 0 ? (int)abi : 0;
}

static uint64_t all_rights(int abi)
{
	uint64_t fs = ACCESS_FS_ALL_1;

	if (abi >= 2)
		fs |= ACCESS_FS_REFER;
	if (abi >= 3)
		fs |= ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		fs |= ACCESS_FS_IOCTL;
	return fs;
}

static int make_ruleset(int abi)
{
	struct ruleset r = {.fs = all_rights(abi)};
	size_t size = sizeof(r.fs);
	int fd;

	if (abi >= 4) {
		r.net = ACCESS_NET_ALL_4;
		size += sizeof(r.net);
	}
	fd = (int)syscall(SYS_landlock_create_ruleset, &r, size, 0);
	return fd < 0 ? -errno : fd;
}

static int allow(int ruleset, int fd, uint64_t access)
{
	struct landlock_path_beneath_attr rule = {
		.allowed_access = access,
		.parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset,
		       LANDLOCK_RULE_PATH_BENEATH, &rule, 0)
		       ? -errno
		       : 0;
}

static int allow_dir(int ruleset, int abi, int dir)
{
	return allow(ruleset, dir,
		     ACCESS_ARCHIVE | (abi >= 3 ? ACCESS_FS_TRUNCATE : 0));
}

/* One that is not there is not read either. */
static int allow_readable(int ruleset)
{
	size_t i;
	int fd, err = 0;

	for (i = 0; i < READABLE && !err; i++) {
		fd = open(readable[i], O_PATH | O_CLOEXEC);
		if (fd >= 0)
			err = allow(ruleset, fd, LANDLOCK_ACCESS_FS_READ_FILE);
	}
	return err;
}

int confine_files(const int *dirs, size_t count, bool facts)
{
	int abi = confine_files_abi(), fd, err;
	size_t i;

	if (!abi)
		return 0;
	fd = make_ruleset(abi);
	if (fd < 0)
		return fd;
	err = facts ? allow_readable(fd) : 0;
	for (i = 0; i < count && !err; i++)
		err = allow_dir(fd, abi, dirs[i]);
	if (!err && syscall(SYS_landlock_restrict_self, fd, 0))
		err = -errno;
	close(fd);
	return err;
}
