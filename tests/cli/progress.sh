#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# progress.sh - who waits longer than two seconds at a terminal sees how far
# reading is, on stderr, wiped off at the end; nobody else sees anything.

. "$(dirname "$0")/lib.sh"
needs_recording

"$WEIR" record -q -o a -s syscall --buffer 64M --set syscall.calls=all -- \
	sh -c 'for i in 1 2 3; do ls -R /usr/include /usr/share/doc; sleep 1.1
	done' >/dev/null # some blocks, each more than a pipe takes
is "record: status" $? 0

# terminal COMMAND: what it writes to stderr, a terminal, into $dir/seen; its
# stdout is a pipe that nobody reads for 2.5 s, so it has to wait
terminal() {
	script -qec "$1 | { sleep ${2:-2.5}; cat >data; }" seen.all >seen </dev/null
}

for c in "show a" "show a --json" "export a --to csv"; do
	terminal "'$WEIR' $c"
	[ "$(wc -c <data)" -gt 300000 ] || fail "$c: little data"
	has "$c: tells" seen 'weir: [0-9]+ % of [0-9]+ [KM]iB read'
	is "$c: wiped" "$(tail -c 4 seen | xxd -p)" 0d1b5b4b
	cp data with
	terminal "'$WEIR' $c -q"
	is "$c -q: says nothing" "$(wc -c <seen)" 0
	cmp -s data with || fail "$c -q: other data"
done
for c in "stat a" "tasks a" "hist a duration" "verify a"; do
	begin=$SECONDS
	terminal "'$WEIR' $c" 0
	if [ $((SECONDS - begin)) -lt 2 ]; then
		is "$c: in time, nothing" "$(wc -c <seen)" 0
	else
		left_out "this host is slow: $c takes 2 s"
	fi
	# shellcheck disable=SC2086
	run $c
	is "$c: no terminal, nothing" "$(lines err)" 0
	# shellcheck disable=SC2086
	run $c -q
	is "$c -q: status" $rc 0
done
done_testing
