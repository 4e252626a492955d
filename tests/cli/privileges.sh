#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# privileges.sh - once events flow no thread of weir has a capability or is
# root, and still it rotates, counts and ends as it should; COMMAND keeps its
# caller's rights; what somebody planted where weir records leads nowhere.

. "$(dirname "$0")/lib.sh"
needs_recording
chmod 755 "$dir"
nobody=$(id -u nobody)

# start WORD…: in the background, until events flow
started() { grep -q 'capturing' err; }
start() {
	: >err
	setsid "$WEIR" "$@" 2>err >out </dev/null &
	pid=$!
	wait_for 20 started || fail "$*: does not start: $(cat err)"
}

# field PID NAME: of each thread, once
field() {
	sed -n "s/^$2:[[:space:]]*//p" /proc/"$1"/task/*/status | sort -u |
		tr '\t\n' '  ' | sed 's/ *$//'
}

# given_up PID UID: every thread
given_up() {
	local set
	[ "$(ls /proc/"$1"/task | wc -l)" -ge 3 ] || fail "$1: no threads"
	is "$1: uid" "$(field "$1" Uid)" "$2 $2 $2 $2"
	for set in CapInh CapPrm CapEff CapBnd CapAmb; do
		is "$1: $set" "$(field "$1" $set)" 0000000000000000
	done
	is "$1: NoNewPrivs" "$(field "$1" NoNewPrivs)" 1
	is "$1: Seccomp" "$(field "$1" Seccomp)" 2
}

# A whole host is recorded: 3, something of it was lost, is no failure here.
finish() { # WHAT
	kill -TERM $pid
	wait $pid
	case $? in 0 | 3) ;; *) fail "$1: status $?: $(cat err)" ;; esac
}
verified() { # WHAT ARCHIVE
	run verify "$2"
	case $rc in 0 | 3) ;; *) fail "$1: verify: $rc: $(cat out)" ;; esac
}

# 20,000 calls of getppid by a program of a name of its own: others make such
# calls, too.
caller=load$$
cp "$O/tests/load/load" $caller
calls() { ./$caller calls 1 20000 >/dev/null; }
only="--set syscall.calls=getppid -s syscall --buffer 64M"

errand_of() { pgrep -P $pid -x weir-errand; }

# ---- it works, with nothing
start record -o a $only -f "comm == '$caller'"
given_up $pid "$nobody"
is "no groups" "$(field $pid Groups)" ""
errand=$(errand_of)
is "the errand: capabilities" "$(field "$errand" CapPrm)" 0000000000200020
is "the errand: seccomp" "$(field "$errand" Seccomp)" 2
is "the errand: files" "$(find /proc/"$errand"/fd -lname "/*")" ""
calls
two_segments() { [ "$(ls a/*.weir* | wc -l)" = 2 ]; }
kill -HUP $pid
wait_for 10 two_segments || fail "nobody cannot rotate"
calls
sleep 1.2 # a sample of the cost is taken
is "what it did not make is closed to it" \
	"$(ls -l /proc/$pid/fd | grep -c -e ' /etc' -e ' /root')" 0
finish "nobody"
two_segments || fail "nobody cannot seal: $(ls a)"
is "whose it is" "$(stat -c '%u %a' a a/* | sort -u | tr '\n' ' ')" \
	"$nobody 600 $nobody 700 "
verified "nobody" a
run show a -e syscall_done -f 'name == getppid'
is "every call is there" "$(grep -c ' getppid()' out)" 40000
run show a -e repo_metric -f 'repo_metric.name == "bpf_time"'
[ "$(lines out)" -ge 1 ] || fail "the programs' cost is not measured"
[ -e "/proc/$errand" ] && fail "the errand is left"

# ---- so does watch
start watch -s task
given_up $pid "$nobody"
finish "watch"

# ---- a place for snapshots that none was taken into is not left
mkdir window && cd window || exit
start record --window 4M -s task
given_up $pid "$nobody"
is "where they would go" "$(ls -d weir-* | wc -l)" 1
finish "a window"
is "an empty place" "$(ls)" "err
out"
start record --window 4M -s task --name "$dir/socket"
run snapshot --name "$dir/socket"
is "a snapshot: status" $rc 0
finish "a window, and one of it"
is "a place that is not empty" "$(ls -d weir-*-snapshots/snapshot-* | wc -l)" 1
cd ..

# ---- the command has what its caller has
run record -q -o c -- sh -c 'id -u; grep CapEff /proc/self/status
	head -c 1 /etc/shadow >/dev/null && echo reads'
grep CapEff /proc/self/status >want
is "the command's rights" "$(cat out)" "0
$(cat want)
reads"
run show c -e task_exec
[ "$(lines out)" -ge 3 ] || fail "the command is not recorded"

# ---- other users
start record -o d --user daemon
given_up $pid "$(id -u daemon)"
finish "--user daemon"
is "--user daemon: whose" "$(stat -c %U d d/*.weir | sort -u)" daemon
start record -o e --user root
is "--user root: uid" "$(field $pid Uid)" "0 0 0 0"
is "--user root: capabilities" "$(field $pid CapEff)" \
	"$(sed -n 's/^CapEff:\t//p' /proc/self/status)"
finish "--user root"
is "--user root: whose" "$(stat -c %u e e/*.weir | sort -u)" 0
run record -q -o f --user no-such-user -- true
is "--user nobody knows: status" $rc 2
has "--user nobody knows" err "^weir: .*no-such-user"
[ -e f ] && fail "--user nobody knows: something is left"

# Root's archive stays root's, but for root has no capability.
start record -o e --append
given_up $pid 0
finish "--append to root's"
verified "--append to root's" e
run record -q -o e --append --user nobody -- true
is "--append to root's as nobody: status" $rc 1
has "--append to root's as nobody" err "^weir: 'e' is root's"
run record -q -o a --append -- true
is "--append to nobody's: status" $rc 0
run record -q -o d --append -- true
is "--append to another's: status" $rc 1
has "--append to another's" err "^weir: .*must belong"
SUDO_UID=$(id -u daemon) SUDO_GID=1 "$WEIR" record -q -o d --append -- true
is "sudo, --append to the caller's: status" $? 0
setpriv --reuid=nobody --clear-groups "$WEIR" record -q -o x --user daemon \
	2>err
has "who is not root becomes nobody else" err "^weir: .*only root"

# ---- traps in a directory that is another user's
printf 'secret\n' >precious && chmod 640 precious
mkdir trap && chown daemon trap && chmod 700 trap
same() { is "$1" "$(stat -c '%u %g %a %s' precious)" "0 0 640 7"; }
ln precious trap/LOCK
run record -q -o trap --user daemon -- true
is "a hard link as LOCK: status" $rc 1
same "a hard link as LOCK"
rm trap/LOCK && ln -s "$dir/precious" trap/LOCK
run record -q -o trap --user daemon -- true
is "a symbolic link as LOCK: status" $rc 1
same "a symbolic link as LOCK"
rm trap/LOCK && mkfifo trap/LOCK
timeout 10 "$WEIR" record -q -o trap --user daemon -- true 2>err
case $? in 0 | 1) ;; *) fail "a FIFO as LOCK" ;; esac
rm -rf trap && mkdir -m 777 trap && chown daemon trap
ln -s "$dir/precious" trap/20260101T000000Z-00000000-0000000001.weir
run record -q -o trap --append --user daemon -- true
is "a directory anybody may write to: status" $rc 1
same "a symbolic link as a segment"

# Swapped for a link while it records: what is written goes where it went.
start record -o swap $only -f "comm == '$caller'"
mkdir target && mv swap moved && ln -s target swap
calls
kill -HUP $pid
sleep 1
finish "swapped"
is "swapped: nothing went through the link" "$(ls target)" ""
verified "swapped" moved
run show moved -e syscall_done -f 'name == getppid'
is "swapped: every call is there" "$(grep -c ' getppid()' out)" 20000
done_testing
