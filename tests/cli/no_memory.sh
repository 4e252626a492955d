#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# no_memory.sh - memory runs out, at one place that asks for it after the
# other: no crash, nothing wrong that is not told, nothing left behind.
# FAULTS=all tries every place, else some, others each time.

. "$(dirname "$0")/lib.sh"
shim=$O/tests/fault/fault.so
golden=$root/tests/golden/archives
[ -e "$shim" ] || { echo "there is no $shim (make test-programs)"; exit 1; }

# broken HOW AT WORD…: once at the place AT, or from there on
broken() {
	local on=$1 at=$2
	shift 2
	: >counters
	timeout -k 1 20 env FAULT_FILE=counters FAULT_WHAT=malloc \
		FAULT_ON="$on" FAULT_AT="$at" LD_PRELOAD="$shim" \
		"$WEIR" "$@" >out 2>err </dev/null
	rc=$?
	read -r seen hits < <(od -An -tu8 counters)
}

# clean NAME: what must be true however it ended
clean() {
	[ $rc -le 3 ] || fail "$1: status $rc"
	if [ $rc = 0 ]; then
		$check || fail "$1: status 0, but the answer is wrong"
	else
		has "$1: status $rc" err '^weir: '
	fi
	grep -vq '^weir: ' err && fail "$1: $(grep -v '^weir: ' err | head -1)"
	[ "$(lines err)" -le 4 ] || fail "$1: $(lines err) lines on stderr"
}

# sweep SHARE WORD…: one place in so many
sweep() {
	local share=$1 places at on
	shift
	broken 0 0 "$@"
	is "$*: status" $rc 0
	cp out whole
	places=$seen
	[ "$places" -ge 30 ] || fail "$*: $places places only"
	[ "${FAULTS:-}" = all ] && share=1
	for ((at = 1 + RANDOM % share; at <= places; at += share)); do
		for on in 0 1; do
			broken $on $at "$@"
			[ "$hits" -ge 1 ] || continue
			clean "$1 ${*: -1}, place $at$([ $on = 0 ] || echo ff)"
			$after
		done
	done
}

same() { cmp -s out whole; }
check=same after=:
sweep 5 show "$golden/segments"
sweep 5 show "$golden/columns" -f 'path ~ "*lib*" and comm == "ls"' --json
sweep 9 stat "$golden/columns"
sweep 9 tasks "$golden/rows"
sweep 5 verify "$golden/rows"
sweep 9 export "$golden/columns" --to csv
sweep 9 hist "$golden/columns" duration --by comm
sweep 9 show "$golden/rows" "$golden/columns"
# also SQLite's, which counts groups by rows where columns cannot be had
sweep 29 query "$golden/columns" 'SELECT comm, count(*) FROM events GROUP BY 1'
sweep 29 query "$golden/columns" "SELECT name, file FROM syscall_done
	WHERE duration > 1000000 ORDER BY ts"

[ "$(id -u)" = 0 ] && [ -r /sys/kernel/btf/vmlinux ] || done_testing
# The status is the command's; losses are told.
kept() {
	"$WEIR" verify a >/dev/null 2>&1
	case $? in
	0) ;;
	3) grep -q -e '^weir: lost' -e '^weir: out of memory' err ;;
	*) return 1 ;;
	esac
}
# What is there is whole, and nobody is left. A directory that holds a lock and
# nothing else takes memory to be cleared.
left() {
	case $(ls a 2>/dev/null) in
	'') ;;
	LOCK) [ $on = 1 ] || fail "place $at: a lock is left" ;;
	*)
		"$WEIR" verify a >/dev/null 2>verified
		[ $? != 1 ] || fail "place $at: $(cat verified)" ;;
	esac
	rm -rf a
	pgrep -f "record -q -o $dir/a" && fail "place $at: somebody is left"
}
check=kept after=left
rm -rf a
sweep 19 record -q -o "$dir/a" --buffer 16M -- true
done_testing
