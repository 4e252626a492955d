#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# first-run.sh WEIR - what `make run` does once weir is built: record this host
# for 10 s, or until Ctrl-C, and look at what came of it.

set -u
weir=$1
seconds=${SECONDS_TO_RECORD:-10}
archive=${TMPDIR:-/tmp}/weir-$(date -u +%Y%m%dT%H%M%SZ)

if [ "$(id -u)" != 0 ]; then
	echo "recording needs root: sudo make run" >&2
	exit 1
fi

step() { # TITLE COMMAND…: show what is typed, then what it prints
	printf '\n--- %s\n$ %s\n' "$1" "$2"
	sh -c "$2"
}

trap : INT # Ctrl-C ends the recording, not this script
echo "Recording this host for $seconds s; Ctrl-C ends it earlier."
printf '$ %s record -o %s --for %ss\n' "$weir" "$archive" "$seconds"
"$weir" record -o "$archive" --for "${seconds}s"
rc=$?
trap - INT
case $rc in
0 | 3) ;;
*)
	echo "That did not work; this may tell why:" >&2
	"$weir" doctor
	exit $rc
	;;
esac

step "What is in it" "$weir stat $archive"
step "Programs that were started" "$weir show $archive -e task_exec | head -n 8"
step "Files that were looked for and are not there" \
	"$weir show $archive -f 'ret == ENOENT and path' | head -n 5"
step "Who did what" "$weir tasks $archive | head -n 15"

cat <<END

--- What to type next
$weir show $archive -f 'comm == "bash"'      # one program
$weir tasks $archive --at -5s                # who was alive 5 s before the end
$weir export $archive --to csv -o events.csv
sudo $weir watch -e task_exec                # live
sudo $weir record -o build.weir -- make      # a command and all it starts
$weir --help
END
