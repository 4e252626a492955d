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
#   B/event bytes by what the tool itself calls an event: what the limit of 2.6
#           is of, and what no two tools can be compared by.
#   bytes   of everything on disk; WEIR/IT is weir's bytes by the tool's: the
#           load was the same.
#   CPU     user + system seconds of the tool's own processes, and after "+"
#           what it needs after the end to have its file. What it costs the
#           load is peers.sh's.

set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/bench/lib.sh
own_mounts tests/bench/size.sh "$@"

HOOKS="raw_syscalls:sys_enter raw_syscalls:sys_exit
	sched:sched_process_fork sched:sched_process_exec
	sched:sched_process_exit task:task_rename signal:signal_generate
	block:block_rq_issue block:block_rq_complete
	sock:inet_sock_set_state tcp:tcp_send_reset tcp:tcp_receive_reset
	tcp:tcp_retransmit_skb"

# --- recording ---------------------------------------------------------------

# perf and ftrace are made ready, and begin when weir has begun.
start() {
	local others hook options=()
	others='!(COMM ~ "weir*") && COMM != "perf" && COMM != "trace_drain"'
	for hook in $HOOKS; do
		options+=(-e "$hook" --filter "$others")
	done
	start_ftrace "$others" $HOOKS || exit 1
	start_perf "$dir/perf" -z "${options[@]}" || exit 1
	in_background weir capturing "$WEIR" record -o "$dir/weir" \
		--set syscall.calls=all --buffer "${BUFFER_MB}M" \
		-f 'comm != "perf" and comm != "trace_drain"' || exit 1
	echo enable >"$dir/control"
	echo 1 >"$instance/tracing_on"
}

stop_all() {
	echo 0 >"$instance/tracing_on"
	echo disable >"$dir/control"
	stop weir
	stop perf
	stop_ftrace
	export -f trace_dat
	dir=$dir spent_in trace_dat bash -c trace_dat >"$dir/trace_dat.out" 2>&1
}

# --- what they have ----------------------------------------------------------

# result_X sets events, hooks, lost, bytes and calls: the exits of system calls
result_weir() {
	"$WEIR" verify "$dir/weir" >"$dir/verify"
	case $? in 0 | 3) ;; *) cat "$dir/verify" >&2; exit 1 ;; esac
	"$WEIR" stat --json "$dir/weir" >"$dir/weir.json"
	eval "$(jq -r '
		(.kinds | map({(.kind): .events}) | add) as $n |
		"events=\(.stored) lost=\(.lost_in_all) bytes=\(.bytes)
		 calls=\($n.syscall_done)
		 hooks=\(.stored + $n.syscall_done + $n.block_io)"' \
		"$dir/weir.json")"
}

result_perf() {
	bytes=$(stat -c %s "$dir/perf")
	events=$(perf_stats "$dir/perf" Aggregated SAMPLE)
	calls=$(perf_stats "$dir/perf" sys_exit SAMPLE)
	hooks=$events
	lost=$(perf_lost "$dir/perf")
}

result_ftrace() {
	events=$(ftrace_sum 'read events')
	lost=$(ftrace_sum 'overrun' 'dropped events')
	bytes=$(stat -c %s "$dir/zstd.dat")
	hooks=$events
	calls=null
}

# --- the table ---------------------------------------------------------------

row() { # tool, name, limits of B/event and ratio, CPU seconds during and after
	[ "${events:-0}" -gt 0 ] && [ "${bytes:-0}" -gt 0 ] ||
		{ echo "$2: recorded nothing" >&2; exit 1; }
	awk -v tool="$2" -v limit="$3" -v most="$4" -v cpu="$5" -v after="$6" \
		-v events="$events" -v hooks="$hooks" -v lost="$lost" \
		-v bytes="$bytes" -v weir="$weir_bytes" 'BEGIN {
		printf "%-22s %10d %10d %6d %11d %6.2f %7.2f%-8s %7.2f%-9s %5.1f%s\n",
			tool, events, hooks, lost, bytes, bytes / hooks,
			bytes / events, limit, weir / bytes, most, cpu,
			(after > 0 ? " + " after : "") }'
	jq -n --arg tool "$1" --argjson v "{\"events\": $events,
		\"hooks\": $hooks, \"lost\": $lost, \"bytes\": $bytes,
		\"syscall_exits\": $calls, \"cpu_s\": $5, \"cpu_after_s\": $6}" \
		'{tool: $tool} + $v' >>"$dir/rows.json"
}

table() {
	printf '%-22s %10s %10s %6s %11s %6s %7s%8s %7s%9s %5s\n' TOOL EVENTS \
		HOOKS LOST BYTES B/HOOK B/EVENT '' WEIR/IT '' 'CPU s'
	result_weir
	weir_bytes=$bytes weir_calls=$calls
	row weir weir " (<=2.6)" "" "$(cpu_of weir)" 0
	result_perf
	row perf "perf record -z" "" " (<=0.35)" "$(cpu_of perf)" 0
	echo "system calls that returned: weir $weir_calls, perf $calls" \
		>"$dir/calls"
	result_ftrace
	row ftrace "ftrace, trace-cmd zstd" "" " (<=0.50)" \
		"$(cpu_of ftrace)" "$(cpu_of trace_dat)"
	echo "ftrace uncompressed: $(stat -c %s "$dir/plain.dat") bytes"
	cat "$dir/calls"
}

need perf trace-cmd jq time
tests/bench/mix.sh prepare
before=$(machine)
start
tests/bench/mix.sh run || exit 1
stop_all
echo "$before before, $(cut -d' ' -f1-3 /proc/loadavg) after"
table
mkdir -p "$O/bench"
jq -s --arg machine "$before" --arg date "$(date -uIs)" \
	'{date: $date, machine: $machine, tools: .}' "$dir/rows.json" \
	>"$O/bench/size.json"
