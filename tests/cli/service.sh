#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# service.sh - weir as a service: what `make install` puts there is tight, and
# its recorder, run as its user with its capabilities, tells when it is ready,
# that it lives and that it stops; SIGHUP begins a new segment; root finds it;
# the unit lets it make all the system calls that it makes.

. "$(dirname "$0")/lib.sh"
unit=$dir/root/usr/lib/systemd/system/weir.service
make -C "$root" O="$O" DESTDIR="$dir/root" PREFIX=/usr install >log 2>&1 ||
	fail "make install: $(tail -n 3 log)"
is "the program's place" "$(sed -n 's/^ExecStart=\([^ ]*\).*/\1/p' "$unit")" \
	/usr/bin/weir
grep -q '^u weir ' root/usr/lib/sysusers.d/weir.conf || fail "no user"

if command -v systemd-analyze >/dev/null; then
	systemd-analyze security --no-pager --offline=true --threshold=21 \
		"$unit" >report 2>&1 || fail "exposed: $(tail -n 3 report)"
	mkdir -p root/usr/share/man/man1 # what it documents is looked for
	systemd-analyze verify --man=no --root="$dir/root" weir.service \
		>report 2>&1
	hasnt "the unit: a name systemd does not know" report 'Unknown|Failed to p'
else
	left_out "no systemd-analyze: the unit is not analysed"
fi

# It wins over ReadWritePaths=: nothing could be pinned.
hasnt "what the pins' place is shut by" "$unit" '^ProtectKernelTunables=yes'

# The calls that the unit lets it make: its lines in order, sets taken apart.
of_set() {
	local name
	for name; do
		case $name in
		@*) of_set $(systemd-analyze syscall-filter "$name" |
			sed -n 's/^ \+\([@a-z0-9_-]*\)$/\1/p') ;;
		*) echo "$name" ;;
		esac
	done
}
let_in() {
	local line
	touch allowed
	sed -n 's/^SystemCallFilter=//p' "$unit" | while read -r line; do
		of_set ${line#\~} | sort -u >these
		case $line in
		~*) comm -23 allowed these >rest ;;
		*) sort -u allowed these >rest ;;
		esac
		mv rest allowed
	done
}

needs_recording
setpriv --dump | grep -q bpf || skip "setpriv does not know CAP_BPF"
chmod 755 "$dir"
mkdir -m 700 state && chown nobody state
cat >listen.py <<'END'
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind("\0" + sys.argv[1])
print("listening", flush=True)
while True:
    print(s.recv(4096).decode().replace("\n", " "), flush=True)
END
name=weir-test-$$
python3 listen.py $name >told &
listener=$!
trap 'kill $listener; rm -rf "$dir"' EXIT
wait_for 10 grep -q listening told || fail "the listener does not start"

# As the unit has it, but for the places.
read -ra words <<<"$(sed -n 's/^ExecStart=[^ ]* //p' "$unit" |
	sed "s|/var/lib/weir|$dir/state|")"
caps=$(sed -n 's/^AmbientCapabilities=//p' "$unit" | tr 'A-Z' 'a-z' |
	sed 's/cap_/+/g; s/ /,/g')
export NOTIFY_SOCKET=@$name WATCHDOG_USEC=1000000
exec 8>&1
before=$(sed -n 's/^ExecStartPre=+//p' "$unit" |
	sed 's/-o weir -g weir/-o nobody/; s/id -u weir/id -u nobody/')
pins=/sys/fs/bpf/weir-$(id -u nobody)
start() {
	eval "$before" || fail "ExecStartPre"
	setsid setpriv --reuid=nobody --clear-groups --no-new-privs \
		--inh-caps="-all,$caps" --ambient-caps="-all,$caps" \
		"$@" "$WEIR" "${words[@]}" --buffer 16M 2>err &
	pid=$!
}
run_dir=$(sed -n 's|^RuntimeDirectory=|/run/|p' "$unit")
[ ! -e "$run_dir" ] || skip "a service runs here: $run_dir"
trap 'kill $listener; rm -rf "$dir" "$pins" "$run_dir"' EXIT
install -d -m 700 -o nobody "$run_dir"
export XDG_RUNTIME_DIR=$run_dir
start
wait_for 30 grep -q READY=1 told || fail "it is not ready: $(cat err)"
wait_for 10 grep -q WATCHDOG=1 told || fail "no sign to the watchdog"
wait_for 10 grep -q 'STATUS=captured [1-9]' told || fail "no status"
run status
has "root finds it" out '^recorder  host, pid '
run status --name host
has "root finds it by its name" out '^recorder  host, pid '
run snapshot
has "root may ask it" err 'it keeps no window'
segments() { [ "$(ls state/host/*.weir* | wc -l)" -ge "$1" ]; }
kill -HUP $pid
wait_for 10 segments 2 || fail "SIGHUP does not rotate"
kill -HUP $pid
wait_for 10 segments 3 || fail "SIGHUP rotates only once"
kill -0 $pid || fail "SIGHUP ended it"

# Restart=always: what crashed goes on.
: >told
kill -KILL $pid
wait $pid 2>/dev/null
[ -e "$pins/host/meta" ] || fail "nothing is pinned"
start
wait_for 30 grep -q READY=1 told || fail "it does not go on: $(cat err)"
wait_for 10 segments 4 || fail "it does not go on in the same archive"
kill -TERM $pid
wait $pid
case $? in 0 | 3) ;; *) fail "SIGTERM: status $?: $(cat err)" ;; esac
wait_for 5 grep -q STOPPING=1 told || fail "it does not say that it stops"
run verify state/host
case $rc in 0 | 3) ;; *) fail "verify: $rc: $(cat out)" ;; esac

if command -v systemd-analyze >/dev/null && command -v strace >/dev/null; then
	let_in
	: >told
	: >calls && chown nobody calls
	start strace -D -f -c -o "$PWD/calls"
	wait_for 60 grep -q READY=1 told || fail "traced: $(cat err)"
	kill -HUP $pid
	wait_for 10 segments 6 || fail "traced: SIGHUP does not rotate"
	kill -TERM $pid
	wait $pid
	wait_for 10 grep -q total calls || fail "strace tells nothing"
	awk '$1 ~ /^[0-9.]+$/ && $NF != "total" {print $NF}' calls | sort >made
	has "a call that is made" made '^bpf$'
	is "calls that the unit refuses" "$(comm -23 made allowed)" ""
else
	left_out "no systemd-analyze or no strace: the unit's calls"
fi
unset WATCHDOG_USEC

# One that does not get on says nothing.
NOTIFY_SOCKET=@$name-none run record -q -o x --for 1s
is "a socket nobody has: status" $rc 1
has "a socket nobody has" err '^weir: cannot reach NOTIFY_SOCKET: Connection'
NOTIFY_SOCKET=nonsense run record -q -o x --for 1s
is "no socket's name: status" $rc 1
: >told
WATCHDOG_USEC=400000 run watch -q -e task_exec --set repo.stall=1500ms --for 1s
hasnt "a repo that stands still" told WATCHDOG
done_testing
