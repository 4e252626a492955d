#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# golden.sh - archives of all sorts, kept for ever, are read as they were by the
# weir that first read them, and by a second reader that follows weir-archive(5);
# what is none, damaged, or of a newer weir fails as it should.
# GOLDEN=update writes what is expected anew: look at the difference.

. "$(dirname "$0")/lib.sh"
golden=$root/tests/golden
export TZ=UTC0

# as COMMAND FILE: its output is what the file has
as() {
	if [ "${GOLDEN:-}" = update ]; then
		case $2 in *.gz) gzip -9n <out >"$2" ;; *) cp out "$2" ;; esac
	fi
	case $2 in *.gz) gzip -dc "$2" ;; *) cat "$2" ;; esac >wanted
	cmp -s out wanted || {
		fail "$a: $1 is not as it was"
		diff out wanted | head -n 4 | cut -c 1-200
	}
}

# keeps COMMAND FILE: each number and name that the file has is in its output, in
# the same place; later weirs may tell more.
keeps() {
	[ "${GOLDEN:-}" = update ] && cp out "$2"
	jq -n -c --slurpfile was "$2" --slurpfile now out '$was[0] |
		paths(scalars) as $p | getpath($p) as $w |
		($now[0] | getpath($p)) as $n | select($w != $n) |
		[$p, $w, $n]' >differs 2>&1
	[ -s "$2" ] && [ ! -s differs ] || {
		fail "$a: $1 is not as it was: path, was, is:"
		head -n 4 differs
	}
}

cp -r "$golden/archives" good || exit 1
cp -r "$golden/bad" . || exit 1
cd good || exit 1
for a in *; do
	expected=$golden/expected/$a
	[ "${GOLDEN:-}" = update ] && mkdir -p "$expected"
	rc=0
	"$WEIR" show "$a" --json >out 2>err || rc=$?
	cp out shown
	as "show --json" "$expected/show.json.gz"
	{ cat err; echo "status $rc"; } >out
	as "what show says" "$expected/show.err"
	"$WEIR" stat "$a" --json >out 2>err
	keeps "stat --json" "$expected/stat.json"
	rc=0
	"$WEIR" verify "$a" >out 2>err || rc=$?
	echo "status $rc" >>out
	as "verify" "$expected/verify"
	python3 "$golden/read_archive.py" "$a"/*.weir* >read ||
		fail "$a: the reader of the page"
	# losses are told to whoever asks, and are no event of the selection
	python3 "$golden/compare.py" shown read >differs 2>&1 ||
		fail "$a: the page and weir differ: $(tail -n 3 differs)"
done

# bad NAME STATUS PATTERN: what weir show says of it
bad() {
	run show "../bad/$1.weir"
	is "bad/$1: status" $rc "$2"
	has "bad/$1" "$dir/err" "$3"
	is "bad/$1: one line" "$(lines "$dir/err")" 1
	run stat "../bad/$1.weir"
	is "bad/$1: stat" $rc "$2"
}
bad empty 1 'is no archive, or nothing in it can be read'
bad text 1 'is no archive, or nothing in it can be read'
bad damaged_schema 1 'is no archive, or nothing in it can be read'
bad newer_format 1 'made by a newer weir'
bad newer_frame 1 'made by a newer weir'
bad newer_encoding 1 '.'
bad damaged_block 3 'damaged and left out'
ls ../bad/*.weir | wc -l >count
is "all that is bad is tried" "$(cat count)" 7
done_testing
