#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Snapshots of the window during a flood at full speed: each is contiguous,
# decodes alone, covers what it says, says when it was cut, and has every
# numbered call of its time but those it says were lost. How many are cut is a
# matter of what else runs, and only told. LONG=1: 100 of them; else 8.
. tests/kernel/lib.sh

N=8
[ -z "${LONG:-}" ] || N=100
SOCKET=$dir/socket
recorder=
flood=
trap 'kill -9 $recorder ${flood:+-$flood} 2>/dev/null; rm -rf "$dir"' EXIT

start() { # options of record
	start_recorder --name "$SOCKET" --snapshot-dir "$dir/snapshots" "$@"
}

stop() {
	kill -TERM $recorder
	wait $recorder
	rc=$?
	recorder=
	case $rc in 0 | 3) ;; *) fail "exit $rc: $(cat "$dir/err")" ;; esac
}

rss_kb() { awk '/^VmRSS/ { print $2 }' /proc/$recorder/status; }
status() { "$WEIR" status --json --name "$SOCKET" | jq "$1"; }

# missing ARCHIVE TO: numbered calls that are not there, between the first and
# the last of each thread that it covers; and how many there are
missing() {
	"$WEIR" show "$1" -e syscall_done --to "$2" 2>/dev/null \
		-f 'name == close and ret == EBADF and comm == "load"' |
		awk '$5 ~ /^close[(][0-9]+[)]$/ {
			seq = substr($5, 7, 9)
			if ($3 in last) gone += seq - last[$3] - 1
			last[$3] = seq; n++ }
			END { print gone + 0, n + 0 }'
}

# outside ARCHIVE FROM TO: events that are, and not marked as late; awk's
# numbers are exact to 256 ns here
outside() {
	"$WEIR" export "$1" --to jsonl -s syscall 2>/dev/null |
		grep -v -e '"kind":"gap"' -e '"marks"' |
		sed 's/^{"ts":\([0-9]*\).*/\1/' |
		awk -v from="$2" -v to="$3" \
			'$1 < from - 512 || $1 > to + 512' | wc -l
}

# too_late STATUS ANSWER: none was made, and it says that it was overwritten
too_late() {
	case $1 in 0 | 3) return 1 ;; esac
	late=$((late + 1))
	jq -r .error "$2" | grep -q '^all of the window was overwritten' ||
		fail "snapshot: exit $1: $(cat "$2")"
}

# check NUMBER ANSWER
check() {
	local to path lost events v gone calls
	path=$(jq -r .path "$2")
	# seconds since the epoch, as weir reads them
	to=$(sed -n 's/.*"to":\([0-9]*\)\([0-9]\{9\}\),.*/@\1.\2/p' "$2")
	lost=$(jq .lost "$2") events=$(jq .events "$2")
	"$WEIR" verify --json "$path" >"$dir/verify"
	v=$?
	[ $v = 0 ] || [ $v = 3 ] || fail "$1: verify: $(cat "$dir/verify")"
	[ "$(jq '.disorder + .unsealed + .unaccounted' "$dir/verify")" = 0 ] ||
		fail "$1: $(cat "$dir/verify")"
	[ "$(jq .lost "$dir/verify")" = "$lost" ] ||
		fail "$1: lost $lost, verify: $(cat "$dir/verify")"
	"$WEIR" stat "$path" --json >"$dir/stat" 2>"$dir/said"
	[ -n "$(jq -r .covers "$dir/stat")" ] ||
		fail "$1: what does it cover? $(cat "$dir/stat" "$dir/said")"
	is "$1: it says whether it was cut" "$(jq .cut "$dir/stat")" \
		"$(jq .cut "$2")"
	[ "$(jq '.to >= .from and .from > 0' "$2")" = true ] || fail "$1: $(cat "$2")"
	read -r gone calls < <(missing "$path" "$to")
	[ "$gone" -le "$lost" ] || fail "$1: $gone calls missing, lost $lost"
	[ "$calls" -gt 10 ] || [ "$(jq .cut "$2")" = true ] || fail "$1: $calls calls of the flood"
	[ -z "${after:-}" ] || [ "$(jq .cut "$2")" = true ] ||
		[ "$(outside "$path" "$(jq .from "$2")" "$(jq .to "$2")")" = 0 ] ||
		fail "$1: events outside of what it covers"
	[ -n "${3:-}" ] || rm -rf "$path"
	share=$(jq ".to - .from | . * 100 / ${reach:-1} | floor" "$2")
	echo "ok: $1: $events events, $calls calls, lost $lost, missing $gone" \
		"${reach:+covers $share % of the window}" \
		"$(jq -r 'if .cut then "(cut)" else "" end' "$2")"
}

start --window 16M --set syscall.calls=all --buffer 64M -s syscall,task
# A group of its own, stopped while what was taken is checked.
setsid sh -c "while :; do '$LOAD' numbered 2 1000000 >/dev/null; done" &
flood=$!
plain=0 whole=0 late=0
for i in $(seq $N); do
	kill -CONT -$flood
	sleep 0.5
	after=
	[ $((i % 4)) != 0 ] || after="--after 50ms"
	reach=$(status .window.reach)
	# shellcheck disable=SC2086
	"$WEIR" snapshot --json --name "$SOCKET" $after >"$dir/answer"
	rc=$?
	[ $i != 2 ] || rss=$(rss_kb)
	kill -STOP -$flood
	too_late $rc "$dir/answer" && continue
	check $i "$dir/answer"
	[ -z "$after" ] || continue
	plain=$((plain + 1))
	[ "$(jq .cut "$dir/answer")" = true ] || [ "$share" -lt 25 ] ||
		whole=$((whole + 1))
done
reach= after=
# one at least, so that not all that was checked was next to nothing
within "whole, and a quarter of the window at least, of $plain" $whole 1 $plain
now=$(rss_kb)
within "RSS flat, in kB" $((now - rss)) -20000 20000
[ "$(status .window.reach)" -gt 0 ] || fail "the window reaches nowhere"
is "snapshots by its own count" "$(status .snapshots.ended)" $N
is "failed by its own count" "$(status .snapshots.failed)" $late

# Several at a time share what is copied.
whole=0
for round in 1 2 3; do
	kill -CONT -$flood
	sleep 0.5
	clients=
	for i in 1 2 3 4; do
		"$WEIR" snapshot --json --name "$SOCKET" >"$dir/answer$i" &
		clients="$clients $!"
	done
	rcs=
	for client in $clients; do
		wait "$client"
		rcs="$rcs $?"
	done
	kill -STOP -$flood
	i=0
	for rc in $rcs; do
		i=$((i + 1))
		too_late "$rc" "$dir/answer$i" && continue
		check "round $round of several, $i" "$dir/answer$i"
		[ "$(jq .cut "$dir/answer$i")" = true ] || whole=$((whole + 1))
	done
done
within "whole, of 12 in rounds" $whole 1 12
now=$(rss_kb)
within "RSS flat, in kB" $((now - rss)) -20000 20000

# And a signal's.
kill -CONT -$flood
sleep 0.5
for i in 1 2 3; do
	"$WEIR" snapshot --json --name "$SOCKET" -o "$dir/many$i" \
		>"$dir/answer$i" &
	eval "client$i=$!"
done
kill -USR1 $recorder
# shellcheck disable=SC2154
wait $client1 $client2 $client3
kill -KILL -$flood
wait $flood 2>/dev/null
flood=
for i in 1 2 3; do check "at a time, $i" "$dir/answer$i" keep; done
all_are_taken() {
	ls -d "$dir"/snapshots/* >/dev/null 2>&1 &&
		[ "$(status .snapshots.active)" = 0 ]
}
await all_are_taken
"$WEIR" verify "$dir"/snapshots/* >/dev/null
case $? in 0 | 3) ;; *) fail "SIGUSR1: verify" ;; esac
"$WEIR" snapshot --name "$SOCKET" -o "$dir/many1" 2>"$dir/said"
is "a name that is taken: exit" $? 1
grep -q "is there already" "$dir/said" || fail "$(cat "$dir/said")"

# A signal ends it with snapshots that have much to write and long to wait.
setsid sh -c "while :; do '$LOAD' numbered 2 1000000 >/dev/null; done" &
flood=$!
sleep 0.5
for i in 1 2; do
	"$WEIR" snapshot --name "$SOCKET" --after 600s >/dev/null 2>&1 &
done
two_are_taken() { [ "$(status .snapshots.active)" = 2 ]; }
await two_are_taken || fail "snapshots that wait are not taken"
kill -TERM $recorder
for _ in $(seq 100); do
	case $(ps -o stat= -p $recorder) in Z* | "") break ;; esac
	sleep 0.1
done
case $(ps -o stat= -p $recorder) in
Z* | "") ;;
*) fail "a signal does not end it, with snapshots being taken" ;;
esac
kill -KILL -$flood
wait $flood 2>/dev/null
flood=
wait $recorder
rc=$?
recorder=
case $rc in 0 | 3) ;; *) fail "exit $rc: $(cat "$dir/err")" ;; esac
is "archives of the signal's and of those it ended" \
	"$(find "$dir/snapshots" -mindepth 1 -maxdepth 1 | wc -l)" 3
"$WEIR" verify "$dir"/snapshots/* >"$dir/said"
case $? in 0 | 3) ;; *) fail "ended early: $(cat "$dir/said")" ;; esac
"$WEIR" status --name "$SOCKET" 2>"$dir/said"
is "status of one that has ended" $? 1
[ ! -e "$SOCKET" ] || fail "the socket is left behind"
done_testing
