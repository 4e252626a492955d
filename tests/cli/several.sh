#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# several.sh - archives, segments, and both in any number, for every command
# that reads; of several runs in the order of time; what cannot be asked
# together is told.

. "$(dirname "$0")/lib.sh"
needs_recording
golden=$root/tests/golden

# shellcheck disable=SC2016
for a in b a; do # the second one is named first below
	run record -q -o $a --buffer 64M --segment 16K \
		--set syscall.calls=all -- sh -c \
		'for i in 1 2 3; do ls -R /usr/include/linux; sleep 1.1; done'
	is "record $a: status" $rc 0
done
[ "$(find a -name '*.weir' | wc -l)" -ge 2 ] || fail "one segment only"
run show b --json
cp out all
run show a --json
cat out >>all

segments=$(printf '%s\n' a/*.weir b/*.weir | sort -R)
for words in "a b" "b a" "$segments" "a $segments b"; do
	# shellcheck disable=SC2086
	run show $words --json
	cmp -s out all || fail "show $words: not both, once, in order"
	for c in stat tasks verify "hist duration" "export --to csv" \
		"query SELECT"; do
		case $c in
		hist*) set -- hist $words duration ;;
		query*) set -- query $words 'SELECT count(*) FROM events' ;;
		*) set -- $c $words ;;
		esac
		run "$@"
		is "$c of $(echo $words | wc -w): status" $rc 0
		[ -s out ] || fail "$c: nothing"
	done
	# shellcheck disable=SC2086
	run stat $words --json
	is "stat $words" "$(jq .events out)" "$(lines all)"
done
run show a --from -0.5s
last=$(lines out)
run show b a --from -0.5s
is "a time is before the end of all" "$(lines out)" "$last"
run show a --from now
is "now is its end" "$(lines out)" 0

# another schema, another boot
run show a "$golden/archives/rows"
is "other events: status" $rc 1
has "other events" err "knows other events than the rest"
is "other events: one line" "$(lines err)" 1
mkdir boot
PYTHONPATH=$golden PYTHONDONTWRITEBYTECODE=1 python3 - "$golden" <<'PY'
import glob, sys
sys.argv[1:], golden = [], sys.argv[1]
from read_archive import HEADER, SEGMENT, crc32c
source = glob.glob(golden + "/archives/rows/*.weir")[0]
data = bytearray(open(source, "rb").read())
head = list(HEADER.unpack_from(data))
assert head[2] == SEGMENT
data[64 + 8] ^= 1   # another run
data[64 + 48] ^= 1  # of another boot
head[12] = crc32c(data[64:128])
head[14] = crc32c(HEADER.pack(*head)[:60])
data[:64] = HEADER.pack(*head)
open("boot/" + source.split("/")[-1], "wb").write(data)
PY
run show "$golden/archives/rows" boot
is "two boots: status" $rc 0
both=$(lines out)
run show boot
is "two boots: one after the other" "$both" $((2 * $(lines out)))
run show "$golden/archives/rows" boot --from -1s
is "two boots and a time: status" $rc 2
has "two boots and a time" err 'of 2 boots'
done_testing
