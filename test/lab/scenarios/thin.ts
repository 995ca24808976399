import type { Host } from '../host.ts';
import type { Lab, Scenario } from '../scenario.ts';
import { type ask, domainOf, isAbsent, isSynced, secondaryYaml } from '../secondaries.ts';

const partition = 'team-a';
const web = { partition, name: 'web', words: 'unnest.do=shell' };
const disk = (name: string) =>
  `  terminationGracePeriodSeconds: 1\n  disks: [{ volume: ${name} }]\n`;
const device = '/dev/vg0/unnest.team-a.data';
const oldFile = '/var/lib/unnest/team-a/volumes/old/disk.raw';

const volumeYaml = (name: string, size: string, more = '') => `apiVersion: unnest.dev/v1
kind: Volume
metadata: { name: ${name} }
spec: { size: ${size}, deletionPolicy: Delete${more} }
---
`;

/** What the operator does, and has besides. */
async function givePool({ host }: Lab): Promise<void> {
  await host.machine.plugDisk('pool', 2 ** 31);
  await host.sh('udevadm settle; modprobe dm_thin_pool');
  const pv = '/dev/disk/by-id/virtio-pool';
  await host.sh(`pvcreate -q ${pv} && vgcreate -q vg0 ${pv}`);
  await host.sh('lvcreate -q --type thin-pool --size 512m --name thin vg0');
  await host.sh('lvcreate -q --type thin --thinpool thin --virtualsize 8m --name theirs vg0');
  await host.sh('echo of somebody else | dd of=/dev/vg0/theirs conv=fsync');
  const store = 'store: { thinPool: { group: vg0, pool: thin } }';
  await host.sh(
    `sed -i 's/^spec: { /&${store}, /' /etc/unnest/unnestd.yaml && systemctl restart unnestd`,
  );
}

/** What udev has in its books of a Volume. */
const booksOf = `udevadm settle; cat /run/udev/data/b$(stat -L -c %Hr:%Lr ${device})`;

/** Whatever there is of ours in the pool. */
const ours = async (host: Host) =>
  (await host.sh('lvs --noheadings -o lv_name vg0 | grep unnest || true')).trim();

const asks = async (host: Host, more: string, wanted: Parameters<typeof ask>[1] = web) => {
  const folder = `/etc/unnest/desired/${wanted.partition}`;
  await host.sh(`mkdir -p ${folder}`);
  await host.write(`${folder}/.${wanted.name}`, more + secondaryYaml(wanted));
  await host.sh(`mv ${folder}/.${wanted.name} ${folder}/${wanted.name}.yaml`);
};

export const thin: Scenario = {
  name: 'thin',
  about: "Volumes are kept in a thin pool of the operator's, and nobody looks into them",
  set: 'full',
  from: 'installed',
  breaks: 'udev has looked into nothing',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('team-a has a Volume that is a file', async () => {
      await host.sh(`mkdir -p /etc/unnest/desired/${partition}`);
      await host.write(`/etc/unnest/desired/${partition}/old.yaml`, volumeYaml('old', '5MiB'));
    });
    await isSynced(lab, 'which comes to be', web);
    await host.sh(`echo from before | dd of=${oldFile} bs=1 seek=1000000 conv=notrunc,fsync`);
    await lab.does('the operator has a thin pool for Volumes', () => givePool(lab));
    const had = { ...web, more: disk('data') };
    await lab.does('team-a asks for web, with a Volume of 5 MiB', () =>
      asks(host, volumeYaml('data', '5MiB'), had),
    );
    const console = 'timeout 20 unnest console web --partition team-a --lines 3 --timeout 15';
    // What is emulated and busy with LVM takes its time to the first word.
    await lab.hears('it boots, and has it, in whole extents', console, /disks vda:data:8/, 180);
    await lab.prints(
      'as a block device, raw',
      `virsh dumpxml ${domainOf(web)}`,
      new RegExp(`<disk type='block'[^]*type='raw'[^]*dev='${device}'`),
    );
    await lab.does('it is to be 16 MiB', () => asks(host, volumeYaml('data', '16MiB'), had));
    await lab.prints('its guest is told so while it runs', console, /disks vda:data:16/);
    await lab.does('its guest makes a file system', () =>
      host.sh(
        "printf 'mke2fs /dev/vda; sync\\n' | timeout 30 unnest console web --partition team-a --write --timeout 5 || [ $? = 6 ]",
      ),
    );
    await lab.prints(
      'which is on the disk',
      `dd if=${device} bs=1 skip=1080 count=2 2>/dev/null | od -An -tx1`,
      /53 ef/,
      60,
    );
    await lab.does('web is halted', () =>
      asks(host, volumeYaml('data', '16MiB'), {
        ...had,
        more: `${disk('data')}  runPolicy: Halted\n`,
      }),
    );
    await isSynced(lab, 'and ends', had);
    await lab.sabotage("somebody takes udev's rule away", () =>
      host.sh(
        `rm /etc/udev/rules.d/*unnest*; udevadm control --reload; lvchange -an vg0/unnest.team-a.data; lvchange -ay -K vg0/unnest.team-a.data`,
      ),
    );
    await lab.claim(
      'udev has looked into nothing',
      () => host.sh(booksOf),
      (books) => !books.includes('ID_FS_') && books.includes('DISABLE_DISK_RULES_FLAG=1'),
    );
    await lab.claim(
      'though into what is not ours it looks',
      async () => {
        await host.sh('mke2fs -q /dev/vg0/theirs && udevadm settle');
        return host.sh('cat /run/udev/data/b$(stat -L -c %Hr:%Lr /dev/vg0/theirs)');
      },
      (books) => books.includes('ID_FS_TYPE=ext2'),
    );
    await copies(lab);
    await losesRule(lab);
    await survives(lab);
  },
};

const twin = {
  partition,
  name: 'twin',
  more: '  terminationGracePeriodSeconds: 1\n  disks: [{ volume: copy }, { volume: moved }]\n',
};
const copied =
  volumeYaml('copy', '20MiB', ', copyOf: data') + volumeYaml('moved', '5MiB', ', copyOf: old');

/** A second guest begins with what the first one has written. */
async function copies(lab: Lab): Promise<void> {
  const { host } = lab;
  await lab.does('twin is to have a copy of it, larger, and one of the file', () =>
    asks(host, copied, twin),
  );
  const line = 'timeout 20 unnest console twin --partition team-a --lines 3 --timeout 15';
  const both = /disks vda:copy:20 vdb:moved:8/;
  await lab.hears('it boots, and has them', line, both, 180);
  await host.sh('vgchange -ay -K vg0');
  const digests = 'for v in data copy; do head -c 16M /dev/vg0/unnest.team-a.$v | sha256sum; done';
  await lab.claim(
    'byte by byte',
    async () => new Set((await host.sh(digests)).trim().split('\n')).size,
    (different) => different === 1,
  );
  await lab.claim(
    'the file too',
    () => host.sh(`cmp -n 5242880 ${oldFile} /dev/vg0/unnest.team-a.moved && echo the same`),
    (said) => said.includes('the same'),
  );
}

/** Nobody is stopped who could not be started again. */
async function losesRule(lab: Lab): Promise<void> {
  const { host } = lab;
  const rule = '/etc/udev/rules.d/58-unnest.rules';
  const reload = 'udevadm control --reload';
  await lab.does('a rule for udev is lost, and twin is to have another processor', async () => {
    await host.sh(`mv ${rule} /root/ && ${reload}`);
    const more = `${twin.more}  updatePolicy: Restart\n`;
    await asks(host, copied, { ...twin, vcpus: 2, more });
  });
  const status = 'unnest status --partition team-a';
  await lab.prints('that waits, and says what for', status, /unnest host install/);
  await lab.claim(
    'and it runs on',
    () => host.sh('virsh list'),
    (list) => /team-a\.twin +running/.test(list),
  );
  await lab.does('the rule is back', () =>
    host.sh(`mv /root/58-unnest.rules ${rule} && ${reload}`),
  );
  const line = 'timeout 60 unnest console twin --partition team-a --lines 1 --timeout 45';
  await lab.hears('it starts again, with two', line, /^unnest-guest twin .* 2 vCPU/m, 240);
}

/** Whoever is killed, in the middle of whatever. */
async function survives(lab: Lab): Promise<void> {
  const { host } = lab;
  const folder = `/etc/unnest/desired/${partition}`;
  const names = ['k1', 'k2', 'k3', 'k4'];
  // In the middle of a change of LVM's, if there is one soon; systemd starts it again.
  const busy = "pgrep -f '(^|/)lvm lv(create|change|remove)' >/dev/null";
  const soon = `timeout 15 bash -c "until ${busy}; do sleep 0.02; done"`;
  const kill = `${soon}; systemctl kill -s KILL unnestd`;
  const killed = async () => {
    for (let times = 0; times < 3; times += 1) await host.sh(`${kill}; sleep 3`);
  };
  await lab.does(
    'more Volumes are asked for, and unnestd is killed three times meanwhile',
    async () => {
      await host.write(`${folder}/.k`, names.map((name) => volumeYaml(name, '4MiB')).join(''));
      await host.sh(`mv ${folder}/.k ${folder}/k.yaml`);
      await killed();
    },
  );
  await isSynced(lab, 'all of them come to be', web);
  await lab.claim(
    'each once',
    () => ours(host),
    (there) => names.every((name) => there.split(`unnest.team-a.${name}`).length === 2),
  );
  await lab.does('the operator makes a snapshot of one of them, which is in no thin pool', () =>
    host.sh(
      'modprobe dm_snapshot && lvcreate -q --snapshot --size 8m --name backup vg0/unnest.team-a.k1',
    ),
  );
  await lab.does('nobody wants any of them any more, and unnestd is killed again', async () => {
    await asks(host, '', { ...web, more: '  runPolicy: Halted\n' });
    await host.sh(`rm ${folder}/k.yaml ${folder}/twin.yaml ${folder}/old.yaml`);
    await killed();
  });
  await isAbsent(lab, 'twin goes', twin);
  await lab.prints(
    'what somebody has a snapshot of stays, which is said',
    'unnest status --partition team-a',
    /a snapshot that somebody has made of it/,
  );
  await lab.claim(
    'and the snapshot',
    () => host.sh('lvs --noheadings -o lv_name vg0'),
    (there) => there.includes('backup') && there.includes('unnest.team-a.k1'),
  );
  await lab.does('they take their snapshot away', () => host.sh('lvremove -q --yes vg0/backup'));
  await lab.becomes({
    claim: 'nothing of it is left in the pool',
    seconds: 120,
    look: () => ours(host),
    isIt: (there) => there === '',
  });
  await lab.prints('what is somebody else’s is', 'lvs vg0/theirs', /theirs/);
}
