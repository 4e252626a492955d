#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# cpu_rings.sh - the ring that each CPU has for system calls: the reader is
# woken when one is half full, and no sooner; and nothing is lost while there is
# room in it, though the mini-buffer beside it is full.
. tests/kernel/lib.sh

NAME=test-$$
HALF=700 # calls that are more than half of the least ring, and less than one
ALL=2000 # more than one

command -v taskset >/dev/null || skip "needs taskset"
mapfile -t cpu < <(taskset -pc $$ | sed 's/.*: //' | tr , '\n' |
	awk -F- '{ for (i = $1; i <= ($2 == "" ? $1 : $2); i++) print i }')
[ ${#cpu[@]} -ge 2 ] || skip "needs two CPUs"

# What it reads it runs: calls of umask(2), by a shell that forks nothing.
mkfifo "$dir/orders"
bash <"$dir/orders" >"$dir/said" &
runner=$!
exec 9>"$dir/orders"
trap 'kill -CONT ${recorder:-$runner} 2>/dev/null; kill $(jobs -p) 2>/dev/null
	wait 2>/dev/null; rm -rf "$dir"' EXIT
calls() { # CPU N
	: >"$dir/said"
	taskset -pc "$1" $runner >/dev/null
	echo "for ((i = 0; i < $2; i++)); do umask 022; done; echo made" >&9
	await grep -q made "$dir/said" || fail "$2 calls are not made"
}

status() { "$WEIR" status --json --name $NAME | jq "$1"; }
of_syscall() { # FIELD
	status ".sources[] | select(.source == \"syscall\").$1"
}
delivered() { [ "$(of_syscall delivered)" = "$1" ]; }

begin() { # BYTES of the mini-buffer
	rm -rf "$dir/a"
	start_recorder -o "$dir/a" --name $NAME -s syscall -p $runner \
		--buffer "$1" --set syscall.calls=umask,getppid \
		--set syscall.slower=0
}
end() {
	kill -TERM $recorder
	wait $recorder
}

# ---- woken -----------------------------------------------------------------

# Each CPU's ring has 2 MiB here, 16384 calls. A burst that fills more than half
# of one and less than all takes some ms, and the reader's timer of an idle host
# 64: if that comes in between, the burst is for nothing, and made again.
begin 64M
burst() { # N: by a program, as fast as can be
	made=$((made + $1))
	: >"$dir/said"
	echo "$LOAD calls 1 $1" >&9
	await delivered $made || fail "$(of_syscall delivered) of $made calls"
}
made=0
burst 4000
is "woken by a quarter of a ring" "$(status .woken)" 0
for _ in $(seq 20); do
	[ "$(status .woken)" = 0 ] || break
	sleep 0.3
	burst 12000
done
is "woken by more than half of one" "$(status .woken)" 1
end
is "exit" $? 0
whole

# ---- the mini-buffer is full, and a ring is not -----------------------------

# The recorder is held, so that it takes nothing.
begin 4K
kill -STOP $recorder
calls ${cpu[0]} $ALL
calls ${cpu[1]} $HALF
kill -CONT $recorder
end
is "exit" $? 3
on() { # CPU
	events syscall_done "name == umask and cpu == $1" | wc -l
}
lost=$(events gap 'of == syscall' | sum count)
[ "$lost" -gt 0 ] || fail "the mini-buffer was not full"
is "calls" $(($(on ${cpu[0]}) + lost)) $ALL
is "where the ring was half full" "$(on ${cpu[1]})" $HALF
whole 3
done_testing
