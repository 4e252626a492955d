// SPDX-License-Identifier: BSD-2-Clause
#include "cgroups.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "hash.h"

#define CONTAINER_ID_LEN 64 /* hex digits, OCI runtimes' default */

struct cgroup_node {
	struct cgroup c; /* first: a cgroup is its node */
	struct cgroup_node *chain;
	uint32_t held; /* times, by cgroups_hold() */
	bool removed;
	char *text; /* path, then container id */
};

static struct cgroup_node *find(const struct cgroups *g, uint64_t id)
{
	struct cgroup_node *n = g->buckets[hash_u64(id) % CGROUP_BUCKETS];

	while (n && n->c.id != id)
		n = n->chain;
	return n;
}

struct cgroup *cgroups_get(struct cgroups *g, uint64_t id)
{
	struct cgroup_node *n = find(g, id), **to;

	if (n)
		return &n->c;
	n = calloc(1, sizeof(*n));
	if (!n)
		return NULL;
	to = &g->buckets[hash_u64(id) % CGROUP_BUCKETS];
	n->c.id = id;
	n->c.path = n->c.container = "";
	n->chain = *to;
	*to = n;
	return &n->c;
}

static void forget(struct cgroups *g, struct cgroup_node *n)
{
	struct cgroup_node **p =
		&g->buckets[hash_u64(n->c.id) % CGROUP_BUCKETS];

	while (*p != n)
		p = &(*p)->chain;
	*p = n->chain;
	free(n->text);
	free(n);
}

void cgroups_hold(struct cgroup *c)
{
	((struct cgroup_node *)c)->held++;
}

void cgroups_release(struct cgroups *g, struct cgroup *c)
{
	struct cgroup_node *n = (struct cgroup_node *)c;

	if (n && !--n->held && (n->removed || !n->text))
		forget(g, n);
}

void cgroups_removed(struct cgroups *g, uint64_t id)
{
	struct cgroup_node *n = find(g, id);

	if (!n || n->removed)
		return;
	n->removed = true;
	cgroups_hold(&n->c);
	cgroups_release(g, g->last_removed);
	g->last_removed = &n->c;
}

/* The last run of exactly 64 hex digits, as OCI runtimes name cgroups. */
static const char *container_in(const char *path, size_t len)
{
	const char *found = NULL;
	size_t i, run = 0;

	for (i = 0; i <= len; i++) {
		if (i < len && isxdigit((unsigned char)path[i])) {
			run++;
			continue;
		}
		if (run == CONTAINER_ID_LEN)
			found = path + i - run;
		run = 0;
	}
	return found;
}

int cgroups_name(struct cgroup *c, struct field_bytes path)
{
	struct cgroup_node *n = (struct cgroup_node *)c;
	size_t len = path.len;
	char *text = calloc(1, len + 1 + CONTAINER_ID_LEN + 1);
	const char *id;

	if (!text)
		return -ENOMEM;
	memcpy(text, path.data, len);
	id = container_in(text, len);
	if (id)
		memcpy(text + len + 1, id, CONTAINER_ID_LEN);
	free(n->text);
	n->text = text;
	n->removed = false;
	c->path = text;
	c->path_full = path.full;
	c->container = text + len + 1;
	return 0;
}

const struct cgroup *cgroups_named(const struct cgroups *g, uint64_t id)
{
	const struct cgroup_node *n = find(g, id);

	return n && n->text ? &n->c : NULL;
}

int cgroups_each(const struct cgroups *g,
		 int (*fn)(void *arg, const struct cgroup *c), void *arg)
{
	const struct cgroup_node *n;
	size_t i;
	int err;

	for (i = 0; i < CGROUP_BUCKETS; i++) {
		for (n = g->buckets[i]; n; n = n->chain) {
			err = n->text ? fn(arg, &n->c) : 0;
			if (err)
				return err;
		}
	}
	return 0;
}

void cgroups_done(struct cgroups *g)
{
	struct cgroup_node *n, *next;
	size_t i;

	for (i = 0; i < CGROUP_BUCKETS; i++) {
		for (n = g->buckets[i]; n; n = next) {
			next = n->chain;
			free(n->text);
			free(n);
		}
	}
	memset(g, 0, sizeof(*g));
}
