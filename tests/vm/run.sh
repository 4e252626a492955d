#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh - run the kernel tests on other kernels, in QEMU guests
#
#   tests/vm/run.sh [LABEL…|all]       (or: make test-vm); labels: see fetch.sh
#
# Without LABELs, $VM_KERNELS counts, else a set that covers 5.10 to the newest
# in a few minutes. Each kernel boots with an initramfs of busybox, weir, its
# libraries and the test programs; job.sh is its init and reports on the serial
# line, which is kept in build/vm/run/LABEL/serial.log. Everything is emulated
# (TCG), so no KVM and no root are needed, and time in a guest means nothing.
#
# Variables: VM_KERNELS  labels, or "all"
#            VM_JOBS     guests at once            (2)
#            VM_TIMEOUT  seconds without a word until one is dead (300); how
#                        long all takes depends on what else the host does
#            VM_MEM      MiB for each              (512)
#            WEIR        the binary                (build/weir)
#            VM_TESTS    more test programs, run in the guest without
#                        arguments; exit 0 passed, 77 skipped, else failed
#
# stdout: one line per kernel as it ends, then the table, the failed and skipped
# checks, and "N passed, N failed, N skipped". Exit code: 0 none failed, 1 some
# did, 2 the guests could not be built, or no kernel could be had. One that
# cannot be had is skipped.
#
# Needs: qemu-system-x86, busybox-static, cpio, gcc, libc6-dev (static libc),
#        util-linux (flock), and what fetch.sh needs: xz-utils,
#        debian-archive-keyring.

set -u

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
vm=$root/build/vm
stage=$vm/initramfs
initrd=$vm/initramfs.cpio.gz

DEFAULT="5.10 6.1 6.12 7.0 7.3"
JOBS=${VM_JOBS:-2}
TIMEOUT=${VM_TIMEOUT:-300}
MEM=${VM_MEM:-512}
WEIR=${WEIR:-$root/build/weir}

die() {
	echo "vm: $*" >&2
	exit 2
}

have() { # LABEL
	[ -s "$vm/kernels/$1/vmlinuz" ]
}

# --- the initramfs ---

# Copy PROGRAM to DIR of the guest, and every library it loads to the same place
# there as here.
stage_program() { # PROGRAM DIR
	local lib

	cp "$1" "$stage$2/" || die "cannot copy $1"
	ldd "$1" 2>/dev/null | grep -o '/[^ ]*' | while read -r lib; do
		[ -e "$stage$lib" ] || install -D "$lib" "$stage$lib"
	done
}

stage_busybox() {
	local busybox applet

	busybox=$(command -v busybox) || die "busybox is not here (make deps)"
	ldd "$busybox" >/dev/null 2>&1 &&
		die "$busybox is not static (install busybox-static)"
	cp "$busybox" "$stage/bin/busybox"
	for applet in $("$busybox" --list | grep -vx busybox); do
		ln -s busybox "$stage/bin/$applet"
	done
}

stage_drivers() {
	local dir release

	for dir in "$vm"/kernels/*/; do
		[ -s "$dir/loop.ko" ] || continue
		release=$(cut -d' ' -f1 "$dir/version")
		install -D -m 644 "$dir/loop.ko" \
			"$stage/lib/modules/$release/loop.ko"
	done
}

build_load() {
	local load

	for load in load urings; do
		${CC:-cc} -O2 -Wall -Wextra -static -pthread -o "$vm/$load" \
			"$here/../load/$load.c" || die "$load.c: no build"
	done
}

build_initramfs() {
	local program

	rm -rf "$stage"
	mkdir -p "$stage"/{bin,etc,tests}
	build_load
	stage_busybox
	stage_program "$vm/load" /bin
	stage_program "$vm/urings" /bin
	[ -x "$WEIR" ] || die "$WEIR is not here (make)"
	stage_program "$WEIR" /bin
	# busybox goes by the name it is called with, which load chooses
	rm "$stage/bin/true"
	stage_program "$(type -P true)" /bin
	for program in ${VM_TESTS:-}; do
		stage_program "$program" /tests
	done
	stage_drivers
	install -m 755 "$here/job.sh" "$stage/init"
	install -m 644 "$here/checks.sh" "$stage/checks.sh"
	echo "a file to be opened" >"$stage/etc/weir-vm"
	(cd "$stage" && find . | cpio -o -H newc --quiet) |
		gzip -1 >"$initrd" || die "cannot pack the initramfs"
}

# --- one guest ---

# lsm= puts lockdown in, at level none, for job.sh to raise: Debian's own list
# has it too, but in another order on each kernel. On a busy host an emulated
# timer may not tick in time, which the kernel would panic about.
boot() { # LABEL: until the guest powers off
	exec qemu-system-x86_64 \
		-accel tcg,thread=single -cpu max -smp 2 -m "$MEM" \
		-nodefaults -no-user-config -no-reboot -display none \
		-serial stdio -monitor none -nic none \
		-drive if=none,id=disk,driver=null-co,size=64M,read-zeroes=on \
		-device nvme,drive=disk,serial=weir \
		-kernel "$vm/kernels/$1/vmlinuz" -initrd "$initrd" \
		-append "console=ttyS0 quiet panic=-1 no_timer_check \
lsm=lockdown,capability,landlock,bpf"
}

# Until the guest has ended, or has said nothing for $TIMEOUT: then it is killed.
watch_guest() { # DIR
	local said=0 now since=$SECONDS

	while kill -0 "$guest" 2>/dev/null; do
		sleep 1
		now=$(stat -c %s "$1/serial.log")
		[ "$now" = "$said" ] || since=$SECONDS
		said=$now
		[ $((SECONDS - since)) -ge "$TIMEOUT" ] || continue
		: >"$1/silent"
		kill -KILL "$guest"
	done
}

# Boot LABEL and leave in build/vm/run/LABEL: serial.log, the raw console;
# results, its "ok|fail|skip NAME DETAIL" lines; seconds.
run_guest() { # LABEL
	local dir=$vm/run/$1 begun rc

	rm -rf "$dir"
	mkdir -p "$dir"
	begun=$(date +%s)
	trap 'kill "$guest" 2>/dev/null; exit 1' INT TERM
	boot "$1" >"$dir/serial.log" 2>&1 </dev/null &
	guest=$!
	watch_guest "$dir"
	wait "$guest"
	rc=$?
	echo $(($(date +%s) - begun)) >"$dir/seconds"
	tr -d '\r' <"$dir/serial.log" |
		grep -aoE 'VM-RESULT (ok|fail|skip) .*' |
		cut -d' ' -f2- >"$dir/results"
	judge_end "$dir" $rc >>"$dir/results"
	echo "$1: $(cat "$dir/seconds") s, $(tally "$dir/results")"
}

last_words() { # SERIAL-LOG: why the kernel died, else the last line
	tr -d '\r' <"$1" | grep -a 'Kernel panic' | tail -n 1 | grep . ||
		tr -d '\r' <"$1" | tail -n 1
}

# A guest that did not reach its end is one more failed check.
judge_end() { # DIR RC
	local said got

	said=$(tr -d '\r' <"$1/serial.log" |
		sed -n 's/^VM-DONE \([0-9]*\)$/\1/p')
	got=$(wc -l <"$1/results")
	if [ -e "$1/silent" ]; then
		echo "fail guest-ends it said nothing for $TIMEOUT s, last:" \
			"$(last_words "$1/serial.log")"
	elif [ -z "$said" ]; then
		echo "fail guest-ends it stopped early (qemu exit $2):" \
			"$(last_words "$1/serial.log")"
	elif [ "$said" -ne "$got" ]; then
		echo "fail guest-ends it made $said results, $got arrived"
	fi
}

# --- all guests ---

count() { # WORD FILE…
	local word=$1

	shift
	cat "$@" 2>/dev/null | grep -c "^$word "
}

tally() { # FILE…
	echo "$(count ok "$@") passed, $(count fail "$@") failed," \
		"$(count skip "$@") skipped"
}

# A kernel that was not run is one skipped check.
note_not_run() { # LABEL WHY
	rm -rf "$vm/run/$1"
	mkdir -p "$vm/run/$1"
	echo "skip kernel $2" >"$vm/run/$1/results"
}

fetch_all() {
	local label said

	said=$("$here/fetch.sh" "${LABELS[@]}")
	[ -z "$said" ] || echo "$said"
	for label in "${LABELS[@]}"; do
		have "$label" || note_not_run "$label" \
			"$(echo "$said" | grep -F "not run: $label (")"
	done
}

boot_all() {
	local label

	for label in "${LABELS[@]}"; do
		have "$label" || continue
		while [ "$(jobs -rp | wc -l)" -ge "$JOBS" ]; do
			wait -n
		done
		run_guest "$label" &
	done
	wait
}

# --- the report ---

print_table() {
	local label dir

	printf '\n%-8s %-48s %7s %7s %7s %8s\n' \
		kernel version seconds passed failed skipped
	for label in "${LABELS[@]}"; do
		dir=$vm/run/$label
		printf '%-8s %-48s %7s %7s %7s %8s\n' "$label" \
			"$(cat "$vm/kernels/$label/version" 2>/dev/null ||
				echo -)" \
			"$(cat "$dir/seconds" 2>/dev/null || echo -)" \
			"$(count ok "$dir/results")" \
			"$(count fail "$dir/results")" \
			"$(count skip "$dir/results")"
	done
}

print_exceptions() {
	local label kind

	for kind in fail skip; do
		for label in "${LABELS[@]}"; do
			sed -n "s/^$kind \([^ ]*\) *\(.*\)/$kind $label \1: \2/p" \
				"$vm/run/$label/results"
		done
	done
}

main() {
	local results=() label wanted=${*:-${VM_KERNELS:-$DEFAULT}}

	[ "$wanted" != all ] || wanted=$("$here/fetch.sh" --list)
	read -ra LABELS <<<"$wanted"
	command -v qemu-system-x86_64 >/dev/null ||
		die "qemu-system-x86_64 is not here (make deps)"
	mkdir -p "$vm/run"
	exec 9>"$vm/run.lock"
	flock 9
	trap 'kill $(jobs -p) 2>/dev/null' EXIT
	fetch_all 9>&-
	build_initramfs
	boot_all 9>&-
	for label in "${LABELS[@]}"; do
		results+=("$vm/run/$label/results")
	done
	print_table
	echo
	print_exceptions
	[ "$(count ok "${results[@]}")" -gt 0 ] ||
		die "no kernel was run: nothing is known"
	tally "${results[@]}"
	[ "$(count fail "${results[@]}")" -eq 0 ]
}

main "$@"
