#!/usr/bin/env bash
# Makes the disk of the lab's host and prints the folder that it, its kernel and its initrd are in:
#
#   test/lab/image/build.sh [backports]
#
# Nothing is mounted, installed or started on this machine: mmdebstrap unpacks Debian packages into
# a tree, to which come the files of `root/`, the Node.js and npm that run this, and the guest kit;
# mke2fs makes a file system of it. Both halves are kept by what they are made of. Kept packages do
# not age by themselves: `rm -rf .cache/lab` renews them.
#
# `backports` has the newest kernel that Debian has for this release.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly SOURCE=test/lab/image CACHE=.cache/lab SUITE=bookworm SIZE=8G
readonly KERNEL=${1:-stock}
readonly MIRROR=http://deb.debian.org/debian

say() { printf 'lab: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
digest_of() { sha256sum | cut -c -16; }

[[ $EUID -eq 0 ]] || fail 'must be run as root: the files of a host belong to root'
mkdir -p "$CACHE"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

packages() { sed 's/#.*//; /^$/d' "$SOURCE/packages"; }

unpack_debian() {
  local tar=$1 list mirrors=()
  list=$(packages | paste -sd,)
  if [[ $KERNEL == backports ]]; then
    list=${list/linux-image-cloud-amd64/linux-image-cloud-amd64/$SUITE-backports}
    mirrors=("deb $MIRROR $SUITE main" "deb $MIRROR $SUITE-backports main")
  fi
  say "unpacking Debian packages for the lab's host ($KERNEL kernel): one to three minutes"
  mmdebstrap --quiet --format=tar --variant=minbase --include="$list" \
    --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/man/*' \
    --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/info/*' \
    "$SUITE" "$tar.$$" ${mirrors[@]+"${mirrors[@]}"} >"$work/log" 2>&1 ||
    { tail -n 30 "$work/log" >&2; rm -f "$tar.$$"; fail 'mmdebstrap failed'; }
  mv "$tar.$$" "$tar"
}

# npm, so that the lab installs as a user would.
add_node() {
  local root=$1 npm
  npm=$(npm root --global)/npm
  install -D "$(node -p process.execPath)" "$root/usr/local/bin/node"
  mkdir -p "$root/usr/local/lib/node_modules"
  cp -rL "$npm" "$root/usr/local/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$root/usr/local/bin/npm"
}

settle() {
  local root=$1 unit
  cp -r "$SOURCE"/root/. "$root/"
  chown -R root:root "$root"/{etc/hostname,etc/fstab,usr/local}
  sed -i 's/^root:[^:]*:/root::/' "$root/etc/shadow"
  : >"$root/etc/machine-id"
  # The first console is for reading. The others would wake up on a clock that jumps at a resume.
  for unit in serial-getty@ttyS0.service getty@tty1.service libvirt-guests.service \
    systemd-timesyncd.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-tmpfiles-clean.timer; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
  done
  mkdir -p "$root/etc/systemd/system/getty.target.wants"
  ln -sf /lib/systemd/system/serial-getty@.service \
    "$root/etc/systemd/system/getty.target.wants/serial-getty@ttyS1.service"
  mkdir -p "$root/var/lib/lab"
  cp .cache/guest/{vmlinuz,initrd.img} "$root/var/lib/lab/"
  # The other end of what the guest kit speaks.
  install -m 0755 test/support/guest/client.pl "$root/usr/local/bin/lab-vsock"
  install -m 0755 test/support/kvm-trial.sh "$root/usr/local/bin/lab-kvm-trial"
}

debian=$CACHE/debian-$KERNEL-$({ packages; sed -n '/^unpack_debian/,/^}/p' "$SOURCE/build.sh"; } | digest_of).tar
image=$CACHE/image-$KERNEL-$({
  echo "$debian" "$(node --version)" "$(npm --version)"
  cat .cache/guest/digest "$SOURCE/build.sh" test/support/kvm-trial.sh
  find "$SOURCE/root" -type f -print0 | sort -z | xargs -0 sha256sum
} | digest_of)
if [[ ! -e $image/disk.raw ]]; then
  [[ -e $debian ]] || unpack_debian "$debian"
  say "making the disk of the lab's host"
  mkdir "$work/root" "$work/image"
  tar -xf "$debian" -C "$work/root" --exclude='./dev/*'
  add_node "$work/root"
  settle "$work/root"
  mv "$work"/root/boot/vmlinuz-* "$work/image/vmlinuz"
  mv "$work"/root/boot/initrd.img-* "$work/image/initrd.img"
  mke2fs -q -t ext4 -d "$work/root" "$work/image/disk.raw" "$SIZE" >/dev/null
  rm -rf "$CACHE/image-$KERNEL-"*
  # Sparse, and from one file system to another.
  cp -r --sparse=always "$work/image" "$image.$$"
  mv -T "$image.$$" "$image"
fi
printf '%s\n' "$image"
