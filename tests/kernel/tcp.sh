#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# 5,000 connections over loopback, both ends.
. tests/kernel/lib.sh

N=5000
record -s net -- "$LOAD" tcp $N
for kind in net_connect net_accept net_close; do
	events $kind >"$dir/$kind"
done
is "connects" "$(wc -l <"$dir/net_connect")" $N
is "accepts" "$(wc -l <"$dir/net_accept")" $N
is "closes" "$(wc -l <"$dir/net_close")" $((2 * N))
is "listens" "$(count net_listen)" 1
is "failed" "$(jq 'select(.error != 0)' "$dir/net_connect" | wc -l)" 0
is "addresses" "$(jq -r '"\(.laddr) \(.raddr)"' "$dir/net_connect" |
	sort -u)" "127.0.0.1 127.0.0.1"
port=$(events net_listen | jq .lport)
is "server port" "$(jq .rport "$dir/net_connect" | sort -u)" "$port"
is "pairs" "$(join <(jq .lport "$dir/net_connect" | sort) \
	<(jq .rport "$dir/net_accept" | sort) | sort -u | wc -l)" \
	"$(jq .lport "$dir/net_connect" | sort -u | wc -l)"
is "owner" "$(cat "$dir"/net_* | jq -r .comm | sort -u)" load
# the client sends one byte
is "client sent" "$(jq "select(.rport == $port) | .sent" "$dir/net_close" |
	sort -u)" 1
is "server received" "$(jq "select(.lport == $port) | .received" \
	"$dir/net_close" | sort -u)" 1
within "handshakes" "$(sum duration <"$dir/net_connect")" $N "$(load_ns)"
whole
done_testing
