/** The simulated host does what a real one does; test/integration/host holds libvirt to the same. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { virtualClock } from '../../../../src/host/simulated/clock.ts';
import { simulatedHost, simulatedView } from '../../../../src/host/simulated/host.ts';
import { keepInMemory, type Keeper } from '../../../../src/host/simulated/keeper.ts';
import type { World } from '../../../../src/host/simulated/world.ts';
import { keepInFile } from '../../../../src/host/simulated/world-file.ts';
import type { NetworkUuid } from '../../../../src/model/identity.ts';
import { describeDiskContract } from '../../../contract/disk-contract.ts';
import { describeFilterContract } from '../../../contract/filter-contract.ts';
import { describeHostContract, type Subject } from '../../../contract/host-contract.ts';
import {
  describeNetworkContract,
  type NetworkSubject,
} from '../../../contract/network-contract.ts';
import {
  describeImageDiskContract,
  type ImageDiskSubject,
} from '../../../contract/image-disk-contract.ts';
import { describeSeedContract, type SeedSubject } from '../../../contract/seed-contract.ts';
import { describeIntakeContract } from '../../../contract/intake-contract.ts';
import {
  describeStorageContract,
  type StorageSubject,
} from '../../../contract/storage-contract.ts';
import { installation, partition } from '../../../support/passes.ts';
import { imageOf, networkOf, volumeOf, worldOf } from '../../../support/simulation.ts';

interface Place {
  readonly keeper: Keeper;
  readonly remove: () => void;
}

/** Where a world is kept, each time another. */
const places: Readonly<Record<string, (world: World) => Promise<Place>>> = {
  memory: async (world) => ({ keeper: keepInMemory(world), remove: () => undefined }),
  'a file': async (world) => {
    const dir = mkdtempSync(join(tmpdir(), 'unnest-sim-'));
    const keeper = keepInFile(join(dir, 'host.json'));
    await keeper.change((empty) => void Object.assign(empty, world), null);
    return { keeper, remove: () => rmSync(dir, { recursive: true }) };
  },
};

function hostsIn({ keeper, remove }: Place) {
  const options = { keeper, clock: virtualClock() };
  return {
    host: simulatedHost(options),
    view: simulatedView(options),
    dispose: async () => remove(),
  };
}

function hostSubject(place: Place): Subject {
  return {
    ...hostsIn(place),
    partition,
    suspend: ({ uuid }) =>
      place.keeper.change((world) => {
        const guest = world.domains.get(uuid)?.guest;
        if (guest) guest.state = 'paused';
      }, null),
  };
}

function networkSubject(place: Place): NetworkSubject {
  return {
    ...hostsIn(place),
    makeForeign: (networkName) =>
      place.keeper.change((world) => {
        const uuid = '00000000-0000-4000-8000-0000000000dd' as NetworkUuid;
        const ref = { uuid, networkName };
        world.networks.set(uuid, networkOf({ ref, owner: null, lastApplied: null, active: false }));
      }, null),
    spoil: ({ uuid }, name) =>
      place.keeper.change((world) => {
        const reservations = world.networks.get(uuid)?.definition?.reservations;
        const reservation = reservations?.get(name);
        if (reservation) reservations?.set(name, { ...reservation, inDns: false });
      }, null),
  };
}

function storageSubject(place: Place): StorageSubject {
  const { host, view, dispose } = hostsIn(place);
  const { keeper } = place;
  return {
    ...host,
    view,
    dispose,
    owner: { installation, partition },
    readsHeaders: false,
    putFile: (name, content) =>
      keeper.change((world) => {
        const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
        world.files.get(partition)?.set(name, { bytes: content.length, digest });
      }, null),
    makeForeign: (kind, text) =>
      keeper.change((world) => {
        if (kind === 'volume') {
          const { name, ...volume } = volumeOf(text, { owner: null });
          world.volumes.get(partition)?.set(name, volume);
        } else {
          const { name, ...image } = imageOf(text, { owner: null });
          world.images.get(partition)?.set(name, image);
        }
      }, null),
    leave: (kind, name, state) =>
      keeper.change((world) => {
        const shelf = (kind === 'volume' ? world.volumes : world.images).get(partition);
        for (const [each, kept] of shelf ?? []) if (each === name) kept.state = state;
      }, null),
  };
}

function seedSubject(place: Place): SeedSubject {
  const { keeper } = place;
  const { host, view, dispose } = hostsIn(place);
  return {
    seeds: host.seeds,
    view,
    dispose,
    owner: { installation, partition },
    makeForeign: (name) =>
      keeper.change((world) => {
        const seed = { owner: null, state: 'ready', form: 'cloud-init', sizeBytes: 0 } as const;
        const shelf = world.seeds.get(partition) ?? new Map();
        world.seeds.set(partition, shelf.set(name, { ...seed }));
      }, null),
    leave: (name, state) =>
      keeper.change((world) => {
        const seed = world.seeds.get(partition)?.get(name);
        if (seed !== undefined) seed.state = state;
      }, null),
  };
}

function imageDiskSubject(place: Place): ImageDiskSubject {
  const { keeper } = place;
  const { host, dispose } = hostsIn(place);
  return {
    host,
    dispose,
    owner: { installation, partition },
    put: async () => undefined,
    makeForeign: () =>
      keeper.change((world) => {
        const nothing = { sizeBytes: 0, heldBytes: 0, given: [], takenOut: [], lentTo: null };
        world.imageDisks.set(partition, { owner: null, state: 'ready', ...nothing });
      }, null),
    leave: (state) =>
      keeper.change((world) => {
        Object.assign(world.imageDisks.get(partition) ?? {}, { state });
      }, null),
  };
}

for (const [where, makePlace] of Object.entries(places)) {
  const what = `a simulated host in ${where}`;
  describeFilterContract(what, async () => hostsIn(await makePlace(worldOf({}))));
  describeHostContract(what, async () =>
    hostSubject(await makePlace(worldOf({ files: ['vmlinuz', 'initrd.img'] }))),
  );
  describeDiskContract(what, async () =>
    hostSubject(await makePlace(worldOf({ files: ['vmlinuz', 'initrd.img'] }))),
  );
  describeStorageContract(what, async () => storageSubject(await makePlace(worldOf({}))));
  describeImageDiskContract(what, async () => imageDiskSubject(await makePlace(worldOf({}))));
  describeIntakeContract(what, async () => {
    const { host, dispose } = hostsIn(await makePlace(worldOf({})));
    const owner = { installation, partition };
    return { intakes: host.intakes, images: host.images, owner, dispose };
  });
  describeSeedContract(what, async () => seedSubject(await makePlace(worldOf({}))));
  describeNetworkContract(what, async () => networkSubject(await makePlace(worldOf({}))));
}
