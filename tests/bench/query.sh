#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# query.sh ARCHIVE... - twelve questions people ask, and what they cost
#
# The events of ARCHIVE… are repeated to 15 and to 100 million (EVENTS="N N" for
# others), and each question is asked of both: as SQL by one thread, and by as
# many as there are CPUs (8 at most); as SQL that goes through all rows (of the
# first alone), and of the text that `weir show` prints, with the tools that are
# everywhere (of the first alone, where text has the answer; TEXT=0 leaves them
# out). What is told is the least CPU time (user and system) of ROUNDS (3) of
# the first two, one of the others, of all the processes, with the time on the
# wall of that round and the most memory that one had. The lines are in
# $O/bench/query.json, too. A question that fails, or has another answer another
# way, is told, and the exit status is 1.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
WEIR=${WEIR:-$O/weir} EVENTS=${EVENTS:-15000000 100000000}
ROUNDS=${ROUNDS:-3} TEXT=${TEXT:-1}
[ $# -gt 0 ] || { echo "usage: query.sh ARCHIVE..." >&2; exit 2; }
[ -x /usr/bin/time ] || { echo "query.sh: needs GNU time" >&2; exit 2; }
dir=$(mktemp -d "${TMPDIR:-/tmp}/weir-bench-XXXXXX") || exit 2
trap 'rm -rf "$dir"' EXIT
json=$O/bench/query.json
mkdir -p "$O/bench" || exit 2
: >"$json" >"$dir/wrong"

wrong() { echo "$*" | tee -a "$dir/wrong" >&2; }

# cost COMMAND…: seconds, seconds on the wall, KiB
cost() {
	/usr/bin/time -o "$dir/time" -f '%U %S %e %M' "$@" >"$dir/out" 2>"$dir/err"
	case $? in
	0 | 3) ;;
	*) wrong "FAILED: ${*: -1}: $(head -n 1 "$dir/err")" ;;
	esac
	tail -n 1 "$dir/time" |
		awk '{ printf "%.2f %.2f %d\n", $1 + $2, $3, $4 }'
}

least() { # COMMAND…
	for ((i = 0; i < ROUNDS; i++)); do cost "$@"; done | sort -n | head -n 1
}

# put EVENTS QUESTION WAY "SECONDS WALL KIB"
put() {
	local s w k
	read -r s w k <<<"$4"
	printf '%10d  %-34s %-7s %8s %8s %8d\n' "$1" "$2" "$3" "$s" "$w" "$k"
	printf '{"events":%d,"question":"%s","way":"%s","cpu_s":%s,"wall_s":%s,"rss_kib":%d}\n' \
		"$1" "$2" "$3" "$s" "$w" "$k" >>"$json"
}

first=1
# ask NAME SQL [OPTIONS OF SHOW, PIPELINE]
ask() {
	put "$events" "$1" columns \
		"$(least "$WEIR" query --jobs 1 "$archive" "$2")"
	cp "$dir/out" "$dir/answer"
	put "$events" "$1" threads "$(least "$WEIR" query "$archive" "$2")"
	cmp -s "$dir/out" "$dir/answer" || wrong "$1: NOT THE SAME ANSWER"
	[ $first = 1 ] || return
	put "$events" "$1" rows "$(cost "$WEIR" query --rows "$archive" "$2")"
	cmp -s "$dir/out" "$dir/answer" || wrong "$1: NOT THE SAME ANSWER"
	[ "$TEXT" = 1 ] && [ $# = 4 ] || return
	put "$events" "$1" text "$(cost bash -c \
		"'$WEIR' show '$archive' $3 | $4")"
}

by() { # count by a field of awk's
	echo "awk '{ n[\$$1]++ } END { for (k in n) print n[k], k }' | sort -rn"
}

questions() {
	local pid
	pid=$("$WEIR" query --csv "$archive" \
		'SELECT pid FROM task_exec LIMIT 1 OFFSET 20' | tail -n 1)
	ask 'count by comm, 10 s' "SELECT comm, count(*) FROM events
		WHERE ts >= at('-10s') GROUP BY comm ORDER BY 2 DESC" \
		'--from -10s' "$(by 3)"
	ask 'events by kind' 'SELECT kind, count(*) FROM events GROUP BY kind' \
		'' "$(by 4)"
	ask 'mean and p99 by system call' 'SELECT name, count(*),
		avg(duration), quantile(duration, 0.99) FROM syscall_done
		GROUP BY name ORDER BY 2 DESC'
	ask 'everything of one pid' "SELECT * FROM events WHERE pid = $pid" \
		'' "grep -F '[$pid'"
	ask 'opened paths that end in .h' "SELECT path, count(*)
		FROM syscall_done WHERE path LIKE '%.h' GROUP BY path
		ORDER BY 2 DESC LIMIT 20" '-e syscall_done' \
		"grep -oE '\"[^\"]*\.h\"' | sort | uniq -c | sort -rn | head -n 20"
	ask 'slowest block requests' 'SELECT time, disk, op, bytes, latency
		FROM block_io ORDER BY latency DESC LIMIT 20'
	ask 'connections by peer' 'SELECT raddr, count(*), sum(sent),
		sum(received) FROM net_close GROUP BY raddr ORDER BY 2 DESC' \
		'-e net_close' "$(by 7)"
	ask 'run-queue delay by comm and second' 'SELECT ts / 1000000000 AS s,
		next_tid_comm, sum(waited), max(waited) FROM sched_switch
		GROUP BY s, next_tid_comm'
	ask 'forks per second' 'SELECT ts / 1000000000 AS s, count(*)
		FROM task_fork GROUP BY s' '-e task_fork' \
		"cut -c1-8 | sort | uniq -c"
	ask 'failed system calls by error' 'SELECT ret_name, count(*)
		FROM syscall_done WHERE ret < 0 GROUP BY ret_name
		ORDER BY 2 DESC' '-e syscall_done' \
		"grep -oE ' = -?E[A-Z]+' | sort | uniq -c | sort -rn"
	ask 'tasks alive 10 s before the end' "SELECT count(*) FROM tasks
		WHERE start_time <= at('-10s') AND
		(exit_time IS NULL OR exit_time > at('-10s'))"
	ask 'losses' 'SELECT source, sum(count) FROM losses GROUP BY source'
}

printf '%10s  %-34s %-7s %8s %8s %8s\n' \
	events question way 'CPU s' 'wall s' KiB
for events in $EVENTS; do
	archive=$dir/$events
	"$O"/tests/bench/archive_repeat "$@" "$archive" "$events" || exit 1
	questions
	rm -rf "$archive"
	first=0
done
[ ! -s "$dir/wrong" ]
