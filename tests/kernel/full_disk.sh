#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# full_disk.sh - a disk of 64 MiB fills up under what cannot be packed: recording
# goes on, what was lost is counted to the event, the archive reads. With --keep
# 32M it never fills, and nothing is lost.
. tests/kernel/lib.sh
. tests/kernel/disk.sh

HZ=4000 # events of 4 KB a second

# run N OPTIONS…: N of them into $disk/a. The mini-buffers, one for each CPU, hold
# them all: what is lost is lost at the disk.
run() {
	local n=$1
	shift
	"$WEIR" record -q -o "$disk/a" --buffer 256M --set syscall.calls=openat \
		--set syscall.slower=0 -s syscall "$@" -- \
		"$LOAD" noise $HZ "$n" >"$dir/out" 2>"$dir/err"
	is "the command's status" $? 0
	kept=$(openat_count)
	lost=$(of_account lost_archive)
	echo "kept $kept, lost $lost; $(df --output=pcent "$disk" | tail -n 1) full"
}

# Where the disk is full there is no room for gaps, but for the account.
of_account() { # column
	"$WEIR" stat "$disk/a" --json 2>/dev/null | jq "[.sources[] |
		select(.source == \"syscall\") | .$1] | add"
}

openat_count() {
	"$WEIR" export "$disk/a" --to jsonl -e syscall_done \
		-f 'name == openat and comm == load' 2>/dev/null |
		grep -c '"kind":"syscall_done"'
}

# The account of the archive holds, too: verify
verified() { # status
	"$WEIR" verify "$disk/a" >"$dir/verify" 2>&1
	is "verify" $? "$1"
	[ "$failures" = 0 ] || cat "$dir/verify"
}

make_disk ext4 64M
N=24000
run $N
[ "$lost" -gt 0 ] || fail "the disk was not full"
is "archive + losses = workload" $((kept + lost)) $N
is "kept, by the account" "$(of_account kept)" "$kept"
is "lost elsewhere" "$(of_account 'lost_kernel + .lost_main + .missed')" 0
grep -q "on the way to the disk" "$dir/err" || fail "not told: $(cat "$dir/err")"
verified 3

# Of the disk, not of the files: those come and go while they are added up.
used() { df --output=used -B1 "$disk" | tail -n 1; }
rm -rf "$disk/a"
sync -f "$disk"
before=$(used)
while sleep 0.2; do used; done >"$dir/used" &
watcher=$!
run $N --keep 32M
kill $watcher
most=$(($(sort -n "$dir/used" | tail -n 1) - before))
is "--keep: nothing is lost" "$lost" 0
[ "$kept" -lt $N ] || fail "--keep: nothing was removed"
within "--keep: what it took at most" "$most" 1 $((32 << 20))
verified 0
grep -q "were removed (retention" "$dir/verify" || fail "verify does not tell"
done_testing
