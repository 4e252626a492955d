#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# 2,000 x fork, exec, exit, three processes deep: each there, once, in order,
# with its parent.
. tests/kernel/lib.sh

N=1000
record -s task -- "$LOAD" tree $N
events task_fork >"$dir/forks"
events task_exec >"$dir/execs"
events task_exit >"$dir/exits"
is "forks" "$(wc -l <"$dir/forks")" $((2 * N))
is "execs" "$(wc -l <"$dir/execs")" $((2 * N + 1))
is "exits" "$(wc -l <"$dir/exits")" $((2 * N + 1))
is "children" "$(jq -c '[.child_tid, .start_time]' "$dir/forks" | sort -u |
	wc -l)" $((2 * N))
is "/bin/true" "$(jq -r .filename "$dir/execs" | grep -cx /bin/true)" $N
is "argv" "$(jq -c 'select(.filename == "/bin/true") | .argv' "$dir/execs" |
	sort -u)" '["load"]'
is "codes" "$(jq -c '[.exit_code, .signal]' "$dir/exits" | sort -u)" "[0,0]"
is "comm of the dead" "$(jq -r .comm "$dir/exits" | sort | uniq -c |
	awk '{print $2, $1}' | tr '\n' ' ')" "exe $N load 1 true $N "
# a fork's child is the exec's pid, and the forker the exec's parent
join <(jq -r '"\(.child_pid) \(.pid)"' "$dir/forks" | sort) \
	<(jq -r '"\(.pid) \(.ppid)"' "$dir/execs" | sort) >"$dir/joined"
is "parents" "$(awk '$2 != $3' "$dir/joined" | wc -l)" 0
within "joined" "$(wc -l <"$dir/joined")" $((2 * N)) $((2 * N))
whole
done_testing
