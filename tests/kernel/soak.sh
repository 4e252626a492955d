#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# LONG=1: all of it on for SOAK minutes (20) under a mixed load: window,
# archive with --keep, budget, snapshots by trigger, metrics. Nothing is
# unaccounted for, memory does not grow, the window reaches as far at the end as
# in the middle. The load is bounded: a build of weir in a loop, direct writes,
# forks, TCP connections, and a flood of system calls now and then.
. tests/kernel/lib.sh

[ -n "${LONG:-}" ] || skip "a soak of ${SOAK:-20} minutes: LONG=1"
MINUTES=${SOAK:-20}
SOCKET=$dir/socket
PORT=${SOAK_PORT:-19464}
pids=
recorder=
trap 'touch "$dir/end"; kill -9 $recorder 2>/dev/null; wait 2>/dev/null
	rm -rf "$dir"' EXIT

rss_kb() { awk '/^VmRSS/ { print $2 }' /proc/$recorder/status; }
value() { sed -n "s/^weir_$1 //p" "$dir/metrics"; }
summed() { awk -v name="weir_$1" 'index($1, name "{") == 1 { n += $2 }
	END { printf "%d\n", n }' "$dir/metrics"; }

"$WEIR" record -q -o "$dir/a" --keep 128M --window 20s,64M \
	--budget 20%,8M/s --name "$SOCKET" --snapshot-dir "$dir/snapshots" \
	--snapshot-on 'task_exit.signal == SIGSEGV,after=1s,max=20/1h' \
	--metrics "$PORT" --buffer 64M -s task,syscall,block,net,sched \
	--set syscall.calls=all >"$dir/out" 2>"$dir/said" &
recorder=$!
await "$WEIR" status --name "$SOCKET" >/dev/null 2>&1

# loop COMMAND…: over and over until the end, a breath between
loop() {
	while [ ! -e "$dir/end" ]; do
		"$@" >/dev/null 2>&1
		sleep 0.2
	done &
	pids="$pids $!"
}
build() { nice make -C "$PWD" O="$dir/build" "$dir/build/libweir-ring.a"; rm -rf "$dir/build"; }
crash() { "$LOAD" crash "$dir/said" 10; sleep 30; }
disk() { "$LOAD" blocks "$dir/blocks" 2000; rm -f "$dir/blocks"; }
burst() { "$LOAD" rate 200000 5; sleep 20; }
loop build
loop disk
loop "$LOAD" procs 200
loop "$LOAD" tcp 200
loop burst
loop crash

# Every ten seconds: RSS and reach of the window.
: >"$dir/series"
end=$((SECONDS + MINUTES * 60))
while [ $SECONDS -lt $end ]; do
	sleep 10
	python3 -c "import sys, urllib.request as u
sys.stdout.write(u.urlopen('http://127.0.0.1:$PORT/metrics').read().decode())" \
		>"$dir/metrics" || { fail "metrics: no answer"; break; }
	echo "$((end - SECONDS)) $(rss_kb) $(value window_reach_seconds)" \
		"$(value cost_ratio) $(value written_bytes_per_second)" \
		"$(summed source_lost_total) $(summed source_shed_total)" \
		>>"$dir/series"
done
touch "$dir/end"
# shellcheck disable=SC2086
wait $pids
kill -TERM $recorder
wait $recorder
rc=$?
recorder=
case $rc in 0 | 3) ;; *) fail "exit $rc: $(cat "$dir/said")" ;; esac
cat "$dir/said"
echo "left seconds, RSS kB, reach s, cost, bytes/s, lost, shed:"
awk 'NR % 12 == 1' "$dir/series"

# Of the second half: how RSS grows by a line fitted to it; and how far the
# window reaches in either half of that, which is as the load of a minute is.
read -r slope rss third fourth cost < <(awk '
	{ rss[NR] = $2; reach[NR] = $3; cost[NR] = $4 }
	END { half = int(NR / 2); last = half + int((NR - half) / 2)
		for (i = half + 1; i <= NR; i++) {
			n++; x += i; y += rss[i]; xx += i * i; xy += i * rss[i]
			c += cost[i]
			if (i <= last) { a += reach[i]; na++ }
			else { b += reach[i]; nb++ } }
		slope = (n * xy - x * y) / (n * xx - x * x) # in ten seconds
		printf "%d %d %d %d %d\n", slope * 6, y / n, a / na * 1000,
			b / nb * 1000, c / n * 1000000 }' "$dir/series")
echo "second half: RSS $rss kB, cost $cost ppm"
within "RSS grows, kB a minute" "$slope" -100000 $((rss / 200))
within "the window reaches, ms" "$fourth" $((third / 2)) $((third * 2))
"$WEIR" verify --json "$dir/a" >"$dir/verify"
case $? in 0 | 3) ;; *) fail "verify: $(cat "$dir/verify")" ;; esac
is "unaccounted" "$(jq .unaccounted "$dir/verify")" 0
jq -c . "$dir/verify"
taken=0
for s in "$dir"/snapshots/*; do
	[ -d "$s" ] || continue
	taken=$((taken + 1))
	"$WEIR" verify --json "$s" >"$dir/verify"
	is "unaccounted in snapshot $taken" "$(jq '.unaccounted + .unsealed' \
		"$dir/verify")" 0
done
within "snapshots" $taken 1 20
done_testing
