#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# io_errors.sh - calls that write an archive fail, one after the other, once or
# from there on: no crash; what was lost is counted, and what is there reads.
# FAULTS=all tries every call, else some, others each time.

. "$(dirname "$0")/lib.sh"
needs_recording
shim=$O/tests/fault/fault.so
[ -e "$shim" ] || { echo "there is no $shim (make test-programs)"; exit 1; }
EIO=5 ENOSPC=28
lossy=0 # of how many the calls were not all kept

# broken WHAT ON AT ERRNO
broken() {
	rm -rf a
	: >counters
	timeout -k 1 30 env FAULT_FILE=counters FAULT_WHAT="$1" FAULT_ON="$2" \
		FAULT_AT="$3" FAULT_ERRNO="$4" LD_PRELOAD="$shim" \
		"$WEIR" record -q -o "$dir/a" -s syscall,task --buffer 16M \
		--segment 1M --set syscall.calls=getppid \
		--set syscall.slower=0 -- "$O/tests/load/load" calls 2 20000 \
		>out 2>err </dev/null
	rc=$?
	read -r seen hits < <(od -An -tu8 counters)
}

# sound NAME: of each call it is known what became of it
sound() {
	local lost kept told
	# 126: the command, whose start is a write to it, too
	[ $rc -le 3 ] || [ $rc = 126 ] || fail "$1: status $rc"
	grep -vq '^weir: ' err && fail "$1: $(grep -v '^weir: ' err | head -1)"
	[ $rc = 0 ] || has "$1: status $rc" err '^weir: '
	[ -n "$(ls a/*.weir* 2>/dev/null)" ] || return 0 # it did not begin
	"$WEIR" verify a >verified 2>&1
	[ $? != 1 ] || fail "$1: $(grep -v '^weir' verified | head -2)"
	"$WEIR" stat a --json >stat 2>/dev/null
	kept=$("$WEIR" show a --json -f 'name == getppid' 2>/dev/null |
		grep -c '"getppid"')
	lost=$(jq .lost_in_all stat)
	[ "$kept" -le 40000 ] || fail "$1: $kept of 40000"
	grep -q '^ns ' out || return 0 # the load did not run
	# The rest of the losses are of other events. What fails to the end leaves
	# no account on the disk: the words are what is left.
	told=$(sed -n 's/^weir: lost \([0-9]*\) events.*/\1/p' err |
		awk '{ n += $1 } END { print n + 0 }')
	[ "$lost" -ge "$told" ] || lost=$told
	[ $((kept + lost)) -ge 40000 ] ||
		fail "$1: $kept kept, $lost lost of 40000: $(cat err)"
	[ "$kept" = 40000 ] || lossy=$((lossy + 1))
}

# sweep SHARE WHAT ERRNO
sweep() {
	local share=$1 calls at on
	[ "${FAULTS:-}" = all ] && share=1
	broken "$2" 0 0 "$3"
	is "$2: status" $rc 0
	calls=$seen
	[ "$calls" -ge 1 ] || fail "$2: never called"
	for ((at = 1 + RANDOM % share; at <= calls; at += share)); do
		for on in 0 1; do
			broken "$2" $on $at "$3"
			[ "$hits" = 0 ] || sound "$2 $at of $calls, on=$on"
		done
	done
}

sweep 9 write $EIO
sweep 9 write $ENOSPC
sweep 9 short 0
sweep 3 fdatasync $EIO
sweep 1 rename $EIO
sweep 9 openat $EIO
[ $lossy -ge 1 ] || fail "no error cost a call"
done_testing
