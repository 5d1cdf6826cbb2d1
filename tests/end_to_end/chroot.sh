#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A newcomer's first steps on a Debian 12 with nothing but git: clone, ./run demo, ./run test. Then gradc, installed and
# moved, on a second one without compiler, linker and -dev packages. As root; needs debootstrap and the
# network of Debian's mirror. With FOLDER the systems are kept there and their first stage is used again.
#   tests/end_to_end/chroot.sh [--demo-only] [FOLDER]
set -euo pipefail
source_tree=$(cd "$(dirname "$0")/../.." && pwd)
mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
demo_only=0
if [ "${1:-}" = --demo-only ]; then demo_only=1; shift; fi
keep=${1:-}
folder=${keep:-$(mktemp -d)}
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

say() { printf '\n== %s\n' "$*"; }
fail() { printf 'chroot.sh: %s\n' "$*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "only root can make a chroot"
command -v debootstrap >/dev/null || fail "debootstrap is missing: apt-get install -y debootstrap"

mounted=()
mount_at() { mount "${@:2}" "$1"; mounted=("$1" "${mounted[@]}"); }
clean() {
    local place
    for place in "${mounted[@]:-}"; do [ -z "$place" ] || umount -l "$place" || true; done
    if [ -z "$keep" ] && ! grep -q " $folder/" /proc/mounts; then rm -rf --one-file-system "$folder"; fi
}
trap clean EXIT

bare_system() { # name: a fresh Debian 12 in $folder/name
    local root=$folder/$1
    if [ ! -f "$folder/base.tar" ]; then
        debootstrap --variant=minbase bookworm "$folder/base" "$mirror" >"$folder/debootstrap.log" 2>&1 ||
            fail "debootstrap failed: $folder/debootstrap.log"
        tar -C "$folder/base" -cf "$folder/base.tar" .
        rm -rf "$folder/base"
    fi
    ! grep -q " $root/" /proc/mounts || fail "something is still mounted below $root"
    rm -rf --one-file-system "$root"
    mkdir -p "$root"
    tar -C "$root" -xf "$folder/base.tar"
    cp /etc/resolv.conf "$root/etc/resolv.conf"
    cp -r /etc/apt/apt.conf.d/*proxy* "$root/etc/apt/apt.conf.d/" 2>/dev/null || true
    echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/no-sync" # the system is thrown away
    mount_at "$root/proc" -t proc proc
    mount_at "$root/dev" --bind /dev
}
inside() { # name command..: without terminal, with nothing of this environment
    local root=$folder/$1
    shift
    env -i HOME=/root PATH=/usr/sbin:/usr/bin:/sbin:/bin LANG=C.UTF-8 ${GRADC_DATA:+GRADC_DATA=/data} \
        chroot "$root" /bin/bash -c "$*" </dev/null
}

install="apt-get -q update && DEBIAN_FRONTEND=noninteractive apt-get -q -y install --no-install-recommends"

say "a bare Debian 12 with git"
bare_system newcomer
inside newcomer "$install git" >"$folder/git.log" 2>&1 || fail "git cannot be installed: $folder/git.log"
# Copies, never mounts, of what is ours: a tree that is thrown away must hold nothing of value.
git clone -q --bare "$source_tree" "$folder/newcomer/root/source.git"
[ -z "${GRADC_DATA:-}" ] || cp -r "$GRADC_DATA" "$folder/newcomer/data"
inside newcomer "git config --global --add safe.directory '*' && git clone -q /root/source.git /root/gradc"

say "./run demo"
started=$SECONDS
inside newcomer "cd /root/gradc && ./run demo" | tee "$folder/demo.log"
grep -q '^test accuracy' "$folder/demo.log" || fail "the demo prints no test accuracy"
awk '/^test accuracy/ { if ($3 >= 0.96) good = 1 } END { exit !good }' "$folder/demo.log" ||
    fail "the demo's test accuracy is below 0.96"
say "./run demo took $((SECONDS - started)) s"
[ "$demo_only" = 0 ] || exit 0

say "./run test"
started=$SECONDS
inside newcomer "cd /root/gradc && ./run test"
say "./run test took $((SECONDS - started)) s"

say "gradc without compiler, linker or -dev packages"
inside newcomer "cd /root/gradc && cmake --install build --prefix /root/prefix >/dev/null"
libraries=$(inside newcomer "ldd /root/prefix/bin/gradc | awk '\$3 ~ /^\// { print \$3 }' | xargs -r realpath |
    xargs -r dpkg -S 2>/dev/null | sed 's/:.*//' | sort -u | tr '\n' ' '")
case " $libraries " in *-dev\ *) fail "gradc needs a -dev package: $libraries" ;; esac
bare_system user
inside user "$install $libraries" >"$folder/libraries.log" 2>&1 ||
    fail "libraries cannot be installed: $folder/libraries.log"
cp -r "$folder/newcomer/root/prefix" "$folder/user/opt/moved"
cp -r "$folder/newcomer/root/gradc/examples/digits" "$folder/user/root/digits"
for tool in cc gcc g++ clang ld ld.lld as c++; do
    if inside user "command -v $tool" >/dev/null; then fail "the second system has $tool"; fi
done
inside user "cd /root/digits && /opt/moved/bin/gradc build model.grad -o trainer && ./trainer train --json log.json"
accuracy=$(grep -oE '"accuracy": *[0-9.]+' "$folder/user/root/digits/log.json" | tail -n 1 | sed 's/.*: *//')
awk -v accuracy="$accuracy" 'BEGIN { exit !(accuracy >= 0.96) }' || fail "test accuracy $accuracy there"
say "all is well: test accuracy $accuracy from a moved gradc with only: $libraries"
