#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The task table is complete from the first instant: under a fork storm every
# event has a known task, and those that were alive before are known too.
. tests/kernel/lib.sh

"$LOAD" storm 4 >/dev/null &
sleep 0.5
record -s task,sched --for 2
wait
events 'sched_switch' >"$dir/switches"
unknown=$(jq -r 'select(.tid != 0 and (.comm == "" or .comm == null)) | .tid' \
	"$dir/switches" | sort -u | wc -l)
is "switches" "$([ "$(wc -l <"$dir/switches")" -gt 1000 ] && echo many)" many
is "tasks without a name" "$unknown" 0
is "this shell" "$(events task_alive "pid == $$" | jq -r .task_comm)" \
	"$(cat /proc/$$/comm)"
is "its file" "$(events task_alive "pid == $$" | jq -r .file)" \
	"$(readlink /proc/$$/exe)"
is "its parent" "$(events task_alive "pid == $$" | jq -r .ppid)" $PPID
done_testing
