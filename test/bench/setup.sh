#!/usr/bin/env bash
# Makes a machine ready for `npm run bench`: what the tests need, and the one peer that they do
# not need, libvirt's own Python binding. A second run installs nothing and says nothing.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly PACKAGE=python3-libvirt
readonly LOG=.cache/bench-setup.log
readonly APT=(apt-get -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root -q -y)

say() { printf 'setup: %s\n' "$*" >&2; }

# Debian's python3 by its path: another one further ahead in PATH would not find the package.
usable() { /usr/bin/python3 -c 'import libvirt' 2>/dev/null; }

install_package() {
  DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1 \
    "${APT[@]}" install --no-install-recommends "$PACKAGE"
}

test/support/setup.sh

if ! usable; then
  [[ $EUID -eq 0 ]] || { say "as root, run: apt-get install --no-install-recommends $PACKAGE"; exit 1; }
  say "installing $PACKAGE"
  { install_package || { "${APT[@]}" update && install_package; }; } </dev/null >"$LOG" 2>&1 ||
    { tail -n 40 "$LOG" >&2; exit 1; }
  usable || { say "$PACKAGE is installed, and /usr/bin/python3 cannot import it"; exit 1; }
fi
