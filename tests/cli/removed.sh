#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# removed.sh - segments that retention takes while an archive is read: the
# answer says what it lacks, and so does verify.

. "$(dirname "$0")/lib.sh"

cp -r "$root/tests/golden/archives/segments" a || fail "no archive to read"
mkfifo pipe
"$WEIR" show a --json >pipe 2>err &
reader=$!
exec 3<pipe
IFS= read -r first <&3 # what comes is more than a pipe holds
rm a/*-0000000008.weir a/*-0000000009.weir
cat <&3 >rest
wait $reader
is "removed: status" $? 3
is "removed: it begins with an event" "${first:0:2}" '{"'
has "removed: it says so" err \
	'2 segments were removed before they could be read'
is "removed: the first is whole" "$(($(lines rest) + 1))" \
	"$("$WEIR" show a --json 2>/dev/null | wc -l)"
done_testing
