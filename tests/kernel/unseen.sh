#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# unseen.sh - disk requests whose completion no program sees are counted, each
# once: those whose memory is used again, and those that were the last in
# theirs. What is in flight when the recording ends is not. The kernel's
# own count of the disk's writes is what both are held against.
. tests/kernel/lib.sh
. tests/kernel/disk.sh

NAME=test-$$
PIN=/sys/fs/bpf/weir/$NAME
SEEN=500
UNSEEN=700
HELD=4

command -v fsfreeze >/dev/null || skip "needs fsfreeze"
[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] || skip "no bpffs is mounted"
end_all() {
	fsfreeze -u "$disk" 2>/dev/null
	kill $(jobs -p) 2>/dev/null
	[ -z "${recorder:-}" ] || kill -KILL $recorder 2>/dev/null
	wait 2>/dev/null
	"$WEIR" unpin $NAME >/dev/null 2>&1
	[ -z "${slow:-}" ] || losetup -d $slow 2>/dev/null
	disk_gone
	rm -rf "$dir"
}
trap end_all EXIT

# A disk that takes nothing while the file system below it is frozen.
make_disk ext4 64M
fallocate -l 16M "$disk/file"
slow=$(losetup -f --show "$disk/file") || skip "needs two loop devices"

writes() { awk '{ print $5 }' /sys/block/${slow#/dev/}/stat; }
in_flight() { [ "$(awk '{ print $2 }' /sys/block/${slow#/dev/}/inflight)" = $1 ]; }
missed() { events gap "of == block and stage == hook" | sum count; }
recorded() { count block_io "disk == \"${slow#/dev/}\" and op == write"; }

# What it reads it runs, by processes of its own.
mkfifo "$dir/orders"
bash <"$dir/orders" &
runner=$!
exec 9>"$dir/orders"
run() { # COMMAND…: to its end
	rm -f "$dir/ran"
	echo "$*; touch $dir/ran" >&9
	await test -e "$dir/ran" || fail "'$*' does not end"
}

# ---- still in flight -----------------------------------------------------------

fsfreeze -f "$disk"
start_recorder -o "$dir/a" -s block -p $runner --buffer 64M
for i in $(seq $HELD); do
	echo "$LOAD blocks $slow 1 &" >&9
done
await in_flight $HELD || fail "the disk is not slow"
kill -TERM $recorder
wait $recorder
is "with requests in flight: exit" $? 0
is "in flight, told as missed" "$(missed)" 0
is "in flight, told as done" "$(recorded)" 0
whole
fsfreeze -u "$disk"
await in_flight 0
run wait

# ---- completed, and not seen ---------------------------------------------------

rm -r "$dir/a"
before=$(writes)
start_recorder --pin $NAME -o "$dir/a" -s block -p $runner --buffer 64M
run "$LOAD" blocks $slow $SEEN
kill -KILL $recorder
wait $recorder 2>/dev/null
# In place of the hook of completions another one that does no harm: the link
# to the hook goes with its last name.
ln -f $PIN/l_block__requeue $PIN/l_block__complete ||
	fail "the hook cannot be taken away"
start_recorder --pin $NAME -o "$dir/a" -s block -p $runner --buffer 64M
run "$LOAD" blocks $slow $UNSEEN
kill -TERM $recorder
wait $recorder
is "with completions that were not seen: exit" $? 3
issued=$(($(writes) - before))
is "writes" "$issued" $((SEEN + UNSEEN))
# Of these, too, the kernel may have shown some to no program.
within "recorded" "$(recorded)" $((SEEN - 64)) $SEEN
is "recorded and missed" $(($(recorded) + $(missed))) "$issued"
whole 3
[ -e $PIN ] && fail "$PIN is left"
done_testing
