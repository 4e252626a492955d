#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# bad_input.sh - whatever is wrong: one line on stderr that says it, nothing
# on stdout, the right status, and nothing left behind.

. "$(dirname "$0")/lib.sh"

# bad STATUS PATTERN WORD…
bad() {
	local want=$1 pattern=$2
	shift 2
	run "$@"
	is "weir $*: status" $rc "$want"
	is "weir $*: lines on stderr" "$(lines err)" 1
	is "weir $*: lines on stdout" "$(lines out)" 0
	has "weir $*" err "^weir: .*$pattern"
}

bad 2 "did you mean 'record'" recrod
bad 2 "weir --help" frobnicate
bad 2 "unknown option '--json'.*usage: weir .*COMMAND" --json show a
bad 2 "needs a value" --config
bad 2 "did you mean '--for'" record --forr 3s
bad 2 "unknown option" record -x
bad 2 "unknown option" record -qx
bad 2 "did you mean '--filter EXPR'" show a -p 812
bad 1 "no such archive .*-f" show "ret < 0"
bad 2 "needs a value: --for TIME" record --for
bad 2 "no duration" record --for 10x
bad 2 "no duration" record --for=
bad 2 "no duration" record --for 0s
bad 2 "no size" record --buffer huge
bad 2 "--buffer can have 2G" record --buffer 10G
bad 2 "--main-ring can have 64K to 1G" record --main-ring 4K
bad 2 "--main-ring can have 64K to 1G" watch --main-ring 2G
bad 2 "takes no value" show --json=yes a
bad 2 "weir record -- ls" record ls
bad 2 "must follow" record --
bad 2 "empty name" record -s ,
bad 2 "syscall" record -s syscal
bad 2 "did you mean 'task_exec'" record -e task_exce
bad 2 "weir list events" record -e 'zzz*'
bad 2 "syscall_done -f 'name == openat'" record -e openat
bad 2 "did you mean 'task_fork'" watch -e fork
bad 2 "did you mean 'task_exec'" record -s task -e task_exce
bad 2 "SOURCE.NAME=VALUE" record --set slower
bad 2 "no setting" record --set syscall.nope=1
bad 2 "no syscall" record --set syscall.calls=opennat
bad 2 "no setting 'cals'" record --set syscall.cals=all
bad 2 "syscall.slower: 'x' is no number" record --set syscall.slower=x
bad 2 "no source is called 'nope';" record --set nope.slower=1
bad 2 "no source" watch -s nope
bad 2 "ARCHIVE" show
bad 2 "ARCHIVE" stat
bad 2 "ARCHIVE" tasks
bad 2 "ARCHIVE" verify
bad 2 "jsonl" export a
bad 2 "no format" export a --to xml
bad 2 "did you mean" list event
bad 2 "usage: weir list fields EVENT" list fields
bad 2 "did you mean 'task_exec'" list fields task_exce
bad 2 "too many" doctor now
for c in show stat tasks verify "export --to csv"; do
	# shellcheck disable=SC2086
	bad 1 "no such archive" $c missing
	bad 1 "no archive" $c /etc
done
mkdir empty
bad 1 "no archive" show empty
: >file
bad 1 "no archive" show file
head -c 100000 /dev/urandom >noise
bad 1 "no archive" show noise
bad 1 "no archive" verify noise

# A filter that does not parse: the line, the expression, the caret.
caret() { # EXPR COLUMN PATTERN
	run watch -f "$1"
	is "filter $1: status" $rc 2
	is "filter $1: lines" "$(lines err)" 3
	has "filter $1" err "^weir: filter: .*$3"
	is "filter $1: caret" "$(sed -n 3p err)" "$(printf '%*s^' $(($2 + 2)) '')"
}
caret 'pid ==' 6 'value'
caret 'comn == "x"' 0 "comm"
caret 'pid == 1 and comn == 2' 13 "comm"
caret '(pid == 1' 0 'no )'
caret 'comm == "né" and foo' 17 'foo'
caret $'comm == "\e[31m" and nope' 20 'nope'
caret 'syscall == openat' 0 'source ==.*weir list fields syscall_'
caret 'pid == 1 and openat' 13 'write name == openat'
grep -q $'\e' err && fail "an escape of the filter reached the terminal"

is "nothing is left behind" "$(ls -d weir-* 2>/dev/null)" ""
done_testing
