#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# stat.sh - the views of weir stat are what jq makes of the same events as JSON
# lines; a view is there when its events are, and fits a screen.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v jq >/dev/null || skip "needs jq"

cat >serve.py <<'PY'
import socket, threading
server = socket.create_server(("127.0.0.1", 0))
def serve():
    for _ in range(4):
        c = server.accept()[0]
        c.sendall(c.recv(100) * 10)
        c.close()
t = threading.Thread(target=serve)
t.start()
for _ in range(4):
    c = socket.create_connection(server.getsockname())
    c.sendall(b"x" * 100)
    while c.recv(4096):
        pass
    c.close()
t.join()
dead = socket.socket()
dead.bind(("127.0.0.1", 0))
print(server.getsockname()[1], dead.getsockname()[1])
try:
    socket.create_connection(dead.getsockname())
except ConnectionRefusedError:
    pass
PY
# shellcheck disable=SC2016
run record -q -o a --buffer 64M --set syscall.calls=all \
	-s task,sched,syscall,block,net -- sh -c '
	ls -R /usr/include/linux >/dev/null; cat /nonexistent 2>/dev/null
	for i in 1 2 3 4 5 6 7 8; do /bin/true; done
	dd if=/dev/zero of=f bs=64k count=10 oflag=direct 2>/dev/null
	exec python3 serve.py >ports'
is "record: status" $rc 0
run export a --to jsonl
jq -s . out >all.json
status=$(unseen a)
run stat a --json
is "stat: status" $rc "$status"
cp out stat.json

# same VIEW JQ JQ: what the first makes of the view's elements is what the
# second makes of the array of all events
same() {
	jq -c ".$1 | $2" stat.json >got
	jq -c "$3" all.json >want
	[ "$(cat want)" != '[]' ] || fail "$1: nothing to compare with"
	diff got want >diff || { fail "stat --json: $1"; head -n 6 diff; }
}

calls='map(select(.kind == "syscall_done"))'
failed='(.ret < 0 and .ret >= -4095)'
# partial ones, that began before, are counted but have no duration
same syscalls 'map([.name, .count, .failed, .total, .max]) | sort' \
	"$calls | group_by(.name) | map([.[0].name, length,
	(map(select($failed)) | length),
	(map(.duration) | add), (map(.duration) | max)]) | sort"
same failures 'map([.name, .error, .count]) | sort' \
	"$calls | map(select($failed)) | group_by([.name, .ret_name]) |
	map([.[0].name, .[0].ret_name, length]) | sort"
jq -e '.syscalls | map(.total) | . == (sort | reverse)' stat.json >/dev/null ||
	fail "stat: syscalls are not by time"
same 'syscalls' 'map(select(.count > 50)) | map([.name,
	.error // "none"]) | sort' \
	"$calls | group_by(.name) | map(select(length > 50)) |
	map([.[0].name, (map(select($failed).ret_name) | group_by(.) |
	max_by(length) // [\"none\"] | .[0])]) | sort"
jq -c --slurpfile all all.json -n '[$all[0][] | select(.kind ==
	"syscall_done" and .name == "openat").duration] | sort |
	[.[length / 2 | ceil - 1], .[length * 0.99 | ceil - 1]]' >want
jq -c '.syscalls[] | select(.name == "openat") | [.p50, .p99]' stat.json >got
jq -e -n --slurpfile w want --slurpfile g got '[$w[0], $g[0]] | transpose |
	all(((.[0] - .[1]) | fabs) <= 1 + .[0] / 250)' >/dev/null ||
	fail "quantiles: $(cat got), want $(cat want)"
same block 'map([.disk, .op, .count, .bytes, .total, .max]) | sort' \
	'map(select(.kind == "block_io")) | group_by([.disk, .op]) |
	map([.[0].disk, .[0].op, length, (map(.bytes) | add),
	(map(.latency) | add), (map(.latency) | max)]) | sort'
same tasks 'map([.pid, .events, .cpu]) | sort' \
	'group_by(.pid) | map([.[0].pid, length, if .[0].pid == 0 then 0 else
	(map(select(.kind == "sched_switch").ran) | add // 0) end]) | sort'
jq -e '.tasks | map(select(.pid != 0).cpu) | . == (sort | reverse)' \
	stat.json >/dev/null || fail "stat: tasks are not by CPU time"
same run_queue '[(map(.count) | add), (map(.total) | add)]' \
	'map(select(.kind == "sched_switch" and .next_tid != 0)) |
	[length, (map(.waited) | add)]'
jq -e '.run_queue | map(.comm) | contains(["python3"])' stat.json \
	>/dev/null || fail "stat: run_queue has no python3"
read -r port dead <ports
is "peers: of a service" "$(jq -c "[.peers[] | select(.port == $port) |
	[.peer, .side, .count, .failed, .sent, .received]] | sort" \
	stat.json)" \
	'[["127.0.0.1","client",4,0,4000,400],["127.0.0.1","server",4,0,400,4000]]'
is "peers: refused" "$(jq -c "[.peers[] | select(.port == $dead) |
	[.peer, .side, .count, .failed, .sent]]" stat.json)" \
	'[["127.0.0.1","server",1,1,null]]'
[ "$status" = 3 ] || is "losses" "$(jq -c .losses stat.json)" '[]'

# as text: a screen, aligned, what is not there is not shown
run stat a
is "stat: status" $rc "$status"
[ "$(lines out)" -le 75 ] || fail "stat: $(lines out) lines"
script -qc "stty rows 50 cols 120; '$WEIR' stat a" typescript >screen </dev/null
[ "$(lines screen)" -le 50 ] || fail "stat: $(lines screen) lines of 50"
has "stat: a screen" screen '^WAITED FOR A CPU '
for head in EVENT ' *PID' SYSCALL 'FAILED CALL' DISK 'TCP PEER' \
	'WAITED FOR A CPU'; do
	has "stat: a table" out "^$head "
done
[ "$status" = 3 ] || hasnt "stat: no losses" out '^LOST OF'
has "stat: the rest" out '^\([0-9]+ more\)'
run stat a --top 1
is "--top 1: a row, and how many more" \
	"$(sed -n '/^SYSCALL/,/^$/p' out | grep -c '[^ ]')" 3
run stat a --top 1 --json
is "--top 1 --json" "$(jq -c '[.tasks, .syscalls, .block, .peers,
	.run_queue | length]' out)" '[1,1,1,1,1]'
run stat a --top 0
is "--top 0: status" $rc 2
has "--top 0" err "'0' is no count"
run stat a -e block_io
has "stat -e block_io" out '^DISK '
hasnt "stat -e block_io" out '^(SYSCALL|TCP PEER|WAITED)'
done_testing
