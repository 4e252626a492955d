/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * alive.bpf.h - what the source task says of who is alive: by a walk over all,
 * and, for events that would have no name else, of whom a hook meets.
 */
#ifndef WEIR_ALIVE_BPF_H
#define WEIR_ALIVE_BPF_H

#include "flavors.h"
#include "follow.bpf.h"
#include "path.bpf.h"
#include "weir.bpf.h"

#define PF_EXITING	 0x00000004 /* include/linux/sched.h */
#define PF_KTHREAD	 0x00200000
#define CGROUP_DEPTH_MAX 16
#define CGROUPS_MAX	 16384

/* Cgroups whose path is in the stream already, by id; the root of each: v1 has
 * many hierarchies, each with ids of its own. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, CGROUPS_MAX);
	__type(key, __u64);
	__type(value, __u64);
} cgroups_seen SEC(".maps");

/*
 * Who was told because an event of another than those followed, or one that
 * came before the walk, needs a name: by the low bits of its tid, the last.
 */
#define MET_SLOTS 16384

struct met {
	__u64 start_time;
	__u64 name; /* its, folded: after an exec it is told again */
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, MET_SLOTS);
	__type(key, __u32);
	__type(value, struct met);
} met SEC(".maps");

static __always_inline __u32 task_uid(struct task_struct *t)
{
	const struct cred *cred = get(t, cred);

	return get(cred, euid.val);
}

static __always_inline __u32 task_ppid(struct task_struct *t)
{
	struct task_struct *parent = get(t, real_parent);

	return get(parent, tgid);
}

/* ---- cgroups, told ------------------------------------------------------- */

/* Lay the path of a cgroup down in paths[slot], see path_of_file(). */
__noinline int path_of_cgroup(__u64 cgroup, __u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	struct cgroup *cg = (struct cgroup *)cgroup;
	struct kernfs_node *kn, *parent;
	char name[PATH_NAME_MAX + 1];
	long n;
	int i;

	if (!weir_strings || !b || !cg)
		return 0;
	path_start(b);
	kn = BPF_CORE_READ(cg, kn);
	for (i = 0; i < CGROUP_DEPTH_MAX && !b->done; i++) {
		parent = kernfs_parent(kn);
		if (!parent) {
			b->done = PATH_WHOLE;
			break;
		}
		n = bpf_probe_read_kernel_str(name, sizeof(name),
					      BPF_CORE_READ(kn, name));
		if (n < 1)
			break;
		b->done = path_name(b, name, n - 1, 0);
		kn = parent;
	}
	return path_finish(b);
}

/* Put the path of a cgroup into the stream when it is new there. */
static __always_inline void see_cgroup(struct cgroup *cg, __u32 slot)
{
	struct ev_cgroup_path *ev;
	__u64 id = cgroup_id(cg), root;
	__u32 len = 0;

	if (bpf_map_lookup_elem(&cgroups_seen, &id))
		return;
	ev = weir_begin(slot);
	if (!ev)
		return;
	root = (__u64)get(cg, root);
	bpf_map_update_elem(&cgroups_seen, &id, &root, BPF_ANY);
	ev->h.flags = WEIR_F_CONTEXT;
	ev->cgroup = id;
	if (weir_strings)
		len = path_of_cgroup((__u64)cg, slot);
	len = path_put(ev, &ev->path, sizeof(*ev), slot, len);
	ev->h.kind = EV_CGROUP_PATH;
	if (!weir_emit_slot(slot, len, 0))
		bpf_map_delete_elem(&cgroups_seen, &id); /* the next time */
}

/* ---- what is alive ------------------------------------------------------- */

/* @t: the verifier may know it as a number only, as on 5.10 the current one. */
static __always_inline void fill_alive(struct ev_task_alive *ev,
				       struct task_struct *t, struct cgroup *cg)
{
	__u32 flags = get(t, flags);

	ev->h.flags = WEIR_F_CONTEXT;
	ev->start_time = get(t, start_time);
	ev->cgroup = cgroup_id(cg);
	ev->ppid = task_ppid(t);
	ev->uid = task_uid(t);
	ev->exiting = !!(flags & PF_EXITING);
	ev->kthread = !!(flags & PF_KTHREAD);
	if (weir_strings)
		bpf_probe_read_kernel(ev->task_comm, WEIR_COMM_LEN, t->comm);
	else
		__builtin_memcpy(ev->task_comm, t->comm, WEIR_COMM_LEN);
	weir_no_str(&ev->argv);
}

/* The file that an address space executes; a kernel thread has none. */
static __always_inline __u32 put_exe(void *base, struct weir_str *s, __u32 pos,
				     struct mm_struct *mm, __u32 slot)
{
	struct file *file = NULL;

	if (weir_strings && mm)
		file = BPF_CORE_READ(mm, exe_file);
	return weir_put_file(base, s, pos, (__u64)file, slot);
}

static __always_inline void say_alive(struct task_struct *t, __u32 slot)
{
	struct cgroup *cg = task_cgroup(t);
	struct ev_task_alive *ev;
	__u32 len = sizeof(*ev);

	see_cgroup(cg, slot);
	ev = weir_begin_of(slot, weir_who(get(t, tgid), get(t, pid)));
	if (!ev)
		return;
	fill_alive(ev, t, cg);
	len = put_exe(ev, &ev->file, len, get(t, mm), slot);
	weir_emit(&ev->h, slot, EV_TASK_ALIVE, len);
}

static __always_inline struct met *met_at(__u32 tid)
{
	__u32 slot = tid % MET_SLOTS;

	return bpf_map_lookup_elem(&met, &slot);
}

static __always_inline __u64 fold_name(struct task_struct *t)
{
	__u64 name[2];

	if (weir_strings)
		bpf_probe_read_kernel(name, sizeof(name), t->comm);
	else
		__builtin_memcpy(name, t->comm, sizeof(name));
	return name[0] ^ (name[1] << 1 | name[1] >> 63);
}

/* Is @t perhaps not known yet, or by another name? From now on it is. */
static __always_inline bool is_stranger(struct task_struct *t)
{
	__u64 start = get(t, start_time), name = fold_name(t);
	__u32 tid = get(t, pid);
	struct met *last = tid ? met_at(tid) : NULL;

	if (!last || (last->start_time == start && last->name == name))
		return false;
	last->start_time = start;
	last->name = name;
	return true;
}

/*
 * The first event of a task before the walk over what is alive has come to it
 * is to have a name; the walk may find it gone. For hooks without a slot: the
 * file it executes is left to the walk.
 */
static __noinline int introduce(struct task_struct *t)
{
	struct ev_task_alive *ev;

	if (weir_walked || !is_stranger(t))
		return 0;
	ev = weir_reserve_of(task_alive, EV_TASK_ALIVE,
			     weir_who(get(t, tgid), get(t, pid)));
	if (!ev)
		return 0;
	fill_alive(ev, t, task_cgroup(t));
	weir_no_str(&ev->file);
	ev->file.full = WEIR_STR_UNKNOWN;
	return weir_submit(ev);
}

static __always_inline void introduce_current(void)
{
	if (weir_task_btf || weir_strings)
		introduce(weir_current());
}

/* One that is not followed has to do with one that is; one that is may yet have
 * to be come to by the walk. */
static __noinline int meet(struct task_struct *t, __u32 slot)
{
	if (is_stranger(t) && (!weir_walked || !why_followed(get(t, tgid))))
		say_alive(t, slot);
	return 0;
}

static __always_inline void meet_current(__u32 slot)
{
	if (weir_follow && (weir_task_btf || weir_strings))
		meet(weir_current(), slot);
	else
		introduce_current();
}

/* It was met, and ends: it is known no more. */
static __always_inline bool part(struct task_struct *t)
{
	struct met *last = weir_follow ? met_at(get(t, pid)) : NULL;

	if (!last || last->start_time != get(t, start_time))
		return false;
	last->start_time = 0;
	return true;
}

#endif
