# SPDX-License-Identifier: BSD-2-Clause
#
# disk.sh - for the tests that need a disk of their own: a file in $dir as a
# loop device with a file system on it. Sourced behind lib.sh; whatever happens,
# it is unmounted and detached in the end. Not a test itself: not executable.

disk=$dir/disk
loop=

disk_gone() {
	fsfreeze -u "$disk" 2>/dev/null
	umount "$disk" 2>/dev/null || umount -l "$disk" 2>/dev/null
	[ -z "$loop" ] || losetup -d "$loop" 2>/dev/null
	loop=
	rm -f "$dir/image"
}

disk_mount() { mount "$loop" "$disk"; }

# make_disk ext4|xfs SIZE: skips, with the reason, where that cannot be had.
make_disk() {
	command -v "mkfs.$1" >/dev/null || skip "needs mkfs.$1"
	grep -qw "$1" /proc/filesystems || modprobe "$1" 2>/dev/null ||
		skip "this kernel has no $1"
	truncate -s "$2" "$dir/image"
	loop=$(losetup -f --show "$dir/image" 2>/dev/null) ||
		skip "needs a loop device"
	"mkfs.$1" -q "$loop" >"$dir/mkfs" 2>&1 ||
		skip "mkfs.$1: $(tail -n 1 "$dir/mkfs")"
	mkdir -p "$disk"
	disk_mount || skip "cannot mount $1"
}

# Who writes to what is frozen does not end.
trap 'fsfreeze -u "$disk" 2>/dev/null; kill $(jobs -p) 2>/dev/null
	wait 2>/dev/null; disk_gone; rm -rf "$dir"' EXIT
