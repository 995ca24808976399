#!/usr/bin/env bash
# Makes .cache/bench-nested/{initrd.img,host.img}: the guest kit's initrd with two more programs, and a
# disk with this machine's QEMU, which a guest needs to be a host itself. Nothing is mounted.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly SOURCE=test/bench/nested KIT=.cache/bench-nested
digest=$(cat "$SOURCE"/* .cache/guest/digest <(qemu-system-x86_64 --version) | sha256sum)
[[ "$(cat "$KIT/digest" 2>/dev/null)" != "$digest" ]] || exit 0

printf 'bench: building the guest that is a host\n' >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root
mkdir -p "$work/kit" "$root"/{dev,proc,sys,tmp,lab,usr/share}
qemu=$(type -P qemu-system-x86_64)
mapfile -t libraries < <(test/support/libraries.sh "$qemu")
cp -L --parents "$qemu" "${libraries[@]}" "$root"
cp -r /usr/share/{qemu,seabios} "$root/usr/share/"
mapfile -t debs <.cache/guest/packages
dpkg --fsys-tarfile ".cache/debs/${debs[0]}" | tar -x -C "$work" --wildcards '*/kvm.ko' '*/kvm-amd.ko' '*/kvm-intel.ko' '*/irqbypass.ko'
find "$work/lib" -name '*.ko' -exec cp {} "$root/lab/" \;

mkdir "$work/more"
dpkg -x ".cache/debs/${debs[1]}" "$work/busybox"
install -m 0755 "$SOURCE/work" "$SOURCE/host" "$work/more/"
# One archive after the other: the kernel unpacks both.
{
  cat .cache/guest/initrd.img
  (cd "$work/more" && find . | "$work/busybox/bin/busybox" cpio -o -H newc 2>/dev/null)
} >"$work/kit/initrd.img"
cp .cache/guest/vmlinuz "$work/kit/initrd.img" "$root/lab/"
mke2fs -q -t ext4 -O ^has_journal -d "$root" "$work/kit/host.img" 600M >/dev/null
printf '%s\n' "$digest" >"$work/kit/digest"
rm -rf "$KIT"
cp -r --sparse=always "$work/kit" "$KIT"
