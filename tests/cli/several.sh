#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# several.sh - archives, segments, and both in any number, for every command
# that reads; of several runs in the order of time, of several weirs, kernels
# and boots.

. "$(dirname "$0")/lib.sh"
needs_recording
golden=$root/tests/golden

# shellcheck disable=SC2016
for a in b a; do # the second one is named first below
	run record -q -o $a --buffer 64M --segment 16K \
		--set syscall.calls=all -- sh -c \
		'for i in 1 2 3; do ls -R /usr/include/linux; sleep 1.1; done'
	is "record $a: status" $rc 0
done
[ "$(find a -name '*.weir' | wc -l)" -ge 2 ] || fail "one segment only"
run show b --json
cp out all
run show a --json
cp out a.json
cat out >>all

segments=$(printf '%s\n' a/*.weir b/*.weir | sort -R)
for words in "a b" "b a" "$segments" "a $segments b"; do
	# shellcheck disable=SC2086
	run show $words --json
	cmp -s out all || fail "show $words: not both, once, in order"
	for c in stat tasks verify "hist duration" "export --to csv" \
		"query SELECT"; do
		case $c in
		hist*) set -- hist $words duration ;;
		query*) set -- query $words 'SELECT count(*) FROM events' ;;
		*) set -- $c $words ;;
		esac
		run "$@"
		is "$c of $(echo $words | wc -w): status" $rc 0
		[ -s out ] || fail "$c: nothing"
	done
	# shellcheck disable=SC2086
	run stat $words --json
	is "stat $words" "$(jq .events out)" "$(lines all)"
done
run show a --from -0.5s
last=$(lines out)
run show b a --from -0.5s
is "a time is before the end of all" "$(lines out)" "$last"
run show a --from now
is "now is its end" "$(lines out)" 0

# Another schema: of an older kernel, with other sources. Each answer has all.
rows=$golden/archives/rows
run show "$rows" --json
cp out rows.json
run show "$rows" a --json
is "two schemas: status" $rc 0
cat rows.json a.json | cmp -s - out || fail "two schemas: not one after another"
run show a "$rows"
sort out >text
{
	"$WEIR" show a
	"$WEIR" show "$rows"
} | sort | cmp -s - text || fail "two schemas: other lines"
run export "$rows" a --to csv
is "two schemas: CSV" "$(python3 -c 'import csv, sys
rows = list(csv.reader(open("out")))
print(len(rows) - 1, {len(r) for r in rows} == {len(rows[0])})')" \
	"$(cat rows.json a.json | lines /dev/stdin) True"
count() { # FILTER ARCHIVE…
	"$WEIR" show --json -f "$@" | jq -s length
}
for f in 'kind == syscall_done' 'syscall_done.name == openat' \
	'ret == ENOENT' 'task_exec.argc > 1' 'comm == "ls"'; do
	is "two schemas: $f" "$(count "$f" "$rows" a)" \
		"$(($(count "$f" "$rows") + $(count "$f" a)))"
done
ask() { # SQL ARCHIVE…
	local sql=$1
	shift
	"$WEIR" query --json "$@" "$sql"
}
for sql in 'SELECT kind, cpu, pid, comm, ts FROM events' \
	'SELECT ts, pid, comm, name, ret, ret_name, duration FROM syscall_done' \
	'SELECT ts, new_comm, argv FROM task_exec' \
	'SELECT ts, time FROM task_fork WHERE child_pid > 0'; do
	ask "$sql" "$rows" a | sort >both
	{
		ask "$sql" "$rows"
		ask "$sql" a
	} | sort | cmp -s - both || fail "two schemas: $sql"
done
is "two schemas: groups" \
	"$(ask 'SELECT count(*) AS n FROM syscall_done' "$rows" a | jq .n)" \
	"$(($(ask 'SELECT count(*) AS n FROM syscall_done' "$rows" | jq .n) + \
		$(ask 'SELECT count(*) AS n FROM syscall_done' a | jq .n)))"
run stat "$rows" a --json
is "two schemas: stat" "$(jq .events out)" "$(cat rows.json a.json | grep -vc \
	-e '"kind":"gap"' -e '"context"')"
is "two schemas: each kind once" \
	"$(jq -r '.kinds[].kind' out | sort | uniq -d)" ""
run hist "$rows" a duration --json
is "two schemas: hist" "$(jq .count out)" \
	"$(($("$WEIR" hist "$rows" duration --json | jq .count) + \
		$("$WEIR" hist a duration --json | jq .count)))"
run verify "$rows" a
is "two schemas: verify" $rc 0
mkdir one
cp "$rows"/*.weir a/*.weir one
run show one --json
is "two schemas in a directory: status" $rc 0
cmp -s <(sort out) <(sort rows.json a.json) ||
	fail "two schemas in a directory: other events"

# Another boot: as rows, an hour later.
mkdir boot
PYTHONPATH=$golden PYTHONDONTWRITEBYTECODE=1 python3 - "$golden" <<'PY'
import glob, struct, sys
sys.argv[1:], golden = [], sys.argv[1]
from read_archive import CLOCK, HEADER, INDEX, SEGMENT, crc32c
source = glob.glob(golden + "/archives/rows/*.weir")[0]
data = bytearray(open(source, "rb").read())
HOUR, at = 3600 * 10**9, 0
def later(at):
    was, = struct.unpack_from("<Q", data, at)
    struct.pack_into("<Q", data, at, was + HOUR)
while at < len(data):
    head = list(HEADER.unpack_from(data, at))
    if head[2] == INDEX:  # it and what follows have copies: do without
        break
    size = head[11] + 7 & ~7
    body = at + 64
    if head[2] == SEGMENT:
        data[body + 8] ^= 1   # another run
        data[body + 48] ^= 1  # of another boot
        later(body + 24)
        later(body + 32)
    elif head[2] == CLOCK:
        later(body + 8)
    head[12] = crc32c(data[body:body + size])
    head[14] = crc32c(HEADER.pack(*head)[:60])
    data[at:body] = HEADER.pack(*head)
    at = body + size
name = "boot/" + source.split("/")[-1] + ".open"
open(name, "wb").write(data[:at])
PY
run show "$rows" boot --json
is "two boots: status" $rc 0
n=$(lines rows.json)
is "two boots: one after the other" "$(lines out)" $((2 * n))
tail -n "$n" out | jq -c '.ts -= 3600000000000 | del(.start_time)' >later
jq -c 'del(.start_time) | .ts -= 0' rows.json | cmp -s - later ||
	fail "two boots: not the same an hour later"
run show boot "$rows" --from -30m --json
is "two boots: the last half of an hour" "$(lines out)" "$n"
run show boot "$rows" --to -30m --json
cmp -s out rows.json || fail "two boots: the hour before"
first=$(jq -s '[.[].ts] | sort | .[5]' <rows.json)
run show boot "$rows" -f "ts >= $(date -u -d "@${first%?????????}" +%FT%T)Z"
[ "$(lines out)" -ge $((n + 1)) ] || fail "two boots: a filter's time"
run stat "$rows" boot --json
is "two boots: span" "$(jq '(.last - .first - .span | fabs) < 1000 and
	.span > 3600000000000 and .span < 3630000000000' out)" true
is "two boots: told" "$(jq .boots out)" 2
"$WEIR" tasks "$rows" --json | jq length >one_boot
run tasks "$rows" boot --json
is "two boots: processes" "$(jq length out)" $((2 * $(cat one_boot)))
is "two boots: SQL" "$(ask 'SELECT count(*) AS n FROM syscall_done
	WHERE ts > at("-30m")' "$rows" boot | jq .n)" \
	"$(ask 'SELECT count(*) AS n FROM syscall_done' "$rows" | jq .n)"
is "two boots: names" "$(ask 'SELECT comm, count(*) AS n FROM events
	GROUP BY comm' "$rows" boot)" "$(ask 'SELECT comm, 2 * count(*) AS n
	FROM events GROUP BY comm' "$rows")"
done_testing
