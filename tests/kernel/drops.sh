#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Segments that a socket's filter refuses: each drop and each that is sent again
# is there, of who listens and who had the connection, as often as TCP says.
. tests/kernel/lib.sh
command -v python3 >/dev/null || skip "needs python3"
grep -qs rx_sk /sys/kernel/tracing/events/skb/kfree_skb/format ||
	skip "this kernel does not say which socket dropped a packet"

cat >"$dir/refuse.py" <<'PY'
import ctypes, socket, struct, threading, time
ATTACH, DETACH, TOTAL_RETRANS = 26, 27, 100 # asm/socket.h; struct tcp_info
def refuse(s):
    none = ctypes.create_string_buffer(struct.pack('HBBI', 6, 0, 0, 0))
    s.setsockopt(socket.SOL_SOCKET, ATTACH,
                 struct.pack('HxxxxxxQ', 1, ctypes.addressof(none)))
def let(s): s.setsockopt(socket.SOL_SOCKET, DETACH, struct.pack('i', 0))
def say(what, s):
    info = s.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 192)
    print(what, s.getsockname()[1],
          struct.unpack_from('I', info, TOTAL_RETRANS)[0])
l = socket.create_server(('127.0.0.1', 0))
c = socket.create_connection(l.getsockname())
a, _ = l.accept()
refuse(a)
c.sendall(b'x' * 1000)
time.sleep(0.5)
let(a)
a.recv(1000, socket.MSG_WAITALL)
say('data', c)
refuse(l)
threading.Timer(0.3, let, (l,)).start()
s = socket.create_connection(l.getsockname())
say('syn', s)
PY
record -s net -- python3 "$dir/refuse.py"
for what in data syn; do
	read -r port times < <(sed -n "s/^$what //p" "$dir/out")
	within "$what: sent again, by TCP" "$times" 1 100
	is "$what: sent again" "$(count net_retransmit "lport == $port")" \
		"$times"
	is "$what: dropped" "$(count net_drop "rport == $port and
		reason == socket_filter and protocol == 6")" "$times"
done
whole
done_testing
