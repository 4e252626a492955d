#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# config.sh - options from a file: the same names, checked by line, outdone by
# the command line, and taken from nobody root does not trust.

. "$(dirname "$0")/lib.sh"
umask 022

# config WORD…: list as in the file conf
config() { run --config conf "$@"; }

# refused LINES PATTERN
refused() {
	printf '%b' "$1" >conf
	config list
	is "$1: status" $rc 2
	is "$1: one line" "$(lines err)" 1
	has "$1" err "^weir: conf:$2"
}

printf '# a comment\n\n  json = yes \n' >conf
config list sources
jq . out >/dev/null 2>&1 || fail "an option before any section is not taken"
printf '[doctor]\njson = yes\n[list]\r\njson=yes\n' >conf
config list sources
jq . out >/dev/null 2>&1 || fail "an option of the command's section"
printf '[doctor]\njson = yes\n' >conf
config list sources
jq . out >/dev/null 2>&1 && fail "an option of another command is taken"
printf 'json = yes\n[list]\njson = no\n' >conf
config list sources
jq . out >/dev/null 2>&1 && fail "a later line does not count"
printf 'quiet = yes\nsegment = 64M\n' >conf
config list sources
is "an option of other commands alone: status" $rc 0

refused 'utc = yes\njsno = yes\n' "2: no option is called 'jsno' .*'json'"
refused '[recrod]\n' "1: no command is called 'recrod' .*'record'"
refused '[list]\n\nsegment = 1M\n' "3: no option of that command .*'segment'"
refused '[__man]\n' "1: no command is called '__man'"
refused 'json\n' "1: 'json' is not NAME = VALUE"
refused '[list\n' '1: a section is written'
refused '[\n' '1: a section is written'
refused '[]\n' "1: no command is called ''"
refused 'json = maybe\n' "1: --json is yes or no, not 'maybe'"
refused '= yes\n' "1: no option is called ''"
refused '\x1b[2Jx = 1\n' '1: no option is called .*x1b'
is_clean "an escape sequence in a file" err

run --config missing list
is "a file that is not there: status" $rc 1
has "a file that is not there" err "^weir: cannot read 'missing': No such"
run --config none list
is "none: status" $rc 0
run --config=none list
is "--config=FILE: status" $rc 0
run --config
is "no value: status" $rc 2
run --confg x list
is "another name: status" $rc 2
run --config "$dir" list
is "a directory: status" $rc 1
mkfifo fifo
run --config fifo list
is "a FIFO: status" $rc 1
truncate -s 2M large
run --config large list
has "too large" err "^weir: 'large' is not used: .*1M"

[ "$(id -u)" = 0 ] || done_testing
printf 'json = yes\n' >conf
chown daemon conf
config list
is "root, another's file: status" $rc 1
has "root, another's file" err "^weir: 'conf' is not used: .*root's"
chown root conf && chmod 666 conf
config list
is "root, a file others may write: status" $rc 1
has "root, a file others may write" err "^weir: 'conf' .*chmod go-w"
chmod 755 "$dir"
setpriv --reuid=daemon --clear-groups "$WEIR" --config conf list >out 2>err
is "who is not root takes it: status" $? 0

[ -r /sys/kernel/btf/vmlinux ] || done_testing
chmod 644 conf
cat >conf <<'END'
[record]
quiet = yes
source = net
source = block
set = syscall.slower=1ms
set = syscall.calls=none
segment = 1M
filter = pid == 1 and comm == "a=b"
END
config record -o a -s task --filter 'kind == task_exec' -- /bin/true
is "record: status" $rc 0
is "record: quiet" "$(lines err)" 0
run stat a --json
is "the command line's list replaces the file's" \
	"$(jq -c '[.kinds[].source] | unique' out)" '["task"]'
printf '[record]\nsegment = much\n' >conf
config record -o b -- true
is "a value that is none: status" $rc 2
has "a value that is none" err "^weir: conf:2: --segment: 'much' is no size"
[ -e b ] && fail "a value that is none: an archive is left"

# Any bytes: taken, or refused with one line.
python3 - "$RANDOM" <<'PY'
import random, sys
random.seed(int(sys.argv[1]))
line = [b"utc = yes", b"[record]", b"user = weir", b"segment = 64M", b"# no",
        b"set = syscall.slower=1ms", b"source = task,,net", b"[list]", b"=",
        b"[", b"]", b"json = maybe", b"json", b"\0", b"", b"  \t=\t ", b"a" * 500]
for i in range(20):
    text = bytearray(b"\n".join(random.choices(line, k=random.randrange(9))))
    for _ in range(random.randrange(4)):
        at = random.randrange(len(text) + 1)
        text[at:at + random.randrange(3)] = random.randbytes(random.randrange(4))
    open("any%d" % i, "wb").write(text)
PY
for f in any*; do
	run --config "$f" list sources
	[ $rc -le 2 ] || fail "any bytes: status $rc: $(cat -v "$f")"
	[ "$(lines err)" = $((rc != 0)) ] ||
		fail "any bytes: status $rc, $(lines err) lines: $(cat -v "$f")"
	is_clean "any bytes" err
done
done_testing
