// SPDX-License-Identifier: BSD-2-Clause
#include "pin.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "clock.h"

#define LOCK_NAP_NS (20 * NS_PER_MS)
#define LOCK_TRIES  50
#define NAME_CHARS                                                             \
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"

/* ---- opening --------------------------------------------------------------
 */

/* Ours, and nobody else's to look into. */
static int check_dir(int fd)
{
	struct statfs fs;
	struct stat st;

	if (fstat(fd, &st) || fstatfs(fd, &fs))
		return -errno;
	if (fs.f_type != BPF_FS_MAGIC)
		return -ENODEV;
	if (st.st_uid != geteuid() || st.st_mode & 077)
		return -EPERM;
	return 0;
}

/* Return: descriptor; -errno. @made is one we made a moment ago, or not. */
static int open_dir(int at, const char *name, bool make)
{
	int fd, err;

	if (make && mkdirat(at, name, 0700) && errno != EEXIST)
		return -errno;
	fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = check_dir(fd);
	if (err)
		close(fd);
	return err ? err : fd;
}

static int open_top(void)
{
	int fd = open(PIN_BPFFS, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct statfs fs;

	if (fd < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	if (fstatfs(fd, &fs) || fs.f_type != BPF_FS_MAGIC) {
		close(fd);
		return -ENODEV;
	}
	return fd;
}

/* Each user has his own, or the first would shut out the others. */
void pin_above(char ret[PIN_ROOT_MAX])
{
	unsigned uid = geteuid();

	if (uid)
		snprintf(ret, PIN_ROOT_MAX, "weir-%u", uid);
	else
		snprintf(ret, PIN_ROOT_MAX, "weir");
}

static int open_root(struct pin *p, bool make)
{
	pin_above(p->above);
	p->top = open_top();
	if (p->top < 0)
		return p->top;
	p->root = open_dir(p->top, p->above, make);
	return p->root < 0 ? p->root : 0;
}

static int take_lock(int fd)
{
	int tries = 0;

	while (flock(fd, LOCK_EX | LOCK_NB)) {
		if (errno != EWOULDBLOCK)
			return -errno;
		if (++tries == LOCK_TRIES)
			return -EBUSY;
		clock_sleep(LOCK_NAP_NS);
	}
	return 0;
}

static bool is_name(const char *name)
{
	size_t len = strlen(name);

	return len && len <= PIN_NAME_MAX && strspn(name, NAME_CHARS) == len;
}

static int open_named(struct pin *p, const char *name, bool make)
{
	int err;

	*p = PIN_NONE;
	if (!is_name(name))
		return -EINVAL;
	strcpy(p->name, name);
	err = open_root(p, make);
	if (err)
		return err;
	p->fd = open_dir(p->root, name, make);
	return p->fd < 0 ? p->fd : 0;
}

int pin_open(struct pin *p, const char *name, bool make)
{
	int err = open_named(p, name, make);

	if (!err)
		err = take_lock(p->fd);
	if (err)
		pin_close(p);
	return err;
}

bool pin_is_held(const char *name)
{
	struct pin p;
	bool held;

	held = !open_named(&p, name, false) && flock(p.fd, LOCK_EX | LOCK_NB);
	pin_close(&p);
	return held;
}

void pin_close(struct pin *p)
{
	if (p->fd >= 0)
		close(p->fd);
	if (p->root >= 0)
		close(p->root);
	if (p->top >= 0)
		close(p->top);
	p->top = p->root = p->fd = -1;
}

/* ---- what is in it --------------------------------------------------------
 */

void pin_path(const struct pin *p, const char *file, char ret[PIN_PATH_MAX])
{
	snprintf(ret, PIN_PATH_MAX, "/proc/self/fd/%d/%s", p->fd, file);
}

bool pin_has(const struct pin *p, const char *file)
{
	return !faccessat(p->fd, file, F_OK, 0);
}

static bool is_dot(const char *name)
{
	return !strcmp(name, ".") || !strcmp(name, "..");
}

/* As getdents64(2) gives it. */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t len;
	uint8_t type;
	char name[];
};

/*
 * The names there are, as many as fit.
 * Return: 0; what @fn returned; -errno.
 */
static int each_name(int fd, int (*fn)(void *arg, const char *name), void *arg)
{
	_Alignas(8) char list[8192];
	const struct entry *e;
	long n, at;
	int rc = 0;

	if (lseek(fd, 0, SEEK_SET) < 0)
		return -errno;
	while ((n = syscall(SYS_getdents64, fd, list, sizeof(list))) > 0) {
		for (at = 0; at < n && !rc; at += e->len) {
			e = (const void *)(list + at);
			rc = is_dot(e->name) ? 0 : fn(arg, e->name);
		}
	}
	return n < 0 ? -errno : rc;
}

struct removal {
	const struct pin *pin;
	char sort;
	int count;
};

static int remove_one(void *arg, const char *name)
{
	struct removal *r = arg;

	if (r->sort && *name != r->sort)
		return 0;
	if (unlinkat(r->pin->fd, name, 0))
		return -errno;
	r->count++;
	return 0;
}

int pin_remove(const struct pin *p, char sort)
{
	struct removal r = {p, sort, 0};
	int err, before;

	do {
		before = r.count;
		err = each_name(p->fd, remove_one, &r);
	} while (!err && r.count != before);
	return err ? err : r.count;
}

int pin_remove_dir(const struct pin *p)
{
	if (unlinkat(p->root, p->name, AT_REMOVEDIR))
		return -errno;
	(void)unlinkat(p->top, p->above, AT_REMOVEDIR); /* if it is empty */
	return 0;
}

struct listing {
	void (*fn)(void *arg, const char *name);
	void *arg;
	char sort; /* of files; 0: any */
	int count;
};

static int list_one(void *arg, const char *name)
{
	struct listing *l = arg;

	if (l->sort && *name != l->sort)
		return 0;
	l->fn(l->arg, name);
	l->count++;
	return 0;
}

int pin_files(const struct pin *p, char sort,
	      void (*fn)(void *arg, const char *file), void *arg)
{
	struct listing l = {fn, arg, sort, 0};
	int err = each_name(p->fd, list_one, &l);

	return err ? err : l.count;
}

int pin_each(void (*fn)(void *arg, const char *name), void *arg)
{
	struct listing l = {fn, arg, 0, 0};
	struct pin p = PIN_NONE;
	int err = open_root(&p, false);

	if (!err)
		err = each_name(p.root, list_one, &l);
	pin_close(&p);
	if (err == -ENOENT || err == -ENODEV)
		err = 0;
	return err ? err : l.count;
}
