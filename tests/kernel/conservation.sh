#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A flood into small mini-buffers and a stalled repo: what is in the archive
# and what the gaps say add up to what was done, to the event, for each source.
. tests/kernel/lib.sh

N=50000
THREADS=8
rm -rf "$dir/a"
"$WEIR" record -q -o "$dir/a" -s syscall,sched,task --buffer 64K \
	--main-ring 256K --set repo.stall=1s --set syscall.calls=getppid \
	--set syscall.slower=0 -- \
	"$LOAD" calls $THREADS $N >"$dir/out" 2>"$dir/err"
is "exit code is the command's" $? 0
grep -q "lost" "$dir/err" || fail "losses are not told on stderr"
kept=$(count syscall_done 'name == getppid')
lost=$(events gap 'of == syscall' | sum count)
"$WEIR" stat "$dir/a" --json 2>/dev/null >"$dir/stat"
attempted=$(jq '[.sources[] | select(.source == "syscall") |
	.submitted + .shed + .lost_kernel] | add' "$dir/stat")
echo "kept $kept, lost $lost"
[ "$lost" -gt 0 ] || fail "nothing was lost: the flood was no flood"
is "archive + gaps = workload" $((kept + lost)) $((N * THREADS))
is "kernel's counters = workload" "$attempted" $((N * THREADS))
for source in syscall sched task; do
	is "$source: account holds" "$(jq "[.sources[] |
		select(.source == \"$source\") |
		.submitted - .delivered] | add" "$dir/stat")" 0
done
whole 3
done_testing
