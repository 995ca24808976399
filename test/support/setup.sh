#!/usr/bin/env bash
# Makes a fresh machine ready to run the tests and the demo: npm packages, the build, Debian
# packages, the guest kit. Every step first looks whether it is needed, by content and not by
# time, so a second run takes well under a second and says nothing.
#
#   test/support/setup.sh [node] [host] [guest] [full] [lab]      (default: the first three)
#
# What must stay true: no service is started or enabled, nothing is asked, and what will be
# installed is listed before it is. `libvirt-daemon-system` is left out on purpose: it brings
# units, users and a running libvirtd; the rig starts its own from the bare binary.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

readonly DEBIAN_PACKAGES=(
  libvirt-daemon libvirt-daemon-driver-qemu libvirt-clients
  qemu-system-x86 qemu-utils iproute2 dnsmasq-base iptables nftables bubblewrap e2fsprogs xorriso openssl
  systemd
)
# What unpacks a host for test/lab.
readonly LAB_PACKAGES=(mmdebstrap e2fsprogs)
# The rig mounts its own file systems over these, so that they must exist.
readonly LIBVIRT_DIRECTORIES=(/etc/libvirt /var/lib/libvirt /var/log/libvirt /var/cache/libvirt)
readonly POLICY=/usr/sbin/policy-rc.d
readonly LOG=.cache/setup.log
readonly APT=(apt-get -o DPkg::Lock::Timeout=300 -o APT::Sandbox::User=root)

say() { printf 'setup: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

# The output of a step is only of interest when it fails.
logged() {
  local status=0
  "$@" >"$LOG" 2>&1 </dev/null || status=$?
  [[ $status -eq 0 ]] || { tail -n 100 "$LOG" >&2; say "failed ($status): $*"; }
  return "$status"
}

npm_packages_current() {
  node -e '
    const read = (path) => JSON.parse(require("node:fs").readFileSync(path, "utf8")).packages;
    const wanted = Object.entries(read("package-lock.json")).filter(([path]) => path !== "");
    const installed = read("node_modules/.package-lock.json");
    const same = ([path, { integrity, optional, devOptional }]) =>
      path in installed ? installed[path].integrity === integrity : optional || devOptional;
    process.exit(wanted.every(same) ? 0 : 1);
  ' 2>/dev/null
}

sources_digest() {
  { find src -type f -print0; printf '%s\0' tsconfig.json package.json package-lock.json; } |
    sort -z | xargs -0 sha256sum | sha256sum
}

setup_node() {
  { command -v node && command -v npm; } >/dev/null || fail 'Node.js >= 20.19 and npm are needed first'
  node -e 'const [a, b] = process.versions.node.split(".").map(Number);
           process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
    fail "Node.js >= 20.19 is needed, this is $(node --version)"
  if ! npm_packages_current; then
    say 'installing npm packages (npm ci)'
    logged npm ci --no-audit --no-fund
  fi
  local digest
  digest=$(sources_digest)
  if [[ ! -d dist || "$(cat .cache/build.digest 2>/dev/null)" != "$digest" ]]; then
    say 'building dist/ (npm run build)'
    logged npm run build
    printf '%s\n' "$digest" >.cache/build.digest
  fi
}

missing_packages() {
  local installed package
  installed=$(dpkg-query -W -f '${db:Status-Abbrev} ${Package}\n' "$@" 2>/dev/null || true)
  for package in "$@"; do
    grep -qxF "ii  $package" <<<"$installed" || printf '%s\n' "$package"
  done
}

apt_update() {
  say 'refreshing the package lists (apt-get update)'
  # One unreachable third-party list is no reason to stop: the installation decides.
  logged "${APT[@]}" -q update || true
}

# Keeps maintainer scripts from starting services while we install; a policy that somebody
# else made stays as it is.
deny_service_starts() {
  [[ ! -e $POLICY ]] || return 0
  trap 'rm -f "$POLICY"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP
  printf '#!/bin/sh\n# temporary, made by setup.sh of unnest\nexit 101\n' >"$POLICY"
  chmod 0755 "$POLICY"
}

install_packages() {
  local simulate=("${APT[@]}" install --simulate --no-install-recommends "$@") plan
  say "missing Debian packages: $*"
  if ! plan=$("${simulate[@]}" 2>/dev/null); then
    apt_update
    plan=$("${simulate[@]}") || fail 'apt cannot resolve these packages'
  fi
  say "installing with what they depend on: $(awk '/^Inst/ { print $2 }' <<<"$plan" | xargs)"
  local install=("${APT[@]}" -q -y install --no-install-recommends "$@")
  (
    deny_service_starts
    export DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
    logged "${install[@]}" || { apt_update; logged "${install[@]}"; }
  )
}

setup_packages() {
  { command -v dpkg-query && command -v apt-get; } >/dev/null ||
    fail "this needs Debian (or a relative with apt); elsewhere install what $* hold"
  local missing
  mapfile -t missing < <(missing_packages "$@")
  if [[ ${#missing[@]} -gt 0 ]]; then
    if [[ $EUID -ne 0 ]]; then
      say "missing Debian packages: ${missing[*]}"
      fail "as root, run: apt-get install --no-install-recommends ${missing[*]}"
    fi
    install_packages "${missing[@]}"
  fi
}

setup_host() {
  setup_packages "${DEBIAN_PACKAGES[@]}"
  [[ $EUID -ne 0 ]] || mkdir -p "${LIBVIRT_DIRECTORIES[@]}"
}

setup_lab() { setup_packages "${LAB_PACKAGES[@]}"; }

setup_guest() { test/support/guest/build.sh; }
setup_full() { setup_guest && test/support/guest/full.sh; }

mkdir -p .cache
# Two runs at once in one checkout would trip over each other in node_modules and dist.
exec 9>.cache/setup.lock
flock 9
[[ $# -gt 0 ]] || set -- node host guest
for stage in "$@"; do
  case $stage in
    node | host | guest | full | lab) "setup_$stage" 9>&- ;;
    *) fail "unknown stage: $stage (node, host, guest, full, lab)" ;;
  esac
done
