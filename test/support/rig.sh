#!/usr/bin/env bash
# Runs a command beside a private, real libvirtd:
#
#   test/support/rig.sh COMMAND [ARGUMENT...]
#
# The command sees mount, network and process namespaces of its own, in which /run and all of
# libvirt's directories are empty tmpfs: nothing of the machine's own libvirt can be seen or
# touched, several rigs run side by side, and when the command ends, however it ends, the
# kernel takes everything away: processes, guests, mounts, files. Its exit code is passed on.
#
# The command finds in its environment:
#   UNNEST_RIG=1            we are inside
#   UNNEST_STATE_DIR        an empty directory for our own state, on tmpfs
#   UNNEST_DOMAIN_TYPE      kvm or qemu: decided by booting a guest, not by looking at /dev/kvm
#   UNNEST_GUEST_KIT        the directory with vmlinuz and initrd.img
#   RIG_LIBVIRTD_PID        the file with libvirtd's process id; see rig-libvirtd.sh
#   RIG_LIBVIRTD_LOG        its log
#   TMPDIR, LIBVIRT_DEFAULT_URI
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
readonly root support=$root/test/support cache=$root/.cache

say() { printf 'rig: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

outside() {
  [[ $# -gt 0 ]] || fail 'usage: rig.sh COMMAND [ARGUMENT...]'
  [[ $EUID -eq 0 ]] || fail 'must be run as root: it makes namespaces and starts a libvirtd'
  local program
  for program in libvirtd virsh qemu-system-x86_64 ip unshare setpriv; do
    type -P "$program" >/dev/null || fail "$program is missing: run test/support/setup.sh"
  done
  [[ -e $cache/guest/vmlinuz ]] || fail 'the guest kit is missing: run test/support/setup.sh'
  # If this shell dies, even by SIGKILL, unshare dies with it, and with unshare the first
  # process of the namespace, and with that everything in it.
  setpriv --pdeathsig KILL \
    unshare --mount --net --ipc --pid --fork --kill-child --mount-proc \
    "${BASH_SOURCE[0]}" --inside "$@"
}

private_file_systems() {
  # All of /run: with the system bus in reach, libvirtd would register guests at the machine's
  # systemd-machined. It comes first, and --no-mtab, since mount(8) keeps notes in it.
  local directory
  for directory in /run /etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt; do
    mkdir -p "$directory"
    mount --no-mtab -t tmpfs -o mode=0755 tmpfs "$directory"
  done
  [[ /var/run -ef /run ]] || mount --bind /run /var/run
  mkdir -p /run/lock /run/rig/tmp /run/unnest-rig
  # A sysfs of the new network namespace, or isolated bridge ports fail; it also hides the
  # machine's cgroups.
  umount --recursive --lazy /sys
  mount -t sysfs sysfs /sys
  ip link set lo up
  # On a terminal virsh starts it, and it complains that there is no system bus.
  [[ ! -x /usr/bin/pkttyagent ]] || mount --bind /dev/null /usr/bin/pkttyagent
}

# A /dev of our own, so that a useless /dev/kvm is not there at all. An empty file in its place
# would look usable to libvirtd, which then probes QEMU anew, six seconds, at every define.
private_devices() {
  local dev=/run/rig/dev device
  mkdir "$dev"
  mount -t tmpfs -o mode=0755,nosuid tmpfs "$dev"
  mkdir "$dev/pts" "$dev/shm" "$dev/net"
  mount -t devpts -o newinstance,mode=0620,ptmxmode=0666 devpts "$dev/pts"
  mount -t tmpfs -o mode=1777 tmpfs "$dev/shm"
  for device in null zero full random urandom tty net/tun vhost-net vhost-vsock "$@"; do
    [[ -c /dev/$device ]] || continue
    : >"$dev/$device"
    mount --bind "/dev/$device" "$dev/$device"
  done
  ln -s pts/ptmx "$dev/ptmx"
  ln -s /proc/self/fd "$dev/fd"
  ln -s fd/0 "$dev/stdin"
  ln -s fd/1 "$dev/stdout"
  ln -s fd/2 "$dev/stderr"
  mount --move "$dev" /dev
}

# libvirtd insists on its default user even where the configuration names another. Only
# libvirt-daemon-system makes it, so that elsewhere it exists for us alone.
private_user() {
  ! getent passwd libvirt-qemu >/dev/null || return 0
  cp /etc/passwd /etc/group /run/rig/
  echo 'libvirt-qemu:x:64055:64055::/nonexistent:/usr/sbin/nologin' >>/run/rig/passwd
  echo 'libvirt-qemu:x:64055:' >>/run/rig/group
  mount --bind /run/rig/passwd /etc/passwd
  mount --bind /run/rig/group /etc/group
}

configure_libvirt() {
  cat >/etc/libvirt/qemu.conf <<'CONF'
stdio_handler = "file"
security_driver = "none"
namespaces = []
cgroup_controllers = []
user = "root"
group = "root"
CONF
  cat >/etc/libvirt/libvirtd.conf <<'CONF'
auth_unix_ro = "none"
auth_unix_rw = "none"
unix_sock_group = "root"
unix_sock_rw_perms = "0700"
log_outputs = "3:file:/var/log/libvirt/libvirtd.log"
CONF
}

# The first question about QEMU's capabilities takes libvirtd ten seconds. It checks by itself
# whether answers kept from an earlier rig still hold.
prime_capabilities() {
  local kept=$cache/capabilities-$UNNEST_DOMAIN_TYPE live=/var/cache/libvirt/qemu/capabilities
  virsh domcapabilities --virttype "$UNNEST_DOMAIN_TYPE" >/dev/null
  diff -rq "$live" "$kept" >/dev/null 2>&1 && return
  # Two rigs may do so at once, each with the process ids of its own namespace.
  local made
  made=$(mktemp -d "$kept.XXXXXX")
  cp -r "$live/." "$made"
  rm -rf "$kept"
  mv -T "$made" "$kept" 2>/dev/null || rm -rf "$made"
}

inside() {
  trap 'exit 130' INT
  trap 'exit 143' TERM
  private_file_systems
  private_user
  local name
  for name in "${!LIBVIRT_@}" "${!VIRSH_@}"; do unset "$name"; done
  export UNNEST_RIG=1 UNNEST_STATE_DIR=/run/unnest-rig UNNEST_DOMAIN_TYPE=kvm
  export UNNEST_GUEST_KIT=$cache/guest TMPDIR=/run/rig/tmp LIBVIRT_DEFAULT_URI=qemu:///system
  export RIG_LIBVIRTD_PID=/run/rig/libvirtd.pid RIG_LIBVIRTD_LOG=/var/log/libvirt/libvirtd.log
  if "$support/kvm-works.sh"; then
    private_devices kvm
  else
    UNNEST_DOMAIN_TYPE=qemu
    private_devices
  fi
  configure_libvirt
  if [[ -d $cache/capabilities-$UNNEST_DOMAIN_TYPE ]]; then
    mkdir -p /var/cache/libvirt/qemu
    # Another rig may be renewing them: then libvirtd asks QEMU itself.
    cp -r "$cache/capabilities-$UNNEST_DOMAIN_TYPE" /var/cache/libvirt/qemu/capabilities ||
      rm -rf /var/cache/libvirt/qemu/capabilities
  fi
  "$support/rig-libvirtd.sh" start
  prime_capabilities
  # Ctrl-C reaches the command by the terminal; we only wait for what it makes of it.
  trap : INT TERM
  local status=0
  "$@" || status=$?
  exit "$status"
}

if [[ ${1-} == --inside ]]; then
  shift
  inside "$@"
else
  outside "$@"
fi
