#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The task table is complete from the first instant: under a fork storm every
# event has a known task, and those that were alive before are known too.
. tests/kernel/lib.sh

# Who does something before the walk comes to it, or is gone by then, is in few
# recordings: one of three. What process 1 forks some kernels show to no program
# (bpf/sched.bpf.c, miss_switch()): that has no name until it executes something.
nameless() {
	jq -s '(map(select(.kind == "task_exec" and .ppid == 1).tid) |
			unique) as $hidden |
		map(select(.tid != 0 and (.comm // "") == "").tid) - $hidden |
		length' "$dir/all"
}
unknown=0 switches=0
"$LOAD" storm 6 >/dev/null &
storm=$!
sleep 0.2
while kill -0 $storm 2>/dev/null; do
	record -s task,sched --for 0.2
	"$WEIR" export "$dir/a" --to jsonl >"$dir/all" 2>"$dir/said"
	rc=$?
	[ $rc = "$(unseen "$dir/a")" ] || fail "export: $(cat "$dir/said")"
	unknown=$((unknown + $(nameless)))
	switches=$((switches + $(grep -c '"kind":"sched_switch"' "$dir/all")))
done
wait
is "switches" "$([ $switches -gt 1000 ] && echo many)" many
is "events of a task without a name" "$unknown" 0

# The same of one that is followed, and forks all the while.
bash -c 'while [ ! -e "$1/enough" ]; do (:); done' forks "$dir" &
unknown=0
for _ in 1 2 3 4 5 6 7 8; do
	record -s task,sched -p $! --for 0.1
	"$WEIR" export "$dir/a" --to jsonl >"$dir/all" 2>"$dir/said"
	unknown=$((unknown + $(nameless)))
done
touch "$dir/enough"
wait
is "events of who is followed without a name" "$unknown" 0

record -s task,sched --for 0.2
is "this shell" "$(events task_alive "pid == $$" | jq -r .task_comm | tail -1)" \
	"$(cat /proc/$$/comm)"
is "its file" "$(events task_alive "pid == $$" | jq -r .file | tail -1)" \
	"$(readlink /proc/$$/exe)"
is "its parent" "$(events task_alive "pid == $$" | jq -r .ppid | tail -1)" $PPID
done_testing
