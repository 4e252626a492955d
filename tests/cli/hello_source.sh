#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# hello_source.sh - a source that is one file outside the tree: built, listed,
# recorded, filtered, exported, without a line in user/.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v clang >/dev/null || skip "needs clang"
[ -w /dev/kmsg ] || skip "needs to write to the kernel log"

cp -a "$O" build
make -C "$root" -j2 O="$dir/build" \
	EXTRA_BPF=examples/hello-source/hello.bpf.c all >make.log 2>&1 ||
	{ cat make.log; fail "it does not build"; done_testing; }
WEIR=$dir/build/weir

run list
has "list: the source" out '^hello +on +1 +the kernel log'
run list fields hello_log
has "list fields" out '^length +u64 +bytes +how long'
run record -q -o a -s hello -- sh -c 'echo "<6>weir-test one" >/dev/kmsg
	echo "<6>weir-test two" >/dev/kmsg'
is "record: status" $rc 0
run show a -s hello
is "show: lines" "$(lines out)" 2
has "show" out ' sh\[[0-9]+\] hello_log weir-test one'
run show a -f 'text ~ "*two*" and length < 1K'
is "filter" "$(lines out)" 1
run export a --to jsonl -e hello_log
is "JSON" "$(jq -r .text out | tr -d '\n')" "weir-test oneweir-test two"
run verify a
is "verify" $rc 0

# An archive brings its schema along: the weir without it reads it as well.
WEIR=$O/weir
run show a -e hello_log
is "another weir reads it" "$(lines out)" 2
done_testing
