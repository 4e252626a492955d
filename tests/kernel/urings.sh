#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# urings.sh - of many requests of io_uring each is there once: of more than can
# be remembered at a time, and of such that end without a place for their
# result. A path that was forgotten meanwhile is not told as none.
. tests/kernel/lib.sh

URINGS=$O/tests/load/urings
HELD=20000
OVER=3000

cd "$dir" || exit 1
"$URINGS" over 1 2>/dev/null
[ $? != 77 ] || skip "no io_uring"
cd - >/dev/null || exit 1

record -s syscall -- "$URINGS" held $HELD
events syscall_done "name == openat and comm == urings" |
	grep '"io_uring"' >"$dir/opens"
is "held: opens" "$(wc -l <"$dir/opens")" $HELD
is "held: inside at the end" "$(count syscall_enter "name == openat")" 0
jq -r '.path // "?"' "$dir/opens" | sort >"$dir/paths"
known=$(grep -c '^none/[0-9]*$' "$dir/paths")
within "held: paths known" "$known" 500 $HELD
is "held: once each" "$(uniq -d "$dir/paths" | grep -cv '^?$')" 0
is "held: paths forgotten" "$(grep -c '^?$' "$dir/paths")" $((HELD - known))
whole

record -s syscall -- "$URINGS" over $OVER
events syscall_done "name == openat and comm == urings" |
	grep '"io_uring"' >"$dir/opens"
is "over: once each" "$(jq -r '.path // empty' "$dir/opens" | sort | uniq -d | wc -l)" 0
is "over: opens, and those of which no end was seen" \
	$(($(wc -l <"$dir/opens") + $(count syscall_enter "name == openat"))) $OVER
whole
done_testing
