#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# size.sh - bytes on disk of the same load (mix.sh), recorded in the same run
# by weir, `perf record -z` and ftrace with trace-cmd's zstd. Root. A table on
# stdout, JSON in build/bench/size.json. About 2 minutes; 3 GB in TMPDIR.
#
# All three record the whole host but themselves and each other, from before the
# load to after it: every system call's enter and exit, fork, exec, exit, rename
# and signals, block requests' issue and completion, and changes of state,
# resets and retransmissions of TCP. (weir has strings and durations, too, and
# dropped packets.) Each has 64 MiB of buffer a CPU. `trace-cmd record` refuses
# kernels that let nobody trace functions; so trace_drain does what it would do,
# on an instance, and trace-cmd makes the file of it.
#
#   hooks   how often the kernel called the tool, as far as it recorded that:
#           perf and ftrace store enter and exit, issue and completion, as an
#           event each. weir stores one of both, which counts as two here.
#   B/hook  bytes by that count: comparable.
#   B/event bytes by what the tool itself calls an event: what the limit of
#           2.6 is of, and what no two tools can be compared by.
#   bytes   of everything on disk; WEIR/IT is weir's bytes by the tool's: the
#           load was the same.
#   CPU     user + system seconds of the tool's own processes, and after "+"
#           what it needs after the end to have its file. What it costs the
#           load is capture.sh's.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
WEIR=$PWD/$O/weir
DRAIN=$PWD/$O/tests/bench/trace_drain
TRACEFS=/sys/kernel/tracing
BUFFER_MB=${BUFFER_MB:-64}
TIMEFORMAT='%U %S'
[ "$(id -u)" = 0 ] || { echo "size.sh: needs root" >&2; exit 2; }
# What this mounts nobody else sees, and the kernel unmounts.
[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare -m "$0" "$@"

HOOKS="raw_syscalls:sys_enter raw_syscalls:sys_exit
	sched:sched_process_fork sched:sched_process_exec
	sched:sched_process_exit task:task_rename signal:signal_generate
	block:block_rq_issue block:block_rq_complete
	sock:inet_sock_set_state tcp:tcp_send_reset tcp:tcp_receive_reset
	tcp:tcp_retransmit_skb"

dir=$(mktemp -d)
instance=$TRACEFS/instances/weir-size-$$
trap 'kill $(jobs -p) 2>/dev/null; wait; rmdir "$instance" 2>/dev/null
	rm -rf "$dir"' EXIT

# --- the tools: start_X until it records, stop_X until its file is whole -----

# The command's CPU seconds go to NAME.cpu, what it says to NAME.out.
in_background() { # name, what it says when it is ready, command…
	local name=$1 ready=$2
	shift 2
	{ time "$@" >"$dir/$name.out" 2>&1; } 2>"$dir/$name.cpu" &
	eval "job_$name=$!"
	until grep -q "$ready" "$dir/$name.out" 2>/dev/null; do
		kill -0 $! || { cat "$dir/$name.out" >&2; exit 1; }
		sleep 0.1
	done
}

stop() { # name
	local job=job_$1
	pkill -INT -P "${!job}"
	wait "${!job}"
}

start_weir() {
	in_background weir capturing "$WEIR" record -o "$dir/weir" \
		--set syscall.calls=all --buffer "${BUFFER_MB}M" \
		-f 'comm != "perf" and comm != "trace_drain"'
}

# perf and ftrace are made ready, and begin when weir has begun.
others='!(COMM ~ "weir*") && COMM != "perf" && COMM != "trace_drain"'

start_ftrace() {
	local hook
	mkdir "$instance" || exit 1
	echo 0 >"$instance/tracing_on"
	echo $((BUFFER_MB * 1024)) >"$instance/buffer_size_kb"
	for hook in $HOOKS; do
		echo "$others" >"$instance/events/${hook/://}/filter"
		echo "$hook" >>"$instance/set_event"
	done
	in_background ftrace draining "$DRAIN" "$instance" "$dir/ftrace"
}

start_perf() {
	local hook options=()
	for hook in $HOOKS; do
		options+=(-e "$hook" --filter "$others")
	done
	mkfifo "$dir/control"
	in_background perf disabled perf record -o "$dir/perf" -a -z -N -B \
		-m "${BUFFER_MB}M" "${options[@]}" -D -1 \
		--control "fifo:$dir/control"
}

stop_ftrace() {
	stop ftrace
	cat "$instance"/per_cpu/cpu*/stats >"$dir/ftrace.stats"
	rmdir "$instance"
	{ time trace_dat >"$dir/trace-cmd.out" 2>&1; } 2>"$dir/ftrace.cpu2"
}

trace_dat() {
	trace-cmd restore -c -o "$dir/head.dat"
	trace-cmd restore -i "$dir/head.dat" -o "$dir/plain.dat" \
		"$dir"/ftrace.cpu[0-9]*
	trace-cmd convert -i "$dir/plain.dat" -o "$dir/zstd.dat" \
		--compression zstd
}

# --- what they have ----------------------------------------------------------

# result_X sets events, hooks, lost, bytes and calls: the exits of system calls
result_weir() {
	"$WEIR" verify "$dir/weir" >"$dir/verify" || cat "$dir/verify" >&2
	"$WEIR" stat --json "$dir/weir" >"$dir/weir.json"
	eval "$(jq -r '
		(.kinds | map({(.kind): .events}) | add) as $n |
		"events=\(.stored) lost=\(.lost_in_all) bytes=\(.bytes)
		 calls=\($n.syscall_done)
		 hooks=\(.stored + $n.syscall_done + $n.block_io)"' \
		"$dir/weir.json")"
}

result_perf() {
	perf report -i "$dir/perf" --stats >"$dir/perf.stats" 2>/dev/null
	bytes=$(stat -c %s "$dir/perf")
	events=$(stat_of 'Aggregated' SAMPLE)
	calls=$(stat_of 'sys_exit' SAMPLE)
	hooks=$events
	lost=$(stat_of 'Aggregated' LOST)
	[ "$lost" = 0 ] || lost=$(perf script -i "$dir/perf" --show-lost-events |
		sed -n 's/.*PERF_RECORD_LOST.* lost \([0-9]*\)/\1/p' |
		awk '{ n += $1 } END { print n + 0 }')
}

stat_of() { # section of perf's statistics, event
	awk -v section="$1" -v event="$2" '
		/stats:/ { here = index($0, section) }
		here && $1 == event && $2 == "events:" { n = $3 }
		END { print n + 0 }' "$dir/perf.stats"
}

result_ftrace() {
	events=$(sum_of 'read events')
	lost=$(($(sum_of 'overrun') + $(sum_of 'dropped events')))
	bytes=$(stat -c %s "$dir/zstd.dat")
	hooks=$events
	calls=null
	plain_bytes=$(stat -c %s "$dir/plain.dat")
}

sum_of() { awk -F': ' -v k="$1" '$1 == k { n += $2 } END { print n + 0 }' \
	"$dir/ftrace.stats"; }

cpu_of() { awk '{ n += $1 + $2 } END { printf "%.1f", n }' "$@"; }

# --- the table ---------------------------------------------------------------

row() { # tool, name, limits of B/event and ratio, CPU seconds during and after
	awk -v tool="$2" -v limit="$3" -v most="$4" -v cpu="$5" -v after="$6" \
		-v events="$events" -v hooks="$hooks" -v lost="$lost" \
		-v bytes="$bytes" -v weir="$weir_bytes" 'BEGIN {
		printf "%-22s %11d %11d %7d %11d %6.2f %7.2f%-9s %7.2f%-9s %5.1f%s\n",
			tool, events, hooks, lost, bytes, bytes / hooks,
			bytes / events, limit, weir / bytes, most, cpu,
			(after > 0 ? " + " after : "") }'
	jq -n --arg tool "$1" --argjson v "{\"events\": $events,
		\"hooks\": $hooks, \"lost\": $lost, \"bytes\": $bytes,
		\"syscall_exits\": $calls, \"cpu_s\": $5, \"cpu_after_s\": $6}" \
		'{tool: $tool} + $v' >>"$dir/rows.json"
}

table() {
	printf '%-22s %11s %11s %7s %11s %6s %7s%9s %7s%9s %5s\n' TOOL EVENTS \
		HOOKS LOST BYTES B/HOOK B/EVENT '' WEIR/IT '' 'CPU s'
	result_weir
	weir_bytes=$bytes weir_calls=$calls
	row weir weir " (<=2.6)" "" "$(cpu_of "$dir/weir.cpu")" 0
	result_perf
	perf_calls=$calls
	row perf "perf record -z" "" " (<=0.35)" "$(cpu_of "$dir/perf.cpu")" 0
	result_ftrace
	row ftrace "ftrace, trace-cmd zstd" "" " (<=0.50)" \
		"$(cpu_of "$dir/ftrace.cpu")" "$(cpu_of "$dir/ftrace.cpu2")"
	echo "the same ftrace file uncompressed: $plain_bytes bytes"
	echo "system calls that returned: weir $weir_calls, perf $perf_calls"
}

for need in perf trace-cmd jq; do
	command -v $need >/dev/null || {
		echo "size.sh: there is no $need: make bench-deps" >&2
		exit 2
	}
done
[ -d $TRACEFS/instances ] || mount -t tracefs tracefs $TRACEFS || exit 1
tests/bench/mix.sh prepare
before=$(cut -d' ' -f1-3 /proc/loadavg)
start_ftrace
start_perf
start_weir
echo enable >"$dir/control"
echo 1 >"$instance/tracing_on"
tests/bench/mix.sh run
echo 0 >"$instance/tracing_on"
echo disable >"$dir/control"
stop weir
stop perf
stop_ftrace
machine="kernel $(uname -r), $(nproc) CPUs, load $before before, \
$(cut -d' ' -f1-3 /proc/loadavg) after"
echo "$machine"
table
mkdir -p "$O/bench"
jq -s --arg machine "$machine" --arg date "$(date -uIs)" \
	'{date: $date, machine: $machine, tools: .}' "$dir/rows.json" \
	>"$O/bench/size.json"
