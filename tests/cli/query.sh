#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# query.sh - SQL over a recording gives what jq makes of the same events as
# JSON lines; what is not there, or not SQL, is told; so are losses.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v jq >/dev/null || skip "needs jq"

# shellcheck disable=SC2016
run record -q -o a --set syscall.calls=all -- sh -c '
	for i in 1 2 3 4 5; do /bin/true; done; sleep 0.3
	ls -R /usr/include >/dev/null; sh -c "/bin/false; kill -9 \$\$"; true'
is "record: status" $rc 0
run export a --to jsonl
cp out all.json
events=$(lines all.json)
[ "$events" -gt 500 ] || fail "only $events events"

# sql SQL: its rows as compact JSON arrays in $dir/rows
sql() {
	run query a --json "$1"
	is "$1: status" $rc 0
	jq -c '[.[]]' out >rows
}

# same SQL JQ: rows are the arrays that jq makes of an array of all events
same() {
	sql "$1"
	jq -s -c "$2 | .[]" all.json >want
	[ -s want ] || fail "$1: no rows to compare with"
	diff rows want >diff || { fail "$1"; head -n 6 diff; }
}

same 'SELECT count(*) FROM events' '[[length]]'
for jobs in 1 3 1000; do
	run query a --jobs $jobs --plan --csv "SELECT comm, name, count(*),
		avg(duration), quantile(duration, 0.9), max(path)
		FROM syscall_done GROUP BY comm, name"
	is "--jobs $jobs: status" $rc 0
	has "--jobs $jobs --plan" err 'answered from columns'
	[ $jobs = 1 ] && cp out one
	cmp -s out one || fail "--jobs $jobs: another answer than of one"
done
same 'SELECT kind, count(*) FROM events GROUP BY kind ORDER BY kind' \
	'[group_by(.kind)[] | [.[0].kind, length]]'
same 'SELECT comm, count(*) FROM events GROUP BY comm ORDER BY comm' \
	'[group_by(.comm)[] | [.[0].comm, length]]'
same "SELECT name, count(*), CAST(avg(duration) AS INTEGER), max(duration)
	FROM syscall_done WHERE marks IS NULL GROUP BY name ORDER BY name" \
	'[map(select(.kind == "syscall_done" and .marks == null)) |
	group_by(.name)[] | [.[0].name, length,
	((map(.duration) | add / length) | floor), (map(.duration) | max)]]'
same "SELECT e.pid, e.filename, e.comm FROM task_fork f JOIN task_exec e
	ON e.pid = f.child_pid WHERE e.ts > f.ts ORDER BY e.pid, e.ts" \
	'(map(select(.kind == "task_fork").child_pid)) as $children |
	[map(select(.kind == "task_exec" and (.pid | IN($children[])))) |
	sort_by(.pid, .ts)[] | [.pid, .filename, .comm]]'
same "SELECT path, ret_name FROM syscall_done
	WHERE path LIKE '/usr/include%' AND ret >= 0 AND name = 'openat'
	ORDER BY path, ret_name" \
	'[map(select(.kind == "syscall_done" and .name == "openat" and
	.ret >= 0 and ((.path // "") | startswith("/usr/include")))) |
	sort_by(.path)[] | [.path, .ret_name]]'
same "SELECT pid, signal_name FROM task_exit WHERE signal ORDER BY pid" \
	'[map(select(.kind == "task_exit" and .signal != 0)) |
	sort_by(.pid)[] | [.pid, .signal_name]]'
same "SELECT ret_name, count(*) FROM syscall_done
	WHERE ret < 0 AND ret_name IS NOT NULL GROUP BY 1 ORDER BY 1" \
	'[map(select(.ret_name != null)) | group_by(.ret_name)[] |
	[.[0].ret_name, length]]'
same "SELECT json_extract(argv, '\$[0]') FROM task_exec ORDER BY 1" \
	'[map(select(.kind == "task_exec")) | sort_by(.argv[0])[] | [.argv[0]]]'
pid=$(jq -s 'map(select(.kind == "task_exec" and .comm == "ls"))[0].pid' \
	all.json)
same "SELECT count(*), count(DISTINCT kind) FROM events WHERE pid = $pid" \
	"[map(select(.pid == $pid)) | [length, (map(.kind) | unique | length)]]"
sql "SELECT pid, count(*) FROM events GROUP BY pid ORDER BY pid"
cp rows by_pid
sql "SELECT pid, events FROM tasks WHERE events > 0 ORDER BY pid"
cmp -s rows by_pid || fail "tasks: other numbers than in events"

# who a field of an event is: SQL and filters agree with the event itself
same "SELECT child_tid_comm, count(*) FROM task_fork GROUP BY 1 ORDER BY 1" \
	'[map(select(.kind == "task_fork")) | group_by(.child_comm)[] |
	[.[0].child_comm, length]]'
run show a -f 'child_tid_comm == sh'
forks=$(lines out)
[ "$forks" -gt 0 ] || fail "nobody was called sh"
sql "SELECT count(*) FROM task_fork WHERE child_comm = 'sh'"
is "show -f child_tid_comm" "$(cat rows)" "[$forks]"

# time: as a number, as text, as people write it, as an option
ts=$(grep -m1 '"kind":"task_exec".*"comm":"ls"' all.json |
	sed 's/.*"ts":\([0-9]*\).*/\1/') # more than jq holds
iso=$(date -u -d "@${ts%?????????}.${ts: -9}" +%Y-%m-%dT%H:%M:%S.%N)
run show a --from "${iso}Z" -e syscall_done
after=$(lines out)
for where in "ts >= $ts" "time >= '$iso'" "ts >= at('${iso}Z')"; do
	sql "SELECT count(*) FROM syscall_done WHERE $where"
	is "$where" "$(cat rows)" "[$after]"
done
run query a --from "${iso}Z" --json 'SELECT count(*) n FROM syscall_done'
is "--from" "$(jq .n out)" "$after"
run query a --csv 'SELECT time, ts FROM events LIMIT 1'
is "csv: names" "$(head -n 1 out)" "time,ts"

# how it comes
run query a 'SELECT 1 AS one, NULL AS none, 1.5 AS part, '"'a
b'"' AS text'
is "table" "$(sed 's/  */ /g; s/^ //' out | tr '\n' '/')" \
	'one none part text/1 1.5 a\x0ab/'
run query a --csv "SELECT '=1,2' AS x"
is "csv: no formula" "$(tail -n 1 out)" "\"'=1,2\""
echo 'SELECT count(*) AS n FROM events; SELECT 2 AS m;' |
	"$WEIR" query a --json >out 2>err
is "from a pipe" "$(tr '\n' ' ' <out)" "{\"n\":$events} {\"m\":2} "
run record -q -o c -- true
run show c
also=$(lines out)
run query a c --json 'SELECT count(*) AS n FROM events'
is "two archives" "$(jq .n out)" $((events + also))

# what is wrong
run query a 'SELECT nobody FROM events'
is "no such column: status" $rc 2
has "no such column" err '^weir: SQL: no such column: nobody \(weir list fields'
is "the place" "$(sed -n '3p' err)" "         ^"
run query a 'SELECT * FROM task_exc'
has "no such table" err "did you mean 'task_exec'"
run query a 'DELETE FROM tasks'
is "it only reads: status" $rc 2
has "it only reads" err 'can only be asked'
run query a "ATTACH '$dir/x.db' AS x"
is "no other files: status" $rc 2
[ ! -e x.db ] || fail "a file was made"
run query missing 'SELECT 1'
is "no archive: status" $rc 1
run query a --csv --json 'SELECT 1'
is "two forms: status" $rc 2
"$WEIR" query a 'SELECT * FROM syscall_done, events' 2>err | head -n 1 >out
is "nobody reads: quiet" "$(cat err)" ""

# hist
run hist a duration -e syscall_done --json
is "hist: count" "$(jq .count out)" \
	"$(jq -s 'map(select(.kind == "syscall_done")) | length' all.json)"
is "hist: max" "$(jq .max out)" \
	"$(jq -s 'map(select(.kind == "syscall_done").duration) | max' all.json)"
is "hist: buckets" "$(jq '[.buckets[].count] | add' out)" \
	"$(jq .count out)"
p50=$(jq .p50 out)
exact=$(jq -s 'map(select(.kind == "syscall_done").duration) | sort |
	.[(length / 2 | ceil) - 1]' all.json)
[ $(((p50 - exact) * 200)) -le "$exact" ] &&
	[ $(((exact - p50) * 200)) -le "$exact" ] ||
	fail "hist: p50 $p50, exactly $exact"
cp out by_event
run hist a syscall_done.duration --json
is "hist of a kind's field" "$(jq .count out)" "$(jq .count by_event)"
run hist "$root/tests/golden/archives/numbers" sector --json
has "hist: 64 bits" out \
	'"count":40,.*"from":9223372036854775808,"count":20\}\]\}$'
run hist "$root/tests/golden/archives/numbers" sector
has "hist: 64 bits, as text" out ' max 18446744073709551615$'
run hist a block_io.duration
is "hist: a field of another kind: status" $rc 2
run hist a duration --by name -e syscall_done --json
is "hist --by" "$(jq -s -c 'map([.name, .count]) | sort' out)" \
	"$(jq -s -c 'map(select(.kind == "syscall_done")) | group_by(.name) |
	map([.[0].name, length]) | sort' all.json)"
run hist a duration -f 'name == openat'
has "hist: text" out '^duration: [0-9]+  p50 .*[mnu]s  p90 .* max '
run hist a duration --csv --by name -e syscall_done
is "hist --csv: names" "$(head -n 1 out)" "name,from,to,count"
is "hist --csv: sum" "$(awk -F, 'NR > 1 { n += $4 } END { print n }' out)" \
	"$(jq -s 'map(select(.kind == "syscall_done")) | length' all.json)"
awk -F, 'NR > 1 && $2 > $3 { exit 1 }' out || fail "hist --csv: from > to"
run hist a exit_code -f 'signal == SIGKILL' --json
is "hist: one event" "$(jq -c '[.count, .min, .p50, .max, .buckets]' out)" \
	'[1,0,0,0,[{"from":0,"count":1}]]'
run hist a ret -e syscall_done --json
is "hist: negative ones are told" \
	"$(sed -n 's/^weir: \([0-9]*\) negative.*/\1/p' err)" \
	"$(jq -s 'map(select(.kind == "syscall_done" and .ret < 0)) | length' \
		all.json)"
for as in '' --json --csv; do
	# shellcheck disable=SC2086
	run hist a duration -f 'comm == "nobody"' $as
	is "hist $as: none: status" $rc 0
	is "hist $as: none" "$(grep -vc ^from, out)" 0
	has "hist $as: none: says so" err "no event of the interval"
done
# With a filter it goes by rows, else on columns: the same.
for q in "duration --by comm" "duration --by name" "ret --by ret_name" \
	"duration --by pid" "latency --by disk" "start_time" \
	"duration --from -500ms --by cpu" "lifetime --by exe" \
	"child_tid -e task_fork --by child_tid_comm" "weight"; do
	# shellcheck disable=SC2086
	run hist a $q --json -f 'cpu >= 0'
	cp out rows
	cp err rows.err
	for jobs in 1 3; do
		# shellcheck disable=SC2086
		run hist a $q --json --jobs $jobs
		cmp -s out rows || fail "hist $q --jobs $jobs: not as by rows"
		cmp -s err rows.err || fail "hist $q --jobs $jobs: other words"
	done
done
run hist a duration --json --csv
is "hist: two formats: status" $rc 2
run hist a nothing
is "hist: no such field: status" $rc 2

# losses
record_losses b
is "with losses: record" $rc 3
lost=$("$WEIR" stat b --json 2>/dev/null |
	jq '[.losses[] | select(.source == "syscall").events] | add')
run query b --json 'SELECT count(*) FROM syscall_done'
is "losses: status" $rc 3
has "losses: how many" err "^weir: $lost events of this interval were lost"
run query b --json 'SELECT sum(count) AS n FROM losses'
is "losses: the table" "$(jq .n out)" "$lost"
run query b --json 'SELECT sum(lost_kernel + lost_main + lost_archive + missed)
	AS n FROM account'
is "losses: the account" "$(jq .n out)" "$lost"
run query b 'SELECT count(*) FROM task_exec'
is "losses: of another source" $rc 0
has "losses: of another source" err "whole, but other sources lost $lost"
run hist b duration -e syscall_done
is "losses: hist" $rc 3
done_testing
