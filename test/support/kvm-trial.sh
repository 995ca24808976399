#!/usr/bin/env bash
# Succeeds where KVM works, by booting a guest on it: a /dev/kvm that opens may still be unable to run
# a stock kernel.
#
#   kvm-trial.sh KIT SECONDS         KIT: the folder with vmlinuz and initrd.img
set -euo pipefail

[[ -c /dev/kvm ]] || exit 1
said=$(
  ulimit -c 0
  timeout --signal KILL "$2" qemu-system-x86_64 -accel kvm -cpu host -m 128 -nodefaults -no-reboot \
    -display none -serial stdio -kernel "$1/vmlinuz" -initrd "$1/initrd.img" \
    -append 'console=ttyS0 quiet unnest.name=kvm unnest.do=poweroff@1' </dev/null 2>&1 || true
)
[[ $said == *'unnest-guest kvm booted'* ]]
