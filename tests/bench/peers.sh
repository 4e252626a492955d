#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# peers.sh [WORKLOAD…] - what recording costs with weir and with its peers:
# start, calls, execs, build, switches, http, disk (all). Root. A table for each workload on
# stdout, JSON in build/bench/peers.json. About 4 minutes; LONG=1: 20.
#
# Each tool records the same hooks of the whole host but of itself (strace: of
# the workload), every one with its arguments, to a file; 64 MiB of buffer a CPU for all that
# take it. Each time a tool runs the workload has just run without it: SLOWER is
# the median of ROUNDS (3) such ratios, of the time the workload says it took,
# or of 1 / what it says it got done. The rest is of the last round:
#
#   CPU      seconds of the tool's own processes, with what it needs after the
#            end to have its file
#   B/EVENT  of that file, by what the tool calls an event; 1.1 MB of
#            ftrace's is there before the first
#   LOST     what the tool says it lost, of the whole host
#   MISSING  what the workload made and is not in the file, which its own reader
#            is asked for; below 0 by a few that its process made before it
#            became the workload
#   BACK     lines of what its own reader prints that are earlier than the one
#            before them
#   RSS      at its peak, MiB
#
# A tool that does not run, or whose file has nothing, has no line; then, or when
# a workload does not run, the exit status is 1.
#
# start: ms from the tool's start to the first event of its file: how many it
# missed of the 1000 calls a second of a program that began together with it.

set -u
cd "$(dirname "$0")/../.." || exit 2
. tests/bench/lib.sh
own_mounts tests/bench/peers.sh "$@"
LOAD=$dir/peerload # a name that is nobody else's
cp "$O/tests/load/load" "$LOAD" || exit 1
ROUNDS=${ROUNDS:-${LONG:+7}} ROUNDS=${ROUNDS:-3}
SCALE=${LONG:+10} SCALE=${SCALE:-1}
PORT=${PEERS_PORT:-18238}
TOOLS=${TOOLS:-"weir perf ftrace perftrace bpftrace strace execsnoop"}
prefix=() # what the workload is run by: strace

# --- workloads: print "ns N" (or "done N") and "made N" ----------------------

# For each: hooks of perf and ftrace; weir's options; which lines of a text are
# what it made: of perf's and ftrace's reader, perf trace's, bpftrace's,
# strace's; the same as a filter of weir's.
declare -A hooks weir_options weir_kind weir_made raw_made trace_options \
	trace_made bpf_program bpf_made strace_options strace_made

raw='raw_syscalls:sys_enter raw_syscalls:sys_exit'
bpf_calls='tracepoint:raw_syscalls:sys_enter /comm != "bpftrace"/ {
		printf("%llu %d %d %s > %d %lx %lx %lx %lx %lx %lx\n", nsecs,
		cpu, tid, comm, args->id, args->args[0], args->args[1],
		args->args[2], args->args[3], args->args[4], args->args[5]); }
	tracepoint:raw_syscalls:sys_exit /comm != "bpftrace"/ {
		printf("%llu %d %d %s < %d %ld\n", nsecs, cpu, tid, comm,
		args->id, args->ret); }'

CALLS=$((200000 * SCALE))
hooks[calls]=$raw
weir_options[calls]="-s syscall --set syscall.calls=all"
weir_kind[calls]=syscall_done
weir_made[calls]='comm == "peerload" and (name == openat or name == fcntl or
	name == lseek or name == read or name == pread64 or name == getppid or
	name == faccessat or name == close)'
raw_made[calls]='^ *peerload[- ].*sys_exit: +NR (257|72|8|0|17|110|269|3) ='
trace_options[calls]=
trace_made[calls]='\): peerload/[0-9]+ (openat|fcntl|lseek|read|pread64|getppid|faccessat|close)\('
bpf_program[calls]=$bpf_calls
bpf_made[calls]=' peerload < (257|72|8|0|17|110|269|3) '
strace_options[calls]=-ttt
strace_made[calls]=' (openat|fcntl|lseek|read|pread64|getppid|faccessat|close)\('
run_calls() {
	"${prefix[@]}" "$LOAD" kinds $((CALLS / 8))
	echo "made $CALLS"
}

EXECS=$((300 * SCALE))
hooks[execs]='sched:sched_process_fork sched:sched_process_exec
	sched:sched_process_exit syscalls:sys_enter_openat
	syscalls:sys_exit_openat'
weir_options[execs]='-s task,syscall --set syscall.calls=open,openat,openat2'
weir_kind[execs]=task_exec
weir_made[execs]='filename == "/proc/self/exe"'
raw_made[execs]='sched_process_exec: +filename=/proc/self/exe'
trace_options[execs]='-e openat,sched:sched_process_fork,sched:sched_process_exec,sched:sched_process_exit'
trace_made[execs]='sched:sched_process_exec\(filename: "/proc/self/exe'
bpf_program[execs]='tracepoint:sched:sched_process_fork {
		printf("%llu %d %s fork %d\n", nsecs, tid, comm,
		args->child_pid); }
	tracepoint:sched:sched_process_exec {
		printf("%llu %d %s exec %s\n", nsecs, tid, comm,
		str(args->filename)); }
	tracepoint:sched:sched_process_exit {
		printf("%llu %d %s exit\n", nsecs, tid, comm); }
	tracepoint:syscalls:sys_enter_openat {
		printf("%llu %d %s open %s\n", nsecs, tid, comm,
		str(args->filename)); }
	tracepoint:syscalls:sys_exit_openat {
		printf("%llu %d %s opened %d\n", nsecs, tid, comm, args->ret); }'
bpf_made[execs]=' exec /proc/self/exe'
strace_options[execs]='-ttt -e trace=process,openat'
strace_made[execs]='execve\("/proc/self/exe"'
run_execs() {
	"${prefix[@]}" "$LOAD" procs $EXECS
	echo "made $EXECS"
}

# build: the same hooks, real programs; how many there are nobody knows before.
# start: what begins together with a tool.
for what in hooks weir_options weir_kind weir_made raw_made trace_options \
	trace_made bpf_program bpf_made strace_options strace_made; do
	declare -n option=$what
	option+=([build]=${option[execs]} [start]=${option[calls]})
done
run_build() {
	local start=${EPOCHREALTIME/./}
	rm -rf "$dir/build"
	"${prefix[@]}" make -s O="$dir/build" CC=gcc "$dir/build/libweir-ring.a"
	echo "ns $(((${EPOCHREALTIME/./} - start) * 1000))"
}

TURNS=$((10000 * SCALE))
hooks[switches]='sched:sched_switch sched:sched_waking'
weir_options[switches]='-s sched'
weir_kind[switches]=sched_switch
weir_made[switches]='comm == "peerload"'
raw_made[switches]='^ *peerload[- ].*sched_switch:'
trace_options[switches]='--no-syscalls -e sched:sched_switch,sched:sched_waking'
trace_made[switches]='sched:sched_switch\(prev_comm: "peerload"'
bpf_program[switches]='tracepoint:sched:sched_switch /comm != "bpftrace"/ {
		printf("%llu %d %d %s switch %d %ld %d\n", nsecs, cpu, tid,
		comm, args->prev_pid, args->prev_state, args->next_pid); }
	tracepoint:sched:sched_waking /comm != "bpftrace"/ {
		printf("%llu %d %d %s waking %d\n", nsecs, cpu, tid, comm,
		args->pid); }'
bpf_made[switches]=' peerload switch '
run_switches() {
	"${prefix[@]}" "$LOAD" pipes $TURNS | sed 's/^switches/made/'
}

hooks[http]=$raw
weir_options[http]=${weir_options[calls]}
weir_kind[http]=syscall_done
weir_made[http]='comm == "nginx" and name == writev'
raw_made[http]='^ *nginx[- ].*sys_exit: +NR 20 ='
trace_options[http]=
trace_made[http]='\): nginx/[0-9]+ writev\('
bpf_program[http]=$bpf_calls
bpf_made[http]=' nginx < 20 '
run_http() {
	wrk -t 1 -c 8 -d $((2 * (SCALE > 1 ? 3 : 1))) \
		"http://127.0.0.1:$PORT/" >"$dir/wrk"
	awk '/requests in/ { print "made", $1 }
		/^Requests.sec/ { print "done", $2 }' "$dir/wrk"
}

hooks[disk]='block:block_rq_issue block:block_rq_complete'
weir_options[disk]='-s block'
weir_kind[disk]=block_io
weir_made[disk]='comm == "fio"'
raw_made[disk]='^ *fio[- ].*block_rq_issue:'
trace_options[disk]='--no-syscalls -e block:block_rq_issue,block:block_rq_complete'
trace_made[disk]=' fio/[0-9]+ block:block_rq_issue'
bpf_program[disk]='tracepoint:block:block_rq_issue {
		printf("%llu %d %s issue %d %d %d\n", nsecs, cpu, comm,
		args->dev, args->sector, args->nr_sector); }
	tracepoint:block:block_rq_complete {
		printf("%llu %d done %d %d %d\n", nsecs, cpu, args->dev,
		args->sector, args->nr_sector); }'
bpf_made[disk]=' fio issue '
run_disk() {
	fio --name=disk --filename="$dir/fio" --size=32M --rw=randrw --bs=4k \
		--direct=1 --ioengine=psync --thread --time_based \
		--runtime=$((2 * (SCALE > 1 ? 3 : 1))) --output-format=json \
		>"$dir/fio.json"
	jq -r '.jobs[0] | .read.total_ios + .write.total_ios |
		"made \(.)", "done \(.)"' "$dir/fio.json"
}

start_http() {
	mkdir -p "$dir/web"
	head -c 4096 /dev/urandom >"$dir/web/index.html"
	cat >"$dir/web/conf" <<-END
	daemon off; master_process off; pid $dir/web/pid;
	error_log $dir/web/error; events { worker_connections 64; }
	http {
		access_log off; root $dir/web; keepalive_requests 1000000000;
		client_body_temp_path $dir/web; proxy_temp_path $dir/web;
		fastcgi_temp_path $dir/web; uwsgi_temp_path $dir/web;
		scgi_temp_path $dir/web;
		server { listen 127.0.0.1:$PORT; }
	}
	END
	nginx -c "$dir/web/conf" -e "$dir/web/error" &
	nginx=$!
	sleep 0.5
}

stop_http() { kill "$nginx"; wait "$nginx"; }

# --- tools: begin_X WORKLOAD, finish_X; then figures_X sets events, bytes, ---
# --- lost and found                                                        ---

# Both forget what they have not printed yet when they are interrupted. Other
# programs' events go on for ever; so it is told from the speed.
settle() { # its text
	local i before now
	for i in $(seq 20); do
		before=$(stat -c %s "$1")
		sleep 0.5
		now=$(stat -c %s "$1")
		[ $((now - before)) -gt 1000000 ] || break
	done
}

# backwards FILE COLUMN: by the times there; 0:  the first "SECONDS.FRACTION:" of a line
backwards() {
	awk -v column="$2" '{ t = $column }
		!column && match($0, / [0-9]+\.[0-9]+:/) {
			t = substr($0, RSTART, RLENGTH)
		}
		t ~ /^ *[0-9]/ { n += t + 0 < last; last = t + 0 }
		END { print n + 0 }' "$1"
}

lines() { grep -cE "$1" "$2"; }

begin_weir() {
	in_background weir capturing "$WEIR" record -o "$dir/weir" \
		--buffer "${BUFFER_MB}M" ${weir_options[$1]}
}
finish_weir() { stop weir; }
figures_weir() {
	"$WEIR" verify "$dir/weir" >"$dir/verify" 2>&1
	[ $? != 1 ] || cat "$dir/verify"
	"$WEIR" stat --json "$dir/weir" >"$dir/weir.json"
	eval "$(jq -r '"events=\(.events) lost=\(.lost_in_all)
		bytes=\(.bytes)"' "$dir/weir.json")"
	found=$("$WEIR" stat --json -e "${weir_kind[$1]}" \
		-f "${weir_made[$1]}" "$dir/weir" | jq .events)
	"$WEIR" query --csv "$dir/weir" 'SELECT ts FROM events' >"$dir/text" \
		2>/dev/null
	back=$(backwards "$dir/text" 1)
}

begin_perf() {
	local hook options=()
	for hook in ${hooks[$1]}; do
		options+=(-e "$hook" --filter 'COMM != "perf"')
	done
	start_perf "$dir/perf" "${options[@]}" || return
	echo enable >"$dir/control"
	sleep 0.1
}
finish_perf() { stop perf; }
figures_perf() {
	events=$(perf_stats "$dir/perf" Aggregated SAMPLE)
	lost=$(perf_lost "$dir/perf")
	bytes=$(stat -c %s "$dir/perf")
	perf script -i "$dir/perf" -F comm,tid,time,event,trace --ns \
		>"$dir/text" 2>/dev/null
	back=$(backwards "$dir/text" 0)
	found=$(lines "${raw_made[$1]}" "$dir/text")
}

begin_ftrace() {
	start_ftrace 'COMM != "trace_drain"' ${hooks[$1]} || return
	echo 1 >"$instance/tracing_on"
}
finish_ftrace() {
	stop_ftrace
	export -f trace_dat
	dir=$dir spent_in trace_dat bash -c trace_dat >"$dir/trace_dat.out" 2>&1
}
figures_ftrace() {
	events=$(ftrace_sum 'read events')
	lost=$(ftrace_sum 'overrun' 'dropped events')
	bytes=$(stat -c %s "$dir/zstd.dat")
	trace-cmd report -i "$dir/zstd.dat" >"$dir/text" 2>/dev/null
	back=$(backwards "$dir/text" 0)
	found=$(lines "${raw_made[$1]}" "$dir/text")
}

begin_perftrace() {
	in_background perftrace '' perf trace -a -m "${BUFFER_MB}M" \
		-o "$dir/perftrace.txt" ${trace_options[$1]} &&
		until [ -s "$dir/perftrace.txt" ]; do sleep 0.05; done
}
finish_perftrace() {
	settle "$dir/perftrace.txt"
	stop perftrace
}
figures_perftrace() {
	local text="$dir/perftrace.txt"
	events=$(wc -l <"$text")
	lost=$(sed -n 's/^LOST \([0-9]*\) events.*/\1/p' "$text" \
		"$dir/perftrace.out" | awk '{ n += $1 } END { print n + 0 }')
	bytes=$(stat -c %s "$text")
	back=$(backwards "$text" 1)
	found=$(lines "${trace_made[$1]}" "$text")
}

begin_bpftrace() {
	BPFTRACE_PERF_RB_PAGES=$((BUFFER_MB * 256)) in_background bpftrace \
		Attaching bpftrace -e "${bpf_program[$1]}" &&
		until [ "$(wc -l <"$dir/bpftrace.out")" -gt 1 ]; do
			sleep 0.05
		done
}
finish_bpftrace() {
	settle "$dir/bpftrace.out"
	stop bpftrace
}
figures_bpftrace() {
	local text="$dir/bpftrace.out"
	events=$(wc -l <"$text")
	lost=$(sed -n 's/^Lost \([0-9]*\) events.*/\1/p' "$text" |
		awk '{ n += $1 } END { print n + 0 }')
	bytes=$(stat -c %s "$text")
	back=$(backwards "$text" 1)
	found=$(lines "${bpf_made[$1]}" "$text")
}

# Its CPU: of everything, less what the workload took beneath it.
begin_strace() {
	prefix=(command time -o "$dir/strace.all" -f '%U %S %M' strace -f
		-o "$dir/strace.txt" ${strace_options[$1]} --
		"$(command -v time)" -o "$dir/strace.load" -f '%U %S %M')
}
finish_strace() {
	prefix=()
	paste "$dir/strace.all" "$dir/strace.load" |
		awk '{ print $1 - $4, $2 - $5, $3 }' >"$dir/strace.cpu"
}
figures_strace() {
	events=$(wc -l <"$dir/strace.txt")
	lost=0
	bytes=$(stat -c %s "$dir/strace.txt")
	back=$(backwards "$dir/strace.txt" 2)
	awk 'NR == 1 { time = $1 } $1 != time' "$dir/strace.txt" >"$dir/text"
	found=$(lines "${strace_made[$1]}" "$dir/text")
}

begin_execsnoop() {
	in_background execsnoop PCOMM execsnoop -T
	sleep 0.3
}
finish_execsnoop() { stop execsnoop; }
figures_execsnoop() {
	events=$(wc -l <"$dir/execsnoop.out")
	lost=$(grep -c Lost "$dir/execsnoop.out")
	bytes=$(stat -c %s "$dir/execsnoop.out")
	found=$(lines '^[0-9:]+ +exe ' "$dir/execsnoop.out")
}

does() { # tool workload: can it?
	case $1 in
	strace) [ -n "${strace_options[$2]:-}" ] ;;
	execsnoop) [ "$2" = execs ] ;;
	*) ;;
	esac
}

# --- measuring ---------------------------------------------------------------

wrong() { # WHAT…
	echo "$*"
	failed=1
}

cost() { # of what a workload said: less is better
	awk '$1 == "ns" && $2 > 0 { n = $2 } $1 == "done" && $2 > 0 { n = 1 / $2 }
		END { print n; exit !n }' "$1"
}

one_round() { # tool workload
	rm -rf "$dir"/{weir,perf,text,*.txt,*.out,*.dat,*.cpu}
	run_"$2" >"$dir/without" 2>"$dir/err"
	begin_"$1" "$2" || return
	run_"$2" >"$dir/with" 2>"$dir/err"
	sleep 0.3
	finish_"$1"
	cost "$dir/with" >"$dir/cost" && cost "$dir/without" >>"$dir/cost" ||
		{ cat "$dir/err"; return 1; }
	awk '{ v[NR] = $1 } END { print v[1] / v[2] }' "$dir/cost" >>"$dir/ratios"
}

median() { sort -g "$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

measure() { # tool workload
	local i events bytes lost found made cpu rss missing slower back=
	: >"$dir/ratios"
	for i in $(seq "$ROUNDS"); do
		one_round "$1" "$2" || { wrong "$1: does not run"; return; }
	done
	figures_"$1" "$2"
	[ "${events:-0}" -gt 0 ] && [ "${bytes:-0}" -gt 0 ] ||
		{ wrong "$1: its file has nothing"; return; }
	made=$(awk '$1 == "made" { print $2 }' "$dir/with")
	cpu=$(cpu_of "$1" trace_dat)
	rss=$(awk '/^[0-9]/ { print $3 / 1024 }' "$dir/$1.cpu")
	slower=$(median "$dir/ratios")
	missing=${made:+$((made - found))}
	printf '%-10s %7.2f %7.2f %10d %8.1f %8d %9s %8s %7.1f\n' "$1" \
		"$slower" "$cpu" "$events" \
		"$(awk "BEGIN { print $bytes / $events }")" "$lost" \
		"${missing:--}" "${back:--}" "$rss"
	jq -nc --arg tool "$1" --arg workload "$2" --argjson v "{
		\"slower\": $slower, \"cpu_s\": $cpu, \"events\": $events,
		\"bytes\": $bytes, \"lost\": $lost, \"made\": ${made:-null},
		\"missing\": ${missing:-null}, \"backwards\": ${back:-null},
		\"rss_mib\": $rss}" \
		'{workload: $workload, tool: $tool} + $v' >>"$dir/rows.json"
}

start() { # tool: what it misses of a call each millisecond
	local events bytes lost found made back
	rm -rf "$dir"/{weir,perf,text,*.txt,*.out,*.dat,*.cpu}
	"$LOAD" rate 1000 4 >"$dir/with" &
	local load=$!
	begin_"$1" start || { wrong "$1: does not run"; return; }
	wait $load
	sleep 0.3
	finish_"$1"
	figures_"$1" start
	[ "${found:-0}" -gt 0 ] || { wrong "$1: its file has nothing"; return; }
	made=$(awk '$1 == "calls" { print $2 }' "$dir/with")
	printf '%-10s %7d ms\n' "$1" $((made - found))
	jq -nc --arg tool "$1" --argjson ms $((made - found)) \
		'{workload: "start", tool: $tool, start_ms: $ms}' \
		>>"$dir/rows.json"
}

starts() {
	local tool
	printf '\nstart to first event\n'
	for tool in $TOOLS; do
		[[ $tool =~ strace|execsnoop ]] || start "$tool"
	done
}

workload() {
	local tool
	printf '\n%-10s %7s %7s %10s %8s %8s %9s %8s %7s\n' "$1" SLOWER CPU \
		EVENTS B/EVENT LOST MISSING BACK RSS
	[ "$1" != http ] || start_http
	for tool in $TOOLS; do
		does "$tool" "$1" && measure "$tool" "$1"
	done
	[ "$1" != http ] || stop_http
}

need perf trace-cmd bpftrace strace execsnoop fio nginx wrk jq time
machine
failed=
: >"$dir/rows.json"
[ $# -gt 0 ] || set -- start calls execs build switches http disk
for w; do
	if [ "$w" = start ]; then starts; else workload "$w"; fi
done
mkdir -p "$O/bench"
jq -s --arg machine "$(machine)" --arg date "$(date -uIs)" \
	'{date: $date, machine: $machine, rows: .}' "$dir/rows.json" \
	>"$O/bench/peers.json"
[ -z "$failed" ]
