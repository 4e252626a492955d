#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# help.sh - help of every command: there, on stdout, narrow enough for any
# terminal, the same as in the manual page and as what a shell completes.

. "$(dirname "$0")/lib.sh"
man=$root/user/man/weir.1

run
is "weir alone: status" $rc 2
is "weir alone: stdout" "$(lines out)" 0
has "weir alone: help on stderr" err '^usage: weir .*COMMAND'

run --help
is "--help: status" $rc 0
is "--help: stderr" "$(lines err)" 0
commands=$(sed -n 's/^  \([a-z]*\)  .*/\1/p' out)
is "--help lists the commands" "$(echo $commands)" \
	"record watch snapshot status unpin show stat tasks query hist export verify list doctor"

has "--help: options before a command" out '^ +--config FILE '
has "--help: options before a command" out '^  -V, --version '

run --version
is "--version: status" $rc 0
has "--version" out '^weir [0-9]'
cp out version
run -V
cmp -s out version || fail "-V is not --version"
run --help record
has "--help record" out '^usage: weir record '

for c in $commands; do
	run "$c" --help
	is "$c --help: status" $rc 0
	is "$c --help: stderr" "$(lines err)" 0
	has "$c --help: usage" out "^usage: weir $c "
	[ "$(awk '{ print length }' out | sort -n | tail -n 1)" -lt 80 ] ||
		fail "$c --help: wider than 79 columns"
	hasnt "$c --help: blanks at the end" out ' $'
	LC_ALL=C grep -q '[^ -~]' out && fail "$c --help: not plain ASCII"
	grep -oE '^  (-[a-zA-Z], |    )--[a-z-]+' out |
		grep -oE -- '--[a-z-]+' | sort >options
	cp out long
	run help "$c"
	cmp -s out long || fail "help $c is not $c --help"

	# what a shell offers
	"$WEIR" __complete -- weir "$c" - | grep -- '^--' | sort >offered
	diff options offered || fail "$c: completion differs from --help"

	# what the manual page lists, word for word
	"$WEIR" __man "$c" >table
	sed -n "/^\.\\\\\" options of $c\$/,/^\.El\$/p" "$man" |
		tail -n +2 >listed
	diff table listed >diff ||
		{ fail "$c: options in weir.1 differ"; head -n 20 diff; }
done

run __complete -- weir record -s ''
has "sources are completed" out '^task$'
run __complete -- weir export a --to ''
has "formats are completed" out '^jsonl$'

make -s -C "$root" help >out
has "make help" out '^run: .*record'
[ "$(awk '{ print length }' out | sort -n | tail -n 1)" -lt 80 ] ||
	fail "make help: wider than 79 columns"

if command -v man >/dev/null && command -v groff >/dev/null; then
	for p in "$man" "$root"/user/man/*.5; do
		LC_ALL=C.UTF-8 MANWIDTH=78 man --warnings=w -E UTF-8 -l "$p" \
			>page 2>warnings </dev/null
		is "${p##*/}: what groff warns of" "$(cat warnings)" ""
		[ "$(lines page)" -gt 100 ] || fail "${p##*/} is empty"
	done
else
	left_out "no man or no groff: how the pages come out"
fi
done_testing
