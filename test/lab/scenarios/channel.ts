import { bootableDisk, bootSector } from '../../support/bootable-disk.ts';
import { digestOf } from '../../support/digest.ts';
import { GuestSilent, type Host } from '../host.ts';
import { givePartition } from '../install.ts';
import type { Lab, Scenario } from '../scenario.ts';
import { domainOf, secondaryYaml, type Wanted } from '../secondaries.ts';

const web = { partition: 'team-e', name: 'web' };
const db = { partition: 'team-e', name: 'db' };
/** On the partition's network, with a shell on its console. */
const reach = {
  partition: 'team-e',
  name: 'reach',
  words: 'unnest.do=shell',
  more: '  network: Partition\n',
};
const cid = 105;
const log = '/var/log/lab/team-e.log';
/** Where unnestd listens. */
const port = 1021;

/** Nothing is carved here: what is shown is who may say what. */
const spec = `  primary:
    domain: team-e
    reserved: { vcpus: 1, memory: 512MiB }
    grants: [handOver, network]
  network: { cidr: 10.85.0.0/24, mode: isolated }
`;

/** What the tenant has in its Primary, and wants to boot beside it. */
const sector = bootSector('booted from what a Primary has supplied');
const image = bootableDisk('booted from what a Primary has supplied', 2 ** 20);

const suppliedYaml = (name: string, source: string) => `apiVersion: unnest.dev/v1
kind: Image
metadata: { name: ${name} }
spec:
  digest: ${digestOf(image)}
  format: raw
  source: { ${source}: { bytes: ${image.length} } }
---
apiVersion: unnest.dev/v1
kind: Volume
metadata: { name: ${name} }
spec: { size: 1MiB, image: ${name}, deletionPolicy: Delete }
---
apiVersion: unnest.dev/v1
kind: Secondary
metadata: { name: ${name} }
spec:
  vcpus: 1
  memory: 64MiB
  boot: { volume: ${name} }
  terminationGracePeriodSeconds: 0
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
  <name>team-e</name>
  <memory unit='MiB'>512</memory>
  <vcpu>1</vcpu>
  <os>
    <type machine='q35'>hvm</type>
    <kernel>/var/lib/lab/vmlinuz</kernel>
    <initrd>/var/lib/lab/initrd.img</initrd>
    <cmdline>console=ttyS0 quiet unnest.do=agent-of-unnest unnest.every=30 unnest.name=team-e</cmdline>
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

/** A line of shell in a guest, and what it prints. */
function inGuest(line: string, of = cid): string {
  const encoded = encodeURIComponent(line).replaceAll("'", '%27');
  return `lab-vsock ask ${of} POST '/run?line=${encoded}'`;
}

/** As somebody in the Primary would type it, where unnest is. */
const inPrimary = (line: string) => inGuest(`chroot /full /bin/sh -c '${line}'`);

/** The tenant writes a file into the folder that its agent watches. */
async function write(
  host: Host,
  wanted: Wanted,
  folder = '/full/etc/unnest/desired',
  yaml = secondaryYaml(wanted),
): Promise<void> {
  const text = yaml.replaceAll('\n', '\\n');
  const file = `${folder}/${wanted.name}.yaml`;
  await host.sh(inGuest(`printf '${text}' >${folder}/.new && mv ${folder}/.new ${file}`));
}

/** An Image of the tenant's own, by one way or the other, and a Secondary that boots from it. */
async function supplies(lab: Lab, name: string, source: string, command: string): Promise<void> {
  const { host } = lab;
  await lab.does(`in the Primary, somebody writes ${name}.yaml, with an Image`, () =>
    write(host, { partition: 'team-e', name }, undefined, suppliedYaml(name, source)),
  );
  await lab.prints(
    'there is room for it',
    'unnest status --partition team-e',
    new RegExp(`${name}[^]*AwaitingBytes`),
    60,
  );
  await lab.prints(
    `and somebody there supplies it: ${command}`,
    inPrimary(`timeout 60 ${command}`),
    new RegExp(`${name} is ready`),
    90,
  );
  const line = inPrimary(`timeout 20 unnest console ${name} --lines 3`);
  const hears = (seconds: number) =>
    lab.hears('and a Secondary boots from it', line, /booted from what a Primary has/, seconds);
  try {
    await hears(45);
  } catch (error) {
    // The wait of a BIOS under emulation inside emulation now and then never ends.
    if (!(error instanceof GuestSilent)) throw error;
    await lab.does('it says nothing, and is reset', () =>
      host.sh(`virsh reset ${domainOf({ partition: 'team-e', name })}`),
    );
    await hears(90);
  }
}

const runs = (lab: Lab, claim: string, wanted: Wanted) =>
  lab.prints(claim, 'virsh list', new RegExp(`${domainOf(wanted)} +running`), 120);

const status = 'unnest status --partition team-e';

/** A Primary with the agent of unnest in it, which the host listens to. */
async function begin(lab: Lab, beforeItIsHeard = async () => {}): Promise<void> {
  const { host } = lab;
  const isKvm = (await host.run('test -w /dev/kvm')).code === 0;
  await lab.does('the operator makes a Primary with Node.js and unnest in it', async () => {
    await host.sh(makeDisk, '', 300);
    await host.sh('virsh define /dev/stdin', primaryXml(isKvm));
    await host.sh('virsh start team-e');
    await givePartition(host, 'team-e', spec);
  });
  await lab.hears('it boots', `cat ${log}`, /unnest-guest team-e booted/);
  await lab.prints(
    'the host listens to nobody yet',
    inPrimary('cat /run/agent.log'),
    /"event":"disconnected"/,
    120,
  );
  await beforeItIsHeard();
  await lab.does('the operator gives its partition a channel', () =>
    host.sh("sed -i 's/source: Directory/source: Channel/' /etc/unnest/partitions/team-e.yaml"),
  );
  await lab.prints(
    'the host listens to its agent',
    status,
    /AgentConnected +True +Connected: Primary team-e, CID 105/,
    120,
  );
}

export const channel: Scenario = {
  name: 'channel',
  about: 'a Primary asks for VMs over vsock, sees them, and speaks for nobody else',
  set: 'quick',
  from: 'installed',
  breaks: 'the host listens to its agent',
  run: async (lab) => {
    const { host } = lab;
    await begin(lab, () =>
      lab.sabotage('its agent is gone', () =>
        host.sh(inGuest('rm /full/bin/unnest; killall node')),
      ),
    );

    await lab.does('in the Primary, somebody writes web.yaml', () => write(host, web));
    await runs(lab, 'web runs beside it', web);
    await lab.prints(
      'its QEMU is a sibling: a child of the host, not of the Primary',
      `cat /run/libvirt/qemu/${domainOf(web)}.pid`,
      /^[0-9]+/,
    );
    await lab.prints(
      '`unnest get` in the Primary shows it',
      inPrimary('unnest get'),
      /^web +Running +Synced +Healthy/m,
      60,
    );
    await lab.prints(
      'the status file there too',
      inPrimary('cat /run/unnest/status.json'),
      /"name": "web"/,
    );
    await lab.prints(
      'and its console is read there',
      inPrimary('timeout 20 unnest console web --lines 1'),
      /unnest-guest web/,
      60,
    );
    await lab.does('somebody there plans with db beside it', async () => {
      await host.sh(
        inPrimary('mkdir -p /tmp/more; cat /etc/unnest/desired/web.yaml >/tmp/more/web.yaml'),
      );
      await write(host, db, '/full/tmp/more');
    });
    await lab.prints(
      'and sees what would be done',
      inPrimary('unnest plan -f /tmp/more'),
      /\+ db/,
      60,
    );
    await lab.prints(
      'and nothing is done',
      'virsh list --all',
      new RegExp(`^(?![^]*${domainOf(db)})`),
    );

    await lab.does('db comes into the folder', () => write(host, db));
    await runs(lab, 'db runs', db);
    await lab.does('unnestd starts anew', () => host.sh('systemctl restart unnestd'));
    await lab.prints('and listens to the agent again', status, /AgentConnected +True/, 90);
    await lab.does('db goes from the folder', () =>
      host.sh(inPrimary('rm /etc/unnest/desired/db.yaml')),
    );
    await lab.prints(
      'and is gone',
      'virsh list --all',
      new RegExp(`^(?![^]*${domainOf(db)})`),
      120,
    );
    await lab.prints('with its story told in the Primary', inPrimary('unnest events'), /db/, 60);
    await lab.prints(
      'another partition is not known there',
      inPrimary('unnest get -p team-a'),
      /NoPartition|knows no team-a/,
      60,
    );

    const asks = `cid=2&port=${port}&path=/v1/version`;
    const heard = async (of: number, from: string) =>
      (await host.run(`lab-vsock ask ${of} POST '/request?${asks}${from}'`)).stdout;
    const isNothing = (said: string) => !said.includes('"version"');
    await lab.claim('who is not root there is not listened to', () => heard(cid, ''), isNothing);
    await lab.claim(
      'its root is',
      () => heard(cid, '&from=700'),
      (said) => /team-e/.test(said),
    );
    await lab.claim(
      'the root of a foreign Primary is not',
      () => heard(101, '&from=700'),
      isNothing,
    );
    await lab.prints(
      'and unnestd tells of that',
      'unnest events',
      /CID 101 is not listened to: UnknownCid/,
    );

    await lab.does('the Primary is powered off', () => host.sh('virsh destroy team-e'));
    await lab.prints('its agent is missed', status, /AgentConnected +False/, 30);
    await runs(lab, 'and web runs on: what was accepted stays in force', web);
  },
};

export const supply: Scenario = {
  name: 'supply',
  about: 'a Primary supplies Images, and somebody in it works with what boots from them',
  set: 'quick',
  from: 'installed',
  breaks: 'and somebody there supplies it',
  run: async (lab) => {
    const { host } = lab;
    await begin(lab);
    await host.sh(
      inGuest(
        `echo ${sector.toString('base64')} | base64 -d >/full/tmp/os.img; truncate -s ${image.length} /full/tmp/os.img`,
      ),
    );
    await lab.sabotage('a byte of it is another', () =>
      host.sh(inGuest('printf x | dd of=/full/tmp/os.img bs=1 seek=4096 conv=notrunc')),
    );
    await supplies(lab, 'lent', 'handOver', 'unnest hand-over lent /tmp/os.img --device /dev/vdb');
    await lab.prints(
      'the disk that it was lent is gone from the Primary',
      inGuest('ls /sys/block'),
      /^(?![^]*vdb)[^]*vda/,
      30,
    );
    await supplies(lab, 'sent', 'upload', 'unnest upload sent /tmp/os.img');

    await lab.does('reach comes into the folder, with a NIC', () => write(host, reach));
    await runs(lab, 'reach runs', reach);
    const serve = 'printf "nc -l -p 7000 -e cat &\\n"';
    await lab.prints(
      'somebody in the Primary types on its console',
      inPrimary(`sleep 5; ${serve} | timeout 30 unnest console reach --write --timeout 6`),
      /nc -l -p 7000/,
      90,
    );
    await host.sh(inGuest('ip link set lo up'));
    await host.sh(
      inGuest(
        'chroot /full /bin/sh -c "unnest port-forward reach 7000:7000 >/tmp/forward.log 2>&1 &"',
      ),
    );
    await lab.prints(
      'and reaches a port of it by one of its own',
      inGuest('echo here I am | timeout 5 nc 127.0.0.1 7000; cat /full/tmp/forward.log'),
      /^here I am/m,
      60,
    );
    for (const [command, says] of [
      ['unnest top --secondaries', /reach/],
      ['unnest restart reach', /reach is to restart/],
    ] as const) {
      await lab.prints(
        `\`${command}\` says what it says on the host`,
        inPrimary(command),
        says,
        60,
      );
    }
  },
};
