#!/usr/bin/env bash
# Runs a command beside a real systemd, a user's, in a control group of its own, inside the rig:
#
#   test/support/user-systemd.sh COMMAND [ARGUMENT...]
#
# Below /sys/fs/cgroup the command sees what that systemd has made and nothing else, and the first
# `systemd-run` in UNNEST_SHIM asks it instead of the machine's. The group goes when the command ends.
set -euo pipefail
[[ ${UNNEST_RIG:-} == 1 ]] || { echo 'user-systemd: only inside the rig' >&2; exit 1; }

outside() {
  local root group status=0
  root=$(mktemp -d)
  mount --no-mtab -t cgroup2 cgroup2 "$root"
  group=$root/unnest-test-$$-$RANDOM
  mkdir "$group"
  unshare --cgroup --mount bash -c 'echo $$ >"$1/cgroup.procs"; shift; exec unshare --cgroup "$@"' \
    bash "$group" "${BASH_SOURCE[0]}" --inside "$@" || status=$?
  # Whoever was in it ends with its systemd, a little later.
  for _ in {1..600}; do
    grep -q '^populated 0' "$group/cgroup.events" && break
    sleep 0.1
  done
  find "$group" -depth -type d -exec rmdir {} \;
  umount "$root"
  rmdir "$root"
  return "$status"
}

inside() {
  local home=/run/user-systemd manager status=0
  mount --no-mtab -t cgroup2 cgroup2 /sys/fs/cgroup
  # sd_booted(3): without that folder no systemd is anybody's.
  mkdir -p /run/systemd/system "$home/units" "$home/shim" "$home/runtime"
  printf '[Unit]\nDefaultDependencies=no\n' >"$home/units/idle.target"
  printf '#!/bin/sh\nXDG_RUNTIME_DIR=%s/runtime exec /usr/bin/systemd-run --user "$@"\n' "$home" \
    >"$home/shim/systemd-run"
  chmod +x "$home/shim/systemd-run"
  XDG_RUNTIME_DIR=$home/runtime SYSTEMD_UNIT_PATH=$home/units \
    /lib/systemd/systemd --user --unit=idle.target --log-level=err --log-target=console </dev/null &
  manager=$!
  for _ in {1..600}; do
    [[ -S $home/runtime/systemd/private ]] && break
    sleep 0.1
  done
  UNNEST_SHIM=$home/shim "$@" || status=$?
  # It has no unit that would end it in good order.
  kill -KILL "$manager"
  wait "$manager" 2>/dev/null || true
  return "$status"
}

if [[ ${1:-} == --inside ]]; then
  shift
  inside "$@"
else
  outside "$@"
fi
