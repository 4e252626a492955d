#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# command.sh - `-- COMMAND`: its status is weir's, its streams and environment
# are untouched, and it is recorded from its first instruction to its last.

. "$(dirname "$0")/lib.sh"
needs_recording

# status WANTED WORD…: of a command under weir
status() {
	local want=$1
	shift
	rm -rf a
	run record -q -o a -- "$@"
	is "record -- $*: status" $rc "$want"
}

status 0 true
is "a quiet recording says nothing" "$(cat err)" ""
status 7 sh -c 'exit 7'
status 3 sh -c 'exit 3'
status 143 sh -c 'kill $$'
status 137 sh -c 'kill -9 $$'
status 127 no-such-program
has "no such program" err "^weir: cannot execute 'no-such-program': No such"
[ -e a ] && fail "an archive of nothing is left behind"
status 126 /etc/passwd
has "no program" err "^weir: cannot execute '/etc/passwd': Permission denied"
printf 'exit 5\n' >script && chmod +x script
status 5 ./script

# What the command sees is what the caller has.
rm -rf a
got=$(cd / && X='a b' "$WEIR" record -q -o "$dir/a" -- \
	sh -c 'cat; echo "$X $PWD"; trap' <<<in)
is "stdin, environment, directory, signals" "$got" $'in\na b /'
"$WEIR" record -q -o a2 -- sh -c 'grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status
	ls /proc/self/fd | wc -l' >under
sh -c 'grep -E "Sig(Blk|Ign|Cgt)" /proc/self/status
	ls /proc/self/fd | wc -l' >plain
cmp -s under plain || fail "signals or descriptors differ: $(diff under plain)"

# The whole tree from its first exec on, and nothing else.
rm -rf a
run record -o a -- sh -c 'sh -c "/bin/echo deep; exit 0" & wait; /bin/echo up'
is "tree: status" $rc 0
is "tree: stdout" "$(tr '\n' ' ' <out)" "deep up "
has "tree: what was kept" err '^weir: kept [1-9][0-9]* events, .* in a$'
has "tree: what to type next" err '^weir: look at it: weir stat a'
run show a -e task_exec
is "tree: first" "$(grep -c 'task_exec .*sh sh -c' <(head -n 1 out))" 1
is "tree: programs" "$(lines out)" 4
run export a --to jsonl -e task_exit
is "tree: ends" "$(jq -s 'map(select(.last)) | length' out)" 4

# --for ends the recording; the command is waited for and keeps its status.
rm -rf a
run record -o a --for 300ms -- sh -c \
	'until grep -q "recording ended" err; do sleep 0.1; done; exit 9'
is "--for and a command: status" $rc 9
has "--for and a command" err "recording ended; waiting for 'sh'"
run show a -e task_exit -f 'comm == sh'
is "--for: what came after is not recorded" "$(lines out)" 0

# A signal to weir alone ends the command, too.
rm -rf a
"$WEIR" record -q -o a -- sleep 300 2>err &
pid=$!
wait_for 20 pgrep -P $pid -x sleep >/dev/null
sleep 0.3
kill -TERM $pid
wait $pid
is "SIGTERM with a command: status" $? 143
run show a -e task_exit
has "its end is recorded" out 'task_exit .*signal=SIGTERM'

# watch has the same rules.
run watch -- sh -c 'echo hello; exit 6'
is "watch: status" $rc 6
has "watch: events" out 'task_exec .*sh -c'
has "watch: the command's own output" out '^hello$'
done_testing
