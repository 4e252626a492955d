#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# explain.sh - record and watch --explain: for each kind of event which part of
# the filter is decided where; nothing is recorded, started or left behind.

. "$(dirname "$0")/lib.sh"

# row EVENT: its lines, blanks squeezed
row() {
	awk -v e="$1" '/^[^ ]/ { on = $1 == e } on' "$dir/out" | tr -s ' '
}

explain() {
	run "$@" --explain
	is "weir $*: status" $rc 0
	is "weir $*: stderr" "$(lines err)" 0
}

explain record -f 'pid == 812 and duration > 1ms and path ~ "/etc/*"'
is "conjuncts" "$(row syscall_done)" 'syscall_done kernel, at entry pid == 812
 kernel duration > 1ms
 repo path ~ "/etc/*"'
is "no such field" "$(row block_io)" "block_io the filter is never true of it"

explain record -f 'pid == 812 and comm == "a b"'
is "table of tasks" "$(row task_fork)" \
	'task_fork repo pid == 812
 repo comm == "a b"'
is "names" "$(row syscall_done)" 'syscall_done kernel, at entry pid == 812
 kernel, then repo comm == "a b"'
is "owners have no name" "$(row net_close)" 'net_close kernel pid == 812
 repo comm == "a b"'
is "off" "$(row sched_switch)" "sched_switch its source is off (see -s)"

explain watch -s sched,net -e 'sched_*' -f 'comm == x'
is "asked for" "$(row sched_switch)" \
	"sched_switch kernel, then repo comm == x"
is "not asked for" "$(row net_close)" "net_close not asked for"

explain watch -p $$ -f 'pid == 812'
is "of which processes" "$(row any)" \
	"any kernel, at entry of process $$ or a descendant"
is "and of them what" "$(row syscall_done)" \
	"syscall_done kernel, at entry pid == 812"
run watch -p 4194305
is "no such process" $rc 1
has "no such process" err 'no such process'
run watch -p x
is "no number" $rc 2
run watch --cgroup /no/such
is "no such cgroup" $rc 1
is "no such cgroup, or no v2: one line" "$(lines err)" 1

explain watch -s sched
is "no filter" "$(row sched_switch)" "sched_switch every one is kept"

explain record --window 8M -e 'net_*' -f 'lport == 80' \
	--snapshot-on 'block_io.latency > 100ms' \
	--snapshot-on 'net_close.duration > 1s'
is "a trigger's, not asked for" "$(row block_io)" \
	"block_io kernel, then repo trigger: block_io.latency > 100ms"
is "a trigger's beside a filter's" "$(row net_close)" \
	"net_close kernel, then repo lport == 80
 kernel, then repo trigger: net_close.duration > 1s"
is "neither's" "$(row syscall_done)" "syscall_done not asked for"
is "the filter's alone" "$(row net_listen)" "net_listen kernel lport == 80"

run record --explain -f 'comm == x' -- sh -c 'touch started'
is "of a command: status" $rc 0
is "only followed tasks have names" "$(row syscall_done)" \
	"syscall_done repo comm == x"
is "nothing was started or recorded" \
	"$(find . -name started -o -name 'weir-*')" ""

run record --explain -f $'comm == "\e[31m"'
is_clean "an escape in the filter" out
run record --explain -f 'comn == x'
is "a wrong filter" $rc 2
run record --explain --set repo.user_filter=1 -f 'pid == 1'
is "kernel switched off" "$(row syscall_done)" "syscall_done repo pid == 1"
done_testing
