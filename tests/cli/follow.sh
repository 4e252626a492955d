#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# follow.sh - show --follow of what is being recorded prints what show prints
# of it later, over blocks and segments; it ends with the recorder, at Ctrl-C,
# and when nobody reads it; it needs no root.

. "$(dirname "$0")/lib.sh"
needs_recording

# shellcheck disable=SC2016
load='while [ ! -e stop ]; do ls -R /usr/include/linux >/dev/null; done'
"$WEIR" record -q -o a --buffer 64M --segment 200K \
	--set syscall.calls=all -- sh -c "$load" 2>record.err &
recorder=$!
wait_for 20 test -e a || fail "no archive: $(cat record.err)"
"$WEIR" show --follow a >followed 2>follow.err &
follower=$!
"$WEIR" show --follow a --json >followed.json 2>/dev/null &
json=$!
segments() { [ "$(find a -name '*.weir' | wc -l)" -ge 3 ]; }
wait_for 30 segments || fail "no segment was ended"

# while it is recorded
run show a -e task_exec
is "show of a live archive: status" $rc 0
has "show of a live archive" out 'task_exec'
run stat a
is "stat of a live archive: status" $rc 0
has "stat of a live archive" out 'without an end'
run tasks a
is "tasks of a live archive: status" $rc 0

# Ctrl-C; a time in the past to begin at
"$WEIR" show --follow a --from -1s >some 2>some.err &
some=$!
wait_for 20 test -s some || fail "--from -1s: nothing"
kill -INT $some
wait $some
is "Ctrl-C: status" $? 0
is "Ctrl-C: silent" "$(lines some.err)" 0
is "Ctrl-C: whole lines" "$(tail -c 1 some | xxd -p)" 0a

# so many, and no more
timeout 30 "$WEIR" show --follow a -e task_exec -n 3 >three 2>three.err
is "-n: status" $? 0
is "-n: lines" "$(lines three)" 3
is "-n: silent" "$(lines three.err)" 0

# a reader that goes away
timeout 30 "$WEIR" show --follow a 2>head.err | head -n 3 >three
rc=${PIPESTATUS[0]}
[ "$rc" = 1 ] || [ "$rc" = 141 ] || fail "head: status $rc"
is "head: lines" "$(lines three)" 3
is "head: silent" "$(lines head.err)" 0

touch stop
wait $recorder
is "record: status" $? 0
wait $follower
is "follow: status" $? 0
wait $json
is "follow --json: status" $? 0
is "follow: says how it ended" "$(cat follow.err)" \
	"weir: the recorder has ended"
run show a
cmp out followed || fail "followed is not what show prints"
run show a --json
cmp out followed.json || fail "followed --json is not what show prints"

# what has ended already
run show --follow a
is "ended: status" $rc 0
cmp -s out followed || fail "ended: something else"

# killed
# shellcheck disable=SC2016
"$WEIR" record -q -o b --buffer 64M --set syscall.calls=all -- \
	sh -c 'echo $$ >pid; exec sleep 60' &
recorder=$!
wait_for 20 test -e b
"$WEIR" show --follow b >followed 2>follow.err &
follower=$!
wait_for 20 test -s followed
wait_for 20 test -s pid
kill -KILL $recorder
wait $recorder 2>/dev/null
wait $follower
is "killed: status" $? 0
has "killed: says so" follow.err 'never said that it ended'
kill "$(cat pid)" # the command outlives a killed recorder

# anybody who may read the files
if command -v setpriv >/dev/null; then
	chmod 755 "$dir" a && chmod 644 a/*
	setpriv --reuid=65534 --regid=65534 --clear-groups \
		--bounding-set=-all --inh-caps=-all \
		"$WEIR" show --follow "$dir/a" >out 2>err
	is "without root: status" $? 0
	[ -s out ] || fail "without root: nothing"
fi

# what cannot be followed
run show --follow a b
is "two: status" $rc 2
run show --follow a --to now
is "--to: status" $rc 2
run show --follow a/*1.weir
is "a segment: status" $rc 2
has "a segment" err 'its directory'
run show --follow nothing
is "nothing: status" $rc 1
done_testing
