#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# All sources on all CPUs under fork, pipe, I/O, network and timer load: read
# back, no event comes before its predecessor, unless it says so, and few do.
# ORDER_EVENTS: how many at least (10,000,000 with LONG=1); how many rounds that
# takes is how fast this host is.
. tests/kernel/lib.sh

WANT=${LONG:+10000000}
WANT=${ORDER_EVENTS:-${WANT:-2000000}}
got=0 disorder=0 late=0 rounds=0
while [ "$got" -lt "$WANT" ]; do
	rm -rf "$dir/a"
	(for i in 1 2 3; do
		"$LOAD" blocks "$dir/file" 2000 >/dev/null
	done) &
	"$WEIR" record -q -o "$dir/a" -s task,sched,syscall,block,net \
		--set syscall.calls=all -- "$LOAD" storm 10 >/dev/null 2>"$dir/err"
	rc=$?
	wait
	[ $rc = 0 ] || [ $rc = 3 ] || fail "record: exit $rc $(cat "$dir/err")"
	"$WEIR" verify "$dir/a" --json >"$dir/v" 2>/dev/null
	got=$((got + $(jq .events "$dir/v")))
	disorder=$((disorder + $(jq .disorder "$dir/v")))
	late=$((late + $("$WEIR" stat "$dir/a" --json 2>/dev/null |
		jq '[.sources[].late] | add')))
	rounds=$((rounds + 1))
done
within "events" "$got" "$WANT" 1000000000
is "unflagged inversions" "$disorder" 0
within "flagged late" "$late" 0 $((got / 100))
done_testing
