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
kill %1 2>/dev/null || kill \$!
wait
SH
chmod +x "$dir/both"
rm -rf "$dir/a"
"$WEIR" record -q -o "$dir/a" -s syscall,task --set syscall.calls=all \
	--buffer 256K --set repo.stall=500ms -- "$dir/both" >"$dir/out" 2>&1
is "exit code tells of losses" $? 3
lost=$(events gap 'of == syscall' 2>/dev/null | sum count)
[ "$lost" -gt 0 ] || fail "the flood lost nothing: it was no flood"
is "task events lost" "$(events gap 'of == task' 2>/dev/null | sum count)" 0
is "/bin/true" "$(events task_exec 'filename == "/bin/true"' 2>/dev/null |
	wc -l)" $N
tids=$(events task_fork 2>/dev/null | jq -c '[.child_tid, .start_time]' |
	sort -u | wc -l)
within "forks" "$tids" $((2 * N + 2)) $((2 * N + 20))
echo "lost $lost syscalls beside"
done_testing
