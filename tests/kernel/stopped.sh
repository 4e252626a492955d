#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The recorder stands still (SIGSTOP) for 2 s, 10 s with LONG=1, while a load
# goes on: what the kernel's buffers could not hold is counted to the event.
. tests/kernel/lib.sh

HZ=100000
stop=2
[ -z "${LONG:-}" ] || stop=10
rm -rf "$dir/a"
"$WEIR" record -q -o "$dir/a" -s syscall --buffer 1M \
	--set syscall.calls=getppid --set syscall.slower=0 -- \
	"$LOAD" rate $HZ $((stop + 2)) >"$dir/out" 2>"$dir/err" &
weir=$!
load_runs() { pgrep -P $weir -x load >/dev/null; } # not before its exec
await load_runs
sleep 0.5
kill -STOP $weir
sleep $stop
kill -CONT $weir
wait $weir
is "exit code is the command's" $? 0
calls=$(sed -n 's/^calls //p' "$dir/out")
kept=$(count syscall_done 'name == getppid')
lost=$(events gap 'of == syscall' | sum count)
[ "$lost" -gt 0 ] || fail "nothing was lost: it did not stand still"
is "archive + gaps = workload" $((kept + lost)) "$calls"
grep -q "lost $lost events" "$dir/err" || fail "said: $(cat "$dir/err")"
whole 3
done_testing
