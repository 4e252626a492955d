// SPDX-License-Identifier: BSD-2-Clause
#include "kernel.h"

#include <bpf/libbpf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static bool locked_confidential(void)
{
	FILE *f = fopen("/sys/kernel/security/lockdown", "re");
	char line[128] = "";
	bool yes;

	if (!f)
		return false;
	yes = fgets(line, sizeof(line), f) && strstr(line, "[confidentiality]");
	fclose(f);
	return yes;
}

/* libbpf looks for a tracepoint's id in the same two places. */
static bool have_tracefs(void)
{
	return !access("/sys/kernel/tracing/events", F_OK) ||
	       !access("/sys/kernel/debug/tracing/events", F_OK);
}

/* PROC_*_INIT_INO, include/linux/proc_ns.h; since 6.18 in uapi, nsfs.h. */
#define FIRST_USER_NAMESPACE 0xeffffffdU
#define FIRST_PID_NAMESPACE  0xeffffffcU

/* Of those there are at boot? */
static bool in_another(const char *namespace, ino_t first)
{
	struct stat st;

	return !stat(namespace, &st) && st.st_ino != first;
}

/* The version says it (scripts/mkcompile_h), a distribution's release may not:
 * 5.14.0-427.13.1.rt14.298.el9 */
static bool is_rt(const struct utsname *u)
{
	return strstr(u->version, "PREEMPT_RT") || strstr(u->release, "-rt");
}

void kernel_probe(struct kernel *k)
{
	struct utsname u = {0};
	unsigned major = 0, minor = 0;
	int cpus = libbpf_num_possible_cpus();

	memset(k, 0, sizeof(*k));
	uname(&u);
	snprintf(k->release, sizeof(k->release), "%s", u.release);
	if (sscanf(u.release, "%u.%u", &major, &minor) == 2)
		k->version = KERNEL_VERSION_OF(major, minor);
	k->btf = !access(KERNEL_BTF_PATH, R_OK);
	k->tracefs = have_tracefs();
	k->confidential = locked_confidential();
	k->task_btf = k->version >= KERNEL_VERSION_OF(5, 11);
	k->task_storage = k->version >= (is_rt(&u) ? KERNEL_VERSION_OF(6, 4)
						   : KERNEL_VERSION_OF(5, 12));
	k->preemptible_tp = k->version >= KERNEL_VERSION_OF(7, 0);
	k->sleeping_ring = k->version < KERNEL_VERSION_OF(6, 1) && is_rt(&u);
	k->inner_pids = in_another("/proc/self/ns/pid", FIRST_PID_NAMESPACE);
	k->inner_user = in_another("/proc/self/ns/user", FIRST_USER_NAMESPACE);
	k->cpus = cpus > 0 ? (unsigned)cpus : 1;
}
