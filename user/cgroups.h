/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * cgroups.h - the cgroups that tasks are in, by id, and what they are called.
 *
 * One is there from the first time that something is in it, and has a path once
 * a cgroup_path event has told it; both may come in any order. It is forgotten
 * when nobody holds it and it was removed, or never had a path: so as many are
 * known as the host has, and not as many as it ever had. Thread: the owner's
 * only.
 */
#ifndef WEIR_CGROUPS_H
#define WEIR_CGROUPS_H

#include <stddef.h>
#include <stdint.h>

#include "event.h"

#define CGROUP_BUCKETS 1024

struct cgroup {
	uint64_t id;
	const char *path;      /* "" until known; owned by the table */
	const char *container; /* 64 hex digits of the path, or "" */
	uint32_t path_full;    /* as field_bytes.full: the path may be cut */
};

struct cgroup_node;

/* Zeroed: empty. */
struct cgroups {
	struct cgroup_node *buckets[CGROUP_BUCKETS];
	struct cgroup *last_removed; /* the owner's hold on it, or NULL */
};

/**
 * cgroups_get - Return: the one of that id, made where there is none; NULL: no
 * memory. It is valid until it is forgotten: who keeps it, holds it.
 */
struct cgroup *cgroups_get(struct cgroups *g, uint64_t id);

/** cgroups_hold - keep it, be it removed or not, until cgroups_release(). */
void cgroups_hold(struct cgroup *c);

/** cgroups_release - end one hold: @c may be gone then. NULL-safe. */
void cgroups_release(struct cgroups *g, struct cgroup *c);

/**
 * cgroups_removed - the kernel has it no longer; @id may be one not known
 *
 * It stays at least until the next one is removed, so that who looks at the
 * removal still finds its path.
 */
void cgroups_removed(struct cgroups *g, uint64_t id);

/**
 * cgroups_name - set its path and the container found in it
 *
 * The container is the last run of exactly 64 hexadecimal digits, as OCI
 * runtimes name cgroups by default. What path and container were before is
 * freed. It counts as there again if it was removed.
 * Return: 0; -ENOMEM, and it is as it was.
 */
int cgroups_name(struct cgroup *c, struct field_bytes path);

/** cgroups_named - Return: the one of that id; NULL: its path is not known. */
const struct cgroup *cgroups_named(const struct cgroups *g, uint64_t id);

/** cgroups_each - as tasks_each_cgroup(), in no order. */
int cgroups_each(const struct cgroups *g,
		 int (*fn)(void *arg, const struct cgroup *c), void *arg);

/** cgroups_done - free all, held or not; empty and usable again. */
void cgroups_done(struct cgroups *g);

#endif
