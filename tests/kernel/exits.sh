#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# exits.sh - threads that end at the same moment are each told of, and one of
# them is the last; what a process that is followed leaves open is followed
# after its end; and then nothing is kept of it.
. tests/kernel/lib.sh

N=2500
ENDS=$O/tests/load/ends

# Of each process of ENDS: how many threads ended, and how many were the last.
sorts() {
	events task_exit "comm == ends" | jq -r '[.pid, .last] | @tsv' |
		awk '{ exits[$1]++; last[$1] += $2 == "true" }
			END { for (p in exits) print exits[p], last[p] }' |
		sort | uniq -c | awk '{ print $1 "x" $2 "/" $3 }' | xargs
}

# The one that begins them is its command: a thread, the last.
record -s task -- "$ENDS" $N
is "threads/last, of what is followed" "$(sorts)" "1x1/1 ${N}x2/1"
whole

rm -r "$dir/a"
start_recorder -o "$dir/a" -s task --buffer 64M
"$ENDS" $N
kill -TERM $recorder
wait $recorder
is "threads/last, on the host" "$(sorts)" "1x1/1 ${N}x2/1"
whole

# ---- nothing is kept ---------------------------------------------------------

mkfifo "$dir/orders"
bash <"$dir/orders" &
runner=$!
exec 9>"$dir/orders"
trap 'kill $(jobs -p) 2>/dev/null; wait 2>/dev/null; rm -rf "$dir"' EXIT

followed() { # how many are
	local map

	map=$(sed -n 's/^map_id:[[:space:]]*//p' /proc/$recorder/fdinfo/* |
		sort -u | while read -r id; do
		bpftool -j map show id "$id" |
			jq -r 'select(.name == "followed").id'
	done | head -n 1)
	bpftool -j map dump id "$map" | jq length
}

if command -v bpftool >/dev/null; then
	rm -r "$dir/a"
	start_recorder -o "$dir/a" -s task -p $runner --buffer 64M
	echo "'$ENDS' 100; touch '$dir/made'" >&9
	await test -e "$dir/made"
	few_are() { [ "$(followed)" -le 30 ]; }
	await few_are # the kernel frees them a little later
	# It, and a few of which the kernel shows no end: see bpf/follow.bpf.h.
	within "followed, of 103 processes" "$(followed)" 1 30
	kill -TERM $recorder
	wait $recorder
	is "exits" "$(count task_exit 'comm == ends')" 201
fi

# ---- a connection that outlives its process ----------------------------------

# It tells its port, and closes what it accepted when it is told to.
cat >"$dir/server" <<'PY'
import socket, sys
s = socket.socket()
s.bind(("127.0.0.1", 0))
s.listen(1)
print(s.getsockname()[1], flush=True)
c, _ = s.accept()
sys.stdin.readline()
c.close()
PY
mkfifo "$dir/close"
python3 "$dir/server" <"$dir/close" >"$dir/port" &
server=$!
exec 8>"$dir/close"
await test -s "$dir/port"
port=$(cat "$dir/port")
rm -rf "$dir/a"
start_recorder -o "$dir/a" -s net -p $runner --buffer 64M
echo "bash -c 'exec 3<>/dev/tcp/127.0.0.1/$port; echo \$\$ >\"$dir/client\"'" >&9
await test -s "$dir/client"
client=$(cat "$dir/client")
gone() { [ ! -e /proc/$client ]; }
await gone || fail "the client does not end"
sleep 0.2 # the kernel has let go of it
echo >&8
wait $server
kill -TERM $recorder
wait $recorder
is "connects" "$(count net_connect "pid == $client")" 1
is "closes" "$(count net_close "pid == $client and rport == $port")" 1
whole
done_testing
