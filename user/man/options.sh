#!/bin/sh
# SPDX-License-Identifier: BSD-2-Clause
#
# options.sh WEIR - bring the option lists of weir.1 up to date with the
# program's tables (tests/cli/help.sh compares them).

set -eu
weir=$1
page=$(dirname "$0")/weir.1
new=$(mktemp)
trap 'rm -f "$new"' EXIT

skipping=
while IFS= read -r line; do
	case $line in
	'.\" options of '*)
		printf '%s\n' "$line"
		"$weir" __man "${line##* }"
		skipping=1 ;;
	.El) [ -n "$skipping" ] || echo .El
		skipping= ;;
	*) [ -n "$skipping" ] || printf '%s\n' "$line" ;;
	esac
done <"$page" >"$new"
cat "$new" >"$page"
