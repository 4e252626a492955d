#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# capture.sh - what `weir record` costs this host: user-space CPU at 100,000
# events a second and on an idle host, resident memory, time to first event,
# and how much a workload slows down. Root. One line for each figure, its
# limit beside it; JSON in build/bench/capture.json.
#
# Method: CPU time is the recorder's own utime + stime (proc(5)) over the middle
# of a run, so that start and stop do not count. Slow-down: the load with and
# without the recorder, alternating, medians of ROUNDS (7) each. The machine is
# shared: quote ratios.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
WEIR=$O/weir
LOAD=$O/tests/load/load
ROUNDS=${ROUNDS:-7}
dir=$(mktemp -d)
trap 'kill $(jobs -p) 2>/dev/null; wait; rm -rf "$dir"' EXIT
[ "$(id -u)" = 0 ] || { echo "capture.sh: needs root" >&2; exit 2; }
hz=$(getconf CLK_TCK)
json=

row() { # name value unit limit
	[ -n "$2" ] || { echo "no $1: $(cat "$dir/err")" >&2; exit 1; }
	printf '%-44s %10s %-6s %s\n' "$1" "$2" "$3" "${4:+(limit $4)}"
	json="$json{\"what\":\"$1\",\"value\":$2,\"unit\":\"$3\"},"
}

ticks() { # pid: utime + stime
	awk '{ sub(/^.*\) /, ""); print $12 + $13 }' "/proc/$1/stat"
}

start_weir() { # options…
	: >"$dir/err"
	"$WEIR" record -o "$dir/a$RANDOM$RANDOM" "$@" 2>"$dir/err" &
	weir=$!
	until grep -q capturing "$dir/err"; do
		kill -0 $weir 2>/dev/null || { cat "$dir/err" >&2; exit 1; }
		sleep 0.1
	done
	sleep 1
}

stop_weir() {
	kill -INT "$weir"
	wait "$weir"
}

# cpu_over SECONDS: hundredths of a percent of one core
cpu_over() {
	local before after
	before=$(ticks "$weir")
	sleep "$1"
	after=$(ticks "$weir")
	awk -v t=$((after - before)) -v s="$1" -v hz="$hz" \
		'BEGIN { printf "%.2f", 100 * t / hz / s }'
}

busy() {
	"$LOAD" rate 100000 12 >"$dir/rate" &
	local load=$!
	start_weir -s syscall --set syscall.calls=getppid
	row "CPU at 100,000 events/s" "$(cpu_over 6)" "%" "6 %"
	row "RSS at 100,000 events/s" \
		"$(awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' \
			/proc/"$weir"/status)" MiB "80 MiB"
	stop_weir
	kill $load
	wait $load 2>/dev/null
}

idle() {
	start_weir
	row "CPU on an idle host, default sources" "$(cpu_over 10)" "%" "0.5 %"
	row "RSS, default sources" \
		"$(awk '/VmRSS/ { printf "%.1f", $2 / 1024 }' \
			/proc/"$weir"/status)" MiB "80 MiB"
	stop_weir
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

start_time() {
	local i
	for i in $(seq "$ROUNDS"); do
		"$WEIR" record -o "$dir/s$i" --for 0.1 2>"$dir/err" >/dev/null
		sed -n 's/.*capturing.* \([0-9.]*\) *ms.*/\1/p' "$dir/err"
	done | median
}

load_ns() { "$LOAD" "$@" | sed -n 's/^ns //p'; }

# slowdown NAME OPTIONS… -- LOAD…: time with weir over time without, same run
slowdown() {
	local name=$1 opts=() i
	shift
	while [ "$1" != -- ]; do
		opts+=("$1")
		shift
	done
	shift
	: >"$dir/with" >"$dir/without"
	for i in $(seq "$ROUNDS"); do
		load_ns "$@" >>"$dir/without"
		"$WEIR" record -q -o "$dir/w$i" "${opts[@]}" -- "$LOAD" "$@" \
			2>"$dir/err" | sed -n 's/^ns //p' >>"$dir/with"
		rm -rf "$dir/w$i"
	done
	[ "$(wc -l <"$dir/with") $(wc -l <"$dir/without")" = "$ROUNDS $ROUNDS" ] ||
		{ echo "no slow-down of $name: $(cat "$dir/err")" >&2; exit 1; }
	row "slow-down: $name" "$(awk -v a="$(median <"$dir/with")" \
		-v b="$(median <"$dir/without")" \
		'BEGIN { printf "%.2f", a / b }')" x
}

echo "kernel $(uname -r), $(nproc) CPUs, load $(cut -d' ' -f1-3 /proc/loadavg)"
idle
busy
row "start to capturing, default sources" "$(start_time)" ms "300 ms"
slowdown "500,000 getppid, all recorded" -s syscall \
	--set syscall.calls=getppid -- calls 1 500000
slowdown "500,000 getppid, default sources" -- calls 1 500000
slowdown "400 fork+exec+exit, task" -s task -- tree 200
slowdown "20,000 pipe round trips, sched" -s sched -- pipes 20000
slowdown "1,000 TCP connections, net" -s net -- tcp 1000
mkdir -p "$O/bench"
printf '[%s]\n' "${json%,}" >"$O/bench/capture.json"
