#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# With -p others have to do with those that are followed: they send signals,
# wake them, leave the CPU to them. Whoever they are, also when they were
# started or called otherwise since: every event has a known task.
. tests/kernel/lib.sh

cp /bin/bash "$dir/stranger"
cp /bin/bash "$dir/changed"
mkfifo "$dir/fifo" "$dir/go"
exec 3<>"$dir/fifo" 4<>"$dir/go"
bash -c 'trap : USR1; while read -r word && [ "$word" != end ]; do :; done' \
	<&3 &
followed=$!
bash -c "read -r _; exec '$dir/changed' -c 'kill -USR1 $followed; exit 0'" \
	<&4 &
changed=$!
sleep 0.5 # both are there
start_recorder -o "$dir/a" --buffer 64M -s task,sched -p $followed
for i in 1 2 3; do
	"$dir/stranger" -c "echo $i >&3; kill -USR1 $followed; exit 0"
done
echo >&4
wait $changed
echo end >&3
wait $followed
kill -INT $recorder
wait $recorder
is "exit" $? 0
whole

"$WEIR" export "$dir/a" --to jsonl >"$dir/all" || fail "export: exit $?"
is "events of a task without a name" \
	"$(jq -r 'select(.tid != 0 and (.comm // "") == "") | .kind' \
		"$dir/all" | sort | uniq -c)" ""
is "who sent signals" "$(jq -r 'select(.signal_name == "SIGUSR1") | .comm' \
	"$dir/all" | sort | uniq -c | tr -s ' \n' ' ')" " 1 changed 3 stranger "
ask() { "$WEIR" query --csv "$dir/a" "$1" | tail -n +2; }
is "their files" "$(ask "SELECT DISTINCT exe FROM task_signal
	WHERE signal = 10 ORDER BY 1" | sed 's,.*/,,' | tr '\n' ' ')" "changed stranger "
[ "$(jq -r 'select(.kind == "sched_wakeup" and .comm == "stranger") | .kind' \
	"$dir/all" | wc -l)" -gt 0 ] || fail "no stranger woke anybody"
is "that they ended is known" "$(ask "SELECT count(*) FROM tasks
	WHERE comm IN ('stranger', 'changed') AND exit_time IS NULL")" 0
is "and nobody's event" "$(jq -r 'select(.kind == "task_exit") | .comm' \
	"$dir/all" | grep -cx -e stranger -e changed)" 0
done_testing
