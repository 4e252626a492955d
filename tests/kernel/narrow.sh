#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Hooks that make nothing that was asked for are not attached, by -e or because
# the filter is never true of what they make; what was asked for comes.
. tests/kernel/lib.sh

command -v bpftool >/dev/null || skip "no bpftool"

# programs OPTIONS…: names of those that such a recording attaches, sorted
programs() {
	local ids
	rm -rf "$dir/a"
	start_recorder -o "$dir/a" "$@" --for 60
	ids=$(sed -n 's/^prog_id:[[:space:]]*//p' /proc/$recorder/fdinfo/* \
		2>/dev/null | sort -u)
	for id in $ids; do
		bpftool -j prog show id "$id" | jq -r '.name'
	done | grep -v '^task__[^s]' | sort | tr '\n' ' '
	kill -INT $recorder
	wait $recorder
}

# names are cut at 15 characters, and end in _tp from 7.0 on
has() { # WHAT NAME
	[[ " $programs" == *" $2"* ]] || fail "$1: no $2 in: $programs"
}
hasnt() { [[ " $programs" != *" $2"* ]] || fail "$1: $2 in: $programs"; }

programs=$(programs -s sched)
for p in sched__switch sched__wakeup sched__migrate; do
	has "all" $p
done
hasnt "of another source" task__signal
programs=$(programs -e sched_migrate)
has "one kind" sched__migrate
for p in sched__switch sched__wakeup task__signal net__ syscall__ block__; do
	hasnt "one kind" $p
done
programs=$(programs -s net -e net_drop)
has "a kind and what it needs" net__drop
has "a kind and what it needs" net__state
hasnt "a kind and what it needs" net__retransmit
hasnt "a kind and what it needs" net__reset_sent
programs=$(programs -s sched,net,block,syscall -f 'ran > 1ms or latency > 1s')
has "by filter" sched__switch
has "by filter" block__complete
for p in sched__wakeup sched__migrate net__ syscall__; do
	hasnt "by filter" $p
done

record -s sched,task -e sched_wakeup -- "$LOAD" pipes 100
within "wakeups" "$(count sched_wakeup)" 50 100000
is "switches" "$(count sched_switch)" 0
[ "$(count task_fork)" -gt 0 ] || fail "the table of tasks is not kept"
whole
done_testing
