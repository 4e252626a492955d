#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# control.sh - recorders are found, asked, and left alone by those who should:
# several on one host, one that was killed, clients that mean harm.

. "$(dirname "$0")/lib.sh"
needs_recording

pids=
trap 'kill -9 $pids 2>/dev/null; rm -rf "$dir"' EXIT

start() { # NAME OPTION…
	local name=$1
	shift
	rm -f "err.$$" # the last one's, which says that it captures
	"$WEIR" record --name "$name" --window 8M -s task \
		--snapshot-dir "$dir/snapshots" "$@" >out 2>"err.$$" &
	pid=$!
	pids="$pids $pid"
	wait_for 20 grep -q capturing "err.$$" ||
		fail "$name does not start: $(cat "err.$$")"
}

names() { "$WEIR" status --json 2>/dev/null | jq -r .name; }

# Two, by name; one name cannot be had twice.
start "a-$$"
first=$pid
start "b-$$" -o archive
is "both are listed" "$(names | grep -c -e "^a-$$\$" -e "^b-$$\$")" 2
run record --name "a-$$" --for 100ms
is "a name that is taken: status" $rc 1
has "a name that is taken" err "called 'a-$$' runs already"
run status --name "b-$$"
is "status: status" $rc 0
has "status tells of the archive" out 'archive .*/archive|archive  *archive'
has "status tells of the window" out '^window '
run snapshot --name "b-$$" -o shot
is "snapshot: status" $rc 0
run verify shot archive
[ $rc != 1 ] || fail "verify: $(cat out)"
run snapshot --name "no-such-$$"
is "no such recorder: status" $rc 1
has "no such recorder" err "no recorder called"

# One that was killed is not listed, and its socket goes.
kill -KILL $first
wait $first 2>/dev/null
start "c-$$"
[ ! -e "/run/weir/a-$$.sock" ] || fail "who starts leaves the dead's socket"
kill -TERM $pid
wait $pid
pid=${pids% *}
pid=${pid##* }
is "the dead is not listed" "$(names | grep -c "^a-$$\$")" 0

# Those who mean harm: another user; garbage; a thousand at once that say
# nothing. Meanwhile and afterwards it records, and answers.
socket=/run/weir/b-$$.sock
before=$("$WEIR" status --json --name "b-$$" | jq .events)
if command -v setpriv >/dev/null; then
	setpriv --reuid 65534 --regid 65534 --clear-groups \
		"$WEIR" status --name "$socket" >out 2>err
	is "another user: status" $? 1

	# His own directory of sockets, when it is a link or another's.
	as_nobody() {
		setpriv --reuid 65534 --regid 65534 --clear-groups \
			env XDG_RUNTIME_DIR="$1" "$WEIR" status >out 2>err
	}
	chmod 711 "$dir"
	mkdir -m 711 linked another
	mkdir -m 700 real
	ln -s "$dir/real" linked/weir
	chown 65534 real
	as_nobody "$dir/linked"
	is "a directory that is a link: status" $? 1
	is "a directory that is a link: one line" "$(lines err)" 1
	mkdir -m 755 another/weir
	as_nobody "$dir/another"
	is "a directory of another user: status" $? 1
	is "a directory of another user: one line" "$(lines err)" 1
	mkdir -m 711 own
	mkdir -m 700 own/weir
	chown 65534 own/weir
	as_nobody "$dir/own"
	hasnt "his own: allowed" err 'ermission|symbolic'
fi
python3 - "$socket" <<'PY' || fail "the hostile client itself failed"
import os, socket, sys, time
def join():
    s = socket.socket(socket.AF_UNIX)
    s.connect(sys.argv[1])
    return s
def put(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass
for data in (os.urandom(65536), b"\n", b"status\n", b"snapshot text x -\n",
             b"snapshot text 1 ../x\n", b"status text" + b" " * 20000,
             b"\0" * 100 + b"\n", b"snapshot json 99999999999999999999 -\n"):
    s = join()
    put(s, data)
    s.close()
many = [join() for _ in range(800)]
time.sleep(0.5)
for s in many:
    s.close()
PY
/bin/true
answers() { "$WEIR" status --json --name "b-$$" >answer 2>err; }
wait_for 10 answers || fail "it does not answer any more: $(cat err)"
[ "$(jq .events answer)" -gt "$before" ] || fail "it does not record"
[ "$(jq .control.refused answer)" -gt 0 ] || fail "nobody was refused"
is "nobody made it take a snapshot" "$(jq .snapshots.asked answer)" 1
kill -TERM $pid
wait $pid
is "it ends well" $? 0
pids=
run status --name "b-$$"
is "it has gone: status" $rc 1
[ ! -e "$socket" ] || fail "its socket is left"

# who keeps a window is told how to have it written, and when nothing was
run record --window 4M -s task --name "c-$$" --for 200ms
is "a window that nobody wanted: status" $rc 0
has "how to take a snapshot" err "^weir: .*weir snapshot --name c-$$\$"
has "that nothing was kept" err '^weir: kept nothing: no snapshot'
run record --window 4M -s task --for 200ms -o too
hasnt "an archive was kept" err 'kept nothing'
done_testing
