#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A call still inside when recording ends is told, with how long it took so far.
. tests/kernel/lib.sh

"$LOAD" hold 4 >/dev/null &
held=$!
record -s syscall --for 1 -f "pid == $held"
kill $held 2>/dev/null
is "unfinished before attach is unknown" \
	"$(count syscall_enter "pid == $held")" 0
record -s syscall --for 2 -- "$LOAD" hold 3
events syscall_enter 'name == clock_nanosleep or name == nanosleep' >"$dir/in"
is "unfinished" "$(wc -l <"$dir/in")" 1
within "so far" "$(jq .duration "$dir/in")" 1000000000 3000000000
wait
done_testing
