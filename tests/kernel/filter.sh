#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Generated filters on a live host: two recorders at once, of which one decides
# in the kernel what it can and the other everything in user space, keep the
# same events of a workload; and what the first refuses is accounted for.
# SEED=N repeats a run, EXPRESSIONS=N makes it longer.
. tests/kernel/lib.sh

SEED=${SEED:-$((RANDOM * 32768 + RANDOM))}
EXPRESSIONS=${EXPRESSIONS:-24}
RANDOM=$SEED
echo "SEED=$SEED"
cp "$LOAD" "$dir/wl"
mkfifo "$dir/go"

# What a test says must not depend on how long anything takes, but for naps,
# which are far longer than all else.
tests=(
	'name == openat' 'name != openat' 'name in (read, write, close)'
	'name in (read, write, close, openat, accept4, pipe2, execve, wait4)'
	'name not in (read, write, close, openat, accept4, pipe2, execve)'
	"name ~ '*nanosleep'" "name !~ 'cl*'" 'ret == ENOENT' 'ret < 0'
	'ret >= 3' 'ret == 1' 'not ret == 1' 'compat' 'not compat'
	'duration > 20ms' 'not duration > 20ms' "path ~ '*dir/*'"
	"file ~ '/*'" "path == '/bin/true'" 'source == syscall'
	'source == sched' 'kind == sched_switch' 'kind != sched_wakeup'
	'kind == net_close' 'kind in (net_connect, net_accept)'
	'prev_state == S' 'prev_state == R' 'preempted' 'next_tid == 0'
	'next_tid != 0' 'target_cpu == 0' 'prio == 120' 'lport > 1024'
	'lport < 40000' 'rport > 1024' 'laddr == 127.0.0.0/8'
	'laddr != 127.0.0.1' 'raddr == ::1' 'family == inet' 'sent == 1'
	'error' 'error == 0' 'retransmits == 0' 'backlog >= 8'
	'signal == SIGCHLD' 'signal in (CHLD, KILL)' 'group' 'cpu == 0'
	'cpu != 0' 'cpu in (0, 1, 2, 3)' 'pid == $pid' 'pid != $pid'
	'tid == $pid' 'pid in ($pid, 1, 2)' 'pid > $pid' 'comm == wl'
	'comm != wl' "comm ~ 'w*'" "comm ~ 'exe*'" 'comm in (wl, true)'
	'comm in (a, b, c, d, exe, f)' 'not comm == exe' 'ppid == $$'
	'uid == 0' 'uid != 0'
)

# expr DEPTH: into $expr
expr() {
	local left join
	if [ "$1" = 0 ] || [ $((RANDOM % 4)) = 0 ]; then
		expr=${tests[RANDOM % ${#tests[@]}]}
		expr=${expr//\$pid/$pid}
		expr=${expr//\$\$/$$}
		return
	fi
	expr $(($1 - 1))
	left=$expr
	expr $(($1 - 1))
	join=and
	[ $((RANDOM % 5)) -lt 3 ] || join=or
	expr="($left $join $expr)"
	[ $((RANDOM % 6)) != 0 ] || expr="not $expr"
}

workload() {
	"$dir/wl" tcp 20
	"$dir/wl" pipes 200
	"$dir/wl" naps 3 40000
	"$dir/wl" tree 5
	"$dir/wl" opens "$dir/wl" 20
} >/dev/null

begin() { # NAME OPTIONS…: a recorder of that name
	local name=$1
	shift
	rm -rf "${dir:?}/$name"
	: >"$dir/$name.err"
	"$WEIR" record -o "$dir/$name" -s syscall,sched,net,task \
		--set syscall.calls=all --buffer 32M --for 120 "$@" \
		2>>"$dir/$name.err" &
}

both_capture() {
	grep -q capturing "$dir/kernel.err" && grep -q capturing "$dir/user.err"
}

# What is kept of the workload, without what is another recorder's clock, what it
# was not shown (a round that lost else is none), and
# without wakeups of others: in an interrupt they may come between the two
# recorders' records of an exec, and have another name for each.
kept() {
	"$WEIR" export "$dir/kernel" --to jsonl -e task_fork 2>/dev/null |
		jq ".child_pid | select(. != $a and . != $b)" >"$dir/pids"
	"$WEIR" export "$dir/$1" --to jsonl \
		-e 'syscall_*,sched_*,net_*,task_signal' 2>"$dir/$1.said" |
		jq -c --slurpfile pids "$dir/pids" --argjson pid "$pid" '
			select(.kind != "gap") |
			select(.target_tid == null or .kind == "task_signal" or
				(.target_pid | IN($pid, $pids[]))) |
			del(.ts, .duration, .ran, .waited, .rtt, .since)' |
		sort >"$dir/$1.kept"
}

# of NAME COUNTER: over all sources, from the account
of() { "$WEIR" stat "$dir/$1" --json 2>/dev/null | jq "[.sources[].$2] | add"; }

# round: one expression. False when events were lost: nothing is known then.
round() {
	local rc_a rc_b
	begin kernel -f "$1"
	a=$!
	begin user -f "$1" --set repo.user_filter=1
	b=$!
	await both_capture || fail "the recorders did not start: $(cat \
		"$dir/kernel.err" "$dir/user.err")"
	echo go >"$dir/go"
	wait "$pid"
	workload
	kill -INT $a $b
	wait $a
	rc_a=$?
	wait $b
	rc_b=$?
	[ $rc_a != "$(unseen "$dir/kernel")" ] || rc_a=0
	[ $rc_b != "$(unseen "$dir/user")" ] || rc_b=0
	[ $rc_a = 3 ] || [ $rc_b = 3 ] && return 1
	is "status" "$rc_a $rc_b" "0 0" >"$dir/status" || cat "$dir/status"
}

compare() {
	kept kernel
	kept user
	if ! cmp -s "$dir/kernel.kept" "$dir/user.kept"; then
		fail "$1: other events than in user space"
		diff "$dir/kernel.kept" "$dir/user.kept" | head -n 6
	fi
	for name in kernel user; do
		"$WEIR" verify "$dir/$name" >"$dir/verify" 2>&1
		rc=$?
		[ $rc = "$(unseen "$dir/$name")" ] ||
			fail "$1: verify: $(cat "$dir/verify")"
	done
	[ "$(of user filtered)" = 0 ] ||
		fail "user_filter: $(of user filtered) filtered in the kernel"
	n=$(wc -l <"$dir/kernel.kept")
	total=$((total + n))
	some=$((some + (n > 0)))
	filtered=$((filtered + $(of kernel filtered)))
	compared=$((compared + 1))
	echo "$n events: $1"
}

# The verifier sees another program for each of them: it has to accept it.
accepted() { # EXPRESSION
	"$WEIR" record -o "$dir/one" -s syscall,sched,net,task -f "$1" -- \
		true 2>"$dir/one.err" || fail "$1: $(cat "$dir/one.err")"
	! grep 'is off' "$dir/one.err" || fail "$1: that source"
	rm -rf "$dir/one"
}

for each in "${tests[@]}"; do
	each=${each//\$pid/$$}
	accepted "${each//\$\$/$$}"
done

total=0 some=0 filtered=0 compared=0 lossy=0
while [ $compared -lt "$EXPRESSIONS" ] && [ $lossy -lt 12 ]; do
	bash -c 'read -r go <"$1/go"; exec "$1/wl" pipes 100 >/dev/null' \
		wait "$dir" &
	pid=$!
	expr 3
	whole="comm in (wl, exe, true) and $expr"
	if round "$whole"; then
		compare "$whole"
	else
		lossy=$((lossy + 1))
	fi
done
is "expressions compared" $compared "$EXPRESSIONS"
[ $lossy = 0 ] || echo "$lossy more where events were lost"
[ $some -ge $((compared / 4)) ] || fail "$some expressions kept anything"
[ $filtered -gt 0 ] || fail "the kernel refused nothing"
echo "$total events, $filtered refused in the kernel"
done_testing
