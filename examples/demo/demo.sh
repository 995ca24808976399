#!/usr/bin/env bash
# `npm run demo`: the life of two Secondaries, told by the real program against a real libvirtd.
# It needs Debian and root, asks nothing, and leaves nothing on the machine: everything happens
# in the rig of test/support/rig.sh and is gone with it.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

if [[ ${UNNEST_RIG-} != 1 ]]; then
  "$root/test/support/setup.sh"
  exec "$root/test/support/rig.sh" "${BASH_SOURCE[0]}"
fi

if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
shown() { printf '\n%s$%s %s\n' "$dim" "$plain" "$*"; "$@"; }
unnest() { node "$root/dist/bin/unnest.js" "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UNNEST_STATE_DIR=$work/state UNNEST_PARTITION=demo
mkdir -p "$UNNEST_STATE_DIR/demo/files"
cp "$UNNEST_GUEST_KIT"/{vmlinuz,initrd.img} "$UNNEST_STATE_DIR/demo/files/"
cp "$here/secondaries.yaml" "$work/"
cd "$work"

case $UNNEST_DOMAIN_TYPE in
  kvm) accelerator='KVM' ;;
  *) accelerator='QEMU emulation: /dev/kvm does not work here' ;;
esac
cat <<TEXT
${bold}unnest${plain}: VMs that ask for VMs, without nesting.
A Primary writes what VMs it wants; the host makes them beside it, not inside it. This is the
host's side of it, on a private libvirtd with nothing on it yet ($accelerator).
TEXT

chapter 'Two Secondaries, in a file'
shown cat secondaries.yaml

chapter 'A mistake is found before anything happens'
sed '0,/memory:/ s/memory:/memroy:/' secondaries.yaml >mistaken.yaml
shown unnest validate -f mistaken.yaml || printf '%s(exit code %d)%s\n' "$dim" "$?" "$plain"
shown unnest validate -f secondaries.yaml

chapter 'The plan, and then exactly that plan'
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes

chapter 'They boot: their serial consoles'
shown unnest console web --lines 2 --timeout 60
shown unnest console worker --lines 1 --timeout 60
shown unnest get

chapter 'An edit: less memory for web, a second vCPU for worker'
cp secondaries.yaml before.yaml
sed -i '/name: web/,/---/ s/memory: 128MiB/memory: 96MiB/
        /name: worker/,$ s/vcpus: 1/vcpus: 2/' secondaries.yaml
shown diff --unified=1 --label before --label after before.yaml secondaries.yaml || true
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes
shown unnest console web --lines 1 --timeout 60
shown unnest console worker --lines 1 --timeout 60
shown unnest plan -f secondaries.yaml

chapter 'Somebody pulls the plug behind its back'
shown virsh --quiet destroy unnest.demo.web
shown unnest get
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes
shown unnest console web --lines 2 --timeout 60
shown unnest get

chapter 'A document goes, and so does its Secondary'
sed -i '/^---$/,$d' secondaries.yaml
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes
shown unnest get

chapter 'And all of it'
shown unnest destroy --all --yes
shown virsh --quiet list --all
[[ -z "$(virsh --quiet list --all --name)" ]]
printf '\n%sNothing is left. That took %d seconds.%s\n' "$bold" "$SECONDS" "$plain"
