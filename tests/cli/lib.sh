# SPDX-License-Identifier: BSD-2-Clause
#
# lib.sh - for the black-box tests of the command line. Sourced by the scripts
# beside it, which tests/run.sh starts from the project's root. Each works in
# a directory of its own, $dir, and calls done_testing at its end.
# Not a test itself: not executable.

root=$PWD
. tests/lib.sh
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-cli.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
cd "$dir" || exit 1

needs_recording() {
	[ "$(id -u)" = 0 ] || skip "needs root"
	[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"
}

# run WORD…: weir's stdout in $dir/out, stderr in $dir/err, status in $rc
run() {
	"$WEIR" "$@" >"$dir/out" 2>"$dir/err" </dev/null
	rc=$?
}

# is WHAT GOT WANTED
is() {
	[ "$2" = "$3" ] || { fail "$1: got '$2', want '$3'"; show_err; }
}

# has WHAT FILE PATTERN: an extended regular expression in the file
has() {
	grep -qE -- "$3" "$2" && return
	fail "$1: no line matches '$3' in:"
	head -n 10 "$2" | cat -v
}

# hasnt WHAT FILE PATTERN
hasnt() {
	grep -qE -- "$3" "$2" || return
	fail "$1: a line matches '$3': $(grep -m1 -E -- "$3" "$2" | cat -v)"
}

show_err() { [ ! -s "$dir/err" ] || head -n 5 "$dir/err" | cat -v; }

lines() { wc -l <"$1"; }

# Text that is safe on a terminal: UTF-8 without control characters but \n.
is_clean() { # WHAT FILE
	LC_ALL=C grep -qP '[\x00-\x09\x0b-\x1f\x7f]' "$2" &&
		fail "$1: control characters in $2"
	python3 -c 'import sys; open(sys.argv[1], encoding="utf-8").read()' \
		"$2" || fail "$1: $2 is not UTF-8"
}

# record_losses ARCHIVE: what dd does while the repo sleeps, for the smallest
# main ring. Of what all others do some would be lost, too.
record_losses() {
	: >"$dir/err"
	{
		wait_for 20 grep -q capturing "$dir/err"
		exec dd if=/dev/zero of=/dev/null bs=1 count=20000 2>/dev/null
	} &
	run record -o "$1" -p $! --set repo.stall=1500ms --main-ring 64K \
		--buffer 256K --set syscall.calls=all --for 2s
}

# wait_for SECONDS COMMAND…: until it succeeds
wait_for() {
	local end=$((SECONDS + $1))
	shift
	until "$@" 2>/dev/null; do
		[ $SECONDS -le $end ] || return 1
		sleep 0.05
	done
}
