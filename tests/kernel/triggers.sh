#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A program opens a known file, waits, and dies of SIGSEGV: the snapshot that
# its death triggers holds the open. A storm of what triggers is held back by
# the limits, and that is told. A trigger that cannot be is an error at once.
. tests/kernel/lib.sh

SOCKET=$dir/socket
recorder=
trap 'kill -9 $recorder 2>/dev/null; rm -rf "$dir"' EXIT

status() { "$WEIR" status --json --name "$SOCKET" | jq "$1"; }

says() { [ "$(status "$1")" = "$2" ]; }

# wait_for WHAT WANTED JQ: until status says so
wait_for() {
	await says "$3" "$2"
	is "$1" "$(status "$3")" "$2"
}

start_recorder --name "$SOCKET" --snapshot-dir "$dir/snapshots" \
	--window 30s,32M --buffer 64M -s syscall,task \
	--snapshot-on 'task_exit.signal == SIGSEGV and comm == load,after=200ms' \
	--snapshot-on "task_exec.filename == '$dir/true',after=0,every=1ms,max=2/1h" \
	--snapshot-on 'count(task_exit) > 10000/s'

echo known >"$dir/known file"
(ulimit -c 0; "$LOAD" crash "$dir/known file" 300) >/dev/null 2>&1
wait_for "the death triggered one" 1 .snapshots.ended
a=$(echo "$dir"/snapshots/*)
"$WEIR" show "$a" -f 'syscall_done.path ~ "*/known file" and comm == load' >"$dir/open" 2>&1
is "the open is in it" "$(grep -c "known file" "$dir/open")" 1
is "and the death" "$("$WEIR" show "$a" -e task_exit \
	-f 'comm == load and signal == SIGSEGV' 2>/dev/null | wc -l)" 1
"$WEIR" verify "$a" >"$dir/verify" || fail "verify: $(cat "$dir/verify")"
"$WEIR" stat "$a" >"$dir/stat"
grep -q 'SIGSEGV' "$dir/stat" || fail "stat: $(cat "$dir/stat")"
"$WEIR" show "$a" -e repo_log 2>/dev/null | grep -q 'trigger: .*SIGSEGV' ||
	fail "no repo_log of the trigger"

cp /bin/true "$dir/true" # others start that one, too
for _ in $(seq 50); do "$dir/true"; sleep 0.02; done
wait_for "of a storm as many as the limit says" 3 .snapshots.ended
is "fired" "$(status '.triggers[1].fired')" 2
wait_for "held back" 48 '.triggers[1].held'
is "the rate did not fire" "$(status '.triggers[2].fired')" 0
"$WEIR" snapshot --name "$SOCKET" -o "$dir/after" >"$dir/said"
"$WEIR" show "$dir/after" -e repo_log >"$dir/log" 2>"$dir/said"
is "that it was held back is told, once" "$(grep -c 'held back' "$dir/log")" 1
[ $failures = 0 ] || cat "$dir/said" "$dir/log"
kill -TERM $recorder
wait $recorder
is "exit" $? 0
recorder=

# What is asked for by -e and -f is not what a trigger looks for: the kernel
# makes both, and nothing else; of what is not selected the cause alone is kept.
rm -rf "$dir/snapshots"
start_recorder --name "$SOCKET" --snapshot-dir "$dir/snapshots" \
	--window 30s,32M --buffer 64M -s syscall,task --set syscall.calls=all \
	-e task_signal -f 'target_pid == 1' \
	--snapshot-on 'syscall_done.name == close and ret == EBADF and comm == load,after=0,max=1/1h'
"$LOAD" numbered 1 100 >/dev/null
wait_for "what is not selected triggered one" 1 .snapshots.ended
a=$(echo "$dir"/snapshots/*)
is "the cause is in it, alone" "$("$WEIR" show "$a" -e syscall_done \
	2>/dev/null | grep -c ' close([0-9]*)')" 1
is "and nothing else of its kind" "$("$WEIR" show "$a" -e syscall_done \
	2>/dev/null | wc -l)" 1
is "as context" "$("$WEIR" show "$a" 2>/dev/null | wc -l)" 0
is "what was asked for" "$("$WEIR" stat "$a" --json 2>/dev/null | jq -r .asked)" \
	"-s syscall,task -e task_signal -f 'target_pid == 1' --set syscall.calls=all"
"$WEIR" verify "$a" >"$dir/verify" || fail "verify: $(cat "$dir/verify")"
wait_for "the kernel refuses what nobody wants" true \
	'.sources[] | select(.source == "syscall").filtered > 100'
kill -TERM $recorder
wait $recorder
recorder=

# wrong CODE PATTERN TRIGGER [OPTION…]
wrong() {
	local code=$1 pattern=$2 trigger=$3
	shift 3
	"$WEIR" record --window 4M --snapshot-dir "$dir/none" --for 100ms "$@" \
		--snapshot-on "$trigger" >"$dir/out" 2>"$dir/err"
	is "$trigger: exit" $? "$code"
	grep -q -- "$pattern" "$dir/err" ||
		fail "$trigger: '$pattern' not in $(cat "$dir/err")"
}
wrong 2 'block_io' 'blok_io.latency > 1ms'
wrong 2 '^  *^$' 'task_exit.signal == SIGSEGGV'
wrong 2 'not recorded' 'kind == net_reset' -s block
"$WEIR" record --snapshot-on 'kind == gap' --for 100ms 2>"$dir/err"
is "without a window: exit" $? 2
done_testing
