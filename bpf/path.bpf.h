/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * path.bpf.h - the name of an open file, from the kernel's own objects.
 *
 * What a program passed to open() is a claim: another thread can change it
 * after the kernel has read it. This walks file -> dentry -> parents and
 * mounts instead, up to the root of the mount namespace, and so says what the
 * kernel really opened. bpf_d_path() would, but tracing hooks may not call it.
 */
#ifndef WEIR_PATH_BPF_H
#define WEIR_PATH_BPF_H

#include "strings.bpf.h"

#define PATH_NAME_MAX 255 /* NAME_MAX */
#define PATH_STEPS    16  /* squared: names and mounts walked; deeper is cut */

enum path_end { PATH_ON, PATH_WHOLE, PATH_CUT };

/*
 * Names are laid down from the end to the front. The state of the walk lives
 * here too: what the verifier cannot see it need not tell apart, and the
 * loops below stay small to it.
 */
struct path_buf {
	__u8 data[WEIR_STR_MAX + PATH_NAME_MAX + 1];
	struct dentry *dentry;
	struct dentry *root; /* of mnt */
	struct vfsmount *mnt;
	__u32 pos;  /* first byte laid down, in 0..WEIR_STR_MAX - 1 */
	__u32 done; /* enum path_end */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_SLOTS);
	__type(key, __u32);
	__type(value, struct path_buf);
} paths SEC(".maps");

#define PATH_END (WEIR_STR_MAX - 1)

static __always_inline void path_start(struct path_buf *b)
{
	b->pos = PATH_END;
	b->done = PATH_ON;
}

/* Lay down one name and the slash before it; full stops the walk. */
static __always_inline void path_name(struct path_buf *b, const void *name,
				      __u32 len)
{
	__u32 pos = b->pos;

	len &= PATH_NAME_MAX;
	if (pos < len + 1) {
		b->done = PATH_CUT;
		return;
	}
	pos -= len;
	bpf_probe_read_kernel(b->data + (pos & PATH_END), len, name);
	pos = (pos - 1) & PATH_END;
	b->data[pos] = '/';
	b->pos = pos;
}

/* Length laid down; the root itself is "/". */
static __always_inline __u32 path_finish(struct path_buf *b)
{
	__u32 pos = b->pos & PATH_END;

	if (pos == PATH_END) {
		pos = PATH_END - 1;
		b->data[pos] = '/';
		b->pos = pos;
	}
	return PATH_END - pos;
}

static __always_inline void path_enter_mount(struct path_buf *b,
					     struct vfsmount *mnt)
{
	b->mnt = mnt;
	b->root = BPF_CORE_READ(mnt, mnt_root);
}

/* At the root of a mount: to where it is mounted. */
static __always_inline void path_leave_mount(struct path_buf *b)
{
	struct mount *m, *up;

	m = (void *)b->mnt - bpf_core_field_offset(struct mount, mnt);
	up = BPF_CORE_READ(m, mnt_parent);
	if (up == m) {
		b->done = PATH_WHOLE;
		return;
	}
	b->dentry = BPF_CORE_READ(m, mnt_mountpoint);
	path_enter_mount(b,
			 (void *)up + bpf_core_field_offset(struct mount, mnt));
}

/* One step towards the root. A function to the verifier: checked once. */
__noinline int path_step(__u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	struct dentry *d, *parent;
	struct qstr name = {};

	if (!weir_strings || !b)
		return PATH_CUT;
	d = b->dentry;
	if (d == b->root) {
		path_leave_mount(b);
		return b->done;
	}
	parent = BPF_CORE_READ(d, d_parent);
	bpf_core_read(&name, sizeof(name), &d->d_name);
	/* Nothing above, but no root: has a name of its own, or lost its way */
	if (parent == d)
		b->done = name.len > 1 ? PATH_WHOLE : PATH_CUT;
	if (b->done != PATH_CUT)
		path_name(b, name.name, name.len);
	b->dentry = parent;
	return b->done;
}

/* Some of them: loops in two functions are far fewer rounds to the verifier. */
__noinline int path_steps(__u32 slot)
{
	int i, end = PATH_ON;

	for (i = 0; i < PATH_STEPS && end == PATH_ON; i++)
		end = path_step(slot);
	return end;
}

/*
 * path_of_file - lay the path of a struct file down in paths[slot]
 *
 * A function of its own to the verifier, checked once and not for each path
 * that leads here. Files that have no directory, as those of memfd_create(),
 * have their name alone. Return: its length; 0 when there is none.
 */
__noinline int path_of_file(__u64 file, __u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	struct file *f = (struct file *)file;
	struct path at = {};
	int i;

	if (!weir_strings || !b || !f)
		return 0;
	path_start(b);
	bpf_core_read(&at, sizeof(at), &f->f_path);
	b->dentry = at.dentry;
	path_enter_mount(b, at.mnt);
	for (i = 0; i < PATH_STEPS; i++)
		if (path_steps(slot) != PATH_ON)
			break;
	return path_finish(b);
}

/* Append what is laid down in paths[slot] to the scratch record. */
static __always_inline __u32 path_put(void *base, struct weir_str *s, __u32 pos,
				      __u32 slot, __u32 len)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	__u32 at = weir_tail(pos);

	s->off = at;
	s->len = 0;
	s->full = WEIR_STR_UNKNOWN;
	barrier_var(len); /* clang knows the range, the verifier not */
	len &= PATH_END;
	if (!weir_strings || !at || !b || !len)
		return pos;
	if (bpf_probe_read_kernel(base + at, len,
				  b->data + (b->pos & PATH_END)))
		return pos;
	s->len = len;
	s->full = b->done == PATH_WHOLE ? len : len + 1;
	return at + len;
}

/*
 * weir_put_file - append the path of an open file to the scratch record
 *
 * @file: struct file *
 *
 * Other arguments and return as weir_put_str(). Deeper than can be walked: the
 * front is cut, and @full says so.
 */
static __always_inline __u32 weir_put_file(void *base, struct weir_str *s,
					   __u32 pos, __u64 file, __u32 slot)
{
	return path_put(base, s, pos, slot, path_of_file(file, slot));
}

#endif
