// SPDX-License-Identifier: GPL-2.0-only
/* bare.bpf.c - the least a recorder of system calls can cost: hooks of the sort
 * that weir uses on the running kernel, which do nothing, or where asked for
 * put a record of the size of weir's own, stamped but else empty, into a ring.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

#include "events.h"

const volatile bool bare_records;

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 64 << 20);
} ring SEC(".maps");

static __always_inline int record(void)
{
	struct ev_syscall_done *ev;

	if (!bare_records)
		return 1;
	ev = bpf_ringbuf_reserve(&ring, sizeof(*ev), 0);
	if (!ev)
		return 1;
	ev->h.ts = bpf_ktime_get_ns();
	bpf_ringbuf_submit(ev, BPF_RB_NO_WAKEUP);
	return 1;
}

char LICENSE[] SEC("license") = "GPL";

SEC("tp_btf/sys_enter")
int bare__enter(void *ctx)
{
	return 1;
}

SEC("tp/raw_syscalls/sys_enter")
int bare__enter_tp(void *ctx)
{
	return 1;
}

SEC("tp_btf/sys_exit")
int bare__exit(void *ctx)
{
	return record();
}

SEC("tp/raw_syscalls/sys_exit")
int bare__exit_tp(void *ctx)
{
	return record();
}
