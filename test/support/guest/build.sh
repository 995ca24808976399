#!/usr/bin/env bash
# Makes .cache/guest/{vmlinuz,initrd.img,cmdline}: Debian's cloud kernel and an initrd of busybox,
# perl and client.pl, a guest that boots in seconds under plain emulation. Packages are only downloaded (apt checks their
# signatures) and unpacked, never installed. The kit stays until a file of this folder changes,
# so it works offline and does not change under a running test; `rm -rf .cache/guest` renews it.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../../.."

readonly SOURCE=test/support/guest KIT=.cache/guest DEBS=.cache/debs
readonly KERNEL_META=linux-image-cloud-amd64
readonly MODULES=(
  button evdev                                    # ACPI shutdown
  virtio_pci virtio_blk virtio_net virtio_console virtio-rng
  virtio_balloon virtio_mem                       # carving
  vmw_vsock_virtio_transport                      # the channel
  pvpanic-mmio                                    # tells the host of a crash
)

# Only on command: with it a guest can be its own peer over AF_VSOCK (CID 1).
readonly EXTRA_MODULES=(vsock_loopback)
# Likewise: what a first boot is told by.
readonly SEED_MODULES=(isofs qemu_fw_cfg)
readonly PERL_PACKAGES=(perl-base libc6 libcrypt1)
readonly PERL_FILES=(
  /usr/bin/perl /usr/lib/x86_64-linux-gnu/perl-base/strict.pm
  /lib64/ld-linux-x86-64.so.2 /lib/x86_64-linux-gnu/libc.so.6 /lib/x86_64-linux-gnu/libm.so.6
  /lib/x86_64-linux-gnu/libcrypt.so.1
)
# What makes a boot cheaper where every instruction counts, that is a guest under emulation inside
# an emulated host. Together about a fifth off the CPU time of a boot under TCG.
readonly CMDLINE=(
  console=ttyS0 quiet
  cryptomgr.notests               # self-tests of ciphers that nobody uses here
  mitigations=off                 # nothing to protect, and no retpolines to run
  noreplace-smp                   # no patching of every lock, there and back
  lsm=                            # no AppArmor, TOMOYO, Landlock to set up
  rcupdate.rcu_expedited=1        # grace periods do not wait for ticks that come late
  8250.nr_uarts=1                 # one serial port, instead of a probe of four
  tsc=reliable no_timer_check     # a slow clock is not a broken one
  random.trust_cpu=on             # no waiting for entropy
)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

digest=$(cd "$SOURCE" && find . -type f -print0 | sort -z | xargs -0 sha256sum | sha256sum)
[[ "$(cat "$KIT/digest" 2>/dev/null)" != "$digest" ]] || exit 0

[[ "$(dpkg --print-architecture 2>/dev/null)" == amd64 ]] || fail 'the guest kit needs Debian packages, on amd64'
say 'building the guest kit in .cache/guest'
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$DEBS"

# The real package behind the meta package, from apt's lists.
kernel_package() {
  apt-cache depends "$KERNEL_META" 2>/dev/null | awk '/Depends: linux-image-/ { print $2; exit }'
}

# Downloads PACKAGE into $DEBS, or falls back to an earlier download; prints the file.
download() {
  local package=$1
  (cd "$DEBS" && apt-get -q -o APT::Sandbox::User=root download "$package") >"$work/apt.log" 2>&1 ||
    cat "$work/apt.log" >&2
  find "$DEBS" -name "${package}_*.deb" -printf '%f\n' | sort -V | tail -n 1 | sed "s|^|$DEBS/|"
}

download_all() {
  local package
  for package in "$@"; do download "$package"; done
}

kernel=$(kernel_package)
kernel_deb=$([[ -z $kernel ]] || download "$kernel")
busybox_deb=$(download busybox-static)
mapfile -t perl_debs < <(download_all "${PERL_PACKAGES[@]}")
if [[ -z $kernel_deb || -z $busybox_deb || ${#perl_debs[@]} -lt ${#PERL_PACKAGES[@]} ]] && [[ $EUID -eq 0 ]]; then
  say 'refreshing the package lists (apt-get update)'
  apt-get -o DPkg::Lock::Timeout=300 -q update >"$work/apt.log" 2>&1 || true
  kernel=$(kernel_package)
  kernel_deb=$([[ -z $kernel ]] || download "$kernel")
  busybox_deb=$(download busybox-static)
  mapfile -t perl_debs < <(download_all "${PERL_PACKAGES[@]}")
fi
[[ -n $kernel_deb && -n $busybox_deb && ${#perl_debs[@]} -eq ${#PERL_PACKAGES[@]} ]] ||
  fail "cannot download $KERNEL_META, busybox-static, ${PERL_PACKAGES[*]}: run apt-get update as root, then try again"

dpkg -x "$kernel_deb" "$work/kernel"
dpkg -x "$busybox_deb" "$work/busybox"
for deb in "${perl_debs[@]}"; do dpkg -x "$deb" "$work/perl"; done
busybox=$work/busybox/bin/busybox
version=$(basename "$work"/kernel/lib/modules/*)
"$busybox" depmod -b "$work/kernel" "$version"

# Prints the modules that the given ones need, dependencies first, each once.
load_order() {
  awk -v wanted="$*" '
    function base(path) { sub(/.*\//, "", path); sub(/\.ko$/, "", path); return path }
    function visit(name,   i, count, list) {
      if (name in done) return
      if (!(name in file)) { print "no module " name > "/dev/stderr"; exit 1 }
      done[name] = 1
      count = split(needs[name], list, " ")
      for (i = 1; i <= count; i++) visit(base(list[i]))
      print file[name]
    }
    { path = $1; sub(/:$/, "", path); file[base(path)] = path; $1 = ""; needs[base(path)] = $0 }
    END { count = split(wanted, list, " "); for (i = 1; i <= count; i++) visit(list[i]) }
  ' "$work/kernel/lib/modules/$version/modules.dep"
}

root=$work/root
mkdir -p "$root"/{bin,dev,etc,proc,sys,tmp,modules}
cp "$busybox" "$root/bin/busybox"
for applet in $("$busybox" --list); do
  [[ $applet == busybox ]] || ln -s busybox "$root/bin/$applet"
done
load_order "${MODULES[@]}" >"$work/order"
while read -r path; do
  cp "$work/kernel/lib/modules/$version/$path" "$root/modules/"
  basename "$path"
done <"$work/order" >"$root/modules/order"
for path in $(load_order "${EXTRA_MODULES[@]}"); do
  cp "$work/kernel/lib/modules/$version/$path" "$root/modules/"
done
load_order "${SEED_MODULES[@]}" >"$work/seed-order"
while read -r path; do
  cp "$work/kernel/lib/modules/$version/$path" "$root/modules/"
  basename "$path"
done <"$work/seed-order" >"$root/modules/seed"
for path in "${PERL_FILES[@]}"; do install -D -m 0755 "$work/perl$path" "$root$path"; done
install -m 0755 "$SOURCE/client.pl" "$root/bin/client.pl"
install -m 0755 "$SOURCE/init" "$root/init"
install -D -m 0755 "$SOURCE/power-button" "$root/etc/acpi/PWRF/00000080"
install -m 0755 "$SOURCE/agent" "$root/bin/agent"
install -D -m 0755 "$SOURCE/lease" "$root/etc/udhcpc/lease"
find "$root" -exec touch -h -d @0 {} +

mkdir "$work/kit"
cp "$work"/kernel/boot/vmlinuz-* "$work/kit/vmlinuz"
# Not compressed: under emulation, unpacking costs more than loading.
(cd "$root" && find . | LC_ALL=C sort | "$busybox" cpio -o -H newc) >"$work/kit/initrd.img" 2>/dev/null
printf '%s\n' "${CMDLINE[*]}" >"$work/kit/cmdline"
printf '%s\n' "${kernel_deb##*/}" "${busybox_deb##*/}" "${perl_debs[@]##*/}" >"$work/kit/packages"
printf '%s\n' "$digest" >"$work/kit/digest"
chmod -R a+rX "$work/kit"
rm -rf "$KIT"
mv "$work/kit" "$KIT"
