/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * owner.bpf.h - whose a TCP socket is.
 *
 * Both ends of a connection and every listener, kept from the change of state
 * that a task made to the last one. Sockets are told apart by their address in
 * the kernel, which is a socket's own until it is closed.
 */
#ifndef WEIR_OWNER_BPF_H
#define WEIR_OWNER_BPF_H

#include "flow.bpf.h"
#include "weir.bpf.h"

#define INIT_PID 1 /* of the initial pid namespace */

/* ---- connections --------------------------------------------------------- */

/* A socket of a connection, by its address in the kernel. */
struct end {
	__u64 since;	/* SYN sent, or established, monotonic ns; 0: before the
			 * recording */
	__u32 pid, tid; /* its owner; 0: unknown */
	__u32 established;
	__u32 followed; /* its owner was, who may have ended since */
};

#define ENDS_MAX 65536 /* connections at a time, both ends; else end_keep() */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, ENDS_MAX);
	__type(key, __u64);
	__type(value, struct end);
} ends SEC(".maps");

/*
 * The last ones closed on this CPU: a reset is told after it was sent, and that
 * after the socket was closed. Two, for over loopback the other end closes in
 * between.
 */
struct closed {
	__u64 sock;
	struct end end;
};

#define CLOSED_MAX 2

struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, CLOSED_MAX);
	__type(key, __u32);
	__type(value, struct closed);
} closed SEC(".maps");

/* What is known of a socket, in place; NULL: nothing. Others may change it. */
static __always_inline struct end *end_of(const struct sock *sk)
{
	__u64 key = (__u64)sk;

	return bpf_map_lookup_elem(&ends, &key);
}

/*
 * When the map is full, the events of the connection come all the same, but
 * flagged and without owner. Where only some processes are followed that means
 * not at all: then they are lost.
 */
static __always_inline void end_keep(const struct sock *sk,
				     const struct end *end)
{
	__u64 key = (__u64)sk;
	struct weir_account *a;

	if (!bpf_map_update_elem(&ends, &key, end, BPF_ANY) || !end->followed)
		return;
	a = weir_account_here(bpf_get_smp_processor_id());
	if (a)
		weir_count_lost(a);
}

/* This CPU's @i-th, the last one first; NULL: never, below CLOSED_MAX. */
static __always_inline struct closed *closed_at(__u32 i)
{
	return bpf_map_lookup_elem(&closed, &i);
}

/* It is closed, and remembered for end_get_late() on this CPU; @end: as it was.
 */
static __always_inline void end_drop(const struct sock *sk,
				     const struct end *end)
{
	__u64 key = (__u64)sk;
	struct closed *last = closed_at(0), *before = closed_at(1);

	bpf_map_delete_elem(&ends, &key);
	if (!last || !before)
		return;
	*before = *last;
	last->sock = key;
	last->end = *end;
}

/* Also asks now if that process is followed, as it may have ended later. */
static __always_inline void end_set_owner(struct end *end, __u32 pid, __u32 tid)
{
	end->pid = pid;
	end->tid = tid;
	end->followed = weir_follow && bpf_map_lookup_elem(&followed, &pid);
}

/*
 * weir_admit() of its owner. A connection may outlive who had it: it stays
 * followed then.
 */
static __always_inline bool end_admit(const struct end *end)
{
	if (end->followed)
		return !weir_is_own(end->pid);
	return weir_admit(end->pid);
}

static __always_inline __u64 end_who(const struct end *end)
{
	return weir_who(end->pid, end->tid);
}

/* What is known of a socket; all zero: nothing. */
static __always_inline void end_get(struct end *ret, const struct sock *sk)
{
	__u64 key = (__u64)sk;
	struct end *known = bpf_map_lookup_elem(&ends, &key);

	__builtin_memset(ret, 0, sizeof(*ret));
	if (known)
		__builtin_memcpy(ret, known, sizeof(*ret));
}

/* The same, also of one that has just been closed here. */
static __always_inline void end_get_late(struct end *ret, const struct sock *sk)
{
	struct closed *at;
	__u32 i;

	end_get(ret, sk);
#pragma unroll
	for (i = 0; i < CLOSED_MAX; i++) {
		at = closed_at(i);
		if (!ret->pid && at && at->sock == (__u64)sk)
			__builtin_memcpy(ret, &at->end, sizeof(*ret));
	}
}

/* ---- listeners ----------------------------------------------------------- */

/* Where one listens: key of a map, without padding. */
struct place {
	struct ip_words addr;
	__u32 netns; /* inode number */
	__u32 port;  /* host byte order */
};

/* The socket that listens there, and who made it. */
struct listener {
	__u64 sock;
	__u32 pid, tid;
};

#define LISTENERS_MAX 16384 /* others: connections without an owner */

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, LISTENERS_MAX);
	__type(key, struct place);
	__type(value, struct listener);
} listeners SEC(".maps");

/* The local end of a flow. */
static __always_inline struct place place_of(const struct flow *f)
{
	struct place place = {
		.addr = f->laddr,
		.netns = f->netns,
		.port = f->lport,
	};

	return place;
}

/* Who listens at the address, at any of IPv4, or at any at all? NULL: unknown.
 * A socket that listens at :: takes IPv4 as well, unless it is told not to. */
static __always_inline struct listener *listener_of(const struct flow *f)
{
	struct place place = place_of(f);
	struct listener *found = bpf_map_lookup_elem(&listeners, &place);

	if (!found && ip_is4(&place.addr)) {
		place.addr.w[3] = 0;
		found = bpf_map_lookup_elem(&listeners, &place);
	}
	if (!found) {
		__builtin_memset(&place.addr, 0, sizeof(place.addr));
		found = bpf_map_lookup_elem(&listeners, &place);
	}
	return found;
}

/* Whoever listens where @f leads to has it. */
static __always_inline void end_of_listener(struct end *end,
					    const struct flow *f)
{
	const struct listener *l = listener_of(f);

	if (l)
		end_set_owner(end, l->pid, l->tid);
}

/* One listens from now on, in place of another at the same address and port.
 * Without a port it is one that is given one later: not to be found. */
static __always_inline void listener_keep(const struct flow *f,
					  const struct listener *l)
{
	struct place place = place_of(f);

	if (place.port)
		bpf_map_update_elem(&listeners, &place, l, BPF_ANY);
}

/*
 * One that was there before the recording: the first task found to have it is
 * taken for its owner, but for init, which holds sockets for others.
 */
static __always_inline void listener_find(const struct flow *f,
					  const struct listener *l)
{
	struct place place = place_of(f);
	struct listener *known = bpf_map_lookup_elem(&listeners, &place);

	if (!known || known->pid == INIT_PID)
		bpf_map_update_elem(&listeners, &place, l, BPF_ANY);
}

/* It listens no more; another one at the same place stays. */
static __always_inline void listener_drop(const struct flow *f,
					  const struct sock *sk)
{
	struct place place = place_of(f);
	struct listener *l = bpf_map_lookup_elem(&listeners, &place);

	if (l && l->sock == (__u64)sk)
		bpf_map_delete_elem(&listeners, &place);
}

#endif
