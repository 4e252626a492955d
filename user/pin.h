/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * pin.h - the directory in bpffs in which a recording outlives its recorder:
 * made, checked, locked, emptied.
 *
 * /sys/fs/bpf/weir/NAME, or weir-UID/NAME of who is not root, both 0700 and of
 * who records. bpffs may be writable by all
 * (1777 on some hosts), so either may have been made by somebody else, or be a
 * link: both are opened one after the other, never through a link, and what
 * was opened is checked. Who has it holds a lock (flock(2) of the directory),
 * which ends with the process. Files: their first letter tells the sort, which
 * is what matters when they are removed; bpffs takes no dot in a name.
 */
#ifndef WEIR_PIN_H
#define WEIR_PIN_H

#include <stdbool.h>

#define PIN_BPFFS    "/sys/fs/bpf"
#define PIN_ROOT_MAX 32
#define PIN_NAME_MAX 64
#define PIN_FILE_MAX 128 /* of a file's name in it */
#define PIN_PATH_MAX (PIN_FILE_MAX + 32)

/* First letters. */
#define PIN_LINK      'l' /* without it no event is made */
#define PIN_PROGRAM   'p'
#define PIN_RING      'r'
#define PIN_ACCOUNT   'a'
#define PIN_CPU_RINGS 'c'
#define PIN_OWN	      "own"
#define PIN_META      "meta" /* made last: with it, all is there */

struct pin {
	char name[PIN_NAME_MAX + 1];
	char above[PIN_ROOT_MAX]; /* "weir" or "weir-UID" */
	int top; /* descriptors: PIN_BPFFS, @above, the directory; -1: none */
	int root;
	int fd;
};

/* No pin. */
#define PIN_NONE ((struct pin){.top = -1, .root = -1, .fd = -1})

/**
 * pin_open - open the directory of @name and take its lock
 * @make: if there is none
 *
 * Waits up to a second for the lock, as a process that is killed may take a
 * while to let go of it.
 * Return: 0; -EINVAL no such name can be (A-Z a-z 0-9 _ -); -ENODEV there is no
 * bpffs; -ENOENT there is none of that name; -EBUSY a recorder has it; -EPERM
 * it, or what it is in, is another's, or open to others; -ELOOP a link;
 * -ENOTDIR; -EACCES, -errno of the system.
 */
int pin_open(struct pin *p, const char *name, bool make);

/** pin_above - name of the directory that this user's are in, in PIN_BPFFS. */
void pin_above(char ret[PIN_ROOT_MAX]);

/** pin_is_held - Return: has a recorder that of this name? False also where it
 * cannot be looked at. */
bool pin_is_held(const char *name);

/** pin_close - give up the lock; it stays. PIN_NONE: no-op. */
void pin_close(struct pin *p);

/** pin_path - what bpf(2) may open a file of it by, which takes no descriptor
 * of a directory before 6.5: in /proc/self/fd. As long as @p is open. */
void pin_path(const struct pin *p, const char *file, char ret[PIN_PATH_MAX]);

/** pin_has - Return: is there such a file, as far as can be told? */
bool pin_has(const struct pin *p, const char *file);

/**
 * pin_remove - remove files of it
 * @sort: those that begin with it; 0: all
 *
 * No other system calls than lseek, getdents64 and unlinkat, no memory.
 * Return: how many; -errno.
 */
int pin_remove(const struct pin *p, char sort);

/** pin_files - call @fn with the name of each file that begins with @sort,
 * valid for the call. Return: how many; -errno of getdents64(2). */
int pin_files(const struct pin *p, char sort,
	      void (*fn)(void *arg, const char *file), void *arg);

/** pin_remove_dir - the directory, when it is empty; and what it is in, when
 * that is. Return: 0; -ENOTEMPTY, -errno of unlinkat(2). */
int pin_remove_dir(const struct pin *p);

/**
 * pin_each - call @fn with each name that there is
 * Return: how many; 0 also without bpffs; -EACCES, -EPERM.
 */
int pin_each(void (*fn)(void *arg, const char *name), void *arg);

#endif
