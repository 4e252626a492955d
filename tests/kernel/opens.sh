#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Every open of a named file, what was asked for and what it really was.
. tests/kernel/lib.sh

N=20000
mkdir -p "$dir/deep/er"
: >"$dir/deep/er/file"
ln -s "$dir/deep" "$dir/link"
record -s syscall -- "$LOAD" opens "$dir/link/er/../er/file" $N
events syscall_done "name == openat and path ~ '*/link/er/../er/file'" \
	>"$dir/opens"
is "opens" "$(wc -l <"$dir/opens")" $N
is "twice" "$(twice <"$dir/opens")" 0
is "resolved" "$(jq -r .file "$dir/opens" | sort -u)" "$dir/deep/er/file"
is "claimed" "$(jq -r .path "$dir/opens" | sort -u)" "$dir/link/er/../er/file"
is "flags" "$(jq -r '.args[2]' "$dir/opens" | sort -u)" "O_RDONLY|O_CLOEXEC"
whole
done_testing
