/** A Primary with Node.js and the agent of unnest in it, as a tenant has one; nobody listens to it yet. */
import type { Host } from './host.ts';
import { givePartition } from './install.ts';
import type { Primary } from './primaries.ts';
import type { Lab } from './scenario.ts';
import { secondaryYaml, type Wanted } from './secondaries.ts';
import type { Timeline } from './timeline.ts';

export const agentPrimary: Primary = { name: 'team-e', cid: 105 };
const { name: team, cid } = agentPrimary;
const log = `/var/log/lab/${team}.log`;

/** Nothing is carved here: what is shown is who may say what. */
const spec = `  primary:
    domain: ${team}
    reserved: { vcpus: 1, memory: 512MiB }
    grants: [handOver, network]
  network: { cidr: 10.85.0.0/24, mode: isolated }
`;

/** Beside the guest kit a disk with Node.js and unnest, as it is installed on the host. */
const makeDisk = `set -e
root=/root/full && rm -rf $root && mkdir -p $root/bin $root/dev $root/proc $root/sys $root/run $root/tmp
mkdir -p $root/etc/unnest/desired $root/usr/lib/unnest
node=$(readlink -f $(command -v node)) && cp $node $root/bin/node
for library in $(ldd $node | grep -o '/[^ ]*'); do install -D $library $root$library; done
from=$(npm root --global)/unnest && cp -rL $from/dist $from/schemas $from/package.json $root/usr/lib/unnest/
mkdir -p $root/usr/lib/unnest/node_modules/@koromix
cp -rL $from/node_modules/koffi $root/usr/lib/unnest/node_modules/
cp -rL $from/node_modules/@koromix/. $root/usr/lib/unnest/node_modules/@koromix/
zcat -f /var/lib/lab/initrd.img | (cd $root && cpio -i --quiet bin/busybox 2>/dev/null)
for word in sh cat ls mv rm mkdir sleep timeout grep; do ln -s busybox $root/bin/$word; done
printf '#!/bin/sh\\nexec /bin/node /usr/lib/unnest/dist/bin/unnest.js "$@"\\n' >$root/bin/unnest
chmod +x $root/bin/unnest
truncate -s 320M /var/lib/lab/full.img && mke2fs -q -t ext4 -O ^has_journal -d $root /var/lib/lab/full.img
rm -rf $root`;

function primaryXml(isKvm: boolean): string {
  return `<domain type='${isKvm ? 'kvm' : 'qemu'}'>
  <name>${team}</name>
  <memory unit='MiB'>512</memory>
  <vcpu>1</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.do=agent-of-unnest unnest.every=30 unnest.name=${team}</cmdline>
  </os>
  <features><acpi/></features>
  ${isKvm ? "<cpu mode='host-passthrough'/>" : "<cpu mode='maximum'/>"}
  <devices>
    <controller type='pci' index='0' model='pcie-root'/>
    ${"<controller type='pci' model='pcie-root-port'/>".repeat(8)}
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/><source file='/var/lib/lab/full.img'/>
      <target dev='vda' bus='virtio'/><serial>full</serial>
    </disk>
    <serial type='pty'><log file='${log}' append='on'/></serial>
    <vsock><cid auto='no' address='${cid}'/></vsock>
  </devices>
</domain>`;
}

export async function startAgentPrimary(host: Host, timeline: Timeline): Promise<void> {
  const isKvm = (await host.run('test -w /dev/kvm')).code === 0;
  timeline.does('the operator makes a Primary with Node.js and unnest in it');
  await host.sh(makeDisk, '', 600);
  await host.sh('virsh define /dev/stdin', primaryXml(isKvm));
  await host.sh(`virsh start ${team}`);
  await givePartition(host, team, spec);
  const booted = new RegExp(`unnest-guest ${team} booted`);
  const boots = host.printing(`Primary ${team} boots`, `cat ${log}`, booted, 300);
  await host.becomes({ ...boots, isFirstWord: true });
  timeline.does(`Primary ${team} has booted; its CID is ${cid}`);
  const said = inPrimary('cat /run/agent.log 2>/dev/null');
  const alone = 'its agent finds nobody who listens';
  const finds = host.printing(alone, said, /"event":"disconnected"/, 300);
  await host.becomes({ ...finds, isFirstWord: true });
  timeline.does(alone);
}

/** From then on its agent is what speaks for its partition. */
export async function giveChannel(lab: Lab): Promise<void> {
  await lab.does('the operator gives its partition a channel', () =>
    lab.host.sh(
      `sed -i 's/source: Directory/source: Channel/' /etc/unnest/partitions/${team}.yaml`,
    ),
  );
  await lab.prints(
    'the host listens to its agent',
    `unnest status --partition ${team}`,
    new RegExp(`AgentConnected +True +Connected: Primary ${team}, CID ${cid}`),
    240,
  );
}

/** A line of shell in a guest, and what it prints. */
export function inGuest(line: string, of = cid): string {
  const encoded = encodeURIComponent(line).replaceAll("'", '%27');
  return `lab-vsock ask ${of} POST '/run?line=${encoded}'`;
}

/** As somebody in the Primary would type it, where unnest is. */
export const inPrimary = (line: string) => inGuest(`chroot /full /bin/sh -c '${line}'`);

/** The tenant writes a file into the folder that its agent watches. */
export async function writeDocument(
  host: Host,
  wanted: Wanted,
  folder = '/full/etc/unnest/desired',
  yaml = secondaryYaml(wanted),
): Promise<void> {
  const text = yaml.replaceAll('\n', '\\n');
  const file = `${folder}/${wanted.name}.yaml`;
  await host.sh(inGuest(`printf '${text}' >${folder}/.new && mv ${folder}/.new ${file}`));
}
