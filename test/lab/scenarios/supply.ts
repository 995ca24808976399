import { bootableDisk, bootSector } from '../../support/bootable-disk.ts';
import { digestOf } from '../../support/digest.ts';
import { giveChannel, inGuest, inPrimary, writeDocument } from '../agent-primary.ts';
import type { Lab, Scenario } from '../scenario.ts';
import { isAbsent, runs } from '../secondaries.ts';

/** On the partition's network, with a shell on its console. */
const reach = {
  partition: 'team-e',
  name: 'reach',
  words: 'unnest.do=shell',
  more: '  network: Partition\n',
};

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

/** An Image of the tenant's own, by one way or the other, and a Secondary that boots from it. */
async function supplies(lab: Lab, name: string, source: string, command: string): Promise<void> {
  const { host } = lab;
  const wanted = { partition: 'team-e', name };
  await lab.does(`in the Primary, somebody writes ${name}.yaml, with an Image`, () =>
    writeDocument(host, wanted, undefined, suppliedYaml(name, source)),
  );
  await lab.prints(
    'there is room for it',
    'unnest status --partition team-e',
    new RegExp(`${name}[^]*AwaitingBytes`),
  );
  await lab.prints(
    `and somebody there supplies it: ${command}`,
    inPrimary(`timeout 75 ${command}`),
    new RegExp(`${name} is (ready|there already)`),
    240,
  );
  await lab.hears(
    'and a Secondary boots from it',
    inPrimary(`timeout 75 unnest console ${name} --lines 3`),
    /booted from what a Primary has/,
  );
  await lab.does(`${name}.yaml goes`, () =>
    host.sh(inPrimary(`rm /etc/unnest/desired/${name}.yaml`)),
  );
  await isAbsent(lab, 'and so does what has booted from it', wanted);
}

export const supply: Scenario = {
  name: 'supply',
  about: 'a Primary supplies Images, and somebody in it works with what boots from them',
  set: 'quick',
  from: 'agent',
  breaks: 'and somebody there supplies it',
  run: async (lab) => {
    const { host } = lab;
    await giveChannel(lab);
    await lab.does('reach comes into the folder, with a NIC', () => writeDocument(host, reach));
    await runs(lab, 'reach runs', reach);
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
    );
    await supplies(lab, 'sent', 'upload', 'unnest upload sent /tmp/os.img');

    // More than one connection, as the first try may come to nothing.
    const serve = 'printf "while :; do nc -l -p 7000 -e cat; sleep 1; done &\\n"';
    await lab.prints(
      'somebody in the Primary types on its console',
      inPrimary(`sleep 5; ${serve} | timeout 75 unnest console reach --write --timeout 30`),
      /nc -l -p 7000/,
      240,
    );
    await host.sh(inGuest('ip link set lo up'));
    await host.sh(
      inGuest(
        'chroot /full /bin/sh -c "while :; do unnest port-forward reach 7000:7000; sleep 1; done >/tmp/forward.log 2>&1 &"',
      ),
    );
    await lab.prints(
      'and reaches a port of it by one of its own',
      inGuest('echo here I am | timeout 20 nc 127.0.0.1 7000; cat /full/tmp/forward.log'),
      /^here I am/m,
    );
    for (const [command, says] of [
      ['unnest top --secondaries', /reach/],
      ['unnest restart reach', /reach is to restart/],
    ] as const) {
      await lab.prints(`\`${command}\` says what it says on the host`, inPrimary(command), says);
    }
  },
};
