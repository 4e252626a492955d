/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * follow.bpf.h - which processes are followed, where only some are: kept by the
 * source task, asked by all (weir_admit()).
 *
 * A process has its mark from its fork on, or from when it was found or moved,
 * until the kernel frees the task that led it: its last thread may still be on
 * its way out when the others are gone.
 */
#ifndef WEIR_FOLLOW_BPF_H
#define WEIR_FOLLOW_BPF_H

#include "weir.bpf.h"

#define LEVELS_MAX 64 /* of cgroups, and of parents; none above is seen */

/* Set by user/source_load.c. */
const volatile bool weir_follow_cgroups; /* some of those in cgroup_roots */
const volatile bool weir_follow_trees;	 /* of processes that are there */

/* All that were alive are marked. Until then one that is started may have a
 * parent that is not, and a number that was passed already. */
static bool weir_walked;

/* Cgroups all of whose processes are followed, and of those below: by id, which
 * is a kernfs node's (user/source_scope.c fills it, SCOPE_MAX). */
struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 64);
	__type(key, __u64);
	__type(value, __u32);
} cgroup_roots SEC(".maps");

/*
 * By the low bits of its number, the process that ended last: when another one
 * comes there nothing is left of it, whose end the kernel may not have shown
 * (block.bpf.c has seen such a one). So no more marks than these are left.
 */
#define ENDED_SLOTS 16384

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, ENDED_SLOTS);
	__type(key, __u32);
	__type(value, __u32);
} last_ended SEC(".maps");

/*
 * A pointer of a task, or a field of what one points to. What is read by helper
 * is a number to the verifier, as path_of_cgroup() wants it, and spares it a
 * search (see file_of_fd()); direct loads, from a pointer the verifier knows,
 * are what lockdown=confidentiality leaves.
 */
#define get(p, field) (weir_strings ? BPF_CORE_READ(p, field) : (p)->field)

/* ---- cgroups ------------------------------------------------------------- */

/*
 * Its cgroup in the unified hierarchy; where it is in that one's root, and v1
 * has a hierarchy for memory, the one in there. Never NULL.
 */
static __always_inline struct cgroup *task_cgroup(struct task_struct *t)
{
	struct css_set *set = get(t, cgroups);
	struct cgroup *cg = get(set, dfl_cgrp);
	struct cgroup_subsys_state *css = NULL;
	__u32 id;

	if (get(cg, level) > 0 ||
	    !bpf_core_enum_value_exists(enum cgroup_subsys_id, memory_cgrp_id))
		return cg;
	id = bpf_core_enum_value(enum cgroup_subsys_id, memory_cgrp_id);
	if (weir_strings)
		bpf_probe_read_kernel(&css, sizeof(css), &set->subsys[id]);
	else
		css = set->subsys[id];
	return css ? get(css, cgroup) : cg;
}

/* Unique in its hierarchy while the host is up (kernfs_node.id, 64 bits). */
static __always_inline __u64 cgroup_id(struct cgroup *cg)
{
	struct kernfs_node *kn = get(cg, kn);

	return get(kn, id);
}

/* ---- who is followed ----------------------------------------------------- */

/* Is its cgroup in the unified hierarchy one asked for, or below one? */
static __always_inline bool is_in_cgroups(struct task_struct *t)
{
	struct css_set *set = get(t, cgroups);
	struct cgroup *cg = get(set, dfl_cgrp);
	struct cgroup_subsys_state *css;
	__u64 id;
	int i;

	if (!weir_follow_cgroups)
		return false;
	for (i = 0; i < LEVELS_MAX && cg; i++) {
		id = cgroup_id(cg);
		if (bpf_map_lookup_elem(&cgroup_roots, &id))
			return true;
		css = get(cg, self.parent);
		if (!css)
			break;
		cg = get(css, cgroup);
	}
	return false;
}

/*
 * follow - mark process @pid
 * @why: WEIR_FOLLOW_*, in place of what it had
 *
 * What cannot be marked, the map being full, is not recorded: counted as
 * missed, one loss at least.
 */
static __always_inline void follow(__u32 pid, __u32 why)
{
	if (bpf_map_update_elem(&followed, &pid, &why, BPF_ANY))
		weir_count_missed();
}

/* Return: WEIR_FOLLOW_*; 0: it is not followed. */
static __always_inline __u32 why_followed(__u32 pid)
{
	__u32 *why = bpf_map_lookup_elem(&followed, &pid);

	return why ? *why : 0;
}

/* Nothing of process @pid is left; it may not have been followed. */
static __always_inline void unfollow(__u32 pid)
{
	bpf_map_delete_elem(&followed, &pid);
}

/*
 * follow_to_end - process @pid ends
 *
 * Its other threads, what it leaves open: they may still have to tell. So it
 * keeps its mark until task__free_followed(), or until another one that ended
 * takes its slot.
 */
static __always_inline void follow_to_end(__u32 pid)
{
	__u32 *why = bpf_map_lookup_elem(&followed, &pid), *last;
	__u32 slot = pid % ENDED_SLOTS;

	if (!why)
		return;
	*why |= WEIR_FOLLOW_ENDED;
	last = bpf_map_lookup_elem(&last_ended, &slot);
	if (!last)
		return;
	if (*last != pid && why_followed(*last) & WEIR_FOLLOW_ENDED)
		unfollow(*last);
	*last = pid;
}

/* Is it, or what it comes from, in a tree that is followed? Return:
 * WEIR_FOLLOW_TREE; 0. */
static __always_inline __u32 is_in_trees(struct task_struct *t)
{
	__u32 why = 0;
	int i;

	for (i = 0; i < LEVELS_MAX && t && t->tgid > 1; i++) {
		why |= why_followed(t->tgid) & WEIR_FOLLOW_TREE;
		t = t->real_parent;
	}
	return why;
}

/* One that was alive: an ancestor is followed, or its cgroup. */
static __always_inline void follow_alive(struct task_struct *t)
{
	__u32 why = why_followed(t->tgid), had = why;

	if (weir_follow_trees)
		why |= is_in_trees(t);
	if (is_in_cgroups(t))
		why |= WEIR_FOLLOW_CGROUP;
	if (why != had)
		follow(t->tgid, why);
}

/*
 * follow_child - at a fork: does the child belong to what is followed?
 * @parent: tgid of who forks
 *
 * A thread has the mark of its process. Before the walk over what was alive is
 * done the parent may not have its mark yet: then its ancestors are asked.
 */
static __always_inline void follow_child(struct task_struct *child,
					 __u32 parent)
{
	__u32 why = why_followed(parent) & WEIR_FOLLOW_TREE;

	if (child->pid != child->tgid)
		return; /* a thread */
	if (weir_follow_trees && !weir_walked)
		why |= is_in_trees(child);
	if (is_in_cgroups(child))
		why |= WEIR_FOLLOW_CGROUP;
	if (why)
		follow(child->tgid, why);
	else if (why_followed(child->tgid))
		unfollow(child->tgid); /* that was another with its number */
}

#endif
