#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A path that another thread changes while it is being opened: the claimed path
# may be wrong, the resolved file never is. Oracle: the inode behind the path
# cannot be told from outside, so the program opens one of two files of which
# only B exists: every successful open must resolve to B.
. tests/kernel/lib.sh

N=50000
: >"$dir/BBBB"
record -s syscall -- "$LOAD" flip "$dir/AAAA" "$dir/BBBB" $N
events syscall_done "name == openat and path ~ '$dir/*'" >"$dir/opens"
is "opens" "$(wc -l <"$dir/opens")" $N
jq -r 'select(.ret >= 0) | .file' "$dir/opens" | sort | uniq -c >"$dir/files"
is "resolved" "$(awk '{print $2}' "$dir/files")" "$dir/BBBB"
is "failed ones have no file" \
	"$(jq -r 'select(.ret < 0) | .file' "$dir/opens" | sort -u)" ""
lied=$(jq -r 'select(.ret >= 0) | .path' "$dir/opens" | grep -vcx "$dir/BBBB")
echo "claimed a path that was not opened: $lied of $(awk '{print $1}' \
	"$dir/files")"
whole

# A descriptor that another thread gives another file before the call ends: what
# was opened is not known then, but not taken for that other one.
record -s syscall -- "$O/tests/load/ways" replaced "$dir/BBBB"
events syscall_done "name == openat and path == '$dir/BBBB' and ret >= 0" |
	jq -r '.file // "?"' | sort | uniq -c >"$dir/files"
cat "$dir/files"
is "replaced: opens" "$(awk '{ n += $1 } END { print n }' "$dir/files")" $N
is "replaced: other files" "$(grep -vc -e " $dir/BBBB\$" -e ' ?$' "$dir/files")" 0
whole
done_testing
