import { bundled } from '../built.ts';
import type { StoreFigures } from '../inside/store-bench.ts';
import type { Lab, Scenario } from '../scenario.ts';

/** Beside unnest, where it finds what unnest stands on. */
const program = '/usr/local/lib/node_modules/unnest/dist/bin/store-bench.mjs';
const seconds = 500;
const diskBytes = 4 * 2 ** 30;

interface Store {
  readonly name: string;
  /** Its disk's serial number. */
  readonly disk: string;
  /** What the operator does with a disk, and what the program measures then. */
  readonly make: (device: string) => string;
  readonly measured: string;
  /** What a Volume with 64 MiB of data takes once more when it is copied. */
  readonly copyMiB: { readonly min: number; readonly max: number };
}

const mounted = (make: string) => (device: string) =>
  `${make} ${device} && mkdir -p /mnt/store && mount ${device} /mnt/store`;
const makeXfs = 'modprobe xfs; mkfs.xfs -q -f';

const ext4: Store = {
  name: 'files on ext4',
  disk: 'ext4',
  make: mounted('mkfs.ext4 -q'),
  measured: '/mnt/store',
  copyMiB: { min: 63, max: 66 },
};
const xfs: Store = {
  name: 'files on XFS',
  disk: 'xfs',
  make: mounted(makeXfs),
  measured: '/mnt/store',
  copyMiB: { min: 0, max: 1 },
};
const thin: Store = {
  name: 'LVM thin',
  disk: 'thin',
  make: (device) =>
    `modprobe dm_thin_pool; pvcreate -q ${device} && vgcreate -q vg0 ${device} && ` +
    'lvcreate -q --type thin-pool --size 3g --name thin vg0 && mkdir -p /mnt/store',
  measured: '/mnt/store vg0',
  copyMiB: { min: 0, max: 1 },
};

export const storesCompared: Scenario = {
  name: 'stores',
  about: 'what Volumes cost as files, as files that share blocks, and in a thin pool',
  set: 'full',
  from: 'installed',
  breaks: 'files on XFS: a copy of 64 MiB takes',
  run: async (lab) => {
    const rows = [
      rowOf(ext4, await figuresOf(lab, ext4)),
      rowOf(xfs, await figuresOf(lab, xfs)),
      rowOf(thin, await figuresOf(lab, thin)),
    ];
    const lines = [headings, headings.map(() => '---'), ...rows];
    lab.timeline.prints(lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n'));
  },
};

async function figuresOf(lab: Lab, store: Store): Promise<StoreFigures> {
  const { host } = lab;
  const { name, disk, make, measured, copyMiB } = store;
  const device = `/dev/disk/by-id/virtio-${disk}`;
  await lab.does(`${name}, on a disk of 4 GiB`, async () => {
    await host.machine.plugDisk(disk, diskBytes);
    await host.sh(`udevadm settle; ${make(device)}`);
    await host.write(program, bundled('test/lab/inside/store-bench.ts'));
  });
  if (store === xfs) {
    await lab.sabotage('blocks cannot be shared there', () =>
      host.sh(`umount /mnt/store && ${mounted(`${makeXfs} -m reflink=0`)(device)}`),
    );
  }
  const range = copyMiB.min === 0 ? 'next to nothing' : 'as much again';
  const { figures } = await lab.claim(
    `${name}: a copy of 64 MiB takes ${range}`,
    async () => {
      const said = await host.run(`node ${program} ${measured}`, '', seconds);
      return { said, figures: said.code === 0 ? figuresIn(said.stdout) : null };
    },
    (seen) =>
      seen.figures !== null &&
      seen.figures.spaceMiB.copied >= copyMiB.min &&
      seen.figures.spaceMiB.copied <= copyMiB.max,
  );
  await host.sh('if mountpoint -q /mnt/store; then umount /mnt/store; fi');
  return figures!;
}

function figuresIn(line: string): StoreFigures {
  return JSON.parse(line) as StoreFigures;
}

const headings = [
  'store',
  'made empty',
  'made of an Image (64 MiB)',
  'first write (64 MiB)',
  'copied',
  'write to the copy (512 × 4 KiB)',
  'deleted',
  'space of an Image’s',
  'of a copy',
  'of a copy, written to',
];

function rowOf({ name }: Store, { ms, spaceMiB }: StoreFigures): string[] {
  const times = [ms.create, ms.ofImage, ms.firstWrite, ms.copy, ms.writeToCopy, ms.remove];
  const space = [spaceMiB.ofImage, spaceMiB.copied, spaceMiB.overwritten];
  return [name, ...times.map((each) => `${each} ms`), ...space.map((each) => `${each} MiB`)];
}
