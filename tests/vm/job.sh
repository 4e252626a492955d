#!/bin/busybox sh
# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
#
# job.sh - what runs inside a guest, as its init; run.sh boots it
#
# Every check is one line on the serial console,
#	VM-RESULT ok|fail|skip NAME DETAIL
# after one that says that it begins; what a failed check printed follows as "VM-LOG NAME: …", and the last line is
# "VM-DONE COUNT", COUNT being the number of VM-RESULT lines. run.sh takes a
# guest without that line, or with another count, for failed.
#
# The checks are the list in checks(), below, what weir has to do in checks.sh;
# everything before it is set-up.

export PATH=/bin
# shellcheck source=tests/vm/checks.sh
. /checks.sh
RESULTS=0
OUT=/tmp/out # what the current check printed

# --- the guest ---

mount_all() {
	mkdir -p /proc /sys /dev /tmp /run /root
	mount -t proc proc /proc
	mount -t sysfs sys /sys
	mount -t devtmpfs dev /dev
	mount -t tmpfs -o mode=1777 tmp /tmp
	mount -t securityfs sec /sys/kernel/security
	mount -t cgroup2 cgroup2 /sys/fs/cgroup
	mount -t bpf bpf /sys/fs/bpf
	mount_tracefs
}

# debugfs stays unmounted: it would bring a tracefs of its own.
mount_tracefs() {
	mount -t tracefs trace /sys/kernel/tracing
}

umount_tracefs() {
	umount /sys/kernel/tracing
}

hide_btf() {
	mount -t tmpfs -o size=4k none /sys/kernel/btf
}

show_btf() {
	umount /sys/kernel/btf
}

# For good: a level of lockdown can be raised and never lowered.
lock_down() { # integrity|confidentiality
	echo "$1" >/sys/kernel/security/lockdown
}

# A block device with a request queue: the NVMe disk that run.sh gives, where
# the kernel has the driver built in, else a loop device over tmpfs.
find_disk() {
	local loop

	DISK=/dev/nvme0n1
	[ -b $DISK ] && return
	DISK=
	[ -f "/lib/modules/$(uname -r)/loop.ko" ] &&
		insmod "/lib/modules/$(uname -r)/loop.ko"
	truncate -s 16M /tmp/disk
	loop=$(losetup -f 2>/dev/null) && losetup "$loop" /tmp/disk &&
		DISK=$loop
}

set_up() {
	mount_all
	dmesg -n 1 # the console is for results; an oops still shows
	ip link set lo up
	find_disk
	dmesg -c >/tmp/boot.log
}

# --- results ---

result() { # ok|fail|skip NAME DETAIL…
	RESULTS=$((RESULTS + 1))
	echo "VM-RESULT $*"
}

show_log() { # NAME: what the check printed, for whoever reads the serial log
	sed "s/^/VM-LOG $1: /" $OUT | tail -n 30
}

# Passes when the command does; its last line of output is the detail.
check() { # NAME COMMAND…
	local name=$1 rc

	shift
	echo "VM-BEGIN $(cut -d' ' -f1 /proc/uptime) $name"
	"$@" >$OUT 2>&1 </dev/null
	rc=$?
	case $rc in
	0) result ok "$name" "$(tail -n 1 $OUT)" ;;
	77) result skip "$name" "$(tail -n 1 $OUT)" ;;
	*)
		result fail "$name" "exit $rc: $(tail -n 1 $OUT)"
		show_log "$name"
		;;
	esac
}

check_equal() { # NAME WANT GOT
	if [ "$2" = "$3" ]; then
		result ok "$1" "$3"
	else
		result fail "$1" "want $2, got $3"
	fi
}

check_kernel_log() {
	dmesg | grep -E 'BUG|WARNING|Oops|Call Trace' >$OUT
	if [ -s $OUT ]; then
		result fail kernel-log "$(head -n 1 $OUT)"
		dmesg | sed 's/^/VM-LOG kernel-log: /' | tail -n 60
	else
		result ok kernel-log
	fi
}

# --- the checks ---

# The machine itself, and that the workload can make its events.
check_guest() {
	check guest load info
	check load load calls 8 10000
}

check_tests() {
	local test

	for test in /tests/*; do
		[ ! -x "$test" ] || check "$(basename "$test")" "$test"
	done
}

check_sources() {
	local source

	doctor
	check doctor doctor_content
	for source in $SOURCES; do
		check "source-$source" source_on "$source"
	done
}

check_workloads() {
	local load

	for load in calls opens tree procs tcp blocks pipes; do
		check "$load" "known_$load"
	done
}

# What goes on while it records, and what it leaves.
check_running() {
	check flood flood
	check budget budget
	check storage storage
	check pid follow_pid
	check cgroup follow_cgroup
	check moves moves
	check pin pin
	check unseen unseen
	check unpin unpin
	check snapshots snapshots
	check hotplug hotplug
}

check_filter() {
	check filter-calls filter_calls
	check filter-all filter_all
}

check_no_btf() {
	hide_btf
	check no-btf case_no_btf
	show_btf
}

check_no_tracefs() {
	umount_tracefs
	check no-tracefs case_no_tracefs
	check no-tracefs-names case_no_tracefs_names
	mount_tracefs
}

check_lockdown() {
	local source

	lock_down confidentiality
	check_equal lockdown "none integrity [confidentiality]" \
		"$(cat /sys/kernel/security/lockdown)"
	doctor
	for source in $SOURCES; do
		check "lockdown-$source" lockdown_source "$source"
	done
	check lockdown-calls lockdown_calls
	check lockdown-procs lockdown_procs
}

checks() {
	check_guest
	check_tests
	check_sources
	check_workloads
	check_filter
	check_running
	check_no_btf
	check_no_tracefs
	check_lockdown # last, there is no way back
	check_kernel_log
}

set_up
echo "VM-START $(uname -r) up $(cut -d' ' -f1 /proc/uptime) s"
checks
echo "VM-DONE $RESULTS"
poweroff -f
