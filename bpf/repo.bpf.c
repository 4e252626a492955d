// SPDX-License-Identifier: GPL-2.0-only
/*
 * repo.bpf.c - the schema of what weir says about itself. No program: these
 * events are written by user/repo_report.c; here is where their BTF is made.
 */
#include "weir.bpf.h"

WEIR_SOURCE(repo, "weir itself: losses, metrics, clocks, its log");
WEIR_EVENT(repo_metric, EV_REPO_METRIC);
WEIR_EVENT(repo_log, EV_REPO_LOG);
WEIR_EVENT(gap, EV_GAP);
WEIR_EVENT(clock, EV_CLOCK);
WEIR_EVENT(repo_shed, EV_REPO_SHED);

/* Settings of user space, read back by user/recorder.c. */
const volatile __u64 repo_stall;       /* ns to sleep before reading: tests */
const volatile __u32 repo_user_filter; /* 1: none in the kernel: tests */

char LICENSE[] SEC("license") = "GPL";
