#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The wall clock is set an hour forth while a recording runs (a preloaded
# library says so, since the host's clock is everybody's): the order and all
# spans stay, times of day follow, nothing is lost. (The fifth second is of the
# process: on a busy host it may take some to begin.)
. tests/kernel/lib.sh

shim=$O/tests/fault/fault.so
HOUR=3600000000000

rm -rf "$dir/a"
env FAULT_FILE="$dir/counters" FAULT_WHAT=clock FAULT_AT=5 FAULT_STEP=3600 \
	LD_PRELOAD="$shim" "$WEIR" record -q -o "$dir/a" -s syscall \
	--buffer 64M --set syscall.calls=getppid --set syscall.slower=0 -- \
	"$LOAD" rate 1000 8 >"$dir/out" 2>"$dir/err"
is "exit code is the command's" $? 0
read -r _ hits < <(od -An -tu8 "$dir/counters")
[ "$hits" -gt 0 ] || fail "the clock was never set"
events syscall_done 'name == getppid' >"$dir/calls"
is "every call" "$(wc -l <"$dir/calls")" "$(sed -n "s/^calls //p" "$dir/out")"
# seconds, since jq's numbers are doubles
jq -r '.ts' "$dir/calls" | sed 's/.\{9\}$//' >"$dir/seconds"
is "in order" "$(sort -c -n "$dir/seconds" 2>&1)" ""
within "times of day follow" \
	$(($(tail -1 "$dir/seconds") - $(head -1 "$dir/seconds"))) 3600 3660
"$WEIR" stat "$dir/a" --json >"$dir/stat"
within "the span is what it was, s" \
	"$(jq '.span / 1e9 | floor' "$dir/stat")" 3 60
within "no call took an hour, ns" "$(jq -s 'map(.duration) | max' \
	"$dir/calls")" 0 $HOUR
whole 0
done_testing
