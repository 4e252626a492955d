# SPDX-License-Identifier: BSD-2-Clause
#
# lib.sh - what the tests in cli/ and kernel/ share: where the programs are, an
# environment that is the same on every host, failures and skips. Sourced by
# their own lib.sh, from the project's root.

set -u
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
WEIR=${WEIR:-$O/weir}
failures=0

# Who types sudo is who an archive belongs to; numbers have points; times are
# asked as they are printed; no service manager waits for a word.
unset SUDO_UID SUDO_GID SUDO_USER NOTIFY_SOCKET WATCHDOG_USEC WATCHDOG_PID \
	WEIR_DEBUG CDPATH
export LC_ALL=C.UTF-8
umask 022

[ -x "$WEIR" ] || { echo "there is no $WEIR (make all)"; exit 1; }
[ ! -s /etc/weir.conf ] || {
	echo "/etc/weir.conf changes what is tested: move it away meanwhile"
	exit 1
}

fail() {
	echo "FAILED: $*"
	failures=$((failures + 1))
}

# skip WHY: the whole test, unless something has failed before
skip() {
	[ $failures = 0 ] || exit 1
	echo "$*"
	exit 77
}

# left_out WHY: a part that cannot be tried here; run.sh shows it
left_out() { echo "left out: $*"; }

# unseen ARCHIVE: the status of who reads it, 3, where all that was lost is what
# a kernel shows to no program (bpf/sched.bpf.c, miss_switch(); bpf/block.bpf.c,
# io_forget()); else 0. Such a kernel is not what is tested.
unseen() {
	"$WEIR" stat "$1" --json 2>/dev/null | jq 'if .losses != [] and
		(.losses | all(.stage == "hook" and
			(.source | IN("sched", "block")))) then 3 else 0 end'
}

done_testing() {
	[ $failures = 0 ]
	exit
}
