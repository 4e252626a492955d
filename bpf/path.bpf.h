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

#include "peek.bpf.h"
#include "strings.bpf.h"

#define PATH_NAME_MAX 255 /* NAME_MAX */
#define PATH_STEPS    4	  /* names and mounts walked in a round */
#define PATH_ROUNDS   64  /* deeper is cut */
#define PATH_WORDS    16  /* bytes of a name that are read as two words */
#define PATH_SHORT    64  /* of a path that are copied as words */
#define SORT_MAX      32  /* of a namespace: "time_for_children" */
#define DIGITS_MAX    20  /* 2^64 */

/* include/uapi/linux/magic.h */
#define PIPEFS_MAGIC 0x50495045
#define NSFS_MAGIC   0x6e736673

/* How a walk stands: on its way, at the root, or given up where it is: too
 * long, too deep, or lost. */
enum path_end { PATH_ON, PATH_WHOLE, PATH_CUT };

/* Where a walk is. */
struct path_at {
	struct dentry *dentry;
	struct dentry *root; /* of mnt */
	struct vfsmount *mnt;
};

/*
 * Names are laid down from the end to the front. Whole words of them: what is
 * before a name is written, too, and then by the name before it.
 */
struct path_buf {
	__u8 front[PATH_WORDS];
	__u8 data[WEIR_STR_MAX + PATH_NAME_MAX + 1];
	struct path_at at; /* between two rounds of steps */
	__u32 pos;	   /* first byte laid down, in 0..WEIR_STR_MAX - 1 */
	__u32 done;	   /* enum path_end */
};

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, WEIR_SLOTS);
	__type(key, __u32);
	__type(value, struct path_buf);
} paths SEC(".maps"); /* one of each slot of strings.bpf.h, for each CPU */

/* Behind the last byte of a path; a mask as well. So 4,095 bytes at most. */
#define PATH_END (WEIR_STR_MAX - 1)

/* Nothing is laid down yet. */
static __always_inline void path_start(struct path_buf *b)
{
	b->pos = PATH_END;
	b->done = PATH_ON;
}

/*
 * The bytes of a name, to end at @end. Words from its end on, where they are
 * sure to be on the page that it begins on: no other need be there.
 */
static __always_inline void path_bytes(struct path_buf *b, __u32 end,
				       const void *name, __u32 len,
				       const __u32 type)
{
	__u64 *last = (void *)b->data + (end & PATH_END) - sizeof(*last);

	if (!type || len > PATH_WORDS || ((__u64)name & 4095) < PATH_WORDS) {
		bpf_probe_read_kernel(b->data + ((end - len) & PATH_END), len,
				      name);
		return;
	}
	name += len - sizeof(*last);
	last[0] = weir_word_at(name, type);
	last[-1] = weir_word_at(name - sizeof(*last), type);
}

/*
 * Lay down one name and the slash before it
 * @len: bytes of it, without a NUL; modulo 256
 *
 * Return: PATH_ON; PATH_CUT: there is no room for it, and it is left out.
 */
static __always_inline int path_name(struct path_buf *b, const void *name,
				     __u32 len, const __u32 type)
{
	__u32 pos = b->pos;

	len &= PATH_NAME_MAX;
	if (pos < len + 1)
		return PATH_CUT;
	path_bytes(b, pos, name, len, type);
	pos = (pos - len - 1) & PATH_END;
	b->data[pos] = '/';
	b->pos = pos;
	return PATH_ON;
}

/* Length laid down, from b->pos on and without a NUL; the root itself is "/".
 */
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

/* Go on in a mount, whose root ends it. @type: weir_word_type, or 0. */
static __always_inline void
path_enter_mount(struct path_at *at, struct vfsmount *mnt, const __u32 type)
{
	at->mnt = mnt;
	at->root = weir_peek(mnt, mnt_root, type);
}

/*
 * At the root of a mount: to where it is mounted (struct mount, fs/mount.h).
 * One that is its own parent is the root of a namespace, or detached. Return:
 * PATH_ON; PATH_WHOLE.
 */
static __always_inline int path_leave_mount(struct path_at *at,
					    const __u32 type)
{
	struct mount *m, *up;

	m = (void *)at->mnt - bpf_core_field_offset(struct mount, mnt);
	up = weir_peek(m, mnt_parent, type);
	if (up == m)
		return PATH_WHOLE;
	at->dentry = weir_peek(m, mnt_mountpoint, type);
	path_enter_mount(at,
			 (void *)up + bpf_core_field_offset(struct mount, mnt),
			 type);
	return PATH_ON;
}

/* What a step reads of a dentry: neighbours there (include/linux/dcache.h). */
struct path_entry {
	struct dentry *d_parent;
	struct qstr d_name;
};

/* Both at once where they are neighbours, as a call of the helper is dear. */
static __always_inline void path_read(struct path_entry *e, struct dentry *d,
				      const __u32 type)
{
	if (type) {
		e->d_parent = weir_peek(d, d_parent, type);
		e->d_name.name = weir_peek(d, d_name.name, type);
		e->d_name.len = weir_peek(d, d_name.len, type);
	} else if (bpf_core_field_offset(struct dentry, d_name) -
			   bpf_core_field_offset(struct dentry, d_parent) ==
		   sizeof(e->d_parent)) {
		bpf_probe_read_kernel(e, sizeof(*e), &d->d_parent);
	} else { /* CONFIG_RANDSTRUCT */
		bpf_core_read(&e->d_parent, sizeof(e->d_parent), &d->d_parent);
		bpf_core_read(&e->d_name, sizeof(e->d_name), &d->d_name);
	}
}

/* Odd while it is renamed, and another one then (fs/dcache.c, __d_move()). */
#define path_turn(d, type) weir_peek(d, d_seq.seqcount.sequence, type)

/*
 * One step towards the root, or none where the name was not whole: another CPU
 * renamed what has it. Return: enum path_end.
 */
static __always_inline int path_step(struct path_buf *b, struct path_at *at,
				     const __u32 type)
{
	struct dentry *d = at->dentry;
	__u32 pos = b->pos, turn;
	struct path_entry e;
	int end;

	if (d == at->root)
		return path_leave_mount(at, type);
	turn = path_turn(d, type);
	path_read(&e, d, type);
	end = path_name(b, e.d_name.name, e.d_name.len, type);
	if (turn & 1 || turn != path_turn(d, type)) {
		b->pos = pos;
		return PATH_ON;
	}
	at->dentry = e.d_parent;
	if (e.d_parent != d || end != PATH_ON)
		return end;
	/* Nothing above, but no root: has a name of its own, or lost its way */
	if (e.d_name.len > 1)
		return PATH_WHOLE;
	b->pos = pos;
	return PATH_CUT;
}

/* PATH_STEPS of them, from where b->at is; how it stands then is b->done. */
static __always_inline void path_walk(struct path_buf *b, const __u32 type)
{
	struct path_at at = b->at;
	int i, end = PATH_ON;

	for (i = 0; i < PATH_STEPS && end == PATH_ON; i++)
		end = path_step(b, &at, type);
	b->at = at;
	b->done = end;
}

/*
 * Some of them, in paths[slot]. A function to the verifier: checked once, and
 * loops in two functions are far fewer rounds to it. Return: enum path_end.
 */
__noinline int path_steps(__u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	__u32 type = weir_word_type;

	if (!weir_strings || !b)
		return PATH_CUT;
	if (type)
		path_walk(b, type);
	else
		path_walk(b, 0);
	return b->done;
}

/* Lay down text without a slash: the last @len bytes of it. Where there is no
 * room for it and a slash: nothing. */
static __always_inline void path_text(struct path_buf *b, const char *text,
				      __u32 len)
{
	__u32 pos = b->pos;

	if (path_name(b, text, len, 0) == PATH_ON)
		b->pos = pos - len;
}

/* Lay down a number, decimal. */
static __always_inline void path_number(struct path_buf *b, __u64 number)
{
	__u32 pos = b->pos;
	int i;

	for (i = 0; i < DIGITS_MAX && (number || !i); i++) {
		pos = (pos - 1) & PATH_END;
		b->data[pos] = '0' + number % 10;
		number /= 10;
	}
	b->pos = pos;
}

/*
 * "pipe", or the sort of a namespace (ns_common.ops->name)
 * @name: SORT_MAX bytes
 *
 * Return: length, without a NUL; 0: neither; less or more where it could not be
 * read.
 */
static __always_inline long path_sort(char *name, struct dentry *d)
{
	__u64 magic = BPF_CORE_READ(d, d_sb, s_magic);
	struct ns_common *ns;

	if (magic == PIPEFS_MAGIC) {
		__builtin_memcpy(name, "pipe", 4);
		return 4;
	}
	if (magic != NSFS_MAGIC)
		return 0;
	ns = BPF_CORE_READ(d, d_inode, i_private);
	if (!bpf_core_field_exists(ns->ops))
		return 0;
	return bpf_probe_read_kernel_str(name, SORT_MAX,
					 BPF_CORE_READ(ns, ops, name)) -
	       1;
}

/*
 * What has neither name nor directory: as in /proc/PID/fd, "pipe:[12345]",
 * "net:[4026531840]" (pipefs_dname() and ns_dname() in the kernel's fs/). A
 * function to the verifier. Of the dentry in paths[slot].at. Return: as
 * path_of_file().
 */
__noinline int path_nameless(__u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	char name[SORT_MAX] = {};
	struct dentry *d;
	long len;

	if (!weir_strings || !b)
		return 0;
	d = b->at.dentry;
	len = path_sort(name, d);
	if (len < 1 || len >= SORT_MAX)
		return 0;
	path_start(b);
	path_text(b, "]", 1);
	path_number(b, BPF_CORE_READ(d, d_inode, i_ino));
	path_text(b, ":[", 2);
	path_text(b, name, len);
	b->done = PATH_WHOLE;
	return path_finish(b);
}

/*
 * path_of_file - lay the path of a struct file down in paths[slot]
 *
 * A function of its own to the verifier, checked once and not for each path
 * that leads here. Files that have no directory, as those of memfd_create(),
 * have their name alone.
 * @file: struct file *, which somebody holds for as long; 0: none
 * @slot: of the hook, enum weir_slot
 *
 * Return: its length, bytes; 0 when there is none, nor is it known what else it
 * is. Where it begins is b->pos, whether it is whole b->done.
 */
__noinline int path_of_file(__u64 file, __u32 slot)
{
	struct path_buf *b = bpf_map_lookup_elem(&paths, &slot);
	struct file *f = (struct file *)file;
	__u32 type = weir_word_type;
	int i;

	if (!weir_strings || !b || !f)
		return 0;
	path_start(b);
	b->at.dentry = weir_peek(f, f_path.dentry, type);
	path_enter_mount(&b->at, weir_peek(f, f_path.mnt, type), type);
	for (i = 0; i < PATH_ROUNDS; i++)
		if (path_steps(slot) != PATH_ON)
			break;
	if (b->done == PATH_CUT && b->pos == PATH_END)
		return path_nameless(slot);
	return path_finish(b);
}

/* Both have room for PATH_SHORT. Return: is it done? */
static __always_inline bool path_copy(__u64 *to, const __u64 *from, __u32 len)
{
	int i;

	if (len > PATH_SHORT)
		return !bpf_probe_read_kernel(to, len, from);
#pragma unroll
	for (i = 0; i < PATH_SHORT / (int)sizeof(*to); i++)
		to[i] = from[i];
	return true;
}

/* Append what is laid down in paths[slot], @len bytes (0: unknown), to the
 * scratch record. Return: as weir_put_str(). */
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
	if (!path_copy(base + at, (void *)b->data + (b->pos & PATH_END), len))
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
