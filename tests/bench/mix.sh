#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# mix.sh [prepare|run] - a mixed load of real programs, for what is measured
# per event: a C build (weir's own), package reinstalls, fio direct and with
# fsync, nginx under wrk over loopback, find, ls, grep, tar, git and sqlite.
#
# prepare fetches the packages that run reinstalls; nothing else ever leaves
# the host. run takes about SECONDS_MIX (45) on two quiet cores and makes some
# 150,000 system calls a second; no part may last longer than a minute (but
# packages: what is begun there must end). It says on stdout when each ended,
# and leaves nothing behind. A part whose program is missing is left out and
# told: `make bench-deps` installs them all.

set -u
cd "$(dirname "$0")/../.." || exit 2
O=${O:-build}
case $O in /*) ;; *) O=$PWD/$O ;; esac
SPAN=${SECONDS_MIX:-45}
PORT=${MIX_PORT:-18237}
PACKAGES=${MIX_PACKAGES:-"jq cpio busybox-static bc libsqlite3-dev"}
debs=$O/bench/debs

apt_reinstall() { # directory of packages, more options…
	local dir=$1
	shift
	DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --reinstall \
		--no-install-recommends -o Dir::Cache::archives="$dir" \
		-o DPkg::Lock::Timeout=60 "$@" $PACKAGES
}

prepare() {
	mkdir -p "$debs/partial"
	command -v apt-get >/dev/null || return 0
	ls "$debs"/*.deb >/dev/null 2>&1 && return 0
	{ apt-get update -qq && apt_reinstall "$debs" --download-only; } \
		>"$debs/log" 2>&1 || echo "mix.sh: no packages; see $debs/log" >&2
}

# --- the parts: each may end in failure, none may last ----------------------

c_build() {
	cp -r Makefile bpf vmlinux ring user "$dir/tree"
	while [ $SECONDS -lt "$SPAN" ] && [ -d "$dir" ]; do
		timeout --foreground 60 make -s -C "$dir/tree" -j2 O=out CC=gcc all \
			>"$dir/build" 2>&1 || tail -n 1 "$dir/build"
		did "C build"
		rm -rf "$dir/tree/out"
	done
}

packages() {
	cp "$debs"/*.deb "$dir/debs" || return 1
	apt_reinstall "$dir/debs" --no-download
}

disk() { # fio options…
	timeout --foreground 60 fio --name=mix --filename="$dir/fio" --size=64M \
		--rw=randrw --bs=4k --time_based --runtime=$((SPAN / 9)) "$@"
	rm -f "$dir/fio"
}

web_config() {
	cat <<-END
	daemon off; worker_processes 1; pid $dir/web/pid;
	error_log $dir/web/error; events { worker_connections 256; }
	http {
		access_log $dir/web/access; root $dir/web/root;
		client_body_temp_path $dir/web; proxy_temp_path $dir/web;
		fastcgi_temp_path $dir/web; uwsgi_temp_path $dir/web;
		scgi_temp_path $dir/web;
		server { listen 127.0.0.1:$PORT; }
	}
	END
}

web() {
	mkdir -p "$dir/web/root"
	head -c 4096 /dev/urandom >"$dir/web/root/index.html"
	web_config >"$dir/web/conf"
	nginx -c "$dir/web/conf" -e "$dir/web/error" &
	local nginx=$!
	sleep 0.5
	wrk -t 1 -c 16 -d $((SPAN / 5)) "http://127.0.0.1:$PORT/"
	wrk -t 1 -c 4 -d $((SPAN / 15)) -H 'Connection: close' \
		"http://127.0.0.1:$PORT/"
	kill $nginx
	wait $nginx
}

files() {
	find /usr /etc -xdev -printf '%s %m %u %p\n' | wc -l
	ls -lR /usr/share/doc /usr/lib | wc -l
	grep -rIc struct /usr/include | wc -l
	tar -cf - /usr/include /usr/share/doc | tar -xf - -C "$dir/untar"
	rm -rf "$dir/untar"
}

repository() {
	cp -r user bpf tests "$dir/git"
	(
		cd "$dir/git" || exit 1
		git init -q . && git add . && git commit -qm all
		for n in 1 2 3 4 5; do
			sed -i "s/int/int /" user/*_$n* user/*.h
			git status -s && git commit -qam "$n"
			git log -p --stat && git grep -c int && git blame user/buf.c
		done
		git clone -q "file://$dir/git" clone && git gc -q
	) | wc -l
}

database() {
	{
		echo 'CREATE TABLE t(a INTEGER PRIMARY KEY, b, c);'
		for n in $(seq 2000); do
			echo "INSERT INTO t(b, c) VALUES($n, hex(randomblob(64)));"
		done
		echo 'CREATE INDEX i ON t(c); SELECT count(*) FROM t ORDER BY c;'
	} | timeout --foreground 60 sqlite3 "$dir/db"
}

# --- running them -------------------------------------------------------------

# Those of the background do not know of Ctrl-C; the build is below its loop.
stop_parts() {
	local job
	for job in $(jobs -p); do
		pkill -TERM -P "$job"
		kill "$job"
	done 2>/dev/null
	wait
}

did() { printf '%-12s %3d s\n' "$1" $SECONDS; }

part() { # program, name, function and arguments…
	local program=$1 name=$2
	shift 2
	if ! command -v "$program" >/dev/null; then
		echo "$name: left out, there is no $program (make bench-deps)"
		return
	fi
	"$@" >"$dir/log" 2>&1 || echo "$name: failed: $(tail -n 1 "$dir/log")"
	did "$name"
}

run() {
	dir=$(mktemp -d)
	chmod 755 "$dir" # the workers of nginx are nobody
	mkdir -p "$dir"/{tree,debs,untar,git}
	trap 'stop_parts; rm -rf "$dir"' EXIT
	trap 'exit 130' INT TERM # not the part at hand alone
	export HOME=$dir GIT_AUTHOR_NAME=mix GIT_AUTHOR_EMAIL=mix@localhost \
		GIT_COMMITTER_NAME=mix GIT_COMMITTER_EMAIL=mix@localhost
	SECONDS=0
	c_build &
	part fio "fio direct" disk --direct=1
	part fio "fio fsync" disk --fsync=4
	part sqlite3 sqlite database
	part wrk web web
	part apt-get packages packages
	part find files files
	part git git repository
	wait
}

case ${1:-run} in
prepare) prepare ;;
run) prepare && run ;;
*) echo "usage: mix.sh [prepare|run]" >&2; exit 2 ;;
esac
