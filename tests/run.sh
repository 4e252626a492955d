#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh GROUP… - run groups of tests and count: unit kernel cli fuzz ring, all
#
# A test is a program: exit 0 passed, 77 skipped (its last line says why), else
# failed. Its output is shown when it failed, or always with V=1; what one that
# passed could not try here ("left out: …", or SKIPPED) is shown, too. What is
# run is what the tree has: a test that was not built, or is not executable, has
# failed.
# The run fails, too, when the kernel log gained a BUG, WARNING or Oops, or when
# a BPF link is left that no process holds and that was not there before: others
# may record meanwhile.
# Last line: N passed, N failed, N skipped.

set -u
cd "$(dirname "$0")/.." || exit 2
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
export O WEIR="$O/weir"
LIMIT=${LONG:+7200} LIMIT=${LIMIT:-600} # seconds for a test
passed=0 failed=0 skipped=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

run_one() { # name command…
	local name=$1 rc start=$SECONDS
	shift
	"$@" >"$log" 2>&1 </dev/null
	rc=$?
	case $rc in
	0) passed=$((passed + 1)) result=ok ;;
	77) skipped=$((skipped + 1)) result="skip: $(tail -n 1 "$log")" ;;
	*) failed=$((failed + 1)) result="FAILED (exit $rc)" ;;
	esac
	printf '%-40s %4d s  %s\n' "$name" $((SECONDS - start)) "$result"
	if [ -n "${V:-}" ] || { [ $rc != 0 ] && [ $rc != 77 ]; }; then
		tail -n 200 "$log" | sed 's/^/    /'
	elif [ $rc = 0 ]; then
		grep -aE '^(left out: |\[  SKIPPED \] [a-z_0-9]*$)' "$log" |
			sort -u | sed 's/^/    /'
	fi
}

run_all() { # label program…
	local label=$1 t
	shift
	for t; do
		run_one "$label/$(basename "$t" .sh)" \
			timeout -k 10 "$LIMIT" "$t"
	done
}

# built DIR SOURCE…: the programs in DIR that are made of them
built() {
	local dir=$1 source
	shift
	for source; do
		source=${source##*/}
		echo "$dir/${source%.*}"
	done
}

# scripts DIR: those in it, but what they source
scripts() { ls "$1"/*.sh | grep -v -e /lib.sh -e /disk.sh; }

group() {
	local t what
	case $1 in
	unit) run_all unit $(built "$O/tests/unit" tests/unit/*_test.c) ;;
	kernel) run_all kernel $(scripts tests/kernel) ;;
	cli) run_all cli $(scripts tests/cli) ;;
	fuzz)
		for t in $(built "$O/tests/fuzz" tests/fuzz/*_fuzz.c); do
			what=$(basename "$t" _fuzz)
			run_one "fuzz/$what" timeout -k 10 "$LIMIT" "$t" \
				tests/fuzz/corpus/"$what"/*
		done ;;
	ring) run_all ring $(built "$O/tests/stress" tests/stress/ring_*.c*) \
		"$O/tests/stress/ring_stress_tsan" ;;
	all) for g in unit ring fuzz cli kernel; do group $g; done ;;
	*) echo "run.sh: no group '$1'" >&2; exit 2 ;;
	esac
}

links() {
	local all
	all=$(bpftool -j link list 2>/dev/null | jq '.[].id' | sort)
	grep -hs '^link_id:' /proc/[0-9]*/fdinfo/* | cut -f 2 | sort -u |
		comm -23 <(echo "$all") - | grep -c .
}
alarms() { dmesg 2>/dev/null | grep -cE '\b(BUG|WARNING|Oops)\b'; }

[ $# -gt 0 ] || { echo "run.sh: which group?" >&2; exit 2; }
links_before=$(links) alarms_before=$(alarms)
for g; do group "$g"; done
left=$(links)
[ "$left" -le "$links_before" ] || { sleep 1; left=$(links); } # just ended
if [ "$left" -gt "$links_before" ]; then
	echo "BPF links left behind: $left, before $links_before"
	failed=$((failed + 1))
fi
# Old lines go as new ones come: there may be fewer than before.
if [ "$(alarms)" -gt "$alarms_before" ]; then
	echo "the kernel log gained a BUG, WARNING or Oops:"
	dmesg | grep -E '\b(BUG|WARNING|Oops)\b' | tail -5
	failed=$((failed + 1))
fi
echo "$passed passed, $failed failed, $skipped skipped"
[ $failed = 0 ] && [ $((passed + skipped)) -gt 0 ]
