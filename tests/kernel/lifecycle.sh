#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# A fork storm during a syscall flood that overruns its mini-buffer: no
# lifecycle event is lost.
. tests/kernel/lib.sh

N=500
cat >"$dir/both" <<SH
#!/bin/sh
"$LOAD" calls 8 2000000 >/dev/null &
"$LOAD" tree $N >"$dir/tree"
kill %1 || kill \$!
wait
SH
chmod +x "$dir/both"
rm -rf "$dir/a"
"$WEIR" record -q -o "$dir/a" -s syscall,task --set syscall.calls=all \
	--buffer 256K --set repo.stall=500ms -- "$dir/both" >"$dir/out" 2>"$dir/err"
is "exit code is the command's" $? 0
grep -q "lost" "$dir/err" || fail "losses are not told on stderr"
lost=$(events gap 'of == syscall' | sum count)
[ "$lost" -gt 0 ] || fail "the flood lost nothing: it was no flood"
is "task events lost" "$(events gap 'of == task' | sum count)" 0
is "/bin/true" "$(events task_exec 'filename == "/bin/true"' |
	wc -l)" $N
tids=$(events task_fork | jq -c '[.child_tid, .start_time]' |
	sort -u | wc -l)
within "forks" "$tids" $((2 * N + 2)) $((2 * N + 20))
echo "lost $lost syscalls beside"
done_testing
