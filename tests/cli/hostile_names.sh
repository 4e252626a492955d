#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# hostile_names.sh - files and programs whose names hold newlines, escape
# sequences, quotes and bytes that are no UTF-8: nothing of it reaches a
# terminal, JSON or CSV unescaped, and JSON gives every byte back.

. "$(dirname "$0")/lib.sh"
needs_recording

names=(
	$'new\nline'
	$'esc\e[31mred\e]0;title\a'
	'quote"and'"'"'and\back'
	$'latin\xe9 and \xff\xfe'
	$'c1\xc2\x9b31m'
	$'right-to-left\u202etxt.exe'
	'=cmd|"calc"!A0'
	'+1-1'
	'@SUM(1)'
	$'tab\tand\rreturn\x7f'
	'日本 ünïcödé'
	'comma,semi;colon'
	'-dash'
)
mkdir files
{
	echo 'set -e'
	for n in "${names[@]}"; do
		printf 'exec 3>%q; exec 3>&-\n' "files/$n"
		printf 'cd files; exec 3>%q; exec 3>&-; cd ..\n' "$n"
		printf 'cp /bin/true %q; %q || :\n' "files/x$n" "./files/x$n"
	done
} >script
long=$(head -c 4000 /dev/zero | tr '\0' 'a')
longer=$(head -c 9000 /dev/zero | tr '\0' 'b')
{
	printf '/bin/true %s last\n' "$long"
	printf '/bin/true %s\n' "$longer"
	printf 'exec -a %q sleep 0\n' $'zero\e[2J\n\xff'
} >>script
run record -q -o a -- bash script
is "record" $rc 0
[ "$rc" = 0 ] || cat err

# text
run show a
is "show" $rc 0
is_clean "text" out
is "text: a line for each event" "$(lines out)" \
	"$(grep -cE '^[0-9:]+\.[0-9]+ cpu[0-9]+ ' out)"
has "text: an escape is shown" out 'esc\\x1b\[31mred'
hasnt "text: no right-to-left override" out $'\u202e'
has "text: UTF-8 stays" out '日本 ünïcödé'
run tasks a
is_clean "tasks" out
run stat a
is_clean "stat" out

# JSON: every line parses, every byte comes back
run export a --to jsonl
is_clean "JSON" out
jq -e -c . out >/dev/null || fail "JSON: does not parse"
printf '%s\0' "${names[@]}" >wanted
python3 - out wanted <<'PY' || fail "JSON: bytes are lost"
import json, sys
opened, argvs, cut = set(), [], []
for line in open(sys.argv[1], encoding="utf-8"):
    e = json.loads(line)
    for k in ("path", "file"):
        if isinstance(e.get(k), str):
            opened.add(e[k].encode("utf-8", "surrogateescape"))
    if e["kind"] == "task_exec":
        argvs.append([a.encode("utf-8", "surrogateescape")
                      for a in e["argv"] or []])
        cut.append(e.get("argv_full"))
for name in open(sys.argv[2], "rb").read().split(b"\0")[:-1]:
    assert b"files/" + name in opened, ("path", name)
    assert any(o.endswith(b"/files/" + name) for o in opened), ("file", name)
    assert [b"./files/x" + name] in argvs, ("argv", name)
assert any(a[-1:] == [b"last"] and len(a[-2]) == 4000 for a in argvs)
assert 9000 + len("/bin/true") + 2 in cut, cut
assert any(a[0] == b"zero\x1b[2J\n\xff" for a in argvs if a)
PY

# CSV: parses, no control characters, nothing a spreadsheet would run
run export a --to csv
is_clean "CSV" out
python3 - out <<'PY' || fail "CSV: does not parse, or holds a formula"
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="", encoding="utf-8")))
assert all(len(r) == len(rows[0]) for r in rows)
strings = [rows[0].index(c) for c in ("comm", "path", "file", "filename")]
for r in rows[1:]:
    assert not any(r[i][:1] in "=+@-" for i in strings if r[i]), r
paths = {r[rows[0].index("path")] for r in rows[1:]}
for name in ('=cmd|"calc"!A0', "+1-1", "@SUM(1)", "-dash"):
    assert "'" + name in paths, (name, paths)
PY

# A filter finds them by value, bytes and all.
run show a -e task_exec -f 'argv ~ "*esc\x1b[[]31m*"'
[ "$(lines out)" -ge 1 ] || fail "filter: an escape in a string"

# Names that come from the command line.
run show $'no\nsuch\e[31marchive'
is "error: one line" "$(lines err)" 1
is_clean "error" err
run record -o a -s $'x\e[31m\ny'
is "no such source: status" $rc 2
is "no such source: one line" "$(lines err)" 1
is_clean "no such source" err
run record -q -o b -- sh -c $': \e[31m\nred'
run stat b
is_clean "stat: command" out
run stat b --json
jq -e '.command | contains("\u001b[31m\nred")' out >/dev/null ||
	fail "stat --json: command"
done_testing
