#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Who sent a signal: a timer goes off on top of any task, which did not send it.
. tests/kernel/lib.sh

N=20
tab=$'\t'
record -s task -- "$O/tests/load/witness" timers $N
# by its name, whether by itself; a timer that goes off while process 1 is on the
# CPU some kernels show to no program (bpf/sched.bpf.c, miss_switch())
events task_signal 'code <= 0 or code == 128' |
	jq -r '[.signal_name, .code, .pid == .target_pid] | @tsv' >"$dir/senders"
is "by setitimer, a POSIX timer, and kill" "$(sort -u "$dir/senders")" \
	"SIGALRM${tab}128${tab}true
SIGRTMIN${tab}-2${tab}true
SIGUSR1${tab}0${tab}true"
within "by a timer" "$(grep -vc SIGUSR1 "$dir/senders")" $N $((2 * N))
is "by kill" "$(grep -c SIGUSR1 "$dir/senders")" $N
whole
done_testing
