# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=bash
#
# lib.sh - what benchmarks share that run weir beside other tools; sourced from
# the project's root. Defines $dir (removed at the end) and $instance, an
# instance of tracefs that is not made yet.

O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
WEIR=$O/weir
DRAIN=$O/tests/bench/trace_drain
TRACEFS=/sys/kernel/tracing
BUFFER_MB=${BUFFER_MB:-64}

# own_mounts SCRIPT ARG…: go on as root with a tracefs that nobody else sees,
# and that the kernel unmounts when we are gone.
own_mounts() {
	[ "$(id -u)" = 0 ] || { echo "$1: needs root" >&2; exit 2; }
	[ -n "${OWN_MOUNTS:-}" ] || OWN_MOUNTS=1 exec unshare -m "$@"
	[ -d $TRACEFS/instances ] || mount -t tracefs tracefs $TRACEFS || exit 1
	dir=$(mktemp -d)
	instance=$TRACEFS/instances/weir-bench-$$
	trap clean_up EXIT
}

clean_up() {
	local job
	for job in $(jobs -p); do
		pkill -TERM -P "$job" # time's child: time itself ignores it
		kill "$job"
	done 2>/dev/null
	wait
	rmdir "$instance" 2>/dev/null
	rm -rf "$dir"
}

need() { # programs
	local program
	for program; do
		command -v "$program" >/dev/null && continue
		echo "there is no $program: make bench-deps" >&2
		exit 2
	done
}

machine() {
	echo "kernel $(uname -r), $(nproc) CPUs, load" \
		"$(cut -d' ' -f1-3 /proc/loadavg)"
}

# --- tools in the background: what NAME says is in NAME.out, what it took, ---
# --- "user system KiB" with seconds, in NAME.cpu                           ---

spent_in() { # name, command…
	local name=$1
	shift
	command time -o "$dir/$name.cpu" -f '%U %S %M' "$@"
}

in_background() { # name, what it says when it is ready or "", command…
	local name=$1 ready=$2
	shift 2
	command time -o "$dir/$name.cpu" -f '%U %S %M' "$@" \
		>"$dir/$name.out" 2>&1 &
	eval "job_$name=$!"
	until [ -z "$ready" ] || grep -qs "$ready" "$dir/$name.out"; do
		kill -0 $! 2>/dev/null || { cat "$dir/$name.out" >&2; return 1; }
		sleep 0.05
	done
}

stop() { # name
	local job=job_$1
	pkill -INT -P "${!job}"
	wait "${!job}"
}

cpu_of() { # names: seconds of those that ran
	local name
	for name; do
		[ ! -e "$dir/$name.cpu" ] || cat "$dir/$name.cpu"
	done | awk '/^[0-9.]+ [0-9.]+ / { n += $1 + $2 }
		END { printf "%.2f", n }'
}

# --- perf record: records from `echo enable >$dir/control` on ----------------

start_perf() { # file, options…
	local file=$1
	shift
	[ -e "$dir/control" ] || mkfifo "$dir/control"
	in_background perf disabled perf record -o "$file" -a -N -B \
		-m "${BUFFER_MB}M" "$@" -D -1 --control "fifo:$dir/control"
}

perf_stats() { # file, section, event: how many, from `perf report --stats`
	perf report -i "$1" --stats 2>/dev/null |
		awk -v section="$2" -v event="$3" '
		/stats:/ { here = index($0, section) }
		here && $1 == event && $2 == "events:" { n = $3 }
		END { print n + 0 }'
}

perf_lost() { # file
	[ "$(perf_stats "$1" Aggregated LOST)" = 0 ] && { echo 0; return; }
	perf script -i "$1" --show-lost-events 2>/dev/null |
		awk '/PERF_RECORD_LOST/ { n += $NF } END { print n + 0 }'
}

# --- ftrace: records from `echo 1 >$instance/tracing_on` on ------------------

start_ftrace() { # filter or 0, hooks…
	local filter=$1 hook
	shift
	[ -x "$DRAIN" ] || { echo "ftrace: no $DRAIN (make bench-capture)"; return 1; }
	mkdir "$instance" || return 1
	echo 0 >"$instance/tracing_on"
	echo $((BUFFER_MB * 1024)) >"$instance/buffer_size_kb"
	for hook; do
		echo "$filter" >"$instance/events/${hook/://}/filter"
		echo "$hook" >>"$instance/set_event"
	done
	in_background ftrace draining "$DRAIN" "$instance" "$dir/ftrace"
}

stop_ftrace() {
	echo 0 >"$instance/tracing_on"
	stop ftrace
	cat "$instance"/per_cpu/cpu*/stats >"$dir/ftrace.stats"
	rmdir "$instance"
}

ftrace_sum() { # counters of per_cpu/cpuN/stats
	awk -F': ' -v wanted=":$1:${2:-$1}:" '
		index(wanted, ":" $1 ":") { n += $2 }
		END { print n + 0 }' "$dir/ftrace.stats"
}

# What `trace-cmd record` does at its end: plain.dat, and of it zstd.dat.
trace_dat() {
	trace-cmd restore -c -o "$dir/head.dat"
	trace-cmd restore -i "$dir/head.dat" -o "$dir/plain.dat" \
		"$dir"/ftrace.cpu[0-9]*
	trace-cmd convert -i "$dir/plain.dat" -o "$dir/zstd.dat" \
		--compression zstd
}
