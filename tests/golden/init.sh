#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
#
# init.sh - what runs inside the guest of make.sh, as its init: recordings of
# all sorts, handed out as a tar over the serial line, in base64.

export PATH=/bin TZ=UTC0 HOME=/
mkdir -p /proc /sys /dev /tmp /a
mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
mount -t tmpfs tmp /tmp
mount -t tmpfs tmp /a
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mount -t tracefs trace /sys/kernel/tracing
mount -t tmpfs tmp /tmp
hostname golden
ifconfig lo 127.0.0.1
cd /a || exit 1

record() {
	weir record -q --buffer 4M -o "$@" 2>&1
}

load='for i in 1 2 3; do /bin/true; done; ls /etc /nonexistent >/dev/null
	echo text >/tmp/file; mv /tmp/file /tmp/other; rm /tmp/other
	echo hello | nc -l -p 99 -w 2 >/dev/null & sleep 1
	echo there | nc 127.0.0.1 99 >/dev/null; kill -0 1'
# shellcheck disable=SC2016
many='for i in 1 2 3 4 5 6 7 8 9 10 11 12; do
	ls -lR /bin /etc >/dev/null; done'

record rows -- sh -c "$load"
record columns -s task,sched,syscall,block,net --set syscall.calls=all -- \
	sh -c "$many; $load"
record segments --segment 20K --set syscall.calls=all -- sh -c "$many
	sleep 1.2; $many; sleep 1.2; $many; sleep 1.2; /bin/true"
record losses --set repo.stall=1500ms --main-ring 64K --buffer 256K \
	--set syscall.calls=all -- dd if=/dev/zero of=/dev/null bs=1 count=30000
# killed: a segment without its end
weir record -q --buffer 4M -o cut --set syscall.calls=all -- \
	sh -c "$many; sleep 1.5; $many; exec sleep 600" &
sleep 90
kill -KILL $!
for a in rows columns segments losses cut; do
	rm -f "$a/LOCK"
	weir verify "$a" 2>&1
	ls -l "$a"
done
tar cz rows columns segments losses cut | base64 >/tmp/all
echo GOLDEN-BEGIN
cat /tmp/all
echo GOLDEN-END
sync
poweroff -f
