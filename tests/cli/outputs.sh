#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# outputs.sh - outputs that cannot be written are noticed, readers that go away
# end it quietly, and archives are made as promised.

. "$(dirname "$0")/lib.sh"
needs_recording

run record -q -o a -- sh -c 'for i in 1 2 3 4 5 6 7 8 9; do /bin/true; done'
is "record" $rc 0
is "archive: mode" "$(stat -c %a a)" 700
is "archive: modes of files" "$(stat -c %a a/* | sort -u)" 600

# a full disk behind stdout
for c in "show a" "show a --json" "stat a" "tasks a" "export a --to csv" \
	"verify a" "list events" "show --help"; do
	# shellcheck disable=SC2086
	"$WEIR" $c >/dev/full 2>err
	is "weir $c >/dev/full: status" $? 1
	has "weir $c >/dev/full" err '^weir: stdout: No space left'
done
run export a --to csv -o /dev/full --force
is "export -o /dev/full" $rc 1
run export a --to csv -o missing/x
has "export -o missing/x" err "^weir: cannot write 'missing/x': No such"
ln -s target link
run export a --to csv -o link --force
is "export follows no link" $rc 1
[ -e target ] && fail "export wrote through a link"

# a disk that fills up under an export: nothing half is left
mkdir full
if mount -t tmpfs -o size=8k tmpfs full 2>/dev/null; then
	run export a --to jsonl -o full/x
	is "full disk: status" $rc 1
	has "full disk" err "^weir: full/x: No space left on device \(make room"
	[ -e full/x ] && fail "half an export is left"
	umount full
else
	left_out "no tmpfs can be mounted: a disk that is full"
fi

# readers that have seen enough; there is always something to watch
while :; do /bin/true; sleep 0.2; done &
something=$!
for c in "show a" "export a --to jsonl" "watch" "watch --json"; do
	# shellcheck disable=SC2086
	timeout 60 "$WEIR" $c 2>err | head -n 1 >out
	case ${PIPESTATUS[0]} in
	1 | 141) ;;
	0) [ "${c#watch}" = "$c" ] || fail "$c | head: it ends by itself" ;;
	*) fail "$c | head: a status of its own" ;;
	esac
	is "$c | head: lines" "$(lines out)" 1
	hasnt "$c | head: quiet" err 'EPIPE|Broken pipe|lost|stdout'
done
kill $something
(
	trap '' PIPE
	wait_for 20 test -e gone
	"$WEIR" show a 2>err
	echo $? >status
) | {
	exec <&-
	: >gone
}
is "EPIPE: status" "$(cat status)" 1
is "EPIPE: quiet" "$(cat err)" ""

# where an archive cannot be made
run record -q -o a -- true
is "record into a recording: status" $rc 1
has "record into a recording" err "^weir: 'a' holds a recording already .*-o"
run record -q -o a --append -- true
is "--append: status" $rc 0
run show a -e task_exec
is "--append: both" "$(lines out)" 11
run record -q -o missing/x -- true
has "no parent" err "^weir: cannot record into 'missing/x': No such file"
: >file
run record -q -o file -- true
is "a file is in the way: status" $rc 1
ln -s a alias
run record -q -o alias --append -- true
is "a link is not followed: status" $rc 1
mkdir other && : >other/mine
run record -q -o other -- true
is "a directory of other things: status" $rc 1
is "what was there is there" "$(ls other)" mine
run record -q -o /proc/self/x -- true
is "/proc: status" $rc 1
run record -q -o . -- sh -c 'exit 4'
is "the working directory is full of other things" $rc 1

# by default a directory named by the time; under sudo the caller's
mkdir fresh && cd fresh || exit 1
SUDO_UID=65534 SUDO_GID=65534 "$WEIR" record -q -- true
is "sudo: status" $? 0
is "default name" "$(ls | sed 's/[0-9]/9/g')" weir-99999999T999999Z
is "sudo: whose" "$(stat -c '%u %g %a' weir-* weir-*/*.weir | sort -u |
	tr '\n' ' ')" "65534 65534 600 65534 65534 700 "
done_testing
