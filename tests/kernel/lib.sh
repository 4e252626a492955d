# SPDX-License-Identifier: BSD-2-Clause
#
# lib.sh - for the tests of known workloads: record one, ask the archive.
# Sourced by the scripts beside it; they run as root from the project's root.
# Not a test itself: not executable.

. tests/lib.sh
LOAD=$O/tests/load/load
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-test.XXXXXX")
trap 'kill $(jobs -p) 2>/dev/null; rm -rf "$dir"' EXIT
broken=$dir/broken # questions that were not answered

[ "$(id -u)" = 0 ] || skip "needs root"
[ -r /sys/kernel/btf/vmlinux ] || skip "this kernel has no BTF"

# is WHAT GOT WANTED: equal, else a failure that shows both.
is() { [ "$2" = "$3" ] && echo "ok: $1: $2" || fail "$1: got $2, want $3"; }

# within WHAT GOT LOW HIGH
within() {
	if [ "$2" -ge "$3" ] && [ "$2" -le "$4" ]; then
		echo "ok: $1: $2 in [$3, $4]"
	else
		fail "$1: got $2, want $3..$4"
	fi
}

# await COMMAND…: until it succeeds, for 30 s at most
await() {
	for _ in $(seq 600); do
		"$@" && return
		sleep 0.05
	done
	return 1
}

# start_recorder OPTIONS…: one in the background, $recorder, that captures when
# this returns; what it says is in $dir/out and $dir/err.
start_recorder() {
	rm -f "$dir/err"
	"$WEIR" record "$@" >"$dir/out" 2>"$dir/err" &
	recorder=$!
	await captures_or_ended
	grep -q capturing "$dir/err" ||
		fail "it does not start: $(cat "$dir/err")"
}
captures_or_ended() {
	grep -qs capturing "$dir/err" || ! kill -0 $recorder
}

# record OPTIONS… -- LOAD ARGS…: into $dir/a; the load's stdout in $dir/out.
# The mini-buffers hold the whole load: these tests count what is recorded, and
# a busy host may not give the aggregator a CPU in time.
record() {
	rm -rf "$dir/a"
	"$WEIR" record -q -o "$dir/a" --buffer 64M "$@" >"$dir/out" 2>"$dir/err"
	rc=$?
	[ $rc = 0 ] || [ $rc = "$(unseen "$dir/a")" ] ||
		{ cat "$dir/err"; fail "record: exit $rc"; }
}

# record_host OPTIONS… -- LOAD ARGS…: the same, of the whole host meanwhile.
record_host() {
	local options=()
	while [ "$1" != -- ]; do
		options+=("$1")
		shift
	done
	shift
	rm -rf "$dir/a"
	start_recorder -o "$dir/a" --buffer 64M "${options[@]}"
	"$@" >"$dir/out"
	kill -INT $recorder
	wait $recorder
	rc=$?
	[ $rc = 0 ] || [ $rc = "$(unseen "$dir/a")" ] ||
		{ cat "$dir/err"; fail "record: exit $rc"; }
}

# events KIND [FILTER]: the archive's events of a kind as JSON lines. (An
# export says gap as well, whatever was asked for.) None is an answer only of an
# export that succeeds, which is asked in subshells: hence the file.
events() {
	{
		"$WEIR" export "$dir/a" --to jsonl -e "$1" ${2:+-f "$2"} 2>"$dir/said"
		case $? in 0 | 3) ;; *) echo "$*: $(cat "$dir/said")" >>"$broken" ;; esac
	} | grep "\"kind\":\"$1\""
}

count() { events "$@" | wc -l; }

# sum of a field of what events() prints
sum() { jq -s "map(.$1) | add // 0"; }

load_ns() { sed -n 's/^ns //p' "$dir/out"; }

# twice: events that came more than once; (time, CPU, tid, kind) is unique
# for one kind, since a task makes one event at a time. (Not by jq: to its
# numbers, doubles, instants of the same 256 ns are equal.)
twice() {
	sed -E 's/.*"ts":([0-9]+),.*"cpu":([0-9]+),.*"tid":([0-9]+),.*/\1 \2 \3/' |
		sort | uniq -d | wc -l
}

whole() {
	"$WEIR" verify "$dir/a" >"$dir/verify" 2>&1
	is "verify" $? "${1:-$(unseen "$dir/a")}"
	[ $failures = 0 ] || cat "$dir/verify"
}

done_testing() {
	[ ! -s "$broken" ] || fail "asked in vain: $(cat "$broken")"
	[ $failures = 0 ]
	exit
}
