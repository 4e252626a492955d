#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# signals.sh - SIGINT and SIGTERM end a recording cleanly, SIGKILL leaves an archive that reads; none leaves a program, link, map or
# process behind.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v bpftool >/dev/null || skip "needs bpftool"

# Objects in the kernel that no process holds: pinned, or leaked.
orphans() {
	local what
	for what in prog map link; do
		bpftool -j $what list 2>/dev/null |
			jq "[.[] | select(.pids | not)] | length"
	done | paste -sd' '
}

started() { grep -q 'capturing' err; }

# start WORD…: in the background, until events flow
start() {
	rm -rf a
	: >err
	"$WEIR" "$@" 2>err >out </dev/null &
	pid=$!
	wait_for 20 started || fail "$*: does not start: $(cat err)"
}

ended() { ! kill -0 $pid; }

before=$(orphans)
for sig in INT TERM; do
	start record -o a
	/bin/true
	kill -$sig $pid
	wait_for 60 ended || { fail "SIG$sig: goes on"; kill -9 $pid; }
	wait $pid
	rc=$?
	case $rc in 0 | 3) ;; *) fail "SIG$sig: status $rc" ;; esac
	has "SIG$sig: kept" err '^weir: kept [1-9]'
	run verify a
	case $rc in 0 | 3) ;; *) fail "SIG$sig: verify $rc: $(cat out)" ;; esac
	run show a -e task_exec -f 'comm == "true"'
	[ "$(lines out)" -ge 1 ] || fail "SIG$sig: events are missing"
done

# SIGHUP: a terminal that hangs up ends it; without one, a new segment begins.
if command -v script >/dev/null; then
	script -qc "exec '$WEIR' record -o tty 2>err" /dev/null </dev/null \
		>out 2>&1 &
	pid=$!
	: >err
	wait_for 20 started || fail "on a terminal: does not start: $(cat err)"
	kill -HUP "$(pgrep -P $pid -x weir)"
	wait_for 60 ended || fail "SIGHUP on a terminal: goes on"
	wait $pid
	has "SIGHUP on a terminal: kept" err 'weir: kept [1-9]'
fi
rm -rf a
: >err
setsid "$WEIR" record -o a 2>err >out </dev/null &
pid=$!
wait_for 20 started || fail "without a terminal: does not start: $(cat err)"
kill -HUP $pid
two_segments() { [ "$(ls a/*.weir* | wc -l)" = 2 ]; }
wait_for 10 two_segments || fail "SIGHUP without a terminal: no new segment"
/bin/true
kill -TERM $pid
wait $pid
case $? in 0 | 3) ;; *) fail "after SIGHUP: status $?" ;; esac
run verify a
case $rc in 0 | 3) ;; *) fail "after SIGHUP: verify $rc: $(cat out)" ;; esac
run show a -e task_exec -f 'comm == "true"'
[ "$(lines out)" -ge 1 ] || fail "after SIGHUP: events are missing"

# timeout(1) sends its signal twice, to the process and to its group.
: >err
setsid "$WEIR" record -o twice 2>err >out </dev/null &
pid=$!
wait_for 20 started || fail "twice: does not start: $(cat err)"
kill -TERM $pid && kill -TERM -- -$pid
wait $pid
case $? in 0 | 3) ;; *) fail "SIGTERM twice: status $?: $(cat err)" ;; esac
run verify twice
case $rc in 0 | 3) ;; *) fail "SIGTERM twice: verify $rc: $(cat out)" ;; esac

# SIGKILL: what was written out reads; the end is missing, and nothing else.
start record -o a
written() { [ "$("$WEIR" stat a --json | jq .events)" -ge 1 ]; }
wait_for 20 written || fail "nothing is written before it ends"
kill -KILL $pid
wait $pid 2>/dev/null
run verify a
case $rc in 0 | 3) ;; *) fail "SIGKILL: verify $rc: $(cat out)" ;; esac
run stat a --json
is "SIGKILL: a segment without its end" "$(jq .open_segments out)" 1
[ "$(jq .events out)" -ge 1 ] || fail "SIGKILL: no events"

# A second signal ends a weir whose reader does not read.
mkfifo pipe
"$WEIR" watch --set syscall.calls=all >pipe 2>err &
pid=$!
exec 9<pipe
wait_for 20 started || fail "watch: does not start"
sleep 0.5
kill -INT $pid
sleep 0.5
ended || kill -INT $pid
wait_for 60 ended || { fail "a second SIGINT: goes on"; kill -9 $pid; }
exec 9<&-
wait $pid 2>/dev/null

# nohup
(trap '' HUP; exec "$WEIR" record -q -o hup --for 1500ms 2>err) &
pid=$!
sleep 1
kill -HUP $pid
wait $pid
case $? in 0 | 3) ;; *) fail "nohup: status $?: $(cat err)" ;; esac
run stat hup --json
[ "$(jq .span out)" -gt 1000000000 ] || fail "nohup: SIGHUP ended it"

# The command goes on when weir is killed.
start record -o a -- sleep 60
sleeps() { command=$(pgrep -P $pid -x sleep); } # not before its exec
wait_for 20 sleeps || fail "the command does not run"
kill -KILL $pid
wait $pid 2>/dev/null
kill "$command" || fail "the command died with weir"

# The kernel frees them a little later; others may free theirs meanwhile.
no_more() {
	local now was
	read -ra now <<<"$(orphans)"
	read -ra was <<<"$before"
	[ "${now[0]}" -le "${was[0]}" ] && [ "${now[1]}" -le "${was[1]}" ] &&
		[ "${now[2]}" -le "${was[2]}" ]
}
wait_for 5 no_more ||
	fail "programs, maps, links that nobody holds: $(orphans), not $before"
# Each of them was started here, and what serves it was, too.
mine() {
	local p
	for p in $(pgrep -x 'weir|weir-errand'); do
		[ "$(readlink /proc/$p/cwd)" != "$dir" ] || echo "$p"
	done
}
none_left() { [ -z "$(mine)" ]; }
wait_for 5 none_left || fail "processes are left: $(ps -fp $(mine))"
done_testing
