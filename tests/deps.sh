#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# deps.sh [build|bench|lint] - install what weir needs to be built and tested
# from Debian's packages, with "build" only what it is built with, with "bench"
# also what it is measured with, with "lint" what it is checked with; where there
# is no apt, or no root, print what is missing, and fail; elsewhere all of it.

set -u
BUILD="gcc libc6-dev make clang llvm bpftool libbpf-dev libelf-dev zlib1g-dev libzstd-dev
	liblz4-dev libsqlite3-dev libedit-dev libseccomp-dev
	libcap-dev libmicrohttpd-dev pkg-config"
TEST="curl libcmocka-dev relacy-dev libclang-rt-14-dev g++ jq python3
	util-linux e2fsprogs xfsprogs procps iproute2 qemu-system-x86
	busybox-static cpio xz-utils xxd debian-archive-keyring strace systemd
	man-db groff-base bsdutils"
BENCH="fio nginx-light wrk git sqlite3 trace-cmd linux-perf bpftrace
	libbpf-tools time libboost1.81-dev libck-dev libdpdk-dev"
LINT="git clang-format universal-ctags"

case ${1:-} in
'') WANTED="$BUILD $TEST" ;;
build) WANTED=$BUILD ;;
bench) WANTED="$BUILD $TEST $BENCH" ;;
lint) WANTED=$LINT ;;
*) echo "usage: deps.sh [build|bench|lint]" >&2; exit 2 ;;
esac
command -v dpkg-query >/dev/null || {
	echo "deps: this is no Debian; by its names what is needed is" $WANTED >&2
	exit 0
}
missing=
for p in $WANTED; do
	dpkg-query -W -f '${db:Status-Status}\n' "$p" 2>/dev/null |
		grep -qx installed || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
if ! command -v apt-get >/dev/null || [ "$(id -u)" != 0 ]; then
	echo "deps: please install (Debian names):$missing" >&2
	exit 1
fi
echo "deps: installing$missing"
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
if ! { apt-get update -qq &&
	apt-get install -y -qq --no-install-recommends $missing; } >"$log" 2>&1
then
	cat "$log" >&2
	rm -f "$log"
	echo "deps: apt-get failed; see above" >&2
	exit 1
fi
rm -f "$log"
