#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# make.sh KERNEL DIR - record new golden archives into DIR, in a guest
#
# By hand, when there is a form that the archives kept here do not have: those
# stay, and every later weir reads them (tests/cli/golden.sh). In a guest, where
# nothing runs but what is recorded, so that they are small and tell of no host.
# Needs what tests/vm/run.sh needs; KERNEL is a label of tests/vm/fetch.sh.

set -eu
label=${1:?which kernel?} to=${2:?where to?}
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
weir=${WEIR:-$root/build/weir}
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT

"$root/tests/vm/fetch.sh" "$label"
mkdir -p "$stage"/root/{bin,etc} "$to"
cp "$(command -v busybox)" "$stage/root/bin/busybox"
for applet in $(busybox --list | grep -vx busybox); do
	ln -s busybox "$stage/root/bin/$applet"
done
rm "$stage/root/bin/true"
for program in "$weir" "$(type -P true)"; do
	cp "$program" "$stage/root/bin/"
	for lib in $(ldd "$program" | grep -o '/[^ ]*'); do
		[ -e "$stage/root$lib" ] || install -D "$lib" "$stage/root$lib"
	done
done
install -m 755 "$here/init.sh" "$stage/root/init"
(cd "$stage/root" && find . | cpio -o -H newc --quiet) | gzip -1 \
	>"$stage/initrd"
timeout 600 qemu-system-x86_64 -accel tcg -cpu max -smp 2 -m 512 \
	-nodefaults -no-user-config -no-reboot -display none -serial stdio \
	-monitor none -nic none \
	-drive if=none,id=disk,driver=null-co,size=64M,read-zeroes=on \
	-device nvme,drive=disk,serial=weir \
	-kernel "$root/build/vm/kernels/$label/vmlinuz" \
	-initrd "$stage/initrd" \
	-append "console=ttyS0 quiet panic=-1 lsm=capability,bpf" |
	tr -d '\r' >"$stage/serial"
sed '/^GOLDEN-BEGIN$/,$d' "$stage/serial"
sed '1,/^GOLDEN-BEGIN$/d; /^GOLDEN-END$/,$d' "$stage/serial" | base64 -d |
	tar xz -C "$to"
