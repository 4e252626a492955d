#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# pin.sh - a recorder that is killed, and killed again (10 times; 200 with
# LONG=1, or KILLS=n), at random moments, while it starts and takes over as
# well: the numbers that a load counted are all in the archive, each once, and
# its account is that of one recording. What is pinned is its owner's alone, is
# had by one recorder at a time, and leaves nothing behind.
. tests/kernel/lib.sh

KILLS=${KILLS:-10}
HZ=20000
[ -z "${LONG:-}" ] || { KILLS=200 HZ=5000; }
NAME=test-$$
pins=/sys/fs/bpf/weir

[ "$(stat -f -c %T /sys/fs/bpf)" = bpf_fs ] || skip "no bpffs is mounted"
end_all() {
	[ -z "${load:-}" ] || kill $load 2>/dev/null
	[ -z "${pid:-}" ] || kill -KILL $pid 2>/dev/null
	"$WEIR" unpin $NAME >/dev/null 2>&1
	[ ! -d "${cgroup:-}" ] || rmdir "$cgroup"
	rm -rf "$dir"
}
trap end_all EXIT

start() { # OPTIONS…
	rm -f "$dir/err"
	"$WEIR" record --pin $NAME -o "$dir/a" -s syscall,task \
		--set syscall.calls=lseek --buffer 64M "$@" 2>"$dir/err" &
	pid=$!
}
captures() { grep -qs capturing "$dir/err"; }

# refused WHAT STATUS WORDS OPTIONS…
refused() {
	local what=$1 status=$2 words=$3
	shift 3
	timeout 20 "$@" >"$dir/said" 2>&1
	is "$what: exit" $? "$status"
	grep -q "$words" "$dir/said" || { fail "$what"; cat "$dir/said"; }
}

# ---- many lives --------------------------------------------------------------

"$LOAD" numbers $HZ $((KILLS * 4 + 60)) >/dev/null &
load=$!
start
await test -e $pins/$NAME/meta || fail "not pinned: $(cat "$dir/err")"
is "mode of the directory" "$(stat -c '%a %u' $pins/$NAME)" "700 0"
is "modes of what is in it" \
	"$(stat -c '%a %u' $pins/$NAME/* | sort -u)" "600 0"
refused "a second recorder" 1 "a recorder has it" \
	"$WEIR" record -q --pin $NAME -o "$dir/b"

cp /bin/true "$dir/born" # one that lives while nobody is there
for i in $(seq "$KILLS"); do
	# Every third dies as it begins, or as it takes over.
	if [ $((i % 3)) = 0 ]; then
		sleep "0.0$((RANDOM % 90 + 10))"
	else
		sleep "0.$((RANDOM % 900 + 100))"
	fi
	kill -KILL $pid
	wait $pid 2>/dev/null
	"$dir/born"
	[ $((i % 2)) = 0 ] || sleep "0.$((RANDOM % 500 + 100))"
	start
done
await captures || fail "it does not take over: $(cat "$dir/err")"
sleep 1
kill -TERM $pid
wait $pid
rc=$?
kill $load
wait $load 2>/dev/null
is "the last life: exit" $rc 0
[ $rc = 0 ] || cat "$dir/err"
[ -e $pins/$NAME ] && fail "$pins/$NAME is left"

# The number is the second argument. What is none, or has no name, is counted.
"$WEIR" export "$dir/a" --to jsonl -e syscall_done \
	-f "pid == $load and name == lseek" 2>/dev/null |
	grep '"kind":"syscall_done"' | grep '"comm":"load"' |
	sed 's/.*"args":\[[^,]*,\([0-9]*\),.*/\1/' >"$dir/numbers"
is "numbers that are none" "$(grep -vc '^[0-9]*$' "$dir/numbers")" 0
sort -n "$dir/numbers" | awk 'NR == 1 { first = $1 }
	NR > 1 && $1 == last { twice++ } NR > 1 && $1 > last + 1 {
	lost += $1 - last - 1 } { last = $1 }
	END { print lost + 0, twice + 0, last - first + 1 }' >"$dir/sums"
read -r lost twice there <"$dir/sums"
is "lost in $KILLS kills" "$lost" 0
is "taken twice" "$twice" 0
is "out of order" "$(sort -nc "$dir/numbers" 2>&1 | wc -l)" 0
is "born and dead meanwhile" \
	"$(count task_exit 'comm == "born"')" "$KILLS"
is "what they executed" \
	"$(count task_exec "file == \"$dir/born\"")" "$KILLS"
whole
echo "$there numbers in $("$WEIR" stat --json "$dir/a" | jq -c .segments) segments"


# ---- one that is left ---------------------------------------------------------

start --append -f 'name == lseek'
await test -e $pins/$NAME/meta || fail "not pinned: $(cat "$dir/err")"
sleep 0.2
kill -KILL $pid
wait $pid 2>/dev/null
# What served it ends a moment later, and holds the lock until then.
is_left() {
	"$WEIR" status >"$dir/said" 2>&1
	grep -q "'$NAME' is pinned, and nobody" "$dir/said"
}
await is_left || fail "status tells it not: $(cat "$dir/said")"
refused "other options" 1 "with -f 'name == lseek', not ''" \
	"$WEIR" record -q --pin $NAME -s syscall,task --buffer 64M \
	--set syscall.calls=lseek
refused "another archive" 1 "records into '$dir/a', not" \
	"$WEIR" record -q --pin $NAME -s syscall,task --buffer 64M \
	--set syscall.calls=lseek -f 'name == lseek' -o "$dir/b"
mv "$dir/a" "$dir/a.away"
refused "an archive that is not there" 1 "is not there" \
	"$WEIR" record -q --pin $NAME -s syscall,task --buffer 64M \
	--set syscall.calls=lseek -f 'name == lseek'
mv "$dir/a.away" "$dir/a"
"$LOAD" numbers 1000 1 >/dev/null
links() { # of those, by number, how many there are
	bpftool -j link show | jq --argjson of "$1" \
		'[.[].id] | map(select(. as $id | $of | index([$id]))) | length'
}
if command -v bpftool >/dev/null; then
	held=$(for f in $pins/$NAME/l_*; do
		bpftool -j link show pinned "$f"
	done | jq -s -c 'map(.id)')
	within "links" "$(links "$held")" 5 100
fi
refused "unpin" 3 "events in its buffers are in no archive" "$WEIR" unpin $NAME
unread=$(sed -n 's/.*: \([0-9]*\) events.*/\1/p' "$dir/said")
within "events that were left" "$unread" 1000 100000
[ -e $pins/$NAME ] && fail "$pins/$NAME is left by unpin"
[ -z "${held:-}" ] || is "links after it" "$(links "$held")" 0
refused "unpin of nothing" 1 "nothing is pinned as" "$WEIR" unpin $NAME

# ---- what it is about ---------------------------------------------------------

"$LOAD" numbers 1000 600 >/dev/null &
load=$!
rm -rf "$dir/a"
start -p $load --window 4M --snapshot-dir "$dir/snapshots"
await test -e $pins/$NAME/meta || fail "not pinned: $(cat "$dir/err")"
sleep 0.5
kill -KILL $pid
wait $pid 2>/dev/null
"$LOAD" numbers 1000 1 >/dev/null # not asked for
kill $load
wait $load 2>/dev/null
refused "another process" 1 "pinned with -p '$load', not '$$'" \
	"$WEIR" record -q --pin $NAME -s syscall,task --buffer 64M \
	--set syscall.calls=lseek -p $$
# Where it records, and whom that is of, the kernel and the archive know.
"$WEIR" record --pin $NAME -s syscall,task --buffer 64M -p $load \
	--set syscall.calls=lseek --window 4M --snapshot-dir "$dir/snapshots" \
	--name "$dir/socket" 2>"$dir/err" &
pid=$!
await grep -q "and a window" "$dir/err" ||
	fail "no window after a takeover: $(cat "$dir/err")"
"$WEIR" snapshot --name "$dir/socket" -o "$dir/snapshot" >"$dir/said" 2>&1
is "snapshot after a takeover" $? 0
kill -TERM $pid
wait $pid
is "a process that is gone, and a window: exit" $? 0
is "of whom" "$(events syscall_done | jq .pid | sort -u)" $load
is "it says so" "$("$WEIR" stat --json "$dir/a" | jq -r .asked)" \
	"-s syscall,task -p $load --set syscall.calls=lseek"
whole
"$WEIR" verify "$dir/snapshot" >"$dir/verify" ||
	fail "the snapshot: $(cat "$dir/verify")"

# ---- of a cgroup --------------------------------------------------------------

of_cgroup() {
	local inside outside
	rm -rf "$dir/a"
	start --cgroup "${cgroup##*/}"
	await test -e $pins/$NAME/meta || fail "not pinned: $(cat "$dir/err")"
	"$LOAD" numbers 1000 2 >/dev/null &
	outside=$!
	(echo $BASHPID >"$cgroup/cgroup.procs" &&
		exec "$LOAD" numbers 1000 2 >"$dir/made") &
	inside=$!
	sleep 0.8
	kill -KILL $pid
	wait $pid 2>/dev/null
	sleep 0.4
	start --cgroup "${cgroup##*/}"
	wait $inside $outside
	await captures || fail "it does not take over: $(cat "$dir/err")"
	kill -TERM $pid
	wait $pid
	is "a cgroup, the last life: exit" $? 0
	is "of who is in it" \
		"$(count syscall_done "pid == $inside and name == lseek")" \
		"$(awk '/^numbers/ { print $2 }' "$dir/made")"
	is "of who is not" "$(count syscall_done "pid == $outside")" 0
	whole
}

mount=$(awk '$3 == "cgroup2" { print $2; exit }' /proc/self/mounts)
cgroup=$mount/weir-test-$$
if [ -n "$mount" ] && mkdir "$cgroup" 2>/dev/null; then
	of_cgroup
	rmdir "$cgroup"
else
	left_out "no cgroup v2 that can be written to: --pin with --cgroup"
fi

# ---- with a budget ------------------------------------------------------------

# Nobody tells of what is shed while nobody is there but who comes next.
rm -rf "$dir/a"
"$LOAD" rate 200000 5 >/dev/null &
load=$!
start --budget 2% --set syscall.calls=getppid
sleep 2
kill -KILL $pid
wait $pid 2>/dev/null
sleep 0.5
start --budget 2% --set syscall.calls=getppid
wait $load
await captures || fail "it does not take over: $(cat "$dir/err")"
kill -TERM $pid
wait $pid
is "the flood's last life: exit" $? 0
shed=$("$WEIR" stat --json "$dir/a" 2>/dev/null |
	jq '[.sources[].shed] | add')
[ "$shed" -gt 0 ] || fail "nothing was shed"
is "shed, by the stream" "$(events repo_shed | sum count)" "$shed"
whole

# ---- killed as it ends --------------------------------------------------------

# Until it is hit between its last event and the end, which takes a while.
for i in $(seq 20); do
	rm -rf "$dir/a"
	start
	await test -e $pins/$NAME/meta || fail "not pinned: $(cat "$dir/err")"
	"$LOAD" numbers 20000 1 >/dev/null
	kill -TERM $pid
	for _ in $(seq 10000); do
		compgen -G "$pins/$NAME/l_*" >/dev/null || break
	done
	kill -KILL $pid
	wait $pid 2>/dev/null
	[ ! -e $pins/$NAME/meta ] || break
done
timeout 60 "$WEIR" record --pin $NAME -o "$dir/a" -s syscall,task \
	--set syscall.calls=lseek --buffer 64M --for 100ms 2>"$dir/err"
is "killed as it ended, after $i: the next one's exit" $? 0
grep -q "was being ended when.*: [0-9]* events .* begins anew" "$dir/err" ||
	fail "it tells not: $(cat "$dir/err")"
[ -e $pins/$NAME ] && fail "$pins/$NAME is left"
whole

# ---- what somebody else made --------------------------------------------------

mkdir -p -m 700 $pins
hostile() { # WHAT: the directory is made; it is refused, and stays as it is
	refused "$1" 1 "$2" "$WEIR" record -q --pin $NAME -o "$dir/h" --for 1s
	rm -rf "$dir/h"
}
mkdir -m 755 $pins/$NAME
hostile "a directory that others may read" "not a directory of this user alone"
chmod 700 $pins/$NAME
chown nobody $pins/$NAME
hostile "a directory of somebody else's" "not a directory of this user alone"
rmdir $pins/$NAME
mkdir -m 700 "$dir/other"
ln -s "$dir/other" $pins/$NAME
hostile "a link" "not a directory of this user alone"
rm $pins/$NAME
mkdir -m 700 $pins/$NAME
ln -s "$dir/other" $pins/$NAME/meta
hostile "a link in it" "pin '$NAME'"
rm -f $pins/$NAME/meta
rmdir $pins/$NAME 2>/dev/null
chmod 777 $pins
hostile "the directory above, open to others" "not a directory of this user"
chmod 700 $pins
rmdir $pins 2>/dev/null
refused "a name that is a path" 2 "a name has at most" \
	"$WEIR" record -q --pin ../x -o "$dir/h"
refused "a command" 2 "not for a COMMAND" \
	"$WEIR" record -q --pin $NAME -o "$dir/h" -- true
refused "a window alone" 2 "needs an archive" \
	"$WEIR" record -q --pin $NAME --window 4M

done_testing
