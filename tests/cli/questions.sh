#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# questions.sh - what is asked at night, of archives that were kept: the manual
# page's examples work as they stand, times are near the archive's end, a
# process that has ended is not alive, and what is asked wrongly is told how.

. "$(dirname "$0")/lib.sh"
command -v jq >/dev/null || skip "needs jq"
export TZ=UTC0
cp -r "$root/tests/golden/archives/columns" trip || exit 1

# ---- the manual page ---------------------------------------------------------

cat >examples.py <<'PY'
import re, sys
text = open(sys.argv[1]).read()
text = text[text.index(".Sh EXAMPLES"):text.index(".Sh SEE ALSO")]
for block in re.findall(r"\.Bd .*?\n(.*?)\.Ed", text, re.S):
    block = block.replace("\\\n", "").replace("\\e\n", "")
    for line in re.split(r"\n(?! )", block.replace("\\-", "-").strip()):
        if line.startswith("weir ") and " trip" in line:
            print(line.replace("\n", " "))
PY
python3 examples.py "$root/user/man/weir.1" >examples
[ "$(lines examples)" -ge 14 ] || fail "only $(lines examples) examples"
weir() { "$WEIR" "$@"; }
while IFS= read -r line; do
	eval "$line" >out 2>err </dev/null
	is "$line" $? 0
	case $line in
	*"query"*) eval "${line/query/query --plan}" >/dev/null 2>err
		has "$line" err 'answered from columns' ;;
	esac
done <examples
[ -s slow.csv ] || fail "no slow.csv"

# ---- times -------------------------------------------------------------------

# told CMD… PATTERN: one line on stderr says so
told() {
	run "${@:1:$#-1}"
	has "${*:1:$#-1}" err "${!#}"
}

run show trip --from 01:44:50
cp out from
[ -s from ] || fail "--from 01:44:50: nothing"
run show trip -f 'ts >= 01:44:50'
cmp -s out from || fail "ts of a filter is not near the archive's end"
run show trip --from -5s
cp out from
[ -s from ] || fail "--from -5s: nothing"
run show trip -f 'ts >= -5s'
cmp -s out from || fail "-5s of a filter is not before the archive's end"
run show trip
cp out all
run show trip --to 2400-01-01
cmp -s out all || fail "--to 2400-01-01 is not after all of it"
for late in 2400-01-01 @18446744072; do
	told show trip --from $late 'nothing was recorded at that time'
	is "--from $late" "$(lines out)" 0
done
told stat trip --to 2020-01-01 'nothing was recorded at that time'
told tasks trip --at 2020-01-01 'nothing was recorded at that time'
run show trip --from 01:44:50
is "an interval that was recorded: stderr" "$(lines err)" 0

# ---- processes ---------------------------------------------------------------

run export trip --to jsonl -e task_exit
jq -s -c '[.[] | select(.last == true).pid] | unique' out >ended
run tasks trip -e syscall_done --json
jq -c --slurpfile ended ended '[.[] | select(.exit_time == null and .events > 0)
	.pid | select(IN($ended[0][]))]' out >wrong
is "those that ended are not alive" "$(cat wrong)" '[]'
run tasks trip -f 'name == execve and kind == syscall_done' --json
cp out execs
run tasks trip --json
jq -c --slurpfile all out '[.[] | select(.events > 0) | . as $p |
	select([$all[0][] | select(.pid == $p.pid and .comm == $p.comm and
		.exit_time == $p.exit_time)] | length != 1) | .pid]' execs >wrong
is "a filter changes no name and no end" "$(cat wrong)" '[]'
run tasks trip --from 01:44:45 --to 01:44:46 --json
cp out some
run export trip --to jsonl --from 01:44:45 --to 01:44:46
is "tasks --from --to" "$(jq '[.[].events] | add' some)" "$(lines out)"
run tasks trip --at 01:44:46 --to 01:44:46
is "--at and --to: status" $rc 2
told tasks trip --at 01:44:38 'nobody who was alive then had done anything'
told tasks trip -f 'comm == nobody' 'nobody did anything'

run stat trip --json
jq -c '[.ended[] | [.comm, .count, .utime, .killed]] | sort | .[]' out >ended
run query trip --json 'SELECT comm, count(*), sum(utime), sum(signal <> 0)
	FROM task_exit GROUP BY comm ORDER BY comm'
jq -c '[.[]]' out >want
[ -s want ] && cmp -s ended want || fail "stat: not who ended"

# ---- asked wrongly -----------------------------------------------------------

told show trip --since 01:44 "did you mean '--from'"
told stat trip --until 01:44 "did you mean '--to'"
told export trip --to csv --since 01:44 "did you mean '--from'"
told show trip -f 'errno == ENOENT' "no field 'errno'; did you mean 'ret'"
told show trip -f 'pathname ~ "/etc/*"' "did you mean 'path'"
told query trip "SELECT 1 FROM events WHERE time > '01:44'" \
	"'01:44', which it was compared with.*at\('14:03'\)"
told query trip "SELECT 1 FROM events WHERE time < at('-5s')" 'time is text'
told query trip "SELECT 1 FROM events WHERE ts > '01:44'" 'ts is a number.*at\('
told query trip "SELECT count(*) FROM task_exit WHERE lifetime > '10ms'" \
	"lifetime is a number.*span\('10ms'\)"
told query trip "SELECT 1 FROM task_exit WHERE max_rss > '1M'" "size\('64K'\)"
told query trip "SELECT 1 FROM syscall_done WHERE ret = 'ENOENT'" \
	"'ENOENT', .*write ret_name"
told query trip "SELECT 1 FROM syscall_done WHERE ret IN (-2, 'EPERM')" "'EPERM'"
told query trip "SELECT 1 FROM events WHERE pid = 'sh'" 'numbers alone'
told query trip 'SELECT 1 FROM sockets' 'weir list events'
told query trip 'SELECT command FROM events' 'weir list fields'
run query trip "SELECT 1 FROM events WHERE time BETWEEN '2026-11-23' AND '2027'"
is "a time that is one: stderr" "$(lines err)" 0
[ -s out ] || fail "a time that is one: nothing"
run query trip "SELECT 1 FROM events WHERE pid > '1' AND ts > 1.5 AND comm > 5"
is "numbers that are some: stderr" "$(lines err)" 0
[ -s out ] || fail "numbers that are some: nothing"
done_testing
