#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A call still inside when recording ends is told, with how long it took so far;
# and where there is no room to tell of it, that there was none.
. tests/kernel/lib.sh

"$LOAD" hold 4 >/dev/null &
held=$!
record -s syscall --for 1 -f "pid == $held"
kill $held 2>/dev/null
is "unfinished before attach is unknown" \
	"$(count syscall_enter "pid == $held")" 0
record -s syscall --for 1 -- "$LOAD" hold 5
events syscall_enter 'name == clock_nanosleep or name == nanosleep' >"$dir/in"
is "unfinished" "$(wc -l <"$dir/in")" 1
within "so far" "$(jq .duration "$dir/in")" 500000000 5000000000
wait

mkfifo "$dir/pipe"
exec 7<>"$dir/pipe"
"$WEIR" watch -q -s syscall --set syscall.calls=all --buffer 64K \
	-f 'comm == load' >&7 2>"$dir/err" &
watch=$!
blocked() {
	"$LOAD" calls 1 1000 >"$dir/load"
	grep -q pipe_write /proc/$watch/task/*/wchan
}
await blocked || fail "watch writes on, with nobody who reads"
"$LOAD" calls 1 100000 >"$dir/load" # all buffers are full
kill -INT $watch
gave_up() { grep -q futex /proc/$watch/wchan; }
await gave_up || fail "it still waits for room"
cat <&7 >/dev/null &
reader=$!
wait $watch
kill $reader
grep -q "^weir: source 'syscall': syscall__inside_end ended early: no room" \
	"$dir/err" || fail "a walk that was given up is not told: $(cat "$dir/err")"
done_testing
