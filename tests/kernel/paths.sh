#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# The file that an open was of, by its whole path: names of every length, few
# and many directories, over mounts, more of them than are walked, and one that
# is renamed meanwhile.
. tests/kernel/lib.sh

# By loads where the kernel has the function for it, and its JIT.
how=helper
[ "$(cat /proc/sys/net/core/bpf_jit_enable 2>/dev/null)" != 0 ] &&
	grep -q ' bpf_rdonly_cast$' /proc/kallsyms && how=loads
for source in syscall task; do
	is "paths in $source are read by" "$("$WEIR" doctor --json |
		jq -r ".sources[] | select(.source == \"$source\").paths")" $how
done

letters=$(printf 'abcdefghijklmnopqrstuvwxyz0123456789_%.0s' 1 2 3 4 5 6 7)
mkdir "$dir/names" "$dir/deep" "$dir/mounts"
for n in $(seq 255); do
	: >"$dir/names/${letters:0:n}"
done
at=$dir/deep
for n in $(seq 60); do
	at=$at/${letters:n:n%23+1}
	mkdir "$at"
	: >"$at/end"
done

# openers FOLDER: open what is in it, by names that lead through a link
openers() {
	ln -sfn "$1" "$dir/link"
	find "$dir/link/" -type f -exec sh -c 'for f; do : <"$f"; done' sh {} +
}

# Which files were opened, whose path has PATTERN in it.
opened() {
	events syscall_done "name in (open, openat) and ret >= 0" |
		jq -r .file | grep -F "$1" | sort -u
}

export dir
export -f openers
record -s syscall -- bash -c 'openers "$dir/names"; openers "$dir/deep"'
is "names of every length" "$(opened /names/ | md5sum)" \
	"$(find "$dir/names" -type f | sort | md5sum)"
is "ends of directories" "$(opened /end | md5sum)" \
	"$(find "$dir/deep" -type f | sort | md5sum)"
is "how many" "$(opened /names/ | wc -l) $(opened /end | wc -l)" "255 60"

# A mount on a directory, and one on a directory of that.
over_mounts() {
	mount -t tmpfs weir-test "$dir/mounts" && mkdir -p "$dir/mounts/a/b" &&
		mount -t tmpfs weir-test "$dir/mounts/a/b" &&
		: >"$dir/mounts/a/b/file"
}
export -f over_mounts
record -s syscall -- unshare -m bash -c over_mounts
is "over two mounts" "$(opened /a/b/file)" "$dir/mounts/a/b/file"

# Files in no directory: as /proc tells of them.
nameless() {
	exec 5< <(:) && : <"/proc/$$/fd/5" && : <"/proc/$$/ns/net" &&
		: <"/proc/$$/ns/uts" &&
		readlink "/proc/$$/fd/5" "/proc/$$/ns/net" "/proc/$$/ns/uts"
}
export -f nameless
record -s syscall -- bash -c nameless
is "pipe and namespaces" "$(opened :[ | xargs)" "$(sort "$dir/out" | xargs)"

# A name that changes while it is read: the old one or the new one, no mixture.
# Where it changed too often for a whole one, the front is cut.
mkdir "$dir/aa"
: >"$dir/aa/file"
record -s syscall -- "$LOAD" renamed "$dir/aa" "$dir/bbbbbbbbbbb" 50000
events syscall_done "path == file and ret >= 0" >"$dir/calls"
is "opens" "$(wc -l <"$dir/calls")" 50000
is "other names" "$(jq -r 'select(.file_full == null).file' "$dir/calls" |
	grep -vcxE "$dir/(aa|bbbbbbbbbbb)/file")" 0
is "both names" "$(jq -r 'select(.file_full == null).file' "$dir/calls" |
	sort -u | wc -l)" 2
is "cut ones" "$(jq -r 'select(.file_full).file' "$dir/calls" |
	grep -vcxE '|/file')" 0

# 300 names of one letter: the front is cut, and `file_full` says so.
below=$(printf '/z%.0s' $(seq 300))
mkdir -p "$dir$below"
: >"$dir$below/last"
record -s syscall -- "$LOAD" opens "$dir$below/last" 1
events syscall_done "name == openat and path ~ '*/z/last'" >"$dir/calls"
is "an end of it" "$(jq -r '.file | test("^(/z){200,}/last$")' "$dir/calls")" \
	true
is "which is said" "$(jq -r '.file_full > (.file | length)' "$dir/calls")" true
whole
done_testing
