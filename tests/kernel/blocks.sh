#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# 2,000 direct writes of 4 KiB: each a request, from this program, with a
# plausible latency. Some kernels run no program for completions that come while
# process 1 is on the CPU (bpf/sched.bpf.c, miss_switch()); those must be counted,
# and with them what else of this program was not seen: what its file system
# wrote.
. tests/kernel/lib.sh

N=2000
fallocate -l $((N * 4096)) "$dir/file" 2>/dev/null ||
	skip "no fallocate on $dir"
if ! dd if=/dev/zero of="$dir/file" bs=4096 count=1 conv=notrunc oflag=direct \
	2>/dev/null; then
	skip "no direct I/O on $dir"
fi
dd if=/dev/zero of="$dir/file" bs=1M count=$((N * 4096 / 1048576 + 1)) \
	conv=fsync 2>/dev/null	# allocate, so that each write is one request
sync
disk_writes() { awk '{ n += $8 } END { print n + 0 }' /proc/diskstats; }
before=$(disk_writes)
record -s block -- "$LOAD" blocks "$dir/file" $N
[ $(($(disk_writes) - before)) -ge $N ] || skip "$dir is on no block device"
# The file system may write 4 KiB of its own meanwhile, in this task's context
# but not as data: only the program's writes are all of one sort.
events block_io "comm == load and op == write and bytes == 4096" |
	jq -c -s 'group_by(.flags) | max_by(length)[]' >"$dir/ios"
got=$(wc -l <"$dir/ios")
missed=$(events gap "of == block and stage == hook" | sum count)
within "writes, and $missed that no program saw" $((got + missed)) \
	$N $((N + (missed ? 64 : 0)))
is "sectors" "$(jq .sector "$dir/ios" | sort -u | wc -l)" "$got"
is "errors" "$(jq 'select(.error != 0)' "$dir/ios" | wc -l)" 0
is "latency = queued + service" \
	"$(jq 'select(.latency != .queued + .service)' "$dir/ios" | wc -l)" 0
within "latencies" "$(sum latency <"$dir/ios")" $((got * 1000)) "$(load_ns)"
whole $((missed ? 3 : 0))
done_testing
