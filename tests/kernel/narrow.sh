#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Hooks that make nothing that was asked for are not attached, by -e or because
# the filter is never true of what they make; what was asked for comes. Of system
# calls the plain program is loaded where it does all that was asked for.
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

# twin OPTIONS…: what is said of the syscall source's two programs
twin() {
	rm -rf "$dir/a"
	WEIR_DEBUG=1 "$WEIR" record -o "$dir/a" --for 10ms "$@" 2>&1 >"$dir/out" |
		sed -n 's/.*source syscall: //p'
}

if [ "$(uname -r | cut -d. -f1)" -ge 6 ]; then
	is "plain" "$(twin -s syscall,sched --set syscall.calls=all)" plain
fi
is "-p" "$(twin -s syscall -p $$)" "not plain, for weir_follow"
is "--budget" "$(twin -s syscall --budget 50%)" "not plain, for weir_budget"
is "-f" "$(twin -s syscall -f 'ret < 0')" \
	"not plain, for weir_filter_syscall_done"
done_testing
