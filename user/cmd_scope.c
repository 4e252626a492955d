// SPDX-License-Identifier: BSD-2-Clause
/*
 * cmd_scope.c - which processes a recording is about; see cmd_capture.h.
 */
#include <errno.h>
#include <string.h>

#include "cmd_capture.h"

static int add_tree(struct capture *c, const char *text)
{
	int err = source_scope_tree(&c->scope, text);

	if (err == -EINVAL)
		return usage("-p '%s' is no number of a process", text);
	if (err == -ESRCH)
		return fail("-p %s: there is no such process", text);
	return err ? usage("-p: at most %d processes", SCOPE_MAX) : EXIT_OK;
}

static int add_cgroup(struct capture *c, const char *path)
{
	int err = source_scope_cgroup(&c->scope, path);

	if (err == -EOPNOTSUPP)
		return fail("--cgroup: this host has no cgroup v2 (mount -t "
			    "cgroup2 none DIR, or choose by -p or -f)");
	if (err == -ENOENT)
		return fail("--cgroup '%s': there is no such cgroup of v2 (see "
			    "systemd-cgls)",
			    path);
	if (err == -E2BIG)
		return usage("--cgroup: at most %d of them", SCOPE_MAX);
	return err ? fail("--cgroup '%s': %s", path, strerror(-err)) : EXIT_OK;
}

int scope_open(struct capture *c)
{
	const struct capture_args *a = c->args;
	int rc = EXIT_OK;
	size_t i;

	for (i = 0; !rc && i < a->trees.count; i++)
		rc = add_tree(c, a->trees.items[i]);
	for (i = 0; !rc && i < a->cgroups.count; i++)
		rc = add_cgroup(c, a->cgroups.items[i]);
	return rc;
}
