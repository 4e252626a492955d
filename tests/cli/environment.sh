#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# environment.sh - hosts that lack something: no privileges, no BTF, no
# tracefs, no /proc. One line says what is missing and what to do; nothing is
# left behind; what can be done is done.

. "$(dirname "$0")/lib.sh"
needs_recording
command -v setpriv unshare >/dev/null || skip "needs setpriv and unshare"
chmod 755 "$dir"
mkdir -m 777 free

# ---- no privileges
weak="setpriv --reuid=65534 --regid=65534 --clear-groups --bounding-set=-all
	--inh-caps=-all"
(cd free && $weak "$WEIR" record -q -- true 2>../err >../out)
is "no privileges: status" $? 1
is "no privileges: one line" "$(lines err)" 1
has "no privileges" err "Operation not permitted.*CAP_BPF.*sudo"
is "no privileges: nothing is left" "$(ls free)" ""
$weak "$WEIR" watch 2>err >out
is "no privileges: watch" $? 1
$weak "$WEIR" doctor >out 2>err
is "no privileges: doctor" $? 1
has "no privileges: doctor" out '^privileges +BAD +.*sudo'
has "doctor: what would do" out '^instead of root +ok +CAP_BPF .*CAP_PERFMON'
has "doctor: what there is" out '^seccomp +(ok|note) '
has "no privileges: doctor, sources" out '^task +OFF +.*not permitted'
$weak "$WEIR" list fields task_exec >out 2>err
is "no privileges: list" $? 0
run record -q -o secret -- true
(cd free && setpriv --reuid=1 --regid=1 --clear-groups "$WEIR" show \
	../secret >../out 2>../err)
is "another's archive: status" $? 1
has "another's archive" err "Permission denied .*sudo"

# With the capabilities and nothing else, recording works.
able="setpriv --reuid=65534 --regid=65534 --clear-groups
	--inh-caps=-all,+bpf,+perfmon --ambient-caps=-all,+bpf,+perfmon"
if setpriv --dump | grep -q 'bpf'; then
	(cd free && $able "$WEIR" record -o able -- true 2>../err >../out)
	rc=$?
	is "CAP_BPF and CAP_PERFMON: status" $rc 0
	has "CAP_BPF and CAP_PERFMON: all by default" err \
		'capturing block, net, syscall, task into able'
	run show free/able -e task_exec
	is "CAP_BPF and CAP_PERFMON: events" "$(lines out)" 1
	run verify free/able
	is "CAP_BPF and CAP_PERFMON: verify" $rc 0
	$able "$WEIR" doctor >out 2>err
	is "CAP_BPF and CAP_PERFMON: doctor" $? 0
	# and then not even with those
	(cd free && exec $able "$WEIR" record -q -o soon --for 4s 2>../err) &
	pid=$!
	wait_for 10 test -e free/soon/LOCK
	wait_for 10 grep -q 'Seccomp:.*2' /proc/$pid/status
	sleep 1
	is "CAP_BPF and CAP_PERFMON: soon given up" \
		"$(cat /proc/$pid/task/*/status | grep -E '^Cap(Eff|Prm|Amb)' |
			sort -u | tr -d '\n')" \
		"$(printf 'Cap%s:\t0000000000000000' Amb Eff Prm)"
	wait $pid
else
	left_out "setpriv does not know CAP_BPF"
fi

# ---- in a mount namespace of its own
without() { # DIRECTORIES COMMAND…: under an empty tmpfs each
	local dirs=$1
	shift
	# shellcheck disable=SC2016
	unshare -m --propagation private sh -c '
		for d in $1; do mount -t tmpfs none "$d" || exit 77; done
		shift
		exec "$@"' sh "$dirs" "$@"
}

without /sys/kernel/btf "$WEIR" record -q -o nobtf -- true >out 2>err
rc=$?
[ $rc = 77 ] && skip "needs to mount in a namespace"
is "no BTF: status" $rc 1
is "no BTF: one line" "$(lines err)" 1
has "no BTF" err "^weir: .*BTF"
[ -e nobtf ] && fail "no BTF: an archive is left behind"
without /sys/kernel/btf "$WEIR" doctor >out 2>err
is "no BTF: doctor" $? 1
has "no BTF: doctor" out '^BTF +BAD +.*CONFIG_DEBUG_INFO_BTF'
without /sys/kernel/btf "$WEIR" show secret >out 2>err
is "no BTF: show" $? 0

without "/sys/kernel" "$WEIR" doctor --json >out 2>err
jq -e '.checks[] | select(.check == "tracefs") | .detail | test("not")' out \
	>/dev/null || fail "no tracefs: doctor"
mkdir -p btf && cp /sys/kernel/btf/vmlinux btf/
# shellcheck disable=SC2016
unshare -m --propagation private sh -c '
	mount -t tmpfs none /sys/kernel && mkdir /sys/kernel/btf &&
	cp btf/vmlinux /sys/kernel/btf/ && exec "$@"' sh \
	"$WEIR" record -q -o notracefs -- true >out 2>err
is "no tracefs: status" $? 0
run show notracefs -e task_exec
is "no tracefs: events" "$(lines out)" 1
without "/sys/kernel" "$WEIR" list tracepoints >out 2>err
is "no tracefs: list tracepoints" $? 1
has "no tracefs: list tracepoints" err "^weir: cannot read tracefs .*mount"

without /proc "$WEIR" record -q -o noproc -- true >out 2>err
rc=$?
case $rc in 0 | 1) ;; *) fail "no /proc: status $rc" ;; esac
[ $rc = 0 ] || is "no /proc: one line" "$(lines err)" 1

# ---- a pid namespace: the kernel's numbers are others
for c in "record -q -o inner -- true" "record -q -o inner --for 1s" \
	"watch -p 1"; do
	# shellcheck disable=SC2086
	unshare -p --fork --mount-proc "$WEIR" $c >out 2>err
	is "pid namespace: $c: status" $? 1
	is "pid namespace: $c: lines" "$(cat out err | wc -l)" 1
	has "pid namespace: $c" err '^weir: .* pid namespace.*--pid=host'
done
[ -e inner ] && fail "pid namespace: an archive is left behind"
unshare -p --fork --mount-proc "$WEIR" doctor >out 2>err
is "pid namespace: doctor" $? 1
has "pid namespace: doctor" out '^processes +BAD +.*--pid=host'

# ---- a user namespace, where root is nobody to BPF
if unshare -r true 2>/dev/null; then
	unshare -r "$WEIR" record -q -o mapped -- true >out 2>err
	is "user namespace: status" $? 1
	is "user namespace: lines" "$(cat out err | wc -l)" 1
	has "user namespace" err '^weir: .* user namespace.*host'
	[ -e mapped ] && fail "user namespace: an archive is left behind"
	unshare -r "$WEIR" doctor >out 2>err
	is "user namespace: doctor" $? 1
	has "user namespace: doctor" out '^privileges +BAD +.*user namespace'
fi

# ---- descriptors that are not there
"$WEIR" record -q -o closed -- true <&- >&- 2>&-
is "closed streams: status" $? 0
run verify closed
is "closed streams: archive" $rc 0

# ---- a limit on open files
(ulimit -n 16; "$WEIR" record -q -o few -- true >out 2>err)
rc=$?
case $rc in 0 | 1) ;; *) fail "few descriptors: status $rc" ;; esac
[ $rc = 0 ] || has "few descriptors" err "^weir: .*[Oo]pen files"
(ulimit -n 40; "$WEIR" record -q -o few -- true >out 2>err)
is "few descriptors: one line" "$(lines err)" 1
has "few descriptors: what to do" err "[Oo]pen files \(ulimit -n\)"
(ulimit -S -n 40; "$WEIR" record -q -o soft -- sh -c 'ulimit -n' >out 2>err)
is "few descriptors that may be more: status" $? 0
is "few descriptors that may be more: the command's own" "$(cat out)" 40

# ---- a limit on files' size is an error, and no signal
(ulimit -f 1; "$WEIR" record -q -o short -- true >out 2>err)
is "file size: status" $? 1
has "file size" err "^weir: .*File too large \(ulimit -f\)"
[ -e short ] && fail "file size: an archive is left behind"

# ---- a status line, where it can be wiped; the terminal cuts what is too long
terminal() { # TERM
	TERM=$1 timeout 20 script -qec "'$WEIR' record -s task -o line --for 3s" \
		/dev/null </dev/null | cat -v >out
	rm -rf line
}
terminal vt100
has "terminal" out '\^M\^\[\[K\^\[\[\?7l[123]s .*lost [0-9].*\^\[\[\?7h\^M\^\[\[Kweir: kept'
terminal dumb
hasnt "dumb terminal" out '\^\['
done_testing
