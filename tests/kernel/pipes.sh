#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# 10,000 round trips through pipes: 20,000 reads and writes on each side, and
# switches that account for the time.
. tests/kernel/lib.sh

N=10000
record -s syscall,sched --set syscall.calls=read,write -- "$LOAD" pipes $N
events syscall_done 'comm == load and name in (read, write) and ret == 1' >"$dir/calls"
is "reads and writes of one byte" "$(wc -l <"$dir/calls")" $((4 * N))
is "twice" "$(twice <"$dir/calls")" 0
is "per task" "$(jq .tid "$dir/calls" | sort | uniq -c | awk '{print $1}' |
	sort -u)" $((2 * N))
# each blocking read is ended by a wakeup from the other side
wakes=$(events sched_wakeup 'comm == load' | wc -l)
within "wakeups" "$wakes" $((N / 2)) $((3 * N))
ran=$(events sched_switch 'comm == load' | sum ran)
within "time on CPU" "$ran" 1000000 $((2 * $(load_ns)))
whole
done_testing
