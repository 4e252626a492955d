#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Calls made in ways that a monitor may not see, all kept by default: recorded
# with their process, and with all others by the plain program (WEIR_KNOB).
. tests/kernel/lib.sh

ways=$O/tests/load/ways
: >"$dir/file"

# way NAME FILE FILTER: record it; its calls as JSON lines in $dir/calls. False
# where this kernel has no such way.
way() {
	"$ways" "$1" "$2" >/dev/null 2>&1
	[ $? != 77 ] || { echo "no $1 on this kernel"; return 1; }
	$how -s syscall --set syscall.calls="${calls:-default}" -- "$ways" "$1" "$2"
	events syscall_done "$3 and (comm in (ways, true) or comm ~ 'iou-*')" >"$dir/calls"
	return 0
}

# fields NAME…: of every call recorded, a line each
fields() { jq -r "[$(printf '.%s,' "$@" | sed 's/,$//')] | @tsv" "$dir/calls"; }

tab=$'\t'
check_ways() {
	if way int80 "$dir/file" "compat == 1"; then
		is "int 0x80" "$(fields name path file)" \
			"open$tab$dir/file$tab$dir/file"
	fi
	if way uring "$dir/file" "name == openat and path == '$dir/file'"; then
		is "io_uring" "$(fields name path file)" \
			"openat$tab$dir/file$tab$dir/file"
	fi
	if way sqpoll "$dir/file" "name == openat and path == '$dir/file'"; then
		is "io_uring, polled" "$(fields name path file)" \
			"openat$tab$dir/file$tab$dir/file"
	fi
	printf 12345678 >"$dir/file"
	calls=pread64,pwrite64,socket
	if way rings "$dir/file" "name in (pread64, pwrite64, socket)"; then
		is "io_uring, arguments" "$(grep '"io_uring"' "$dir/calls" | jq -r '.name +
			" " + (.args | tojson) + if .name == "socket" then "" else
			" " + (.ret | tojson) end')" "$(grep '\[' "$dir/out")"
	fi
	calls=
	way unknown "" "ret == -38"
	is "unknown numbers" "$(fields 'args[5]' | wc -l)" 3
	way execfd /bin/true "name == execveat"
	is "exec of a descriptor" "$(fields file)" "$(readlink -f /bin/true)"
	way refused "$dir/file" "name == unlink"
	is "refused by seccomp" "$(fields ret)" -13
	way long "$dir/file" "path ~ '/./././*'"
	is "4095 bytes are whole, 5000 are cut" \
		"$(jq -r '[.ret >= 0, (.path | length), .path_full // 0] | @tsv' \
			"$dir/calls")" "true${tab}4095${tab}0
false${tab}4095${tab}4096"
	is "their file" "$(jq -r 'select(.ret >= 0).file' "$dir/calls")" "$dir/file"
}
for how in record record_host; do
	check_ways
done
done_testing
