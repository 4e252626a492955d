#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# install.sh - what `make install` puts there anybody can use, whatever the
# umask of who installs; the ring library builds a program with what pkg-config
# says; `make uninstall` takes all of it away, and nothing else.

. "$(dirname "$0")/lib.sh"

# to WHERE GOAL
to() {
	(umask 077 && make -C "$root" O="$O" DESTDIR="$1" PREFIX=/usr "$2") \
		>log 2>&1 || fail "make $2: $(tail -n 3 log)"
}

mkdir root
to "$dir/root" install
is "files that are not everybody's" \
	"$(find root -type f ! -perm -444 -o -type f -perm /022)" ""
is "directories that nobody else may enter" \
	"$(find root -mindepth 1 -type d ! -perm -555)" ""
is "programs" "$(find root -type f -perm /111)" root/usr/bin/weir
is "what was not filled in" "$(grep -rlI '@[A-Z]*@' root)" ""
root/usr/bin/weir --version >out || fail "it does not run"
for f in share/man/man1/weir.1 share/man/man5/weir-archive.5 \
	share/bash-completion/completions/weir lib/systemd/system/weir.service \
	lib/sysusers.d/weir.conf; do
	[ -s "root/usr/$f" ] || fail "there is no $f"
done

cat >user.c <<'C'
#include <weir/ring.h>
int main(void)
{
	struct ring_producer *p;
	struct ring_consumer *c;

	if (ring_new_pair(&p, &c, 65536, 0))
		return 1;
	return ring_write(p, 7, "hello", 5) != 0;
}
C
export PKG_CONFIG_PATH=$dir/root/usr/lib/pkgconfig
export PKG_CONFIG_SYSROOT_DIR=$dir/root
# shellcheck disable=SC2046
cc -Wall -Werror -o user user.c \
	$(pkg-config --cflags --libs weir-ring) >out 2>&1 || fail "$(cat out)"
./user || fail "a program that uses the ring"

: >root/usr/include/weir/another.h
to "$dir/root" uninstall
is "what is left" "$(find root -type f)" root/usr/include/weir/another.h
done_testing
