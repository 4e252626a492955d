/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * source_scope.h - which processes a recording is about: -p, --cgroup.
 *
 * The kernel decides it, in the map of processes that are followed: the source
 * task marks those, and the children of the first sort inherit the mark. A
 * process is one or it is not, with all of its threads.
 */
#ifndef WEIR_SOURCE_SCOPE_H
#define WEIR_SOURCE_SCOPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SCOPE_MAX 64 /* processes, and as many cgroups */

struct source_scope {
	/* with all they have started and will: numbers of processes */
	uint32_t trees[SCOPE_MAX];
	size_t tree_count;
	/* all that is in these, or in cgroups below: numbers in cgroup v2 */
	uint64_t cgroups[SCOPE_MAX];
	size_t cgroup_count;
	bool taken; /* the kernel knows, from who had it before; none above */
};

/**
 * source_scope_tree - add a process, or the one that a thread belongs to
 * @text: its number
 *
 * By /proc, of the pid namespace that it is mounted for. Return: 0; -EINVAL no
 * number; -ESRCH there is none; -E2BIG more than SCOPE_MAX.
 */
int source_scope_tree(struct source_scope *s, const char *text);

/**
 * source_scope_cgroup - add a cgroup
 * @path: its directory, or its path below where cgroup v2 is mounted
 *
 * Its number is that of the directory's inode (kernfs, on 64 bits).
 * Return: 0; -EOPNOTSUPP cgroup v2 is not mounted; -ENOENT there is none;
 * -E2BIG more than SCOPE_MAX; -errno of stat(2).
 */
int source_scope_cgroup(struct source_scope *s, const char *path);

#endif
