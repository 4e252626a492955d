#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Who sent a signal: a timer goes off on top of any task, which did not send it.
. tests/kernel/lib.sh

N=20
tab=$'\t'
record -s task -- "$O/tests/load/witness" timers $N
# by its name, how often it was sent, and how often by itself
events task_signal 'code <= 0 or code == 128' |
	jq -r '[.signal_name, .code, .pid == .target_pid] | @tsv' | sort | uniq -c |
	awk -v OFS='\t' '{ print $2, $3, $4, $1 }' >"$dir/senders"
is "by setitimer, a POSIX timer, and kill" "$(sort "$dir/senders")" \
	"SIGALRM${tab}128${tab}true$tab$N
SIGRTMIN${tab}-2${tab}true$tab$N
SIGUSR1${tab}0${tab}true$tab$N"
whole
done_testing
