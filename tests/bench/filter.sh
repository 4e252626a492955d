#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# filter.sh - what a filter decided in the kernel costs those that it refuses:
# a program that makes system calls as fast as it can, while weir records all
# calls of one other process, against the same while hooks are attached that
# return at once (bare.bpf.c). Root.
#
# Method: CPU time (user + sys) of the program, the least of TRIES (7) short
# runs, since the machine is shared; plain, bare, weir and weir without the
# kernel's part, in turn, ROUNDS (7) times; medians of the ratios of each round.
# JSON in build/bench/filter.json.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
WEIR=$PWD/$O/weir
LOAD=$PWD/$O/tests/load/load
ROUNDS=${ROUNDS:-7}
CALLS=${CALLS:-300000}
TRIES=${TRIES:-7}
dir=$(mktemp -d)
trap 'rm -rf "$dir"; kill $(jobs -p) 2>/dev/null' EXIT
[ "$(id -u)" = 0 ] || { echo "filter.sh: needs root" >&2; exit 2; }
mkfifo "$dir/end"
tp=
[ "$(uname -r | cut -d. -f1)" -lt 7 ] || tp=tp

cost() { # CPU time of the load, milliseconds
	local TIMEFORMAT='%U %S' i
	for i in $(seq "$TRIES"); do
		{ time "$LOAD" calls 1 "$CALLS" >"$dir/out"; } 2>&1
	done | awk '{ t = ($1 + $2) * 1000; if (NR == 1 || t < least) least = t }
		END { printf "%.0f", least }'
}

until_says() { # FILE WORD
	until grep -q "$2" "$1"; do
		kill -0 "$tracer" 2>/dev/null || { cat "$1" >&2; exit 1; }
		sleep 0.05
	done
}

cost_bare() {
	: >"$dir/bare"
	"$O/tests/bench/bare" "$O/tests/bench/bare.bpf.o" $tp \
		<"$dir/end" >>"$dir/bare" 2>&1 &
	tracer=$!
	exec 3>"$dir/end"
	until_says "$dir/bare" ready
	cost
	exec 3>&-
	wait $tracer
}

cost_weir() { # OPTION…
	: >"$dir/err"
	rm -rf "$dir/a"
	"$WEIR" record -o "$dir/a" -s syscall --set syscall.calls=all "$@" \
		2>>"$dir/err" &
	tracer=$!
	until_says "$dir/err" capturing
	cost
	kill -TERM $tracer
	wait $tracer
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

json=
# ratio NAME COLUMN COLUMN LIMIT: of two columns of the rounds
ratio() {
	local value
	value=$(awk -v a="$2" -v b="$3" '{ printf "%.3f\n", $a / $b }' \
		"$dir/rounds" | median)
	printf '%-52s %6s x  %s\n' "$1" "$value" "${4:+(limit $4)}"
	json="$json{\"what\":\"$1\",\"value\":$value,\"unit\":\"x\"},"
}

for i in $(seq "$ROUNDS"); do
	plain=$(cost)
	bare=$(cost_bare)
	by_pid=$(cost_weir -f "pid == $$")
	by_name=$(cost_weir -f 'name == getpid and comm == nobody')
	bare2=$(cost_bare)
	by_repo=$(cost_weir -f "pid == $$" --set repo.user_filter=1)
	echo "$plain $bare $by_pid $by_name $by_repo $bare2"
done >"$dir/rounds"
echo "kernel $(uname -r), $(nproc) CPUs, $CALLS calls, CPU ms:" \
	"plain bare pid name repo bare"
cat "$dir/rounds"
ratio "bare hooks / plain" 2 1
ratio "bare hooks again / bare hooks (noise)" 6 2
ratio "-f 'pid == X' / bare hooks" 3 2 1.15
ratio "-f 'name == getpid and comm == nobody' / bare hooks" 4 2
ratio "-f 'pid == X' in the repo alone / bare hooks" 5 2
mkdir -p "$O/bench"
printf '[%s]\n' "${json%,}" >"$O/bench/filter.json"
