# SPDX-License-Identifier: BSD-2-Clause
# shellcheck shell=dash
#
# checks.sh - what weir has to do on every kernel; job.sh sources it in a guest
#
# A check is a function: it states facts with is() and the like, each a line,
# and ends with verdict(), whose line is what job.sh reports. The tools are
# busybox's: of JSON lines grep, sed and awk read the fields, whose spelling is
# fixed. The workloads are those of tests/kernel, smaller: a guest is emulated.

A=/tmp/archive
SAID=/tmp/said # what `weir record` and its command said
ERR=/tmp/err
EVENTS=/tmp/events
# shellcheck disable=SC2034 # of job.sh
SOURCES="task sched syscall block net"

# --- facts ---

facts=0
wrong=

fact_begin() {
	facts=0
	wrong=
}

fail() { # TEXT…
	echo "WRONG: $*"
	wrong="$wrong${wrong:+; }$*"
}

is() { # WHAT GOT WANT
	facts=$((facts + 1))
	if [ "$2" = "$3" ]; then
		echo "right: $1: $2"
	else
		fail "$1: got '$2', want '$3'"
	fi
}

within() { # WHAT GOT LOW HIGH; awk's numbers, for dash's may have 32 bits
	facts=$((facts + 1))
	if echo "$2 $3 $4" | awk '{ exit !($1 >= $2 && $1 <= $3) }'; then
		echo "right: $1: $2 in [$3, $4]"
	else
		fail "$1: got '$2', want $3..$4"
	fi
}

verdict() { # DETAIL…
	echo "${wrong:-$facts facts${*:+, $*}}"
	[ -z "$wrong" ]
}

# --- record, and ask the archive ---

# The buffers hold a whole workload: how fast a guest drains them says nothing.
weir_record() { # OPTION… -- LOAD ARG…
	rm -rf $A
	weir record -q -o $A --buffer 32M --main-ring 32M "$@" >$SAID 2>$ERR
}

record() { # OPTION… -- LOAD ARG…: without a word of complaint
	weir_record "$@"
	is "record's exit" $? 0
	[ ! -s $ERR ] || fail "record said: $(head -n 1 $ERR)"
}

events() { # KIND [FILTER]: into $EVENTS
	weir export $A --to jsonl -e "$1" ${2:+-f "$2"} 2>/dev/null |
		grep "\"kind\":\"$1\"" >$EVENTS
}

count() { # KIND [FILTER]
	events "$@"
	wc -l <$EVENTS
}

sql() { # QUESTION whose answer is a number
	weir query --csv $A "$1" 2>/dev/null | tr -d '\r' | tail -n 1
}

# The values of a field that is a number, a word or a flat list. (No regular
# expressions: busybox's take minutes in an emulated CPU.)
field() { # NAME <JSON-LINES
	awk -v key="\"$1\":" '{
		at = index($0, key)
		if (!at)
			next
		text = substr($0, at + length(key))
		first = substr(text, 1, 1)
		if (first == "\"")
			text = substr(text, 1, index(substr(text, 2), "\"") + 1)
		else if (first == "[")
			text = substr(text, 1, index(text, "]"))
		else
			text = substr(text, 1, match(text, /[,}]/) - 1)
		print text
	}' | tr -d '"'
}

# Lines "VALUE HOW-OFTEN" of a field of $EVENTS.
tally() { # NAME
	field "$1" <$EVENTS |
		awk '{ n[$0]++ } END { for (v in n) print v, n[v] }' | sort
}

each() { # NAME: the different values of a field of $EVENTS, in one line
	tally "$1" | cut -d' ' -f1 | tr '\n' ' ' | sed 's/ $//'
}

sum() { # NAME
	field "$1" <$EVENTS | awk '{ n += $1 } END { printf "%.0f\n", n }'
}

# Events that came more than once: a task makes one event of a kind at a time,
# so its time, CPU and tid (fields 1, 4 and 6) are there but once.
twice() {
	cut -d, -f1,4,6 $EVENTS | sort | uniq -d | wc -l
}

missed() { # what the kernel skipped, by recursion_misses, in all sources
	weir stat --json $A 2>/dev/null | grep -o '"missed":[0-9]*' |
		awk -F: '{ n += $2 } END { print n + 0 }'
}

skipped_sources() { # those that missed something
	weir stat --json $A 2>/dev/null | grep -oE \
		'"source":"[a-z]+","submitted":[^}]*"missed":[1-9]' |
		cut -d'"' -f4 | tr '\n' ' ' | sed 's/ $//'
}

load_ns() {
	sed -n 's/^ns //p' $SAID
}

# Nothing is missing, and nothing says that something is.
whole() {
	weir verify $A >/tmp/verify 2>&1
	is "verify's exit" $? 0
	is "gaps" "$(count gap)" 0
	is "missed" "$(missed)" 0
}

# --- sources ---

# Why a source is off, in the verifier's own words.
debug_source() { # SOURCE
	WEIR_DEBUG=1 weir record -q -s "$1" -o /tmp/debug -- true 2>&1 |
		grep -v -e ': found ' -e 'CO-RE relocating' -e 'Matching' |
		tail -n 40
	rm -rf /tmp/debug
}

# One pass of the doctor, for all sources to be judged by.
doctor() {
	weir doctor >/tmp/doctor 2>&1
	echo $? >/tmp/doctor.exit
}

source_on() { # SOURCE
	local line

	line=$(grep "^$1 " /tmp/doctor) || line="$1: weir has no such source"
	case $line in
	*" on "*) echo "$line" ;;
	*)
		debug_source "$1"
		echo "$line"
		return 1
		;;
	esac
}

doctor_content() {
	fact_begin
	cat /tmp/doctor
	is "exit" "$(cat /tmp/doctor.exit)" 0
	is "BAD" "$(grep -c ' BAD ' /tmp/doctor)" 0
	is "paths" "$(sed -n 's/^syscall .* paths by \([a-z]*\).*/\1/p' \
		/tmp/doctor)" "$(paths_by)"
	verdict
}

# Linux 6.2 has bpf_rdonly_cast().
paths_by() {
	uname -r | awk -F '[.-]' \
		'{ print ($1 * 100 + $2 >= 602 ? "loads" : "helper") }'
}

# --- known workloads ---

# host_record LOAD ARG… -- OPTION…: all of the guest while the load runs
host_record() {
	local words= weir

	while [ "$1" != -- ]; do
		words="$words $1"
		shift
	done
	shift
	rm -rf $A
	: >$ERR
	weir record -o $A --buffer 8M --for 60 "$@" 2>>$ERR &
	weir=$!
	until grep -q capturing $ERR || ! kill -0 "$weir" 2>/dev/null; do
		sleep 0.2
	done
	load $words >$SAID
	kill -TERM "$weir"
	wait "$weir"
	is "record's exit" $? 0
}

filtered() { # how many the kernel refused
	weir stat $A --json 2>/dev/null | grep -o '"filtered":[0-9]*' |
		awk -F: '{ n += $2 } END { print n + 0 }'
}

# Numbers, a bitmap, sets of names and of numbers, alternatives: by the kernel.
filter_calls() {
	fact_begin
	host_record calls 1 500 -- -s syscall --set syscall.calls=all -f '
		comm in (load, a, b, c, d, e) and
		name in (getppid, getuid, sync, fsync, umask, uname) and
		pid not in (1, 3, 5, 7, 9000) and (ret > 0 or duration > 1h)
		and not tid in (1001000, 1002000, 1003000, 1004000, 1005000)'
	is "calls" "$(count syscall_done 'name == getppid')" 500
	is "others" "$(count syscall_done 'name != getppid')" 0
	within "refused in the kernel" "$(filtered)" 10 10000000
	whole
	host_record calls 1 500 -- -s syscall --set syscall.calls=all \
		-f 'name == getppid and pid != 1 and ret != -1' \
		--set repo.user_filter=1
	is "calls by the repo" "$(count syscall_done 'name == getppid')" 500
	is "refused in the kernel" "$(filtered)" 0
	whole
	verdict
}

# A filter in every source, most of which it refuses.
filter_all() {
	fact_begin
	host_record tcp 20 -- -s sched,syscall,net,block,task -f '
		source == net and raddr == 127.0.0.0/8 and rport != 9 or
		source == sched and comm == nobody and cpu < 99 or
		disk == "nodisk" and latency > 1h or
		kind == task_signal and signal in (USR1, USR2, 50, 52, 54) or
		name == getsid and pid == 1'
	is "connects" "$(count net_connect)" 20
	is "switches" "$(count sched_switch)" 0
	is "calls" "$(count syscall_done)" 0
	within "refused in the kernel" "$(filtered)" 10 10000000
	whole
	verdict
}

known_calls() {
	fact_begin
	record -s syscall --set syscall.calls=getppid -- load calls 8 2000
	is "calls" "$(count syscall_done 'name == getppid')" 16000
	is "twice" "$(twice)" 0
	is "tasks, with 2000 each" "$(tally tid | grep -c ' 2000$')" 8
	is "results" "$(each ret | wc -w)" 1
	is "arguments" "$(each args)" "[]"
	is "of no time" "$(grep -c '"duration":0,' $EVENTS)" 0
	# the tasks share the CPUs, so each may wait for the others
	within "time inside" "$(sum duration)" 16000 "$(load_ns)0"
	whole
	verdict
}

known_opens() {
	fact_begin
	mkdir -p /tmp/deep/er
	: >/tmp/deep/er/file
	ln -sf /tmp/deep /tmp/link
	record -s syscall -- load opens /tmp/link/er/../er/file 1000
	is "opens" "$(count syscall_done \
		"name == openat and path ~ '*/er/file'")" 1000
	is "twice" "$(twice)" 0
	is "file" "$(each file)" /tmp/deep/er/file
	is "path" "$(each path)" /tmp/link/er/../er/file
	is "arguments" "$(each args | sed -E 's/0x[0-9a-f]+/PATH/')" \
		"[-100,PATH,O_RDONLY|O_CLOEXEC]"
	is "results" "$(each ret)" 3
	is "comm" "$(each comm)" load
	is "execve" "$(count syscall_done 'name == execve and ret == 0')" 1
	is "its path, its file" "$(each path) $(each file)" "/bin/load /bin/load"
	whole
	verdict
}

# A process is forked by the one that its exec, and its exit, have as parent.
known_tree() {
	fact_begin
	record -s task -- load tree 50
	is "execs" "$(count task_exec)" 101
	is "file" "$(each file)" "/bin/load /bin/true"
	is "argv" "$(each argv)" "[load,branch] [load,tree,50] [load]"
	field pid <$EVENTS >/tmp/pids
	field ppid <$EVENTS | paste /tmp/pids - | sort >/tmp/parents
	is "/bin/true" "$(count task_exec 'filename == "/bin/true"')" 50
	is "forks" "$(count task_fork)" 100
	field child_pid <$EVENTS >/tmp/pids
	is "children" "$(sort -u /tmp/pids | wc -l)" 100
	field pid <$EVENTS | paste /tmp/pids - | sort >/tmp/forks
	is "forks without their exec" \
		"$(comm_only /tmp/forks /tmp/parents)" 0
	is "exits" "$(count task_exit)" 101
	is "codes, signals" "$(each exit_code) $(each signal)" "0 0"
	is "last" "$(each last)" true
	is "names" "$(tally comm | tr '\n' ' ')" "exe 50 load 1 true 50 "
	whole
	verdict
}

comm_only() { # FILE FILE: how many lines are in the first alone
	awk 'NR == FNR { there[$0]; next } !($0 in there)' "$2" "$1" | wc -l
}

known_procs() {
	fact_begin
	record -s task -- load procs 50
	is "exits" "$(count task_exit 'comm == exe')" 50
	is "codes" "$(each exit_code)" 7
	is "lived no time" "$(grep -c '"lifetime":0,' $EVENTS)" 0
	whole
	verdict
}

# 100 connections, of which the client sends a byte each.
known_tcp() {
	local port

	fact_begin
	record -s net -- load tcp 100
	is "listens" "$(count net_listen)" 1
	port=$(each lport)
	is "connects" "$(count net_connect)" 100
	is "addresses" "$(each laddr) $(each raddr)" "127.0.0.1 127.0.0.1"
	is "server's port" "$(each rport)" "$port"
	is "errors" "$(each error)" 0
	is "family" "$(each family)" inet
	within "handshakes" "$(sum duration)" 100 "$(load_ns)"
	field lport <$EVENTS | sort >/tmp/ports
	is "accepts" "$(count net_accept)" 100
	is "accepted at" "$(each lport)" "$port"
	is "pairs" "$(field rport <$EVENTS | sort | cmp - /tmp/ports && echo all)" \
		all
	is "closes" "$(count net_close)" 200
	is "comm" "$(each comm)" load
	is "client's closes" "$(count net_close "rport == $port")" 100
	is "sent, received" "$(each sent) $(each received)" "1 0"
	is "server's closes" "$(count net_close "lport == $port")" 100
	is "sent, received" "$(each sent) $(each received)" "0 1"
	whole
	verdict
}

known_blocks() {
	fact_begin
	[ -n "$DISK" ] || {
		echo "no block device: no nvme, no loop driver"
		return 77
	}
	record -s block -- load blocks "$DISK" 100
	is "writes" "$(count block_io \
		"comm == load and op == write and bytes == 4096")" 100
	is "sectors" "$(field sector <$EVENTS | sort -n | tr '\n' ' ')" \
		"$(seq 0 8 792 | tr '\n' ' ')"
	is "disk" "$(each disk)" "${DISK#/dev/}"
	is "errors, requeues" "$(each error) $(each requeues)" "0 0"
	is "without service time" "$(grep -c '"service":0,' $EVENTS)" 0
	is "queued + service" \
		"$(echo "$(sum queued) $(sum service)" | awk '{ printf "%.0f", $1 + $2 }')" \
		"$(sum latency)"
	within "latency" "$(sum latency)" 100000 "$(load_ns)"
	whole
	verdict
}

known_pipes() {
	fact_begin
	record -s syscall,sched --set syscall.calls=read,write -- \
		load pipes 1000
	is "reads and writes" "$(count syscall_done \
		'comm == load and name in (read, write) and ret == 1')" 4000
	is "twice" "$(twice)" 0
	is "tasks, with 2000 each" "$(tally tid | grep -c ' 2000$')" 2
	within "wakeups" "$(count sched_wakeup 'comm == load')" 500 3000
	within "switches" "$(count sched_switch 'comm == load')" 500 8000
	within "time on CPU" "$(sum ran)" 1000000 "$(load_ns | awk '{ print 2 * $1 }')"
	within "states" "$(each prev_state_name | wc -w)" 1 3
	whole
	verdict
}

# --- what goes on while it records ---

# begin OPTION…: a recorder in the background, of all of the guest; in $weir
begin() {
	rm -rf $A
	: >$ERR
	weir record -o $A --buffer 8M --name /tmp/socket "$@" 2>>$ERR &
	weir=$!
	await grep -q capturing $ERR
}

await() { # COMMAND…: until it is true, as long as the recorder is there
	until "$@" 2>/dev/null || ! kill -0 "$weir" 2>/dev/null; do
		sleep 0.2
	done
}

end() { # the recorder, in order
	kill -TERM "$weir"
	wait "$weir"
	is "record's exit" $? 0
}

# The second arguments of known lseek calls, in the order they come.
numbers() {
	events syscall_done 'name == lseek and comm == load'
	field args <$EVENTS | tr -d ']' | cut -d, -f2
}

# Each of 1, 2, … to the last one that is there, once, and in order.
in_sequence() { # WHAT FILE
	is "$1: in sequence" "$(awk '$1 != NR' "$2" | wc -l)" 0
}

# Eight threads, and every source on.
flood() {
	fact_begin
	record -s task,sched,syscall,block,net --set syscall.calls=getppid \
		-- load calls 8 10000
	is "calls" "$(sql "SELECT count(*) FROM syscall_done
		WHERE name = 'getppid' AND comm = 'load'")" 80000
	is "tasks, with 10000 each" "$(sql "SELECT count(*) FROM
		(SELECT count(*) AS n FROM syscall_done
		WHERE name = 'getppid' GROUP BY tid) WHERE n = 10000")" 8
	whole
	verdict
}

# One in so many is recorded, and says how many it stands for: W of them with
# probability 1 / W, so the sum has a variance of W (W - 1) for each.
budget() {
	local calls recorded estimate shed

	fact_begin
	record -s syscall,task --set syscall.calls=getppid --budget 20% -- \
		load rate 20000 6
	calls=$(sed -n 's/^calls //p' $SAID)
	recorded=$(count syscall_done 'name == getppid')
	within "recorded" "$recorded" 1 $((calls * 9 / 10))
	estimate=$(field weight <$EVENTS | awk -v all="$recorded" '
		{ sum += $1 }
		END { printf "%.0f\n", sum + all - NR }')
	is "estimate within five deviations" "$(field weight <$EVENTS |
		awk -v off=$((estimate - calls)) '
			{ square += $1 * ($1 - 1) }
			END { print off * off <= 25 * square }')" 1
	events repo_shed
	shed=$(weir stat --json $A 2>/dev/null | grep -o '"shed":[0-9]*' |
		awk -F: 'NR == 1 { all = $2 } END { print all }')
	is "what the stream says was shed" "$(sum count)" "$shed"
	is "and the account" "$shed" $((calls - recorded))
	is "execs" "$(count task_exec)" 1
	weir verify $A >/tmp/verify 2>&1
	is "verify's exit" $? 0
	verdict "$recorded of $calls calls recorded, estimate $estimate"
}

# Killed, and killed again: who comes next goes on where the last was.
pin() {
	local load i

	fact_begin
	load numbers 500 120 >/dev/null &
	load=$!
	for i in 1 2 3; do
		: >$ERR
		[ $i -gt 1 ] || rm -rf $A
		weir record -o $A --buffer 8M --pin vm -s syscall,task \
			-p $load --set syscall.calls=lseek 2>>$ERR &
		weir=$!
		await grep -q capturing $ERR
		sleep 2
		[ $i -lt 3 ] || break
		kill -KILL $weir
		wait $weir
		sleep 1
	done
	end
	kill $load
	wait $load
	is "what is left" "$(ls /sys/fs/bpf)" ""
	numbers >/tmp/numbers
	first=$(head -n 1 /tmp/numbers)
	awk -v first="$first" '{ print $1 - first + 1 }' /tmp/numbers >/tmp/n
	in_sequence "over two kills" /tmp/n
	within "numbers" "$(wc -l </tmp/n)" 500 100000
	whole
	verdict "$(wc -l </tmp/n) numbers"
}

# Killed, and ended by hand: the names of its links are the last that hold them.
unpin() {
	fact_begin
	rm -rf $A
	: >$ERR
	weir record -o $A --buffer 8M --pin vm -s syscall,task,block,net,sched \
		2>>$ERR &
	weir=$!
	await grep -q capturing $ERR
	kill -KILL $weir
	wait $weir
	weir unpin vm >/tmp/unpin 2>&1
	within "unpin's exit" $? 0 3
	is "what is left" "$(ls /sys/fs/bpf)" ""
	sleep 1
	is "what the kernel says" "$(dmesg | grep -c -e WARNING -e BUG)" 0
	verdict
}

# Requests whose completion no program sees, as another hook's link is where that
# of completions was when the next recorder comes: each is counted.
unseen() {
	local links=/sys/fs/bpf/weir/vm n

	fact_begin
	[ -n "$DISK" ] || {
		echo "no block device: no nvme, no loop driver"
		return 77
	}
	rm -rf $A
	for n in 100 200; do
		: >$ERR
		weir record -o $A --buffer 8M --pin vm -s block 2>>$ERR &
		weir=$!
		await grep -q capturing $ERR
		load blocks "$DISK" $n >$SAID
		[ $n = 100 ] || break
		# Who is killed still holds what it names no more: else the link
		# would go in a callback of RCU, where 5.10-rt cannot sleep.
		ln -f $links/l_block__requeue $links/l_block__complete
		sleep 1
		kill -KILL $weir
		wait $weir
	done
	kill -TERM $weir
	wait $weir
	is "exit" $? 3
	is "writes seen" "$(count block_io 'comm == load and op == write')" 100
	events gap "of == block and stage == hook"
	is "and missed" "$(sum count)" 200
	verdict
}

# What a task is inside of is kept with the task (BPF_MAP_TYPE_TASK_STORAGE),
# where that may be: from 5.12 on, and from 6.4 on with PREEMPT_RT.
storage() {
	local maps

	fact_begin
	begin -s syscall
	maps=$(cat /proc/$weir/fdinfo/* 2>/dev/null | grep -c 'map_type:.*29$')
	end
	is "maps" "$maps" "$(uname -rv | awk -F '[. ]' '{
		from = /PREEMPT_RT/ ? 604 : 512
		print ($1 * 100 + $2 >= from) }')"
	verdict
}

# Of two that do the same one is followed.
follow_pid() {
	local one two

	fact_begin
	load numbers 200 600 >/dev/null &
	one=$!
	load numbers 200 600 >/dev/null &
	two=$!
	begin -s syscall,task --set syscall.calls=lseek -p $one
	sleep 2
	end
	kill $one $two
	wait
	is "of" "$(numbers >/dev/null; each pid)" $one
	within "numbers" "$(wc -l <$EVENTS)" 50 100000
	whole
	verdict
}

follow_cgroup() {
	local in=/sys/fs/cgroup/in

	fact_begin
	mkdir -p $in/below
	begin -s syscall,task --set syscall.calls=getppid --cgroup in
	(echo 0 >$in/below/cgroup.procs && exec load calls 1 500) >/dev/null
	load calls 1 700 >/dev/null
	end
	rmdir $in/below $in
	is "calls in it" "$(count syscall_done 'name == getppid')" 500
	is "asked for" "$(weir stat $A | grep -c '^asked .*--cgroup in')" 1
	whole
	verdict
}

# Each new cgroup is told of as somebody moves there, while others execute.
moves() {
	local top=/sys/fs/cgroup/moves i=0 load

	fact_begin
	mkdir -p $top
	begin -s task
	load tree 300 >/dev/null &
	load=$!
	while [ $i -lt 100 ]; do
		mkdir $top/g$i
		(echo 0 >$top/g$i/cgroup.procs && exec load info) >/dev/null
		rmdir $top/g$i
		i=$((i + 1))
	done
	wait $load
	end
	rmdir $top
	is "cgroups with a path" "$(sql "SELECT count(DISTINCT cgroup) FROM
		events WHERE kind = 'task_exec' AND cgroup GLOB '/moves/g*'")" 100
	whole
	verdict
}

# A death triggers a snapshot, another is asked for.
snapshots() {
	local dir=/tmp/snapshots

	fact_begin
	rm -rf $dir
	begin -s syscall,task --window 16M --snapshot-dir $dir \
		--snapshot-on 'task_exit.signal == SIGSEGV,after=100ms'
	load crash /etc/weir-vm 100 >/dev/null 2>&1
	await grep -q 'covers' $ERR
	weir snapshot --name /tmp/socket -o /tmp/asked >/tmp/snapshot 2>&1
	is "snapshot's exit" $? 0
	kill -TERM "$weir"
	wait "$weir"
	is "record's exit" $? 0
	rm -rf $A
	mv $dir/snapshot-* $A # one
	whole
	is "deaths" "$(count task_exit 'comm == load and signal == SIGSEGV')" 1
	is "opens" "$(count syscall_done 'path == "/etc/weir-vm"')" 1
	rm -rf $A
	mv /tmp/asked $A
	whole
	is "deaths, when asked for" \
		"$(count task_exit 'comm == load and signal == SIGSEGV')" 1
	verdict
}

# The numbers go on while a CPU leaves and comes back, and one that was not
# there at the beginning counts as well.
hotplug() {
	local cpu=/sys/devices/system/cpu/cpu1/online load

	fact_begin
	[ -w $cpu ] || {
		echo "no CPU can be taken away: no $cpu"
		return 77
	}
	begin -s syscall,sched,task --set syscall.calls=lseek
	load numbers 500 8 >$SAID &
	load=$!
	for on in 0 1 0 1; do
		sleep 1
		echo $on >$cpu
	done
	wait $load
	end
	numbers >/tmp/numbers
	is "calls" "$(wc -l </tmp/numbers)" "$(sed -n 's/^numbers //p' $SAID)"
	in_sequence "calls" /tmp/numbers
	is "late" "$(grep -c '"late"' $EVENTS)" 0
	whole
	echo 0 >$cpu
	begin -s syscall,sched,task --set syscall.calls=getppid
	echo 1 >$cpu
	load calls 8 1000 >$SAID
	end
	is "calls" "$(count syscall_done 'name == getppid')" 8000
	is "CPUs" "$(each cpu)" "0 1"
	whole
	verdict
}

# --- cases ---

# Raw programs in place of tp ones. From 7.0 on the kernel may skip them: then
# it is told, as a gap at the hook, and there is no more missing than that.
case_no_tracefs() {
	local kept skipped rc

	fact_begin
	is "tracefs" "$(ls /sys/kernel/tracing)" ""
	weir_record -s syscall --set syscall.calls=getppid -- \
		load calls 8 10000
	is "record's exit" $? 0
	kept=$(count syscall_done 'name == getppid')
	skipped=$(missed)
	within "calls" "$kept" $((80000 - skipped)) 80000
	is "told as gaps" "$(events gap; sum count)" "$skipped"
	weir verify $A >/tmp/verify 2>&1
	rc=$?
	if [ "$skipped" -gt 0 ]; then
		is "verify's exit" $rc 3
		is "of" "$(each of)" "$(skipped_sources)"
		is "stage" "$(each stage)" hook
		is "stderr tells" "$(grep -c lost $ERR)" 1
	else
		is "verify's exit" $rc 0
		is "calls" "$kept" 80000
	fi
	verdict "$kept calls, $skipped misses told"
}

# Two hooks of a source may be in the middle of a record at a time: what is
# recorded is what was done.
case_no_tracefs_names() {
	local i

	fact_begin
	weir_record -s syscall -- sh -c '
		cd /tmp
		urings over 1 || exit 77
		for i in 1 2 3 4; do urings over 3000 & done
		load opens /etc/weir-vm 8000 >/dev/null
		wait'
	[ $? != 77 ] || {
		echo "no io_uring"
		return 77
	}
	events syscall_done 'name == openat and comm == load'
	is "paths" "$(each path)" /etc/weir-vm
	is "files" "$(each file)" /etc/weir-vm
	events syscall_done 'name == openat and comm == urings'
	is "paths through io_uring, but for those forgotten" "$(each path |
		tr ' ' '\n' | grep -vc -e '^none/[0-9]*$' -e '^null$')" 0
	verdict "$(wc -l <$EVENTS) through io_uring"
}

case_no_btf() {
	fact_begin
	is "vmlinux" "$(ls /sys/kernel/btf)" ""
	weir_record -- true
	is "record's exit" $? 1
	is "lines" "$(cat $SAID $ERR | wc -l)" 1
	is "of BTF" "$(grep -c BTF $ERR)" 1
	weir doctor >/tmp/doctor 2>/tmp/doctor.err
	is "doctor's exit" $? 1
	is "doctor on BTF" "$(grep -c '^BTF  *BAD ' /tmp/doctor)" 1
	verdict "$(cat $ERR)"
}

# Under lockdown=confidentiality no program may use the helpers that read
# memory. A source that lives without them works, and says what is unknown;
# another one is off, and says why.
lockdown_source() { # SOURCE
	local line

	line=$(grep "^$1 " /tmp/doctor) || line="$1: weir has no such source"
	echo "$line"
	case $line in
	*" on "* | *" OFF "*lockdown*) return 0 ;;
	esac
	debug_source "$1"
	echo "off without saying why: $line"
	return 1
}

lockdown_calls() {
	fact_begin
	grep -q '^syscall .* on ' /tmp/doctor || {
		weir_record -s syscall -- load calls 1 1
		is "lines on stderr" "$(wc -l <$ERR)" 1
		is "of lockdown" "$(grep -c lockdown $ERR)" 1
		verdict "$(cat $ERR)"
		return
	}
	record -s syscall --set syscall.calls=getppid -- load calls 2 1000
	is "calls" "$(count syscall_done 'name == getppid')" 2000
	is "results" "$(each ret | wc -w)" 1
	is "comm" "$(each comm)" load
	whole
	record -s syscall -- load opens /etc/weir-vm 100
	is "opens" "$(count syscall_done 'name == openat and comm == load')" 100
	is "results" "$(each ret)" 3
	is "path, file" "$(each path) $(each file)" "null null"
	whole
	verdict
}

lockdown_procs() {
	fact_begin
	record -s task -- load procs 20
	is "forks" "$(count task_fork)" 20
	is "exits" "$(count task_exit 'exit_code == 7')" 20
	is "comm" "$(each comm)" exe
	is "execs" "$(count task_exec)" 21
	is "their comm" "$(each new_comm)" "exe load"
	is "filename, file" "$(each filename) $(each file)" "null null"
	is "argv" "$(each argv) of $(each argv_full)" "[] of 11 14"
	whole
	verdict
}
