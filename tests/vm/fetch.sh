#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-2-Clause
#
# fetch.sh - get Debian kernel images for tests/vm/run.sh
#
#   tests/vm/fetch.sh [LABEL…|all]     get them; default: all
#   tests/vm/fetch.sh --list           print every label
#
# A label is a kernel series with its flavour: 6.12 is the newest 6.12 "cloud"
# kernel, 6.12-rt the newest "rt" one. Each becomes build/vm/kernels/LABEL/ with
#   vmlinuz   the bootable image
#   loop.ko   the loop driver, a block device for kernels without a built-in one
#             (optional: it leaves the archive long before the image does)
#   version   "RELEASE PACKAGE-VERSION": what the label resolved to
# A label that is there already costs nothing; VM_REFRESH=1 resolves anew.
# A kernel that cannot be had is one line on stdout, "not run: LABEL (why)",
# and is no error: versions leave the archive, and machines are offline.
#
# apt runs with lists and cache of its own below build/vm/apt; the system's apt
# state is only read. The mirror is whatever the system's own sources use;
# VM_MIRROR and VM_SECURITY_MIRROR override it.
#
# Needs: apt, dpkg, xz-utils, util-linux (flock), debian-archive-keyring.

set -u

root=$(cd "$(dirname "$0")/../.." && pwd)
vm=$root/build/vm
apt=$vm/apt
keyring=/usr/share/keyrings/debian-archive-keyring.gpg

ALL="5.10 5.10-rt 6.1 6.1-rt 6.12 6.12-rt 6.16 6.17 6.18 6.19"
ALL="$ALL 7.0 7.1 7.2 7.3 7.3-rt"
SUITES="bookworm trixie-backports sid"
SECURITY_SUITES="bullseye-security bookworm-security"

not_run() { # LABEL WHY
	echo "not run: $1 ($2)"
}

have() { # LABEL
	[ -s "$vm/kernels/$1/vmlinuz" ] && [ -s "$vm/kernels/$1/version" ]
}

# The repository behind the system's first source whose suite matches $1 and
# does not match $2.
system_mirror() {
	# shellcheck disable=SC2016 # apt's own variables, not the shell's
	env -u APT_CONFIG apt-get indextargets \
		--format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' \
		2>/dev/null |
		awk -v yes="$1" -v no="$2" '
			$2 ~ yes && $2 !~ no && $1 ~ /debian/ { print $1; exit }'
}

write_sources() {
	local main security suite

	main=${VM_MIRROR:-$(system_mirror . '-(security|updates)$')}
	security=${VM_SECURITY_MIRROR:-$(system_mirror '-security$' '^$')}
	for suite in $SUITES; do
		[ -z "$main" ] ||
			echo "deb [signed-by=$keyring] $main $suite main"
	done
	for suite in $SECURITY_SUITES; do
		[ -z "$security" ] ||
			echo "deb [signed-by=$keyring] $security $suite main"
	done
}

write_apt_conf() {
	cat <<-END
	Dir::Etc::sourcelist "$apt/sources.list";
	Dir::Etc::sourceparts "$apt/none";
	Dir::Etc::preferences "$apt/none/preferences";
	Dir::Etc::preferencesparts "$apt/none";
	Dir::State::lists "$apt/lists";
	Dir::State::status "$apt/status";
	Dir::Cache "$apt/cache";
	APT::Architecture "amd64";
	APT::Architectures "amd64";
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	END
}

# Make the private apt and read the package lists, once per run. A suite that is
# gone, or no network, is no error here: what is listed still counts.
apt_ready=no
apt_prepare() {
	[ $apt_ready = no ] || return 0
	apt_ready=yes
	mkdir -p "$apt"/{none,lists/partial,cache/archives/partial}
	: >"$apt/status"
	write_sources >"$apt/sources.list"
	write_apt_conf >"$apt/apt.conf"
	export APT_CONFIG=$apt/apt.conf
	apt-get -q update >"$apt/update.log" 2>&1
}

# Every package that can carry a bootable image of LABEL, newest first. From
# 6.19 on Debian's linux-image is empty and linux-binary carries the image.
candidates() { # LABEL
	local series=${1%-rt} flavour=cloud prefix

	[ "$series" = "$1" ] || flavour=rt
	prefix="^linux-(image|binary)-${series//./\\.}\.[0-9]+(-[0-9]+)?"
	apt-cache pkgnames linux- |
		grep -E "$prefix(\+deb[0-9]+)?-$flavour-amd64\$" |
		sed -E 's/^(linux-(image|binary)-)(.*)/\3 \1\3/' |
		sort -k1,1Vr -k2,2 | cut -d' ' -f2
}

# Download PACKAGE and unpack it into DIR.
unpack() { # PACKAGE DIR
	local debs

	mkdir -p "$2"
	(cd "$2" && apt-get -q download "$1" >>"$apt/download.log" 2>&1) ||
		return 1
	debs=("$2"/*.deb)
	dpkg-deb -x "${debs[0]}" "$2" && rm -f "${debs[@]}"
}

# The loop driver, from the image package or from its sibling linux-modules.
take_loop_driver() { # TREE RELEASE TO
	local ko

	ko=$(find "$1" -name 'loop.ko*' | head -n 1)
	if [ -z "$ko" ]; then
		unpack "linux-modules-$2" "$1" || return 0
		ko=$(find "$1" -name 'loop.ko*' | head -n 1)
	fi
	case $ko in
	*.ko)    cp "$ko" "$3" ;;
	*.ko.xz) xz -dc "$ko" >"$3" ;;
	*.ko.zst) zstd -qdc "$ko" >"$3" ;;
	esac
}

# Unpack PACKAGE as LABEL. Fails, leaving nothing, when it holds no image.
install_kernel() { # LABEL PACKAGE
	local tree=$vm/kernels/.$1 to=$vm/kernels/$1 image release version

	rm -rf "$tree"
	unpack "$2" "$tree/deb" || return 1
	image=$(find "$tree/deb" -name 'vmlinuz*' -type f | head -n 1)
	[ -n "$image" ] || return 1
	release=${2#linux-*-}
	version=$(apt-cache show --no-all-versions "$2" |
		sed -n 's/^Version: //p')
	mv "$image" "$tree/vmlinuz"
	take_loop_driver "$tree/deb" "$release" "$tree/loop.ko"
	rm -rf "$tree/deb"
	echo "$release $version" >"$tree/version"
	rm -rf "$to"
	mv "$tree" "$to"
}

fetch_kernel() { # LABEL
	local package

	have "$1" && [ -z "${VM_REFRESH:-}" ] && return
	command -v apt-get >/dev/null || {
		have "$1" || not_run "$1" "this system has no apt-get"
		return
	}
	apt_prepare
	for package in $(candidates "$1" | head -n 8); do
		install_kernel "$1" "$package" || continue
		echo "$1: $(cat "$vm/kernels/$1/version")"
		return
	done
	rm -rf "$vm/kernels/.$1"
	if have "$1"; then
		echo "$1: not refreshed, still" "$(cat "$vm/kernels/$1/version")"
	elif [ -n "${package:-}" ]; then
		not_run "$1" "$package could not be downloaded or unpacked"
	elif [ ! -s "$apt/sources.list" ]; then
		not_run "$1" "this system has no Debian package source"
	elif [ -z "$(apt-cache pkgnames linux-image-)" ]; then
		not_run "$1" "no package lists, see build/vm/apt/update.log"
	else
		not_run "$1" "no such kernel in the package lists"
	fi
}

main() {
	local label labels

	labels=${*:-all}
	[ "$labels" != all ] || labels=$ALL
	[ "$labels" != --list ] || { echo "$ALL"; return; }
	mkdir -p "$vm/kernels"
	exec 8>"$vm/fetch.lock"
	flock 8
	for label in $labels; do
		fetch_kernel "$label"
	done
}

main "$@"
