/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * kernel.h - what this kernel can do and what this process may, found out
 * once; source*.c choose by it and `weir doctor` shows it.
 */
#ifndef WEIR_KERNEL_H
#define WEIR_KERNEL_H

#include <stdbool.h>

#define KERNEL_VERSION_OF(major, minor) ((major) << 8 | (minor))

#define KERNEL_BTF_PATH "/sys/kernel/btf/vmlinux"

struct kernel {
	char release[128]; /* uname -r */
	unsigned version;  /* KERNEL_VERSION_OF(6, 18) */
	bool btf;	   /* /sys/kernel/btf/vmlinux is readable */
	bool tracefs;	   /* tp programs can find their tracepoint */
	bool confidential; /* lockdown: no probe_read helpers */
	bool task_btf;	   /* bpf_get_current_task_btf(): 5.11, by version */
	/* For tracing programs: 5.12. Before 6.4 (bpf_mem_alloc) its memory
	 * comes from kmalloc(), whose locks sleep on RT, where tracepoints may
	 * not. */
	bool task_storage;
	bool preemptible_tp; /* tracepoints are preemptible: 7.0 */
	/* RT before 6.1: CPUs must not share a ring. What is RT is told by the
	 * version, or the release, of uname(2). */
	bool sleeping_ring;
	bool inner_pids; /* a pid namespace's numbers are not the kernel's */
	bool inner_user; /* a user namespace's capabilities are not for BPF */
	unsigned cpus;	 /* possible */
};

/** kernel_probe - find out, from uname(2), sysfs, securityfs and nsfs. Never
 * fails: what cannot be told is false; one CPU at least. Needs no privileges,
 * but lockdown is told to who may read securityfs. */
void kernel_probe(struct kernel *k);

#endif
