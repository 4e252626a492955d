#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The CPU time and the size of a process that ended are those that wait4 tells
# its parent, also when it ran for less than a tick.
. tests/kernel/lib.sh

N=60
record -s task -- "$O/tests/load/witness" spins $N
sed -n 's/^spun //p' "$dir/out" | sort >"$dir/spun"
is "children" "$(wc -l <"$dir/spun")" $N
events task_exit | jq -r '[.pid, .utime, .stime, .max_rss, .last] | @tsv' |
	sort | join "$dir/spun" - >"$dir/both"
is "told of" "$(wc -l <"$dir/both")" $N

# What it takes after its exit was told of is in wait4's alone: some may be
# interrupted there for long.
# far DIFFERENCE: of how many it is more than 1000
far() {
	awk "{ d = $1; n += d > 1000 || d < -1000 } END { print n + 0 }" "$dir/both"
}
within "off by a millisecond, in all" \
	"$(far '$2 + $3 - ($5 + $6) / 1000')" 0 $((N / 10))
within "off by one, in user mode" "$(far '$2 - $5 / 1000')" 0 $((N / 10))
is "largest size" "$(awk '$4 * 1024 != $7' "$dir/both" | wc -l)" 0
whole
done_testing
