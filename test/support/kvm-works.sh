#!/usr/bin/env bash
# Succeeds where KVM works: a /dev/kvm that opens may still be unable to run a stock kernel. So boot a
# guest on it, once per boot of this machine.
set -euo pipefail
cache=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)/.cache
readonly cache trial=$cache/kvm-trial

[[ -c /dev/kvm ]] || exit 1
key="$(cat /proc/sys/kernel/random/boot_id) $(cat "$cache/guest/digest")"
if [[ "$(head -n 1 "$trial" 2>/dev/null)" != "$key" ]]; then
  printf 'setup: trying KVM with a small guest\n' >&2
  log=$(mktemp)
  trap 'rm -f "$log"' EXIT
  (
    ulimit -c 0
    timeout --signal KILL 6 qemu-system-x86_64 -accel kvm -cpu host -m 128 -nodefaults -no-reboot \
      -display none -serial stdio -kernel "$cache/guest/vmlinuz" -initrd "$cache/guest/initrd.img" \
      -append 'console=ttyS0 quiet unnest.name=kvm unnest.do=poweroff@1' || true
  ) </dev/null >"$log" 2>&1
  answer=no
  ! grep -q 'unnest-guest kvm booted' "$log" || answer=yes
  # Not by process id: in namespaces of their own, two may have the same.
  made=$(mktemp "$trial.XXXXXX")
  printf '%s\n%s\n' "$key" "$answer" >"$made"
  mv "$made" "$trial"
fi
[[ "$(tail -n 1 "$trial")" == yes ]]
