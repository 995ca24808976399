import { bundled } from '../built.ts';
import type { Scenario } from '../scenario.ts';

/** Beside unnest, where it finds what unnest stands on. */
const program = '/usr/local/lib/node_modules/unnest/dist/bin/thin-contract.mjs';
const seconds = 500;

export const thinContract: Scenario = {
  name: 'thin-contract',
  about: 'a thin pool of a real LVM does what every store for Volumes does',
  set: 'full',
  from: 'installed',
  breaks: 'every case of the contract holds',
  run: async (lab) => {
    const { host } = lab;
    await lab.does('the host has a thin pool', async () => {
      await host.machine.plugDisk('pool', 2 ** 31);
      const pv = '/dev/disk/by-id/virtio-pool';
      await host.sh(`udevadm settle; modprobe dm_thin_pool; pvcreate -q ${pv}`);
      await host.sh(`vgcreate -q --physicalextentsize 1m vg0 ${pv}`);
      await host.sh('lvcreate -q --type thin-pool --size 1g --name thin vg0');
    });
    await lab.does('and the contract of stores', () =>
      host.write(program, bundled('test/lab/inside/thin-contract.ts')),
    );
    await lab.sabotage('somebody takes one of the rules for udev away', () =>
      host.sh('rm /etc/udev/rules.d/58-unnest.rules'),
    );
    // Images are files there, too.
    await lab.claim(
      'every case of the contract holds',
      async () => {
        const { code, stdout, stderr } = await host.run(`node ${program} vg0 Volume`, '', seconds);
        const cases = stdout.trimEnd().split('\n');
        return { code, stderr, failed: cases.filter((line) => !line.startsWith('ok ')) };
      },
      ({ code, failed }) => code === 0 && failed.length === 0,
    );
  },
};
