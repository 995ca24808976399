#!/usr/bin/env bash
# The story of demo.sh where no libvirtd can be had: the host is a simulated one, in a file, and the
# programs, documents, plans and reports are the real ones; but no guest really boots, and there is
# no daemon: unnest does by hand what unnestd does by itself.
#
#   simulated.sh WHY
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
# shellcheck source=telling.sh
source "$here/telling.sh"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export UNNEST_STATE_DIR=$work/state UNNEST_PARTITION=demo UNNEST_HOST=sim:host.json
cp "$here"/{secondaries,disk,partition}.yaml "$work/"
"$root/test/support/setup.sh" node
cd "$work"

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

cat <<TEXT
${bold}unnest${plain}: VMs that ask for VMs, without nesting.
A Primary writes what VMs it wants; the host makes them beside it, not inside it. This is the
host's side of it, on a SIMULATED host, with nothing on it yet.

${bold}No guest boots here${plain}: ${1:-simulated.sh was asked for}. The program, the plans and the
reports are the real ones; the host is a file that answers as libvirt would. As root on Debian,
\`npm run demo\` tells a longer story, with a daemon and guests that really boot.
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
shown unnest console web --lines 1 --timeout 60
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

chapter 'A document goes, and so does its Secondary'
sed -i '/^---$/,$d' secondaries.yaml
shown unnest apply -f secondaries.yaml --yes

chapter 'A disk of its own, and an address'
shown cat partition.yaml disk.yaml
cat >>secondaries.yaml <<'YAML'
  disks: [{ volume: data }]
  network: Partition
  updatePolicy: Restart
YAML
all=(-f partition.yaml -f secondaries.yaml -f disk.yaml)
shown unnest apply "${all[@]}" --yes
shown unnest get -o wide

chapter 'The disk grows while its guest runs'
sed -i 's/size: 64MiB/size: 128MiB/' disk.yaml
shown unnest apply "${all[@]}"

chapter 'And all of it'
shown unnest destroy --all --yes
shown grep '"domains"' host.json
grep -q '"domains": \[\]' host.json
! grep -q '"data"' host.json
printf '\n%sNothing is left. That took %d seconds.%s\n' "$bold" "$SECONDS" "$plain"
