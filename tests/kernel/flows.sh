#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Addresses, ports, families and amounts of connections are those that the
# sockets say of themselves: IPv4, IPv6, one on the other, and aborted.
. tests/kernel/lib.sh
command -v python3 >/dev/null || skip "needs python3"

# Of each: address and port of both ends by getsockname(), what each sent.
cat >"$dir/talk.py" <<'PY'
import socket, struct
def plain(a): return a[0].replace('::ffff:', '') + ' ' + str(a[1])
def talk(family, at, to, up, down, abort=False):
    l = socket.socket(family, socket.SOCK_STREAM)
    if family == socket.AF_INET6:
        l.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    l.bind((at, 0))
    l.listen(3)
    c = socket.create_connection((to, l.getsockname()[1]))
    a, _ = l.accept()
    c.sendall(b'u' * up)
    a.recv(up, socket.MSG_WAITALL)
    a.sendall(b'd' * down)
    c.recv(down, socket.MSG_WAITALL)
    four = 'inet' if '.' in to else 'inet6'
    print('net_listen', plain(l.getsockname()),
          'inet' if '.' in at else 'inet6')
    for kind, s in ('net_connect', c), ('net_accept', a):
        print(kind, plain(s.getsockname()), plain(s.getpeername()), four)
    for s, n in (c, (up, down)), (a, (down, up)):
        print('net_close', plain(s.getsockname()), plain(s.getpeername()),
              four, *n)
    if abort:
        c.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER,
                     struct.pack('ii', 1, 0))
    c.close()
    a.close()
talk(socket.AF_INET, '127.0.0.1', '127.0.0.1', 12345, 777)
talk(socket.AF_INET, '127.0.0.1', '127.0.0.1', 10, 20, True)
talk(socket.AF_INET6, '::1', '::1', 1, 100000)
talk(socket.AF_INET6, '::', '127.0.0.1', 3, 4)
talk(socket.AF_INET6, '::', '::1', 5, 6)
talk(socket.AF_INET6, '::ffff:127.0.0.1', '127.0.0.1', 8, 9)
PY
record -s net -- python3 "$dir/talk.py"
is "sockets" "$(wc -l <"$dir/out")" 30
for kind in net_listen net_connect net_accept net_close; do
	events $kind
done | jq -r '[.kind, .laddr, .lport, .raddr, (.rport // empty), .family,
	.sent, .received] | map(values) | join(" ")' | sort >"$dir/told"
is "told otherwise than by the sockets" \
	"$(sort "$dir/out" | diff - "$dir/told" | tee /dev/stderr | wc -l)" 0
whole
done_testing
