#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# run.sh [NAME…] - search for inputs that crash a fuzz target, TIME s (60) each
#
# Needs clang with libFuzzer. New inputs go to $O/corpus/NAME, a crash to
# $O/NAME-*, and exit status 1 when all are done; the corpus of the tree is only
# read. To keep what was found, small:
#   $O/NAME_fuzz -set_cover_merge=1 -use_counters=0 \
#           tests/fuzz/corpus/NAME $O/corpus/NAME

set -euo pipefail
cd "$(dirname "$0")/../.."
O=${O:-build/fuzz} TIME=${TIME:-60} CLANG=${CLANG:-clang}
if [ $# = 0 ]; then
	set -- tests/fuzz/*_fuzz.c
	set -- "${@#tests/fuzz/}"
	set -- "${@%_fuzz.c}"
fi

san=address,undefined
crashed=
for name; do
	make --no-print-directory -s O="$O" CC="$CLANG" CFLAGS='-O1 -g' \
		SAN="-fsanitize=fuzzer-no-link,$san -fno-sanitize-recover=undefined" \
		"$O/tests/fuzz/${name}_fuzz.o" "$O/libweir.a" "$O/embed.o"
	# shellcheck disable=SC2046
	"$CLANG" -fsanitize=fuzzer,$san -o "$O/${name}_fuzz" \
		"$O/tests/fuzz/${name}_fuzz.o" "$O/libweir.a" "$O/embed.o" \
		-pthread $(pkg-config --libs libbpf libelf zlib libzstd liblz4)
	mkdir -p "$O/corpus/$name"
	echo "== $name: $TIME s"
	"$O/${name}_fuzz" -max_total_time="$TIME" -artifact_prefix="$O/$name-" \
		-print_final_stats=1 -verbosity=0 -detect_leaks=1 \
		"$O/corpus/$name" "tests/fuzz/corpus/$name" 2>&1 |
		sed '/^###\|^"/d' || crashed="$crashed $name"
done
[ -z "$crashed" ] || { echo "crashed:$crashed; see $O" >&2; exit 1; }
