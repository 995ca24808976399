/** Everything at once, and too much of it: not by accident. */
import { expect, test } from 'vitest';
import { fieldsOf } from '../../../src/model/domain.ts';
import type { ImageName, PartitionName } from '../../../src/model/names.ts';
import { resourceKey } from '../../../src/model/resource.ts';
import type { ImageSource } from '../../../src/model/volume.ts';
import { comeIn } from '../../support/come-in.ts';
import {
  blocksIn,
  converge,
  desiredWith,
  image,
  installation,
  partition,
  planPass,
  secondary,
} from '../../support/passes.ts';
import {
  digestOf,
  domainOf,
  imageOf,
  simulatedPrimary,
  testHost,
  volumeOf,
  worldOf,
} from '../../support/simulation.ts';

type Plan = Awaited<ReturnType<typeof planPass>>;
const blocks = (plan: Plan) => blocksIn(plan, resourceKey);
const running = (name: string) =>
  domainOf(name, { power: { status: 'running' }, defined: fieldsOf(secondary(name)) });
const nothing = desiredWith({});
const messages = ({ entries }: Plan) =>
  entries.flatMap((entry) => (entry.kind === 'blocked' ? [entry.block.message] : []));

test('data counts among the deletions of a plan', async () => {
  const gone = ['a', 'b'].map((name) => volumeOf(name, { deletionPolicy: 'Delete' }));
  const host = testHost(worldOf({ recorded: true, volumes: gone }));
  expect(blocks(await planPass(host, nothing, true, 1))).toEqual([
    'volume/a TooManyDeletions',
    'volume/b TooManyDeletions',
  ]);
  expect(blocks(await planPass(host, nothing, true, 2))).toEqual([]);
});

test('so does an Image', async () => {
  const images = [imageOf('old'), imageOf('older', { digest: digestOf(1) })];
  const host = testHost(
    worldOf({ recorded: true, images, domains: [running('web'), running('db')] }),
  );
  const wanted = desiredWith({ secondaries: [secondary('web')] });
  const plan = await planPass(host, wanted, false, 2);
  expect(blocks(plan)).toEqual([
    'image/old TooManyDeletions',
    'image/older TooManyDeletions',
    'secondary/db TooManyDeletions',
  ]);
  expect(messages(plan)[0]).toBe(
    '1 Secondary and 2 Images would be deleted, and --max-deletions is 2',
  );
  expect(blocks(await planPass(host, wanted, false, 3))).toEqual([]);
});

test('what is half made does not', async () => {
  const images = [imageOf('old', { state: 'deleting' })];
  const host = testHost(worldOf({ recorded: true, images, domains: [running('web')] }));
  const plan = await planPass(host, desiredWith({ secondaries: [secondary('web')] }), false, 0);
  expect(blocks(plan)).toEqual([]);
  expect(plan.operations.map(({ id }) => id)).toContain('image.delete/old');
});

test('documents that keep no Image of a partition that has nothing else delete none', async () => {
  const images = [imageOf('debian'), imageOf('kernel', { format: 'bzImage' })];
  const host = testHost(worldOf({ recorded: true, images, volumes: [volumeOf('kept')] }));
  const plan = await planPass(host, nothing);
  expect(blocks(plan)).toEqual([
    'image/debian DeletesEverything',
    'image/kernel DeletesEverything',
  ]);
  expect(messages(plan)[0]).toContain('would delete every Image there is');
  expect(plan.operations).toEqual([]);
  // Nor do they make one that would be taken for one that they keep.
  const other = await planPass(host, desiredWith({ images: [image('other')] }));
  expect(blocks(other)).toEqual([
    'image/debian DeletesEverything',
    'image/kernel DeletesEverything',
    'image/other DeletesEverything',
  ]);
  const { digest, format } = imageOf('debian');
  const one = await planPass(host, desiredWith({ images: [image('debian', { digest, format })] }));
  expect(one.operations.map(({ id }) => id)).toEqual(['image.delete/kernel']);
  expect((await planPass(host, nothing, true)).operations.map(({ id }) => id)).toEqual([
    'image.delete/debian',
    'image.delete/kernel',
  ]);
});

const lent = 'lent' as ImageName;
const handOver: ImageSource = { kind: 'handOver', sizeBytes: 4096, isWritten: false };
const vm = {
  domainName: 'vm',
  reserved: { vcpus: 1, memoryBytes: 2 ** 28 },
  grants: ['handOver'],
  imageDiskBytes: null,
} as const;

test('a disk that its Primary was lent stays with it where the documents are gone', async () => {
  const host = testHost(worldOf({ recorded: true, primaries: { vm: simulatedPrimary() } }));
  const documents = {
    secondaries: [secondary('web')],
    images: [image('lent', { source: handOver })],
  };
  await converge(host, { ...desiredWith(documents), primary: vm });
  expect(host.world.intakes.get(partition)?.get(lent)).toMatchObject({ state: 'ready' });

  const emptied = { ...nothing, primary: vm };
  expect(blocks(await planPass(host, emptied))).toEqual([
    'intake/lent DeletesEverything',
    'secondary/web DeletesEverything',
  ]);
  // As where the newest bundle is torn, and the one before knows nothing of the Image.
  const torn = { ...desiredWith({ secondaries: [secondary('web')] }), primary: vm };
  const plan = await planPass(host, torn, false, 0);
  expect(blocks(plan)).toEqual(['intake/lent TooManyDeletions']);
  expect(plan.operations).toEqual([]);
  const meant = await planPass(host, torn);
  expect(meant.operations.map(({ id }) => id)).toEqual([
    'primary.take-disk/lent',
    'intake.delete/lent',
  ]);
});

test('an intake that a crash has left beside its Image is cleared away, whatever may not go', async () => {
  const host = testHost(worldOf({ recorded: true, domains: [running('web')] }));
  const source: ImageSource = { kind: 'upload', sizeBytes: 4096 };
  const wanted = desiredWith({
    secondaries: [secondary('web')],
    images: [image('sent', { source })],
  });
  await converge(host, wanted);
  const { digest, format } = image('sent');
  host.world.images
    .get(partition)
    ?.set(
      'sent' as ImageName,
      imageOf('sent', { digest, format, owner: { installation, partition } }),
    );
  const plan = await planPass(host, wanted, false, 0);
  expect(blocks(plan)).toEqual([]);
  expect(plan.operations.map(({ id }) => id)).toEqual(['intake.delete/sent']);
});

test('bytes that have come in for another digest than the one in force count', async () => {
  const source: ImageSource = { kind: 'upload', sizeBytes: 4096 };
  const host = testHost(worldOf({ recorded: true, domains: [running('web')] }));
  const torn = { secondaries: [secondary('web')] };
  const next = image('sent', { source, digest: digestOf(7) });
  await converge(host, desiredWith({ ...torn, images: [next] }));
  const { digest, format } = image('sent');
  host.world.images.get(partition)?.set(next.name, imageOf('sent', { digest, format }));
  const inForce = desiredWith({ ...torn, images: [image('sent', { source })] });
  // Nothing has come in yet, so that nothing is lost.
  expect(blocks(await planPass(host, inForce, false, 0))).toEqual([]);
  await comeIn(host.intakes, { installation, partition }, next.name, 0, new Uint8Array(4096));
  const plan = await planPass(host, inForce, false, 0);
  expect(blocks(plan)).toEqual(['intake/sent TooManyDeletions']);
  expect(plan.operations).toEqual([]);
  // Nor do they make room for others of that name.
  host.world.images.get(partition)?.delete(next.name);
  const anew = await planPass(host, inForce, false, 0);
  expect(blocks(anew)).toContain('intake/sent TooManyDeletions');
  expect(anew.operations).toEqual([]);
});

test('an Image that waits for other bytes is one that the documents keep', async () => {
  const images = [imageOf('a'), imageOf('b')];
  const host = testHost(worldOf({ recorded: true, images }));
  const source: ImageSource = { kind: 'upload', sizeBytes: 4096 };
  const wanted = desiredWith({ images: [image('a', { source, digest: digestOf(7) })] });
  const plan = await planPass(host, wanted);
  expect(blocks(plan)).toEqual(['image/a AwaitingBytes']);
  expect(plan.operations.map(({ id }) => id)).toContain('image.delete/b');
});

test.each([
  ['that is half made', { state: 'creating' }],
  ['of another partition', { owner: { installation, partition: 'team-b' as PartitionName } }],
] as const)('an Image %s is none that is kept', async (_what, more) => {
  const images = [imageOf('a', more), imageOf('b')];
  const host = testHost(worldOf({ recorded: true, images }));
  const source: ImageSource = { kind: 'upload', sizeBytes: 4096 };
  const plan = await planPass(host, desiredWith({ images: [image('a', { source })] }));
  expect(blocks(plan)).toContain('image/b DeletesEverything');
});
