/** Images that a Primary hands in: where their bytes come in, what that costs, and whom it is lent to. */
import { describe, expect, test } from 'vitest';
import { renderPlan } from '../../../src/cli/render/plan.ts';
import { plain } from '../../../src/cli/render/paint.ts';
import { lentDisk } from '../../../src/model/intake.ts';
import type { ImageName } from '../../../src/model/names.ts';
import { type Grant, GRANTS } from '../../../src/model/primary.ts';
import type { DesiredState } from '../../../src/model/secondary.ts';
import {
  type Image,
  type ImageSource,
  unpackedBytesMax,
  type Volume,
} from '../../../src/model/volume.ts';
import {
  applyPass,
  blockedKindsIn,
  converge,
  desired,
  desiredWith,
  image,
  installation,
  partition,
  planPass,
  runPlan,
  volume,
} from '../../support/passes.ts';
import type { SimulatedPrimary } from '../../../src/host/simulated/world.ts';
import { shareWithStorage } from '../../support/share.ts';
import { comeIn } from '../../support/come-in.ts';
import { digestOf, onCall, simulatedPrimary, testHost, worldOf } from '../../support/simulation.ts';

const MiB = 2 ** 20;
const sizeBytes = 8 * MiB;
const owner = { installation, partition };
const debian = 'debian' as ImageName;
const bytes = (length: number) => new Uint8Array(length);

const wanting = (
  source: ImageSource,
  { storageBytes = null, ...more }: Partial<Image> & { readonly storageBytes?: number | null } = {},
  grants: readonly Grant[] = GRANTS,
): DesiredState => {
  const wanted = image('debian', { source, ...more });
  const reserved = { vcpus: 1, memoryBytes: 256 * MiB };
  return {
    ...desired(),
    images: new Map([[wanted.name, wanted]]),
    volumes: new Map([
      [
        volume('root').name,
        volume('root', {
          sizeBytes,
          origin: { image: wanted.name, digest: wanted.digest, format: 'raw', provision: 'Copy' },
        }),
      ],
    ]),
    primary: { domainName: 'vm', reserved, grants, imageDiskBytes: null },
    share: storageBytes === null ? null : shareWithStorage(storageBytes),
  };
};
const upload: ImageSource = { kind: 'upload', sizeBytes };
const handOver = (isWritten: boolean): ImageSource => ({ kind: 'handOver', sizeBytes, isWritten });
const hostWith = (more: Parameters<typeof simulatedPrimary>[0] = {}) =>
  testHost(worldOf({ recorded: true, primaries: { vm: simulatedPrimary(more) } }));

const otherUuid = '3e0d1f5c-93a1-4c38-8f0e-6a3f6a1f0002' as SimulatedPrimary['uuid'];
const grantedTo = (primary: DesiredState['primary']) => {
  if (primary === null || primary === 'unspoken') throw new Error('there is none');
  return primary;
};
const textOf = async (host: ReturnType<typeof hostWith>, wanted: DesiredState) =>
  renderPlan(await planPass(host, wanted), plain);
const blocksOf = async (host: ReturnType<typeof hostWith>, wanted: DesiredState) =>
  blockedKindsIn(await planPass(host, wanted));
const operationsOf = async (host: ReturnType<typeof hostWith>, wanted: DesiredState) =>
  (await planPass(host, wanted)).operations.map(({ id }) => id);

describe('an Image that is uploaded', () => {
  test('has room made for it, then waits for its bytes, then becomes one', async () => {
    const host = hostWith();
    const wanted = wanting(upload);
    expect(await operationsOf(host, wanted)).toEqual(['intake.create/debian']);
    await converge(host, wanted);
    expect(await textOf(host, wanted)).toContain('0 of 8388608 bytes have been uploaded');
    expect(await blocksOf(host, wanted)).toEqual(['image AwaitingBytes', 'volume PartBlocked']);
    await comeIn(host.intakes, owner, debian, 0, bytes(4 * MiB));
    await comeIn(host.intakes, owner, debian, 4 * MiB, bytes(4 * MiB));
    expect(await operationsOf(host, wanted)).toEqual([
      'image.import/debian',
      'intake.delete/debian',
      'volume.create/root',
    ]);
    await converge(host, wanted);
    expect(host.world.intakes.get(partition)?.size).toBe(0);
    expect(host.world.images.get(partition)?.get(debian)).toMatchObject({ state: 'ready' });
  });

  test('takes what it may take from the start, and a raw one no more than that', async () => {
    const host = hostWith();
    const wanted = wanting(upload, { storageBytes: sizeBytes });
    await converge(host, wanted);
    await comeIn(host.intakes, owner, debian, 0, bytes(sizeBytes));
    // The Volume, which has bytes of its own, finds no room.
    expect(await operationsOf(host, wanted)).toEqual([
      'image.import/debian',
      'intake.delete/debian',
    ]);
    await converge(host, wanted);
    expect(await blocksOf(host, wanted)).toEqual(['volume OverBudget']);
  });

  test('that there is no room for is not begun', async () => {
    const host = hostWith();
    const wanted = wanting(upload, { storageBytes: sizeBytes - 1 });
    expect(await operationsOf(host, wanted)).toEqual([]);
    expect(await blocksOf(host, wanted)).toEqual([
      'intake OverBudget',
      'image PartBlocked',
      'volume PartBlocked',
    ]);
  });

  test('that is written anew beside its bytes needs room for both at once', async () => {
    const host = hostWith();
    const qcow2 = { format: 'qcow2', virtualBytesMax: 3 * sizeBytes } as const;
    const needed = sizeBytes + unpackedBytesMax(3 * sizeBytes);
    const wanted = {
      ...wanting(upload, { ...qcow2, storageBytes: needed }),
      volumes: new Map(),
    };
    await converge(host, wanted);
    await comeIn(host.intakes, owner, debian, 0, bytes(sizeBytes));
    expect(await operationsOf(host, wanted)).toContain('image.import/debian');
    const tight = {
      ...wanting(upload, { ...qcow2, storageBytes: needed - 1 }),
      volumes: new Map(),
    };
    expect(await blocksOf(host, tight)).toEqual(['image OverBudget']);
  });

  test('in the place of other bytes begins anew once nothing is given up for it any more', async () => {
    const host = hostWith();
    const send = () => comeIn(host.intakes, owner, debian, 0, bytes(sizeBytes));
    await converge(host, wanting(upload));
    await send();
    await converge(host, { ...wanting(upload), volumes: new Map() });
    const wanted = { ...wanting(upload, { digest: digestOf(7) }), volumes: new Map() };
    await converge(host, wanted);
    await send();
    host.rules.push(onCall('images.delete', { kind: 'error', error: new Error('not now') }));
    let during: unknown = null;
    const { outcomes } = await applyPass(host, wanted, {
      onOutcome: ({ operation }) => {
        if (operation.kind !== 'image.verify') return;
        during = send().catch((error: unknown) => error);
      },
    });
    expect(outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`)).toEqual([
      'image.verify/debian applied',
      'image.delete/debian failed',
      'image.import/debian skipped',
      'intake.delete/debian skipped',
    ]);
    expect(await during).toMatchObject({ code: 'Refused' });
    expect(await send()).toBe(sizeBytes);
    host.rules.pop();
    await converge(host, wanted);
    const there = host.world.images.get(partition)?.get(debian);
    expect(there).toMatchObject({ state: 'ready', digest: digestOf(7) });
  });

  test('of another digest begins anew, and one that is no longer wanted gives its room back', async () => {
    const host = hostWith();
    await converge(host, wanting(upload));
    await comeIn(host.intakes, owner, debian, 0, bytes(MiB));
    const other = wanting(upload, { digest: `sha256:${'b'.repeat(64)}` });
    expect(await operationsOf(host, other)).toEqual([
      'intake.delete/debian',
      'intake.create/debian',
    ]);
    await converge(host, other);
    expect(host.world.intakes.get(partition)?.get(debian)).toMatchObject({ receivedBytes: 0 });
    await converge(host, { ...desired(), primary: null });
    expect(host.world.intakes.get(partition)?.size).toBe(0);
  });
});

describe('an Image that is handed over', () => {
  test('comes on a disk that the Primary is lent, and that is taken back first', async () => {
    const host = hostWith();
    expect(await operationsOf(host, wanting(handOver(false)))).toEqual([
      'intake.create/debian',
      'primary.lend-disk/debian',
    ]);
    await converge(host, wanting(handOver(false)));
    const { alias } = lentDisk(owner, debian);
    expect(host.world.primaries.get('vm')?.lentDisks).toEqual([alias]);
    expect(await textOf(host, wanting(handOver(false)))).toContain('/dev/disk/by-id/virtio-debian');
    expect(await operationsOf(host, wanting(handOver(true)))).toEqual([
      'primary.take-disk/debian',
      'image.import/debian',
      'intake.delete/debian',
      'volume.create/root',
    ]);
    await converge(host, wanting(handOver(true)));
    expect(host.world.primaries.get('vm')?.lentDisks).toEqual([]);
    expect(await operationsOf(host, wanting(handOver(true)))).toEqual([]);
  });

  test('takes the place of other bytes only once it is seen to be what it is to be', async () => {
    const host = hostWith();
    await converge(host, wanting(handOver(false)));
    await converge(host, wanting(handOver(true)));
    const digest = digestOf(7);
    await converge(host, wanting(handOver(false), { digest }));
    const plan = await planPass(host, wanting(handOver(true), { digest }));
    expect(plan.operations.map(({ id }) => id)).toEqual([
      'primary.take-disk/debian',
      'image.verify/debian',
      'image.delete/debian',
      'image.import/debian',
      'intake.delete/debian',
    ]);
    host.rules.push(onCall('images.verify', { kind: 'error', error: new Error('no good') }));
    await runPlan(plan, host);
    const before = host.world.images.get(partition)?.get(debian);
    expect(before).toMatchObject({ state: 'ready', digest: image('debian').digest });
    host.rules.pop();
    await converge(host, wanting(handOver(true), { digest }));
    expect(host.world.images.get(partition)?.get(debian)).toMatchObject({ digest });
  });

  test.each(['image.verify', 'image.delete'] as const)(
    'and is interrupted after %s has its old bytes or its new ones',
    async (kind) => {
      const host = hostWith();
      await converge(host, wanting(handOver(false)));
      await converge(host, wanting(handOver(true)));
      const digest = digestOf(7);
      await converge(host, wanting(handOver(false), { digest }));
      const stop = new AbortController();
      await applyPass(host, wanting(handOver(true), { digest }), {
        stop: stop.signal,
        onOutcome: ({ operation }) => {
          if (operation.kind === kind) stop.abort();
        },
      });
      const there = host.world.images.get(partition)?.get(debian);
      const old = image('debian').digest;
      const isOld = kind === 'image.verify';
      expect(there).toMatchObject({ state: 'ready', digest: isOld ? old : digest });
    },
  );

  test('is lent once, however often it is asked for', async () => {
    const host = hostWith();
    const plan = await planPass(host, wanting(handOver(false)));
    await runPlan(plan, host);
    const { outcomes } = await runPlan(plan, host);
    expect(outcomes.map(({ result }) => result.status)).toEqual(['already', 'already']);
  });

  test('is not looked into as long as its guest has not let go of the disk', async () => {
    const host = hostWith({ releasesAfterMs: null });
    await converge(host, wanting(handOver(false)));
    const plan = await planPass(host, wanting(handOver(true)));
    const { outcomes } = await runPlan(plan, host);
    expect(outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`)).toEqual([
      'primary.take-disk/debian failed',
      'image.import/debian skipped',
      'intake.delete/debian skipped',
      'volume.create/root skipped',
    ]);
    expect(host.world.images.get(partition)?.get(debian)).toBeUndefined();
  });

  test('is lent again to a Primary that was started anew', async () => {
    const host = hostWith();
    await converge(host, wanting(handOver(false)));
    const primary = host.world.primaries.get('vm');
    if (primary !== undefined) primary.lentDisks = [];
    expect(await operationsOf(host, wanting(handOver(false)))).toEqual([
      'primary.lend-disk/debian',
    ]);
  });

  test('is asked back from a Primary that is none any more, before anything else', async () => {
    const host = hostWith();
    await converge(host, wanting(handOver(false)));
    host.world.primaries.set('other', simulatedPrimary({ uuid: otherUuid }));
    const { primary, ...rest } = wanting(handOver(true));
    const other = { ...rest, primary: { ...grantedTo(primary), domainName: 'other' } };
    expect(await operationsOf(host, other)).toEqual([
      'primary.take-disk/debian',
      'image.import/debian',
      'intake.delete/debian',
      'volume.create/root',
    ]);
    const asked = { ...wanting(handOver(false)), primary: other.primary };
    expect(await operationsOf(host, asked)).toEqual([
      'primary.take-disk/debian',
      'primary.lend-disk/debian',
    ]);
    // One that is gone has nothing any more.
    host.world.primaries.delete('vm');
    await converge(host, other);
    expect(host.world.images.get(partition)?.get(debian)).toMatchObject({ state: 'ready' });
  });

  test('that was raw is not lent as anything else once its bytes are the Image’s', async () => {
    const host = hostWith();
    await converge(host, wanting(handOver(false)));
    const plan = await planPass(host, wanting(handOver(true)));
    const upToImport = plan.operations.filter(({ kind }) => kind !== 'intake.delete');
    await runPlan({ ...plan, operations: upToImport }, host);
    const other = wanting(handOver(false), { format: 'qcow2', virtualBytesMax: sizeBytes });
    expect(await operationsOf(host, { ...other, volumes: new Map() })).toEqual([
      'intake.delete/debian',
      'intake.create/debian',
      'primary.lend-disk/debian',
    ]);
  });

  test('waits for a Primary that does not run', async () => {
    const host = hostWith({ live: null });
    await applyPass(host, wanting(handOver(false)));
    expect(await operationsOf(host, wanting(handOver(false)))).toEqual([]);
    expect(host.world.intakes.get(partition)?.get(debian)).toMatchObject({ state: 'ready' });
  });

  test('is for Primaries that may be lent disks', async () => {
    const wanted = wanting(handOver(false), {}, ['vcpus']);
    expect(await blocksOf(hostWith(), wanted)).toEqual([
      'intake NotAllowed',
      'image PartBlocked',
      'volume PartBlocked',
    ]);
    const nobody = { ...wanting(handOver(false)), primary: null };
    expect(await blocksOf(hostWith(), nobody)).toContain('intake PrimaryMissing');
  });

  test('cannot have been written before there was a disk', async () => {
    expect(await blocksOf(hostWith(), wanting(handOver(true)))).toEqual([
      'intake AwaitingBytes',
      'image AwaitingBytes',
      'volume PartBlocked',
    ]);
  });

  test('and is not wanted any more: the disk is taken back before it is deleted', async () => {
    const host = hostWith();
    const { primary } = wanting(handOver(false));
    await converge(host, wanting(handOver(false)));
    expect(await operationsOf(host, { ...desired(), primary })).toEqual([
      'primary.take-disk/debian',
      'intake.delete/debian',
    ]);
  });
});

describe('an Image that is fetched', () => {
  const from = 'https://images.example.org/debian.img';
  const fetched = (isAllowed = true, url = from): ImageSource => ({
    kind: 'url',
    url,
    sizeBytes,
    isAllowed,
  });

  test('has room made for it, waits while it comes, and becomes one', async () => {
    const host = hostWith();
    const wanted = wanting(fetched());
    expect(await operationsOf(host, wanted)).toEqual(['intake.create/debian']);
    expect(await blocksOf(host, wanted)).toEqual(['image AwaitingBytes', 'volume PartBlocked']);
    await converge(host, wanted);
    expect(await blocksOf(host, wanted)).toEqual(['image Fetching', 'volume PartBlocked']);
    await comeIn(host.intakes, owner, debian, 0, bytes(MiB));
    expect(await textOf(host, wanted)).toContain('1048576 of 8388608 bytes have been fetched');
    expect(await operationsOf(host, wanted)).toEqual([]);
    // From elsewhere it is the same.
    expect(await operationsOf(host, wanting(fetched(true, `${from}2`)))).toEqual([]);
    await comeIn(host.intakes, owner, debian, MiB, bytes(sizeBytes - MiB));
    expect(await operationsOf(host, wanted)).toEqual([
      'image.import/debian',
      'intake.delete/debian',
      'volume.create/root',
    ]);
    expect(await textOf(host, wanted)).toContain(`import from what was fetched from ${from}`);
    await converge(host, wanted);
    expect(await operationsOf(host, wanting(fetched(true, `${from}2`)))).toEqual([]);
    // What it has it keeps.
    expect(await operationsOf(host, wanting(fetched(false)))).toEqual([]);
  });

  test('that is not allowed gets no room, and gives back what it had', async () => {
    const host = hostWith();
    const denied = wanting(fetched(false, 'https://elsewhere.example.org:8443/x'));
    expect(await operationsOf(host, denied)).toEqual([]);
    expect(await blocksOf(host, denied)).toEqual(['image HostNotAllowed', 'volume PartBlocked']);
    expect(await textOf(host, denied)).toContain('fetched from elsewhere.example.org:8443 (policy');
    await converge(host, wanting(fetched()));
    expect(await operationsOf(host, denied)).toEqual(['intake.delete/debian']);
  });

  test('takes what it may take from the start', async () => {
    const host = hostWith();
    const wanted = wanting(fetched(), { storageBytes: sizeBytes - 1 });
    expect(await blocksOf(host, wanted)).toEqual([
      'intake OverBudget',
      'image PartBlocked',
      'volume PartBlocked',
    ]);
  });

  test('of other bytes has other room', async () => {
    const host = hostWith();
    await converge(host, wanting(fetched()));
    await comeIn(host.intakes, owner, debian, 0, bytes(MiB));
    const other = wanting(fetched(), { digest: `sha256:${'b'.repeat(64)}` });
    expect(await operationsOf(host, other)).toEqual([
      'intake.delete/debian',
      'intake.create/debian',
    ]);
  });

  test('what was uploaded of it is not what is fetched', async () => {
    const host = hostWith();
    await converge(host, wanting(upload));
    await comeIn(host.intakes, owner, debian, 0, bytes(MiB));
    expect(await operationsOf(host, wanting(fetched()))).toEqual([
      'intake.delete/debian',
      'intake.create/debian',
    ]);
  });
});

describe('an Image of the catalogue', () => {
  const catalogue = (isAllowed: boolean) =>
    wanting({ kind: 'catalogue', file: 'debian.img' as never, isAllowed });

  test('is made of it where the operator allows that', async () => {
    const host = hostWith();
    expect(await blocksOf(host, catalogue(true))).toEqual([
      'image FileMissing',
      'volume PartBlocked',
    ]);
    host.world.catalogue.set('debian.img', { bytes: sizeBytes, digest: null });
    expect(await blocksOf(host, catalogue(false))).toEqual([
      'image NotAllowed',
      'volume PartBlocked',
    ]);
    await converge(host, catalogue(true));
    expect(host.world.images.get(partition)?.get(debian)).toMatchObject({ state: 'ready' });
    // What it has it keeps, whatever the operator thinks of it later.
    expect(await operationsOf(host, catalogue(false))).toEqual([]);
  });

  test('gives up the bytes of before only for what there is room for', async () => {
    const host = hostWith();
    host.world.catalogue.set('debian.img', { bytes: sizeBytes, digest: null });
    host.world.catalogue.set('next.img', { bytes: 2 * sizeBytes, digest: null });
    const spare = volume('spare', { sizeBytes, deletionPolicy: 'Delete' });
    const of = (file: string, digest: string, volumes: readonly Volume[]) =>
      desiredWith({
        images: [
          image('debian', {
            digest,
            source: { kind: 'catalogue', file: file as never, isAllowed: true },
          }),
        ],
        volumes,
        share: shareWithStorage(2 * sizeBytes),
      });
    await converge(host, of('debian.img', digestOf(1), [spare]));
    const next = of('next.img', digestOf(2), []);
    const error = new Error('not now');
    host.rules.push(onCall('volumes.delete', { kind: 'error', error }));
    const { outcomes } = await applyPass(host, next);
    expect(outcomes.map(({ operation, result }) => `${operation.id} ${result.status}`)).toEqual([
      'volume.delete/spare failed',
      'image.verify/debian applied',
      'image.delete/debian skipped',
      'image.import/debian skipped',
    ]);
    const there = () => host.world.images.get(partition)?.get(debian);
    expect(there()).toMatchObject({ state: 'ready', digest: digestOf(1) });
    host.rules.pop();
    await converge(host, next);
    expect(there()).toMatchObject({ state: 'ready', digest: digestOf(2) });
  });
});
