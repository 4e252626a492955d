// SPDX-License-Identifier: GPL-2.0-only
/* bare.bpf.c - the least a recorder of system calls can cost: hooks that do
 * nothing, of the sort that weir uses on the running kernel.
 */
#include "vmlinux.h"

#include <bpf/bpf_helpers.h>

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
	return 1;
}

SEC("tp/raw_syscalls/sys_exit")
int bare__exit_tp(void *ctx)
{
	return 1;
}
