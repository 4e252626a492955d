#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Who leaves a CPU is who got it last: where a switch was shown to no program
# (bpf/sched.bpf.c, miss_switch()), a gap tells of it, and the next switch does
# not claim to know how long the task ran. Times on a CPU add up to no more than
# there was.
. tests/kernel/lib.sh

record -s sched,task --for 4
"$WEIR" export "$dir/a" --to jsonl -e 'sched_switch,task_*' >"$dir/all" 2>/dev/null
# Switches between the idle task and weir are not recorded: the two are one here,
# and with them the process that serves weir, its child.
weir=$(events repo_log | jq .pid | head -n 1)
jq -s -r --argjson weir "${weir:-0}" '
	([$weir] + map(select(.kind == "task_alive" and .ppid == $weir).pid)) as $own |
	def who($pid; $tid): if any($own[]; . == $pid) then 0 else $tid end;
	.[] | select(.kind == "sched_switch") |
	[.cpu, who(.pid; .tid), who(.next_pid; .next_tid), .ran,
		((.marks // []) | contains(["partial"])), .ts] | @tsv' \
	"$dir/all" >"$dir/switches"
awk '
	!($1 in first) { first[$1] = $6 }
	$1 in last && last[$1] != $2 {
		breaks++
		if ($2 && ($4 || $5 != "true"))
			claimed++
	}
	{ last[$1] = $3; ran[$1] += $4; end[$1] = $6; n++ }
	END {
		for (c in ran)
			if (ran[c] > end[c] - first[c] + 1e7) over++
		print n + 0, breaks + 0, claimed + 0, over + 0
	}' "$dir/switches" >"$dir/sums"
read -r switches breaks claimed over <"$dir/sums"
told=$(events gap 'of == sched and stage == hook' | sum count)
echo "$switches switches, $breaks behind one that was not shown, $told told"
within "switches" "$switches" 100 100000000
[ "$told" -ge "$breaks" ] || fail "told of $told that no program saw, not $breaks"
is "times that cannot be known" "$claimed" 0
is "CPUs that had more time than there was" "$over" 0
whole
done_testing
