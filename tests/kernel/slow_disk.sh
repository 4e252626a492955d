#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# slow_disk.sh - a disk takes nothing for seconds: what the archive's thread
# cannot hold is lost there, to the event, and nothing anywhere else, for the
# repo does not wait. When it takes again, recording goes on.
. tests/kernel/lib.sh
. tests/kernel/disk.sh
command -v fsfreeze >/dev/null || skip "needs fsfreeze"

HZ=4000 # events of 4 KB a second
N=32000

make_disk ext4 256M
"$WEIR" record -q -o "$disk/a" --buffer 64M --set syscall.calls=openat \
	--set syscall.slower=0 --name "$dir/socket" \
	-s syscall,task -- "$LOAD" noise $HZ $N >"$dir/out" 2>"$dir/err" &
recorder=$!
loses() { # or has ended
	"$WEIR" status --json --name "$dir/socket" >"$dir/status" 2>&1 || return 0
	[ "$(jq '.sources[] | select(.source == "syscall").lost_archive' \
		"$dir/status")" -gt 0 ]
}
load_runs() { pgrep -P $recorder -x load >/dev/null; } # not before its exec
await load_runs
sleep 1
fsfreeze -f "$disk"
await loses
fsfreeze -u "$disk"
wait $recorder
is "the command's status" $? 0
cp -r "$disk/a" "$dir/a"
kept=$(count syscall_done 'name == openat and comm == load')
events gap 'of == syscall' >"$dir/gaps"
lost=$("$WEIR" stat "$dir/a" --json 2>/dev/null | jq '[.sources[] |
	select(.source == "syscall").lost_archive] | add')
echo "kept $kept, lost $lost"
[ "$lost" -gt 0 ] || fail "nothing was lost: the disk was not slow enough"
is "archive + losses = workload" $((kept + lost)) $N
is "gaps tell of all" "$(sum count <"$dir/gaps")" "$lost"
is "where" "$(jq -r .stage "$dir/gaps" | sort -u)" archive
last=$(events syscall_done 'name == openat' | tail -n 1 | jq .ts)
thawed=$(tail -n 1 "$dir/gaps" | jq .last)
[ "$last" -gt "$thawed" ] || fail "nothing was recorded after it"
whole 3
done_testing
