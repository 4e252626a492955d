#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# losses.sh - every command tells of events that were lost: on stderr, in the
# stream, and by status 3.

. "$(dirname "$0")/lib.sh"
needs_recording

record_losses a
is "record: status" $rc 3
has "record: how many, where" err \
	'^weir: lost [1-9][0-9]* events in .*: syscall [0-9]+ .*--(buffer|main-ring)'
has "record: what was kept" err '^weir: kept [1-9]'
lost=$(sed -n 's/^weir: lost \([0-9]*\) events.*/\1/p' err |
	awk '{ n += $1 } END { print n + 0 }')

run verify a
is "verify: status" $rc 3
has "verify" out '^whole, with losses: '
has "verify: how many" out "$lost events were lost"

for c in show stat "export --to jsonl" "export --to csv" tasks; do
	# shellcheck disable=SC2086
	run $c a
	is "$c: status" $rc 3
	has "$c: how many" err "^weir: $lost events of this interval were lost"
done
run show a -e syscall_done -f 'comm == "nobody has this name"'
has "no filter hides a gap" out ' gap '
is "nor its status" $rc 3
run export a --to jsonl
is "the gaps add up" "$(jq -s 'map(select(.kind == "gap").count) | add' out)" \
	"$lost"
run stat a --json
is "so does the account" "$(jq .lost_in_all out)" "$lost"
run export a --to csv -e task_exec
has "gaps in CSV" out ',gap,'

# An interval without losses is whole; so is the answer for another source,
# which says what the others lost.
run export a --to jsonl -e gap
last=$(sed -n 's/.*"last":\([0-9]*\)[,}].*/\1/p' out | sort -n | tail -n 1)
last=$((last + 1000)) # more digits than jq holds
run show a --from "@${last%?????????}.${last: -9}"
is "after the losses: status" $rc 0
is "after the losses: stderr" "$(cat err)" ""
run show a -s net # of a busy disk some may be missed
is "another source: status" $rc 0
has "another source" err "whole, but other sources lost $lost events"
has "another source: the gap" out ' gap '

# The command's own status is not touched, but it is told.
run record -o b --set repo.stall=800ms --main-ring 64K --buffer 256K \
	--set syscall.calls=all -- \
	dd if=/dev/zero of=/dev/null bs=1 count=20000
is "with a command: status" $rc 0
has "with a command: told" err '^weir: lost [1-9][0-9]* events'
done_testing
