#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
# Many of everything: 2,000 threads at once, 5,000 cgroups, pids that come
# again, a program with 100,000 arguments.
. tests/kernel/lib.sh

record --set syscall.calls=getppid --set syscall.slower=0 -- python3 -c '
import os, threading
N = 2000
threading.stack_size(65536)
together = threading.Barrier(N)
def run():
    together.wait()
    os.getppid()
threads = [threading.Thread(target=run) for _ in range(N)]
for t in threads: t.start()
for t in threads: t.join()'
is "2,000 threads: each call has its tid" \
	"$(events syscall_done 'name == getppid and comm ~ "python3*"' |
		jq .tid | sort -u | wc -l)" 2000
whole 0

cg=$dir/cgroup
mkdir "$cg"
if mount -t cgroup2 weir-test "$cg" 2>/dev/null; then
	group=$cg/weir-test-$$
	record -s task,syscall --set syscall.calls=getppid \
		--set syscall.slower=0 -- python3 -c '
import os, sys
os.mkdir(sys.argv[1])
groups = ["%s/g%d" % (sys.argv[1], i) for i in range(5000)]
for g in groups:
    os.mkdir(g)
    with open(g + "/cgroup.procs", "w") as f: f.write("0")
    os.getppid()
with open(sys.argv[1] + "/../cgroup.procs", "w") as f: f.write("0")
for g in groups: os.rmdir(g)
os.rmdir(sys.argv[1])' "$group"
	"$WEIR" query "$dir/a" --json "SELECT count(DISTINCT cgroup) AS n
		FROM syscall_done WHERE name = 'getppid'
		AND cgroup GLOB '*/weir-test-$$/g*'" >"$dir/n"
	# on a host that is busy the order of a few is not sure, and marked
	unsure=$(jq -s 'map(select(.marks // [] | any(. == "late" or
		. == "stalled"))) | length' <("$WEIR" show "$dir/a" --json))
	within "5,000 cgroups: each call has its path" "$(jq .n "$dir/n")" \
		$((5000 - unsure)) 5000
	within "5,000 cgroups: each removal has its path" "$("$WEIR" show \
		"$dir/a" -e cgroup_gone | grep -c "/weir-test-$$/g")" \
		$((5000 - unsure)) 5000
	whole 0
	umount "$cg"
else
	left_out "no cgroup2 can be mounted"
fi

# A pid is given again at once when the kernel is told where to go on.
record -s task,syscall --set syscall.calls=getppid --set syscall.slower=0 \
	-- python3 -c '
import os
last = "/proc/sys/kernel/ns_last_pid"
def child(name, pid):
    if pid:
        with open(last, "w") as f: f.write(str(pid - 1))
    pid = os.fork()
    if not pid:
        with open("/proc/self/comm", "w") as f: f.write(name)
        os.getppid()
        os._exit(0)
    os.waitpid(pid, 0)
    return pid
again = 0
while again < 20:
    pid = child("first", 0)
    again += child("second", pid) == pid
print("again", again)'
again=$(sed -n 's/^again //p' "$dir/out")
"$WEIR" query "$dir/a" --json "SELECT count(*) AS n FROM
	(SELECT pid, min(comm) AS a, max(comm) AS b, count(*) AS n
	FROM syscall_done WHERE name = 'getppid' GROUP BY pid)
	WHERE n = 2 AND a = 'first' AND b = 'second'" >"$dir/n"
is "pids that came again: two names each" "$(jq .n "$dir/n")" "$again"
is "and two processes" "$("$WEIR" query "$dir/a" --json "SELECT count(*) AS n
	FROM (SELECT pid FROM tasks WHERE comm IN ('first', 'second')
	GROUP BY pid HAVING count(DISTINCT start_time) = 2)" | jq .n)" "$again"
whole 0

# shellcheck disable=SC2016
record -s task -- sh -c '/bin/true $(seq 100000)'
events task_exec 'argc > 1000' >"$dir/execs"
is "100,000 arguments: counted" "$(jq .argc "$dir/execs")" 100001
size=$(seq 100000 | wc -c)
is "their true length" "$(jq .argv_full "$dir/execs")" \
	$((size + 10)) # and /bin/true, each ended by a NUL
is "the first of them" "$(jq -c '.argv[:3]' "$dir/execs")" \
	'["/bin/true","1","2"]'
whole 0
done_testing
