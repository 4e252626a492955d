#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# powercut.sh - the power fails under load (FS_IOC_SHUTDOWN, the log not
# flushed), 2 times each on ext4 and xfs (10 with LONG=1). What weir had been
# told was on the disk is there after a new mount, with no damage before its
# end; the numbers that the load counted have no hole; and weir itself goes on,
# tells how many events it could not write, and ends when it is asked to.
. tests/kernel/lib.sh
. tests/kernel/disk.sh

ROUNDS=2
[ -z "${LONG:-}" ] || ROUNDS=10

# The last "durable: NAME N bytes" of each segment, after fdatasync returned.
durable() {
	sed -n 's/^durable: \(.*\) \([0-9]*\) bytes$/\1 \2/p' "$dir/err" |
		awk '{ n[$1] = $2 } END { for (f in n) print f, n[f] }'
}

# Was anything found damaged, or cut off, before what was durable?
check_segment() { # name bytes
	local file=$disk/a/$1 found
	[ -e "$file" ] || file=$file.open
	if [ ! -e "$file" ] || [ "$(stat -c %s "$file")" -lt "$2" ]; then
		fail "$1: $2 bytes were durable, there are $(stat -c %s "$file")"
		return
	fi
	found=$(sed -n "s/^$1\(\.open\)\?: \([0-9]*\): .*/\2/p" "$dir/verify" |
		sort -n | head -n 1)
	[ "${found:-$2}" -ge "$2" ] ||
		fail "$1: damage at $found, $2 bytes were durable"
}

check() { # pid of the load
	local segments=0 rc name bytes
	"$WEIR" verify "$disk/a" >"$dir/verify" 2>&1
	rc=$?
	while read -r name bytes; do
		check_segment "$name" "$bytes"
		segments=$((segments + 1))
		total=$((total + bytes))
	done < <(durable)
	[ $segments -ge 1 ] || fail "nothing was durable: $(cat "$dir/err")"
	[ $rc = 0 ] || [ $rc = 3 ] || echo "verify: $rc: $(cat "$dir/verify")"
	"$WEIR" export "$disk/a" --to jsonl -e syscall_done \
		-f "pid == $1 and name == lseek" 2>/dev/null |
		sed -n 's/.*"args":\[[^,]*,\([0-9]*\),.*/\1/p' >"$dir/numbers"
	is "holes" "$(awk 'NR > 1 && $1 != last + 1 { n++ } { last = $1 }
		END { print n + 0 }' "$dir/numbers")" 0
	[ -s "$dir/numbers" ] || fail "no numbers are there"
}

# As long as a mount namespace that somebody else has just made knows the mount,
# the dead file system is what one would get.
mount_again() {
	local i
	for i in $(seq 60); do
		umount "$disk"
		disk_mount && ls "$disk/a" >/dev/null && return
		sleep 0.5
	done 2>"$dir/mount"
	return 1
}

three_are_durable() { [ "$(grep -c '^durable' "$dir/err")" -ge 3 ]; }

round() {
	"$LOAD" numbers 20000 15 >/dev/null &
	local load=$!
	WEIR_DEBUG=1 "$WEIR" record -o "$disk/a" --buffer 64M -s syscall,task \
		--set syscall.calls=lseek --segment 200K 2>"$dir/err" &
	local pid=$!
	await three_are_durable
	sleep "$((RANDOM % 2)).$((RANDOM % 900 + 100))"
	"$LOAD" cut "$disk" >"$dir/out" || fail "cannot cut the power"
	sleep 1.5
	kill -INT $pid
	wait $pid
	is "without a disk: status" $? 1
	grep -q "lost [0-9]* events on the way to the disk" "$dir/err" ||
		fail "losses are not told: $(grep -v ^durable "$dir/err")"
	kill $load
	wait $load 2>/dev/null
	mount_again || { fail "cannot mount it again"; return; }
	check $load
	rm -rf "$disk/a"
}

for fs in ext4 xfs; do
	total=0
	make_disk $fs 320M
	for i in $(seq $ROUNDS); do
		echo "$fs, power cut $i"
		round
	done
	echo "$fs: $total bytes were durable, and are there"
	disk_gone
done
done_testing
