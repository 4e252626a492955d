#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every one of 100,000 calls is in the archive, once, with its result, and the
# times inside add up to less than the program's own clock says: recorded with
# its process, and with all others by the plain program (WEIR_KNOB).
. tests/kernel/lib.sh

N=100000
for how in record record_host; do
	$how -s syscall --set syscall.calls=getppid -- "$LOAD" calls 1 $N
	events syscall_done 'name == getppid and comm == load' >"$dir/calls"
	is "$how: calls" "$(wc -l <"$dir/calls")" $N
	is "twice" "$(twice <"$dir/calls")" 0
	is "tasks" "$(jq .tid "$dir/calls" | sort -u | wc -l)" 1
	is "results" "$(jq .ret "$dir/calls" | sort -u | wc -l)" 1
	within "time inside" "$(sum duration <"$dir/calls")" $((N * 10)) \
		"$(load_ns)"
	whole
done
done_testing
