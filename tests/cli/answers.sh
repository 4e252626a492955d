#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# answers.sh - what the reading commands say of one recording agrees: show,
# stat, tasks and export count the same events, in text, JSON and CSV; filters
# and intervals take away what they say; nobody needs root.

. "$(dirname "$0")/lib.sh"
needs_recording

# shellcheck disable=SC2016
run record -q -o a -- sh -c 'for i in 1 2 3 4 5; do /bin/true; done
	sleep 0.4; for i in 1 2 3; do /bin/false; done'
is "record: status" $rc 1

run show a
events=$(lines out)
[ "$events" -gt 30 ] || fail "only $events events"
run show a --json
is "show --json: as many" "$(jq -s length out)" "$events"
jq -e -s 'all(has("ts") and has("source") and has("kind") and has("cpu") and
	has("pid") and has("tid") and has("comm"))' out >/dev/null ||
	fail "show --json: a common key is missing"
jq -e -s 'map(.ts) | . == sort' out >/dev/null ||
	fail "show --json: not in order"
cp out show.json
run export a --to jsonl
cmp -s out show.json || fail "export --to jsonl is not show --json"
run stat a --json
is "stat: as many" "$(jq .events out)" "$events"
is "stat: sum of kinds" "$(jq '[.kinds[].events] | add' out)" "$events"
is "stat: by kind" "$(jq -c '[.kinds[] | [.kind, .events]] | sort' out)" \
	"$(jq -s -c '[group_by(.kind)[] | [.[0].kind, length]] | sort' \
		show.json)"
is "stat: lost" "$(jq .lost_in_all out)" 0
run stat a
is "stat: status" $rc 0
has "stat: a row" out '^task_exec +task +10 '
has "stat: the command" out "^command +sh -c"
run tasks a --json
is "tasks: as many" "$(jq '[.[].events] | add' out)" "$events"
is "tasks: by name" \
	"$(jq -c '[.[] | .comm | select(. == "true" or . == "false")]' out)" \
	'["true","true","true","true","true","false","false","false"]'
run tasks a
has "tasks: a row" out '^ *[0-9]+ +0 +[0-9:.]+ .* task_exec 1'
run verify a
is "verify: status" $rc 0
has "verify" out '^whole: '
run verify a --json
is "verify --json" "$(jq -r .verdict out)" whole

# filters
run show a -e task_exec
is "-e task_exec" "$(lines out)" 10
run show a -s task -e '*_exec,*_exit'
is "globs" "$(lines out)" 20
run show a -f 'kind == task_exec and comm == "true"'
is "-f comm" "$(lines out)" 5
run show a -e task_exit -f 'not exit_code == 0'
is "-f not" "$(lines out)" 4

# the first so many
run show a -n 3
is "show -n: as many, and weir's first word" "$(lines out)" 4
cmp -s out <("$WEIR" show a | head -n 4) || fail "show -n: not the first"
run show a -n 1 -e repo_log
is "show -n of weir's own" "$(lines out)" 1
run show a -n 2 -f 'comm == "false"' -e task_exit --json
is "show -n of what was asked for" "$(jq -s 'map(.kind)|unique|.[]' out)" \
	'"task_exit"'
is "show -n of what was asked for: as many" "$(lines out)" 2
run export a --to csv -n 4
is "export -n: a header, and as many" "$(lines out)" 6
run watch -q -n 1 -e task_exec --for 20s -- sh -c '/bin/true; /bin/false'
is "watch -n: status" $rc 1
is "watch -n: as many" "$(lines out)" 1

# intervals
mid=$(grep -m1 '"kind":"task_exec".*"comm":"false"' show.json |
	sed 's/.*"ts":\([0-9]*\)\([0-9]\{9\}\),.*/\1.\2/') # more than jq holds
mid=$(date -u -d "@$mid" +%Y-%m-%dT%H:%M:%S.%NZ)
run show a -e task_exec --from "$mid"
is "--from" "$(lines out)" 3
run show a -e task_exec --to "$mid"
is "--to" "$(lines out)" 7
# before its end: the pause of 400 ms lies before the last three
run stat a --json
since=$(jq --arg mid "$(grep -m1 '"kind":"task_exec".*"comm":"false"' \
	show.json | sed 's/.*"ts":\([0-9]*\),.*/\1/')" \
	'((.last - ($mid | tonumber)) / 1000000 | floor) + 100' out)
run show a -e task_exec --from "-${since}ms"
is "--from -${since}ms" "$(lines out)" 3
run stat a --json -e task_exec --to "$mid"
is "stat --to" "$(jq .events out)" 7
run tasks a --json --at "$mid"
shell=$(sed -n '/"kind":"task_exec"/{s/.*"pid":\([0-9]*\),.*/\1/p;q}' show.json)
is "tasks --at: who was alive" \
	"$(jq -c "[.[] | select(.pid == $shell or .ppid == $shell) | .comm]" \
		out)" '["sh","false"]'

# tasks --at: of the processes that were forked, those that had not ended
run export a --to jsonl -e task_fork,task_exit
cp out life.json
cat >alive.py <<'PY'
import json, subprocess, sys
from datetime import datetime, timezone
events = [json.loads(line) for line in open("life.json")]
forked = {e["child_pid"] for e in events if e["kind"] == "task_fork"}
for at in range(1, len(events), 3):
    ts, alive = events[at]["ts"], set()
    for e in events[:at]:
        if e["kind"] == "task_fork":
            alive.add(e["child_pid"])
        elif e["last"]:
            alive.discard(e["pid"])
    when = datetime.fromtimestamp(ts // 10**9, timezone.utc)
    when = when.strftime("%Y-%m-%dT%H:%M:%S.") + "%09dZ" % (ts % 10**9)
    got = subprocess.run([sys.argv[1], "tasks", "a", "--all", "--json", "--at",
                          when], capture_output=True, check=True).stdout
    got = {p["pid"] for p in json.loads(got) if not p["exit_time"]}
    assert got & forked == alive, (when, sorted(got & forked), sorted(alive))
PY
python3 alive.py "$WEIR" || fail "tasks --at: not who was alive"
run export a --to csv -e task_exec --to "$mid"
is "export: format and time" "$(lines out)" 8

# CSV
run export a --to csv -o events.csv
is "csv: status" $rc 0
is "csv: mode" "$(stat -c %a events.csv)" 600
python3 - events.csv "$events" <<'PY' || fail "csv: does not parse"
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert rows[0][:7] == ["time", "source", "kind", "cpu", "pid", "tid", "comm"]
assert len(rows) == int(sys.argv[2]) + 1, len(rows)
assert all(len(r) == len(rows[0]) for r in rows)
PY
run export a --to csv -o events.csv
is "csv: does not overwrite: status" $rc 1
has "csv: does not overwrite" err "there already \(--force"
run export a --to csv -e task_exec -o events.csv --force
is "csv: --force" "$(lines events.csv)" 11

# several archives; the live stream prints what the archive shows
run record -q -o b -- true
run show a b -e task_exec
is "two archives" "$(lines out)" 11
# a day ends between them, where its clock says so
run export b --to jsonl -e task_exec
day=$(jq '86400 - (.ts / 1000000000 | floor) % 86400' out)
zone=$(printf 'DAY-%d:%02d:%02d' $((day / 3600)) $((day / 60 % 60)) \
	$((day % 60)))
TZ=$zone run show a b -e task_exec
hasnt "two days: each line has its date" out '^[0-9]{2}:'
is "two days" "$(cut -dT -f1 out | sort -u | wc -l)" 2
dated=$(sed -n '$s/ .*//p' out) # as it is shown, it can be asked for
TZ=$zone run show a b -e task_exec --from "$dated"
is "two days: --from what is shown" "$(lines out)" 1
TZ=IST-05:30 run stat b
has "stat: in the reader's zone, which it names" out \
	'^recorded +20[^ ]*\+05:30 \.\. 20[^ ]*\+05:30, '
begin=$(awk '/^recorded/ { print $2 }' out)
TZ=PST08:00 run show b -e task_exec --from "$begin"
is "stat: what it shows can be asked for anywhere" "$(lines out)" 1
run stat b --utc
has "stat --utc" out '^recorded +20[^ ]*Z \.\. 20[^ ]*Z, '
run show -e task_exec b
hasnt "one day: no date" out '^....-'
cp out one
sed -i 's/^[0-9:.]* cpu[0-9]* //; s/[0-9]*\]/]/g' one
run watch -q -e task_exec -- true
sed -i 's/^[0-9:.]* cpu[0-9]* //; s/[0-9]*\]/]/g' out
cmp -s out one || fail "watch and show differ: $(diff out one)"
# shellcheck disable=SC2016
run watch -q -e task_exec,task_exit -f 'comm == "true"' -- \
	sh -c '/bin/true; /bin/false'
is "watch -e and -f: what the filter refuses is not shown" "$(lines out)" 2

# anybody who may read the files
if command -v setpriv >/dev/null; then
	chmod 755 "$dir" a && chmod 644 a/*
	nobody="setpriv --reuid=65534 --regid=65534 --clear-groups
		--bounding-set=-all --inh-caps=-all"
	for c in show stat tasks verify "export --to csv" "list" ; do
		# shellcheck disable=SC2086
		$nobody "$WEIR" $c $([ "$c" = list ] || echo "$dir/a") \
			>out 2>err </dev/null ||
			fail "$c without privileges: $(head -n 1 err)"
	done
fi
done_testing
