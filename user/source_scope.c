// SPDX-License-Identifier: BSD-2-Clause
/* What is asked for, found out and handed to the source task. */
#include "source_scope.h"

#include <errno.h>
#include <limits.h>
#include <linux/magic.h>
#include <mntent.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "source_internal.h"
#include "units.h"

/* ---- processes ----------------------------------------------------------- */

/* The process of a task. Return: 0; -ESRCH. */
static int process_of(uint64_t tid, uint32_t *ret)
{
	char path[64], line[256];
	int found = 0;
	FILE *f;

	snprintf(path, sizeof(path), "/proc/%llu/status",
		 (unsigned long long)tid);
	f = fopen(path, "re");
	if (!f)
		return -ESRCH;
	while (!found && fgets(line, sizeof(line), f))
		found = sscanf(line, "Tgid: %u", ret) == 1;
	fclose(f);
	return found ? 0 : -ESRCH;
}

int source_scope_tree(struct source_scope *s, const char *text)
{
	uint64_t pid;
	int err;

	if (parse_u64(text, &pid) || !pid || pid > INT32_MAX)
		return -EINVAL;
	if (s->tree_count == SCOPE_MAX)
		return -E2BIG;
	err = process_of(pid, &s->trees[s->tree_count]);
	s->tree_count += !err;
	return err;
}

/* ---- cgroups ------------------------------------------------------------- */

/* Where cgroup v2 is mounted. Return: 0; -EOPNOTSUPP. */
static int find_mount(char dir[PATH_MAX])
{
	FILE *f = setmntent("/proc/self/mounts", "re");
	char line[2 * PATH_MAX];
	int err = -EOPNOTSUPP;
	struct mntent m;

	while (f && err && getmntent_r(f, &m, line, sizeof(line))) {
		if (strcmp(m.mnt_type, "cgroup2") != 0)
			continue;
		snprintf(dir, PATH_MAX, "%s", m.mnt_dir);
		err = 0;
	}
	if (f)
		endmntent(f);
	return err;
}

/* The number of a cgroup is that of its directory (kernfs_node.id, on 64 bits).
 * Return: 0; -ENOENT not a directory of cgroup v2; -errno. */
static int number_of(const char *dir, uint64_t *ret)
{
	struct statfs fs;
	struct stat st;

	if (statfs(dir, &fs) || stat(dir, &st))
		return -errno;
	if (fs.f_type != CGROUP2_SUPER_MAGIC || !S_ISDIR(st.st_mode))
		return -ENOENT;
	*ret = st.st_ino;
	return 0;
}

int source_scope_cgroup(struct source_scope *s, const char *path)
{
	char dir[PATH_MAX], below[2 * PATH_MAX];
	uint64_t *to = &s->cgroups[s->cgroup_count];
	int err = find_mount(dir);

	if (err)
		return err;
	if (s->cgroup_count == SCOPE_MAX)
		return -E2BIG;
	err = number_of(path, to);
	if (err == -ENOENT) {
		snprintf(below, sizeof(below), "%s/%s", dir, path);
		err = number_of(below, to);
	}
	s->cgroup_count += !err;
	return err;
}

/* ---- the map ------------------------------------------------------------- */

struct source *source_of_task(struct sources *s)
{
	unsigned i;

	for (i = 0; i < s->count; i++) {
		if (source_is(&s->list[i], SOURCE_TASK))
			return &s->list[i];
	}
	return NULL;
}

int source_share_followed(struct sources *s, struct source *src)
{
	struct bpf_map *map = bpf_object__find_map_by_name(src->obj,
							   "followed");
	struct source *task = source_of_task(s);
	struct bpf_map *theirs;

	if (!map)
		return 0;
	if (!sources_follow(s))
		return bpf_map__set_max_entries(map, 1);
	if (src == task)
		return 0;
	theirs = bpf_object__find_map_by_name(task->obj, "followed");
	return bpf_map__reuse_fd(map, bpf_map__fd(theirs));
}

bool sources_follow(const struct sources *s)
{
	const struct source_scope *scope = s->o.scope;

	return s->o.follow || (scope && (scope->tree_count ||
					 scope->cgroup_count || scope->taken));
}

/* Mark it in a map of the source task's. Return: 0; -errno. */
static int mark(const struct source *task, const char *map, const void *key)
{
	int fd = bpf_object__find_map_fd_by_name(task->obj, map);
	uint32_t why = WEIR_FOLLOW_TREE;

	return bpf_map_update_elem(fd, key, &why, BPF_ANY) ? -errno : 0;
}

int sources_follow_first(struct sources *s)
{
	const struct source_scope *scope = s->o.scope;
	struct source *task = source_of_task(s);
	int err = 0;
	size_t i;

	if (!task || !task->on)
		return 0;
	if (s->o.follow)
		err = mark(task, "followed", &s->o.follow);
	for (i = 0; !err && scope && i < scope->tree_count; i++)
		err = mark(task, "followed", &scope->trees[i]);
	for (i = 0; !err && scope && i < scope->cgroup_count; i++)
		err = mark(task, "cgroup_roots", &scope->cgroups[i]);
	return err;
}
