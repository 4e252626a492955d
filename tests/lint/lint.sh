#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# lint.sh - what the compiler does not check: directions between rooms, form,
# sizes, documented headers, the refuse list; clang-tidy with TIDY=1.
# Exit 0 clean, 1 with one line for each finding.

set -u
cd "$(dirname "$0")/../.." || exit 2
found=0

say() {
	echo "lint: $*"
	found=$((found + 1))
}

room_of() { # file name
	local word rest globs g
	while read -r word rest globs; do
		[ "$word" = room ] || continue
		for g in $globs; do
			# shellcheck disable=SC2254
			case $1 in $g) echo "$rest"; return ;; esac
		done
	done <tests/lint/rooms
	echo none
}

may_know() { # room room
	grep -qE "^may $1\b.*\b$2\b" tests/lint/rooms
}

check_directions() {
	local f inc mine theirs
	set -f
	for f in $(set +f; ls user/*.[ch]); do
		mine=$(room_of "$(basename "$f")")
		[ "$mine" != none ] || say "$f is in no room (tests/lint/rooms)"
		while read -r inc; do
			theirs=$(room_of "$inc")
			may_know "$mine" "$theirs" ||
				say "$f ($mine) includes $inc ($theirs)"
		done < <(sed -n 's/^#include "\([a-z_0-9]*\.h\)".*/\1/p' "$f")
	done
	set +f
}

check_ring() {
	grep -nHE '^#include "' ring/*.[ch] | grep -v '"ring' &&
		say "ring/ knows nothing but libc"
}

check_libbpf() {
	local allowed f
	allowed=$(sed -n 's/^libbpf[[:space:]]*//p' tests/lint/rooms)
	for f in $(grep -lE '#include <bpf/' user/*.[ch]); do
		for g in $allowed; do
			# shellcheck disable=SC2254
			case $(basename "$f") in $g) continue 2 ;; esac
		done
		say "$f includes libbpf"
	done
	grep -nE '#include "../bpf/[^"]*"' user/*.[ch] |
		grep -vE '"../bpf/(events|syscalls|clause)\.h"' &&
		say "user/ knows of bpf/ only events.h and clause.h"
}

check_refused() {
	grep -nE '\b(system|popen|alloca|gets|strcat|sprintf)\(' user/*.c \
		ring/*.c && say "refused function"
	grep -nE '(case|==|!=) *EV_[A-Z_]+' user/*.c |
		grep -v 'user/repo_report.c' && say "code that knows a kind"
}

check_sizes() {
	local n f
	for f in $(git ls-files '*.c'); do
		n=$(wc -l <"$f")
		[ "$n" -le 600 ] || say "$f has $n lines (600)"
	done
	while read -r f; do say "$f"; done < <(long_functions)
}

long_functions() {
	ctags -f - --languages=C --kinds-C=f --fields=+ne $(git ls-files '*.c') \
		2>/dev/null | awk -F'\t' '{
		l = e = 0
		for (i = 4; i <= NF; i++) {
			if ($i ~ /^line:/) l = substr($i, 6)
			if ($i ~ /^end:/) e = substr($i, 5)
		}
		if (e - l + 1 > 80) print $2 ": " $1 ": " e - l + 1 " lines (80)"
	}'
}

# Every function a header declares is named in a comment of it.
check_docs() {
	local h name
	for h in user/*.h ring/ring.h; do
		for name in $(ctags -f - --languages=C --kinds-C=p "$h" \
			2>/dev/null | cut -f1 | sort -u); do
			sed -n '/\/\*/,/\*\//p' "$h" | grep -qw "$name" ||
				say "$h: $name is not documented"
		done
	done
}

# Every test that a text or a comment names is there.
check_named() {
	local f
	for f in $(git grep -hoE '\btests/(unit|cli|kernel|load|fuzz|golden|bench|vm|stress|lint)/[a-z0-9_]+\.(c|sh|h|py|cpp)\b' \
		| sort -u); do
		[ -e "$f" ] || say "$f is named, and is not there"
	done
}

check_format() {
	local f
	for f in $(git ls-files '*.c' '*.h'); do
		clang-format --dry-run -Werror "$f" 2>/dev/null ||
			say "$f: make format"
	done
}

check_tidy() {
	[ -n "${TIDY:-}" ] || return
	command -v clang-tidy >/dev/null ||
		{ say "clang-tidy is missing (apt-get install clang-tidy)"; return; }
	clang-tidy --quiet user/*.c ring/*.c -- -std=gnu11 -D_GNU_SOURCE \
		-DWEIR_VERSION='"0"' 2>/dev/null | grep -E '(warning|error):' &&
		say "clang-tidy"
}

for tool in clang-format ctags; do
	command -v $tool >/dev/null ||
		{ echo "lint: $tool is missing (make lint-deps)"; exit 1; }
done
# Others know of no function's end, and find nothing.
ctags --version | grep -q '^Universal' ||
	{ echo "lint: ctags is not Universal Ctags (make lint-deps)"; exit 1; }
git rev-parse --git-dir >/dev/null ||
	{ echo "lint: needs a clone, to know which files are the project's"; exit 1; }
check_directions
check_ring
check_libbpf
check_refused
check_sizes
check_docs
check_named
check_format
check_tidy
[ $found = 0 ] && echo "lint: clean"
[ $found = 0 ]
