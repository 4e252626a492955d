#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# ring.sh BENCH JSON - the ring's benchmark, in a session of its own: autogroups
# share the CPUs by session, so that a nice value counts only within one
# (sched(7)); as root this one gets the greatest weight.

set -u
export BENCH=$1 JSON=$2
echo "kernel $(uname -r), $(nproc) CPUs, load $(cut -d' ' -f1-3 /proc/loadavg)," \
	"$(sed -n 's/^model name.*: //p' /proc/cpuinfo | head -1)"
mkdir -p "$(dirname "$JSON")" || exit 2
setsid bash -c '
	[ ! -w /proc/self/autogroup ] || echo -20 >/proc/self/autogroup
	exec "$BENCH" -r "${ROUNDS:-9}" -j "$JSON"' 2>&1 &
bench=$! # of that session, which Ctrl-C does not reach
trap 'kill -- -$bench 2>/dev/null' EXIT
wait $bench
