#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# -p and --cgroup: what these processes do is recorded, and nothing else; those
# that were there already, those that are started, those that are moved.
. tests/kernel/lib.sh

recorder=
cgroup=
cleanup() {
	local d
	[ -z "$recorder" ] || kill -9 $recorder
	rm -rf "$dir"
	wait
	for d in ${cgroup:+"$cgroup/in/below" "$cgroup/in" "$cgroup/beside" "$cgroup/late" "$cgroup"}; do
		rmdir "$d"
	done
}
trap cleanup EXIT

start() { # options of record
	rm -rf "$dir/a"
	start_recorder -o "$dir/a" --buffer 64M -s task,syscall "$@"
}

stop() {
	kill -INT $recorder
	wait $recorder
	is "exit" $? 0
	recorder=
	whole
}

# agent NAME: a process that does what tell says, and a child of it, NAME.child,
# that does too; its pid in $pid. They end with the directory.
cat >"$dir/agent" <<'AGENT'
[ -z "$3" ] || bash "$0" "$1" "$3" "" &
while [ -d "$1" ]; do
	if [ -f "$1/$2.go" ]; then
		"$(cat "$1/$2.go")"
		rm "$1/$2.go"
	fi
	sleep 0.05
done
AGENT
agent() {
	bash "$dir/agent" "$dir" "$1" "$1.child" >/dev/null 2>&1 &
	pid=$!
}
tell() { # NAME PROGRAM: and wait until it is done
	echo "$2" >"$dir/go"
	mv "$dir/go" "$dir/$1.go"
	await test ! -f "$dir/$1.go" || fail "$1 does nothing"
}

# execs NAME: how many there were of $dir/NAME
execs() { count task_exec "filename == \"$dir/$1\""; }
for n in of-it of-child of-late outside; do cp /bin/true "$dir/$n"; done

# A tree: the process, what it had started, what it starts.
agent one
one=$pid
agent two
sleep 0.5 # their children are there
start -p "$one"
tell one "$dir/of-it"
tell one.child "$dir/of-child"
tell two "$dir/outside"
tell two.child "$dir/outside"
"$dir/outside"
stop
is "its own" "$(execs of-it)" 1
is "of a child that was there" "$(execs of-child)" 1
is "of others" "$(execs outside)" 0
is "calls of processes that were started" \
	"$("$WEIR" show "$dir/a" -e syscall_done 2>/dev/null \
		-f 'comm in (of-it, of-child)' | grep -c .)" \
	"$(count syscall_done 'comm in (of-it, of-child)')"
[ "$(count syscall_done 'comm in (of-it, of-child)')" -gt 0 ] ||
	fail "no calls of what it started"
is "calls of others" "$(count syscall_done 'comm == outside')" 0
is "whom it is about" "$("$WEIR" stat "$dir/a" 2>/dev/null |
	sed -n 's/^asked  *//p')" "-s task,syscall -p $one"

# A child, looked at late, for many come before it, that starts others whose
# numbers were passed already.
python3 - "$dir" >"$dir/low" <<'LOW' &
import os, sys, time
last = "/proc/sys/kernel/ns_last_pid"
def fork_after(pid):
    with open(last, "w") as f: f.write(str(pid))
    return os.fork()
if fork_after(30000):
    os.wait()
    sys.exit()
hold, end = os.pipe()
children = 0
while children < 4000 and not os.path.exists(sys.argv[1] + "/enough"):
    if not fork_after(10000 if children < 1500 else 2000):
        with open("/proc/self/comm", "w") as f: f.write("low")
        os.close(end)
        os.read(hold, 1)
        os._exit(0)
    children += 1
while not os.path.exists(sys.argv[1] + "/enough"): time.sleep(0.05)
os.close(end)
for _ in range(children): os.wait()
print(children)
LOW
forker=$!
many_low() { [ "$(pgrep -c "^low")" -gt 1500 ]; }
await many_low
start -p "$forker"
touch "$dir/enough"
wait $forker
stop
is "whose numbers were passed" "$(count task_exit 'comm == low')" \
	"$(cat "$dir/low")"

# With a filter, and two of them.
start -p "$one,$pid" -e task_exec -f 'filename ~ "*/of-*"'
tell one "$dir/of-it"
tell two "$dir/of-late"
tell two "$dir/outside"
stop
is "of one, by filter" "$(execs of-it)" 1
is "of two, by filter" "$(execs of-late)" 1
is "refused by the filter" "$("$WEIR" show "$dir/a" -s task 2>/dev/null |
	grep -c outside)" 0

# Cgroups, where there are any of v2.
mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
if [ -z "$mount" ] || ! mkdir "$mount/weir-test-$$" 2>/dev/null; then
	if [ -z "$mount" ]; then
		"$WEIR" record --cgroup / --for 10ms -o "$dir/a" 2>"$dir/err"
		is "no cgroup v2: exit" $? 1
		is "no cgroup v2: one line" "$(wc -l <"$dir/err")" 1
	fi
	[ $failures = 0 ] || exit 1
	skip "no cgroup v2 that can be written to: --cgroup is not tried"
fi
cgroup=$mount/weir-test-$$
mkdir "$cgroup/in" "$cgroup/in/below" "$cgroup/beside"
echo "$one" >"$cgroup/in/below/cgroup.procs"
echo "$pid" >"$cgroup/beside/cgroup.procs"
start --cgroup "weir-test-$$/in"
tell one "$dir/of-it"
tell two "$dir/outside"
tell one.child "$dir/outside"
"$dir/outside"
echo "$pid" >"$cgroup/in/cgroup.procs"
tell two "$dir/of-late"
echo "$pid" >"$cgroup/beside/cgroup.procs"
tell two "$dir/outside"
stop
is "below the cgroup" "$(execs of-it)" 1
is "of one that was moved there" "$(execs of-late)" 1
is "of others, and of one that left" "$(execs outside)" 0
is "whose name is known" "$(count task_cgroup 'comm == bash')" \
	"$(count task_cgroup)"
# One whose path found no room, and was counted as lost, is told the next time.
mkdir "$cgroup/late"
execs_in_late() { # PROGRAM
	(echo $BASHPID >"$cgroup/late/cgroup.procs" && exec "$1")
}
rm -rf "$dir/a"
start_recorder -o "$dir/a" -s task --buffer 4K
kill -STOP $recorder
for _ in $(seq 100); do
	/bin/true
done
execs_in_late "$dir/outside"
kill -CONT $recorder
for _ in $(seq 50); do
	execs_in_late "$dir/of-late"
	sleep 0.01
done
kill -INT $recorder
wait $recorder
is "with losses: exit" $? 3
recorder=
told=$("$WEIR" query --csv "$dir/a" "SELECT count(*) FROM events
	WHERE kind = 'task_exec' AND cgroup GLOB '*/weir-test-$$/late'" 2>/dev/null |
	tail -n 1)
[ "$told" -gt 0 ] || fail "the path of the cgroup is not told again"
[ "$(events gap 'of == task' | sum count)" -gt 0 ] ||
	fail "nothing was lost: there was room"
whole 3
done_testing
