#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# kill9.sh - the recorder is killed at random moments under load, 15 times (200
# with LONG=1, or KILLS=n): what it left reads without repair; the numbers that
# the load counted are there without a hole, up to the last second and the block
# at hand; and verify tells that the end is missing, and of no damage.
. tests/kernel/lib.sh

ROUNDS=15
[ -z "${LONG:-}" ] || ROUNDS=200
ROUNDS=${KILLS:-$ROUNDS}
HZ=20000
# One second of a block, one to hand it over and write it. When others have the
# CPUs that takes as long as it takes: LONG=1 is for a host that is quiet.
MISSING_MAX=$((2 * 1000000000))
[ -n "${LONG:-}" ] || MISSING_MAX=$((5 * MISSING_MAX))

"$LOAD" numbers $HZ $((ROUNDS * 10 + 60)) >/dev/null &
load=$!
trap 'kill $load 2>/dev/null; rm -rf "$dir"' EXIT

# More than what a segment begins with.
has_events() { [ "$(cat "$dir"/a/*.open 2>/dev/null | wc -c)" -gt 50000 ]; }

# Every other time segments are so small that it dies between them, too.
start() { # round
	local size=256M
	[ $(($1 % 2)) = 0 ] || size=200K
	rm -rf "$dir/a"
	"$WEIR" record -q -o "$dir/a" --buffer 64M -s syscall,task \
		--set syscall.calls=lseek --segment $size 2>"$dir/err" &
	pid=$!
	await has_events ||
		fail "round $1: nothing is recorded: $(cat "$dir/err")"
}

worst=0
for round in $(seq $ROUNDS); do
	start "$round"
	sleep "0.$((RANDOM % 900 + 100))"
	killed=$(date +%s%N)
	kill -KILL $pid
	wait $pid 2>/dev/null
	"$WEIR" verify "$dir/a" >"$dir/verify" 2>&1
	rc=$?
	[ $rc = 0 ] || { fail "round $round: verify: $rc"; cat "$dir/verify"; }
	grep -q "cut off: what came later is not known\|but no end" \
		"$dir/verify" || fail "round $round: verify does not tell"
	events syscall_done "pid == $load and name == lseek" >"$dir/events" ||
		fail "round $round: no events"
	# the number is the second argument; times have more digits than awk's
	sed -n 's/^{"ts":\([0-9]*\).*"args":\[[^,]*,\([0-9]*\),.*/\2 \1/p' \
		"$dir/events" >"$dir/numbers"
	holes=$(awk 'NR > 1 && $1 != last + 1 { n++ } { last = $1 }
		END { print n + 0 }' "$dir/numbers")
	[ "$holes" = 0 ] || fail "round $round: $holes holes"
	[ "$(wc -l <"$dir/numbers")" = "$(wc -l <"$dir/events")" ] ||
		fail "round $round: events that are no numbers"
	last=$(tail -n 1 "$dir/numbers" | cut -d' ' -f2)
	missing=$((killed - last))
	[ $missing -le $worst ] || worst=$missing
	echo $missing >>"$dir/missing"
done
median=$(sort -n "$dir/missing" | sed -n "$((ROUNDS / 2 + 1))p")
echo "$ROUNDS kills, at most $((worst / 1000000)) ms missing, median" \
	"$((median / 1000000)) ms"
[ $worst -le $MISSING_MAX ] || fail "more than the last second is missing"
done_testing
