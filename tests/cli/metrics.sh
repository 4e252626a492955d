#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# metrics.sh - what Prometheus is told is in its format, agrees with weir
# status and with what happened, and counters never go back; who means harm
# does the recording none.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v curl >/dev/null || skip "needs curl"

pid=
trap '[ -z "$pid" ] || kill -9 $pid 2>/dev/null; rm -rf "$dir"' EXIT

# ---- what cannot be
for bad in '' x 70000 1.2.3.4 ':9' 'host:9' '[::1:9' '[::1]' '127.0.0.1:' 9x; do
	run record -o none --metrics "$bad" --for 100ms
	is "--metrics '$bad': status" $rc 2
	is "--metrics '$bad': lines" "$(lines err)" 1
done
run record -o none --metrics 203.0.113.1:9 --for 100ms
is "an address of another host: status" $rc 1
[ -e none ] && fail "something is left of what did not begin"

# ---- its library is loaded for this alone
ldd "$WEIR" | grep -q -e microhttpd -e gnutls && fail "each weir loads the library"
mkdir lib
echo "no library" >lib/libmicrohttpd.so.12
export LD_LIBRARY_PATH=$PWD/lib
run record -o none --metrics 0 --for 100ms
is "without the library: status" $rc 1
has "without the library" err '^weir: --metrics takes libmicrohttpd'
is "without the library: lines" "$(lines err)" 1
run record -o some -s task --for 100ms
unset LD_LIBRARY_PATH
is "without the library, which nobody asked for: status" $rc 0
[ -e none ] && fail "without the library: something is left"

# ---- a recorder, as nobody
caller=load$$
cp "$O/tests/load/load" $caller
chmod 755 "$dir"
"$WEIR" record -o a --name "m-$$" --metrics 0 --window 8M -s task,syscall \
	--buffer 64M --set syscall.calls=getppid -f "comm == '$caller'" \
	--snapshot-dir s --snapshot-on 'task_exit.signal == SIGSYS' \
	--snapshot-on 'comm == "a\"b\\c"' >/dev/null 2>log &
pid=$!
wait_for 20 grep -q 'metrics at' log || fail "does not start: $(cat log)"
url=$(sed -n 's/.*metrics at //p' log)
port=${url#*:*:}
port=${port%/*}
case $url in
http://127.0.0.1:*/metrics) ;;
*) fail "it is not at loopback: '$url'" ;;
esac

run record -o none --metrics "$port" --for 100ms
is "a port that is taken: status" $rc 1
has "a port that is taken" err "^weir: --metrics '$port': another program"
is "a port that is taken: lines" "$(lines err)" 1
[ -e none ] && fail "a port that is taken: something is left"

scrape() { # FILE
	curl -sS --max-time 10 -D head -o "$1" "$url" || fail "curl fails"
}

# The grammar: HELP and TYPE once and before the samples of a name, which
# follow each other; names, labels and values as they may be; no sample twice.
check_format() { # FILE
	LC_ALL=C awk '
	function bad(why) { print FILENAME ":" NR ": " why ": " $0; wrong = 1 }
	/^# HELP / {
		if ($3 in helped) bad("HELP twice")
		helped[$3] = 1; next
	}
	/^# TYPE / {
		if ($3 in type) bad("TYPE twice")
		if (!($3 in helped)) bad("TYPE without HELP")
		if ($4 != "counter" && $4 != "gauge") bad("type")
		if (($4 == "counter") != ($3 ~ /_total$/)) bad("name")
		type[$3] = $4; now = $3; next
	}
	/^#/ || /^$/ { bad("neither comment nor sample"); next }
	{
		if (!match($0, /^[a-zA-Z_:][a-zA-Z0-9_:]*/)) bad("name")
		if (substr($0, 1, RLENGTH) != now) bad("not under its TYPE")
		rest = substr($0, RLENGTH + 1)
		pair = "[a-zA-Z_][a-zA-Z0-9_]*=\"([^\"\\\\]|\\\\[n\"\\\\])*\""
		sub("^[{]" pair "(," pair ")*[}]", "", rest)
		if (rest !~ /^ [0-9]+([.][0-9]+)?$/) bad("labels or value")
		key = substr($0, 1, length($0) - length(rest))
		if (key in seen) bad("twice")
		seen[key] = 1; samples++
	}
	END { if (!samples) bad("no sample"); exit wrong }' "$1" >wrong ||
		fail "the format: $(head -n 5 wrong)"
	is "the last byte" "$(tail -c 1 "$1" | xxd -p)" 0a
}

value() { # FILE SAMPLE
	want="$2 " awk 'index($0, ENVIRON["want"]) == 1 { print $NF }' "$1"
}

# ---- a known load
./$caller calls 1 20000 >/dev/null
counted() {
	scrape one
	[ "$(value one 'weir_source_kept_total{source="syscall"}')" -ge 20000 ]
}
wait_for 20 counted || fail "the load does not come through"
has "its type" head '^Content-Type: text/plain; version=0.0.4'
check_format one
kept=$(value one 'weir_source_kept_total{source="syscall"}')
[ "$kept" -le 20010 ] || fail "$kept of 20,000 calls were kept"
[ "$(value one 'weir_source_delivered_total{source="syscall"}')" -ge "$kept" ] ||
	fail "delivered is less than kept"
for stage in kernel main archive; do
	is "lost: $stage" "$(value one \
		"weir_source_lost_total{source=\"syscall\",stage=\"$stage\"}")" 0
done
is "build" "$(value one "weir_build_info{version=\"$("$WEIR" --version |
	sed 's/^weir //')\",name=\"m-$$\"}")" 1
is "a trigger's text, escaped" "$(value one \
	'weir_trigger_fired_total{trigger="2",on="comm == \"a\\\"b\\\\c\""}')" 0
for m in window_reach_seconds cpu_seconds_total resident_bytes window_bytes \
	archive_segments_total uptime_seconds main_ring_bytes; do
	[ "$(value one weir_$m | sed 's/[.0]//g')" ] || fail "$m is nothing"
done

# ---- as weir status says, which was asked between two scrapes
run snapshot --name "m-$$"
is "snapshot: status" $rc 0
scrape one
run status --json --name "m-$$"
cp out status
scrape two
check_format two
jq -r '.sources[] | . as $s |
	("attempted", "delivered", "filtered", "rejected", "context", "kept",
	"shed", "missed") | "weir_source_\(.)_total{source=\"\($s.source)\"} \($s[.])"' \
	status >told
jq -r '.sources[] | . as $s | ("kernel", "main", "archive") |
	"weir_source_lost_total{source=\"\($s.source)\",stage=\"\(.)\"} \($s["lost_" + .])"' \
	status >>told
jq -r '"weir_events_total \(.events)", "weir_event_bytes_total \(.bytes)",
	"weir_events_lost_total \(.lost)",
	"weir_archive_segments_total \(.archive.segments)",
	"weir_archive_events_total \(.archive.events)",
	"weir_window_events_total \(.window.events)",
	"weir_snapshots_ended_total \(.snapshots.ended)"' status >>told
while read -r sample said; do
	low=$(value one "$sample") high=$(value two "$sample")
	[ -n "$low" ] && [ "$low" -le "$said" ] && [ "$said" -le "$high" ] ||
		fail "$sample: status says $said, metrics $low .. $high"
done <told
[ "$(lines told)" -gt 60 ] || fail "status tells little: $(lines told)"
is "snapshots" "$(value two weir_snapshots_ended_total)" 1

awk '/^# TYPE .* counter$/ { counter[$3] = 1 }
	/^#/ { next }
	{ name = $0; sub(/[{ ].*/, "", name); key = $0; sub(/ [^ ]*$/, "", key) }
	!(name in counter) { next }
	FNR == NR { before[key] = $NF; next }
	!(key in before) || $NF + 0 < before[key] + 0 { print }' one two >back
is "counters that go back, or come and go" "$(cat back)" ""

# ---- that page, and nothing else
code() { curl -s --max-time 10 -o body -w '%{http_code}' "$@"; }
is "HEAD" "$(code -I "$url")" 200
is "another page" "$(code "${url%metrics}")" 404
is "one below" "$(code "$url/x")" 404
is "POST" "$(code -d x "$url")" 405
is "DELETE" "$(code -X DELETE "$url")" 405

# ---- those who mean harm
sockets() { ls -l /proc/$pid/fd | grep -c socket; }
sleep 0.5 # the last client has been seen to go
held=$(sockets)
python3 - "$port" <<'PY' || fail "the hostile client itself failed"
import os, socket, sys, time
def join():
    s = socket.socket()
    s.settimeout(10)
    s.connect(("127.0.0.1", int(sys.argv[1])))
    return s
def put(s, data):
    try:
        s.sendall(data)
    except OSError:
        pass
def get(s):
    try:
        return s.recv(4096)
    except OSError:
        return b""
get_it = b"GET /metrics HTTP/1.1\r\nHost: x\r\n"
for data in (os.urandom(65536), b"\r\n" * 10000, b"\0" * 5000 + b"\r\n\r\n",
             get_it + b"X: " + b"y" * 1000000 + b"\r\n\r\n",
             b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n\r\n",
             b"GET /metrics HTTP/9.9\r\n\r\n", b"GET\r\n\r\n",
             b"POST /metrics HTTP/1.1\r\nHost: x\r\n"
             b"Content-Length: 99999999999999999999999\r\n\r\n",
             b"POST /metrics HTTP/1.1\r\nHost: x\r\n"
             b"Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\n"):
    s = join()
    put(s, data)
    assert b" 200 " not in get(s)[:16], data[:40]
    s.close()
for _ in range(50):             # away before the answer is read
    s = join()
    put(s, get_it + b"\r\n")
    s.close()
many = [join() for _ in range(60)]      # say nothing, or go on for ever
for s in many[::2]:
    put(s, get_it)
end = time.monotonic() + 30
open_still = set(many)
while open_still and time.monotonic() < end:
    for s in list(open_still):
        s.setblocking(False)
        try:
            s.sendall(b"X: y\r\n")
            if not s.recv(4096):
                open_still.discard(s)
        except BlockingIOError:
            pass
        except OSError:
            open_still.discard(s)
    time.sleep(0.2)
assert len(open_still) < len(many), "nobody who is slow is dropped"
for s in many:
    s.close()
many = []                       # 200, gone at once
for _ in range(200):
    s = socket.socket()
    s.setblocking(False)
    s.connect_ex(("127.0.0.1", int(sys.argv[1])))
    many.append(s)
time.sleep(0.3)
for s in many:
    s.close()
PY
./$caller calls 1 20000 >/dev/null
answers() { curl -sS --max-time 2 -o three "$url" 2>/dev/null &&
	[ "$(value three 'weir_source_kept_total{source="syscall"}')" -ge 40000 ]; }
wait_for 30 answers || fail "it does not answer any more"
check_format three
as_before() { [ "$(sockets)" -le "$held" ]; }
wait_for 20 as_before || fail "it holds $(sockets) sockets, before it were $held"
kill -TERM $pid
wait $pid
rc=$?
pid=
# of others' calls the kernel may not have shown some
[ $rc = 0 ] || { [ $rc = 3 ] && grep -q 'at the hook' log; } ||
	fail "it ends with $rc: $(cat log)"
ended=$rc
run verify a
is "verify" $rc $ended
[ $rc = $ended ] || cat out
run show a -e syscall_done -f 'name == getppid'
is "every call is there" "$(grep -c ' getppid()' out)" 40000
is "the port is free again" "$(code "$url")" 000

# ---- how full a source's mini-buffers are
"$WEIR" record --window 8M --name "m-$$" --metrics 0 --snapshot-dir s -s task,syscall \
	--buffer 64M --set syscall.calls=getppid >/dev/null 2>log2 &
pid=$!
wait_for 20 grep -q 'metrics at' log2 || fail "does not start: $(cat log2)"
url=$(sed -n 's/.*metrics at //p' log2)
while :; do ./$caller calls 1 200000 >/dev/null; done &
calls=$!
some() { scrape fill &&
	[ "$(value fill 'weir_source_ring_used_bytes{source="syscall"}')" -gt 0 ]; }
some_told() {
	run status --json --name "m-$$"
	jq -e '.sources[] | select(.source == "syscall") | .ring_used > 0' \
		out >/dev/null
}
wait_for 20 some || fail "metrics: the mini-buffers are never filled"
wait_for 20 some_told || fail "status: the mini-buffers are never filled"
is "sources fuller than full" "$(jq '[.sources[] |
	select(.ring_used > .ring_bytes)] | length' out)" 0
run status --name "m-$$"
has "status: used and size" out '^syscall  *on  *[0-9.]*[KM]*/[0-9.]*[KM] '
kill $calls
wait $calls 2>/dev/null
kill -TERM $pid
wait $pid
pid=

# ---- other addresses
for where in 127.0.0.2:0 '[::1]:0'; do
	[ "$where" = '[::1]:0' ] && [ ! -e /proc/net/if_inet6 ] && continue
	: >err
	"$WEIR" record -o "b$where" --metrics "$where" -s task --for 3s 2>err &
	pid=$!
	wait_for 20 grep -q 'metrics at' err || fail "$where: $(cat err)"
	url=$(sed -n 's/.*metrics at //p' err)
	case ${url#*//} in "${where%0}"*) ;; *) fail "$where: $url" ;; esac
	scrape four
	check_format four
	wait $pid
	is "$where: status" $? 0
	pid=
done
done_testing
