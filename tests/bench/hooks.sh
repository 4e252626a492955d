#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# hooks.sh - what weir's hooks cost a program that makes system calls as fast as
# it can. Root.
#
# - All its calls are recorded: against hooks that only reserve, stamp and submit
#   a record of the same size (bare.bpf.c).
# - A filter, decided in the kernel, refuses them, or they are kept only when
#   they are slow: against hooks that return at once.
#
# Method: CPU time (user + sys) of the program, the least of TRIES (7) short
# runs, since the machine is shared; all ways in turn, ROUNDS (7) times; medians
# of the ratios of each round. JSON in build/bench/hooks.json.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
WEIR=$O/weir
LOAD=$O/tests/load/load
ROUNDS=${ROUNDS:-7}
CALLS=${CALLS:-300000}
TRIES=${TRIES:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"; kill $(jobs -p) 2>/dev/null' EXIT
[ "$(id -u)" = 0 ] || { echo "hooks.sh: needs root" >&2; exit 2; }
mkfifo "$dir/end"
tp=raw
[ "$(uname -r | cut -d. -f1)" -lt 7 ] || tp=tp

wrong() { echo "$*" | tee -a "$dir/wrong" >&2; }

cost() { # CPU time of the load, milliseconds
	local TIMEFORMAT='%U %S' i
	for i in $(seq "$TRIES"); do
		{ time "$LOAD" calls 1 "$CALLS" >"$dir/out" 2>&1; } 2>&1
		grep -q ^ns "$dir/out" || wrong "load: $(cat "$dir/out")"
	done | awk '{ t = ($1 + $2) * 1000; if (NR == 1 || t < least) least = t }
		END { printf "%.0f", least }'
}

until_says() { # FILE WORD
	until grep -q "$2" "$1"; do
		kill -0 "$tracer" 2>/dev/null || { wrong "$(cat "$1")"; return 1; }
		sleep 0.05
	done
}

cost_bare() { # [records]
	: >"$dir/bare"
	"$O/tests/bench/bare" "$O/tests/bench/bare.bpf.o" $tp "$@" \
		<"$dir/end" >>"$dir/bare" 2>&1 &
	tracer=$!
	exec 3>"$dir/end"
	until_says "$dir/bare" ready && cost
	exec 3>&-
	wait $tracer
}

cost_weir() { # OPTION…
	: >"$dir/err"
	rm -rf "$dir/a"
	"$WEIR" record -o "$dir/a" --buffer 64M -s syscall --set syscall.calls=all "$@" \
		2>>"$dir/err" &
	tracer=$!
	until_says "$dir/err" capturing && cost
	kill -TERM $tracer
	wait $tracer || wrong "weir $*: status $?: $(cat "$dir/err")"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

json=
# ratio NAME A B MINUS LIMIT: of two columns of the rounds, less a third (0: none)
ratio() {
	local value
	value=$(awk -v a="$2" -v b="$3" -v minus="$4" '{
		less = minus ? $minus : 0
		printf "%.3f\n", ($a - less) / ($b - less) }' \
		"$dir/rounds" | median)
	printf '%-58s %6s x  %s\n' "$1" "$value" "${5:+(limit $5)}"
	json="$json{\"what\":\"$1\",\"value\":$value,\"unit\":\"x\"},"
}

for i in $(seq "$ROUNDS"); do
	plain=$(cost)
	bare=$(cost_bare)
	records=$(cost_bare records)
	all=$(cost_weir)
	by_pid=$(cost_weir -f "pid == $$")
	by_name=$(cost_weir -f 'name == getpid and comm == nobody')
	by_repo=$(cost_weir -f "pid == $$" --set repo.user_filter=1)
	failed=$(cost_weir -f 'ret < 0')
	long=$(cost_weir -f 'duration > 10ms')
	slower=$(cost_weir --set syscall.calls=none --set syscall.slower=10ms)
	bare2=$(cost_bare)
	echo "$plain $bare $records $all $by_pid $by_name $by_repo $bare2" \
		"$failed $long $slower"
	# a number of what did not run, or lost events, is none
	[ ! -e "$dir/wrong" ] || exit 1
done >"$dir/rounds"
echo "kernel $(uname -r), $(nproc) CPUs, $CALLS calls, CPU ms:" \
	"plain bare bare+record weir pid name repo bare failed long slower"
cat "$dir/rounds"
ratio "bare hooks / plain" 2 1 0
ratio "bare hooks again / bare hooks (noise)" 8 2 0
ratio "all recorded / plain" 4 1 0
ratio "all recorded: event / bare hook, reserve, stamp, submit" 4 3 1 1.25
ratio "-f 'pid == X', others / bare hooks" 5 2 0 1.15
ratio "-f 'name == getpid and comm == nobody' / bare hooks" 6 2 0
ratio "-f 'pid == X' in the repo alone / bare hooks" 7 2 0
ratio "-f 'ret < 0' / bare hooks" 9 2 0
ratio "-f 'duration > 10ms' / bare hooks" 10 2 0
ratio "syscall.slower=10ms / bare hooks" 11 2 0
mkdir -p "$O/bench"
printf '[%s]\n' "${json%,}" >"$O/bench/hooks.json"
