#!/usr/bin/env bash
# `npm run demo`: the life of two Secondaries, told by the real program against a real libvirtd.
# It needs Debian and root, asks nothing, and leaves nothing on the machine: everything happens
# in the rig of test/support/rig.sh and is gone with it.
#
# Where that cannot be, or with UNNEST_DEMO_SIMULATED=1, the host is a simulated one, in a file:
# the same program, documents, plans and reports, but no guest really boots.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
simulated=${UNNEST_DEMO_SIMULATED-}

may_make_namespaces() { [[ $EUID -eq 0 ]] && unshare --mount --net --ipc --pid --fork true; }

if [[ ${UNNEST_RIG-} != 1 && $simulated != 1 ]]; then
  if ! may_make_namespaces 2>/dev/null; then
    simulated=1 why='a private libvirtd needs root and namespaces of its own'
  elif ! "$root/test/support/setup.sh"; then
    simulated=1 why='this machine could not be set up for libvirt'
  else
    exec "$root/test/support/rig.sh" "${BASH_SOURCE[0]}"
  fi
fi

if [[ -t 1 && -z ${NO_COLOR-} ]]; then bold=$'\e[1m' dim=$'\e[2m' plain=$'\e[0m'; else bold='' dim='' plain=''; fi
chapter() { printf '\n%s== %s%s\n' "$bold" "$1" "$plain"; }
shown() { printf '\n%s$%s %s\n' "$dim" "$plain" "$*"; "$@"; }
unnest() { node "$root/dist/bin/unnest.js" "$@"; }

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UNNEST_STATE_DIR=$work/state UNNEST_PARTITION=demo
cp "$here"/{secondaries,disk-and-network}.yaml "$work/"

# What the two kinds of host do each in their own way.
if [[ $simulated == 1 ]]; then
  "$root/test/support/setup.sh" node
  export UNNEST_HOST=sim:host.json
  host='a SIMULATED host, with nothing on it yet'
  # What somebody does behind our back: on this host everything is a file.
  pull_plug() {
    printf '\n%s$%s (edits host.json: the guest of %s is gone)\n' "$dim" "$plain" "$1"
    node -e '
      const fs = require("node:fs");
      const world = JSON.parse(fs.readFileSync("host.json", "utf8"));
      const domain = world.domains.find(({ domainName }) => domainName === process.argv[1]);
      Object.assign(domain, { guest: null, stopReason: "powered-off" });
      fs.writeFileSync("host.json", JSON.stringify(world));
    ' "$1"
  }
  show_domains() { shown grep '"domains"' host.json; }
  nothing_is_left() { grep -q '"domains": \[\]' host.json && ! grep -q '"data"' host.json; }
else
  mkdir -p "$UNNEST_STATE_DIR/demo/files"
  cp "$UNNEST_GUEST_KIT"/{vmlinuz,initrd.img} "$UNNEST_STATE_DIR/demo/files/"
  case $UNNEST_DOMAIN_TYPE in
    kvm) accelerator='KVM' ;;
    *) accelerator='QEMU emulation: /dev/kvm does not work here' ;;
  esac
  host="a private libvirtd with nothing on it yet ($accelerator)"
  pull_plug() { shown virsh --quiet destroy "$1"; }
  show_domains() { shown virsh --quiet list --all; }
  nothing_is_left() {
    [[ -z "$(virsh --quiet list --all --name; virsh --quiet net-list --all --name)" ]] &&
      [[ -z "$(ls "$UNNEST_STATE_DIR/demo/volumes")" ]]
  }
fi
cd "$work"

cat <<TEXT
${bold}unnest${plain}: VMs that ask for VMs, without nesting.
A Primary writes what VMs it wants; the host makes them beside it, not inside it. This is the
host's side of it, on $host.
TEXT
if [[ $simulated == 1 ]]; then
  cat <<TEXT

${bold}No guest boots here${plain}: ${why:-UNNEST_DEMO_SIMULATED=1 was given}. The program, the plans and the
reports are the real ones; the host is a file that answers as libvirt would. As root on Debian,
\`npm run demo\` tells the same story with guests that really boot.
TEXT
fi

chapter 'Two Secondaries, in a file'
shown cat secondaries.yaml

chapter 'A mistake is found before anything happens'
sed '0,/memory:/ s/memory:/memroy:/' secondaries.yaml >mistaken.yaml
shown unnest validate -f mistaken.yaml || printf '%s(exit code %d)%s\n' "$dim" "$?" "$plain"
shown unnest validate -f secondaries.yaml

chapter 'The plan, and then exactly that plan'
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes

if [[ $simulated == 1 ]]; then
  chapter 'They run, as far as this host goes'
  shown unnest console web --lines 1 --timeout 60
else
  chapter 'They boot: their serial consoles'
  shown unnest console web --lines 2 --timeout 60
  shown unnest console worker --lines 1 --timeout 60
fi
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
pull_plug unnest.demo.web
shown unnest get
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes
[[ $simulated == 1 ]] || shown unnest console web --lines 2 --timeout 60
shown unnest get

chapter 'A document goes, and so does its Secondary'
sed -i '/^---$/,$d' secondaries.yaml
shown unnest plan -f secondaries.yaml
shown unnest apply -f secondaries.yaml --yes
shown unnest get

chapter 'A disk of its own, and an address'
shown cat disk-and-network.yaml
cat >>secondaries.yaml <<'YAML'
  disks: [{ volume: data }]
  network: Partition
  updatePolicy: Restart
YAML
shown tail -n 3 secondaries.yaml
both=(-f secondaries.yaml -f disk-and-network.yaml)
shown unnest plan "${both[@]}"
shown unnest apply "${both[@]}" --yes
[[ $simulated == 1 ]] || shown unnest console web --lines 5 --timeout 60
shown unnest get -o wide
shown unnest get --kind volumes

chapter 'The disk grows while its guest runs'
sed -i 's/size: 64MiB/size: 128MiB/' disk-and-network.yaml
shown unnest apply "${both[@]}"
[[ $simulated == 1 ]] || shown unnest console web --lines 2 --timeout 60
shown unnest plan "${both[@]}"

chapter 'And all of it'
shown unnest destroy --all --yes
show_domains
nothing_is_left
printf '\n%sNothing is left. That took %d seconds.%s\n' "$bold" "$SECONDS" "$plain"
