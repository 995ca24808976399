#!/usr/bin/env bash
# `npm run demo`: the life of two Secondaries, told by the real programs: unnestd beside a real
# libvirtd, and unnest, which asks it. It needs Debian and root, asks nothing, and leaves nothing on
# the machine: everything happens in the rig of test/support/rig.sh and is gone with it.
#
# Where that cannot be, or with UNNEST_DEMO_SIMULATED=1, simulated.sh tells a shorter story.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)

may_make_namespaces() { [[ $EUID -eq 0 ]] && unshare --mount --net --ipc --pid --fork true; }
simulated() { exec "$here/simulated.sh" "$1"; }

[[ ${UNNEST_DEMO_SIMULATED-} != 1 ]] || simulated 'UNNEST_DEMO_SIMULATED=1 was given'
if [[ ${UNNEST_RIG-} != 1 ]]; then
  may_make_namespaces 2>/dev/null || simulated 'a private libvirtd needs root and namespaces of its own'
  "$root/test/support/setup.sh" || simulated 'this machine could not be set up for libvirt'
  exec "$root/test/support/rig.sh" "${BASH_SOURCE[0]}"
fi
# shellcheck source=telling.sh
source "$here/telling.sh"

work=$(mktemp -d)
daemon=
trap '[[ -z $daemon ]] || kill "$daemon" 2>/dev/null || true; rm -rf "$work"' EXIT
cd "$work"
mkdir -p partitions desired state/{demo,neighbour}/files run
cp "$UNNEST_GUEST_KIT"/{vmlinuz,initrd.img} state/demo/files/
cp "$UNNEST_GUEST_KIT"/{vmlinuz,initrd.img} state/neighbour/files/
cp "$here"/{secondaries,disk,partition}.yaml .
cp -r "$here"/neighbour .
cat >unnestd.yaml <<YAML
apiVersion: unnest.dev/v1
kind: DaemonConfig
spec:
  stateDir: $work/state
  partitionsDir: $work/partitions
  desiredStateDir: $work/desired
  runDir: $work/run
  operatorGroup: root
  # Two partitions of this demo may be promised more CPUs than a small machine has.
  overcommit: { vcpus: 8, memory: 4 }
YAML
export UNNEST_STATE_DIR=$work/state UNNEST_SOCKET=$work/run/operator.sock UNNEST_PARTITION=demo
case $UNNEST_DOMAIN_TYPE in
  kvm) accelerator='KVM' ;;
  *) accelerator='QEMU emulation: /dev/kvm does not work here' ;;
esac

# It is told as `unnestd`, and is the one of this checkout.
start_daemon() {
  printf '\n%s$%s unnestd --config unnestd.yaml >>unnestd.log &\n' "$dim" "$plain"
  node "$root/dist/bin/unnestd.js" --config unnestd.yaml >>unnestd.log 2>&1 &
  daemon=$!
  local tries
  for ((tries = 0; tries < 300; tries += 1)); do
    ! unnest status >/dev/null 2>&1 || return 0
    kill -0 "$daemon" || { cat unnestd.log; return 1; }
    sleep 0.1
  done
  cat unnestd.log
  return 1
}

cat <<TEXT
${bold}unnest${plain}: VMs that ask for VMs, without nesting.
A Primary writes what VMs it wants; the host makes them beside it, not inside it. This is the
host's side of it, on a private libvirtd with nothing on it yet ($accelerator).
TEXT

chapter 'The operator: a partition, and the daemon that keeps it'
shown cat partition.yaml
shown cp partition.yaml partitions/demo.yaml
start_daemon
shown unnest status

chapter 'The tenant: two Secondaries, in a file'
shown cat secondaries.yaml

chapter 'A mistake is found before anything happens'
sed '0,/memory:/ s/memory:/memroy:/' secondaries.yaml >mistaken.yaml
shown unnest validate -f mistaken.yaml || printf '%s(exit code %d)%s\n' "$dim" "$?" "$plain"
shown unnest validate -f secondaries.yaml

chapter 'The plan, and then what was planned'
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
until unnest logs web --tail 1 | grep -q '96 MiB'; do sleep 0.2; done
shown unnest logs web --tail 1
shown unnest console worker --lines 1 --timeout 60

chapter 'A neighbour, with less: it asks for more than it has'
shown cat neighbour/partition.yaml
shown cp neighbour/partition.yaml partitions/neighbour.yaml
shown cat neighbour/greedy.yaml
until unnest status --partition neighbour >/dev/null 2>&1; do sleep 0.1; done
shown unnest plan --partition neighbour -f neighbour/greedy.yaml || printf '%s(exit code %d)%s\n' "$dim" "$?" "$plain"
shown unnest apply --partition neighbour -f neighbour/greedy.yaml --yes || printf '%s(exit code %d)%s\n' "$dim" "$?" "$plain"
shown unnest console first --partition neighbour --lines 1 --timeout 60
# Of both.
(unset UNNEST_PARTITION; shown unnest status)

chapter 'Somebody pulls the plug behind its back'
shown virsh --quiet destroy unnest.demo.web
shown unnest wait web --for ready --timeout 60
told 'unnest events | grep -e ended -e start | tail -n 2'

chapter 'Unless it was asked to leave web alone'
shown unnest pause web --reason 'to look into its disk' --for 10m
shown virsh --quiet destroy unnest.demo.web
# Until it has heard of it, which takes a moment.
shown unnest wait web --for stopped --timeout 60
shown unnest get
shown unnest resume web
shown unnest wait web --for ready --timeout 60

chapter 'A document goes, and so does its Secondary; a rollback brings it back'
sed '/^---$/,$d' secondaries.yaml >web.yaml
shown unnest plan -f web.yaml
shown unnest apply -f web.yaml --yes
shown unnest history
shown unnest rollback --yes
shown unnest wait worker --for ready --timeout 60

chapter 'A disk of its own, and an address'
shown cat disk.yaml
cat >>web.yaml <<'YAML'
  disks: [{ volume: data }]
  network: Partition
  updatePolicy: Restart
YAML
shown tail -n 3 web.yaml
both=(-f web.yaml -f disk.yaml)
shown unnest apply "${both[@]}" --yes
until unnest logs web | grep -C 2 ' address ' | grep ' disks ' >/dev/null; do sleep 0.2; done
told "unnest logs web | grep -C 2 ' address '"
shown unnest get -o wide
shown unnest get --kind volumes

chapter 'The disk grows while its guest runs'
sed -i 's/size: 64MiB/size: 128MiB/' disk.yaml
shown unnest apply "${both[@]}"
# The guest tells every two seconds what it has.
until unnest logs web --tail 3 | grep -q vda:data:128; do sleep 0.2; done
shown unnest logs web --tail 3

chapter 'The daemon dies, and nobody notices'
shown kill -KILL "$daemon"
wait "$daemon" 2>/dev/null || true
shown virsh --quiet list
start_daemon
shown unnest wait --for synced --timeout 60
shown unnest status

chapter 'And all of it'
shown unnest drain --yes
shown unnest drain --partition neighbour --yes
shown unnest wait --for deleted --timeout 60 web
shown unnest wait --for synced --timeout 60
shown unnest wait --partition neighbour --for synced --timeout 60
shown unnest status
shown virsh --quiet list --all
[[ -z "$(virsh --quiet list --all --name; virsh --quiet net-list --all --name)" ]]
[[ -z "$(ls state/demo/volumes)" ]]
printf '\n%sNothing is left. That took %d seconds.%s\n' "$bold" "$SECONDS" "$plain"
