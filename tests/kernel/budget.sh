#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A flood of system calls that costs more than the budget allows: weir comes
# below and stays there by recording one in so many, has every task that begins
# and ends meanwhile, counts what it shed to the event, and what it recorded
# times its weight is what there was. When the flood is over, it records all.
. tests/kernel/lib.sh

recorder=
trap 'kill -9 $recorder 2>/dev/null; rm -rf "$dir"' EXIT

HZ=300000
PROCS=400
GETPPID='name == getppid and comm == "load"'

# flood BUDGET SECONDS QUIET: known calls and a known number of processes, and
# nothing for QUIET seconds. Of others' calls none is an event.
flood() {
	rm -rf "$dir/a"
	"$WEIR" record -q -o "$dir/a" --buffer 64M -s syscall,task \
		--set syscall.calls=getppid --set syscall.slower=0 \
		--budget "$1" --name "$dir/socket" >"$dir/said" 2>&1 &
	recorder=$!
	await "$WEIR" status --name "$dir/socket" >/dev/null 2>&1
	"$LOAD" procs $PROCS >/dev/null &
	storm=$!
	"$LOAD" rate $HZ "$2" >"$dir/out"
	calls=$(sed -n 's/^calls //p' "$dir/out")
	wait $storm
	sleep "$3"
	kill -INT $recorder
	wait $recorder
	is "recorder's exit code" $? 0
	recorder=
}

# metric NAME [AFTER-NS]: its values
metric() {
	events repo_metric "repo_metric.name == \"$1\"" |
		jq -r "select(.ts >= ${2:-0} and .of == \"\") | .value"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] + 0 }'; }

# What it costs when it may: the budget is then half of that.
flood 10000% 5 1
free=$(metric cost | sort -n | tail -n 1)
is "within a budget nothing is shed" "$(count repo_shed)" 0
is "all recorded" "$(count syscall_done "$GETPPID")" "$calls"
limit=$((free / 2))
echo "the flood costs $free ppm of a CPU, may cost $limit"

flood "$((limit / 10000)).$(printf %04d $((limit % 10000)))%" 10 8
events repo_shed >"$dir/shed"
began=$(events syscall_done "$GETPPID" | sed -n 1p | jq .ts)
last=$(events syscall_done "$GETPPID" | tail -n 1 | jq .ts)
# Generous: it is below after half a second on a host that does nothing else.
metric cost $((began + 4000000000)) >"$dir/cost"
within "cost in the flood, ppm" "$(head -n 5 "$dir/cost" | median)" 1 "$limit"
jq -r "\"shed from \((.ts - $began) / 1000000 | floor) ms on, one in \(.one_in)\"" \
	"$dir/shed" | head -n 3
recorded=$(count syscall_done "$GETPPID")
estimate=$(events syscall_done "$GETPPID" | jq -s 'map(.weight // 1) | add')
echo "calls $calls, recorded $recorded"
# (How much has to be shed depends on what else the host does by then.)
[ "$recorded" -lt $((calls * 9 / 10)) ] || fail "next to nothing was shed"
within "estimate of the calls" "$estimate" $((calls * 95 / 100)) \
	$((calls * 105 / 100))

# What answers say of it.
is "in SQL" "$("$WEIR" query "$dir/a" --json "SELECT sum(weight) s FROM
	syscall_done WHERE name = 'getppid' AND comm = 'load'" 2>"$dir/said" | jq -s '.[0].s // .[0][0].s')" \
	"$estimate"
grep -q "events of this interval were not recorded" "$dir/said" ||
	fail "SQL: $(cat "$dir/said")"
"$WEIR" stat "$dir/a" >"$dir/said" 2>&1
is "stat: exit code" $? 3
grep -q 'syscall_done.*≈' "$dir/said" || fail "stat: $(cat "$dir/said")"
"$WEIR" show "$dir/a" -e task_fork >/dev/null 2>"$dir/said"
is "of a source that was not shed" "$? $(cat "$dir/said")" "0 "

for what in "task_fork pid" "task_exec ppid" "task_exit ppid"; do
	# shellcheck disable=SC2086
	is "$what" "$(count ${what% *} "${what#* } == $storm")" $PROCS
done

"$WEIR" stat "$dir/a" --json 2>/dev/null >"$dir/stat"
for source in syscall task; do
	shed=$(jq "[.sources[] | select(.source == \"$source\") | .shed] | add" \
		"$dir/stat")
	is "$source: the stream tells of what the account says was shed" \
		"$(jq -s "map(select(.of == \"$source\").count) | add // 0" \
			"$dir/shed")" "$shed"
	[ $source != task ] || is "task: shed" "$shed" 0
done
is "one in so many when all is quiet" \
	"$(jq -s 'map(select(.before > 0)) | last.one_in' "$dir/shed")" 1
whole
done_testing
